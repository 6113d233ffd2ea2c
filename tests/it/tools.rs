//! Tools by name: the host's own, those of the user, and those that do not exist.

use std::os::unix::fs::symlink;

use crate::bed::{Bed, Image};
use crate::sandbox::{AI, Sandbox, tools, tools_with_login};
use crate::shells::Shell;

/// What the host's own program prints: its arguments, each in brackets.
const HOST: &str = "#!/bin/sh\nprintf '[%s]' \"$@\"\nexit 42\n";

// I-06
#[test]
fn the_host_s_own_program_runs_when_asked_for() {
    for shell in Shell::all() {
        let sandbox = Sandbox::new();
        for tool in tools_with_login() {
            sandbox.program(tool, HOST);
            for flag in ["--native", "--local"] {
                let words = shell.text("a 'b c' '' \"it's\" --native -- '*'", "a 'b c' '' \"it's\" --native -- '*'");
                let outcome = sandbox.shell(shell, &format!("{tool} {flag} {words}")).outcome();
                assert_eq!((outcome.code, outcome.out().as_str()), (42, "[a][b c][][it's][--native][--][*]"), "{shell:?} {tool} {flag}");
                assert_eq!(outcome.err(), "");
            }
        }
        assert!(sandbox.calls().is_empty() && !sandbox.store().exists());
    }
}

// I-06: before the tool's name it is a flag of ours, and whatever stands behind that is the program's.
#[test]
fn native_is_a_flag_of_a_run_too() {
    let sandbox = Sandbox::new();
    sandbox.program("claude", HOST);
    for (words, printed) in [
        (&["--native", "claude", "a b", "--"][..], "[a b][--]"),
        (&["--local", "claude", "--", "-p", "--auto"], "[-p][--auto]"),
        (&["--native", "claude", "--native", "x"], "[x]"),
        (&["--native", "claude", "x", "--native"], "[x][--native]"),
    ] {
        let outcome = sandbox.ai(["run"].iter().chain(words)).outcome();
        assert_eq!((outcome.code, outcome.out().as_str(), outcome.err().as_str()), (42, printed, ""), "{words:?}");
    }
    assert!(sandbox.calls().is_empty() && !sandbox.store().exists());
}

// I-06
#[test]
fn a_host_program_that_is_missing_is_127() {
    for shell in Shell::all() {
        let sandbox = Sandbox::new();
        let outcome = sandbox.shell(shell, "claude --native x").outcome();
        outcome.refused(127, &["`claude` is not on PATH", "hint: install it"]);
        assert!(sandbox.calls().is_empty() && !sandbox.store().exists());
    }
}

// I-06
#[test]
fn only_the_first_word_asks_for_the_host() {
    let sandbox = Sandbox::new();
    sandbox.program("claude", HOST);
    sandbox.shell(Shell::Bash, "claude -p --native").prints();
    let argv = sandbox.the_run().argv;
    assert_eq!(argv[argv.len() - 2..], ["-p", "--native"]);
}

// I-06: a profile's own program gets its server and its key, and nothing of Anthropic's.
#[test]
fn a_profile_on_the_host_has_its_environment() {
    let mut sandbox = Sandbox::new();
    sandbox.program("claude", "#!/bin/sh\nenv\n");
    sandbox.set("ZAI_API_KEY", "made-up");
    sandbox.set("ANTHROPIC_API_KEY", "another");
    let env = sandbox.shell(Shell::Bash, "glm --native").prints();
    let has = |line: &str| env.lines().any(|found| found == line);
    assert!(has("ANTHROPIC_AUTH_TOKEN=made-up") && has("ANTHROPIC_BASE_URL=https://api.z.ai/api/anthropic"), "{env}");
    assert!(!env.contains("ANTHROPIC_API_KEY="), "{env}");
    assert!(has(&format!("CLAUDE_CONFIG_DIR={}/global_state/glm/native", sandbox.store().display())), "{env}");
}

#[test]
fn an_unknown_tool_is_named_in_the_same_words_everywhere() {
    let sandbox = Sandbox::new();
    for line in ["run claud", "resolve claud", "config claud", "login claud", "creds status claud", "sync log claud", "env claud -- true"] {
        let expected = "ai: there is no tool `claud`; there are claude, gemini, codex, glm\n\nhint: did you mean `claude`?\n";
        assert_eq!(sandbox.ai(line.split(' ')).outcome().err(), expected, "{line}");
    }
}

#[test]
fn a_broken_manifest_hides_no_other_tool() {
    let sandbox = Sandbox::new();
    sandbox.manifest("broken", "about = \n");
    std::fs::create_dir(sandbox.store().join("tools/odd.toml")).unwrap();
    let outcome = sandbox.ai(["tools"]).outcome();
    assert_eq!(outcome.code, 78);
    assert!(["claude", "glm"].iter().all(|name| outcome.out().lines().any(|line| line.starts_with(name))), "{}", outcome.out());
    assert!(outcome.err().contains("broken.toml") && outcome.err().contains("odd.toml"), "{}", outcome.err());
}

