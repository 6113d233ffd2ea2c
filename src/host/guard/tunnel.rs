//! One connection out of a container: its request is read, judged and answered.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use crate::core::guard::EgressRefusal;
use crate::core::guard::head::{self, HeadRead, ProxyHead};
use crate::core::guard::hello::{self, Hello};
use crate::core::guard::order::PORT;
use crate::core::guard::peer::Peer;
use crate::core::guard::rule::EgressReach;
use crate::core::text::typed::typed;
use crate::core::text::visible::visible;
use crate::host::guard::broker;
use crate::host::guard::desk::Desk;
use crate::host::guard::dial::dial;
use crate::host::guard::relay::{self, Duplex};
use crate::host::machine::deadline::Deadline;

/// How long a request may take to come, and then the first words of what is to be relayed: all of it, however slowly its bytes come.
const PATIENCE: Duration = Duration::from_secs(10);

const ESTABLISHED: &[u8] = b"HTTP/1.1 200 Connection established\r\n\r\n";

/// Serves one client to the end of its connection.
pub fn serve(mut stream: UnixStream, desk: &Desk) -> io::Result<()> {
    stream.set_write_timeout(Some(PATIENCE))?;
    let mut bytes = Vec::new();
    let mut read = next(&mut stream, &mut bytes)?;
    let behind = if let Some(HeadRead::Whole(head)) = &read { Some(head.length).filter(|_| leads_back(desk, head)) } else { None };
    if let Some(length) = behind {
        drop(bytes.drain(..length));
        stream.write_all(ESTABLISHED)?;
        read = next(&mut stream, &mut bytes)?;
    }
    match read {
        None if bytes.is_empty() => Ok(()),
        None | Some(HeadRead::Bad | HeadRead::More) => {
            desk.note(|record| record.block("a request", &EgressRefusal::BadRequest));
            answer(&mut stream, "400 Bad request to ai", "")
        }
        Some(HeadRead::Whole(head)) => {
            let rest = bytes.split_off(head.length);
            if head.method == "CONNECT" { connect(stream, desk, &head, rest) } else { plain(stream, desk, &head, &rest) }
        }
    }
}

/// Reads the next head; `None` if the time is over or nothing more comes.
fn next(stream: &mut UnixStream, bytes: &mut Vec<u8>) -> io::Result<Option<HeadRead>> {
    until(stream, bytes, |bytes| match head::parse(bytes) {
        HeadRead::More => None,
        read => Some(read),
    })
}

/// Returns whether a program asks for a tunnel to us, as one does that knows no exception from its proxy, and has something to ask here.
fn leads_back(desk: &Desk, head: &ProxyHead) -> bool {
    let is_us = |peer: Peer| peer.port == PORT && desk.rules.judge(&peer) == Err(EgressRefusal::Inside);
    desk.key.is_some() && head.method == "CONNECT" && Peer::parse(&head.target, None).is_ok_and(is_us)
}

