//! Which acceptance case is held by which test: `tests/cases.md`, made from the ids above the tests.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::tidy::files;

/// Every id, in the order of the groups.
const IDS: &str = include_str!("../cases.ids");

/// What a test's comment or a script says: an id, and who holds it.
type Mention = (String, String);

/// `A-01`, `R-T01`, `Z-043`: all ids in a text.
fn ids(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    words.filter(|word| is_id(word)).map(str::to_owned).collect()
}

fn is_id(word: &str) -> bool {
    let Some((group, number)) = word.split_once('-') else { return false };
    let digits = number.strip_prefix('T').unwrap_or(number);
    group.len() == 1
        && group.as_bytes()[0].is_ascii_uppercase()
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
        .filter(|(path, _)| !path.starts_with("tests/cases.md") && !path.ends_with("cases.ids"))
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
    let known: Vec<&str> = IDS.lines().collect();
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
    let rows = IDS.lines().map(|id| match holders.get(id) {
        Some(holders) => format!("| {id} | {} |\n", holders.iter().map(|holder| format!("`{holder}`")).collect::<Vec<_>>().join("<br>")),
        None => format!("| {id} | waits |\n"),
    });
    let held = IDS.lines().filter(|id| holders.contains_key(*id)).count();
    let head = format!(
        "# Acceptance cases\n\nMade by `tests/cases`; {held} of {} are held.\n\n| case | held by |\n|---|---|\n",
        IDS.lines().count()
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
fn an_id_is_a_letter_and_a_number() {
    assert_eq!(ids("// A-01, Z-043 (R-T01); not B-1, AA-01, x-86-64 or P1"), ["A-01", "Z-043", "R-T01"]);
}
