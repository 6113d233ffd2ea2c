//! Every settings file that a manifest names, broken in every way, on the host, in the project, and in both: the run goes on, what the
//! person wrote stays, rules that deny or guard stay, and a line names the file and the next step.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, lchown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::sandbox::{Sandbox, tree};

const USER: u32 = 1000;
/// What a person does not want to be done: in every file of settings.
const WORD: &str = "NEVER-THIS";

/// One rule of a manifest.
struct File {
    class: String,
    host: String,
    path: String,
}

fn files(tool: &str) -> Vec<File> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/core/tool").join(format!("{tool}.toml"));
    let manifest: toml::Table = toml::from_str(&fs::read_to_string(manifest).unwrap()).unwrap();
    let text = |rule: &toml::Value, key: &str| rule[key].as_str().unwrap().to_owned();
    let file = |rule: &toml::Value| File { class: text(rule, "class"), host: text(rule, "host"), path: text(rule, "path") };
    manifest["sync"].as_array().unwrap().iter().map(file).collect()
}

impl File {
    fn is_merged(&self) -> bool {
        self.class != "tree"
    }

    /// What the file is when all is well.
    fn good(&self) -> String {
        match self.class.as_str() {
            "toml" => format!("developer_instructions = \"{WORD}\"\n"),
            "tree" => "hello\n".into(),
            _ => {
                format!("{{\n  \"permissions\": {{\"deny\": [\"{WORD}\"]}},\n  \"mcpServers\": {{\"{WORD}\": {{\"type\": \"sse\"}}}}\n}}\n")
            }
        }
    }

    /// The ways in which a text of this kind is broken or odd, and whether something must be said about it.
    fn texts(&self) -> Vec<(&'static str, Vec<u8>, bool)> {
        let good = self.good();
        let cut = good.as_bytes()[..good.len() - 4].to_vec();
        let mut texts = vec![("empty", Vec::new(), self.class != "toml"), ("crlf", good.replace('\n', "\r\n").into(), false)];
        texts.push(("latin", [good.as_bytes(), b"\xff\n"].concat(), true));
        texts.push(("blank", vec![0; 100], true));
        if self.class == "toml" {
            texts.push(("mark", [b"\xef\xbb\xbf", good.as_bytes()].concat(), false));
            texts.push(("cut", cut, true));
            texts.push(("twice", [good.as_bytes(), good.as_bytes()].concat(), true));
            texts.push(("deep", format!("{good}a = {}{}\n", "[".repeat(10_000), "]".repeat(10_000)).into(), true));
            texts.push(("numbers", format!("{good}a = 9007199254740993\nb = 1e400\n").into(), false));
        } else if self.is_merged() {
            let with = |more: &str| good.replacen('{', &format!("{{{more},"), 1).into_bytes();
            texts.push(("cut", cut, true));
            texts.push(("twice", with("\"permissions\": 1"), true));
            texts.push(("deep", with(&format!("\"a\": {}1{}", "{\"a\":".repeat(10_000), "}".repeat(10_000))), false));
            texts.push(("numbers", with("\"a\": 9007199254740993, \"b\": 1e400, \"c\": -0.0"), false));
            texts.push(("list", b"[1]".to_vec(), true));
        }
        texts
    }
}

/// The ways in which there is something else than a text.
const ODD: [&str; 7] = ["directory", "pipe", "device", "dangling", "loop", "closed", "huge"];

fn clear(path: &Path) {
    let Ok(found) = path.symlink_metadata() else { return };
    if found.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
}

fn put(path: &Path, kind: &str, text: &[u8]) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    clear(path);
    match kind {
        "directory" => fs::create_dir(path).unwrap(),
        "pipe" => assert!(Command::new("mkfifo").arg(path).status().unwrap().success()),
        "device" => symlink("/dev/zero", path).unwrap(),
        "dangling" => symlink("/nowhere/x", path).unwrap(),
        "loop" => symlink(path, path).unwrap(),
        _ => fs::write(path, text).unwrap(),
    }
    match kind {
        "huge" => fs::File::options().write(true).open(path).unwrap().set_len(50 << 20).unwrap(),
        "closed" => fs::set_permissions(path, fs::Permissions::from_mode(0)).unwrap(),
        _ => {}
    }
    for made in [path, path.parent().unwrap()] {
        lchown(made, Some(USER), Some(USER)).unwrap();
    }
}

