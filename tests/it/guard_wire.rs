//! The helper of a guarded run from the container's side: bytes at its socket.

use std::fs;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::guard_life::wait_for;
use crate::guarded::{Echo, names};
use crate::process::HANG;
use crate::sandbox::Sandbox;

/// A helper that serves, as `ai guard` would start it.
pub struct Helper {
    process: Child,
    directory: PathBuf,
}

impl Helper {
    /// Starts one with these rules; what it says in place of being ready is an error.
    fn start(sandbox: &Sandbox, allow: &[&str]) -> Result<Self, String> {
        Self::begin(sandbox, &json!({"egress": {"mode": "list", "allow": allow, "deny": []}, "proxy": "auto"}), "")
    }

    /// Starts one with this order, which is told something before all else.
    pub fn begin(sandbox: &Sandbox, order: &Value, told: &str) -> Result<Self, String> {
        let directory = sandbox.root().join("guard");
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir_all(directory.join("sock")).unwrap();
        fs::write(directory.join("order.json"), order.to_string()).unwrap();
        let mut command = sandbox.ai(["__guard".as_ref(), directory.as_os_str()]).command();
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut said = String::new();
        process.stdin.as_mut().unwrap().write_all(told.as_bytes()).unwrap();
        if told.is_empty() && order["key"].is_object() {
            drop(process.stdin.take());
        }
        process.stdout.take().unwrap().read_to_string(&mut said).unwrap();
        let helper = Self { process, directory };
        if said == "ready\n" { Ok(helper) } else { Err(said) }
    }

    pub fn connect(&self) -> UnixStream {
        let stream = UnixStream::connect(self.directory.join("sock/egress")).unwrap();
        stream.set_read_timeout(Some(HANG)).unwrap();
        stream
    }

    /// All that is answered to these bytes.
    pub fn answer(&self, bytes: impl AsRef<[u8]>) -> String {
        let mut stream = self.connect();
        stream.write_all(bytes.as_ref()).unwrap();
        rest(stream)
    }

    fn tunnel(&self, peer: &str) -> UnixStream {
        let mut stream = self.connect();
        write!(stream, "CONNECT {peer} HTTP/1.1\r\nHost: {peer}\r\n\r\n").unwrap();
        let expected = b"HTTP/1.1 200 Connection established\r\n\r\n";
        let mut head = vec![0; expected.len()];
        stream.read_exact(&mut head).unwrap();
        assert_eq!(String::from_utf8_lossy(&head), String::from_utf8_lossy(expected));
        stream
    }

