//! What skills, commands, agents and rules name: their heads have hooks, their texts run programs and import files.

use std::fs;

use serde_json::json;

use crate::process::Outcome;
use crate::sandbox::Sandbox;

/// A document whose head has a hook that guards.
fn document(command: &str) -> String {
    let hook =
        format!("hooks:\n  PreToolUse:\n    - matcher: Bash\n      hooks:\n        - type: command\n          command: \"{command}\"\n");
    format!("---\nname: x\ndescription: Use when: it is cold\n{hook}---\nBODY\n")
}

fn run(sandbox: &Sandbox) -> Outcome {
    sandbox.ai(["run", "claude", "x"]).outcome()
}

const PLACES: [&str; 3] = ["skills/knit/SKILL.md", "commands/deep/mend.md", "agents/deep/cutter.md"];

// SE-04: the real program runs such hooks, and goes on where they cannot be started.
#[test]
fn a_guard_in_a_head_stops_the_run_until_it_is_inside() {
    for place in PLACES {
        let sandbox = Sandbox::new();
        sandbox.script("home/bin/guard.sh", "#!/bin/sh\nexit 2\n");
        let file = sandbox.write(format!("home/.claude/{place}"), document("~/bin/guard.sh"));
        run(&sandbox)
            .refused(77, &[&format!("its PreToolUse hook of {place} guards"), "bin/guard.sh` is not in the container", "AI_MOUNTS="]);
        let agreed = sandbox.ai(["run", "claude", "x"]).env("AI_ALLOW_MISSING_GUARDS", "1").outcome();
        assert_eq!(agreed.code, 0, "{}", agreed.err());
        let let_in = sandbox.ai(["run", "--mount", "~/bin", "claude", "x"]).outcome();
        assert_eq!((let_in.code, let_in.err().as_str()), (0, ""), "{place}");
        // A script below the tool's own directory comes along.
        sandbox.script("home/.claude/scripts/guard.sh", "#!/bin/sh\nexit 2\n");
        fs::write(&file, document("$HOME/.claude/scripts/guard.sh")).unwrap();
        let outcome = run(&sandbox);
        assert_eq!((outcome.code, outcome.err().as_str()), (0, ""), "{place}");
        // What ran inside cannot take it out for good.
        let projects = sandbox.store().join("global_state/claude/projects");
        let home = fs::read_dir(projects).unwrap().next().unwrap().unwrap().path().join("home");
        assert!(home.join("scripts/guard.sh").is_file());
        fs::write(home.join(place), "---\nname: x\n---\nBODY\n").unwrap();
        run(&sandbox).refused(77, &["your PreToolUse hook of ", place, " guards, and this project's settings do not have it"]);
        // A head in which nothing can be found may have hooks all the same.
        fs::remove_dir_all(&home).unwrap();
        fs::write(&file, "---\nhooks: {[\n---\n").unwrap();
        run(&sandbox).refused(77, &[place, "may name what guards, and cannot be read: its head is no YAML"]);
    }
}

// SE-04: those of the project and of a plugin as well.
#[test]
fn a_guard_in_a_head_of_the_project_or_of_a_plugin_stops_the_run() {
    for place in PLACES {
        let sandbox = Sandbox::new();
        sandbox.write(sandbox.project().join(".claude").join(place), document("/srv/guard"));
        let hook = format!("its PreToolUse hook of .claude/{place} guards");
        let told = [hook.as_str(), "nor on your machine", "take it out of the settings"];
        run(&sandbox).refused(77, &told);
    }
    let sandbox = Sandbox::new();
    let plugin = sandbox.home().join(".claude/plugins/cache/shop/hello/1.0.0");
    sandbox.write(plugin.join("skills/say/SKILL.md"), document("${CLAUDE_SKILL_DIR}/../../bin/guard && /srv/guard"));
    let record = json!({"version": 2, "plugins": {"hello@shop": [{"scope": "user", "installPath": plugin}]}});
    sandbox.write("home/.claude/plugins/installed_plugins.json", record.to_string());
    for (is_on, code) in [(true, 77), (false, 0)] {
        sandbox.write("home/.claude/settings.json", json!({"enabledPlugins": {"hello@shop": is_on}}).to_string());
        let outcome = run(&sandbox);
        assert_eq!(outcome.code, code, "{}", outcome.err());
        assert_eq!(outcome.err().contains("hook of skills/say/SKILL.md of hello@shop"), is_on, "{}", outcome.err());
    }
}

