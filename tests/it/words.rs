//! The everyday words: the default tool, `aic` and `cic`, and what became of older words.

use crate::sandbox::Sandbox;
use crate::shells::Shell;

/// The tool of the one run.
fn tool_that_ran(sandbox: &Sandbox) -> String {
    let run = sandbox.the_run();
    let label = run.argv.iter().find_map(|word| word.to_str()?.strip_prefix("ai.tool="));
    label.unwrap().to_owned()
}

// L-01
#[test]
fn ai_mode_explains_itself() {
    for shell in Shell::all() {
        let sandbox = Sandbox::new();
        for args in ["", "help", "-h", "--help"] {
            let text = sandbox.shell(shell, &format!("ai-mode {args}")).prints();
            assert!(text.lines().count() >= 10, "{text}");
            for word in ["claude", "gemini", "codex", "glm", "commit", "gexec"] {
                assert!(text.contains(word), "{shell:?} {args} {word}: {text}");
            }
        }
    }
}

// L-02
#[test]
fn ai_mode_sets_the_default_of_its_shell() {
    for shell in Shell::all() {
        for (mode, tool) in [("claude", "claude"), ("c", "claude"), ("gemini", "gemini"), ("g", "gemini"), ("glm", "glm"), ("z", "glm")] {
            let mut sandbox = Sandbox::new();
            sandbox.set("ZAI_API_KEY", "made-up");
            let script = format!("ai-mode {mode} 2>/dev/null\nai-mode | head -n 1\nenv | grep -c AI_TOOL\nai-run hello");
            let outcome = sandbox.shell(shell, &script).outcome();
            assert_eq!(outcome.out(), format!("The default tool is {tool} (in this shell).\n0\n"), "{shell:?} {}", outcome.err());
            assert_eq!(tool_that_ran(&sandbox), tool, "{shell:?}");
        }
    }
}

// L-02
#[test]
fn ai_use_sets_the_default_of_all_shells() {
    let sandbox = Sandbox::new();
    let show = || sandbox.ai(["use", "--quiet"]).prints();
    assert_eq!(show(), "claude\n");
    assert_eq!(sandbox.ai(["use", "g"]).outcome().err(), "ai: the default tool is gemini\n");
    assert_eq!(show(), "gemini\n");
    for shell in Shell::all() {
        let text = sandbox.shell(shell, "ai-mode; ai-mode codex; ai-mode").outcome().out();
        assert!(text.contains("is gemini (in all shells)") && text.contains("is codex (in this shell)"), "{shell:?}: {text}");
    }
    assert_eq!(show(), "gemini\n", "a shell decides for itself alone");
}

// L-03
#[test]
fn an_invalid_mode_changes_nothing() {
    for shell in Shell::all() {
        let sandbox = Sandbox::new();
        for mode in ["invalid", "cluade", "--nonsense", "''"] {
            let outcome = sandbox.shell(shell, &format!("ai-mode {mode}")).outcome();
            assert_eq!((outcome.code, outcome.out().as_str()), (1, ""), "{shell:?} {mode}: {}", outcome.err());
            assert!(outcome.err().starts_with("ai: cannot use `") && outcome.err().contains("hint: "), "{}", outcome.err());
        }
        assert!(sandbox.shell(shell, "ai-mode cluade").outcome().err().contains("did you mean `claude`?"));
        let after = sandbox.shell(shell, "ai-mode gemini; ai-mode invalid; ai-mode").outcome().out();
        assert!(after.contains("is gemini"), "{shell:?}: {after}");
    }
}

// A-11, L-04
#[test]
fn words_that_are_gone_name_what_replaced_them() {
    for shell in Shell::all() {
        let sandbox = Sandbox::new();
        for (word, now) in [
            ("ai-session-manager status", "`ai ps`"),
            ("ai-start", "claude, gemini, codex or glm"),
            ("ai-stop x", "`ai stop`"),
            ("ai-list", "`ai ps`"),
            ("ai-orchestrator claude status", "`ai-mode`"),
        ] {
            sandbox.shell(shell, word).outcome().refused(1, &[" is gone: ", now]);
        }
    }
}

