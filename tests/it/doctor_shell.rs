//! `ai doctor shell`: what a new shell makes of the user's files.

use std::path::Path;

use serde_json::Value;

use crate::sandbox::{Sandbox, tree};
use crate::shells::Shell;

/// A file below the home that every interactive shell of this kind reads.
fn rc(shell: Shell) -> &'static str {
    match shell {
        Shell::Zsh => ".zshrc",
        Shell::Bash => ".bashrc",
        Shell::Fish => ".config/fish/config.fish",
    }
}

/// The exit code, and the findings as `LEVEL TITLE: CAUSE; HINT`.
fn examine(sandbox: &Sandbox, shell: Shell) -> (i32, Vec<String>) {
    let outcome = sandbox.ai(["doctor", "shell", shell.name(), "--json"]).outcome();
    assert_eq!(outcome.err(), "", "{shell:?}");
    let report: Value = serde_json::from_slice(&outcome.stdout).unwrap();
    let text = |finding: &Value, key: &str| finding[key].as_str().unwrap_or("no hint").to_owned();
    let row = |finding: &Value| {
        format!("{} {}: {}; {}", text(finding, "level"), text(finding, "title"), text(finding, "cause"), text(finding, "hint"))
    };
    (outcome.code, report["findings"].as_array().unwrap().iter().map(row).collect())
}

/// The line that loads, with a word for the day when the program is gone.
fn guarded(shell: Shell, args: &str) -> String {
    format!("{}{}", shell.load(args), shell.text(" || true", "; or true"))
}

/// What is said about an rc file of this text, where `LOAD` stands for the line that loads: the exit code, and all of
/// these words in one finding.
#[track_caller]
fn check(shell: Shell, text: &str, code: i32, expected: &[&str]) {
    let sandbox = Sandbox::new();
    sandbox.write(Path::new("home").join(rc(shell)), text.replace("LOAD", &guarded(shell, "")));
    if shell == Shell::Bash {
        // The system's own file gives a login shell a PATH of its own.
        sandbox.write("home/.profile", format!("PATH='{}':$PATH\n. ~/.bashrc\n", sandbox.root().join("bin").display()));
    }
    let (found, findings) = examine(&sandbox, shell);
    assert_eq!(found, code, "{shell:?} {text}: {findings:#?}");
    assert!(findings.iter().any(|finding| expected.iter().all(|word| finding.contains(word))), "{shell:?} {text}: {findings:#?}");
}

// M-06
#[test]
fn a_shell_that_loads_the_functions_is_well() {
    for shell in Shell::all() {
        let sandbox = Sandbox::new();
        sandbox.ai(["install", shell.name()]).succeeds();
        let before = tree(&sandbox.home());
        let (code, findings) = examine(&sandbox, shell);
        let place = format!("{}:{} loads it", rc(shell), shell.text(if shell == Shell::Zsh { "3" } else { "2" }, "2"));
        assert!(code == 0 && findings[0].contains(&place), "{shell:?}: {findings:#?}");
        let uncompleted =
            "note completion: a new zsh completes nothing but files: nobody has started its completion; autoload -Uz compinit";
        let is_uncompleted = |findings: &[String]| findings.iter().any(|finding| finding.starts_with(uncompleted));
        // bash and fish complete from the start.
        let is_zsh = shell == Shell::Zsh;
        assert_eq!((findings.len(), is_uncompleted(&findings)), (if is_zsh { 3 } else { 2 }, is_zsh), "{findings:#?}");
        let after = tree(&sandbox.home());
        let fish_s_own = |path: &Path| path.to_string_lossy().contains("fish");
        assert!(after.iter().all(|(path, file)| before.get(path) == Some(file) || path.is_dir() || fish_s_own(path)), "{shell:?}");
        if is_zsh {
            sandbox.write("home/.zshenv", "autoload -Uz compinit && compinit -D -u\n");
            let (_, findings) = examine(&sandbox, shell);
            assert!(findings.len() == 2 && !is_uncompleted(&findings), "{findings:#?}");
        }
    }
}

