//! Connects to what a rule allowed, and to nothing else: a name is resolved once, its addresses are judged, and one of those is used.

use std::ffi::OsStr;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use crate::core::guard::EgressRefusal;
use crate::core::guard::peer::{Peer, PeerHost, THIS_MACHINE};
use crate::core::guard::rule::EgressReach;
use crate::core::guard::upstream::{UpstreamProxy, is_exempt};
use crate::host::guard::desk::Desk;
use crate::host::machine::process;

const PATIENCE: Duration = Duration::from_secs(10);

/// Connects to a peer that may be reached so far.
pub fn dial(desk: &Desk, peer: &Peer, reach: EgressReach) -> Result<TcpStream, EgressRefusal> {
    let addresses = match &peer.host {
        PeerHost::Address(address) => vec![*address],
        PeerHost::Name(name) if name.as_str() == THIS_MACHINE => vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
        PeerHost::Name(name) => {
            if let Some((proxy, no_proxy)) = &desk.upstream
                && !is_exempt(no_proxy, name.as_str())
            {
                return through(desk, proxy, peer);
            }
            resolve(desk, name.as_str()).map_err(|error| EgressRefusal::Unreachable(error.to_string()))?
        }
    };
    let mut last = EgressRefusal::Unreachable("it has no address".into());
    for address in addresses {
        if !reach.permits(address) {
            last = EgressRefusal::Private;
            continue;
        }
        match connect(SocketAddr::new(address, peer.port)) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = EgressRefusal::Unreachable(worded(&error)),
        }
    }
    Err(last)
}

/// Small pieces wait for nothing.
pub const AT_ONCE: bool = true;

fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    // A streamed answer is passed on as it comes.
    stream.set_nodelay(AT_ONCE)?;
    Ok(stream)
}

/// Returns the words of an error without the number that only programmers read.
fn worded(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}

/// A statically linked program may not load the modules by which the host finds names, so the host's own program is asked.
fn resolve(desk: &Desk, name: &str) -> io::Result<Vec<IpAddr>> {
    if let Ok(address) = name.parse() {
        return Ok(vec![address]);
    }
    let Some(getent) = &desk.getent else { return unaided(name) };
    let found = process::output_within(getent.as_os_str(), &[OsStr::new("ahosts"), OsStr::new("--"), OsStr::new(name)], PATIENCE);
    let (status, stdout, _) = found.map_err(|failure| io::Error::other(failure.message))?;
    if !status.success() {
        return Err(io::Error::other("its name is not known"));
    }
    let text = String::from_utf8_lossy(&stdout);
    let mut addresses: Vec<IpAddr> = text.lines().filter_map(|line| line.split_whitespace().next()?.parse().ok()).collect();
    addresses.dedup();
    Ok(addresses)
}

/// Finds a name by the C library, where that is the system's own.
#[cfg(not(target_os = "linux"))]
fn unaided(name: &str) -> io::Result<Vec<IpAddr>> {
    use std::net::ToSocketAddrs;
    Ok((name, 0).to_socket_addrs()?.map(|address| address.ip()).collect())
}

#[cfg(target_os = "linux")]
fn unaided(_: &str) -> io::Result<Vec<IpAddr>> {
    Err(io::Error::other("`getent` is not installed, which finds names"))
}

/// Connects through the person's own proxy, which finds the name by itself.
fn through(desk: &Desk, proxy: &UpstreamProxy, peer: &Peer) -> Result<TcpStream, EgressRefusal> {
    let failed = |error: io::Error| EgressRefusal::Unreachable(format!("your proxy: {}", worded(&error)));
    let mut last = io::Error::other("it has no address");
    for address in resolve(desk, &proxy.host).map_err(failed)? {
        match connect((address, proxy.port).into()) {
            Ok(stream) => return tunnel(stream, proxy, peer).map_err(failed),
            Err(error) => last = error,
        }
    }
    Err(failed(last))
}

/// The most bytes of a proxy's answer.
const LONGEST: usize = 8 << 10;

fn tunnel(mut stream: TcpStream, proxy: &UpstreamProxy, peer: &Peer) -> io::Result<TcpStream> {
    stream.set_read_timeout(Some(PATIENCE))?;
    let authorization = proxy.authorization.as_ref().map_or_else(String::new, |value| format!("Proxy-Authorization: {value}\r\n"));
    // As one text: without delay each part of a format would be a packet of its own.
    stream.write_all(format!("CONNECT {peer} HTTP/1.1\r\nHost: {peer}\r\n{authorization}\r\n").as_bytes())?;
    let mut answer = Vec::new();
    let mut byte = [0];
    // One at a time: what comes behind the head is the peer's.
    while !answer.ends_with(b"\r\n\r\n") && answer.len() < LONGEST {
        if stream.read(&mut byte)? == 0 {
            break;
        }
        answer.push(byte[0]);
    }
    let line = String::from_utf8_lossy(answer.split(|byte| *byte == b'\r').next().unwrap_or_default()).into_owned();
    if !line.starts_with("HTTP/1.1 200") && !line.starts_with("HTTP/1.0 200") {
        return Err(io::Error::other(format!("it said {}", line.chars().take(60).collect::<String>())));
    }
    stream.set_read_timeout(None)?;
    Ok(stream)
}
