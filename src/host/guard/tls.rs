//! A connection to a vendor in TLS: the host's own `openssl s_client` between two sockets of ours.
//!
//! It gets no key by its words or its environment, finds no names and connects to nothing by itself: what it has on one side is what we
//! say, on the other the connection that was dialled by the rules. It ends before a byte is sent where the server's certificate is not
//! the vendor's.

use std::io::{self, Read};
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Child, Stdio};
use std::sync::atomic::Ordering;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::host::fs::{own, socket};
use crate::host::guard::broker::KeyDesk;
use crate::host::guard::relay;
use crate::host::machine::process;

/// How long the program may take to begin, in seconds.
const PATIENCE: i64 = 10;

/// What it is told by its environment: where certificates and its own settings are, and nothing else of ours.
pub const ENVIRONMENT: [&str; 6] = ["PATH", "SSL_CERT_FILE", "SSL_CERT_DIR", "OPENSSL_CONF", "OPENSSL_MODULES", "LD_LIBRARY_PATH"];

#[derive(Debug)]
pub struct TlsPipe {
    /// What is said here is said to the server.
    pub stream: UnixStream,
    process: Child,
}

impl TlsPipe {
    /// Begins TLS with the vendor of a key on a connection to it.
    pub fn begin(key: &KeyDesk, server: TcpStream) -> io::Result<Self> {
        let (order, directory, host) = (&key.order, &key.directory, &key.peer.host.to_string());
        // In a directory that is ours alone.
        let name = &format!("tls-{}", key.count.fetch_add(1, Ordering::Relaxed));
        let listener = socket::bind(directory, name)?;
        let (stream, theirs) = UnixStream::pair()?;
        let theirs = OwnedFd::from(theirs);
        let mut command = process::command(&order.openssl);
        command.args(["s_client", "-quiet", "-verify_return_error", "-verify_hostname", host, "-servername", host]);
        command.args(["-alpn", "http/1.1", "-unix", name]).current_dir(directory);
        if let Some(file) = &order.authorities {
            command.arg("-CAfile").arg(file);
        }
        command.env_clear().envs(key.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(theirs.try_clone()?).stdout(theirs).stderr(Stdio::piped());
        let process = command.spawn();
        drop(command);
        let mut pipe = Self { stream, process: process? };
        let inner = accept(&listener, &pipe.stream);
        let _ = own::remove(directory.join(name));
        let Some(inner) = inner? else { return Err(io::Error::other(pipe.complaint())) };
        std::thread::Builder::new().stack_size(64 << 10).spawn(move || relay::both(inner, server))?;
        Ok(pipe)
    }

    /// Returns why it ended, of which it may have said much.
    pub fn complaint(&mut self) -> String {
        let _ = self.process.kill();
        let mut said = Vec::new();
        let _ = self.process.stderr.take().map(|stderr| stderr.take(8 << 10).read_to_end(&mut said));
        let said = String::from_utf8_lossy(&said).into_owned();
        let why = said.lines().find_map(|line| Some(line.split_once("verify error:num=")?.1.split_once(':')?.1.to_owned()));
        why.map_or_else(|| "the connection ended without an answer".into(), |why| format!("its certificate is not trusted: {why}"))
    }
}

impl Drop for TlsPipe {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Returns the one connection to a listener; `None` where nobody will connect any more, since `stream` has ended.
fn accept(listener: &UnixListener, stream: &UnixStream) -> io::Result<Option<UnixStream>> {
    let mut either = [PollFd::new(listener, PollFlags::IN), PollFd::new(stream, PollFlags::empty())];
    poll(&mut either, Some(&Timespec { tv_sec: PATIENCE, tv_nsec: 0 }))?;
    if either[0].revents().contains(PollFlags::IN) { Ok(Some(listener.accept()?.0)) } else { Ok(None) }
}
