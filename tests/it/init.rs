//! What `ai init` prints, in the shells that read it.

use std::fs;

use crate::sandbox::{AI, Sandbox, tools, tree};
use crate::shells::Shell;

//
#[test]
fn every_function_is_there_and_nothing_is_said() {
    for shell in Shell::all() {
        let sandbox = Sandbox::new();
        assert_eq!(sandbox.shell(shell, "true").prints(), "");
        for name in tools().chain(["gexec"]) {
            let kind = sandbox.shell(shell, &format!("type {name}")).prints();
            assert!(kind.contains("function"), "{shell:?} {name}: {kind}");
        }
    }
}

// Z-099: another directory has another `./ai`.
#[test]
fn the_program_is_named_by_an_absolute_path() {
    let sandbox = Sandbox::new();
    std::os::unix::fs::symlink(AI, sandbox.project().join("ai")).unwrap();
    let bin = sandbox.root().join("bin");
    for path in [".", ""] {
        let script = sandbox.ai(["init", "bash"]).env("PATH", format!("{path}:{}", bin.display())).prints();
        assert!(script.contains(&format!("\n__ai_bin={}/ai\n", bin.display())), "{path:?}: {script}");
    }
}

/// Prints what loading must not change.
fn state(shell: Shell) -> &'static str {
    match shell {
        Shell::Zsh => "env; pwd; setopt; unsetopt; trap; alias",
        Shell::Bash => "env; pwd; set +o; shopt; trap -p; alias",
        Shell::Fish => "env; pwd; set --export --names; status features",
    }
}

//
#[test]
fn loading_changes_nothing_else() {
    for shell in Shell::all() {
        let sandbox = Sandbox::new();
        // Some shells make directories of their own when they first start.
        sandbox.bare(shell, "true").prints();
        let home = tree(&sandbox.home());
        let (state, status) = (state(shell), shell.text("$?", "$status"));
        let script = format!("{state}\necho boundary\n{}\necho {status} | grep -qx 0 && {state}", shell.load(""));
        let printed = sandbox.bare(shell, &script).prints();
        let (before, after) = printed.split_once("boundary\n").unwrap();
        assert_eq!(before, after, "{shell:?}");
        assert_eq!(home, tree(&sandbox.home()), "{shell:?}");
    }
}

// A-04, Z-092
#[test]
fn loading_twice_is_loading_once() {
    for shell in Shell::all() {
        let sandbox = Sandbox::new();
        let all = shell.text("typeset -f; alias", "functions --names --all | sort; functions claude __ai_run");
        let (once, twice) = (shell.load(""), format!("{0}\n{0}", shell.load("")));
        let once = sandbox.bare(shell, &format!("{once}\n{all}")).prints();
        assert_eq!(once, sandbox.bare(shell, &format!("{twice}\n{all}")).prints(), "{shell:?}");
        // In a shell that was started from one that had loaded it, too.
        let nested = format!("{} {} -c '{twice}\n{all}'", shell.name(), shell.plain().join(" "));
        assert_eq!(once, sandbox.shell(shell, &nested).prints(), "{shell:?}");
    }
}

// A-05, Z-093
#[test]
fn a_shell_without_an_rc_file_has_the_tool_itself() {
    for shell in Shell::all() {
        let sandbox = Sandbox::new();
        assert_eq!(sandbox.bare(shell, "claude").outcome().code, 127, "{shell:?}");
        sandbox.program("claude", "#!/bin/sh\necho \"the host's $1\"\n");
        assert_eq!(sandbox.bare(shell, "claude one").prints(), "the host's one\n", "{shell:?}");
    }
}

// A-08, I-07
#[test]
fn a_tool_in_the_configuration_has_a_function_in_the_next_shell() {
    for shell in Shell::all() {
        let sandbox = Sandbox::new();
        sandbox.manifest("qwen", "about = 'Qwen'\ncommand = ['qwen', '--yes']\n");
        sandbox.shell(shell, "qwen hello").prints();
        let argv = sandbox.the_run().argv;
        assert_eq!(argv[argv.len() - 3..], ["qwen", "--yes", "hello"], "{shell:?}");
    }
}

