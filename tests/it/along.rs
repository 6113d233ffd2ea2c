//! What a person has beside their settings comes along: plugins, extensions, skills, scripts with their neighbours.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use crate::bed::{Bed, Image, owner};
use crate::require::need;
use crate::sandbox::{AI, Sandbox, find_program};

/// The mounts of a run, as `source → target` with `, readonly` where it is.
fn mounts(sandbox: &Sandbox, tool: &str) -> Vec<String> {
    sandbox.plan([tool, "x"]).values("--mount")
}

#[track_caller]
fn mounted(sandbox: &Sandbox, tool: &str, source: &Path, target: impl AsRef<Path>) {
    let expected = format!("type=bind,source={},target={},readonly", source.display(), target.as_ref().display());
    assert!(mounts(sandbox, tool).contains(&expected), "{expected} in {:#?}", mounts(sandbox, tool));
}

/// The home of a tool in the one project of a sandbox, after a run.
fn home(sandbox: &Sandbox, tool: &str) -> PathBuf {
    let outcome = sandbox.ai(["run", tool, "true"]).outcome();
    assert_eq!(outcome.code, 0, "{}", outcome.err());
    let projects = sandbox.store().join("global_state").join(tool).join("projects");
    fs::read_dir(projects).unwrap().next().unwrap().unwrap().path().join("home")
}

// SE-02, T8
#[test]
fn plugins_and_their_marketplaces_are_there_by_the_hosts_spelling() {
    let mut sandbox = Sandbox::new();
    sandbox.set("ZAI_API_KEY", "made-up");
    let plugins = sandbox.home().join(".claude/plugins");
    let installed = plugins.join("cache/shop/hello/1.0.0");
    sandbox.write(installed.join("plugin.json"), "{}");
    sandbox.write(plugins.join("marketplaces/shop/x"), "");
    let shelf = sandbox.write("home/shelf/m.json", "{}").parent().unwrap().to_owned();
    let known = json!({"shop": {"source": {"source": "github"}}, "shelf": {"source": {"source": "directory", "path": shelf}}});
    sandbox.write(plugins.join("known_marketplaces.json"), known.to_string());
    let record = json!({"version": 2, "plugins": {"hello@shop": [{"scope": "user", "installPath": installed}]}});
    sandbox.write(plugins.join("installed_plugins.json"), record.to_string());

    for directory in ["cache", "marketplaces"] {
        mounted(&sandbox, "claude", &plugins.join(directory), plugins.join(directory));
    }
    mounted(&sandbox, "claude", &shelf, &shelf);
    let home = home(&sandbox, "claude");
    assert!(home.join("plugins/cache").is_dir());
    assert!(fs::read_to_string(home.join("plugins/installed_plugins.json")).unwrap().contains("hello@shop"));
    // Another account has plugins of its own.
    assert!(!mounts(&sandbox, "glm").iter().any(|mount| mount.contains("plugins")));
}

// SE-03, T11, T12
#[test]
fn extensions_skills_and_the_key_of_gemini_and_codex_are_there() {
    let sandbox = Sandbox::new();
    let extension = sandbox.write("home/.gemini/extensions/scarf/gemini-extension.json", "{}").parent().unwrap().to_owned();
    let key = sandbox.write("home/.gemini/.env", "GEMINI_API_KEY=made-up\n");
    let skills = sandbox.write("home/.agents/skills/knit/SKILL.md", "x").parent().unwrap().parent().unwrap().to_owned();
    sandbox.write("home/.codex/skills/sew/SKILL.md", "x");
    sandbox.write("home/.codex/skills/.system/own/SKILL.md", "the program's");
    let instructions = sandbox.write("home/notes/model.md", "x");
    sandbox.write("home/.codex/config.toml", format!("model_instructions_file = \"{}\"\n", instructions.display()));

    mounted(&sandbox, "gemini", &extension, "/home/ai/.gemini/extensions/scarf");
    mounted(&sandbox, "gemini", &key, "/home/ai/.gemini/.env");
    mounted(&sandbox, "gemini", &skills, "/home/ai/.agents/skills");
    mounted(&sandbox, "codex", &skills, "/home/ai/.agents/skills");
    mounted(&sandbox, "codex", &instructions, &instructions);
    let gemini = home(&sandbox, "gemini");
    assert!(gemini.join("extensions/scarf").is_dir());
    assert_eq!(fs::read(gemini.join(".env")).unwrap(), b"", "a key stays where it is");
    let codex = home(&sandbox, "codex");
    assert!(codex.join("skills/sew/SKILL.md").is_file() && !codex.join("skills/.system").exists());
}

