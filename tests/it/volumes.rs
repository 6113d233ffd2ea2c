//! Where locks on shared folders were seen to fail, the login is in a volume of the engine's, and everything finds it there.

use std::fs;
use std::os::unix::fs::lchown;

use serde_json::{Value, json};

use crate::bed::{Bed, Image, owner};
use crate::sandbox::tree;

/// A tool of the test's own, whose login is in a volume from its second run on; the volume goes with this.
struct Moved {
    bed: Bed,
    tool: String,
}

impl Moved {
    fn new(bed: Bed, name: &str, more: &str) -> Self {
        let tool = format!("{name}{}", std::process::id());
        bed.manifest(
            &tool,
            &format!(
                "about = 'x'\ncommand = ['claude']\nlogin = ['claude', 'sh', '-c', 'cat >\"$0/t\"', '{at}']\nlogout = ['claude', 'rm', '{at}/t']\n\
                 [state]\nhome = {{ at = '/home/ai/.x' }}\nlogin = {{ at = '/ai/shared/login', host = '.x', files = ['t']{more} }}\n",
                at = if more.is_empty() { "/ai/shared/login" } else { "/home/ai/.x" },
            ),
        );
        let (uid, gid) = owner(bed.home());
        for path in tree(&bed.store()).into_keys().chain([bed.store()]) {
            lchown(path, Some(uid), Some(gid)).unwrap();
        }
        let moved = Self { bed, tool };
        moved.run("printf '%s' \"$0\" >/ai/shared/login/t", &[&login("old")]);
        let engines = fs::read_dir(moved.bed.store().join("engines")).unwrap().next().unwrap().unwrap().path();
        let mut learnt: Value = serde_json::from_slice(&fs::read(&engines).unwrap()).unwrap();
        learnt["proof"] = json!({ "at": 0, "image": "x", "outcomes": [{ "name": "lock-flock", "verdict": "fails", "detail": "" }] });
        fs::write(&engines, learnt.to_string()).unwrap();
        moved
    }

    fn volume(&self) -> String {
        format!("ai-login-{}", self.tool)
    }

    #[track_caller]
    fn run(&self, script: &str, args: &[&str]) -> String {
        self.bed.ai(["run", &self.tool, "sh", "-c", script]).args(args).prints()
    }

    /// Whose login a session sees.
    #[track_caller]
    fn seen(&self) -> String {
        let text = self.run("cat /ai/shared/login/t", &[]);
        serde_json::from_str::<Value>(&text).unwrap()["claudeAiOauth"]["accessToken"].as_str().unwrap().to_owned()
    }

    /// What `ai creds` says of the one login that is used.
    #[track_caller]
    fn used(&self) -> (String, String) {
        let status: Value = serde_json::from_str(&self.bed.ai(["creds", "status", &self.tool, "--json"]).prints()).unwrap();
        let used: Vec<&Value> = status["logins"].as_array().unwrap().iter().filter(|row| row["used"] == true).collect();
        assert_eq!(used.len(), 1, "{status:#}");
        (used[0]["source"].as_str().unwrap().to_owned(), used[0]["path"].as_str().unwrap().to_owned())
    }

    #[track_caller]
    fn succeeds<const N: usize>(&self, words: [&str; N]) -> String {
        let outcome = self.bed.ai(words).outcome();
        assert_eq!(outcome.code, 0, "{}", outcome.err());
        outcome.err()
    }
}

impl Drop for Moved {
    fn drop(&mut self) {
        let _ = self.bed.run(self.bed.engine).args(["volume", "rm", "--force", &self.volume()]).outcome();
    }
}

/// A made-up login.
fn login(token: &str) -> String {
    let oauth = json!({ "accessToken": token, "refreshToken": format!("r-{token}"), "expiresAt": 4_102_444_800_000_u64, "scopes": [] });
    json!({ "claudeAiOauth": oauth }).to_string()
}

#[track_caller]
fn check(moved: &Moved) {
    let Moved { bed, tool, .. } = moved;
    assert_eq!(moved.used().0, "store");
    assert_eq!(moved.seen(), "old");
    assert_eq!(moved.used(), ("volume".to_owned(), format!("{}:/ai/shared/login/t", moved.volume())));
    // The tool's own user renews it there; nothing of it reaches the store's copy.
    moved.run("printf '%s' \"$0\" >/ai/shared/login/n && mv /ai/shared/login/n /ai/shared/login/t", &[&login("new")]);
    assert_eq!(moved.seen(), "new");

    assert!(moved.succeeds(["creds", "backup", tool]).contains("kept the login"));
    let backups: Value = serde_json::from_str(&bed.ai(["creds", "status", tool, "--json"]).prints()).unwrap();
    let name = backups["backups"].as_array().unwrap().last().unwrap()["name"].as_str().unwrap().to_owned();
    bed.write("home/.x/t", login("host"));
    moved.succeeds(["creds", "import", tool, "--replace"]);
    assert_eq!(moved.seen(), "host");
    moved.succeeds(["creds", "restore", tool, &name]);
    assert_eq!(moved.seen(), "new");

    let outcome = bed.ai(["login", tool]).stdin(login("again")).outcome();
    assert!(outcome.code == 0 && outcome.err().contains("logged in"), "{}", outcome.err());
    assert_eq!(moved.seen(), "again");
    moved.succeeds(["logout", tool]);
    assert_eq!(moved.run("ls /ai/shared/login", &[]), "");
    bed.nothing_left();
}

// E-10, P3
#[test]
fn a_login_in_a_volume_is_found_there() {
    let Some(bed) = Bed::new(Image::Busybox) else { return };
    let moved = Moved::new(bed, "vol", "");
    check(&moved);
    let labels = moved.bed.docker(&["volume", "inspect", "--format", "{{json .Labels}}", &moved.volume()]);
    assert!(labels.contains(&format!("\"ai.owner\":\"{}\"", owner(moved.bed.home()).0)), "{labels}");
}

// E-10: the volume belongs to the right user on engines that map users, too.
#[test]
fn a_login_in_a_volume_is_the_users_on_engines_without_root() {
    for engine in ["docker", "podman"] {
        let Some(bed) = Bed::rootless(engine) else { return };
        check(&Moved::new(bed, "rvol", ""));
    }
}

// E-10: codex and gemini replace the files of their login by name.
#[test]
fn a_tool_whose_login_is_its_home_logs_in_to_the_volume() {
    let Some(bed) = Bed::new(Image::Busybox) else { return };
    check(&Moved::new(bed, "hvol", ", at_home = true"));
}

// E-10
#[test]
fn a_login_in_a_volume_that_cannot_be_reached_is_not_said_to_be_elsewhere() {
    let Some(bed) = Bed::new(Image::Busybox) else { return };
    let moved = Moved::new(bed, "dvol", "");
    moved.seen();
    moved.bed.program("docker", "#!/bin/sh\necho 'no daemon' >&2\nexit 1\n");
    let outcome = moved.bed.ai(["creds", "status", &moved.tool]).outcome();
    moved.bed.link("docker", crate::sandbox::find_program("docker").unwrap());
    outcome.refused(69, &["cannot look for the volume", "no daemon"]);
}
