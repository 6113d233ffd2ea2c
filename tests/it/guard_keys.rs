//! Keys that stay outside: what the container has in their place, and what the vendor hears.

use std::fs;
use std::io::{Read, Write};
use std::net::Shutdown;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::bed::{Bed, Image};
use crate::guard_life::wait_for;
use crate::guard_wire::{Helper, rest};
use crate::guarded::{Echo, guarded, names};
use crate::mock::Mock;
use crate::sandbox::{Sandbox, find_program};

/// Nobody's key.
pub const REAL: &str = "made-up-real-key-5c1e";
/// One that somebody inside brought along.
const THEIRS: &str = "made-up-key-of-theirs";
pub const SENTINEL: &str = "outside-of-the-container";

/// The helper's order for a key of this host.
fn order(sandbox: &Sandbox, host: &str, authority: bool) -> Value {
    let authorities = authority.then(|| sandbox.root().join("tls/ca.pem"));
    json!({"egress": {"mode": "list", "allow": [], "deny": [host]}, "proxy": "auto", "key": {
        "peer": format!("{host}:443"), "private": false, "base": "", "paths": ["POST /v1/messages"],
        "fields": ["x-mock-step", "x-own-*"], "query": ["beta"], "header": "x-api-key: {key}",
        "name": "KEY", "from": {"secret": {"Env": "KEY"}}, "openssl": find_program("openssl").unwrap(), "authorities": authorities,
    }})
}

fn ask(prompt: &str, fields: &str) -> String {
    let body = json!({"model": "m", "messages": [{"role": "user", "content": prompt}]}).to_string();
    format!("POST /keys/v1/messages HTTP/1.1\r\nHost: 127.0.0.1\r\n{fields}Content-Length: {}\r\n\r\n{body}", body.len())
}