// SE-02: what is not there natively either is no difference; the rest is one line.
#[test]
fn programs_that_documents_run_are_named_before_the_run() {
    let sandbox = Sandbox::new();
    sandbox.script("home/bin/weather", "#!/bin/sh\n");
    let text = "Now !`~/bin/weather` and !`~/bin/none`\n```!\ncat ~/bin/weather\n```\n";
    sandbox.write("home/.claude/commands/go.md", text);
    // Nobody runs what stands in an agent.
    sandbox.write("home/.claude/agents/a.md", "Now !`~/bin/weather`\n");
    let said = run(&sandbox).err();
    assert_eq!(said.matches("not in the container").count(), 1, "{said}");
    assert!(said.contains("bin/weather` (command of commands/go.md)") && !said.contains("none") && !said.contains("agents"), "{said}");
    assert_eq!(run(&sandbox).err(), "", "once a project");
    let let_in = sandbox.ai(["run", "--mount", "~/bin", "claude", "x"]).outcome();
    assert_eq!((let_in.code, let_in.err().as_str()), (0, ""));
}

// SE-02: what is let in, or run by `ai exec`, and is of another system or processor.
#[test]
fn programs_that_no_container_runs_are_said_before_the_run() {
    let sandbox = Sandbox::new();
    let mac = sandbox.write("home/bin/mac", [0xcf, 0xfa, 0xed, 0xfe, 0, 0]);
    let riscv = sandbox.write("home/bin/riscv", [&b"\x7fELF\x02\x01\x01"[..], &[0; 9], &[2, 0, 243, 0]].concat());
    let own = sandbox.home().join("bin/own");
    fs::copy(crate::sandbox::AI, &own).unwrap();
    let [mac, riscv, own] = [mac, riscv, own].map(|path| path.to_str().unwrap().to_owned());
    let let_in = ["--mount", &mac, "--mount", &riscv, "--mount", &own];
    let said = |words: &[&str]| sandbox.ai([&["run"], &let_in[..], words].concat()).outcome().err();
    let claude = said(&["claude", "x"]);
    for path in [&mac, &riscv] {
        assert!(claude.contains(&format!("`{path}`, a program of another system or processor, (mount)")), "{claude}");
    }
    assert!(claude.lines().count() == 1 && !claude.contains(&own), "{claude}");
    assert_eq!(said(&["claude", "x"]), "", "once a project");
    // Loaded by what no image with glibc has, unless it is let in; found by its name, too, where a PATH of the person's has it.
    let mut program = fs::read(crate::sandbox::AI).unwrap();
    let loader = b"/lib64/ld-linux-x86-64.so.2\0";
    if let Some(at) = program.windows(loader.len()).position(|bytes| bytes == loader) {
        program[at..at + loader.len()].copy_from_slice(b"/nix/store/x/lib/ld-linux.s\0");
        let bin = sandbox.home().join("bin");
        let path = format!("PATH=/usr/local/bin:/usr/bin:{}", bin.display());
        for (name, typed) in [("by-path", bin.join("by-path").to_str().unwrap()), ("by-name", "by-name")] {
            fs::write(bin.join(name), &program).unwrap();
            let expected = format!("`/nix/store/x/lib/ld-linux.s`, which `{}` is run by, (command)", bin.join(name).display());
            let err = sandbox.ai(["exec", "--mount", "~/bin", "--env", &path, "--", typed]).outcome().err();
            assert!(err.contains(&expected), "{name}: {err}");
        }
        sandbox.write("home/nix/ld-linux.s", "");
        sandbox.config("mounts = [{ path = '~/nix', at = '/nix/store/x/lib' }]");
        fs::write(bin.join("let-in"), &program).unwrap();
        assert_eq!(sandbox.ai(["exec", "--mount", "~/bin", "--", bin.join("let-in").to_str().unwrap()]).outcome().err(), "");
    }
    let exec = |path: &str| sandbox.ai(["exec", "--mount", "~/bin", "--", path]).outcome().err();
    assert!(exec(&riscv).contains("another system or processor, (command)") && exec(&own).is_empty());
}

