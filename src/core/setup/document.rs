//! Documents with a head of YAML, as skills, commands and agents are: what the head sets, and what the text runs.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser};
use serde::Deserialize;
use serde_json::{Map, Value};

/// Documents of a tool's own directory, and what in them is looked at.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocumentRule {
    /// Their paths: `*` is a name or a part of one, `**` any directories.
    pub path: String,
    /// Whether their heads set something.
    #[serde(default)]
    pub heads: bool,
    /// How the tool marks what it runs in their text.
    #[serde(default)]
    pub runs: Option<RunMark>,
    /// Whether their `@` imports come along.
    #[serde(default)]
    pub imports: bool,
}

/// What marks a command in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunMark {
    /// `` !`…` `` behind a blank, and blocks that begin with `` ```! ``.
    Ticks,
    /// `!{…}`.
    Braces,
}

/// The name by which rules mean the head of a document.
pub const HEAD: &str = "*.md";

/// Nodes of a head, how deep they lie, and bytes that stand for others: more is no head.
const NODES: usize = 4096;
const DEPTH: usize = 32;
const REPEATED: usize = 64 << 10;
/// Commands of one text that are looked at.
const RUNS: usize = 256;

/// Returns what the head of a document sets, every scalar as its text; nothing without one, or where none of the keys can be in it.
///
/// # Errors
/// For one in which nothing can be found, although it has hooks: a tool may find them.
pub fn head(text: &str, keys: &[&str]) -> Result<Value, &'static str> {
    let Some(head) = lines_of_head(text) else { return Ok(Value::Null) };
    // Thousands of documents set no such thing. A backslash may spell it otherwise.
    if !head.contains('\\') && !keys.iter().any(|key| head.contains(key)) {
        return Ok(Value::Null);
    }
    match parse(&head).or_else(|| parse(&forgiven(&head))) {
        Some(value) => Ok(value),
        None if head.lines().any(|line| line.trim_start_matches(['"', '\'', '{', ' ']).starts_with("hooks")) => Err("its head is no YAML"),
        None => Ok(Value::Null),
    }
}

/// Returns the lines between the first, `---`, and the next such.
fn lines_of_head(text: &str) -> Option<String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = text.lines();
    lines.next().filter(|first| first.trim_end() == "---")?;
    let mut head = String::new();
    for line in lines {
        if line.trim_end() == "---" {
            return Some(head);
        }
        head.push_str(line);
        head.push('\n');
    }
    None
}

/// Returns a head as a tool forgives it: tabs for blanks, and plain words at the top in quotes, whatever is in them.
fn forgiven(head: &str) -> String {
    let line = |line: &str| {
        let start = line.len() - line.trim_start().len();
        let line = format!("{}{}", line[..start].replace('\t', "  "), &line[start..]);
        match line.split_once(": ").map(|(key, value)| (key, value.trim())) {
            Some((key, value)) if start == 0 && !value.is_empty() && !value.starts_with(['"', '\'', '[', '{', '|', '>']) => {
                format!("{key}: {}\n", Value::String(value.to_owned()))
            }
            _ => format!("{line}\n"),
        }
    };
    head.lines().map(line).collect()
}

/// A table or list that is open.
struct OpenNode {
    anchor: usize,
    /// The key that waits for its value, in a table.
    key: Option<String>,
    value: Value,
}