// I-07
#[test]
fn a_tool_that_is_only_a_manifest_has_everything_that_a_tool_has() {
    let sandbox = Sandbox::new();
    let state = "[state]\nhome = { at = '/home/ai/.qwen', env = 'QWEN_HOME' }\nlogin = { at = '/ai/shared/login' }\n";
    sandbox.manifest("qwen", &format!("about = 'Qwen'\ncommand = ['qwen']\n[env]\npass = ['QWEN_KEY']\n{state}"));
    let list = sandbox.ai(["tools"]).prints();
    assert!(list.lines().any(|line| line.starts_with("qwen ") && line.contains("tools/qwen.toml")), "{list}");
    sandbox.ai(["run", "qwen", "x"]).prints();
    let argv = sandbox.plan(["qwen", "x"]);
    assert_eq!(argv.tail()[1..], ["qwen", "x"]);
    let home = argv.source_of("/home/ai/.qwen").unwrap();
    assert!(home.contains("/global_state/qwen/projects/proj-") && std::path::Path::new(&home).is_dir(), "{home}");
}

// I-08
#[test]
fn a_tool_that_does_not_exist_is_answered_with_those_that_do() {
    let sandbox = Sandbox::new();
    for command in [&["run", "cluade", "x"][..], &["resolve", "cluade", "x"], &["sync", "in", "cluade"], &["env", "cluade", "x"]] {
        sandbox.ai(command).outcome().refused(2, &["`cluade`", "claude, gemini, codex, glm", "hint: did you mean `claude`?"]);
    }
    sandbox.ai(["run", "terraform"]).outcome().refused(2, &["`terraform`", "tools/NAME.toml"]);
    assert!(!sandbox.store().exists() && sandbox.calls().is_empty());
}

// I-09
#[test]
fn a_link_with_a_tool_s_name_is_the_tool() {
    let sandbox = Sandbox::new();
    symlink(AI, sandbox.root().join("bin/claude")).unwrap();
    let outcome = sandbox.run("claude").args(["-p", "--", "--version", ""]).env("FAKE_ENGINE_DO", "exit 42").outcome();
    assert_eq!((outcome.code, outcome.err().as_str()), (42, ""));
    let argv = sandbox.the_run().argv;
    assert_eq!(argv[argv.len() - 5..], ["claude", "-p", "--", "--version", ""]);
    // The link is not the host's own program.
    sandbox.run("claude").args(["--native"]).outcome().refused(127, &["`claude` is not on PATH"]);
}

// K-01, K-02, K-03
#[test]
fn any_command_runs_in_the_workspace() {
    let Some(bed) = Bed::new(Image::Busybox) else { return };
    std::fs::write(bed.project().join("README.md"), "read me\n").unwrap();
    for shell in Shell::all() {
        assert_eq!(bed.shell(shell, "gexec echo 'Hello from AI container'").prints(), "Hello from AI container\n");
    }
    let gexec = |line: &str| bed.shell(Shell::Bash, line).prints();
    assert!(gexec("gexec ls -la README.md").ends_with("README.md\n"));
    assert_eq!(gexec("gexec --shell \"find . -name '*.md' | wc -l\"").trim(), "1");
    assert_eq!(gexec("gexec --shell 'pwd; whoami; echo written > made; cat made'").lines().skip(2).collect::<Vec<_>>(), ["written"]);
    assert!(gexec("gexec pwd").starts_with("/workspace/proj"));
    assert_eq!(std::fs::read_to_string(bed.project().join("made")).unwrap(), "written\n");
    assert_eq!(crate::bed::owner(bed.project().join("made")), (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw()));
    bed.nothing_left();
}

// K-04
#[test]
fn no_command_and_no_terminal_is_a_mistake() {
    for shell in Shell::all() {
        let sandbox = Sandbox::new();
        let outcome = sandbox.shell(shell, "gexec").outcome();
        outcome.refused(2, &["there is no command", "hint: gexec CMD ARGS"]);
        assert!(sandbox.calls().is_empty(), "{shell:?}");
        assert_eq!(std::fs::read_dir(sandbox.store().join("sessions")).unwrap().count(), 0, "{shell:?}");
    }
}

// K-07
#[test]
fn a_command_touches_no_login() {
    let sandbox = Sandbox::new();
    sandbox.write("home/.claude/.credentials.json", "{}");
    let run = || sandbox.shell(Shell::Bash, "gexec true").prints();
    run();
    let state = sandbox.store().join("global_state");
    for tool in tools().chain(["exec"]) {
        assert!(!state.join(tool).exists(), "{tool}");
    }
    assert!(sandbox.the_run().argv.iter().all(|word| !word.to_str().unwrap().contains("/ai/shared")));
}

// The tests have a list of their own, so that none is left out of their tables.
#[test]
fn every_built_in_tool_is_in_the_tables_of_the_tests() {
    let list = Sandbox::new().ai(["tools"]).prints();
    let named: Vec<&str> = list.lines().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(named, tools().collect::<Vec<_>>(), "{list}");
}
