//! Words that stay ours: whatever comes behind the line that loads, or runs at the prompt, no word of a tool runs it on the host.

use std::fs;
use std::path::Path;

use crate::install::rc;
use crate::sandbox::Sandbox;
use crate::shells::Shell;
use crate::terminal::on_terminal;

/// A sandbox whose host has each tool's program, which writes into a file that it ran.
pub fn with_host_tools(names: &[&str]) -> Sandbox {
    let sandbox = Sandbox::new();
    for name in names {
        sandbox.program(name, &format!("#!/bin/sh\necho {name} >>'{}/host'\n", sandbox.root().display()));
    }
    sandbox
}

/// What ran on the host.
pub fn on_the_host(sandbox: &Sandbox) -> String {
    fs::read_to_string(sandbox.root().join("host")).unwrap_or_default()
}

/// How often a container ran with this as its last word.
pub fn ran(sandbox: &Sandbox, word: &str) -> usize {
    sandbox.calls().iter().filter(|call| call.argv.last().is_some_and(|last| last == word)).count()
}

/// Types these lines into a new shell with this rc file, where `LOAD` stands for the line that loads; what was shown.
pub fn typed(sandbox: &Sandbox, shell: Shell, text: &str, lines: &[&str]) -> String {
    sandbox.write(Path::new("home").join(rc(shell)), text.replace("LOAD", &shell.load("")));
    let mut terminal = on_terminal(sandbox.run(shell.name()).args(["-i"]).env("TERM", "dumb"));
    for line in lines.iter().chain(&["exit"]) {
        terminal.send_line(line).unwrap();
    }
    terminal.exp_eof().unwrap()
}

/// Asserts that `gemini` runs its container in the end, and never on the host, although these lines are behind ours.
#[track_caller]
fn check(shell: Shell, behind: &str, lines: &[&str], expected: usize) {
    let sandbox = with_host_tools(&["gemini"]);
    let said = typed(&sandbox, shell, &format!("LOAD\n{behind}\n"), lines);
    assert_eq!((on_the_host(&sandbox).as_str(), ran(&sandbox, "hello")), ("", expected), "{shell:?}: {behind}: {said}");
    assert!(said.contains("ai: ") && said.contains("hint: ai doctor shell"), "{shell:?}: {behind}: {said}");
}

const ALIAS: &str = "alias gemini=\"env gemini\"";

// SH-01, SH-02, Z-087, Z-095: one of the lists that run at the prompt is set anew.
#[test]
fn a_list_of_hooks_that_is_set_anew_takes_no_word_away() {
    for shell in Shell::all() {
        let behind: &[&str] = match shell {
            // The first is quiet; of the others the line that was read is not run, and the next one is right.
            Shell::Zsh => &["preexec_functions=(true)", "preexec_functions=()"],
            Shell::Bash => &["PROMPT_COMMAND='true mine'", "PROMPT_COMMAND=", "mine() { true; }; PROMPT_COMMAND=\"mine;$PROMPT_COMMAND\""],
            Shell::Fish => &["function fish_prompt; end"],
        };
        for hooks in behind {
            check(shell, &format!("{ALIAS}\n{hooks}"), &["gemini hello"], 1);
            let function = shell.text("function gemini { env gemini; }", "function gemini; env gemini; end");
            check(shell, &format!("{hooks}\n{function}"), &["gemini hello"], 1);
        }
    }
    if Shell::all().contains(&Shell::Zsh) {
        for hooks in ["precmd_functions=(true)", "unset precmd_functions", "typeset -ga precmd_functions; precmd_functions=()"] {
            check(Shell::Zsh, &format!("{ALIAS}\n{hooks}"), &["gemini hello"], 0);
            check(Shell::Zsh, &format!("{ALIAS}\n{hooks}\ntrap true INT"), &["echo; gemini hello", "gemini hello"], 1);
            check(Shell::Zsh, &format!("{hooks}\nfunction gemini {{ env gemini; }}"), &["gemini hello"], 1);
            check(Shell::Zsh, &format!("{hooks}\nalias -g gemini='env gemini'"), &["echo gemini", "gemini hello"], 1);
        }
    }
}