/// Reads one YAML document without tags.
fn parse(text: &str) -> Option<Value> {
    let (mut open, mut anchors): (Vec<OpenNode>, BTreeMap<usize, Value>) = (Vec::new(), BTreeMap::new());
    let (mut nodes, mut repeated) = (0, 0);
    for event in Parser::new_from_str(text) {
        nodes += 1;
        if nodes > NODES || open.len() > DEPTH {
            return None;
        }
        let (anchor, done) = match event.ok()?.0 {
            Event::Scalar(text, _, anchor, _) => (anchor, Value::String(text.into_owned())),
            // A text alone may be repeated: nothing grows without end.
            Event::Alias(anchor) => {
                let text = anchors.get(&anchor)?.as_str()?;
                repeated += text.len();
                (0, (repeated <= REPEATED).then(|| Value::String(text.to_owned()))?)
            }
            Event::SequenceStart(anchor, _) => {
                open.push(OpenNode { anchor, key: None, value: Value::Array(Vec::new()) });
                continue;
            }
            Event::MappingStart(anchor, _) => {
                open.push(OpenNode { anchor, key: None, value: Value::Object(Map::new()) });
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => open.pop().map(|node| (node.anchor, node.value))?,
            Event::Nothing | Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd => continue,
            Event::StreamEnd => return Some(Value::Null),
        };
        if anchor > 0 {
            anchors.insert(anchor, done.clone());
        }
        match open.last_mut() {
            None => return Some(done),
            Some(OpenNode { value: Value::Array(list), .. }) => list.push(done),
            Some(OpenNode { value: Value::Object(table), key, .. }) => match key.take() {
                Some(key) => drop(table.insert(key, done)),
                None => *key = Some(done.as_str().map_or_else(|| done.to_string(), str::to_owned)),
            },
            Some(_) => return None,
        }
    }
    None
}

/// Returns the lines that a tool runs before it reads a document.
pub fn runs(text: &str, mark: RunMark) -> Vec<String> {
    match mark {
        RunMark::Ticks => in_ticks(text),
        RunMark::Braces => in_braces(text),
    }
}

/// Returns what stands in `!{…}`, with the braces in it.
fn in_braces(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while found.len() < RUNS
        && let Some((_, after)) = rest.split_once("!{")
    {
        let mut open = 1;
        let end = after.find(|c| {
            open += i32::from(c == '{') - i32::from(c == '}');
            open == 0
        });
        let Some(end) = end else { break };
        found.push(after[..end].to_owned());
        rest = &after[end..];
    }
    found
}

fn in_ticks(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut block: Option<Vec<&str>> = None;
    for line in text.lines() {
        if found.len() >= RUNS {
            break;
        }
        if let Some(lines) = &mut block {
            if line.trim() == "```" {
                found.push(lines.join("\n"));
                block = None;
            } else {
                lines.push(line);
            }
            continue;
        }
        if line.trim() == "```!" {
            block = Some(Vec::new());
            continue;
        }
        let mut rest = line;
        while found.len() < RUNS
            && let Some((before, after)) = rest.split_once("!`")
        {
            let Some((command, behind)) = after.split_once('`') else { break };
            if before.is_empty() || before.ends_with(char::is_whitespace) {
                found.push(command.to_owned());
            }
            rest = behind;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOOKS: &str =
        "hooks:\n  PreToolUse:\n    - matcher: Bash\n      hooks:\n        - type: command\n          command: \"~/bin/guard\"\n";

    fn command(text: &str) -> Option<String> {
        let head = head(text, &["hooks"]).unwrap();
        Some(head["hooks"]["PreToolUse"][0]["hooks"][0]["command"].as_str()?.trim().to_owned())
    }

    // SE-04: what claude reads, spelling by spelling, was asked of the real program.
    #[test]
    fn hooks_are_found_in_every_head_that_a_tool_forgives() {
        let flow = "hooks: {\"PreToolUse\": [{\"hooks\": [{\"command\": \"~/bin/guard\"}]}]}\n";
        for head in [
            HOOKS.to_owned(),
            flow.to_owned(),
            format!("description: Use when: it is: cold [x]\n{HOOKS}"),
            format!("description: *bad\n{HOOKS}"),
            format!("description: @bad `x`\n{HOOKS}"),
            format!("description: x\ndescription: y\n{HOOKS}"),
            format!("description: >\n  a\n  b: c\n{}", HOOKS.replace("\"~/bin/guard\"", "|\n            ~/bin/guard")),
            format!("x: &c ~/bin/guard\n{}", HOOKS.replace("\"~/bin/guard\"", "*c")),
            HOOKS.replace("  ", "\t"),
            HOOKS.replace('\n', "\r\n"),
            format!("# a comment\n'description': 1\n{HOOKS}"),
        ] {
            for text in [format!("---\n{head}---\nBODY\n"), format!("\u{feff}---\n{head}---  ")] {
                assert_eq!(command(&text).as_deref(), Some("~/bin/guard"), "{text}");
            }
        }
    }

    #[test]
    fn without_a_head_there_is_nothing_and_with_one_that_is_broken_hooks_are_feared() {
        for text in ["", "BODY", "---\n", "---\nname: x\n", "\n---\nhooks: x\n---\n", "---\nname: [\n---\n", "---\n---\n"] {
            assert_eq!(command(text), None, "{text}");
        }
        let deep = "[".repeat(DEPTH + 2);
        let laughs = "a: &a [x, x]\nb: &b [*a, *a]\nhooks: [*b, *b]\n";
        let many = format!("hooks: [{}]\n", "x, ".repeat(NODES));
        for broken in [format!("{HOOKS}: [\n"), format!("hooks: {deep}\n"), laughs.to_owned(), many, "{hooks: [\n".to_owned()] {
            assert!(head(&format!("---\n{broken}---\n"), &["hooks"]).is_err(), "{broken}");
        }
        assert!(command(&format!("---\n{}---\n", HOOKS.replacen("hooks", "\"h\\x6foks\"", 1))).is_some(), "another spelling");
        let none = head(&format!("---\n{HOOKS}---\n"), &["mcpServers"]);
        assert_eq!(none, Ok(Value::Null), "what nobody asks for is not read");
    }

    #[test]
    fn what_a_text_runs_stands_behind_a_mark() {
        let text = "Now: !`git status` and !`~/bin/x a`\nno!`x` `y` !`\n```!\nls ~/z\nid\n```\n```\n!`in a fence`\n```\n";
        assert_eq!(runs(text, RunMark::Ticks), ["git status", "~/bin/x a", "ls ~/z\nid", "in a fence"]);
        for (mark, many) in [(RunMark::Ticks, "!`a` "), (RunMark::Ticks, "!`a`\n"), (RunMark::Braces, "!{a}")] {
            assert_eq!(runs(&many.repeat(RUNS + 9), mark).len(), RUNS, "{many}");
        }
        assert_eq!(runs("a !{ls ~/x} !{jq '{a}' | wc}\n!{open { x}", RunMark::Braces), ["ls ~/x", "jq '{a}' | wc"]);
    }
}
