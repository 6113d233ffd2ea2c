//! Every reader of bytes that a container, a repository or an engine may have made, as a function of bytes that asserts what must
//! hold for any of them. The fuzzer calls these for as long as it is let; the unit tests with the seeds and some thousand changes.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path};

use crate::core::census::Container;
use crate::core::complete::help_text;
use crate::core::config::source::{ConfigText, Scope};
use crate::core::config::{Config, Layer};
use crate::core::control::ControlPath;
use crate::core::control::gitconfig;
use crate::core::control::gitlinks::gitlinks;
use crate::core::control::judge::{ControlChange, GitDirectory, Judgement, Leads, Standing, judge};
use crate::core::control::kinds::{ControlKind, Reads, Tier};
use crate::core::control::named::{named, named_by_script};
use crate::core::control::record::{ControlLedger, ControlRecord};
use crate::core::control::report::visible;
use crate::core::engine::report::{self, EngineReport};
use crate::core::facts::Env;
use crate::core::guard::agent::{AgentRules, AgentStep, FAILURE};
use crate::core::guard::head::{self, HeadRead, ProxyHead};
use crate::core::guard::hello::Hello;
use crate::core::guard::key::{Credential, KeyOrder, KeySource, LoginPlaces, header_of};
use crate::core::guard::page::LoginPage;
use crate::core::guard::peer::{HostName, Peer};
use crate::core::identity::ssh::{self, SshFiles};
use crate::core::image;
use crate::core::lease::Lease;
use crate::core::login::{self, Login};
use crate::core::setup::{document as setup_document, line};
use crate::core::sync::document::{self, Format, Terms};
use crate::core::sync::gate::Gate;
use crate::core::sync::json::lenient::JsonExtension;
use crate::core::sync::merge::{Lack, Prefer, Versions};
use crate::core::sync::{base, lines};
use crate::core::tool::manifest::{Manifest, ManifestText};

type Parser = fn(&[u8]);

/// The parsers by their names, which are those of the fuzz targets and of the directories of seeds.
pub const ALL: [(&str, Parser); 20] = [
    ("json", json),
    ("toml", toml),
    ("merge_json", merge_json),
    ("merge_toml", merge_toml),
    ("lines", missing_lines),
    ("manifest", manifest),
    ("config", config),
    ("ssh", ssh_config),
    ("egress", egress),
    ("agent", agent),
    ("engine", engine),
    ("records", records),
    ("shell_line", shell_line),
    ("document", document_head),
    ("dockerfile", dockerfile),
    ("devcontainer", devcontainer),
    ("git", git),
    ("names", names),
    ("keys", keys),
    ("page", page),
];

/// With all that some tool reads beyond JSON.
const JSON: Format = Format::Json(&[JsonExtension::Comments, JsonExtension::TrailingCommas, JsonExtension::Bom]);

fn document(format: Format, bytes: &[u8]) {
    let Ok(document) = format.parse(bytes) else { return };
    assert!(!format.is_torn(bytes), "what was read is whole");
    let versions = Versions { base: Some(&document), ours: Some(&document), theirs: Some(&document) };
    let terms = Terms { gate: &Gate::Open, prefer: Prefer::Ours, lack: Lack::Deleted };
    let merged = document::merge(format, versions, terms).expect("it is no bigger than itself");
    assert_eq!(merged.text, document.text, "nothing changed, so nothing is edited");
}

pub fn json(bytes: &[u8]) {
    document(JSON, bytes);
}

pub fn toml(bytes: &[u8]) {
    document(Format::Toml, bytes);
}

/// Three texts with NUL between them, each of which must be read again after it was merged.
fn merge(format: Format, bytes: &[u8]) {
    let parts: Vec<&[u8]> = bytes.splitn(3, |byte| *byte == 0).collect();
    let [Ok(base), Ok(ours), Ok(theirs)] = [0, 1, 2].map(|at| format.parse(parts.get(at).copied().unwrap_or_default())) else { return };
    let ways = [(Prefer::Ours, Lack::Deleted), (Prefer::Theirs, Lack::Deleted), (Prefer::Theirs, Lack::Lost)];
    for (prefer, lack) in ways {
        let versions = Versions { base: Some(&base), ours: Some(&ours), theirs: Some(&theirs) };
        let Ok(merged) = document::merge(format, versions, Terms { gate: &Gate::Open, prefer, lack }) else { continue };
        assert!(format.parse(merged.text.as_bytes()).is_ok(), "a merge of what was read can be read: {}", merged.text);
    }
}

pub fn merge_json(bytes: &[u8]) {
    merge(JSON, bytes);
}

pub fn merge_toml(bytes: &[u8]) {
    merge(Format::Toml, bytes);
}

