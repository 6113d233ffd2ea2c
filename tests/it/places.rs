//! What shells complete without asking: files in the store, made by whoever is asked first.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use crate::completions::{COMPINIT, prompt, tab, with_words};
use crate::sandbox::{Sandbox, tree};
use crate::shells::Shell;

/// Places that are the same in every shell.
const LINES: [&str; 15] = [
    "ai re",
    "ai resolve --format j",
    "ai resolve --format = j",
    "ai resolve --format=j",
    "ai help exit",
    "ai image b",
    "ai-mode g",
    "aic --to",
    "claude --mo",
    "claude --na",
    "claude mcp a",
    "claude mcp --sc",
    "claude --output-format js",
    "claude --output-format = js",
    "glm --mo",
];

/// Asks once, as a shell does at the first press.
fn ask(sandbox: &Sandbox, shell: Shell) {
    sandbox.ai(["complete", "--shell", shell.name(), "--index", "1", "--", "ai", "re"]).prints();
}

/// What a new bash offers at the end of each line, after `before`.
fn offered(sandbox: &Sandbox, before: &str) -> Vec<String> {
    let mut script = format!("{before}\nset -u\n");
    for line in LINES {
        let last = line.split(' ').count() - 1;
        script += &format!("COMP_WORDS=({line}); COMP_CWORD={last}; __ai_complete; echo \"{line}: ${{COMPREPLY[*]-}}\"\n");
    }
    sandbox.shell(Shell::Bash, &script).prints().lines().map(str::to_owned).collect()
}

/// The directory that a new shell is told of.
fn known(sandbox: &Sandbox, shell: Shell) -> PathBuf {
    // zsh is told with the library.
    let library: &[&str] = if shell == Shell::Zsh { &["--library"] } else { &[] };
    let script = sandbox.ai(["init", shell.name()].iter().chain(library)).prints();
    let (_, rest) = script.split_once("__ai_known=").unwrap();
    rest.split(['\n', ';']).next().unwrap().into()
}

//
#[test]
fn a_new_shell_completes_most_places_without_asking() {
    if Shell::all().contains(&Shell::Bash) {
        let sandbox = with_words();
        let asked = offered(&sandbox, "__ai_known=/nonexistent");
        assert!(asked.iter().all(|line| !line.ends_with(": ")), "{asked:#?}");
        ask(&sandbox, Shell::Bash);
        assert_eq!(offered(&sandbox, "__ai_bin=/nonexistent"), asked);
        let directory = known(&sandbox, Shell::Bash);
        let mode = |path: &PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&directory), mode(&directory.join("ai"))), (0o700, 0o600));
    }
    if Shell::all().contains(&Shell::Zsh) {
        let sandbox = with_words();
        ask(&sandbox, Shell::Zsh);
        let load = format!("{COMPINIT}; {}; __ai_call true \"$__ai_bin\" ai; __ai_bin=/bin/false", Shell::Zsh.load(""));
        let mut terminal = prompt(&sandbox, Shell::Zsh, &[&load]);
        for (typed, expected) in [
            ("ai unin", "stall"),
            ("ai resolve --format=js", "on"),
            ("claude --output-format js", "on"),
            ("claude mcp a", "dd"),
            ("glm --mo", "del"),
        ] {
            tab(&mut terminal, typed, expected);
        }
    }
}

#[test]
fn answers_are_those_of_the_words_and_manifests_of_now() {
    for shell in [Shell::Bash, Shell::Zsh] {
        let sandbox = with_words();
        let first = known(&sandbox, shell);
        assert_eq!(first, known(&sandbox, shell));
        let mut seen = vec![first];
        for round in 0..6 {
            if round % 2 == 0 {
                sandbox.manifest("qwen", &format!("about = '{round}'\ncommand = ['qwen']\n{}", "#".repeat(round)));
            } else {
                sandbox.write("home/.docker-ai-config/completions/claude", format!("\t--new{}\t\n", "x".repeat(round)));
            }
            let now = known(&sandbox, shell);
            assert!(!seen.contains(&now), "{shell:?} {round}: {seen:?}");
            ask(&sandbox, shell);
            assert!(now.is_dir(), "{shell:?} {round}");
            seen.push(now);
        }
        assert_eq!(fs::read_dir(sandbox.store().join("places")).unwrap().count(), 4, "{shell:?}: the newest are kept");
        assert!(fs::read_to_string(seen.last().unwrap().join("claude")).unwrap().contains("--newxxxxx"), "{shell:?}");
    }
}

#[test]
fn where_there_is_no_store_none_is_made() {
    let sandbox = Sandbox::new();
    let before = tree(&sandbox.home());
    ask(&sandbox, Shell::Bash);
    assert_eq!(before, tree(&sandbox.home()));
}

#[test]
fn a_file_that_is_broken_costs_a_question_and_nothing_else() {
    if !Shell::all().contains(&Shell::Bash) {
        return;
    }
    let sandbox = with_words();
    let asked = offered(&sandbox, "__ai_known=/nonexistent");
    ask(&sandbox, Shell::Bash);
    let directory = known(&sandbox, Shell::Bash);
    for content in [&b""[..], b"garbage\n", b"\xff\xfe\n\x1e\n\x1f\x1e\x1f\n", b"ai\x1f\x1e", b"\0\0\n"] {
        for entry in fs::read_dir(&directory).unwrap() {
            fs::write(entry.unwrap().path(), content).unwrap();
        }
        assert_eq!(offered(&sandbox, ""), asked, "{content:?}");
    }
    for name in ["ai", "ai resolve", "claude"] {
        fs::remove_file(directory.join(name)).unwrap();
        fs::create_dir(directory.join(name)).unwrap();
    }
    assert_eq!(offered(&sandbox, ""), asked);
}

// `ai install` and a new shell: the first press asks nobody.
#[test]
fn what_is_installed_knows_its_places() {
    for shell in [Shell::Bash, Shell::Zsh] {
        if Shell::all().contains(&shell) {
            let sandbox = with_words();
            crate::install::install(&sandbox, &[shell.name()]);
            assert!(known(&sandbox, shell).join("claude").is_file(), "{shell:?}");
        }
    }
}
