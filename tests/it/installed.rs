//! A tool that one file installs: its image is built, used, updated, and kept where a new one does not start.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio, id};

use crate::bed::{Bed, Image};
use crate::require::need;
use crate::sandbox::{Sandbox, find_program};
use crate::tidy::{ROOT, files};

/// A registry with the package `told`; ends when it is dropped.
struct Registry {
    server: Child,
    url: String,
}

impl Registry {
    #[track_caller]
    fn serve(sandbox: &Sandbox) -> Option<Self> {
        let python = need("python3", find_program("python3"))?;
        let files = ["versions", "asked"].map(|name| sandbox.write(name, ""));
        let mut server = Command::new(python)
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bed/registry.py"))
            .args(files)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut url = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut url).unwrap();
        Some(Self { server, url: url.trim().to_owned() })
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        drop(self.server.stdin.take());
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// A bed whose tool is installed from the registry by a name of the test's own.
struct Installed {
    bed: Bed,
    _registry: Registry,
    tool: String,
}

impl Installed {
    fn new() -> Option<Self> {
        let mut bed = Bed::new(Image::Busybox)?;
        let registry = Registry::serve(&bed.sandbox)?;
        for name in ["AI_CA", "AI_PROXY"] {
            bed.set(name, "off");
        }
        bed.unset("AI_IMAGE");
        bed.set("NPM_CONFIG_REGISTRY", &registry.url);
        // What the manifest begins with goes before what the configuration says.
        bed.config("[build]\nnetwork = 'host'\nbase = 'ai-bed/nothing:1'\n");
        Some(Self { bed, _registry: registry, tool: format!("told-{}", id()) })
    }

    fn says(&self, install: &str) {
        let base = std::env::var("AI_BED_BASE").unwrap_or_default();
        let base = format!("base = '{}'\n", if base.is_empty() { "node:22-bookworm-slim" } else { &base });
        self.bed.manifest(&self.tool, &format!("about = 'Told'\ncommand = ['told']\n[install]\n{base}{install}"));
    }

    fn has(&self, versions: &str) {
        fs::write(self.bed.root().join("versions"), versions).unwrap();
    }

    fn ai(&self, words: &[&str]) -> (i32, String) {
        let words: Vec<&str> = words.iter().map(|word| if *word == "TOOL" { &self.tool } else { *word }).collect();
        let outcome = self.bed.ai(words).outcome();
        (outcome.code, format!("{}{}", outcome.out(), outcome.err()))
    }

