//! What tests of the guarded network need: a program that runs in any image, names that stand for loopback, servers behind them.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::bed::{Bed, Image};
use crate::require::need;
use crate::sandbox::{Sandbox, find_program};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The program under test, linked so that every image can run it; made once, and again when its sources changed.
#[track_caller]
pub fn static_program() -> Option<PathBuf> {
    let triple = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let directory = Path::new(ROOT).join("target/static");
    let mut build = Command::new(env!("CARGO"));
    build.args(["build", "--quiet", "--bin", "ai", "--target", &triple, "--target-dir"]).arg(&directory).current_dir(ROOT);
    build.env("RUSTFLAGS", "-C target-feature=+crt-static");
    build.env("CARGO_PROFILE_DEV_STRIP", "debuginfo");
    let is_built = build.status().is_ok_and(|status| status.success());
    need("static", is_built.then(|| directory.join(triple).join("debug/ai")))
}

/// A bed with a guarded network.
#[track_caller]
pub fn guarded(image: Image) -> Option<Bed> {
    let bed = Bed::new(image)?;
    on(bed)
}

/// The same on another bed.
#[track_caller]
pub fn on(mut bed: Bed) -> Option<Bed> {
    bed.sandbox.use_program(static_program()?);
    bed.set("AI_NETWORK", "guard");
    Some(bed)
}

/// A `getent` that knows these names only, and notes each that it is asked for in the file `asked`.
pub fn names(sandbox: &Sandbox, table: &[(&str, &str)]) {
    let arms: String = table.iter().map(|(name, address)| format!("{name}) echo '{address} STREAM {name}' ;;\n")).collect();
    let asked = sandbox.root().join("tmp/asked");
    sandbox.program("getent", &format!("#!/bin/sh\necho \"$3\" >>'{}'\ncase $3 in\n{arms}*) exit 2 ;;\nesac\n", asked.display()));
}

/// A server on loopback that keeps what each connection said, and answers each piece with `answer`.
pub struct Echo {
    pub port: u16,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Echo {
    pub fn serve(answer: impl Fn(&[u8]) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self::listen(move |stream, heard| converse(stream, heard, &answer))
    }

    /// Plays a proxy that lets everything through to itself: what comes behind the head of a request is said back.
    pub fn proxy() -> Self {
        Self::listen(|mut stream, heard| {
            let mut head = Vec::new();
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|count| count == 1) {
                head.push(byte[0]);
            }
            heard.lock().unwrap().extend_from_slice(&head);
            if stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").is_ok() {
                converse(stream, heard, &<[u8]>::to_vec);
            }
        })
    }

    fn listen(talk: impl Fn(TcpStream, &Mutex<Vec<u8>>) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let (all, talk) = (Arc::clone(&heard), Arc::new(talk));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (all, talk) = (Arc::clone(&all), Arc::clone(&talk));
                thread::spawn(move || talk(stream, &all));
            }
        });
        Self { port, heard }
    }

    pub fn heard(&self) -> String {
        String::from_utf8_lossy(&self.heard.lock().unwrap()).into_owned()
    }
}

fn converse(mut stream: TcpStream, heard: &Mutex<Vec<u8>>, answer: &dyn Fn(&[u8]) -> Vec<u8>) {
    let mut buffer = [0; 1 << 16];
    while let Ok(count @ 1..) = stream.read(&mut buffer) {
        heard.lock().unwrap().extend_from_slice(&buffer[..count]);
        if stream.write_all(&answer(&buffer[..count])).is_err() {
            break;
        }
    }
}

/// A plain web server over a directory; ends when it is dropped.
pub struct Web {
    server: Child,
    pub port: u16,
}

impl Web {
    #[track_caller]
    pub fn serve(directory: &Path) -> Option<Self> {
        let python = need("python3", find_program("python3"))?;
        let mut server = Command::new(python)
            .args(["-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory"])
            .arg(directory)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.split_whitespace().nth(5).unwrap().parse().unwrap();
        Some(Self { server, port })
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
