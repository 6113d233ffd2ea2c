//! One request that gets the person's key: judged, sent to the vendor in TLS, answered as the answer comes.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::core::guard::head::ProxyHead;
use crate::core::guard::key::{Credential, KeyOrder, KeyPace, KeyRefusal, KeySource, KeyedRequest, PLACE, closing, header_of};
use crate::core::guard::peer::Peer;
use crate::core::guard::rule::EgressReach;
use crate::core::text::visible::visible;
use crate::host::guard::desk::Desk;
use crate::host::guard::dial::dial;
use crate::host::guard::login_key::LoginKey;
use crate::host::guard::relay::{self, Duplex};
use crate::host::guard::tls::{self, TlsPipe};
use crate::host::guard::tunnel;
use crate::host::{Host, now};

/// What is put in.
enum Key {
    Secret(String),
    Login(Box<LoginKey>),
}

/// A key that stays outside, with what it takes to put it in.
pub struct KeyDesk {
    pub order: KeyOrder,
    pub peer: Peer,
    key: Key,
    pub directory: PathBuf,
    pub environment: Vec<(&'static str, OsString)>,
    pace: Mutex<KeyPace>,
    pub count: AtomicUsize,
}

impl std::fmt::Debug for KeyDesk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyDesk({:?})", self.order)
    }
}

impl KeyDesk {
    /// Makes what is needed to put a key in; one that is told is the first line of our standard input.
    ///
    /// # Errors
    /// Where it is none that a field of a request can hold.
    pub fn new(host: &Host, order: KeyOrder, directory: &Path) -> io::Result<Self> {
        let peer = Peer::parse(order.peer.as_bytes(), None).map_err(|_| io::Error::other("the vendor of the key has no name"))?;
        let key = match &order.from {
            KeySource::Secret(_) => Key::Secret(told(&order)?),
            KeySource::Login { tool, at } => Key::Login(Box::new(LoginKey::new(host, tool, at)?)),
        };
        let environment = tls::ENVIRONMENT.into_iter().filter_map(|name| Some((name, host.env.get(name)?.to_owned()))).collect();
        Ok(Self { order, peer, key, directory: directory.to_owned(), environment, pace: Mutex::default(), count: AtomicUsize::default() })
    }

    fn credential(&self) -> Option<Credential> {
        match &self.key {
            Key::Secret(key) => Some(Credential { key: key.clone(), also: Vec::new() }),
            Key::Login(login) => login.credential(),
        }
    }

    fn may_ask(&self) -> bool {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner).admits(now())
    }
}

/// Returns the key that our standard input begins with.
fn told(order: &KeyOrder) -> io::Result<String> {
    let mut key = String::new();
    io::stdin().read_line(&mut key)?;
    key.truncate(key.trim_end_matches('\n').len());
    let is_key = header_of(&order.header, &key).is_some();
    is_key.then_some(key).ok_or_else(|| io::Error::other(format!("{} holds what no key is made of", order.name)))
}

/// Serves a request that was judged.
pub fn serve(
    mut client: UnixStream,
    desk: &Desk,
    key: &KeyDesk,
    head: &ProxyHead,
    asked: Result<KeyedRequest, KeyRefusal>,
    rest: &[u8],
) -> io::Result<()> {
    let name = |path: &str| visible(&format!("{} {path}", head.method)).chars().take(120).collect::<String>();
    let said = asked.and_then(|asked| {
        let pipe = begin(desk, key, head, &asked)?;
        desk.note(|record| {
            record.allow(&key.peer);
            record.key(&asked.listed, None);
            record.drop_fields(&asked.dropped);
        });
        converse(&client, pipe, asked, rest)
    });
    let Err(refusal) = said else {
        client.end(Shutdown::Both);
        return Ok(());
    };
    let path = String::from_utf8_lossy(head.own_path()).into_owned();
    // What is behind the question mark is the program's own.
    let path = path.split('?').next().unwrap_or_default();
    let what = name(path.strip_prefix(PLACE).unwrap_or(path));
    if refusal != KeyRefusal::Upgrade {
        desk.note(|record| record.key(&what, Some(refusal.words())));
    }
    let message = format!("ai: {what}: {}", refusal.words());
    let body = serde_json::json!({ "type": "error", "error": { "type": "permission_error", "message": message } });
    tunnel::answer(&mut client, &format!("{} Refused by ai", refusal.status()), &body.to_string())
}

