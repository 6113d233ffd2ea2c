//! Each setting that a pinned program knows is one that leaves a project, within a bound, or one that stays: nobody decided nothing.

use std::collections::BTreeSet;
use std::{env, fs};

use crate::bed::{Bed, Image};

/// What a manifest says of the settings in one file: those that flow out, and those that stay.
struct Classified {
    out: BTreeSet<String>,
    stays: BTreeSet<String>,
}

fn classified(tool: &str, path: &str) -> Classified {
    let read = |kind: &str| fs::read_to_string(format!("{}/src/core/tool/{tool}.{kind}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let manifest: toml::Table = read("toml").parse().unwrap();
    let rule = manifest["sync"].as_array().unwrap().iter().find(|rule| rule["path"].as_str() == Some(path)).unwrap();
    let out = rule["out"].as_table().unwrap().keys().cloned().collect();
    let stays = read("stays").lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect();
    Classified { out, stays }
}

impl Classified {
    /// Whether the setting, or a table that it is in, is in one of the lists; a table may also hold some that flow out.
    fn knows(&self, key: &str) -> bool {
        let above = |known: &String| key == known || key.strip_prefix(known.as_str()).is_some_and(|rest| rest.starts_with('.'));
        let below = |known: &String| known.strip_prefix(key).is_some_and(|rest| rest.starts_with('.'));
        self.stays.iter().any(above) || self.out.iter().any(|known| above(known) || below(known))
    }

    #[track_caller]
    fn covers(&self, known: &[String], at_least: usize) {
        assert!(known.len() >= at_least, "only {} settings were found in the program: {known:?}", known.len());
        let unknown: Vec<&String> = known.iter().filter(|key| !self.knows(key)).collect();
        assert!(unknown.is_empty(), "put into `out` or into the list of those that stay: {unknown:?}");
        assert!(self.out.is_disjoint(&self.stays));
        let gone: Vec<&String> = self.out.iter().filter(|key| !known.iter().any(|known| known == *key)).collect();
        assert!(gone.is_empty(), "the program does not know them: {gone:?}");
    }
}

/// What a script prints in the image of the real tools.
fn printed(script: &str) -> Option<String> {
    let bed = Bed::new(Image::Tools)?;
    let image = env::var("AI_BED_TOOLS").unwrap();
    Some(bed.docker(&["run", "--rm", "--network", "none", "--entrypoint", "sh", &image, "-c", script]))
}

/// The keys of an object literal of JavaScript, from somewhere in its first value on: `key: () => schema, …`.
fn keys_of_literal(text: &str) -> Vec<String> {
    let (mut depth, mut at, mut keys) = (1_i32, 0, Vec::new());
    let bytes = text.as_bytes();
    while depth > 0 && at < bytes.len() {
        match bytes[at] {
            quote @ (b'"' | b'\'' | b'`') => {
                at += 1;
                while bytes[at] != quote {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
            }
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth -= 1,
            b',' if depth == 1 => {
                let rest = &text[at + 1..];
                let name: String = rest.chars().take_while(|char| char.is_alphanumeric() || *char == '_').collect();
                if rest[name.len()..].starts_with(":()=>") {
                    keys.push(name);
                }
            }
            _ => {}
        }
        at += 1;
    }
    keys
}

// BO-08
#[test]
fn every_setting_that_claude_knows_is_classified() {
    let script = "p=$(readlink -f \"$(command -v claude)\"); \
                  at=$(grep -aobF '(\"JSON Schema reference for Claude Code settings\")' \"$p\" | head -n 1 | cut -d: -f1); \
                  tail -c +$((at + 1)) \"$p\" | head -c 200000 | tr -cd '[:print:]'";
    let Some(text) = printed(script) else { return };
    classified("claude", "settings.json").covers(&keys_of_literal(&text), 180);
}

// BO-08
#[test]
fn every_setting_that_gemini_knows_is_classified() {
    let script = "cd \"$(dirname \"$(readlink -f \"$(command -v gemini)\")\")\"; cat \"$(grep -l 'var SETTINGS_SCHEMA = {' chunk-*.js | head -n 1)\"";
    let Some(text) = printed(script) else { return };
    let schema = text.split_once("var SETTINGS_SCHEMA = {\n").unwrap().1.split_once("\n};").unwrap().0;
    let mut above: Vec<&str> = Vec::new();
    let mut known = Vec::new();
    for line in schema.lines() {
        let name = line.trim_start();
        let indentation = line.len() - name.len();
        // The bundle indents by two: settings stand at 2, 6, 10, what is said of each in between.
        let Some((name, value)) = name.split_once(": ").filter(|_| indentation % 4 == 2) else { continue };
        if value.starts_with('{') || value.trim_end_matches('(').chars().all(char::is_alphanumeric) && value.ends_with('(') {
            above.truncate((indentation - 2) / 4);
            above.push(name.trim_matches('"'));
            known.push(above.join("."));
        }
    }
    classified("gemini", "settings.json").covers(&known, 150);
}

// BO-08
#[test]
fn every_setting_that_codex_knows_is_classified() {
    // The names of the fields of its configuration stand in the program one behind the other; what the protocol's schema names comes
    // from elsewhere, and so covers what the compiler put elsewhere.
    let script = "p=$(find / -path '*/bin/codex' -size +10M 2>/dev/null | head -n 1); grep -aoP 'ConfigToml\\K[a-z0-9_]{500,}' \"$p\"; \
                  codex app-server generate-json-schema --out /tmp/schema >/dev/null; \
                  jq -r '.definitions.Config.properties | keys[]' /tmp/schema/v2/ConfigReadResponse.json";
    let Some(text) = printed(script) else { return };
    let (block, named) = text.split_once('\n').unwrap();
    let classified = classified("codex", "config.toml");
    let tops: BTreeSet<&str> = classified.out.iter().map(|key| key.split('.').next().unwrap()).collect();
    let words: Vec<&str> = classified.stays.iter().map(String::as_str).chain(tops).collect();
    assert_eq!(unspelled(block, &words), "", "a name in it is new");
    let unknown: Vec<&str> = named.lines().filter(|name| !words.contains(name)).collect();
    assert!(unknown.is_empty() && named.lines().count() >= 20, "{unknown:?}");
    assert!(classified.out.is_disjoint(&classified.stays));
}

/// What is left of a text from where no row of words spells it.
fn unspelled<'a>(text: &'a str, words: &[&str]) -> &'a str {
    let mut reached = vec![false; text.len() + 1];
    reached[0] = true;
    for at in 0..text.len() {
        if !reached[at] {
            continue;
        }
        for word in words.iter().filter(|word| text[at..].starts_with(**word)) {
            reached[at + word.len()] = true;
        }
    }
    &text[reached.iter().rposition(|reached| *reached).unwrap()..]
}