    /// Kills it.
    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Ends it as the engine's client does, and returns its record.
    pub fn record(mut self) -> Value {
        drop(self.process.stdin.take());
        assert!(self.process.wait().unwrap().success());
        serde_json::from_slice(&fs::read(self.directory.join("record.json")).unwrap()).unwrap()
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub fn rest(mut stream: UnixStream) -> String {
    let mut bytes = Vec::new();
    // Whoever is refused may be reset.
    let _ = stream.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A TLS ClientHello to `host`.
fn hello(host: &str) -> Vec<u8> {
    let sized = |width: usize, bytes: &[u8]| [&bytes.len().to_be_bytes()[8 - width..], bytes].concat();
    let name = sized(2, &sized(2, &[&[0][..], &sized(2, host.as_bytes())].concat()));
    let extensions = sized(2, &[&[0, 0][..], &name].concat());
    let body = [&[3, 3][..], &[7; 32], &sized(1, &[]), &sized(2, &[0x13, 1]), &sized(1, &[0]), &extensions].concat();
    [&[22, 3, 1][..], &sized(2, &[&[1][..], &sized(3, &body)].concat())].concat()
}

/// TLS for "access denied".
const DENIED: [u8; 7] = [21, 3, 3, 0, 2, 2, 49];

fn world() -> (Sandbox, Echo) {
    let sandbox = Sandbox::new();
    let table = [("api.mock", "127.0.0.1"), ("*.deep.mock", "127.0.0.1"), ("lan.mock", "127.0.0.1"), ("cloud.mock", "169.254.169.254")];
    names(&sandbox, &table);
    (sandbox, Echo::serve(<[u8]>::to_vec))
}

// GU-02: through the socket, allowed peers are relayed both ways to the last byte.
#[test]
fn what_a_rule_names_is_relayed() {
    let (sandbox, echo) = world();
    let peer = format!("api.mock:{}", echo.port);
    let helper = Helper::start(&sandbox, &[&format!("{peer}!private")]).unwrap();
    let mut stream = helper.tunnel(&peer.to_uppercase().replace(".MOCK", ".MOCK."));
    stream.write_all(b"SSH-2.0-x\r\n").unwrap();
    let mut piece = [0; 11];
    stream.read_exact(&mut piece).unwrap();
    assert_eq!(&piece, b"SSH-2.0-x\r\n");
    stream.write_all(b"more").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(rest(stream), "more");
    let mut stream = helper.tunnel(&peer);
    for byte in hello("api.mock") {
        stream.write_all(&[byte]).unwrap();
    }
    stream.shutdown(Shutdown::Write).unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes, hello("api.mock"));
    let record = helper.record();
    assert_eq!((&record["ended"], &record["allowed"], &record["blocked"]), (&json!(true), &json!({ peer: 2 }), &json!([])));
}

// GU-02, Z-077: TLS with another server ends before the server hears anything.
#[test]
fn tls_with_another_server_is_not_begun() {
    let (sandbox, echo) = world();
    let peer = format!("api.mock:{}", echo.port);
    let helper = Helper::start(&sandbox, &[&format!("{peer}!private"), &format!("lan.mock:{}!private", echo.port)]).unwrap();
    for other in ["evil.com", "lan.mock", "api.mock.evil.com", "mock"] {
        let mut stream = helper.tunnel(&peer);
        stream.write_all(&hello(other)).unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        assert_eq!(answer, DENIED, "{other}");
    }
    assert_eq!(echo.heard(), "");
    assert_eq!(helper.record()["blocked"][0], json!({"peer": peer, "why": {"other-server-name": "evil.com"}, "count": 1}));
}

// GU-02, Z-075, Z-076, Z-077
#[test]
fn everything_else_is_refused_in_words_that_programs_show() {
    let (sandbox, echo) = world();
    let port = echo.port;
    let allow = [format!("api.mock:{port}"), "*.deep.mock".into(), format!("cloud.mock:{port}"), format!("missing.mock:{port}")];
    let helper = Helper::start(&sandbox, &allow.iter().map(String::as_str).collect::<Vec<_>>()).unwrap();
    let refused = |request: String, words: &str| {
        let answer = helper.answer(&request);
        let line = answer.lines().next().unwrap_or_default();
        assert_eq!(line, format!("HTTP/1.1 {words}"), "{request:?}");
    };
    let connect = |target: &str, words: &str| refused(format!("CONNECT {target} HTTP/1.1\r\n\r\n"), words);
    connect("evil.com:443", "403 Blocked by ai: evil.com:443");
    connect("api.mock.evil.com:443", "403 Blocked by ai: api.mock.evil.com:443");
    connect("deep.mock:443", "403 Blocked by ai: deep.mock:443");
    connect("evildeep.mock:443", "403 Blocked by ai: evildeep.mock:443");
    connect("8.8.8.8:53", "403 Blocked by ai: 8.8.8.8:53 (an address)");
    connect("[::1]:443", "403 Blocked by ai: [::1]:443 (the container itself; your machine is host.docker.internal)");
    for old in ["127.1:443", "0x7f.1:443", "2130706433:443", "0177.0.0.1:443"] {
        connect(old, &format!("403 Blocked by ai: {old} (an address)"));
    }
    connect("api.mock:1", "403 Blocked by ai: api.mock:1 (another port)");
    connect("host.docker.internal:80", "403 Blocked by ai: host.docker.internal:80");
    connect("evil.com\0.api.mock:443", "403 Blocked by ai: evil.com\\u{0}.api.mock:443 (no name of a host)");
    connect("api.mock", "403 Blocked by ai: api.mock (no name of a host)");
    connect("api.mock:+443", "403 Blocked by ai: api.mock:+443 (no name of a host)");
    connect("api%2emock:443", "403 Blocked by ai: api%2emock:443 (no name of a host)");
    connect("a@api.mock:443", "403 Blocked by ai: a@api.mock:443 (no name of a host)");
    // Its name is on the list, and stands for this machine.
    connect(&format!("api.mock:{port}"), &format!("403 Blocked by ai: api.mock:{port} (its address is not public)"));
    connect(&format!("cloud.mock:{port}"), &format!("403 Blocked by ai: cloud.mock:{port} (its address is not public)"));
    connect(&format!("missing.mock:{port}"), &format!("502 Blocked by ai: missing.mock:{port} (its name is not known)"));
    refused("GET https://api.mock/ HTTP/1.1\r\n\r\n".into(), "403 Blocked by ai: https://api.mock/ (no request that a proxy understands)");
    refused("GET /x HTTP/1.1\r\n\r\n".into(), "403 Blocked by ai: /x (no request that a proxy understands)");
    refused("GET http://evil.com/ HTTP/1.1\r\n\r\n".into(), "403 Blocked by ai: evil.com:80");
    refused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".into(), "400 Bad request to ai");
    refused(format!("CONNECT {}:443 HTTP/1.1\r\n\r\n", "a".repeat(20_000)), "400 Bad request to ai");
    refused("GET http://a/ HTTP/1.1\nHost: b\n\n".into(), "400 Bad request to ai");
    assert_eq!(echo.heard(), "");
    // Nobody is asked about a name that is on no list: names are a way out, too.
    let asked = fs::read_to_string(sandbox.root().join("tmp/asked")).unwrap();
    assert_eq!(asked, "api.mock\ncloud.mock\nmissing.mock\n");
}

// GU-02: plain http is one request, to the host that was judged, whatever stands behind it.
#[test]
fn plain_http_is_one_request_under_the_name_that_was_judged() {
    let sandbox = Sandbox::new();
    names(&sandbox, &[("web.mock", "127.0.0.1")]);
    let web = Echo::serve(|_| b"HTTP/1.1 204 No Content\r\n\r\n".to_vec());
    let peer = format!("web.mock:{}", web.port);
    let helper = Helper::start(&sandbox, &[&format!("{peer}!private")]).unwrap();
    let smuggled = "GET http://evil.com/ HTTP/1.1\r\nHost: evil.com\r\n\r\n";
    let request = format!("GET http://{peer}/a?b HTTP/1.1\r\nHost: evil.com\r\nProxy-Authorization: x\r\nA: b\r\n\r\n{smuggled}");
    let mut stream = helper.connect();
    stream.write_all(request.as_bytes()).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert!(rest(stream).starts_with("HTTP/1.1 204 No Content"));
    let heard = web.heard();
    assert!(heard.starts_with(&format!("GET /a?b HTTP/1.1\r\nHost: {peer}\r\nA: b\r\nConnection: close\r\n\r\n")), "{heard}");
    let record = helper.record();
    assert_eq!((&record["allowed"], &record["blocked"]), (&json!({ peer: 1 }), &json!([])));
}

// GU-02: a request that never comes to its end ends all the same, and nobody waits for it.
#[test]
fn slow_bytes_and_many_connections_keep_nobody_else_out() {
    let (sandbox, echo) = world();
    let peer = format!("api.mock:{}", echo.port);
    let helper = Helper::start(&sandbox, &[&format!("{peer}!private")]).unwrap();
    let mut slow = helper.connect();
    let mut dripping = slow.try_clone().unwrap();
    let drip = std::thread::spawn(move || {
        let mut count = 0;
        while dripping.write_all(b"A").is_ok() && count < 600 {
            count += 1;
            std::thread::sleep(Duration::from_millis(100));
        }
        count
    });
    let crowd: Vec<UnixStream> = (0..300).map(|_| helper.connect()).collect();
    let refused = crowd.iter().rev().take(20).map(|stream| {
        let mut bytes = [0; 12];
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let mut stream = stream;
        stream.read_exact(&mut bytes).map(|()| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    });
    assert_eq!(refused.collect::<Vec<_>>(), vec!["HTTP/1.1 503".to_owned(); 20]);
    drop(crowd);
    // Ten thousand in all.
    for _ in 0..20 {
        drop((0..485).map(|_| helper.connect()).collect::<Vec<_>>());
    }
    // Their places are free again.
    wait_for(|| !helper.answer("GET / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 503 "));
    let mut stream = helper.tunnel(&peer);
    stream.write_all(b"hi").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(rest(stream), "hi");
    let mut answer = String::new();
    let _ = slow.read_to_string(&mut answer);
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(drip.join().unwrap() < 600);
    assert!(helper.record()["crowded"].as_u64().unwrap() >= 20);
}

// GU-02: a company's proxy is gone through, and it alone finds names.
#[test]
fn the_persons_own_proxy_is_gone_through() {
    let (mut sandbox, echo) = world();
    let proxy = Echo::proxy();
    sandbox.set("HTTPS_PROXY", format!("http://me:pw@127.0.0.1:{}", proxy.port));
    sandbox.set("NO_PROXY", "lan.mock");
    let near = format!("lan.mock:{}", echo.port);
    let helper = Helper::start(&sandbox, &["far.example:8443", &format!("{near}!private")]).unwrap();
    for (peer, word) in [("far.example:8443", "through"), (near.as_str(), "straight")] {
        let mut stream = helper.tunnel(peer);
        stream.write_all(word.as_bytes()).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        assert_eq!(rest(stream), word, "{peer}");
    }
    let expected = "CONNECT far.example:8443 HTTP/1.1\r\nHost: far.example:8443\r\nProxy-Authorization: Basic bWU6cHc=\r\n\r\nthrough";
    assert_eq!((proxy.heard().as_str(), echo.heard().as_str()), (expected, "straight"));
    assert_eq!(fs::read_to_string(sandbox.root().join("tmp/asked")).unwrap(), "lan.mock\n");
    assert_eq!(helper.answer("CONNECT evil.com:443 HTTP/1.1\r\n\r\n").lines().next(), Some("HTTP/1.1 403 Blocked by ai: evil.com:443"));
    drop(helper);
    sandbox.set("HTTPS_PROXY", "socks5://me:pw@127.0.0.1:1");
    let why = Helper::start(&sandbox, &[]).err().unwrap();
    assert!(why.starts_with("your proxy cannot be used") && !why.contains("pw"), "{why}");
}
