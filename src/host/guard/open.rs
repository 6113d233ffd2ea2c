//! In the container: asks for a page to be opened, and leads what the browser brings back to the program that waits for it.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, TcpStream};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Stdio;

use crate::core::container::SOCKETS;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::guard::order::PAGE;
use crate::core::text::visible::visible;
use crate::host::guard::relay;
use crate::host::machine::process;

fn connect(words: &str) -> io::Result<UnixStream> {
    let mut stream = UnixStream::connect(Path::new(SOCKETS).join(PAGE))?;
    stream.write_all(words.as_bytes())?;
    Ok(stream)
}

/// Has a page opened on the person's desktop, and leaves somebody behind who waits for what comes back from it.
pub fn open(url: &str) -> Result<()> {
    let failed = |why: String| Failure::new(Kind::General, "cannot open a page in your browser").because(why);
    let mut answer = String::new();
    let stream = connect(&format!("OPEN {url}\n")).map_err(|error| failed(error.to_string()))?;
    stream.take(1024).read_to_string(&mut answer)?;
    let Some(port) = answer.strip_prefix("OK ") else {
        return Err(failed(visible(answer.trim_start_matches("NO ").trim_end()).into_owned()));
    };
    let mut command = process::command("/proc/self/exe");
    // A group of its own: what the terminal sends to the tool's is not for it.
    command.arg0("ai open-page").args(["open-page", "--wait", port.trim_end()]).process_group(0).env_clear();
    drop(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?);
    Ok(())
}

/// Keeps a connection waiting for what comes back, for as long as the login lasts.
pub fn wait(port: u16) -> Result<()> {
    loop {
        let mut stream = connect(&format!("BACK {port}\n"))?;
        let mut go = [0; 3];
        if stream.read_exact(&mut go).is_err() {
            return Ok(());
        }
        std::thread::spawn(move || {
            let tool = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).or_else(|_| TcpStream::connect((Ipv6Addr::LOCALHOST, port)));
            // A program that has gone is a page that does not come.
            let _ = tool.and_then(|tool| relay::both(stream, tool));
        });
    }
}
