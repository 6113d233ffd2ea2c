//! A small home, store and project on disk; taken down and put up again between faults.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::json;

/// A directory with everything that a sync reads and writes.
pub struct World {
    dir: tempfile::TempDir,
}

/// Everything in a world: content and mode by path; directories have no content.
pub type State = BTreeMap<String, (Option<Vec<u8>>, u32)>;

pub const PLACES: [&str; 3] = ["host/", "hub/", "home/"];

impl World {
    pub fn new() -> World {
        // In memory if possible: what is tested is the order of calls, not the disk.
        let memory = Path::new("/dev/shm");
        let dir = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        World { dir: dir.unwrap() }
    }

    /// A world in which host, hub and project have each gone their own way since they agreed.
    pub fn diverged() -> World {
        let world = World::new();
        world.write("host/.claude/settings.json", r#"{"theme":"dark","n":1e400,"hooks":{"a":1}}"#);
        world.write("host/.claude.json", r#"{"oauthAccount":{"id":1},"machineID":"host"}"#);
        world.write("host/.codex/config.toml", "# mine\nmodel = 'a'\n");
        world.write("host/.claude/history.jsonl", "{\"h\":1}\n{\"h\":2}\n");
        for n in 0..6 {
            world.write(&format!("host/.claude/commands/c{n}.md"), &format!("do {n}\n"));
        }
        let output = world.ai("sync", "in", "import");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));

        world.write("host/.claude/settings.json", r#"{"theme":"light","n":1e400,"hooks":{"a":2}}"#);
        world.write("host/.claude/history.jsonl", "{\"h\":1}\n{\"h\":2}\n{\"h\":3}\n{\"torn\":");
        world.write("host/.claude/commands/c1.md", "do 1 well\n");
        world.write("host/.claude/commands/new/c9.md", "new\n");
        world.write("host/.codex/config.toml", "# mine\nmodel = 'b'\n");
        world.write("hub/.claude.json", "{ torn");
        world.write("home/settings.json", r#"{"theme":"neon","n":1e400,"hooks":{"evil":1},"p":true}"#);
        world.write("home/.claude.json", r#"{"oauthAccount":{"id":1},"machineID":"c","projects":{"/w":{}}}"#);
        world.write("home/history.jsonl", "{\"h\":1}\n{\"h\":2}\n{\"p\":1}\n");
        world.write("home/commands/c1.md", "project's own\n");
        world.write("home/config.toml", "# mine\nmodel = 'a'\n[p]\nx = 1\n");
        world
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.dir.path().join(path)
    }

    pub fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        let parent = path.parent().unwrap();
        std::fs::create_dir_all(parent).unwrap();
        if !path.starts_with(self.path("host")) {
            std::fs::set_permissions(parent, PermissionsExt::from_mode(0o700)).unwrap();
        }
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
    }

    /// The description of one sync, as the binary reads it.
    pub fn job(&self, act: &str, direction: &str, host_sync: &str, home: &str) -> PathBuf {
        let job = json!({
            "act": act,
            "places": {
                "host_home": self.path("host"), "hub": self.path("hub"), "project": self.path(home),
                "store": self.path("store"), "tool": "claude", "project_id": home,
            },
            "request": { "direction": direction, "host_sync": host_sync, "rules": [
                { "path": "settings.json", "host": ".claude/settings.json", "class": "json", "out": { "a": "text", "b": "text", "theme": "text" } },
                { "path": ".claude.json", "host": ".claude.json", "class": "keys", "keys": ["oauthAccount", "theme"] },
                { "path": "config.toml", "host": ".codex/config.toml", "class": "toml" },
                { "path": "history.jsonl", "host": ".claude/history.jsonl", "class": "lines" },
                { "path": "commands", "host": ".claude/commands", "class": "tree" },
            ] },
        });
        let path = self.path(&format!("job-{act}-{direction}-{host_sync}-{home}.json"));
        if !path.exists() {
            std::fs::write(&path, job.to_string()).unwrap();
        }
        path
    }

    pub fn command(&self, act: &str, direction: &str, host_sync: &str, home: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ai"));
        command.arg("__sync").arg(self.job(act, direction, host_sync, home));
        command
    }

    pub fn ai(&self, act: &str, direction: &str, host_sync: &str) -> Output {
        self.command(act, direction, host_sync, "home").output().unwrap()
    }

    pub fn state(&self) -> State {
        let mut state = State::new();
        for place in ["host", "hub", "home", "store"] {
            read(self.dir.path(), &self.path(place), &mut state);
        }
        state
    }

    pub fn restore(&self, state: &State) {
        for place in ["host", "hub", "home", "store"] {
            let _ = std::fs::remove_dir_all(self.path(place));
        }
        for (path, (content, mode)) in state {
            let path = self.path(path);
            match content {
                None => std::fs::create_dir_all(&path).unwrap(),
                Some(bytes) => std::fs::write(&path, bytes).unwrap(),
            }
            std::fs::set_permissions(&path, PermissionsExt::from_mode(*mode)).unwrap();
        }
    }
}

fn read(root: &Path, path: &Path, state: &mut State) {
    let Ok(found) = std::fs::symlink_metadata(path) else {
        return;
    };
    let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
    let mode = found.mode() & 0o7777;
    if found.is_dir() {
        state.insert(name, (None, mode));
        for entry in std::fs::read_dir(path).unwrap() {
            read(root, &entry.unwrap().path(), state);
        }
    } else {
        state.insert(name, (Some(std::fs::read(path).unwrap()), mode));
    }
}

/// The files of the places: what people and tools see.
pub fn live(state: &State) -> BTreeMap<&str, &[u8]> {
    let live = |path: &str| PLACES.iter().any(|place| path.starts_with(place)) && !path.contains(".ai-sync-");
    let files = state.iter().filter(|(path, _)| live(path));
    files.filter_map(|(path, (content, _))| Some((path.as_str(), content.as_deref()?))).collect()
}

/// What two syncs must agree on in the end: the places, what was agreed, and which copies were put aside.
pub fn outcome(state: &State) -> BTreeMap<String, Vec<u8>> {
    let mut outcome = BTreeMap::new();
    for (path, (content, _)) in state {
        let Some(bytes) = content else { continue };
        let copy = path.contains("sync/conflicts") || path.contains("sync/quarantine");
        let name = if copy { unnumbered(path) } else { path.clone() };
        let counts = copy || path.contains("sync/base") || PLACES.iter().any(|place| path.starts_with(place));
        if counts {
            outcome.insert(name, bytes.clone());
        }
    }
    outcome
}

/// A copy's path without the number that says only in which order copies came.
fn unnumbered(path: &str) -> String {
    let (directory, name) = path.rsplit_once('/').unwrap();
    format!("{directory}/{}", name.split_once('-').unwrap().1)
}

/// Files that are neither what they were nor what they should become.
pub fn torn(before: &State, now: &State, after: &State) -> Vec<String> {
    let (before, after) = (live(before), live(after));
    let fine = |path: &str, bytes: &[u8]| [&before, &after].iter().any(|state| state.get(path) == Some(&bytes));
    let now = live(now);
    let wrong = now.iter().filter(|(path, bytes)| !fine(path, bytes));
    let gone = before.keys().filter(|path| !now.contains_key(*path));
    wrong.map(|(path, _)| *path).chain(gone.copied()).map(str::to_owned).collect()
}

/// Contents that could be read before, and now are nowhere; of files of lines, lines.
pub fn lost(before: &State, now: &State) -> Vec<String> {
    let kept: BTreeSet<&[u8]> = now.values().filter_map(|(content, _)| content.as_deref()).collect();
    let lines: BTreeSet<&[u8]> = live(now).values().flat_map(|bytes| bytes.split(|&byte| byte == b'\n')).collect();
    let is_lost = |(path, bytes): &(&str, &[u8])| {
        if path.contains("history") { !bytes.split(|&byte| byte == b'\n').all(|line| lines.contains(line)) } else { !kept.contains(bytes) }
    };
    live(before).into_iter().filter(is_lost).map(|(path, _)| path.to_owned()).collect()
}

/// Modes wider than they may be, and files that should not be there once a sync is done.
pub fn untidy(state: &State) -> Vec<String> {
    let wide = |path: &str, mode: u32| !path.starts_with("host") && mode & 0o077 != 0;
    let stray = |path: &str| path.contains(".ai-sync-") || path.contains("sync/objects/") || path.contains("sync/journal/");
    state.iter().filter(|(path, (_, mode))| wide(path, *mode) || stray(path)).map(|(path, _)| path.clone()).collect()
}