// SH-01, SH-04: what runs at each prompt, and what is loaded after the first one.
#[test]
fn a_hook_that_defines_the_word_at_each_prompt_never_wins() {
    for shell in Shell::all() {
        let behind: &[&str] = match shell {
            Shell::Zsh => &[
                "each() { alias gemini='env gemini'; }; precmd_functions=(each $precmd_functions)",
                "each() { function gemini { env gemini; }; }; precmd_functions+=(each)",
                "precmd() { aliases[gemini]='env gemini'; }",
                "preexec() { function gemini { env gemini; }; }",
            ],
            Shell::Bash => &[
                "PROMPT_COMMAND='alias gemini=\"env gemini\"'",
                "PROMPT_COMMAND='BASH_ALIASES[gemini]=\"env gemini\"'",
                "each() { function gemini { env gemini; }; }; PROMPT_COMMAND=each",
                "each() { builtin alias gemini='env gemini'; }; PROMPT_COMMAND=(each true)\nLOAD",
            ],
            Shell::Fish => &[
                "function each --on-event fish_prompt; alias gemini='env gemini'; end",
                "function fish_prompt; alias gemini='env gemini'; end",
            ],
        };
        for each in behind {
            check(shell, each, &["gemini hello", "gemini hello"], 2);
        }
    }
    // After the first prompt, when nobody has typed yet: the line that has been read is not run.
    if Shell::all().contains(&Shell::Zsh) {
        check(Shell::Zsh, "each() { alias gemini='env gemini'; }; precmd_functions+=(each)", &["gemini hello", "gemini hello"], 1);
        check(Shell::Zsh, "", &["alias gemini='env gemini'; true", "gemini hello"], 1);
        let later = "later() { zle -F $1; exec {1}<&-; alias gemini='env gemini'; echo de''ferred >&2 }\nexec {fd}< <(sleep 0.1; echo)\n";
        let sandbox = with_host_tools(&["gemini"]);
        sandbox.write("home/.zshrc", format!("{}\n{later}zle -F $fd later\n", Shell::Zsh.load("")));
        let mut terminal = on_terminal(sandbox.run("zsh").args(["-i"]).env("TERM", "dumb"));
        terminal.exp_string("deferred").unwrap();
        for line in ["gemini hello", "gemini hello", "exit"] {
            terminal.send_line(line).unwrap();
        }
        let said = terminal.exp_eof().unwrap();
        assert!(said.contains("so nothing ran; type it again"), "{said}");
        assert_eq!((on_the_host(&sandbox).as_str(), ran(&sandbox, "hello")), ("", 1), "{said}");
    }
}

// SH-01, A-08: a manifest that comes while shells are open.
#[test]
fn a_tool_that_is_added_is_a_word_of_the_shells_that_are_open() {
    for shell in Shell::all() {
        for (args, word) in [("", "newone"), ("--prefix x_", "x_newone")] {
            let sandbox = with_host_tools(&["newone", "x_newone"]);
            sandbox.write(Path::new("home").join(rc(shell)), format!("{}\n", shell.load(args)));
            let manifest = sandbox.write("new.toml", "about = 'new'\ncommand = ['newone']\n");
            let to = sandbox.store().join("tools");
            let add =
                format!("mkdir -p '{0}'; cp '{1}' '{0}/newone.toml'; touch '{0}/Bad.toml' '{0}/cd.toml'", to.display(), manifest.display());
            let mut terminal = on_terminal(sandbox.run(shell.name()).args(["-i"]).env("TERM", "dumb"));
            for line in [&add, &format!("{word} hello"), &format!("{word} again"), "exit"] {
                terminal.send_line(line).unwrap();
            }
            let said = terminal.exp_eof().unwrap();
            assert!(said.matches(&format!("ai: {word} is a tool now")).count() == 1, "{shell:?}: {said}");
            assert_eq!((on_the_host(&sandbox).as_str(), ran(&sandbox, "hello"), ran(&sandbox, "again")), ("", 1, 1), "{shell:?}: {said}");
            assert!(!said.contains("cd is a tool"), "{said}");
        }
        let sandbox = with_host_tools(&["newone"]);
        sandbox.write(Path::new("home").join(rc(shell)), format!("{}\n", shell.load("--only gemini")));
        sandbox.manifest("newone", "about = 'new'\ncommand = ['newone']\n");
        let mut terminal = on_terminal(sandbox.run(shell.name()).args(["-i"]).env("TERM", "dumb"));
        terminal.send_line("newone hello; exit").unwrap();
        let said = terminal.exp_eof().unwrap();
        assert_eq!(on_the_host(&sandbox), "newone\n", "whoever chose some wants no others: {shell:?} {said}");
    }
}