// J-09: `aic` asks the default tool, `cic` claude, and both read options.
#[test]
fn aic_asks_the_default_tool_and_cic_claude() {
    for shell in Shell::all() {
        for (word, tool) in [("aic", "gemini"), ("cic a hint", "claude"), ("aic --tool codex -- --a hint", "codex")] {
            let sandbox = crate::commit::repository("feat: x");
            crate::commit::stage(&sandbox, "new", "one\n");
            let _ = sandbox.shell(shell, &format!("ai-mode gemini 2>/dev/null; {word}")).outcome();
            assert_eq!(tool_that_ran(&sandbox), tool, "{shell:?} {word}");
        }
        let sandbox = Sandbox::new();
        assert!(sandbox.shell(shell, "aic --help").prints().contains("--allow-secrets"), "{shell:?}");
        sandbox.shell(shell, "aic --tool clod").outcome().refused(1, &["there is no such tool"]);
    }
}

//
#[test]
fn every_word_can_be_chosen() {
    let sandbox = Sandbox::new();
    for shell in Shell::all() {
        for name in ["aic", "cic", "gexec", "ai-mode", "ai-run", "ai-start", "ai-orchestrator"] {
            let script = format!("{}\ntype {name}; type claude 2>/dev/null", shell.load(&format!("--only {name}")));
            let out = sandbox.bare(shell, &script).outcome().out();
            assert!(out.contains(&format!("{name} is a")) && !out.contains("claude is a"), "{shell:?} {name}: {out}");
        }
    }
}

#[test]
fn a_posix_bash_has_aliases_for_the_names_that_no_function_can_have() {
    let sandbox = Sandbox::new();
    let script = format!("set -o posix\n{}\ntype -t claude ai-mode; eval 'ai-mode codex; ai-run hello'", Shell::Bash.load(""));
    let outcome = sandbox.bare(Shell::Bash, &script).outcome();
    assert_eq!((outcome.out().as_str(), outcome.err().lines().count()), ("function\nalias\n", 1), "{outcome:?}");
    assert!(sandbox.the_run().argv.iter().any(|word| word == "codex"), "{outcome:?}");
}

#[test]
fn help_knows_topics_and_commands() {
    let sandbox = Sandbox::new();
    let topics = sandbox.ai(["help"]).prints();
    for topic in ["workspace", "state", "config", "guard", "engines", "notify", "tools", "native", "exit-codes", "environment", "shells"] {
        assert!(topics.contains(topic), "{topic}");
        assert!(sandbox.ai(["help", topic]).prints().lines().count() > 8, "{topic}");
    }
    assert!(sandbox.ai(["help", "run"]).prints().contains("Usage: ai run [OPTIONS] TOOL [-- ARGS...]\n"));
    sandbox.ai(["help", "exit"]).outcome().refused(2, &["cannot explain `exit`", "hint: ai help exit-codes"]);
    sandbox.ai(["help", "shels"]).outcome().refused(2, &["cannot explain `shels`", "hint: ai help shells"]);
}

#[test]
fn manual_pages_are_written_for_every_command() {
    let sandbox = Sandbox::new();
    let directory = sandbox.root().join("man/man1");
    sandbox.ai(["help", "man", directory.to_str().unwrap()]).prints();
    for page in ["ai.1", "ai-run.1", "ai-install.1"] {
        let text = std::fs::read_to_string(directory.join(page)).unwrap();
        assert!(text.contains(".TH") && text.contains(".SH NAME"), "{page}");
    }
    assert!(!directory.join("ai-word.1").exists(), "hidden commands have none");
}

/// How a plugin manager loads a file.
#[test]
fn plugin_managers_load_the_installed_program() {
    for shell in Shell::all() {
        let sandbox = Sandbox::new();
        let file = match shell {
            Shell::Zsh => "ai.plugin.zsh",
            Shell::Bash => "ai.plugin.bash",
            Shell::Fish => "conf.d/ai.fish",
        };
        let script = format!("source {}/shells/{file}\ntype claude", env!("CARGO_MANIFEST_DIR"));
        let run = |sandbox: &Sandbox| sandbox.run(shell.name()).args(shell.plain()).args(["-i", "-c", &script]).outcome();
        assert!(run(&sandbox).out().contains("function"), "{shell:?}");
        sandbox.without("ai");
        assert!(run(&sandbox).err().contains("ai is not on PATH; hint: install it"), "{shell:?}");
    }
}