/// What the vendors were asked, in their order.
pub fn heard(sandbox: &Sandbox) -> Vec<Value> {
    let log = fs::read_to_string(sandbox.root().join("heard")).unwrap_or_default();
    log.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

// GU-02: one judged request at a time, with our key and nothing of theirs; what stands behind it goes nowhere.
#[test]
fn a_key_is_put_in_on_the_way_to_its_vendor() {
    let mut sandbox = Sandbox::new();
    let Some(_mock) = Mock::vendors(&mut sandbox) else { return };
    let helper = Helper::begin(&sandbox, &order(&sandbox, "api.anthropic.com", true), &format!("{REAL}\n")).unwrap();
    let planted = format!("X-Api-Key: {THEIRS}\r\nAuthorization: Bearer {THEIRS}\r\nCookie: {THEIRS}\r\n");
    let smuggled = format!("POST /v1/files HTTP/1.1\r\nHost: api.anthropic.com\r\nX-Api-Key: {THEIRS}\r\nContent-Length: 0\r\n\r\n");
    let answer = helper.answer(ask("are you there", &planted) + &smuggled);
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("mock-anthropic heard: are you there"), "{answer}");
    // In chunks, byte by byte, as it comes.
    let chunked = ask("in pieces", "").replace("Content-Length", "X-Length");
    let (head, body) = chunked.split_once("\r\n\r\n").unwrap();
    let mut stream = helper.connect();
    for byte in format!("{head}\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n{smuggled}", body.len()).bytes() {
        stream.write_all(&[byte]).unwrap();
    }
    assert!(rest(stream).contains("heard: in pieces"));
    for (request, status) in [
        (ask("x", "").replace("/v1/messages", "/v1/files"), 403),
        (ask("x", "").replace("/v1/messages", "/v1/../v1/messages"), 403),
        (ask("x", "").replace("/v1/messages", "/v1/messages?api%5fkey=x"), 403),
        (ask("x", "Upgrade: websocket\r\nConnection: upgrade\r\n"), 426),
        (ask("x", "Transfer-Encoding: chunked\r\n"), 400),
        ("CONNECT api.anthropic.com:443 HTTP/1.1\r\n\r\n".into(), 403),
    ] {
        let answer = helper.answer(&request);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{request}\n{answer}");
    }
    let all = heard(&sandbox);
    let paths: Vec<_> = all.iter().map(|entry| entry["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["/v1/messages"; 2]);
    for entry in &all {
        assert_eq!((&entry["host"], &entry["headers"]["x-api-key"]), (&json!("api.anthropic.com"), &json!(REAL)));
        assert!(!entry.to_string().contains(THEIRS), "{entry}");
    }
    let record = helper.record();
    assert_eq!((&record["keyed"], &record["allowed"]), (&json!({"POST /v1/messages": 2}), &json!({"api.anthropic.com:443": 2})));
    // What was dropped on the way is there, by name.
    assert_eq!(record["dropped"], json!({"authorization": 1, "cookie": 1, "x-length": 1}));
    assert_eq!(record["unkeyed"]["POST /v1/files (not one of the requests that get your key)"], 1);
    assert!(!record.to_string().contains(REAL));
}

// GU-01: some programs know no exception from their proxy, and ask it for the helper; nobody is told to allow that.
#[test]
fn the_helper_is_its_own_proxy() {
    let mut sandbox = Sandbox::new();
    let Some(_mock) = Mock::vendors(&mut sandbox) else { return };
    let helper = Helper::begin(&sandbox, &order(&sandbox, "api.anthropic.com", true), &format!("{REAL}\n")).unwrap();
    let tunnel = "CONNECT 127.0.0.1:3128 HTTP/1.1\r\n\r\n";
    let asked = ask("by proxy", "").replace("POST /keys", "POST http://127.0.0.1:3128/keys");
    assert!(helper.answer(asked).contains("heard: by proxy"));
    assert!(helper.answer(format!("{tunnel}{}", ask("in a tunnel", ""))).contains("heard: in a tunnel"));
    for request in [format!("{tunnel}{tunnel}"), "GET http://localhost:3128/ HTTP/1.1\r\n\r\n".into(), tunnel.replace("3128", "80")] {
        let answer = helper.answer(&request);
        assert!(answer.contains("403 Blocked by ai: ") && answer.contains("(the container itself; "), "{request}\n{answer}");
        assert!(!answer.contains("allow"), "{request}\n{answer}");
    }
    assert_eq!(helper.record()["keyed"], json!({"POST /v1/messages": 2}));
}

// GU-01: what the vendor says is passed on as it comes: each event is there before the next one is said.
#[test]
fn an_answer_comes_event_by_event() {
    let mut sandbox = Sandbox::new();
    let Some(mock) = Mock::vendors(&mut sandbox) else { return };
    let helper = Helper::begin(&sandbox, &order(&sandbox, "api.anthropic.com", true), &format!("{REAL}\n")).unwrap();
    let mut stream = helper.connect();
    let request = ask("word by word", "X-Mock-Step: 1\r\n").replace("\"model\"", "\"stream\":true,\"model\"");
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    let head = head.split("Content-Length").next().unwrap();
    write!(stream, "{head}Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
    let mut said = String::new();
    for event in ["message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta", "message_stop"] {
        while !(said.contains(&format!("event: {event}\n")) && said.ends_with("\n\n")) {
            let mut piece = [0; 4096];
            let count = stream.read(&mut piece).unwrap();
            assert!(count > 0, "no {event}: {said}");
            said.push_str(std::str::from_utf8(&piece[..count]).unwrap());
        }
        assert_eq!(said.rmatches("event: ").count(), 1, "{said}");
        said.clear();
        mock.step();
    }
    assert_eq!(rest(stream), "");
}

// GU-02: who cannot prove to be the vendor hears no key.
#[test]
fn a_vendor_that_cannot_be_proven_hears_nothing() {
    let mut sandbox = Sandbox::new();
    let Some(_mock) = Mock::vendors(&mut sandbox) else { return };
    for (host, authority, why) in [
        ("api.anthropic.com", false, "its certificate is not trusted"),
        ("127.0.0.1.", true, "no name"),
        // The mock plays it, and has no certificate for it.
        ("other.mock", true, "its certificate is not trusted: hostname mismatch"),
    ] {
        let key = order(&sandbox, host, authority);
        let answer = match Helper::begin(&sandbox, &key, &format!("{REAL}\n")) {
            Ok(helper) => helper.answer(ask("x", "")),
            Err(why) => why,
        };
        assert!(answer.contains(why) && !answer.contains("HTTP/1.1 200"), "{host}: {answer}");
    }
    assert_eq!(heard(&sandbox), Vec::<Value>::new());
    for bad in ["", "a b\n", "\u{e9}\n"] {
        assert!(Helper::begin(&sandbox, &order(&sandbox, "api.anthropic.com", true), bad).is_err(), "{bad:?}");
    }
}

// GU-02: a vendor is somewhere on the internet, unless the person said otherwise.
#[test]
fn a_vendor_in_the_persons_own_network_is_not_asked() {
    let sandbox = Sandbox::new();
    names(&sandbox, &[("llm.corp", "127.0.0.1")]);
    for (private, is_asked) in [(false, false), (true, true)] {
        let server = Echo::serve(|_| b"no TLS\n".to_vec());
        let mut order = order(&sandbox, "llm.corp", false);
        order["key"]["peer"] = format!("llm.corp:{}", server.port).into();
        order["key"]["private"] = private.into();
        let answer = Helper::begin(&sandbox, &order, &format!("{REAL}\n")).unwrap().answer(ask("x", ""));
        assert!(answer.starts_with("HTTP/1.1 502 "), "{answer}");
        assert!(server.heard().is_empty() != is_asked && !server.heard().contains(REAL), "{private}: {answer}");
    }
}

/// Processes that do TLS for a helper of this sandbox: their words and their variables.
fn pipes(sandbox: &Sandbox) -> Vec<String> {
    let is_ours = |process: &PathBuf| fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd == sandbox.root().join("guard"));
    let processes = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
    let read = |process: PathBuf| ["cmdline", "environ"].map(|file| fs::read_to_string(process.join(file)).unwrap_or_default()).concat();
    processes.filter(|process| process.join("exe").exists()).filter(is_ours).map(read).collect()
}

// GU-02: a request ends with whoever asked, and all of them with the helper.
#[test]
fn nothing_is_left_of_a_request_whose_end_was_not_waited_for() {
    let mut sandbox = Sandbox::new();
    let Some(_mock) = Mock::vendors(&mut sandbox) else { return };
    let mut helper = Helper::begin(&sandbox, &order(&sandbox, "api.anthropic.com", true), &format!("{REAL}\n")).unwrap();
    let mut stream = helper.connect();
    stream.write_all(ask("HOLD: 60000", "").as_bytes()).unwrap();
    wait_for(|| heard(&sandbox).len() == 1);
    // It is told neither this key nor any other of the person's.
    let pipe = pipes(&sandbox).concat();
    assert!(pipe.contains("s_client") && ![REAL, "made-up", "_KEY"].iter().any(|word| pipe.contains(word)), "{pipe:?}");
    stream.shutdown(Shutdown::Both).unwrap();
    wait_for(|| pipes(&sandbox).is_empty());
    let mut stream = helper.connect();
    stream.write_all(ask("HOLD: 60000", "").as_bytes()).unwrap();
    wait_for(|| heard(&sandbox).len() == 2);
    helper.kill();
    wait_for(|| pipes(&sandbox).is_empty());
    assert_eq!(stream.read(&mut [0; 16]).unwrap_or(0), 0);
}

// GU-01: what cannot stay outside does not start, and says why; a project may turn it on, and nothing else.
#[test]
fn what_cannot_stay_outside_is_refused() {
    let Some(mut bed) = guarded(Image::Busybox) else { return };
    bed.set("AI_KEYS", "outside");
    let openssl = find_program("openssl").unwrap();
    let refused = |bed: &Bed, tool: &str, why: &str| {
        let outcome = bed.ai(["resolve", tool]).outcome();
        let said = outcome.err();
        assert!(outcome.code == 78 && said.contains(why) && said.contains("AI_KEYS=inside"), "{tool}: {} {said}", outcome.code);
    };
    refused(&bed, "claude", "there is no key; looked at $ANTHROPIC_AUTH_TOKEN, $ANTHROPIC_API_KEY");
    bed.set("ANTHROPIC_API_KEY", REAL);
    refused(&bed, "claude", "`openssl` is not installed");
    bed.link("openssl", openssl);
    let text = bed.ai(["resolve", "--explain", "claude"]).prints();
    let row = |words: &str| text.lines().any(|line| line.starts_with(words) && line.ends_with("($AI_KEYS)"));
    for words in ["never reach api.anthropic.com ", "ask api.anthropic.com:443 POST /v1/messages "] {
        assert!(row(words), "{words}: {text}");
    }
    assert!(!text.contains("reach platform.claude.com") && !text.contains(REAL), "{text}");
    let vector = bed.plan(["claude"]);
    let variables = vector.variables();
    assert_eq!(variables["ANTHROPIC_BASE_URL"].as_deref(), Some("http://127.0.0.1:3128/keys"));
    assert_eq!(variables["ANTHROPIC_AUTH_TOKEN"].as_deref(), Some(SENTINEL));
    assert!(!variables.contains_key("ANTHROPIC_API_KEY") && vector.mounts().iter().all(|(_, at, _)| at != "/ai/shared"));
    for bad in ["made up", "made-up\nX-Other: y", "made-\u{fc}p"] {
        bed.set("ANTHROPIC_API_KEY", bad);
        bed.ai(["run", "claude"]).outcome().refused(125, &["ANTHROPIC_API_KEY holds what no key is made of", "a key is one word"]);
    }
    bed.set("ANTHROPIC_API_KEY", REAL);
    bed.set("AI_NETWORK", "bridge");
    refused(&bed, "claude", "the network is `bridge`");
    bed.set("AI_NETWORK", "guard");
    bed.set("ANTHROPIC_BASE_URL", "http://llm.corp");
    refused(&bed, "claude", "`http://llm.corp` is no plain https:// address");
    bed.set("ANTHROPIC_BASE_URL", "https://llm.corp:8443/anthropic/");
    assert!(bed.ai(["resolve", "--explain", "claude"]).prints().contains("ask llm.corp:8443 POST /v1/messages "));
    bed.unset("ANTHROPIC_BASE_URL");
    bed.set("CLAUDE_CODE_USE_BEDROCK", "1");
    refused(&bed, "claude", "CLAUDE_CODE_USE_BEDROCK is set");
    bed.unset("CLAUDE_CODE_USE_BEDROCK");
    refused(&bed, "codex", "there is no key; looked at $CODEX_API_KEY, the login, $OPENAI_API_KEY");
    bed.set("CODEX_ACCESS_TOKEN", REAL);
    refused(&bed, "codex", "CODEX_ACCESS_TOKEN is set, which the helper cannot put in");
    bed.write("home/.docker-ai-config/tools/mine.toml", "command = ['mine']\n[env]\npass = ['MINE_API_KEY']\n");
    refused(&bed, "mine", "its manifest does not say how");
    assert!(bed.ai(["resolve", "exec", "true"]).prints().contains("--network none"));
    bed.unset("AI_KEYS");
    bed.write("work/proj/.ai.toml", "keys = 'outside'\n");
    assert_eq!(bed.plan(["claude"]).variables()["ANTHROPIC_AUTH_TOKEN"].as_deref(), Some(SENTINEL));
    bed.config("keys = 'outside'\n");
    bed.write("work/proj/.ai.toml", "keys = 'inside'\n");
    let outcome = bed.ai(["resolve", "claude"]).outcome();
    assert!(outcome.out().contains(SENTINEL) && outcome.err().contains("keys"), "{}", outcome.err());
}

// GU-01: where a key goes is the person's word: what runs in a container can write the files of a project.
#[test]
fn no_project_says_where_a_key_goes() {
    let Some(mut bed) = guarded(Image::Busybox) else { return };
    bed.set("AI_KEYS", "outside");
    bed.set("ANTHROPIC_API_KEY", REAL);
    bed.link("openssl", find_program("openssl").unwrap());
    let refused = |bed: &Bed| {
        let outcome = bed.ai(["resolve", "claude"]).outcome();
        let said = outcome.err();
        assert!(outcome.code == 78 && said.contains("the project says where it goes (ANTHROPIC_BASE_URL)"), "{}: {said}", outcome.code);
    };
    let goes = |bed: &Bed, peer: &str| {
        let text = bed.ai(["resolve", "--explain", "claude"]).prints();
        assert!(text.contains(&format!("ask {peer}:443 POST /v1/messages ")), "{text}");
    };
    goes(&bed, "api.anthropic.com");
    bed.write("work/proj/.ai.toml", "[env]\nset = { ANTHROPIC_BASE_URL = 'https://evil.example' }\n");
    assert_eq!(bed.ai(["trust", "--yes"]).outcome().code, 0);
    refused(&bed);
    fs::remove_file(bed.project().join(".ai.toml")).unwrap();
    // By a file that the person's own configuration names, too.
    bed.write("work/proj/.devcontainer.json", r#"{"image": "a:1", "remoteEnv": {"ANTHROPIC_BASE_URL": "https://evil.example"}}"#);
    bed.config("image = { devcontainer = true }\n");
    bed.unset("AI_IMAGE");
    refused(&bed);
    bed.config("image = { devcontainer = true }\n[env]\nset = { ANTHROPIC_BASE_URL = 'https://mine.example' }\n");
    goes(&bed, "mine.example");
}