/// What is at a path, without waiting for a pipe or a device.
fn seen(path: &Path) -> Option<(u32, Vec<u8>)> {
    let found = path.symlink_metadata().ok()?;
    let bytes = match () {
        () if found.is_symlink() => fs::read_link(path).unwrap().into_os_string().into_encoded_bytes(),
        () if found.is_file() && found.len() < 50 << 20 => fs::read(path).unwrap(),
        () => Vec::new(),
    };
    Some((found.permissions().mode(), bytes))
}

struct Trial {
    sandbox: Sandbox,
    tool: &'static str,
    home: PathBuf,
    files: Vec<File>,
}

impl Trial {
    fn new(tool: &'static str) -> Option<Self> {
        let mut sandbox = Sandbox::new();
        if !sandbox.as_user(USER, USER) {
            return None;
        }
        let files = files(tool);
        assert!(files.len() > 5, "the rules of the manifest are read");
        for file in &files {
            put(&sandbox.home().join(&file.host), "good", file.good().as_bytes());
            lchown(sandbox.home().join(&file.host).parent().unwrap().parent().unwrap(), Some(USER), Some(USER)).unwrap();
        }
        assert_eq!(sandbox.ai(["run", tool, "x"]).outcome().code, 0);
        let projects = sandbox.store().join("global_state").join(tool).join("projects");
        let home = fs::read_dir(projects).unwrap().next().unwrap().unwrap().path().join("home");
        Some(Self { sandbox, tool, home, files })
    }

    fn host(&self, file: &File) -> PathBuf {
        self.sandbox.home().join(&file.host)
    }

    fn inside(&self, file: &File) -> PathBuf {
        self.home.join(&file.path)
    }