/// The functions that this shell has of ours, by name.
fn functions(sandbox: &Sandbox, shell: Shell, args: &str) -> Vec<String> {
    let known = tools().chain(["gexec"]).flat_map(|name| [name.to_owned(), format!("x_{name}")]);
    let mut found = Vec::new();
    for name in known {
        let test = format!("{}\ntype {name} >/dev/null 2>&1 && echo yes || echo no", shell.load(args));
        if sandbox.bare(shell, &test).prints() == "yes\n" {
            found.push(name);
        }
    }
    found
}

//
#[test]
fn a_person_chooses_which_functions_and_how_they_are_called() {
    for shell in Shell::all() {
        let sandbox = Sandbox::new();
        assert_eq!(functions(&sandbox, shell, "--only claude,gexec"), ["claude", "gexec"], "{shell:?}");
        assert_eq!(functions(&sandbox, shell, "--prefix x_ --only glm,codex"), ["x_codex", "x_glm"], "{shell:?}");
        sandbox.bare(shell, &format!("{}\nx_claude hello", shell.load("--prefix x_"))).prints();
        assert_eq!(sandbox.the_run().argv.last().unwrap(), "hello", "{shell:?}");
    }
}

#[test]
fn a_name_that_is_no_function_is_a_mistake() {
    let sandbox = Sandbox::new();
    sandbox.ai(["init", "zsh", "--only", "cluade"]).outcome().refused(2, &["cannot print `cluade`", "claude"]);
    sandbox.ai(["init", "zsh", "--prefix", "a;b"]).outcome().refused(2, &["cannot use the prefix `a;b`", "hint: "]);
    sandbox.ai(["init", "tcsh"]).outcome().refused(2, &["tcsh", "zsh", "bash", "fish"]);
}

// A-10, Z-095
#[test]
fn without_the_program_a_function_says_so_and_runs_nothing() {
    for shell in Shell::all() {
        let sandbox = Sandbox::new();
        sandbox.program("claude", "#!/bin/sh\necho 'the host program, outside of any container'\n");
        let status = shell.text("$?", "$status");
        let outcome = sandbox.shell(shell, &format!("rm \"$__ai_bin\"\nclaude hello\necho {status}; echo usable")).outcome();
        assert_eq!(outcome.out(), "127\nusable\n", "{shell:?}");
        assert_eq!(outcome.err().lines().count(), 1, "{}", outcome.err());
        assert!(outcome.err().contains("hint: install ai again"), "{}", outcome.err());
    }
}

// A-10, Z-095: another program at its place is not asked to run the host's.
#[test]
fn a_program_that_became_another_runs_nothing_in_its_place() {
    for shell in Shell::all() {
        for other in ["exit 0", "exit 3", "echo 'usage: other' >&2; exit 2"] {
            let sandbox = Sandbox::new();
            sandbox.program("claude", "#!/bin/sh\necho 'the host program, outside of any container'\n");
            let status = shell.text("$?", "$status");
            let script = format!("rm \"$__ai_bin\"; mv other \"$__ai_bin\"\nclaude hello\necho {status}; echo usable");
            sandbox.script(sandbox.project().join("other"), &format!("#!/bin/sh\n{other}\n"));
            let outcome = sandbox.shell(shell, &script).outcome();
            assert!(!outcome.out().contains("host") && outcome.out().ends_with("usable\n"), "{shell:?} {other}: {outcome:?}");
            assert!(sandbox.calls().is_empty(), "{shell:?} {other}");
            if shell == Shell::Zsh {
                assert!(outcome.err().contains("ai: cannot run claude: ") && outcome.out().starts_with("127\n"), "{other}: {outcome:?}");
            }
        }
    }
}

