//! Rules about the source itself: what imports what, how long a file is, what the shells and linters say.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::require::need;
use crate::sandbox::{Sandbox, find_program};
use crate::shells::Shell;

pub const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// What a module that only decides must not name.
const ACTS: [&str; 15] = [
    "std::fs",
    "std::env",
    "std::process",
    "std::net::Tcp",
    "std::time",
    "std::thread",
    "std::io::std",
    "std::os::unix::net",
    "fs_err",
    "rustix",
    "tempfile",
    "which::",
    "signal_hook",
    "anstream",
    "std::os::unix::fs",
];

/// Files below a directory of the repository, by path relative to its root, with their text.
pub fn files(directory: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut directories = vec![Path::new(ROOT).join(directory)];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else if let Ok(text) = fs::read_to_string(&path) {
                found.push((path.strip_prefix(ROOT).unwrap().to_owned(), text));
            }
        }
    }
    found.sort();
    found
}

/// The part of a source file that is no test of its own.
fn program(text: &str) -> &str {
    text.split("\n#[cfg(test)]\n").next().unwrap()
}

fn is_rust(path: &Path) -> bool {
    path.extension().is_some_and(|kind| kind == "rs")
}

/// Whether a source file holds nothing but tests: `tests.rs`, or what is below `tests/`.
fn is_test(path: &Path) -> bool {
    path.file_stem().is_some_and(|stem| stem == "tests") || path.iter().skip(1).any(|part| part == "tests")
}

#[test]
fn what_decides_knows_nothing_that_acts() {
    for (path, text) in files("src/core").into_iter().filter(|(path, _)| is_rust(path) && !is_test(path)) {
        let lines = || program(&text).lines().filter(|line| !line.trim_start().starts_with("//"));
        for forbidden in ACTS {
            assert_eq!(lines().find(|line| line.contains(forbidden)), None, "{} names {forbidden}", path.display());
        }
        let names_other = |line: &&str| line.match_indices("crate::").any(|(at, _)| !line[at..].starts_with("crate::core"));
        assert_eq!(lines().find(names_other), None, "{} names what is outside core", path.display());
    }
}

#[test]
fn what_asks_and_tells_touches_no_file_itself() {
    let is_other = |path: &Path| !["src/core", "src/host", "src/core.rs", "src/host.rs"].iter().any(|known| path.starts_with(known));
    for (path, text) in files("src").into_iter().filter(|(path, _)| is_other(path)) {
        for forbidden in ["std::fs", "fs_err", "rustix::fs", "std::net", "UnixStream", "UnixDatagram"] {
            assert!(!program(&text).contains(forbidden), "{} names {forbidden}", path.display());
        }
    }
}

// A stranger reads the map first.
#[test]
fn the_map_in_main_names_every_folder() {
    let map = fs::read_to_string(Path::new(ROOT).join("src/main.rs")).unwrap();
    let map: String = map.lines().take_while(|line| line.starts_with("//!")).collect();
    for entry in fs::read_dir(Path::new(ROOT).join("src")).unwrap() {
        let name = entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned();
        assert!(name == "main" || map.contains(&format!("- `{name}`")), "main.rs does not say what src/{name} is");
    }
}

#[test]
fn the_tree_in_architecture_names_every_part_of_core() {
    let text = fs::read_to_string(Path::new(ROOT).join("ARCHITECTURE.md")).unwrap();
    let tree = text.split("## The tree").nth(1).unwrap().split("## One run").next().unwrap();
    for entry in fs::read_dir(Path::new(ROOT).join("src/core")).unwrap() {
        let name = entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned();
        let is_named = [format!(" {name}/ "), format!(" {name}.rs ")].iter().any(|word| tree.contains(word));
        assert!(is_named, "ARCHITECTURE.md does not say what src/core/{name} is");
    }
}

/// Returns the name of the type that a line defines.
fn defined_type(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let line = line.strip_prefix("pub").map_or(line, |rest| rest.split_once(' ').map_or(rest, |(_, rest)| rest));
    let rest = ["struct ", "enum ", "trait ", "type "].iter().find_map(|word| line.strip_prefix(word))?;
    // A type in a trait's implementation has the trait's name.
    let is_ours = !["Error", "Err", "Output", "Item", "IntoIter", "Value"].iter().any(|name| rest.starts_with(&format!("{name} =")));
    rest.split(|c: char| !c.is_alphanumeric()).next().filter(|name| !name.is_empty() && is_ours)
}

