//! Everything at once that a shell can be told: each option, each word of our script as an alias, traps and traces.

use std::collections::BTreeSet;
use std::fs;

use crate::sandbox::Sandbox;
use crate::shells::Shell;

const HELLO: &str = "hello from a test";

/// A sandbox whose engine writes the last word of each run into a file, and whose host has a `claude` that must not run.
fn recorded() -> Sandbox {
    let sandbox = Sandbox::new();
    let log = sandbox.root().join("log");
    sandbox
        .program("docker", &format!("#!/bin/sh\n[ \"$1\" = run ] || exit 0\nfor last; do :; done\necho \"$last\" >>'{}'\n", log.display()));
    sandbox.program("claude", "#!/bin/sh\necho 'the host program'\n");
    sandbox
}

fn runs(sandbox: &Sandbox) -> Vec<String> {
    let log = fs::read_to_string(sandbox.root().join("log")).unwrap_or_default();
    log.lines().map(str::to_owned).collect()
}

/// All words of the text that a shell takes as the name of an alias.
fn words(script: &str) -> BTreeSet<&str> {
    script
        .split(|c: char| c.is_whitespace() || "'\"`\\".contains(c))
        .flat_map(|word| [word, word.trim_matches(|c: char| "(){}[]$;|&<>,.:\"".contains(c))])
        .flat_map(|word| word.split("$(").chain(word.split(';')))
        .filter(|word| !word.is_empty() && !word.contains(['=', '$', '/', '\'', '#', '(', ')', '<', '>', '&', ';', '|']))
        .collect()
}

/// Asserts that `claude` ran the container exactly once, and that nobody said anything.
#[track_caller]
fn check(shell: Shell, before: &str, after: &str) {
    let sandbox = recorded();
    let script = format!("{before}\n'eval' \"$('ai' 'init' '{}')\"\n{after}\n'eval' 'claude \"{HELLO}\"'", shell.name());
    let outcome = sandbox.bare(shell, &script).outcome();
    assert_eq!((outcome.code, outcome.out().as_str(), outcome.err().as_str()), (0, "", ""), "{shell:?}: {before} {after}");
    assert_eq!(runs(&sandbox), [HELLO], "{shell:?}: {before} {after}");
}

/// All that is ever read: what loads, and what zsh brings in later.
fn script(shell: Shell) -> String {
    let sandbox = Sandbox::new();
    sandbox.ai(["init", shell.name()]).prints() + &sandbox.ai(["init", shell.name(), "--library"]).prints()
}

// SH-04, SH-01 (shells.md 1, 9)
#[test]
fn no_alias_of_a_word_of_ours_changes_what_is_read_or_run() {
    for shell in Shell::all().into_iter().filter(|shell| *shell != Shell::Fish) {
        let script = script(shell);
        let words = words(&script);
        assert!(words.len() > 100 && ["if", "then", "function", "local", "{", "in"].iter().all(|word| words.contains(word)), "{words:?}");
        let kinds: &[&str] = if shell == Shell::Zsh { &["", "-g"] } else { &[""] };
        for kind in kinds {
            let all = |skip: &[&str]| {
                let aliases = words.iter().filter(|word| !skip.contains(word)).map(|word| format!(" '{word}=hijacked; $(hijacked'"));
                format!("'alias' {kind} '--'{}", aliases.collect::<String>())
            };
            let allow = if shell == Shell::Bash { "shopt -s expand_aliases\n" } else { "" };
            check(shell, &format!("{allow}{}", all(&["eval"])), "");
            // An alias of the function's own name that comes later is the person's wish.
            check(shell, allow, &all(&["eval", "claude"]));
        }
    }
}

// SH-04: each alone, as one of them could hide what another does.
#[test]
fn no_single_alias_keeps_the_functions_from_loading() {
    for shell in Shell::all().into_iter().filter(|shell| *shell != Shell::Fish) {
        let sandbox = recorded();
        let script = sandbox.ai(["init", shell.name()]).prints();
        sandbox.write("init", &script);
        let all = self::script(shell);
        let words = words(&all);
        sandbox.write("words", words.iter().filter(|word| **word != "eval").map(|word| format!("{word}\n")).collect::<String>());
        let (allow, kind) = if shell == Shell::Zsh { ("", "-g") } else { ("shopt -s expand_aliases\n", "") };
        // What the loop runs has been read before there is an alias.
        let body =
            format!("alias {kind} -- \"$word=hijacked; \\$(hijacked\"; eval \"$script\"; typeset -f claude || echo \"fails: $word\"");
        let each = format!("{allow}script=$(cat ../../init)\nwhile IFS= read -r word; do ( {body} ) </dev/null; done <../../words");
        let outcome = sandbox.bare(shell, &each).outcome();
        let out = outcome.out();
        let failed: Vec<&str> = out.lines().filter(|line| line.starts_with("fails")).collect();
        assert!(failed.is_empty() && outcome.err().is_empty(), "{shell:?}: {failed:?} {}", outcome.err());
        assert_eq!(out.matches("__ai_run /").count(), words.len() - 1, "{shell:?}: {out}");
    }
}