// SH-01: what fish makes of a word while it is typed.
#[test]
fn an_abbreviation_of_a_tool_s_word_is_taken_back_if_it_leads_away() {
    if !Shell::all().contains(&Shell::Fish) {
        return;
    }
    check(Shell::Fish, "abbr --add gemini command gemini", &["gemini hello"], 1);
    check(Shell::Fish, "abbr --add gemini 'env X=1 gemini --verbose'", &["gemini hello"], 1);
    let sandbox = with_host_tools(&["gemini"]);
    let said =
        typed(&sandbox, Shell::Fish, "LOAD\nabbr --add gemini 'gemini --verbose'\nabbr --add gg 'command gemini'\n", &["gemini hello"]);
    assert!(!said.contains("ai: ") && on_the_host(&sandbox).is_empty(), "{said}");
}

// SH-03: whatever is at our place, no shell evaluates what it says.
#[test]
fn a_program_that_answers_something_else_is_named() {
    for shell in Shell::all() {
        for other in ["exit 0", "echo 'usage: other [('", "printf '}\\n)\\n'", "echo; echo 0123"] {
            let sandbox = with_host_tools(&["gemini"]);
            let other = sandbox.script("other", &format!("#!/bin/sh\n{other}\n"));
            let swap = format!("rm \"$__ai_bin\"; cp '{}' \"$__ai_bin\"", other.display());
            let outcome = sandbox.shell(shell, &format!("{swap}\ngemini hello\necho usable")).outcome();
            let err = outcome.err();
            assert!(err.contains("ai: cannot run gemini: ") && err.lines().count() == 1, "{shell:?}: {outcome:?}");
            assert_eq!((outcome.out().as_str(), on_the_host(&sandbox).as_str()), ("usable\n", ""), "{shell:?}");
        }
    }
}

// SH-01 (shells.md 1, 16), SH-03, Z-095, A-08: what is said is true when it is said, also of a tool of one's own, under any alias.
#[test]
fn the_block_says_what_is_wrong_with_the_program() {
    let missing =
        ["is not here; hint: install ai", "may not be executed; hint: chmod +x", "is here, but loads nothing; hint: see what this says"];
    let broken = ["exit 0", "echo '[ ( }'", "exit 4", "printf 'x: ai init zsh\\nx: ai init bash\\n: ai is who'"];
    for shell in Shell::all() {
        let sandbox = with_host_tools(&["gemini", "ownone"]);
        sandbox.manifest("ownone", "about = 'own'\ncommand = ['ownone']\n");
        let program = sandbox.home().join("bin/ai");
        fs::create_dir_all(program.parent().unwrap()).unwrap();
        crate::setups::copy_program(&program);
        let before =
            shell.text("alias gemini='env gemini' ownone='env ownone' function=no builtin=no printf=no\n", "alias gemini='env gemini'\n");
        sandbox.write(Path::new("home").join(rc(shell)), before);
        sandbox.run(&program).args(["install", shell.name()]).succeeds();
        let ask = |why: &str| {
            let outcome = sandbox.run(shell.name()).args(["-i", "-c", "gemini x; ownone x"]).outcome();
            let said = |name: &str| {
                outcome.err().lines().any(|line| line.contains(&format!("ai: cannot run {name} in its container: ")) && line.contains(why))
            };
            assert!(said("gemini") && said("ownone"), "{shell:?} {why}: {outcome:?}");
            assert!(on_the_host(&sandbox).is_empty() && sandbox.calls().is_empty(), "{shell:?} {why}: {outcome:?}");
        };
        fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
        ask(missing[1]);
        fs::remove_file(&program).unwrap();
        ask(missing[0]);
        for text in broken {
            sandbox.script(&program, &format!("#!/bin/sh\n{text}\n"));
            ask(missing[2]);
        }
    }
}

