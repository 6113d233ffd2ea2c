//! Bytes from one side to the other, both ways, until both are done.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// A stream whose halves end by themselves.
pub trait Duplex: Read + Write + Send + Sized + 'static {
    fn twin(&self) -> io::Result<Self>;
    fn end(&self, half: Shutdown);
    /// Bounds how long a read may take.
    fn wait_for(&self, time: Duration) -> io::Result<()>;
}

impl Duplex for TcpStream {
    fn twin(&self) -> io::Result<Self> {
        self.try_clone()
    }

    fn end(&self, half: Shutdown) {
        // It may have ended by itself.
        let _ = self.shutdown(half);
    }

    fn wait_for(&self, time: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(time))
    }
}

impl Duplex for UnixStream {
    fn twin(&self) -> io::Result<Self> {
        self.try_clone()
    }

    fn end(&self, half: Shutdown) {
        let _ = self.shutdown(half);
    }

    fn wait_for(&self, time: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(time))
    }
}

/// A socket whose calls do not wait.
pub const NONBLOCKING: bool = true;

/// Stack of a thread that only copies.
const STACK: usize = 64 << 10;

/// Copies both ways; a half that ends is ended on the other side as well.
pub fn both<A: Duplex, B: Duplex>(mut a: A, mut b: B) -> io::Result<()> {
    let back = backward(&a, &b)?;
    forward(&mut a, &mut b);
    // A thread that copies does not panic.
    let _ = back.join();
    Ok(())
}

/// Copies what `b` says to `a`, in a thread of its own.
pub fn backward<A: Duplex, B: Duplex>(a: &A, b: &B) -> io::Result<std::thread::JoinHandle<()>> {
    let (mut a, mut b) = (a.twin()?, b.twin()?);
    std::thread::Builder::new().stack_size(STACK).spawn(move || forward(&mut b, &mut a))
}

/// Copies what `from` says to `to`, until its end.
pub fn forward(from: &mut impl Duplex, to: &mut impl Duplex) {
    if copy(from, to).is_err() {
        // Who cannot be written to is not read from any longer, so that the sender hears of it.
        from.end(Shutdown::Read);
    }
    to.end(Shutdown::Write);
}

/// Copies to the end; each piece is passed on as soon as it is there.
pub fn copy(from: &mut impl Read, to: &mut impl Write) -> io::Result<()> {
    let mut buffer = [0_u8; 8 << 10];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => to.write_all(&buffer[..count]).and_then(|()| to.flush())?,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