/// What is united has every complete line of both, and a second union adds nothing.
pub fn missing_lines(bytes: &[u8]) {
    let (ours, theirs) = bytes.split_at(bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len()));
    let theirs = theirs.get(1..).unwrap_or_default();
    let united = [ours, &lines::missing(ours, theirs)].concat();
    assert!(united.starts_with(ours));
    if ours.is_empty() || ours.ends_with(b"\n") {
        assert_eq!(lines::missing(&united, theirs), b"", "once is enough");
    }
}

pub fn manifest(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = Manifest::parse(&ManifestText::own(text, "x.toml"));
}

pub fn config(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = Config::new(
        Scope { tool: "claude", ..Scope::default() },
        &[ConfigText::own("config.toml", text)],
        &Env::default(),
        Layer::default(),
    );
}

/// No key that was not handed over is named in what the container reads.
pub fn ssh_config(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let _ = ssh::wanted(&text);
    let written = ssh::rewrite(&text, &SshFiles { includes: BTreeMap::new(), keys: BTreeMap::new() }, "/known_hosts");
    let keyword =
        |line: &str| line.trim_start().split(|c: char| c.is_whitespace() || c == '=').next().unwrap_or_default().to_ascii_lowercase();
    let names_key = |line: &str| ["identityfile", "\"identityfile\""].contains(&keyword(line).as_str());
    assert!(!written.lines().any(names_key), "{written}");
}

/// What a guarded container says to its helper: whoever is let through is named in one spelling.
pub fn egress(bytes: &[u8]) {
    if let HeadRead::Whole(head) = head::parse(bytes) {
        let authority = head.absolute().map_or(head.target.as_slice(), |(authority, _)| authority);
        if let Ok(peer) = Peer::parse(authority, Some(80)) {
            let shown = peer.to_string();
            assert_eq!(Peer::parse(shown.as_bytes(), None).as_ref(), Ok(&peer), "{shown}");
            assert!(!shown.bytes().any(|byte| byte.is_ascii_uppercase() || byte <= b' '), "{shown}");
            assert!(!head.for_server(&shown, b"/").windows(4).rev().skip(1).any(|end| end == b"\r\n\r\n"));
        }
        keyed(&head, &bytes[head.length..]);
    }
    let host = HostName::new(b"api.example.com").expect("it is one");
    if let Ok(page) = LoginPage::parse(bytes, std::slice::from_ref(&host)) {
        assert!(page.port >= 1024 && page.path.starts_with('/') && !page.state.is_empty(), "{page:?}");
    }
    let peer = Peer::parse(b"api.example.com:443", None).expect("it is one");
    if Hello::parse(bytes).judge(&peer) == Some(Ok(())) {
        let name = b"api.example.com";
        assert!(bytes.windows(name.len()).any(|part| part.eq_ignore_ascii_case(name)) || bytes.len() > 5 + name.len());
    }
}

/// A request that gets a key: one head, with that key alone, and nothing behind its body.
fn keyed(head: &ProxyHead, rest: &[u8]) {
    let order = KeyOrder {
        peer: "api.example.com:443".into(),
        private: false,
        base: String::new(),
        paths: vec!["POST /v1/*".into()],
        fields: vec!["x-own-*".into()],
        query: vec!["beta".into()],
        header: "x-api-key: {key}".into(),
        name: String::new(),
        from: KeySource::Login { tool: String::new(), at: LoginPlaces::default() },
        openssl: "openssl".into(),
        authorities: None,
    };
    let Some(Ok(mut asked)) = order.judge(head) else { return };
    let credential = Credential { key: "real".into(), also: Vec::new() };
    let sent = order.head(&asked, head, "api.example.com", &credential).expect("it is a key");
    assert!(!sent.windows(4).rev().skip(1).any(|end| end == b"\r\n\r\n"));
    let HeadRead::Whole(sent) = head::parse(&sent) else { panic!("it is no head: {sent:?}") };
    let is_dropped = |name: &String| asked.dropped.iter().any(|dropped| name.eq_ignore_ascii_case(dropped));
    assert!(!sent.fields.iter().any(|(name, _)| is_dropped(name)), "{sent:?}");
    let keys: Vec<_> = sent.fields.iter().filter(|(name, _)| name.to_ascii_lowercase().contains("key")).collect();
    assert!(keys.len() == 1 && keys[0].1 == b"real" && sent.target.starts_with(b"/v1/"), "{sent:?}");
    let mut pieces = asked.body.clone();
    let Ok(count) = asked.body.take(rest) else { return };
    assert!(count <= rest.len() && (asked.body.is_over() || count == rest.len()));
    // However it comes, it ends at the same byte.
    let taken: usize = rest.iter().map(|byte| pieces.take(&[*byte]).expect("it was taken")).sum();
    assert!(taken == count && pieces == asked.body, "{taken} of {count}");
}

