//! The threat model: each row names a test that exists and is run.

use std::fs;
use std::path::Path;

use crate::tidy::{ROOT, files};

fn read(path: impl AsRef<Path>) -> String {
    fs::read_to_string(Path::new(ROOT).join(path)).unwrap_or_default()
}

/// The rows of all tables of a text that have these columns: the cells of each.
fn rows<'a>(text: &'a str, columns: &str) -> Vec<Vec<&'a str>> {
    let mut rows = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        inside = line.starts_with('|') && (inside || line == columns);
        if inside && line != columns && !line.starts_with("|-") {
            rows.push(line.trim_matches('|').split(" | ").map(str::trim).collect());
        }
    }
    rows
}

/// Whether a file has a test of this name that nothing keeps from running.
fn is_test(text: &str, name: &str) -> bool {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let Some(at) = lines.iter().position(|line| line.starts_with(&format!("fn {name}("))) else { return false };
    let above = lines[..at].iter().rev().take_while(|line| line.starts_with("#[") || line.starts_with("//"));
    let above: Vec<&&str> = above.collect();
    above.contains(&&"#[test]") && !above.iter().any(|line| line.starts_with("#[ignore") || line.starts_with("#[cfg("))
}

/// Whether some file beside or above takes this one in.
fn is_compiled(path: &str) -> bool {
    let stem = Path::new(path).file_stem().unwrap().to_str().unwrap();
    let folder = Path::new(path).parent().unwrap();
    let parents = [folder.join("main.rs"), folder.with_extension("rs"), folder.join("mod.rs"), "src/main.rs".into()];
    stem == "main" || parents.iter().any(|parent| read(parent).lines().any(|line| line.ends_with(&format!("mod {stem};"))))
}

// BO-21
#[test]
fn every_row_of_the_threat_model_names_a_test_that_is_run() {
    let text = read("THREAT_MODEL.md");
    let rows = rows(&text, "| who | with what | what stops it | test |");
    assert!(rows.len() > 30, "only {} rows were found", rows.len());
    for row in rows {
        let [who, what, stopped_by, test] = row[..] else { panic!("not four cells: {row:?}") };
        assert!(!who.is_empty() && !what.is_empty() && !stopped_by.is_empty(), "{row:?}");
        let held: Vec<&str> = test.split('`').skip(1).step_by(2).collect();
        assert!(!held.is_empty(), "no test: {row:?}");
        for test in held {
            let (path, name) = test.split_once(": ").unwrap_or_else(|| panic!("`{test}` is no `file: name`"));
            assert!(is_test(&read(path), name), "{path} has no test `{name}` that is run");
            assert!(is_compiled(path), "nothing takes {path} in");
        }
    }
}

#[test]
fn a_row_without_a_test_that_is_run_is_seen() {
    let text =
        "// X\n#[test]\nfn runs() {}\n#[ignore]\n#[test]\nfn sleeps() {}\nfn helps() {}\n#[cfg(feature = \"x\")]\n#[test]\nfn hides() {}\n";
    assert_eq!(["runs", "sleeps", "helps", "hides", "gone"].map(|name| is_test(text, name)), [true, false, false, false, false]);
    assert!(is_compiled("tests/it/threats.rs") && !is_compiled("tests/it/nobody.rs"));
    assert_eq!(rows("| a | b |\n|---|---|\n| 1 | 2 |\n\n| 3 | 4 |", "| a | b |"), [["1", "2"]]);
}

#[test]
fn no_test_sleeps() {
    let mark = "#[ig|nore".replace('|', "");
    for (path, text) in files("src").into_iter().chain(files("tests/it")).filter(|(path, _)| !path.ends_with("threats.rs")) {
        assert!(!text.contains(&mark), "{} ignores a test", path.display());
    }
}
