//! Which acceptance case is held by which test: `tests/cases.md`, made from `tests/cases.tsv` and the ids above the tests.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::tidy::files;

/// Every id with its sentence (given; W when; T then), one a line, in the order of the groups.
const CASES: &str = include_str!("../cases.tsv");

/// What a test's comment or a script says: an id, and who holds it.
type Mention = (String, String);

/// Every id and its sentence.
fn cases() -> impl Iterator<Item = (&'static str, &'static str)> {
    CASES.lines().map(|line| line.split_once('\t').unwrap_or_else(|| panic!("no tab in `{line}`")))
}

/// `A-01`, `R-T01`, `BO-05`: all ids in a text.
fn ids(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    words.filter(|word| is_id(word)).map(str::to_owned).collect()
}

fn is_id(word: &str) -> bool {
    let Some((group, number)) = word.split_once('-') else { return false };
    let digits = number.strip_prefix('T').unwrap_or(number);
    (1..=2).contains(&group.len())
        && group.bytes().all(|byte| byte.is_ascii_uppercase())
        && (2..=3).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// The ids in the comments above each test of a Rust file; those of its first lines are held by the file as a whole.
fn of_rust(path: &Path, text: &str) -> Vec<Mention> {
    let mut mentions = Vec::new();
    let (mut above, mut is_test) = (Vec::new(), false);
    for line in text.lines().map(str::trim) {
        if let Some(comment) = line.strip_prefix("//!") {
            mentions.extend(ids(comment).into_iter().map(|id| (id, path.display().to_string())));
        } else if line.starts_with("//") {
            above.extend(ids(line));
        } else if line == "#[test]" {
            is_test = true;
        } else if let Some(name) = line.strip_prefix("fn ").and_then(|rest| rest.split('(').next()) {
            let held = std::mem::take(&mut above);
            if is_test {
                mentions.extend(held.into_iter().map(|id| (id, format!("{}: {name}", path.display()))));
            }
            is_test = false;
        } else if !line.starts_with("#[") {
            above.clear();
        }
    }
    mentions
}

fn mentions() -> Vec<Mention> {
    let mut mentions = Vec::new();
    for (path, text) in files("src")
        .into_iter()
        .chain(files("tests"))
        .chain([("fuzz/src/parsers.rs".into(), std::fs::read_to_string("fuzz/src/parsers.rs").unwrap())])
        .filter(|(path, _)| !path.starts_with("tests/cases.md") && !path.starts_with("tests/cases.tsv"))
    {
        match path.extension().and_then(|kind| kind.to_str()) {
            _ if path.ends_with("it/cases.rs") => {}
            Some("rs") => mentions.extend(of_rust(&path, &text)),
            _ if path.starts_with("tests") => mentions.extend(ids(&text).into_iter().map(|id| (id, path.display().to_string()))),
            _ => {}
        }
    }
    mentions
}

#[test]
fn every_id_in_a_test_exists() {
    let known: Vec<&str> = cases().map(|(id, _)| id).collect();
    for (id, holder) in mentions() {
        assert!(known.contains(&id.as_str()), "{id} in {holder}");
    }
}

/// `tests/cases` brings the table up to date.
#[test]
fn the_table_of_cases_is_up_to_date() {
    let mut holders: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (id, holder) in mentions() {
        let known = holders.entry(id).or_default();
        if !known.contains(&holder) {
            known.push(holder);
        }
    }
    let rows = cases().map(|(id, sentence)| {
        let held_by = holders.get(id).map_or_else(
            || "waits".to_owned(),
            |holders| holders.iter().map(|holder| format!("`{holder}`")).collect::<Vec<_>>().join("<br>"),
        );
        format!("| {id} | {} | {held_by} |\n", sentence.replace('|', "\\|"))
    });
    let head = format!(
        "# Acceptance cases\n\n\
         Made by `tests/cases` from `tests/cases.tsv` and the ids above the tests; {} of {} are held. \
         A sentence reads: given; W when; T then.\n\n\
         | case | sentence | held by |\n|---|---|---|\n",
        cases().filter(|(id, _)| holders.contains_key(*id)).count(),
        cases().count()
    );
    let table = head + &rows.collect::<String>();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases.md");
    if std::env::var_os("AI_WRITE_CASES").is_some() {
        fs::write(path, table).unwrap();
    } else {
        assert!(fs::read_to_string(path).unwrap_or_default() == table, "run tests/cases");
    }
}

#[test]
fn an_id_is_one_letter_or_two_and_a_number() {
    assert_eq!(ids("// A-01, Z-043 (R-T01), BO-05; not B-1, AAA-01, x-86-64 or P1"), ["A-01", "Z-043", "R-T01", "BO-05"]);
}

#[test]
fn every_case_is_a_sentence_of_its_own() {
    let mut ids: Vec<&str> = cases().map(|(id, _)| id).collect();
    for (id, sentence) in cases() {
        assert!(is_id(id), "`{id}` is no id");
        assert!(sentence.len() > 15 && sentence.trim() == sentence, "{id} says `{sentence}`");
    }
    ids.sort_unstable();
    assert!(ids.windows(2).all(|pair| pair[0] != pair[1]), "an id stands twice");
}