// M-06
#[test]
fn a_shell_without_the_line_is_told_how_to_get_it() {
    for shell in Shell::all() {
        check(shell, "echo mine\n", 1, &["warning integration", "has no line that loads it", &format!("ai install {}", shell.name())]);
        let (before, after) = (shell.text("if false; then\n", "if false\n"), shell.text("\nfi\n", "\nend\n"));
        check(shell, &format!("{before}LOAD{after}"), 1, &["warning integration", ":2 should load it, and does not"]);
    }
    let sandbox = Sandbox::new();
    sandbox.write("home/.zprofile", "\neval \"$(ai init zsh)\"\n");
    if Shell::all().contains(&Shell::Zsh) {
        let (code, findings) = examine(&sandbox, Shell::Zsh);
        assert!(code == 1 && findings[0].contains(".zprofile:2 would load it, but not every interactive zsh"), "{findings:#?}");
    }
}

// A-03, Z-087
#[test]
fn an_alias_is_named_with_its_place_and_whether_it_wins() {
    for shell in Shell::all() {
        let file = rc(shell);
        check(shell, "alias claude='echo mine'\nLOAD\n", 0, &["note name claude", &format!("{file}:1 is not in use")]);
        check(shell, "LOAD\nalias claude='echo mine'\n", 1, &["warning name claude", "takes back", &format!("{file}:2")]);
        // In fish an alias is a function.
        let wins = shell.text("the alias `echo mine`", "another function");
        let chosen = format!("{}\nalias claude='echo mine'\n", guarded(shell, "--prefix x_"));
        check(shell, &chosen, 0, &["note name claude", wins]);
    }
    for shell in Shell::all().into_iter().filter(|shell| *shell != Shell::Fish) {
        check(shell, "LOAD\nalias claude='claude --verbose'\n", 0, &["note name claude", "adds words"]);
    }
}

// Z-088
#[test]
fn a_function_that_replaces_ours_is_named() {
    for shell in Shell::all() {
        let other = shell.text("function claude { echo mine; }", "function claude; echo mine; end");
        check(shell, &format!("LOAD\n{other}\n"), 1, &["warning name claude", "takes back"]);
    }
}

// SH-01
#[test]
fn a_function_that_is_taken_away_is_named() {
    for shell in Shell::all() {
        let away = shell.text("unset -f claude", "functions --erase claude");
        check(shell, &format!("LOAD\n{away}\n"), 1, &["warning name claude", "takes back"]);
        check(shell, &format!("{}\n", guarded(shell, "--only gemini")), 0, &["ok integration"]);
    }
}

#[test]
fn the_old_script_is_found_at_its_line() {
    for shell in Shell::all() {
        let text = "LOAD\n# source ~/ai-assistant.zsh\ntest -e ~/x/ai-assistant-v2.zsh; and source ~/x/ai-assistant-v2.zsh\n";
        let text = shell.text("LOAD\n# source ~/ai-assistant.zsh\n[[ ! -e ~/x ]] || source ~/x/ai-assistant-v2.zsh\n", text);
        check(shell, text, 1, &["warning old script", &format!("{}:3", rc(shell))]);
    }
}

#[test]
fn a_framework_behind_our_line_is_named() {
    if Shell::all().contains(&Shell::Zsh) {
        let later = "[[ ! -e ~/.oh-my-zsh ]] || source ~/.oh-my-zsh/oh-my-zsh.sh\n";
        check(Shell::Zsh, &format!("LOAD\n{later}"), 0, &["note order", ":1 comes before line 2", "oh-my-zsh.sh"]);
        check(Shell::Zsh, "LOAD\nautoload -Uz compinit\ncompinit -D\n", 0, &["note order", ":1 comes before line 3"]);
        let sandbox = Sandbox::new();
        sandbox.write("home/.zshrc", format!("{later}{}\n", Shell::Zsh.load("")));
        let (_, findings) = examine(&sandbox, Shell::Zsh);
        assert!(findings.iter().all(|finding| !finding.contains("order")), "{findings:#?}");
    }
}

