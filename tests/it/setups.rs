//! How a person's shell can be set up: after `ai install`, `claude` runs the container or says why not; never the host's own.

use std::fs;
use std::path::Path;

use crate::install::{home, install, rc, uninstall};
use crate::sandbox::Sandbox;
use crate::shells::Shell;

/// A host that has a `claude` of its own, whose rc file is this text.
fn with_rc(shell: Shell, text: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.program("claude", "#!/bin/sh\necho 'the host program'\n");
    sandbox.write(Path::new("home").join(rc(shell)), text);
    sandbox
}

/// Copies our program by another process: a file that a process of ours writes cannot be run while one of its threads forks.
pub fn copy_program(path: &Path) {
    let copied = std::process::Command::new("cp").arg(crate::sandbox::AI).arg(path).status().unwrap();
    assert!(copied.success());
}

/// Puts our program at a path, under which nothing may change it: it is the same file where both are on one file system.
pub fn link_program(path: &Path) {
    if std::fs::hard_link(crate::sandbox::AI, path).is_err() {
        copy_program(path);
    }
}

/// What `claude hello` does in a new interactive shell.
#[track_caller]
fn in_a_new_shell(sandbox: &Sandbox, shell: Shell) -> crate::process::Outcome {
    sandbox.run(shell.name()).args(["-i", "-c", "claude hello"]).outcome()
}

// SH-01 (shells.md 1, 6), SH-04
#[test]
fn an_alias_before_the_block_does_not_keep_the_container_away() {
    for shell in Shell::all() {
        for alias in ["alias claude='echo the host'", "alias claude='claude --verbose'"] {
            let sandbox = with_rc(shell, &format!("{alias}\n"));
            let said = install(&sandbox, &[shell.name()]);
            assert!(said.contains("it works in the next"), "{shell:?}: {said}");
            let outcome = in_a_new_shell(&sandbox, shell);
            assert!(outcome.code == 0 && !outcome.out().contains("host"), "{shell:?}: {outcome:?}");
            assert_eq!(sandbox.the_run().argv.last().unwrap(), "hello", "{shell:?}");
        }
    }
}

// SH-01 (shells.md 1, 7), A-05
#[test]
fn scripts_have_the_host_s_own_tool() {
    for shell in Shell::all() {
        let sandbox = with_rc(shell, "");
        install(&sandbox, &[shell.name()]);
        assert_eq!(sandbox.run(shell.name()).args(["-c", "claude x"]).prints(), "the host program\n", "{shell:?}");
    }
}

// SH-01 (shells.md 1, 16), SH-03
#[test]
fn a_program_that_is_not_here_is_said_and_nothing_runs() {
    for shell in Shell::all() {
        for broken in [None, Some("#!/nonexistent/interpreter\n"), Some("#!/bin/sh\nexit 1\n")] {
            let sandbox = with_rc(shell, "");
            let ai = sandbox.home().join("bin/ai");
            fs::create_dir_all(ai.parent().unwrap()).unwrap();
            link_program(&ai);
            sandbox.without("ai");
            let outcome = sandbox.run("env").args([ai.as_os_str(), "install".as_ref(), shell.name().as_ref()]).outcome();
            assert!(outcome.err().contains("it works in the next"), "{shell:?}: {outcome:?}");
            let text = fs::read_to_string(sandbox.home().join(rc(shell))).unwrap();
            assert!(text.contains("\"$HOME/bin/ai\""), "{text}");
            fs::remove_file(&ai).unwrap();
            if let Some(text) = broken {
                sandbox.script("home/bin/ai", text);
            }
            let outcome = in_a_new_shell(&sandbox, shell);
            assert_eq!((outcome.code, outcome.out().as_str()), (127, ""), "{shell:?}: {outcome:?}");
            let why = if broken.is_none() { "is not here; hint: " } else { "is here, but loads nothing; hint: " };
            assert!(outcome.err().contains(why) && outcome.err().contains("command claude"), "{shell:?}: {outcome:?}");
            // Whatever a parent that had it loaded has exported.
            let child = sandbox.run(shell.name()).args(["-i", "-c", "claude hello"]).env("__ai_bin", "/bin/true").outcome();
            assert_eq!((child.code, child.out().as_str()), (127, ""), "{shell:?}: {child:?}");
            let past = sandbox.run(shell.name()).args(["-i", "-c", "command claude"]).outcome();
            assert_eq!(past.out(), "the host program\n", "{shell:?}");
        }
    }
}