/// The body of a request that gets a key, in chunks or of a length; and the login that the key is in.
pub fn keys(bytes: &[u8]) {
    for fields in ["Transfer-Encoding: chunked".to_owned(), format!("Content-Length: {}", bytes.len() / 2)] {
        let text = [format!("POST /keys/v1/x HTTP/1.1\r\n{fields}\r\n\r\n").as_bytes(), bytes].concat();
        let HeadRead::Whole(head) = head::parse(&text) else { panic!("it is a head: {text:?}") };
        keyed(&head, &text[head.length..]);
    }
    let places = LoginPlaces { token: "/a/token".into(), also: [("account-id".to_owned(), "/a/id".to_owned())].into() };
    if let Some(credential) = places.find(bytes) {
        assert!(!credential.key.is_empty() && credential.also.iter().all(|(name, value)| name == "account-id" && !value.is_empty()));
        // What a field cannot hold is in none.
        let field = header_of("authorization: Bearer {key}", &credential.key);
        assert!(field.is_none_or(|(_, value)| value.iter().all(|byte| matches!(byte, b' '..=b'~'))));
    }
}

/// A page and, behind NUL, what a browser asks for when it comes back: either the one request that the page was told, or another page
/// of the same machine.
pub fn page(bytes: &[u8]) {
    let (url, request) = bytes.split_at(bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len()));
    let host = HostName::new(b"api.example.com").expect("it is one");
    let Ok(page) = LoginPage::parse(url, std::slice::from_ref(&host)) else { return };
    assert!(url.starts_with(b"https://") && page.port >= 1024 && page.path.starts_with('/') && !page.state.is_empty(), "{page:?}");
    let HeadRead::Whole(head) = head::parse(request.get(1..).unwrap_or_default()) else { return };
    assert!(!(page.is_answered_by(&head) && page.is_followed_by(&head)));
    if page.is_answered_by(&head) || page.is_followed_by(&head) {
        assert!(head.method == "GET" && head.target.starts_with(b"/") && head.values("content-length").next().is_none(), "{head:?}");
    }
    if page.is_answered_by(&head) {
        assert!(head.target.starts_with(page.path.as_bytes()), "{head:?}");
    }
}

/// What a container asks of the SSH agent, and what an agent answers: where no host is known, nothing is signed but for git, and a list
/// has the one key that was chosen.
pub fn agent(bytes: &[u8]) {
    let chosen = b"chosen".to_vec();
    let rules = AgentRules { keys: Some(BTreeSet::from([chosen])), hosts: Some(BTreeSet::new()), sign: vec!["git".into()] };
    match rules.judge(&[], bytes) {
        AgentStep::Sign(what) => assert_eq!(what, "a signature for git"),
        AgentStep::Bind(session) => assert_eq!(session, None),
        AgentStep::List | AgentStep::Refuse(_) => {}
    }
    let list = rules.chosen(bytes);
    let count = list.iter().skip(1).take(4).fold(0, |number, byte| number << 8 | usize::from(*byte));
    assert!(list == FAILURE || list.len() == 5 + count * (4 + 6 + 4 + 3), "{list:?}");
}

/// What engines, images and tools say about themselves.
pub fn engine(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let _ = report::seconds(&text);
    let _ = help_text::read("claude", "", &text);
    let Ok(value) = serde_json::from_slice::<serde_json::Value>(bytes) else { return };
    let _ = (EngineReport::from_docker(&value), EngineReport::from_podman(&value), Container::from_inspect(&value));
}

/// Files of the store that a container may have written: logins, and records of ours that are read again.
pub fn records(bytes: &[u8]) {
    let _ = (Login::read(bytes), login::any::read(bytes));
    let _ = base::Base::decode(bytes);
    let _ = serde_json::from_slice::<Lease>(bytes);
}

/// The commands of a project's settings.
pub fn shell_line(bytes: &[u8]) {
    let words = line::words(&String::from_utf8_lossy(bytes), &BTreeMap::new());
    // A word stands in the line, or in one that stands in it.
    assert!(words.len() <= 5 * bytes.len());
}

/// Heads of skills and the like, which a container may have written: as large as what they are made from, and no larger.
pub fn document_head(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(head) = setup_document::head(&text, &["hooks"]) {
        assert!(head.to_string().len() <= 16 * (text.len() + (64 << 10)));
    }
    for mark in [setup_document::RunMark::Ticks, setup_document::RunMark::Braces] {
        let lines = setup_document::runs(&text, mark);
        assert!(lines.iter().all(|line| text.contains(line.lines().next().unwrap_or_default())));
    }
    assert!(line::variables(&text).iter().all(|name| text.contains(name)));
}