// Z-095
#[test]
fn a_program_that_moved_is_noticed() {
    for shell in Shell::all() {
        let sandbox = Sandbox::new();
        let set = |path: &str| shell.text("LOAD\n__ai_bin=PATH\n", "LOAD\nset --global __ai_bin PATH\n").replace("PATH", path);
        check(shell, &set("/nonexistent/ai"), 2, &["error program", "`/nonexistent/ai`, which is gone", "install"]);
        let other = sandbox.script("other/ai", "#!/bin/sh\n");
        check(shell, &set(other.to_str().unwrap()), 1, &["warning program", "other/ai", "and this is"]);
    }
}

// What the files print and read is none of our business, and one that hangs does not keep us for long.
#[test]
fn a_shell_that_talks_reads_or_hangs_is_borne() {
    for shell in Shell::all() {
        check(shell, "echo __ai; printf '\\033[31mhello'\nread answer\nLOAD\n", 0, &["ok integration", ":3 loads it"]);
        // fish does not leave for an `exit` in such a file.
        check(shell, "LOAD\nexec false\n", 1, &["warning integration", "ends before it is ready"]);
    }
    check(Shell::Bash, "sleep 600\n", 1, &["warning integration", "is not ready within 8 s"]);
}

// SH-02: what only a terminal shows, and only its first prompt.
#[test]
fn a_shell_is_asked_on_a_terminal_at_its_first_prompt() {
    for shell in Shell::all() {
        let (tty, end) = shell.text("if [ ! -t 0 ]; then |fi", "if not test -t 0|end").split_once('|').unwrap();
        check(shell, &format!("{tty}\nexit 0\n{end}\nLOAD\n"), 0, &["ok integration", ":4 loads it"]);
        let own =
            shell.text("[ -z \"${BASH_EXECUTION_STRING-}${ZSH_EXECUTION_STRING-}\" ] && exec OTHER -i\nLOAD\n", "exec OTHER -i\nLOAD\n");
        for (other, words) in [("sh", "goes over to `"), (shell.text("fish", "bash"), "which does not load it")] {
            check(shell, &own.replace("OTHER", other), 1, &["warning integration", words]);
        }
    }
    // Where every list of hooks is set anew behind an alias, nothing of ours is asked before the host's tool runs.
    let gone = "LOAD\nalias claude='env claude'\n";
    for (shell, hooks) in [
        (Shell::Zsh, "precmd_functions=() preexec_functions=() zshaddhistory_functions=()"),
        (Shell::Bash, "unset PROMPT_COMMAND"),
        (Shell::Bash, "PROMPT_COMMAND=(true)"),
    ] {
        if Shell::all().contains(&shell) {
            check(shell, &format!("{gone}{hooks}\n"), 2, &["error name claude", "wins over the function, without a container"]);
        }
    }
}

// SH-02: a file that cannot be read to its end, by its own text.
#[test]
fn what_a_shell_cannot_read_is_named_with_its_line() {
    for shell in Shell::all() {
        let (open, file) = (shell.text("if true; then\n", "if true\n"), rc(shell));
        check(shell, &format!("true\n<<<<<<< HEAD\nLOAD\n=======\n>>>>>>> x\n"), 1, &["warning syntax", &format!("{file}:2: a conflict")]);
        check(shell, &format!("{open}LOAD\n"), 1, &["warning syntax", file]);
        check(shell, "LOAD\n", 0, &["ok integration", ":1 loads it"]);
    }
    for shell in Shell::all().into_iter().filter(|shell| *shell != Shell::Fish) {
        // bash takes no prompt of a trace from root's environment.
        let is_told = shell == Shell::Zsh || !rustix::process::getuid().is_root();
        let last = if is_told { ":2 (`true two; return 0`)" } else { ":4 should" };
        check(shell, "true one\ntrue two; return 0\ntrue three\nLOAD\n", 1, &["warning integration", ":4 should load it", last]);
        check(shell, "[ \"$TERM\" = dumb ] && return\nLOAD\n", 1, &["warning terminal", "TERM is `dumb`", ":1)"]);
    }
}