// SH-01 (shells.md 1, 13), SH-05
#[test]
fn zsh_is_asked_where_its_files_are() {
    if !Shell::all().contains(&Shell::Zsh) {
        return;
    }
    for text in ["ZDOTDIR=$HOME/.config/zsh", "export ZDOTDIR=$HOME/.config/zsh", "echo noise; ZDOTDIR=~/.config/zsh"] {
        let sandbox = with_rc(Shell::Zsh, "");
        sandbox.write("home/.zshenv", text);
        fs::create_dir_all(sandbox.home().join(".config/zsh")).unwrap();
        let said = install(&sandbox, &["zsh"]);
        assert!(said.contains("it works in the next zsh"), "{said}");
        in_a_new_shell(&sandbox, Shell::Zsh);
        assert_eq!(sandbox.the_run().argv.last().unwrap(), "hello", "{text}");
    }
}

// SH-01 (shells.md 1, 18, 19)
#[test]
fn what_people_wrote_into_the_block_stays() {
    for shell in Shell::all() {
        let sandbox = with_rc(shell, "");
        let old = format!("# >>> ai >>>\n# mine\n{}\n# <<< ai <<<\n", shell.load("--only claude"));
        sandbox.write(Path::new("home").join(rc(shell)), format!("{old}{old}"));
        install(&sandbox, &[shell.name()]);
        let text = fs::read_to_string(sandbox.home().join(rc(shell))).unwrap();
        assert!(text.matches(">>> ai >>>").count() == 1 && text.contains(" --only claude") && text.contains("# mine\n"), "{text}");
        let types = sandbox.run(shell.name()).args(["-i", "-c", "type claude; type gemini"]).outcome();
        assert!(types.out().contains("function") && !types.out().contains("gemini is a"), "{types:?}");
    }
}

// SH-01 (shells.md 1, 19)
#[test]
fn a_line_by_hand_is_named() {
    for shell in Shell::all() {
        let sandbox = with_rc(shell, &format!("{}\n", shell.load("")));
        let said = install(&sandbox, &[shell.name()]);
        assert!(said.contains(&format!("{}:1 loads it already", rc(shell))), "{said}");
        // It says which words a person wants, too.
        let sandbox = with_rc(shell, &format!("{}\n", shell.load("--only claude --prefix x_")));
        install(&sandbox, &[shell.name()]);
        let text = fs::read_to_string(sandbox.home().join(rc(shell))).unwrap();
        let block = text.split_once(">>> ai >>>").unwrap().1;
        assert!(block.contains(&format!(" init {} --only claude --prefix x_", shell.name())), "{shell:?}: {block}");
        in_a_new_shell(&sandbox, shell);
        assert!(sandbox.calls().is_empty(), "{shell:?}: a word that nobody asked for");
    }
}

// SH-02
#[test]
fn it_is_only_said_to_work_where_a_new_shell_says_so() {
    for shell in Shell::all() {
        let (open, early) = (shell.text("if true; then\n", "if true\n"), shell.text("return 0\n", "exit 0\n"));
        for text in [open, early, "exec false\n"] {
            let sandbox = with_rc(shell, text);
            let outcome = sandbox.ai(["install", shell.name()]).outcome();
            assert!(outcome.code == 1 && !outcome.err().contains("it works in the next"), "{shell:?} {text}: {outcome:?}");
            assert!(outcome.err().contains("it does not work yet in a new"), "{shell:?} {text}: {outcome:?}");
            uninstall(&sandbox, &[shell.name()]);
            assert_eq!(fs::read_to_string(sandbox.home().join(rc(shell))).unwrap(), text);
        }
    }
}

// SH-01 (shells.md 1, 6): what an earlier version made of fish's own directory of snippets.
#[test]
fn the_old_file_of_fish_goes_when_the_block_moves() {
    if !Shell::all().contains(&Shell::Fish) {
        return;
    }
    let sandbox = with_rc(Shell::Fish, "alias claude='echo the host'\n");
    let old = sandbox.home().join(".config/fish/conf.d/ai.fish");
    sandbox.write(&old, "# >>> ai >>> (in a file of its own)\n/x/ai init fish --only claude | source\n# <<< ai <<<\n");
    install(&sandbox, &["fish"]);
    assert!(!old.exists());
    assert!(fs::read_to_string(sandbox.home().join(rc(Shell::Fish))).unwrap().contains("init fish --only claude | string"));
    in_a_new_shell(&sandbox, Shell::Fish);
    assert_eq!(sandbox.the_run().argv.last().unwrap(), "hello");
    uninstall(&sandbox, &["fish"]);
    assert_eq!(fs::read_to_string(sandbox.home().join(rc(Shell::Fish))).unwrap(), "alias claude='echo the host'\n");
}

// SH-01 (shells.md 1, 14)
#[test]
fn root_does_not_write_into_somebody_s_home() {
    let sandbox = Sandbox::new();
    if rustix::process::getuid().is_root() {
        std::os::unix::fs::chown(sandbox.home(), Some(4711), Some(4711)).unwrap();
        sandbox.ai(["install", "zsh"]).outcome().refused(77, &["belongs to somebody else", "hint: sudo -H"]);
        assert!(home(&sandbox).is_empty());
    }
}
