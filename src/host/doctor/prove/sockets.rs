//! Whether a container reaches a socket of this machine, through a directory that it cannot write: a guarded network depends on it.

use std::io::{Read, Write};
use std::os::unix::net::UnixListener;

use crate::core::container::{AI, ContainerPath, SOCKETS};
use crate::core::engine::proof::{self, ProbeOutcome, ProbeVerdict};
use crate::core::guard::order::EGRESS;
use crate::core::plan::Part;
use crate::core::plan::mount::{Access, Mount};
use crate::core::store::seen::Fixed;
use crate::host::doctor::prove::{Bench, last, of, outcome};
use crate::host::fs::socket;
use crate::host::machine::{look, process};

/// Serves one connection and looks whether a container's comes.
pub(super) fn reach(bench: &Bench) -> ProbeOutcome {
    let program = match process::this_program() {
        Ok(program) if look::runs_anywhere(&program) => program,
        _ => return outcome(proof::SOCKETS, ProbeVerdict::Unknown, "this `ai` is not a program that every Linux image can run"),
    };
    let found = (|| {
        let directory = bench.directory.join("sockets");
        socket::make_directory(&directory)?;
        let listener = socket::bind(&directory, EGRESS)?;
        std::thread::spawn(move || greet(&listener));
        let mount = |source: &std::path::Path, target| {
            Part::Mount(Mount::bind(Fixed::of_person(source), ContainerPath::new(target), Access::ReadOnly))
        };
        let flags = [mount(&directory, SOCKETS), mount(&program, AI), Part::NoCapabilities];
        let (code, stdout, stderr) = bench.run(&flags, &format!("{AI} dial probe 443"))?;
        let verdict = if stdout == GREETING { ProbeVerdict::Holds } else { ProbeVerdict::Fails };
        Ok((verdict, if stdout == GREETING { "reachable".into() } else { format!("ended with {code}: {}", last(&stderr)) }))
    })();
    of(proof::SOCKETS, found)
}

const GREETING: &str = "through";

fn greet(listener: &UnixListener) {
    for stream in listener.incoming().take(1).flatten() {
        let mut stream = stream;
        // Whether it came through is seen on the other side.
        let _ = stream.read(&mut [0; 1024]);
        let _ = stream.write_all(format!("HTTP/1.1 200 OK\r\n\r\n{GREETING}").as_bytes());
    }
}