/// Reads on until `judge` knows; `None` if the time is over or nothing more comes.
pub fn until<S: Duplex, T>(stream: &mut S, bytes: &mut Vec<u8>, judge: impl Fn(&[u8]) -> Option<T>) -> io::Result<Option<T>> {
    let end = Deadline::after(PATIENCE);
    let mut buffer = [0_u8; 4 << 10];
    loop {
        if let Some(known) = judge(bytes) {
            return Ok(Some(known));
        }
        let left = end.left();
        if left.is_zero() {
            return Ok(None);
        }
        stream.wait_for(left)?;
        match stream.read(&mut buffer) {
            Ok(0) => return Ok(None),
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Returns what a person is shown of a target.
fn shown(target: &[u8]) -> String {
    visible(&String::from_utf8_lossy(target)).chars().take(120).collect()
}

/// Returns the peer that a rule allows, with a connection to it.
fn reach(desk: &Desk, authority: &[u8], default: Option<u16>) -> Result<(Peer, TcpStream), (String, EgressRefusal)> {
    let peer = Peer::parse(authority, default).map_err(|refusal| (shown(authority), refusal))?;
    let named = |refusal| (peer.to_string(), refusal);
    let reach: EgressReach = desk.rules.judge(&peer).map_err(named)?;
    let server = dial(desk, &peer, reach).map_err(named)?;
    Ok((peer, server))
}

fn connect(mut stream: UnixStream, desk: &Desk, head: &ProxyHead, mut early: Vec<u8>) -> io::Result<()> {
    let (peer, mut server) = match reach(desk, &head.target, None) {
        Ok(reached) => reached,
        Err((name, refusal)) => return refuse(stream, desk, &name, &refusal),
    };
    stream.write_all(ESTABLISHED)?;
    stream.set_write_timeout(None)?;
    // Where it need not be TLS, the server may be the one who speaks first.
    let back = if peer.port == 443 { None } else { Some(relay::backward(&stream, &server)?) };
    let verdict = if back.is_some() && early.is_empty() {
        first_words(&mut stream, &mut early, &peer)?
    } else {
        whole_hello(&mut stream, &mut early, &peer)?
    };
    if let Err(refusal) = verdict {
        desk.note(|record| record.block(&peer.to_string(), &refusal));
        // What TLS has for this: a fatal alert, `access_denied` (RFC 8446, 6).
        let _ = stream.write_all(&[21, 3, 3, 0, 2, 2, 49]);
        server.end(Shutdown::Both);
        stream.end(Shutdown::Both);
        return Ok(());
    }
    desk.note(|record| record.allow(&peer));
    stream.set_read_timeout(None)?;
    server.write_all(&early)?;
    match back {
        None => relay::both(stream, server),
        Some(back) => {
            relay::forward(&mut stream, &mut server);
            // A thread that copies does not panic.
            let _ = back.join();
            Ok(())
        }
    }
}

type PeerVerdict = Result<(), EgressRefusal>;

fn whole_hello(stream: &mut UnixStream, bytes: &mut Vec<u8>, peer: &Peer) -> io::Result<PeerVerdict> {
    let judge = |bytes: &[u8]| match Hello::parse(bytes).judge(peer) {
        None if bytes.len() > hello::LONGEST => Some(Err(EgressRefusal::NoTls)),
        verdict => verdict,
    };
    Ok(until(stream, bytes, judge)?.unwrap_or(Err(EgressRefusal::NoTls)))
}

/// Reads as [`whole_hello`] does, for a client that may be silent for as long as it likes.
fn first_words(stream: &mut UnixStream, bytes: &mut Vec<u8>, peer: &Peer) -> io::Result<PeerVerdict> {
    stream.set_read_timeout(None)?;
    let mut buffer = [0_u8; 4 << 10];
    let count = stream.read(&mut buffer)?;
    bytes.extend_from_slice(&buffer[..count]);
    if count == 0 { Ok(Ok(())) } else { whole_hello(stream, bytes, peer) }
}

/// `GET http://host/…`: one request, passed on under the name that was judged.
fn plain(stream: UnixStream, desk: &Desk, head: &ProxyHead, rest: &[u8]) -> io::Result<()> {
    if let Some((key, asked)) = desk.key.as_ref().and_then(|key| Some((key, key.order.judge(head)?))) {
        return broker::serve(stream, desk, key, head, asked, rest);
    }
    let Some((authority, path)) = head.absolute() else {
        let name = shown(&head.target);
        return refuse(stream, desk, &name, &EgressRefusal::BadRequest);
    };
    let (peer, mut server) = match reach(desk, authority, Some(80)) {
        Ok(reached) => reached,
        Err((name, refusal)) => return refuse(stream, desk, &name, &refusal),
    };
    desk.note(|record| record.allow(&peer));
    let name = if peer.port == 80 { peer.host.to_string() } else { peer.to_string() };
    server.write_all(&head.for_server(&name, path))?;
    server.write_all(rest)?;
    stream.set_read_timeout(None)?;
    stream.set_write_timeout(None)?;
    let back = relay::backward(&stream, &server)?;
    // A client that has said everything keeps its half open and waits; so does this thread, until the answer has ended.
    let (mut from, mut to) = (stream.twin()?, server.twin()?);
    std::thread::Builder::new().stack_size(64 << 10).spawn(move || relay::forward(&mut from, &mut to))?;
    let _ = back.join();
    stream.end(Shutdown::Both);
    server.end(Shutdown::Both);
    Ok(())
}

/// Says no in the one text that every program shows: bodies are dropped by most.
fn refuse(mut stream: UnixStream, desk: &Desk, name: &str, refusal: &EgressRefusal) -> io::Result<()> {
    desk.note(|record| record.block(name, refusal));
    let why = refusal.words().map_or_else(String::new, |why| format!(" ({why})"));
    let said: String = format!("Blocked by ai: {name}{why}").chars().map(|c| if c.is_ascii() { c } else { '?' }).collect();
    let status = if matches!(refusal, EgressRefusal::Unreachable(_)) { 502 } else { 403 };
    let allow = if refusal.wants_rule() {
        format!("; allow it with: ai config allow host {}", typed(&refusal.allowing(name)))
    } else {
        String::new()
    };
    answer(&mut stream, &format!("{status} {said}"), &format!("{said}{allow}\n"))
}

/// Answers in words, or in JSON, and ends the connection.
pub fn answer(stream: &mut UnixStream, status: &str, body: &str) -> io::Result<()> {
    let (length, kind) = (body.len(), if body.starts_with('{') { "application/json" } else { "text/plain" });
    let head = format!("HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    stream.write_all(format!("{head}{body}").as_bytes())?;
    // What is still to come is read, a little of it: closing with unread bytes would take the answer away.
    stream.end(Shutdown::Write);
    stream.set_read_timeout(Some(Duration::from_millis(200)))?;
    let mut buffer = [0_u8; 4 << 10];
    for _ in 0..64 {
        if !matches!(stream.read(&mut buffer), Ok(count) if count > 0) {
            break;
        }
    }
    Ok(())
}