    /// Breaks every file that can be broken so, runs, and looks at each; then mends them all.
    fn breaks(&self, kind: &str, places: &[&str]) {
        let mut broken: BTreeMap<PathBuf, (usize, bool)> = BTreeMap::new();
        for (number, file) in self.files.iter().enumerate() {
            let text = file.texts().into_iter().find(|(name, ..)| *name == kind);
            let is_odd = ODD.contains(&kind);
            let Some((_, text, is_said)) = text.or(is_odd.then(|| ("", file.good().into_bytes(), true))) else { continue };
            // A directory of instructions may be one; of any other file each byte is right.
            let is_said = is_said && (file.is_merged() || (is_odd && kind != "directory"));
            for place in places {
                let path = if *place == "host" { self.host(file) } else { self.inside(file) };
                put(&path, kind, &text);
                broken.insert(path, (number, is_said));
            }
        }
        let before: BTreeMap<&PathBuf, _> = broken.keys().map(|path| (path, seen(path))).collect();
        let mut run = self.sandbox.ai(["run", self.tool, "x"]);
        if kind == "huge" {
            // Whether such settings guard, nobody can tell.
            let stopped = self.sandbox.ai(["run", self.tool, "x"]).outcome();
            assert!(stopped.code == 77 && stopped.err().contains("too big"), "{stopped:?}");
            run = run.env("AI_ALLOW_MISSING_GUARDS", "yes");
        }
        let said = run.outcome();
        let why = |path: &Path| format!("{kind} at {}: {said:?}", path.display());
        assert_eq!(said.code, 0, "{kind}: {said:?}");
        let kept = || tree(&self.sandbox.store().join("sync"));
        for (path, (number, is_said)) in &broken {
            let (file, is_of_host) = (&self.files[*number], *path == self.host(&self.files[*number]));
            let (was, is) = (before[path].clone(), seen(path));
            if is_of_host {
                assert_eq!(was, is, "a person's own file is theirs: {}", why(path));
            } else if was != is {
                let bytes = was.unwrap().1;
                assert!(bytes.is_empty() || kept().into_values().any(|(_, copy)| copy == bytes), "nothing is lost: {}", why(path));
            }
            let name = if is_of_host { &file.host } else { &file.path };
            let lines = said.err();
            let line = lines.lines().find(|line| line.contains(&format!("`{name}`")));
            assert!(!is_said || line.is_some_and(|line| line.contains("hint: ")), "the file and the next step: {}", why(path));
            // What denies and guards stays where it was, unless what stands there is left alone, which is said.
            let inside = seen(&self.inside(file)).map(|(_, bytes)| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
            let is_left = places.contains(&"inside") && lines.contains(&format!("`{}` (project)", file.path));
            assert!(!file.is_merged() || inside.contains(WORD) || is_left, "{inside:?} {}", why(path));
        }
        for (path, (number, _)) in &broken {
            put(path, "good", self.files[*number].good().as_bytes());
        }
    }
}

fn every_file_of(tool: &'static str) {
    let Some(trial) = Trial::new(tool) else { return };
    let kinds: std::collections::BTreeSet<&str> = trial.files.iter().flat_map(File::texts).map(|(kind, ..)| kind).chain(ODD).collect();
    for places in [&["host"][..], &["inside"], &["host", "inside"]] {
        for kind in &kinds {
            trial.breaks(kind, places);
        }
    }
    let last = trial.sandbox.ai(["run", tool, "x"]).outcome();
    assert_eq!((last.code, last.err().as_str()), (0, ""), "all is well again");
    for file in trial.files.iter().filter(|file| file.is_merged()) {
        assert!(fs::read_to_string(trial.inside(file)).unwrap().contains(WORD), "{}", file.path);
    }
}

// SE-07, SE-08
#[test]
fn every_file_of_claude_broken_in_every_way() {
    every_file_of("claude");
}

// SE-07, SE-08
#[test]
fn every_file_of_gemini_broken_in_every_way() {
    every_file_of("gemini");
}

// SE-07, SE-08
#[test]
fn every_file_of_codex_broken_in_every_way() {
    every_file_of("codex");
}

// SE-08: a key that occurs twice is read as the tools read it, and the person's rules hold on the first run, too.
#[test]
fn of_a_key_that_occurs_twice_the_last_one_counts_inside_as_well() {
    let sandbox = Sandbox::new();
    let text = "{\"permissions\": 1, \"theme\": \"dark\", \"permissions\": {\"deny\": [\"Read(.env)\"]}}";
    let host = sandbox.write("home/.claude/settings.json", text);
    for times in 0..2 {
        let said = sandbox.ai(["run", "claude", "x"]).outcome();
        assert!(said.code == 0 && said.err().contains("a key occurs twice in `.claude/settings.json` (host)"), "{times}: {said:?}");
        let projects = fs::read_dir(sandbox.store().join("global_state/claude/projects")).unwrap();
        let inside = projects.map(|entry| entry.unwrap().path().join("home/settings.json")).next().unwrap();
        let inside: Value = serde_json::from_slice(&fs::read(inside).unwrap()).unwrap();
        assert_eq!((&inside["permissions"]["deny"][0], &inside["theme"]), (&Value::from("Read(.env)"), &Value::from("dark")));
    }
    assert_eq!(fs::read_to_string(host).unwrap(), text);
}

// SE-03: comments hide no hook, neither its script nor that it guards.
#[test]
fn what_commented_settings_name_is_looked_at_as_well() {
    let sandbox = Sandbox::new();
    sandbox.script("home/.gemini/hooks/after.sh", "#!/bin/sh\n");
    let hooks = |guard: &str| {
        format!(
            "// mine\n{{\"hooks\": {{ /* one */ \"AfterTool\": [{{\"hooks\": [{{\"command\": \"~/.gemini/hooks/after.sh\"}}]}}]{guard}}}}}\n"
        )
    };
    sandbox.write("home/.gemini/settings.json", hooks(""));
    let said = sandbox.ai(["run", "gemini", "x"]).outcome();
    assert_eq!((said.code, said.err().as_str()), (0, ""));
    let projects = fs::read_dir(sandbox.store().join("global_state/gemini/projects")).unwrap();
    let home = projects.map(|entry| entry.unwrap().path().join("home")).next().unwrap();
    assert!(home.join("hooks/after.sh").exists());
    fs::write(home.join("settings.json"), hooks(", \"BeforeTool\": [{\"hooks\": [{\"command\": \"/srv/guard\"}]}]")).unwrap();
    sandbox.ai(["run", "gemini", "x"]).outcome().refused(77, &["its BeforeTool hook guards"]);
}