// SH-03: the README's line as it was, without a word for the day when the program is gone.
#[test]
fn a_line_without_a_word_for_the_day_the_program_is_gone_is_named() {
    for shell in Shell::all() {
        let bare = format!("true\n{}\n", shell.load(""));
        check(shell, &bare, 1, &["warning bare line", &format!("{}:2", rc(shell)), "ai install"]);
    }
}

#[test]
fn people_read_rows_and_the_shell_of_the_user_is_the_default() {
    let mut sandbox = Sandbox::new();
    sandbox.set("SHELL", "/bin/bash");
    let outcome = sandbox.ai(["doctor", "shell"]).outcome();
    assert_eq!(outcome.code, 1);
    assert!(
        outcome.out().starts_with("warning  integration: `") && outcome.out().contains("\n         hint: ai install bash\n"),
        "{outcome:?}"
    );
    let everything = sandbox.ai(["doctor"]).outcome();
    assert!(everything.out().contains("loads the functions") && everything.out().contains("hint: ai install\n"), "{everything:?}");
}

// SH-01, SH-05: a login, and a terminal outside of tmux.
#[test]
fn every_way_in_which_a_shell_starts_is_looked_at() {
    for shell in Shell::all() {
        let early = shell.text("[ -n \"$TMUX\" ] || return\nLOAD\n", "set -q TMUX; or return\nLOAD\n");
        check(shell, early, 1, &["warning plain", ":1", "in no window of tmux"]);
        // What starts tmux itself is looked at within it.
        let starts = shell.text("[ -n \"$TMUX\" ] || tmux -V\nLOAD\n", "set -q TMUX; or tmux -V\nLOAD\n");
        check(shell, starts, 0, &["ok integration"]);
        let sandbox = Sandbox::new();
        let load = guarded(shell, "");
        let (file, text) = match shell {
            Shell::Zsh => {
                (".zlogin", "alias claude=/bin/echo\nprecmd_functions=()\npreexec_functions=()\nzshaddhistory_functions=()\n".to_owned())
            }
            Shell::Bash => (
                ".bash_profile",
                format!("PATH='{}':$PATH\n. ~/.bashrc\nunset PROMPT_COMMAND\nclaude() {{ echo; }}\n", sandbox.root().join("bin").display()),
            ),
            Shell::Fish => ("unread", String::new()),
        };
        let in_a_login = shell.text("", "status is-login; and alias claude /bin/echo\n");
        sandbox.write(Path::new("home").join(rc(shell)), format!("{load}\n{in_a_login}"));
        sandbox.write(Path::new("home").join(file), text);
        let (code, findings) = examine(&sandbox, shell);
        let words = [shell.text("error name claude", "warning name claude"), "begins with a login"];
        let is_named = findings.iter().any(|finding| words.iter().all(|word| finding.contains(word)));
        assert!(code != 0 && is_named, "{shell:?}, {code}: {findings:#?}");
    }
}

// SH-02: a fish that has none yet makes completions of all manual pages, into the home.
#[test]
fn a_shell_that_is_asked_leaves_nothing_running() {
    if Shell::all().contains(&Shell::Fish) {
        let sandbox = Sandbox::new();
        let ran = sandbox.root().join("ran");
        for name in ["python3", "python"] {
            sandbox.program(name, &format!("#!/bin/sh\necho \"$@\" >>'{}'\n", ran.display()));
        }
        sandbox.ai(["install", "fish"]).succeeds();
        assert!(!ran.exists(), "{}", std::fs::read_to_string(&ran).unwrap_or_default());
    }
}