// Z-094
#[test]
fn the_program_may_be_anywhere() {
    for name in ["a b", "it's", "$(id)", "new\nline", "`x`;&|\"\\", "ü"] {
        for shell in Shell::all() {
            let sandbox = Sandbox::new();
            let program = sandbox.root().join(name).join("ai");
            fs::create_dir(program.parent().unwrap()).unwrap();
            fs::hard_link(crate::sandbox::AI, &program).or_else(|_| fs::copy(crate::sandbox::AI, &program).map(drop)).unwrap();
            sandbox.without("ai");
            let script = shell.text("eval \"$(\"$AI\" init $SHELL_NAME)\"; claude hello", "$AI init fish | source; claude hello");
            sandbox.bare(shell, script).env("AI", &program).env("SHELL_NAME", shell.name()).prints();
            assert_eq!(sandbox.the_run().argv.last().unwrap(), "hello", "{shell:?} {name:?}");
        }
    }
}

// Z-091: without quotes around it, the script comes in pieces.
#[test]
fn an_unquoted_eval_loads_it_and_says_so() {
    for shell in Shell::all() {
        for args in ["", " --only claude"] {
            let sandbox = Sandbox::new();
            let line = shell.text("eval $(ai init SHELL)", "eval (ai init SHELL)").replace("SHELL", &format!("{}{args}", shell.name()));
            let outcome = sandbox.bare(shell, &format!("{line}\nclaude hello; type gemini")).outcome();
            assert_eq!(sandbox.the_run().argv.last().unwrap(), "hello", "{shell:?}: {outcome:?}");
            assert_eq!(outcome.code == 0, args.is_empty(), "{shell:?}: only what was asked for: {outcome:?}");
            assert!(outcome.err().contains("ai: the line that loads ai came in pieces; it is loaded all the same; hint: "), "{outcome:?}");
        }
    }
}

// SH-01: the line of one shell in the file of another.
#[test]
fn a_line_for_another_shell_loads_what_is_for_this_one_and_says_so() {
    for shell in Shell::all() {
        for other in ["zsh", "bash", "fish"].into_iter().filter(|other| *other != shell.name()) {
            let sandbox = Sandbox::new();
            sandbox.program("claude", "#!/bin/sh\necho 'the host program'\n");
            let line =
                shell.text("eval \"$(ai init OTHER --only claude)\"", "ai init OTHER --only claude | source").replace("OTHER", other);
            let outcome = sandbox.bare(shell, &format!("{line}\nclaude \"it's\"")).outcome();
            assert_eq!((outcome.code, outcome.out()), (0, String::new()), "{shell:?} {other}: {outcome:?}");
            let says = format!("a line for {other} loads ai in this {0}, which takes what is for {0}; hint: ai install {0}", shell.name());
            assert!(outcome.err().contains(&says) && outcome.err().lines().count() == 1, "{shell:?} {other}: {outcome:?}");
            assert_eq!(sandbox.the_run().argv.last().unwrap(), "it's", "{shell:?} {other}");
        }
    }
    for other in ["zsh", "bash", "fish"] {
        let script = format!("eval \"$(ai init {other})\"; echo usable");
        let outcome = Sandbox::new().run("sh").args(["-c", &script]).outcome();
        assert_eq!((outcome.code, outcome.out().as_str()), (0, "usable\n"), "{other}: {outcome:?}");
        assert!(outcome.err().contains("this is none of its shells; hint: ai install --shims"), "{other}: {outcome:?}");
    }
}

// A-09, Z-098: words that would hide what shells, engines and we need.
#[test]
fn a_prefix_that_is_a_word_of_a_shell_or_ours_is_refused() {
    let sandbox = Sandbox::new();
    for prefix in ["command", "builtin", "time", "coproc", "abbr", "status", "emulate", "ai", "docker", "__ai_", "__ai", "set"] {
        sandbox.ai(["init", "bash", "--prefix", prefix]).outcome().refused(2, &[&format!("cannot use the prefix `{prefix}`: "), "hint: "]);
    }
    sandbox.manifest("port", "about = 'p'\ncommand = ['p']\n");
    sandbox.ai(["init", "fish", "--prefix", "ex", "--only", "port"]).outcome().refused(2, &["`export` is a word of a shell"]);
}