/// Runs `claude` once for each setting in `settings`, in a subshell of one shell that has been told it, and asserts that each time
/// the container ran with exactly this word.
#[track_caller]
fn each(shell: Shell, settings: &[String]) {
    settings.chunks(40).for_each(|some| each_of_some(shell, some));
}

#[track_caller]
fn each_of_some(shell: Shell, settings: &[String]) {
    let sandbox = recorded();
    let script = sandbox.ai(["init", shell.name()]).prints();
    sandbox.write("init", &script);
    let mut text = "script=$(cat ../../init)\n".to_owned();
    for setting in settings {
        text += &format!("( {setting}\neval \"$script\"\nclaude '{setting}' ) </dev/null || echo \"code $?: {setting}\"\n");
    }
    let outcome = sandbox.bare(shell, &text).outcome();
    let missing: Vec<&String> = settings.iter().filter(|setting| !runs(&sandbox).contains(setting)).collect();
    assert!(missing.is_empty(), "{shell:?}: {missing:#?}\n{}", outcome.err());
    assert_eq!((outcome.out().as_str(), runs(&sandbox).len()), ("", settings.len()), "{shell:?}: {}", outcome.err());
}

/// What turns each option of a shell around, without those that end it, that need a terminal, or that cannot be set.
fn options(shell: Shell, list: &str, but: &[&str]) -> Vec<String> {
    let listed = Sandbox::new().bare(shell, list).prints();
    let options: Vec<String> =
        listed.lines().filter(|line| line.split(' ').next_back().is_some_and(|name| !but.contains(&name))).map(str::to_owned).collect();
    assert!(options.len() > 10, "{listed}");
    options
}

// SH-01 (shells.md 1, 23), Z-090
#[test]
fn no_option_of_a_shell_keeps_the_container_from_running() {
    let zsh = "for name in ${(ok)options}; do if [[ $options[$name] == on ]]; then echo unsetopt $name; else echo setopt $name; fi; done";
    let shopt = "shopt | while read -r name state; do if [ $state = on ]; then echo shopt -u $name; else echo shopt -s $name; fi; done";
    let set = "set -o | while read -r name state; do if [ $state = on ]; then echo set +o $name; else echo set -o $name; fi; done";
    for shell in Shell::all() {
        match shell {
            Shell::Zsh => {
                let but = [
                    "exec",
                    "restricted",
                    "interactive",
                    "login",
                    "privileged",
                    "zle",
                    "monitor",
                    "shinstdin",
                    "stdin",
                    "onecmd",
                    "singlecommand",
                ];
                each(shell, &options(shell, zsh, &but));
            }
            Shell::Bash => {
                each(shell, &options(shell, shopt, &["restricted_shell", "login_shell"]));
                each(shell, &options(shell, set, &["noexec", "monitor", "onecmd", "privileged", "emacs", "vi"]));
            }
            Shell::Fish => {}
        }
    }
}

