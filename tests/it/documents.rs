//! What a reader meets: documents that lead somewhere, name what exists, and can be typed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::sandbox::Sandbox;
use crate::tidy::{ROOT, files};

/// The documents of the repository, by path relative to its root.
fn documents() -> Vec<(PathBuf, String)> {
    let at_root = fs::read_dir(ROOT).unwrap().map(|entry| PathBuf::from(entry.unwrap().file_name()));
    let at_root = at_root.filter(|path| path.extension().is_some_and(|kind| kind == "md"));
    let at_root = at_root.map(|path| (path.clone(), fs::read_to_string(Path::new(ROOT).join(path)).unwrap()));
    let below = ["docs", "tests"].into_iter().flat_map(files).filter(|(path, _)| path.extension().is_some_and(|kind| kind == "md"));
    // What a person has at home is no document of ours.
    at_root.chain(below).filter(|(path, _)| !path.starts_with("tests/bed/home")).collect()
}

fn document(name: &str) -> String {
    fs::read_to_string(Path::new(ROOT).join(name)).unwrap()
}

/// The targets of the links of a Markdown text, but those into the web.
fn links(text: &str) -> Vec<&str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets.filter(|target| !target.starts_with("https://")).collect()
}

/// The anchor of a heading, as forges make it.
fn anchor(heading: &str) -> String {
    let kept = heading.trim_start_matches('#').trim().chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}

/// The lines between fences of these kinds, with their document.
fn fenced<'a>(path: &Path, text: &'a str, kinds: &[&str]) -> Vec<(String, &'a str)> {
    let mut found = Vec::new();
    let mut inside: Option<bool> = None;
    for line in text.lines() {
        match (line.trim_start().strip_prefix("```"), inside) {
            (Some(kind), None) => inside = Some(kinds.contains(&kind)),
            (Some(_), Some(_)) => inside = None,
            (None, Some(true)) => found.push((path.display().to_string(), line)),
            _ => {}
        }
    }
    assert!(inside.is_none(), "a fence in {} has no end", path.display());
    found
}

// R-T08
#[test]
fn every_document_is_two_clicks_from_the_readme_and_no_link_is_dead() {
    let documents: BTreeMap<PathBuf, String> = documents().into_iter().collect();
    let mut clicks = BTreeMap::from([(PathBuf::from("README.md"), 0)]);
    let mut next = vec![PathBuf::from("README.md")];
    while let Some(from) = next.pop() {
        for link in links(&documents[&from]) {
            let (file, heading) = link.split_once('#').map_or((link, None), |(file, heading)| (file, Some(heading)));
            let to = if file.is_empty() { from.clone() } else { from.parent().unwrap().join(file) };
            assert!(Path::new(ROOT).join(&to).exists(), "{} leads to {link}, which is nowhere", from.display());
            let Some(text) = documents.get(&to) else { continue };
            if let Some(heading) = heading {
                let known = text.lines().filter(|line| line.starts_with('#')).any(|line| anchor(line) == heading);
                assert!(known, "{} leads to {link}, which has no such heading", from.display());
            }
            let far = clicks[&from] + 1;
            if clicks.get(&to).is_none_or(|known| *known > far) {
                clicks.insert(to.clone(), far);
                next.push(to);
            }
        }
    }
    for path in documents.keys() {
        assert!(clicks.get(path).is_some_and(|clicks| *clicks <= 2), "{} is {:?} clicks from the README", path.display(), clicks.get(path));
    }
}

// R-T08
#[test]
fn what_is_read_first_is_short_and_narrow() {
    assert!(document("README.md").lines().count() <= 150);
    // A row that names a test cannot be wrapped.
    let mut wide = Vec::new();
    for (path, text) in documents().into_iter().filter(|(path, _)| path.parent() == Some(Path::new(""))) {
        let lines = text.lines().enumerate().filter(|(_, line)| line.chars().count() > 120 && !line.ends_with("` |"));
        wide.extend(lines.map(|(index, _)| format!("{}:{}", path.display(), index + 1)));
    }
    assert!(wide.is_empty(), "above 120 columns: {wide:?}");
}