// SH-01 (shells.md 1, 23), SH-04: what traps print, and aliases of every mark and word of the shell, also global ones.
#[test]
fn the_block_loads_under_traps_and_aliases_of_marks() {
    let zsh = "for word in '(' ')' '{' '}' ';' '&&' '||' '|' '!' '[[' ']]' '((' $reswords in builtin test eval unset functions; do alias -g -- \"$word=echo mine\"; done 2>/dev/null";
    let bash =
        "for word in '{' '}' '!' '[[' $(compgen -k) builtin test eval unset function; do alias -- \"$word=echo mine\"; done 2>/dev/null";
    let cases: &[(Shell, &str)] = &[
        (Shell::Zsh, zsh),
        (Shell::Zsh, "trap 'echo noise: ai init' DEBUG"),
        (Shell::Zsh, "setopt extended_glob ksh_glob err_return csh_junkie_quotes rc_quotes no_unset"),
        (Shell::Bash, bash),
        (Shell::Bash, "set -T; trap 'echo noise; echo more: ai' DEBUG"),
        (Shell::Bash, "shopt -s extglob nocasematch; set -u"),
        (Shell::Fish, "alias test='false'; alias string='false'"),
    ];
    for (shell, before) in cases.iter().filter(|(shell, _)| Shell::all().contains(shell)) {
        let sandbox = with_host_tools(&["gemini"]);
        sandbox.ai(["install", shell.name()]).succeeds();
        let block = fs::read_to_string(sandbox.home().join(rc(*shell))).unwrap();
        sandbox.write(Path::new("home").join(rc(*shell)), format!("{before}\n{block}"));
        let outcome = sandbox.run(shell.name()).args(["-i", "-c", "\\gemini hello"]).outcome();
        assert_eq!((on_the_host(&sandbox).as_str(), ran(&sandbox, "hello")), ("", 1), "{shell:?} {before}: {outcome:?}");
    }
}

// SH-03, Z-095: the lines of the README, and what plugin managers load, on a machine that has no `ai` any more.
#[test]
fn the_lines_to_copy_have_a_word_for_the_day_when_the_program_is_gone() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    for shell in Shell::all() {
        let file = Path::new(rc(shell)).file_name().unwrap().to_str().unwrap();
        let block = readme.lines().skip_while(|line| !(line.starts_with('#') && line.ends_with(file))).skip(1);
        let lines: String = block.take_while(|line| !line.starts_with(['#', '`'])).map(|line| format!("{line}\n")).collect();
        let plugin =
            root.join("shells").join(if shell == Shell::Fish { "conf.d/ai.fish".into() } else { format!("ai.plugin.{}", shell.name()) });
        for text in [lines, fs::read_to_string(plugin).unwrap()] {
            assert!(text.contains("ai init"), "{shell:?}: {text}");
            let sandbox = with_host_tools(&["gemini"]);
            let said = typed(&sandbox, shell, &text, &["gemini hello"]);
            assert_eq!((on_the_host(&sandbox).as_str(), ran(&sandbox, "hello")), ("", 1), "{shell:?}: {text}: {said}");
            sandbox.without("ai");
            let said = typed(&sandbox, shell, &format!("alias gemini='env gemini'\n{text}"), &["gemini hello"]);
            assert!(on_the_host(&sandbox).is_empty() && said.contains("ai is "), "{shell:?}: {text}: {said}");
        }
    }
}
