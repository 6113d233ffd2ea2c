//! Which ways to call the word a function sees, and what the links of `ai install --shims` add: a table of `docs/shells.md`.

use std::fs;

use crate::install::install;
use crate::sandbox::Sandbox;
use crate::shell_table::hold;
use crate::shells::Shell;

/// Ways to call the word: how it is called in the table, and in a shell, where `W` stands for the word and a mark.
const CALLS: [(&str, &str, &[Shell]); 20] = [
    ("claude", "W", ALL),
    ("\\claude", "\\W", ALL),
    ("'claude'", "'claude' MARK", ALL),
    ("X=1 claude", "X=1 W", ALL),
    ("time claude", "time W", ALL),
    ("noglob claude", "noglob W", ZSH),
    ("nocorrect claude", "nocorrect W", ZSH),
    ("claude, in a pipe", "W | cat", ALL),
    ("(claude)", "(W)", POSIX),
    ("eval claude", "eval W", ALL),
    ("builtin claude", "builtin W", POSIX),
    ("command claude", "command W", ALL),
    ("=claude", "=claude MARK", ZSH),
    ("env claude", "env W", ALL),
    ("nohup claude", "nohup W", ALL),
    ("timeout 60 claude", "timeout 60 W", ALL),
    ("sh -c claude", "sh -c 'W'", ALL),
    ("xargs claude", "echo MARK | xargs claude", ALL),
    ("find -exec claude", "find . -maxdepth 0 -exec W ';'", ALL),
    ("exec claude", "exec W", ALL),
];
const ALL: &[Shell] = &[Shell::Zsh, Shell::Bash, Shell::Fish];
const POSIX: &[Shell] = &[Shell::Zsh, Shell::Bash];
const ZSH: &[Shell] = &[Shell::Zsh];

/// What runs for each way to call the word, where the functions are loaded, and `before` has been run.
fn called(shell: Shell, before: &str) -> Vec<String> {
    let sandbox = Sandbox::new();
    let host = sandbox.root().join("host-ran");
    sandbox.program("claude", &format!("#!/bin/sh\necho \"$1\" >>'{}'\n", host.display()));
    install(&sandbox, &["--shims"]);
    let path = shell.text("PATH=$PATH:/usr/bin:/bin", "set -x PATH $PATH /usr/bin /bin");
    let mut script = format!("{}\n{path}\n{before}\n", shell.load(""));
    for (index, (_, call, shells)) in CALLS.iter().enumerate() {
        if shells.contains(&shell) {
            script += &format!("{}\n", call.replace('W', "claude MARK").replace("MARK", &format!("mark{index}.")));
        }
    }
    let outcome = sandbox.bare(shell, &script).env("AI_STORE", sandbox.store()).outcome();
    let host = fs::read_to_string(host).unwrap_or_default();
    let calls = sandbox.calls();
    let cell = |(index, (_, _, shells)): (usize, &(&str, &str, &[Shell]))| {
        let mark = format!("mark{index}.");
        let inside = calls.iter().filter(|call| call.argv.last().is_some_and(|word| *word == *mark)).count();
        match (inside, host.lines().filter(|line| *line == mark).count()) {
            _ if !shells.contains(&shell) => "–".to_owned(),
            (1, 0) => "container".into(),
            (0, 1) => "the host's own".into(),
            (0, 0) => "an error".into(),
            other => format!("**{other:?}** {outcome:?}"),
        }
    };
    CALLS.iter().enumerate().map(cell).collect()
}

// SH-01 (shells.md 1, 24, 30), Z-100: which ways of calling the word a function sees, and what the links of `ai install --shims` add.
#[test]
fn each_way_to_call_the_word_is_as_documented() {
    for shell in Shell::all() {
        let functions = called(shell, "");
        let with_links = called(shell, shell.text("PATH=$AI_STORE/shims:$PATH", "set -x PATH $AI_STORE/shims $PATH"));
        let row = |(index, (name, _, _)): (usize, &(&str, &str, &[Shell]))| {
            let (one, two) = (&functions[index], &with_links[index]);
            let cell = if one == two { one.clone() } else { format!("{one}; with the links: {two}") };
            (format!("`{name}`"), cell)
        };
        hold("called like this", shell, CALLS.iter().enumerate().map(row).collect());
    }
}