#[test]
fn documents_name_files_that_exist() {
    for (path, text) in documents().into_iter().filter(|(path, _)| !path.starts_with("tests")) {
        for name in text.split('`').skip(1).step_by(2) {
            let is_ours = ["src/", "tests/", "docs/", "shells/", "templates/"].iter().any(|folder| name.starts_with(folder));
            if is_ours && !name.contains(['*', ' ', '…']) && !name.contains("NAME") {
                assert!(Path::new(ROOT).join(name).exists(), "{} names `{name}`, which is not there", path.display());
            }
        }
    }
}

/// Asserts that these words behind `ai` are a command with these options.
fn check_command(sandbox: &Sandbox, place: &str, words: &[&str]) {
    let help = |path: &[&str]| sandbox.ai(path).args(["--help"]).prints();
    let has_word = |text: &str, word: &str| text.lines().any(|line| line.trim_start().split(' ').next() == Some(word));
    let mut path: Vec<&str> = Vec::new();
    let mut text = help(&path);
    for word in words {
        if *word == "--" {
            return;
        }
        if let Some(option) = word.strip_prefix("--") {
            let option = format!("--{}", option.split(['=', '[']).next().unwrap());
            assert!(text.contains(&option), "{place}: `ai {}` has no {option}", path.join(" "));
        } else if text.contains("Commands:") && path.len() < 2 {
            assert!(has_word(&text, word), "{place}: `ai {}` has no command `{word}`", path.join(" "));
            path.push(word);
            text = help(&path);
        } else if ["run", "resolve", "exec", "env"].contains(&path[0]) {
            return;
        }
    }
}

// R-T07
#[test]
fn every_command_in_a_document_can_be_typed() {
    let sandbox = Sandbox::new();
    let targets = document("Makefile");
    let mut checked = 0;
    for (path, text) in documents() {
        for (place, line) in fenced(&path, &text, &["sh", "console"]) {
            let line = line.trim().trim_start_matches("$ ").split(" #").next().unwrap();
            match line.split_whitespace().collect::<Vec<_>>().as_slice() {
                ["ai", words @ ..] => check_command(&sandbox, &format!("{place}: {line}"), words),
                ["make"] => {}
                ["make", target, ..] => assert!(targets.contains(&format!("\n{target}:")), "{place} makes `{target}`"),
                _ => continue,
            }
            checked += 1;
        }
    }
    assert!(checked >= 15, "only {checked} commands were found");
}

#[test]
fn the_readme_has_every_command_and_every_tool() {
    let readme = document("README.md");
    let sandbox = Sandbox::new();
    let help = sandbox.ai(["--help"]).prints();
    let commands = help.split("Commands:\n").nth(1).unwrap().split("\n\n").next().unwrap();
    for command in commands.lines().filter_map(|line| line.split_whitespace().next()) {
        assert!(readme.contains(&format!("`ai {command}")), "README.md has no `ai {command}`");
    }
    for tool in sandbox.ai(["tools"]).prints().lines().filter_map(|line| line.split_whitespace().next()) {
        assert!(readme.contains(&format!("`{tool}`")), "README.md has no `{tool}`");
    }
}

#[test]
fn every_target_of_the_makefile_is_listed() {
    let makefile = document("Makefile");
    let phony = makefile.lines().find_map(|line| line.strip_prefix(".PHONY:")).unwrap();
    for target in phony.split_whitespace().filter(|target| *target != "cargo") {
        let rule = makefile.lines().find(|line| line.starts_with(&format!("{target}:")));
        assert!(rule.is_some_and(|rule| rule.contains("## ")), "`make help` does not say what `{target}` is");
    }
}