// SE-02
#[test]
fn a_script_has_its_neighbours_however_many_they_are() {
    let sandbox = Sandbox::new();
    for path in ["hooks/guard.sh", "hooks/lib/words.sh", "hooks/run.log", "server/index.js", "line.sh"] {
        sandbox.write(format!("home/.claude/{path}"), "x");
    }
    for number in 0..100 {
        sandbox.write(format!("home/.claude/server/node_modules/{number}/index.js"), "x");
    }
    let command = |path: &str| json!([{"hooks": [{"type": "command", "command": format!("~/.claude/{path}")}]}]);
    let settings = json!({"hooks": {"PreToolUse": command("hooks/guard.sh"), "Stop": command("server/index.js")}, "apiKeyHelper": "~/.claude/line.sh"});
    sandbox.write("home/.claude/settings.json", settings.to_string());
    let copy = home(&sandbox, "claude");
    assert!(copy.join("hooks/lib/words.sh").is_file() && copy.join("line.sh").is_file());
    assert!(!copy.join("hooks/run.log").exists(), "what a script writes is of the place where it runs");
    let server = sandbox.home().join(".claude/server");
    for target in [server.clone(), "/home/ai/.claude/server".into()] {
        mounted(&sandbox, "claude", &server, target);
    }
    let said = sandbox.ai(["run", "claude", "x"]).outcome().err();
    assert_eq!(said, "", "everything is there");
}

// BO-01: what settings name is judged by where it leads, and holds nothing but itself.
#[test]
fn what_leads_to_keys_or_holds_the_home_never_comes_along() {
    let sandbox = Sandbox::new();
    sandbox.write("home/.ssh/id_ed25519", "KEY");
    sandbox.write("home/.claude/CLAUDE.md", "@~/notes/link.md @~/work.md\n");
    sandbox.write("home/notes/x", "");
    symlink(sandbox.home().join(".ssh/id_ed25519"), sandbox.home().join("notes/link.md")).unwrap();
    // What lies in the project, a container can lead elsewhere.
    let inner = sandbox.write(sandbox.project().join("inner.md"), "x");
    symlink(&inner, sandbox.home().join("work.md")).unwrap();
    for path in [sandbox.home(), sandbox.root(), "/".into(), "/etc".into(), sandbox.store(), sandbox.home().join(".ssh")] {
        let known = json!({"all": {"source": {"source": "directory", "path": path}}});
        sandbox.write("home/.claude/plugins/known_marketplaces.json", known.to_string());
        let of_person: Vec<String> = mounts(&sandbox, "claude").into_iter().filter(|mount| !mount.contains(".docker-ai-config")).collect();
        assert!(of_person.len() == 1 && of_person[0].contains("target=/workspace/proj"), "{path:?}: {of_person:?}");
    }
}

// SE-02, SE-03: also where the engine has no root, and the person is another user inside.
#[test]
fn what_comes_along_can_be_read_and_not_written_without_root() {
    for bed in [Bed::rootless("docker"), Bed::rootless("podman")].into_iter().flatten() {
        bed.write("home/.gemini/extensions/scarf/gemini-extension.json", "of the host\n");
        bed.write("home/.agents/skills/knit/SKILL.md", "a skill\n");
        let script = "cat ~/.gemini/extensions/scarf/gemini-extension.json ~/.agents/skills/knit/SKILL.md; \
                      for at in ~/.gemini/extensions/scarf ~/.agents/skills/knit; do echo x 2>/dev/null >$at/made && echo written; done; echo x >~/.gemini/own && echo own";
        let outcome = bed.ai(["run", "gemini", "--", "sh", "-c", script]).outcome();
        assert_eq!((outcome.code, outcome.out().as_str()), (0, "of the host\na skill\nown\n"), "{}: {}", bed.engine, outcome.err());
        bed.nothing_left();
    }
}

// SE-02, SE-03: the same words natively and inside, in what the real tools ask; the documentation has the same rows.
#[test]
fn the_real_tools_see_the_same_natively_and_inside() {
    let Some(bed) = Bed::new(Image::Tools) else { return };
    let Some(python) = need("python3", find_program("python3")) else { return };
    let is_root = rustix::process::getuid().is_root();
    if need("root", is_root.then_some(())).is_none() {
        return;
    }
    drop(bed);
    let compared =
        Command::new(python).args([concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bed/compare"), "--first"]).env("AI", AI).output().unwrap();
    let (rows, said) = (String::from_utf8_lossy(&compared.stdout), String::from_utf8_lossy(&compared.stderr));
    assert!(compared.status.success(), "{rows}\n{said}");
    let documented = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/state.md")).unwrap();
    let rows: Vec<&str> = rows.lines().skip(2).collect();
    assert!(rows.len() > 20);
    for row in rows {
        assert!(documented.lines().any(|line| line == row), "{row}: tests/bed/compare");
    }
}

// SE-02: mount points are made as the person, who can remove them again.
#[test]
fn places_of_what_comes_along_belong_to_the_person() {
    let Some(mut bed) = Bed::new(Image::Busybox) else { return };
    if rustix::process::getuid().is_root() && !bed.as_user(1000) {
        return;
    }
    bed.write("home/.gemini/extensions/scarf/x", "FROM-EXTENSION");
    bed.write("home/.gemini/.env", "FROM-ENV");
    let answer =
        bed.ai(["run", "gemini", "sh", "-c", "cat ~/.gemini/extensions/scarf/x ~/.gemini/.env; touch ~/.gemini/extensions/own"]).prints();
    assert_eq!(answer, "FROM-EXTENSIONFROM-ENV");
    let home = home(&bed, "gemini");
    for path in ["extensions", "extensions/scarf", "extensions/own", ".env"] {
        assert_eq!(owner(home.join(path)), owner(bed.project()), "{path}");
    }
}