    #[track_caller]
    fn check(&self, words: &[&str], code: i32, parts: &[&str]) {
        let (found, said) = self.ai(words);
        assert_eq!(found, code, "{words:?}: {said}");
        for part in parts {
            let part = part.replace("TOOL", &self.tool);
            assert!(said.contains(&part), "{words:?}: {part:?} in {said}");
        }
    }
}

impl Drop for Installed {
    fn drop(&mut self) {
        let _ = self.bed.run(self.bed.engine).args(["rmi", "--force", &format!("ai-tool-{}:1", self.tool)]).outcome();
    }
}

// TO-01, N-03, N-04: the whole life, on an engine, from a registry on loopback.
#[test]
fn one_file_makes_a_tool() {
    let Some(told) = Installed::new() else { return };
    told.has("1.0.0");
    told.says("npm = 'told@1.0.0'\nrun = ['echo installed >/etc/told']\n");
    told.check(&["run", "TOOL"], 69, &["the image ai-tool-TOOL:1 is not there", "hint: ai image build TOOL"]);
    told.check(&["image", "build", "TOOL", "--base", "ai-bed/nothing:1"], 69, &["cannot build the image of TOOL"]);
    told.check(&["image", "build", "TOOL"], 0, &["building ai-tool-TOOL:1: told@1.0.0", "built ai-tool-TOOL:1"]);
    told.check(&["run", "TOOL", "a b", "$(id)"], 0, &["told 1.0.0 a b $(id)\n"]);
    told.check(&["image", "status"], 69, &["ai-tool-TOOL:1  1.0.0\n"]);
    // No package's own script ran, and the line of the manifest did.
    let (_, said) = told.ai(&["image", "status", "TOOL", "--json"]);
    assert!(said.contains(r#""1.0.0""#), "{said}");
    // Its bill of materials has what the system, npm and PyPI brought, each once, and is of the form that others read.
    let bill: serde_json::Value = serde_json::from_str(&told.bed.ai(["image", "sbom", &told.tool]).prints()).unwrap();
    well_formed(&bill);
    for (kind, name) in [("deb", "git"), ("npm", "told"), ("npm", "npm"), ("pypi", "uv")] {
        let begin = format!("pkg:{kind}/");
        let components = bill["components"].as_array().unwrap().iter();
        let found: Vec<_> = components.filter(|part| part["name"] == name && part["purl"].as_str().unwrap().starts_with(&begin)).collect();
        assert!(found.len() == 1 || kind == "pypi", "{kind} {name}: {found:?}");
    }
    let image = format!("ai-tool-{}:1", told.tool);
    let inside = "test ! -e /usr/local/ran && cat /etc/told && id -u && test -z \"$(ls /tmp)\"";
    let found = told.bed.docker(&["run", "--rm", "--network", "none", "--log-driver", "none", "--entrypoint", "sh", &image, "-c", inside]);
    assert_eq!(found, "installed\n0\n");

    told.has("1.0.0 1.1.0");
    told.check(&["image", "update", "TOOL"], 0, &["TOOL: 1.0.0 -> 1.1.0", "built"]);
    told.check(&["run", "TOOL"], 0, &["told 1.1.0\n"]);
    let recorded = fs::read_to_string(told.bed.store().join("versions.json")).unwrap();
    assert!(recorded.contains("\"1.1.0\"") && recorded.contains("\"sha512-"), "{recorded}");

    // One that does not start: what was there stays, and is what the next build makes, too. No step of a build stays as a container.
    let steps = || -> Vec<String> {
        let all = told.bed.docker(&["ps", "--all", "--no-trunc", "--filter", "status=exited", "--format", "{{.ID}} {{.Command}}"]);
        all.lines().filter(|line| line.contains("told")).map(str::to_owned).collect()
    };
    let before = steps();
    told.has("1.0.0 1.1.0 1.1.13");
    let stays = ["cannot build the image of TOOL", "the check failed", "the image that was there before is still the one that runs"];
    told.check(&["image", "update", "TOOL"], 69, &stays);
    told.check(&["run", "TOOL"], 0, &["told 1.1.0\n"]);
    told.says(&format!("npm = 'told@1.0.0'\nintegrity = 'sha512-{}=='\n", "a".repeat(86)));
    told.check(&["image", "status", "TOOL"], 0, &["1.1.0", "hint: ai image build TOOL"]);
    told.check(&["image", "build", "TOOL", "--with", &format!("{}=1.0.0", told.tool)], 69, &["told@1.0.0 is not what it was"]);
    told.check(&["run", "TOOL"], 0, &["told 1.1.0\n"]);
    assert_eq!(steps(), before);
    told.bed.nothing_left();
}

/// Asserts what the schema of CycloneDX 1.6 wants of a bill with components: its form, and that each reference is one thing's.
#[track_caller]
fn well_formed(bill: &serde_json::Value) {
    assert_eq!((&bill["bomFormat"], &bill["specVersion"], &bill["version"]), (&"CycloneDX".into(), &"1.6".into(), &1.into()));
    assert_eq!(bill["metadata"]["component"]["type"], "container");
    let known = ["type", "bom-ref", "name", "version", "purl", "licenses"];
    let mut references = std::collections::BTreeSet::new();
    for part in bill["components"].as_array().unwrap() {
        assert!(part.as_object().unwrap().keys().all(|key| known.contains(&key.as_str())) && part["type"] == "library", "{part}");
        assert!(["bom-ref", "name", "version", "purl"].iter().all(|key| part[key].as_str().is_some_and(|text| !text.is_empty())), "{part}");
        assert!(part["licenses"].as_array().is_none_or(|all| all.iter().all(|one| one["license"]["name"].is_string())), "{part}");
        assert!(references.insert(part["bom-ref"].as_str().unwrap()), "{part}");
    }
    assert!(references.len() > 100, "{}", references.len());
}

// TO-01: what a manifest must not say is refused where it stands, before any engine is asked.
#[test]
fn what_would_not_be_one_word_of_a_shell_is_refused() {
    let sandbox = Sandbox::new();
    for (install, why) in [
        ("npm = 'x@latest'", "one exact version"),
        ("npm = 'x; id@1.0.0'", "one exact version"),
        ("apt = ['$(id)']", "is no package"),
        ("pip = 'x==1.0 --index-url=https://evil.example'", "one exact version"),
        ("[install.url.x64]\nfrom = 'https://x.example/`id`'\nsha256 = 'x'", "is no URL"),
        ("base = 'x\u{a0}y'\nnpm = 'x@1.0.0'", "`install.base`: "),
        ("npn = 'x@1.0.0'", "3 | npn"),
    ] {
        sandbox.manifest("odd", &format!("command = ['odd']\n[install]\n{install}\n"));
        for words in [&["run", "odd"][..], &["image", "build", "odd"]] {
            sandbox.ai(words).outcome().refused(78, &["tools/odd.toml", why]);
        }
    }
    assert!(sandbox.calls().is_empty());
}

// TO-05: all that is wrong, with its line, in words and as JSON; what cannot run is not added.
#[test]
fn a_manifest_is_checked_before_it_is_added() {
    let sandbox = Sandbox::new();
    sandbox.write("odd.toml", "about = 'x'\ncommand = ['odd']\n[install]\nnpm = 'odd@latest'\n");
    let file = sandbox.root().join("odd.toml");
    let checked = sandbox.ai(["tools", "check", file.to_str().unwrap()]).outcome();
    assert_eq!(checked.code, 78);
    assert!(checked.out().contains("odd.toml:4: ") && checked.out().contains("one exact version; hint: "), "{}", checked.out());
    let found: serde_json::Value =
        serde_json::from_str(&sandbox.ai(["tools", "check", "--json", file.to_str().unwrap()]).outcome().out()).unwrap();
    assert_eq!((found[0]["line"].as_u64(), found[0]["fatal"].as_bool()), (Some(4), Some(true)));
    sandbox.ai(["tools", "add", file.to_str().unwrap()]).outcome().refused(78, &["odd.toml:4", "hint: ai tools check"]);
    assert!(!sandbox.store().join("tools").exists());

    sandbox.write("odd.toml", "about = 'x'\ncommand = ['odd']\n[install]\nnpm = 'odd@1.0.0'\n");
    let added = sandbox.ai(["tools", "add", file.to_str().unwrap()]).outcome();
    assert!(added.code == 0 && added.err().contains("ai image build odd"), "{}", added.err());
    let listed = sandbox.ai(["tools"]).prints();
    assert!(listed.lines().any(|line| line.starts_with("odd ") && line.contains("tools/odd.toml")), "{listed}");
    sandbox.write("odd.toml", "command = ['claude']\n");
    sandbox.ai(["tools", "add", file.to_str().unwrap()]).outcome().refused(78, &["says something else already"]);
    for (word, said) in [("claude", "built-in claude.toml: fine"), ("pi", "built-in pi.toml: fine"), ("odd", "tools/odd.toml: fine")] {
        let fine = sandbox.ai(["tools", "check", word]).succeeds();
        assert!(fine.out().is_empty() && fine.err().contains(said), "{word}: {} {}", fine.out(), fine.err());
    }
    sandbox.ai(["tools", "check", "clude"]).outcome().refused(2, &["there is no tool `clude`", "did you mean `claude`?"]);
    let fine = sandbox.ai(["tools", "check"]).outcome();
    assert!(fine.code == 0 && fine.err().contains("fine"), "{}", fine.err());
}

// TO-02, I-07: it costs nobody anything until a word adds it.
#[test]
fn a_tool_that_comes_along_is_added_by_a_word() {
    let sandbox = Sandbox::new();
    sandbox.ai(["run", "pi"]).outcome().refused(2, &["there is no tool `pi`", "hint: it comes with ai: ai tools add pi"]);
    let functions = || sandbox.ai(["init", "bash"]).prints();
    assert!(!functions().contains("pi()") && !functions().contains("opencode"), "{}", functions());
    for name in ["pi", "opencode", "copilot", "qwen", "kimi"] {
        assert_eq!(sandbox.ai(["tools", "add", name]).outcome().code, 0, "{name}");
        assert_eq!(sandbox.ai(["tools", "add", name]).outcome().code, 0, "{name}");
        assert!(functions().contains(name), "{name}");
        let argv = sandbox.plan([name, "x"]);
        assert_eq!(argv.tail()[0].to_str().unwrap(), format!("ai-tool-{name}:1"));
        assert_eq!(argv.tail().last().unwrap().to_str(), Some("x"));
        assert!(sandbox.ai(["tools", "show", name]).outcome().out().contains("[install]"), "{name}");
    }
    // It knows its conversations; it alone can read them.
    sandbox.ai(["run", "pi"]).succeeds();
    let words = sandbox.ai(["resume", "--print", "--tool", "pi", "3f2a"]).prints();
    assert!(words.ends_with(" && ai run pi -- --session 3f2a\n"), "{words}");
    sandbox.ai(["resume", "--tool", "claude", "3f2a"]).outcome().refused(1, &["there is no such conversation"]);
    // And taken away by one: a copy is kept, what is built in stays, and so does what a profile needs.
    sandbox.write("home/.docker-ai-config/tools/mine.toml", "about = 'x'\ncommand = ['mine']\nimage = 'mine:1'\n");
    sandbox.write("home/.docker-ai-config/tools/ours.toml", "profile_of = 'mine'\n");
    sandbox.ai(["tools", "remove", "mine"]).outcome().refused(78, &["ours is a profile of it", "ai tools remove ours"]);
    let mut removed = Vec::new();
    for name in ["ours", "mine", "pi"] {
        let said = sandbox.ai(["tools", "remove", name]).succeeds().err();
        removed.push(sandbox.store().join(format!("backups/tools/{name}.toml.1")));
        assert!(said.contains(removed.last().unwrap().to_str().unwrap()) && said.contains("no tool any more"), "{said}");
    }
    assert_eq!(fs::read_to_string(&removed[0]).unwrap(), "profile_of = 'mine'\n");
    assert!(!functions().contains("mine") && !functions().contains("pi()") && functions().contains("opencode"));
    sandbox.ai(["run", "pi"]).outcome().refused(2, &["ai tools add pi"]);
    sandbox.ai(["tools", "remove", "glm"]).outcome().refused(78, &["it is a part of ai", "--only"]);
    sandbox.ai(["tools", "remove", "kimmi"]).outcome().refused(2, &["there is no tool `kimmi`", "did you mean `kimi`?"]);
    sandbox.write("home/.docker-ai-config/tools/claude.toml", "profile_of = 'claude'\n");
    assert!(sandbox.ai(["tools", "remove", "claude"]).succeeds().err().contains("is again what comes with ai"));
    sandbox.ai(["tools", "add", "vim"]).outcome().refused(2, &["pi, opencode, copilot, qwen, kimi"]);
}

// TO-05: the examples are tools as they stand, and what was tried of each is in a table, with its version.
#[test]
fn every_example_can_be_added_as_it_stands() {
    let sandbox = Sandbox::new();
    let document = fs::read_to_string(Path::new(ROOT).join("docs/tools.md")).unwrap();
    let examples = files("docs/tools");
    assert!(examples.len() >= 3, "{examples:?}");
    for (path, text) in examples {
        let name = path.file_stem().unwrap().to_str().unwrap();
        let file = Path::new(ROOT).join(&path).display().to_string();
        let checked = sandbox.ai(["tools", "check", &file]).outcome();
        assert_eq!((checked.code, checked.out(), checked.err()), (0, String::new(), format!("ai: {file}: fine\n")));
        assert_eq!(sandbox.ai(["tools", "add", &file]).outcome().code, 0, "{name}");
        let argv = sandbox.plan([name, "x"]);
        assert_eq!(argv.tail()[0].to_str().unwrap(), format!("ai-tool-{name}:1"));
        assert_eq!(argv.tail().last().unwrap().to_str(), Some("x"));
        let version = text.split_once("# Tried with version ").unwrap_or_else(|| panic!("{name}")).1.split(' ').next().unwrap();
        assert!(text.contains(&format!("@{version}\"\n")) || text.contains(&format!("=={version}\"\n")), "{name}: {version}");
        assert!(document.contains(&format!("| [{name}](tools/{name}.toml) | {version} |")), "{name} {version} has no row");
    }
}