// SH-01 (shells.md 1, 23)
#[test]
fn traps_and_traces_of_the_shell_are_not_taken_for_what_we_say() {
    let zsh = [
        "trap 'echo x' DEBUG",
        "TRAPDEBUG() { echo x; }",
        "trap 'echo x' ZERR",
        "setopt xtrace",
        "setopt debug_before_cmd; trap 'echo x' DEBUG",
    ];
    let bash = [
        "set -T; trap 'echo x' DEBUG",
        "set -T; trap 'echo x' DEBUG RETURN",
        "set -E; trap 'echo x' ERR",
        "shopt -s extdebug; trap 'echo x; true' DEBUG",
        "exec 7>&1; BASH_XTRACEFD=7; set -x",
        "exec 3>&1; BASH_XTRACEFD=3; set -x",
        "BASH_XTRACEFD=1; set -x",
        "set -x",
        "set -k",
        "set -kxT; trap 'echo x' DEBUG",
    ];
    for shell in Shell::all() {
        let cases: &[&str] = match shell {
            Shell::Zsh => &zsh,
            Shell::Bash => &bash,
            Shell::Fish => &["set fish_trace 1"],
        };
        for before in cases {
            for order in [format!("{before}\n{}", shell.load("")), format!("{}\n{before}", shell.load(""))] {
                for call in ["claude hello", "ai-run hello", "ai-mode claude; ai-run hello"] {
                    let sandbox = recorded();
                    let status = shell.text("$?", "$status");
                    let outcome = sandbox.bare(shell, &format!("{order}\n{call}\necho \"code {status}\"")).outcome();
                    assert!(
                        outcome.out().contains("code 0") && !outcome.out().lines().any(|line| line == "the host program"),
                        "{shell:?}: {order}: {outcome:?}"
                    );
                    assert_eq!(runs(&sandbox), ["hello"], "{shell:?}: {order}; {call}: {outcome:?}");
                    assert_eq!(fs::read_dir(sandbox.store().join("sessions")).map_or(0, Iterator::count), 0, "{shell:?}: {before}");
                }
            }
        }
    }
}

// SH-01 (shells.md 1, 23): what the person had set is as it was.
#[test]
fn options_and_traps_are_as_they_were_afterwards() {
    let bash = "set -kxT +e; trap 'true x' DEBUG; trap 'true y' INT; exec 9>&2 2>/dev/null";
    let zsh = "setopt xtrace; trap 'true x' DEBUG; trap 'true y' INT; exec 9>&2 2>/dev/null";
    for shell in Shell::all().into_iter().filter(|shell| *shell != Shell::Fish) {
        let (set, state) = if shell == Shell::Zsh { (zsh, "setopt; trap") } else { (bash, "set +o; trap -p") };
        let sandbox = recorded();
        let script = format!("{}\n{set}\n{{ {state}; }} >../../before\nclaude hello\n{{ {state}; }} >../../after", shell.load(""));
        let outcome = sandbox.bare(shell, &script).outcome();
        let read = |name: &str| fs::read_to_string(sandbox.root().join(name)).unwrap();
        assert_eq!(read("before"), read("after"), "{shell:?}: {outcome:?}");
        assert_eq!(runs(&sandbox), ["hello"], "{shell:?}");
    }
}

/// Copies functions as text, as tools do that take a person's shell along, and runs `call` where nothing else is.
#[track_caller]
fn copied(shell: Shell, names: &str, call: &str, expected: i32) -> Sandbox {
    let sandbox = recorded();
    let show = match shell {
        Shell::Zsh => "typeset -f",
        Shell::Bash => "declare -f",
        Shell::Fish => "functions",
    };
    let copy = shell.text("SHOW NAMES >../../copy; true", "for name in NAMES; SHOW $name; end >../../copy");
    sandbox.shell(shell, &copy.replace("SHOW", show).replace("NAMES", names)).prints();
    let outcome = sandbox.bare(shell, &format!(". ../../copy\n{call}")).outcome();
    assert_eq!((outcome.code, outcome.out()), (expected, String::new()), "{shell:?} {names}: {}", outcome.err());
    sandbox
}

// SH-03, SH-01 (shells.md 1, 3)
#[test]
fn functions_that_are_copied_alone_run_the_container() {
    for shell in Shell::all() {
        for names in ["claude", "claude gexec ai-run", "claude __ai_run __ai_found", "claude __ai_call __ai_run __ai_found"] {
            let sandbox = copied(shell, names, "claude hello", 0);
            assert_eq!(runs(&sandbox), ["hello"], "{shell:?} {names}");
        }
        let gone = copied(shell, "claude __ai_call __ai_run __ai_found", "rm ../../bin/ai; claude hello", 127);
        assert_eq!(runs(&gone), Vec::<String>::new(), "{shell:?}");
        let gone = copied(shell, "claude", "rm ../../bin/ai; claude hello", 127);
        assert_eq!(runs(&gone), Vec::<String>::new(), "{shell:?}");
    }
    if Shell::all().contains(&Shell::Bash) {
        let sandbox = recorded();
        sandbox.shell(Shell::Bash, "export -f claude; bash -c 'claude hello'").prints();
        assert_eq!(runs(&sandbox), ["hello"]);
    }
}