// One noun, one type: who reads `LoginStore` need not look where it was imported from.
#[test]
fn no_type_name_is_defined_twice() {
    let mut places: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (path, text) in files("src").into_iter().filter(|(path, _)| is_rust(path)) {
        for name in text.lines().filter_map(defined_type) {
            places.entry(name.to_owned()).or_default().push(path.display().to_string());
        }
    }
    assert!(places.len() > 300, "{} types", places.len());
    // A row of a table of tests.
    places.retain(|name, places| places.len() > 1 && name != "Case");
    assert_eq!(places, BTreeMap::new(), "each wants a noun of its own");
}

/// Functions that take a value, or whose name says what is switched.
const TAKE_SWITCHES: [&str; 17] = [
    "",
    "Some",
    "Ok",
    "new",
    "unwrap_or",
    "then_some",
    "read",
    "write",
    "append",
    "create",
    "recursive",
    "disable_help_subcommand",
    "keep_trailing_newline",
    "from_str",
    "set_implicit",
    "set_dotted",
    "switch",
];

/// Returns the name of the call whose last argument ends here: behind it stands the closing parenthesis.
fn called(before: &str) -> Option<&str> {
    let mut depth = 0;
    let (open, _) = before.char_indices().rev().find(|(_, c)| {
        depth += i32::from(*c == ')') - i32::from(*c == '(');
        depth < 0
    })?;
    before[..open].rsplit(|c: char| !c.is_alphanumeric() && c != '_').next()
}

// `slot(root, path, Absent::Make)` says what `slot(root, path, true)` leaves to be looked up.
#[test]
fn no_call_has_a_bare_switch() {
    for (path, text) in files("src").into_iter().filter(|(path, _)| is_rust(path) && !is_test(path)) {
        for line in program(&text).lines().filter(|line| !line.trim_start().starts_with(['/', '#'])) {
            for (at, _) in ["true)", "false)"].iter().flat_map(|end| line.match_indices(end)) {
                let is_argument = line[..at].ends_with([' ', '(']) && !line[..at].ends_with("| ");
                let name = called(&line[..at]).filter(|_| is_argument).unwrap_or_default();
                assert!(TAKE_SWITCHES.contains(&name), "{}: `{}` wants a word", path.display(), line.trim());
            }
        }
    }
}

/// Words with which a sentence begins that never comes to say what the function does.
const OPEN_ENDED: [&str; 14] =
    ["What", "Where", "Who", "Why", "How", "Which", "When", "As", "All", "Every", "Everything", "Those", "Each", "One"];

// "Returns why …", not "Why …": the first sentence says what is done.
#[test]
fn what_a_function_does_is_said_by_a_verb() {
    for (path, text) in files("src").into_iter().filter(|(path, _)| is_rust(path) && !is_test(path)) {
        let mut first = None;
        for line in program(&text).lines().map(str::trim_start).filter(|line| !line.starts_with("#[")) {
            match line.strip_prefix("/// ") {
                Some(doc) => first = first.or(Some(doc)),
                None if line.starts_with("///") => {}
                None => {
                    let is_function = line.split('(').next().unwrap_or_default().split(' ').any(|word| word == "fn");
                    if let Some(doc) = first.take().filter(|_| is_function) {
                        let word = doc.split(' ').next().unwrap_or_default();
                        assert!(!OPEN_ENDED.contains(&word), "{}: `{doc}` wants a verb", path.display());
                    }
                }
            }
        }
    }
}

/// Commands whose output, or a part of it, programs and shells read.
const EXACT: [&str; 12] =
    ["commit", "complete", "completions", "help", "init", "metrics", "paste_picture", "resolve", "stats", "sync", "sync_job", "use_tool"];