// SE-03, T11, T12: what commands of gemini run, variables that settings name, and files of variables beside the tools' own.
#[test]
fn variables_and_programs_of_gemini_and_codex_are_named_before_the_run() {
    let mut sandbox = Sandbox::new();
    sandbox.script("home/bin/weather", "#!/bin/sh\n");
    sandbox.write("home/.gemini/commands/go.toml", "prompt = \"Now !{~/bin/weather}\"\n");
    sandbox.write(
        "home/.gemini/settings.json",
        json!({"mcpServers": {"a": {"command": "node", "env": {"X": "$KEY_A", "Y": "${KEY_B}"}}}}).to_string(),
    );
    sandbox.write("home/.env", "GEMINI_API_KEY=made-up\n");
    sandbox.write("home/.codex/config.toml", "[model_providers.own]\nname = 'own'\nenv_key = 'KEY_A'\n");
    sandbox.set("KEY_A", "made-up");
    let said = |tool: &str, let_in: &[&str]| sandbox.ai([&["run"], let_in, &[tool, "x"]].concat()).outcome().err();
    let gemini = said("gemini", &[]);
    for named in ["bin/weather` (command of commands/go.toml)", "/.env` (variables)", "the variable `KEY_A` (MCP server)"] {
        assert!(gemini.contains(named), "{named}: {gemini}");
    }
    assert!(!gemini.contains("KEY_B"), "it is not set on the host either: {gemini}");
    assert_eq!(said("gemini", &["--mount", "~/bin", "--mount", "~/.env", "--env", "KEY_A"]), "");
    let codex = said("codex", &[]);
    assert!(codex.contains("the variable `KEY_A` (key of a model provider); hint: pass it: `env = { pass = [\"KEY_A\"] }`"), "{codex}");
    assert_eq!(said("codex", &["--env", "KEY_A"]), "");
    // The tool takes the one in its own directory.
    sandbox.write("home/.gemini/.env", "GEMINI_API_KEY=made-up\n");
    assert!(!said("gemini", &[]).contains("(variables)"));
}

// SE-02, T7
#[test]
fn imports_of_rules_commands_and_skills_are_there_by_both_spellings() {
    let sandbox = Sandbox::new();
    let mut expected = Vec::new();
    for (place, file) in [("rules/deep/r.md", "r.md"), ("commands/c.md", "c.md"), ("skills/knit/SKILL.md", "s.md")] {
        sandbox.write(format!("home/.claude/{place}"), format!("See @~/notes/{file} and @~/.ssh/key.pub\n"));
        expected.push(sandbox.write(format!("home/notes/{file}"), "x"));
    }
    sandbox.write("home/.ssh/key.pub", "x");
    sandbox.write("home/.claude/CLAUDE.md", format!("@{}/notes/spelled.md\n", sandbox.home().display()));
    expected.push(sandbox.write("home/notes/spelled.md", "x"));
    let mounts = sandbox.plan(["claude", "x"]).values("--mount");
    for path in expected {
        for target in [path.clone(), std::path::Path::new("/home/ai").join(path.strip_prefix(sandbox.home()).unwrap())] {
            let mount = format!("type=bind,source={},target={},readonly", path.display(), target.display());
            assert!(mounts.contains(&mount), "{mount} in {mounts:#?}");
        }
    }
    let said = run(&sandbox).err();
    assert!(said.contains(".ssh/key.pub` (import)") && said.matches("(import)").count() == 1, "what cannot come is said: {said}");
}

// SE-04: where the person has turned hooks off, none of them guards; what ran inside cannot turn them off.
#[test]
fn hooks_that_are_off_stop_nothing() {
    let sandbox = Sandbox::new();
    let settings = |is_off: bool| {
        let hook =
            json!([{"hooks": [{"type": "command", "command": "~/.claude/hooks/guard.sh"}, {"type": "command", "command": "/srv/guard"}]}]);
        json!({"disableAllHooks": is_off, "hooks": {"PreToolUse": hook}}).to_string()
    };
    sandbox.script("home/.claude/hooks/guard.sh", "#!/bin/sh\n");
    for (is_off, code) in [(true, 0), (false, 77)] {
        sandbox.write("home/.claude/settings.json", settings(is_off));
        assert_eq!(run(&sandbox).code, code, "{is_off}");
    }
    sandbox.write("home/.claude/settings.json", settings(false).replace("/srv/guard", "true"));
    assert_eq!(run(&sandbox).code, 0);
    let projects = sandbox.store().join("global_state/claude/projects");
    let inside = fs::read_dir(projects).unwrap().next().unwrap().unwrap().path().join("home/settings.json");
    let text = fs::read_to_string(&inside).unwrap();
    assert!(text.contains("\"disableAllHooks\": false") || text.contains("\"disableAllHooks\":false"), "{text}");
    fs::write(
        &inside,
        text.replace("disableAllHooks\": false", "disableAllHooks\": true").replace("disableAllHooks\":false", "disableAllHooks\":true"),
    )
    .unwrap();
    run(&sandbox).refused(77, &["your PreToolUse hook guards, and this project's settings do not have it"]);
}

