//! The shells that people have: aliases, functions, options, and names of their own.

use crate::sandbox::Sandbox;
use crate::shells::Shell;

/// Words that nobody would find by accident.
const HELLO: &str = "hello from a test";

/// Runs `before`, loads the integration, calls `claude`, and asserts that exactly this ran.
#[track_caller]
fn check(shell: Shell, before: &str) {
    let sandbox = Sandbox::new();
    sandbox.program("claude", "#!/bin/sh\necho 'the host program'\n");
    let script = format!("{before}\n{}\neval 'claude \"{HELLO}\"'", shell.load(""));
    let outcome = sandbox.bare(shell, &script).outcome();
    assert_eq!((outcome.code, outcome.out(), outcome.err()), (0, String::new(), String::new()), "{shell:?}: {before}");
    assert_eq!(sandbox.the_run().argv.last().unwrap(), HELLO, "{shell:?}: {before}");
}

// A-03, Z-087
#[test]
fn the_function_wins_over_an_alias_of_its_name() {
    for shell in Shell::all() {
        let allow = if shell == Shell::Bash { "shopt -s expand_aliases\n" } else { "" };
        check(shell, &format!("{allow}alias claude='echo an alias'\nalias gemini=\"echo it\\'s one\"\nalias gexec=ls"));
    }
}

// Z-088
#[test]
fn the_function_replaces_one_of_its_name() {
    for shell in Shell::all() {
        check(shell, shell.text("claude() { echo another; }", "function claude; echo another; end"));
    }
}

// Z-089
#[test]
fn names_that_are_taken_do_no_harm() {
    let names = ["command", "printf", "local", "ai", "docker", "echo", "eval", "trap", "return", "test", "print", "set", "read"];
    for shell in Shell::all() {
        let allow = if shell == Shell::Bash { "shopt -s expand_aliases\n" } else { "" };
        for name in names {
            // The line that loads calls `ai` and the check calls `eval`, by their names.
            if shell != Shell::Fish && !["ai", "eval", "echo"].contains(&name) {
                check(shell, &format!("{allow}alias {name}='echo hijacked'"));
            }
            if ["docker", "printf"].contains(&name) || (name == "command" && shell != Shell::Fish) {
                check(shell, &shell.text("NAME() { echo hijacked; }", "function NAME; echo hijacked; end").replace("NAME", name));
            }
        }
    }
}

// Z-090
#[test]
fn options_of_the_user_neither_break_nor_change() {
    let zsh = [
        "set -eu -o pipefail",
        "setopt noclobber",
        "setopt noglob",
        "IFS=a",
        "setopt ksh_arrays",
        "setopt sh_word_split",
        "setopt err_return",
        "setopt warn_create_global warn_nested_var",
        "emulate sh",
        "setopt posix_builtins",
    ];
    let bash = [
        "set -eu -o pipefail",
        "set -o noclobber",
        "set -f",
        "IFS=a",
        "set -o posix",
        "shopt -s failglob nullglob",
        "set -E; trap 'echo err' ERR",
    ];
    for before in zsh {
        unchanged(Shell::Zsh, before, "setopt; unsetopt; typeset -p IFS; trap");
    }
    for before in bash {
        unchanged(Shell::Bash, before, "set +o; shopt; declare -p IFS; trap -p");
    }
    unchanged(Shell::Fish, "set -g mine 1", "set --names --global; set --names --universal; functions --handlers");
}

// Z-090, Z-082: a code that the user handles is handled, whatever the options.
#[test]
fn a_failing_tool_does_not_end_a_strict_shell() {
    let strict = |shell| if shell == Shell::Fish { "" } else { "set -eu -o pipefail\n" };
    for shell in Shell::all() {
        for tool in ["claude x", "claude --native x"] {
            let mut sandbox = Sandbox::new();
            sandbox.set("FAKE_ENGINE_DO", "exit 42");
            sandbox.program("claude", "#!/bin/sh\nexit 42\n");
            let handled = shell.text(
                "TOOL || echo \"code=$?\"; if TOOL; then :; else echo else; fi",
                "TOOL; or echo code=$status; if TOOL; else; echo else; end",
            );
            let script = format!("{}{}\n{}; echo end", strict(shell), shell.load(""), handled.replace("TOOL", tool));
            let outcome = sandbox.bare(shell, &script).outcome();
            assert_eq!((outcome.out().as_str(), outcome.err().as_str(), outcome.code), ("code=42\nelse\nend\n", "", 0), "{shell:?} {tool}");
            assert_eq!(std::fs::read_dir(sandbox.store().join("sessions")).map_or(0, Iterator::count), 0, "{shell:?} {tool}");
        }
        let sandbox = Sandbox::new();
        sandbox.program("claude", "#!/bin/sh\nexit 42\n");
        let outcome = sandbox.bare(shell, &format!("{}{}\nclaude --native", strict(shell), shell.load(""))).outcome();
        assert_eq!((outcome.code, outcome.err().as_str()), (42, ""), "{shell:?}");
    }
}