// BO-14: what people read goes through the functions that make it visible.
#[test]
fn only_what_programs_read_is_printed_as_it_is() {
    for (path, text) in files("src").into_iter().filter(|(path, _)| is_rust(path) && !path.ends_with("host/output.rs")) {
        let is_exact = EXACT.iter().any(|name| path.ends_with(format!("command/{name}.rs")));
        assert!(is_exact || !program(&text).contains("output::exact"), "{} prints what people read unseen", path.display());
    }
}

#[test]
fn no_file_is_too_long_to_read() {
    for (path, text) in files("src").into_iter().chain(files("tests/it")).filter(|(path, _)| !is_test(path)) {
        let lines = program(&text).lines().count();
        assert!(lines <= 300, "{} has {lines} lines", path.display());
    }
}

#[test]
fn nothing_is_left_for_later() {
    let marks = ["TO|DO", "FIX|ME", "X|XX", "HA|CK", "todo|!(", "unimplemented|!(", "dbg|!("].map(|mark| mark.replace('|', ""));
    for (path, text) in ["src", "tests", "shells", "templates"].into_iter().flat_map(files) {
        for mark in &marks {
            assert!(!text.contains(mark.as_str()), "{mark} in {}", path.display());
        }
    }
}

/// Runs a linter on a file; asserts that it has nothing to say.
#[track_caller]
fn lint(program: &str, args: &[&str], file: &Path) {
    let Some(path) = need(program, find_program(program)) else { return };
    let output = Command::new(path).args(args).arg(file).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success() && said.is_empty(), "{program}: {}", String::from_utf8_lossy(&said));
}

//
#[test]
fn every_variant_of_every_script_is_clean() {
    let variants: [&[&str]; 5] = [
        &[],
        &["--no-completions"],
        &["--only", "claude"],
        &["--prefix", "x_"],
        &["--prefix", "x_", "--only", "glm,gexec", "--no-completions"],
    ];
    let sandbox = Sandbox::new();
    sandbox.manifest("cursor-agent", "command = ['cursor-agent']\nabout = \"it's `$(id)` \\\"quoted\\\"\"\n");
    for (index, options) in variants.into_iter().enumerate() {
        for shell in Shell::all() {
            let script = sandbox.ai(["init", shell.name()]).args(options).prints();
            assert!(!script.contains('\r') && script.ends_with('\n'));
            // What the shell reads is one quoted word, which is shown here instead.
            let read = shell.text("']' && 'eval' '", "']' && eval '");
            let read = if shell == Shell::Zsh { "']' && 'emulate' 'zsh' '-o' 'noaliases' '-c' '" } else { read };
            let shown = sandbox.bare(shell, &script.replacen(read, "']' && 'printf' '%s' '", 1)).prints();
            assert!(shown.contains("function ") && shown.len() > script.len() / 2, "{shell:?}: {shown}");
            for (part, text) in [("whole", &script), ("read", &shown)] {
                let file = sandbox.write(format!("{index}.{part}.{}", shell.name()), text);
                match shell {
                    Shell::Zsh => lint("zsh", &["-n"], &file),
                    Shell::Bash => {
                        lint("bash", &["-n"], &file);
                        lint("shellcheck", &["--shell=bash", "--exclude=SC2288,SC2317,SC2139,SC2128,SC2178,SC2086,SC2034,SC2016"], &file);
                    }
                    Shell::Fish => lint("fish", &["--no-execute"], &file),
                }
            }
        }
    }
}

// A mutant whose expression finds nothing any more shows nothing either.
#[test]
fn every_mutant_still_changes_something() {
    if need("perl", find_program("perl")).is_none() {
        return;
    }
    for script in ["tests/mutants", "tests/faults/mutants"] {
        let output = Command::new("bash").arg(script).current_dir(ROOT).env("AI_MUTANTS", "look").output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.ends_with("0 not\n"), "{script}: {said}");
    }
}

// BO-05
#[test]
fn files_are_touched_by_their_paths_in_one_folder() {
    let lifts = |text: &str| text.contains("#![expect(clippy::disallowed_methods");
    let lifted: Vec<PathBuf> = files("src").into_iter().filter(|(_, text)| lifts(text)).map(|(path, _)| path).collect();
    assert_eq!(lifted, ["src/host/fs.rs", "src/host/machine/clock.rs", "src/host/sync/tests.rs"].map(PathBuf::from));
}