/// Begins a connection to the vendor, and says the head of the request there.
fn begin(desk: &Desk, key: &KeyDesk, head: &ProxyHead, asked: &KeyedRequest) -> Result<TlsPipe, KeyRefusal> {
    if !key.may_ask() {
        return Err(KeyRefusal::TooMany);
    }
    let Peer { host, port } = &key.peer;
    let name = if *port == 443 { host.to_string() } else { key.peer.to_string() };
    let head = key.credential().and_then(|real| key.order.head(asked, head, &name, &real)).ok_or(KeyRefusal::NoKey)?;
    let reach = if key.order.private { EgressReach::Any } else { EgressReach::Public };
    let server = dial(desk, &key.peer, reach).map_err(|refusal| {
        desk.note(|record| record.block(&key.peer.to_string(), &refusal));
        KeyRefusal::Unreachable(refusal.words().unwrap_or_default())
    })?;
    let mut pipe = TlsPipe::begin(key, server).map_err(|error| KeyRefusal::Unreachable(error.to_string()))?;
    match pipe.stream.write_all(&head) {
        Ok(()) => Ok(pipe),
        Err(_) => Err(KeyRefusal::Unreachable(pipe.complaint())),
    }
}

/// Passes the body on and the answer back, both as they come.
fn converse(client: &UnixStream, mut pipe: TlsPipe, asked: KeyedRequest, rest: &[u8]) -> Result<(), KeyRefusal> {
    let unreachable = |error: io::Error| KeyRefusal::Unreachable(error.to_string());
    let (mut from, mut back) = (client.twin().map_err(unreachable)?, client.twin().map_err(unreachable)?);
    let (mut up, mut answer) = (pipe.stream.twin().map_err(unreachable)?, pipe.stream.twin().map_err(unreachable)?);
    let _ = (client.set_read_timeout(None), client.set_write_timeout(None));
    let (rest, gone) = (rest.to_owned(), Arc::new(AtomicBool::new(false)));
    let has_gone = Arc::clone(&gone);
    let upload = std::thread::Builder::new().stack_size(64 << 10).spawn(move || {
        let said = pass_body(&mut from, &mut up, asked, rest);
        // Who asked has gone, or has said what nobody may pass on.
        has_gone.store(said.is_ok(), Ordering::SeqCst);
        up.end(Shutdown::Both);
        said
    });
    let upload = upload.map_err(unreachable)?;
    let first = begun(&mut answer);
    if !first.is_empty() {
        let _ = back.write_all(&closing(&first)).and_then(|()| relay::copy(&mut answer, &mut back));
    }
    let has_answer = !first.is_empty();
    let has_gone = gone.load(Ordering::SeqCst);
    // Whoever still reads what the program says need not any longer.
    client.end(Shutdown::Read);
    let said = upload.join().unwrap_or(Err(KeyRefusal::Framing));
    if has_answer || has_gone { Ok(()) } else { said.and(Err(KeyRefusal::Unreachable(pipe.complaint()))) }
}

/// Returns the first line of an answer with what came along, or whatever there is of it.
fn begun(answer: &mut UnixStream) -> Vec<u8> {
    let (mut first, mut piece) = (Vec::new(), [0; 4 << 10]);
    while first.len() < piece.len() && !first.contains(&b'\n') {
        match answer.read(&mut piece) {
            Ok(0) | Err(_) => break,
            Ok(count) => first.extend_from_slice(&piece[..count]),
        }
    }
    first
}

/// Passes on what is the body of this request and nothing else, then waits until the program has gone.
fn pass_body(from: &mut UnixStream, up: &mut UnixStream, asked: KeyedRequest, mut piece: Vec<u8>) -> Result<(), KeyRefusal> {
    let mut body = asked.body;
    let mut buffer = [0; 8 << 10];
    loop {
        let count = body.take(&piece)?;
        // A vendor that listens no longer has answered.
        let _ = up.write_all(&piece[..count]);
        match from.read(&mut buffer) {
            Ok(0) | Err(_) => return Ok(()),
            Ok(count) => piece = buffer[..count].to_vec(),
        }
    }
}