pub fn dockerfile(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let found = image::dockerfile::read(text);
    let leaves = |path: &String| path.starts_with('/') || path.split('/').any(|part| part == "..");
    assert!(!found.copies.iter().any(leaves), "nothing outside of the context is copied");
}

pub fn devcontainer(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(file) = image::devcontainer::read(text, Path::new("/home/u/proj")) else { return };
    assert!(file.image.is_some() || file.dockerfile.is_some());
    let stays = |path: &str| path.starts_with("/home/u/proj/") || path.contains("${") || path.ends_with(".sock");
    assert!(!file.mounts.iter().any(|mount| stays(&mount.path)), "no mount is of the project, of nobody knows what, or a socket");
}

/// Settings of git's, and scripts that are read in: what is written of settings is read back as it was, what was added goes away
/// again, and what they name lies in the project.
pub fn git(bytes: &[u8]) {
    let (root, file) = (Path::new("/p"), Path::new("/p/.git/config"));
    for below in named_by_script(bytes, root, Path::new("/p/.envrc")) {
        assert!(below.is_relative() && !below.components().any(|part| part == Component::ParentDir), "{below:?}");
    }
    for hash in [20, 32] {
        let links = gitlinks(bytes, hash).unwrap_or_default();
        assert!(links.paths.iter().all(|path| path.components().all(|part| matches!(part, Component::Normal(_)))));
    }
    let Ok(settings) = gitconfig::parse(bytes) else { return };
    let rendered = gitconfig::render(&settings.iter().collect::<Vec<_>>());
    assert_eq!(gitconfig::parse(&rendered).as_ref(), Ok(&settings), "{}", String::from_utf8_lossy(&rendered));
    assert!(named(&settings, root, file, root).iter().all(|named| named.below.is_relative()));
    let path = ControlPath::new(0, ".git/config");
    let nothing = BTreeSet::new();
    let change = |before, after| ControlChange {
        path: &path,
        kind: ControlKind { tier: Tier::Runs, reads: Reads::Settings },
        before,
        after,
        leads: Leads::Inside,
        git_directory: GitDirectory::There,
        allowed: &nothing,
    };
    let after = Standing::File { bytes, executable: false };
    assert_eq!(judge(&change(after, after)), Judgement::Fine, "nothing changed");
    if let Judgement::Rewrite { bytes: mended, .. } = judge(&change(Standing::Absent, after)) {
        let mended = Standing::File { bytes: &mended, executable: false };
        assert!(matches!(judge(&change(Standing::Absent, mended)), Judgement::Fine), "what is put back is harmless");
    }
}

/// Names that a container gives: of files in a record, and on their way to a terminal.
pub fn names(bytes: &[u8]) {
    let path = ControlPath::new(0, OsStr::from_bytes(bytes));
    assert_eq!(ControlPath::try_from(String::from(path.clone())), Ok(path));
    let text = String::from_utf8_lossy(bytes);
    let _ = ControlPath::try_from(text.clone().into_owned());
    assert!(!visible(&text).chars().any(char::is_control));
    let _ = (serde_json::from_slice::<ControlRecord>(bytes), serde_json::from_slice::<ControlLedger>(bytes));
    if let Ok(host) = HostName::new(bytes) {
        assert!(!host.as_str().bytes().any(|byte| byte.is_ascii_uppercase() || byte <= b' '), "{host:?}");
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests read the seeds")]
mod tests {
    use super::*;

    /// The bytes with one of them changed, cut off, or put in twice: a different one for each `n`.
    fn changed(seed: &[u8], n: usize) -> Vec<u8> {
        const ODD: [u8; 8] = [0, b'"', b'\\', b'{', b'\n', b'=', 0x80, 0xff];
        let mut bytes = seed.to_vec();
        let at = n.wrapping_mul(7919) % (seed.len() + 1);
        match n % 4 {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, ODD[n / 4 % ODD.len()]),
            2 if at < bytes.len() => bytes[at] ^= 1 << (n / 4 % 8),
            _ => bytes.extend_from_slice(&seed[at..]),
        }
        bytes
    }

    // GU-03
    #[test]
    fn every_parser_holds_for_its_seeds_and_for_changes_of_them() {
        for (name, parser) in ALL {
            let directory = format!("{}/fuzz/seeds/{name}", env!("CARGO_MANIFEST_DIR"));
            let seeds: Vec<Vec<u8>> =
                std::fs::read_dir(&directory).unwrap().map(|entry| std::fs::read(entry.unwrap().path()).unwrap()).collect();
            assert!(seeds.len() > 1, "{directory} has too few seeds");
            for seed in seeds {
                parser(&seed);
                for n in 0..if std::env::var_os("AI_FAULTS").is_some() { 4000 } else { 60 } {
                    parser(&changed(&seed, n));
                }
            }
        }
    }
}