/// Asserts that a run leaves what `state` prints as it was after loading.
#[track_caller]
fn unchanged(shell: Shell, before: &str, state: &str) {
    if !Shell::all().contains(&shell) {
        return;
    }
    let sandbox = Sandbox::new();
    let script = format!("{before}\n{}\n{state}\necho boundary\nclaude '{HELLO}'\n{state}", shell.load(""));
    let outcome = sandbox.bare(shell, &script).outcome();
    assert_eq!((outcome.code, outcome.err().as_str()), (0, ""), "{shell:?}: {before}");
    let out = outcome.out();
    let (first, second) = out.split_once("boundary\n").unwrap();
    assert_eq!(first, second, "{shell:?}: {before}");
    assert_eq!(sandbox.the_run().argv.last().unwrap(), HELLO, "{shell:?}: {before}");
}

// Z-097
#[test]
fn a_dumb_terminal_is_enough() {
    for shell in Shell::all() {
        let sandbox = Sandbox::new();
        sandbox.shell(shell, "claude hello").env("TERM", "dumb").prints();
        sandbox.the_run();
    }
}

// Z-097
#[test]
fn without_a_home_the_program_says_what_to_set() {
    let sandbox = Sandbox::new();
    for args in [&["init", "zsh"][..], &["resolve", "claude"], &["sync", "in", "claude"], &["run", "claude"], &["tools"]] {
        let outcome = sandbox.ai(args).unset("HOME").outcome();
        outcome.refused(78, &["neither HOME nor AI_HOME is set", "hint: export HOME"]);
    }
    let store = sandbox.root().join("elsewhere");
    let plan = sandbox.ai(["resolve", "claude"]).unset("HOME").env("AI_HOME", &store).prints();
    assert!(plan.contains(store.to_str().unwrap()), "{plan}");
}

// Z-099: what a container could have written is not run on the host.
#[test]
fn a_project_on_path_is_not_asked_for_programs() {
    for shell in Shell::all() {
        let sandbox = Sandbox::new();
        sandbox.git_init();
        let planted = "#!/bin/sh\necho planted >&2\nexit 3\n";
        std::fs::create_dir_all(sandbox.project().join("venv/bin")).unwrap();
        std::fs::create_dir_all(sandbox.project().join("deep/down")).unwrap();
        for name in ["docker", "ai"] {
            sandbox.script(sandbox.project().join(name), planted);
        }
        // A link, which a container can turn to anything.
        let elsewhere = sandbox.script(sandbox.root().join("elsewhere"), planted);
        std::os::unix::fs::symlink(elsewhere, sandbox.project().join("venv/bin/docker")).unwrap();
        // Beside the project, by an entry that means another place in each directory.
        sandbox.script("work/beside/docker", planted);
        // A directory elsewhere that leads back.
        std::os::unix::fs::symlink(sandbox.project(), sandbox.root().join("leads-back")).unwrap();
        let project = sandbox.project().display().to_string();
        let back = sandbox.root().join("leads-back").display().to_string();
        let relative = shell.text("PATH=.::../../../beside:$PATH", "set -x PATH . '' ../../../beside $PATH");
        let absolute =
            shell.text("PATH=P:P/venv/bin:B:$PATH", "set -x PATH P P/venv/bin B $PATH").replace('P', "\u{1}").replace("\u{1}ATH", "PATH");
        let absolute = absolute.replace('\u{1}', &project).replace(":B:", &format!(":{back}:")).replace(" B ", &format!(" {back} "));
        for path in [relative, &absolute] {
            let outcome = sandbox.shell(shell, &format!("{path}; cd deep/down; claude hello")).outcome();
            assert_eq!((outcome.code, outcome.err().as_str()), (0, ""), "{shell:?} {path}");
        }
        assert_eq!(sandbox.calls().last().unwrap().argv.last().unwrap(), "hello", "{shell:?}");
        crate::hostile::stopped(&format!("programs planted first on PATH, {}", shell.name()), 2, "what lies in the project is passed over");
    }
}

// Z-100
#[test]
fn the_shell_knows_a_way_past_the_function() {
    for shell in Shell::all() {
        let sandbox = Sandbox::new();
        sandbox.program("claude", "#!/bin/sh\necho \"the host's $1\"\n");
        assert_eq!(sandbox.shell(shell, "command claude one").prints(), "the host's one\n", "{shell:?}");
        assert!(sandbox.calls().is_empty());
    }
}