// SE-04: what the hint says lets a guard in by the spelling of the settings, too.
#[test]
fn what_is_let_in_from_the_home_is_there_as_the_home_inside_spells_it() {
    let sandbox = Sandbox::new();
    let guard = sandbox.script("home/bin/guard.sh", "#!/bin/sh\nexit 2\n");
    let at = |options: &[&str]| {
        let mounts = sandbox.plan_with(options, ["claude", "x"]).values("--mount");
        let of_guard = |mount: &String| mount.contains(&format!("source={}", guard.parent().unwrap().display()));
        mounts.into_iter().filter(of_guard).map(|mount| mount.split("target=").nth(1).unwrap().to_owned()).collect::<Vec<_>>()
    };
    let bin = sandbox.home().join("bin");
    assert_eq!(at(&["--mount", "~/bin"]), [format!("{},readonly", bin.display()), "/home/ai/bin,readonly".into()]);
    assert_eq!(at(&["--mount", "~/bin:rw"]), [bin.display().to_string(), "/home/ai/bin".into()]);
    sandbox.config("mounts = [{ path = '~/bin', at = '/home/ai/.local' }, { path = '~/bin/guard.sh', at = '/opt/guard' }]\n");
    assert_eq!(at(&[]), ["/home/ai/.local,readonly", "/opt/guard,readonly"], "another place is that place alone");
    // What is inside of it hides nothing of ours.
    fs::create_dir_all(sandbox.home().join("x/.ssh")).unwrap();
    sandbox.config("mounts = ['~/bin', { path = '~/x', at = '/home/ai/bin' }]\n");
    assert_eq!(at(&[]), [format!("{},readonly", bin.display())]);
}

// BO-05, BO-06: a repository, or what ran in a container, leaves more documents than memory has room for.
#[test]
fn more_documents_than_anybody_reads_end_in_a_line() {
    for is_inside in [false, true] {
        let sandbox = Sandbox::new();
        let place = if is_inside {
            run(&sandbox).succeeds();
            let projects = sandbox.store().join("global_state/claude/projects");
            fs::read_dir(projects).unwrap().next().unwrap().unwrap().path().join("home/commands")
        } else {
            sandbox.project().join(".claude/commands")
        };
        fs::create_dir_all(&place).unwrap();
        for number in 0..64 {
            fs::File::create(place.join(format!("c{number:02}.md"))).unwrap().set_len(8 << 20).unwrap();
        }
        let outcome = sandbox.run("sh").args(["-c", "ulimit -v 400000; exec ai run claude x"]).outcome();
        outcome.refused(77, &["commands/c08.md", "may name what guards, and cannot be read: there is too much beside it"]);
    }
}

// BO-13, BO-19: what a repository names may be any file of the person's, and as much as it likes.
#[test]
fn what_a_project_names_is_said_in_short_and_nobody_is_told_to_let_it_in() {
    let sandbox = Sandbox::new();
    let stop = |commands: &[String]| {
        let hooks: Vec<_> = commands.iter().map(|command| json!({"type": "command", "command": command})).collect();
        json!({"hooks": {"Stop": [{"hooks": hooks}]}}).to_string()
    };
    let commands: Vec<String> = (0..2000).map(|number| format!("~/keys/{number}")).collect();
    for number in 0..2000 {
        sandbox.write(format!("home/keys/{number}"), "");
    }
    sandbox.write(sandbox.project().join(".claude/settings.json"), stop(&commands));
    let said = run(&sandbox).err();
    assert!(said.contains("keys/0` (Stop hook of .claude/settings.json)") && said.contains("and 1994 more"), "{said}");
    assert!(said.contains("hint: none of your own settings name it") && !said.contains("AI_MOUNTS=") && said.len() < 2000, "{said}");
    // So with what a container adds to its home; what the person's own settings name is theirs to let in.
    sandbox.write("home/.claude/settings.json", stop(&["~/keys/1".into()]));
    let said = run(&sandbox).err();
    assert!(said.contains("AI_MOUNTS=") && said.contains("keys/1") && !said.contains("/keys/2 "), "{said}");
}
