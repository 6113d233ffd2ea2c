//! Reads the `--help` of a program: options, sub-commands, and the values that an option takes.
//!
//! Made for what commander, yargs and clap print, which most command lines look like. What it does not understand, it
//! leaves out.

use crate::core::complete::Candidate;
use crate::core::complete::vocabulary::{Vocabulary, join};

/// An option never stands further to the right; what begins with `-` there is prose.
const OPTION_INDENT: usize = 8;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    Options,
    Commands,
    Other,
}

/// Returns the words in the help of `program context…`.
pub fn read(program: &str, context: &str, text: &str) -> Vocabulary {
    let mut vocabulary = Vocabulary::default();
    let mut section = Section::Other;
    let mut entry: Option<(Vec<String>, String)> = None;
    for line in text.lines() {
        let indent = line.len() - line.trim_start().len();
        if indent == 0 && line.trim_end().ends_with(':') {
            finish(&mut vocabulary, context, entry.take());
            section = heading(line);
            continue;
        }
        let begins = match section {
            Section::Options => indent <= OPTION_INDENT && line.trim_start().starts_with('-'),
            Section::Commands => indent == 2,
            Section::Other => false,
        };
        if begins {
            finish(&mut vocabulary, context, entry.take());
            let (spec, about) = line.trim().split_once("  ").unwrap_or((line.trim(), ""));
            let words = if section == Section::Options { options(spec) } else { command(spec, program, context) };
            entry = Some((words, about.trim().to_owned()));
        } else if let Some((_, about)) = &mut entry {
            about.push(if line.trim().starts_with("- ") { '\n' } else { ' ' });
            about.push_str(line.trim());
        }
    }
    finish(&mut vocabulary, context, entry);
    vocabulary
}

fn heading(line: &str) -> Section {
    let line = line.to_ascii_lowercase();
    match line.trim_end().trim_end_matches(':') {
        heading if heading.ends_with("options") || heading.ends_with("flags") => Section::Options,
        heading if heading.ends_with("commands") => Section::Commands,
        _ => Section::Other,
    }
}

/// `-d, --debug [filter]` → both names.
fn options(spec: &str) -> Vec<String> {
    let names = spec.split([' ', ',']).filter(|word| word.starts_with('-') && word.len() > 1);
    names.map(|name| name.split(['=', '[', '<']).next().unwrap_or(name).to_owned()).collect()
}

/// `gemini extensions <command>`, `plugin|plugins`, `install [options]` → the names of the sub-command.
fn command(spec: &str, program: &str, context: &str) -> Vec<String> {
    let path = join(program, context);
    let spec = spec.strip_prefix(path.trim_end()).map_or(spec, str::trim_start);
    let names = spec.split_whitespace().next().unwrap_or_default().split('|');
    let is_name = |name: &&str| {
        name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    names.filter(is_name).map(str::to_owned).collect()
}

fn finish(vocabulary: &mut Vocabulary, context: &str, entry: Option<(Vec<String>, String)>) {
    let Some((words, about)) = entry else { return };
    let values = values(&about);
    for word in words {
        for value in &values {
            vocabulary.add(&join(context, &word), value.clone());
        }
        vocabulary.add(context, Candidate::new(word, summary(&about)));
    }
}

/// `choices: "a", "b"`, `possible values: a, b`, or a list of `- a: what it means`.
fn values(about: &str) -> Vec<Candidate> {
    if let Some((_, list)) = about.split_once("Possible values:") {
        let item = |line: &str| {
            let (value, about) = line.trim().strip_prefix("- ")?.split_once(':')?;
            Some(Candidate::new(value.trim(), about.trim()))
        };
        return list.lines().filter_map(item).collect();
    }
    let list = ["choices:", "possible values:"].iter().find_map(|head| Some(about.split_once(head)?.1));
    let list = list.and_then(|list| list.split([')', ']']).next()).unwrap_or_default();
    let values = list.split(',').map(|value| value.trim().trim_matches('"')).filter(|value| !value.is_empty() && !value.contains(' '));
    values.map(|value| Candidate::new(value, "")).collect()
}

/// Returns the first sentence, without marks of types and defaults, in at most 72 characters.
fn summary(about: &str) -> String {
    let about: String = about.split_whitespace().collect::<Vec<_>>().join(" ");
    let end = [". ", " [", " (", "Possible values:"].iter().filter_map(|mark| about.find(mark)).min().unwrap_or(about.len());
    let short = about[..end].trim_end().trim_end_matches('.');
    match short.char_indices().nth(72) {
        Some((at, _)) => format!("{}…", short[..at].trim_end()),
        None => short.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(read("x", "", text).print(), expected);
    }

    #[test]
    fn commander() {
        check(
            "Usage: x [options]\n\nOptions:\n  -d, --debug [filter]   Debug mode\n                         with a filter. More.\n  \
             --disallowedTools, --no-tools <tools...>\n      Tools to deny (e.g. \"Edit\")\n  \
             --mode <mode>          Mode (choices: \"a\", \"b-c\")\n\nCommands:\n  plugin|plugins         Manage plugins\n  \
             install [options] [t]  Install\n",
            "\t-d\tDebug mode with a filter\n\t--debug\tDebug mode with a filter\n\t--disallowedTools\tTools to deny\n\
             \t--no-tools\tTools to deny\n--mode\ta\t\n--mode\tb-c\t\n\t--mode\tMode\n\tplugin\tManage plugins\n\
             \tplugins\tManage plugins\n\tinstall\tInstall\n",
        );
    }

    #[test]
    fn yargs() {
        check(
            "Commands:\n  x mcp               Manage servers\n  x skills <command>  Skills  [aliases: skill]\n  x [query..]         Launch  \
             [default]\n\nOptions:\n      --policy         More files  [array]\n  -o, --output  The format  [string] [choices: \"text\", \"json\"]\n",
            "\tmcp\tManage servers\n\tskills\tSkills\n\t--policy\tMore files\n-o\ttext\t\n-o\tjson\t\n\t-o\tThe format\n\
             --output\ttext\t\n--output\tjson\t\n\t--output\tThe format\n",
        );
    }

    #[test]
    fn clap() {
        check(
            "Commands:\n  exec  Run [aliases: e]\n  help  Print\n\nOptions:\n  -c, --config <key=value>\n          Override a value. Long.\n\n      \
             --ask <POLICY>\n          When\n\n          Possible values:\n          - never:  Not\n          - always: Each time\n",
            "\texec\tRun\n\thelp\tPrint\n\t-c\tOverride a value\n\t--config\tOverride a value\n--ask\tnever\tNot\n--ask\talways\tEach time\n\
             \t--ask\tWhen\n",
        );
    }

    #[test]
    fn words_of_a_sub_command_have_its_context() {
        let vocabulary = read("x", "mcp", "Commands:\n  x mcp add <name>  Add\nOptions:\n  --scope <s>  Where\n");
        assert_eq!(vocabulary.print(), "mcp\tadd\tAdd\nmcp\t--scope\tWhere\n");
    }

    #[test]
    fn prose_has_no_words() {
        for text in ["", "no help here", "Options:\n", "Options:\n          - a bullet\n", "Error: -x is unknown\n"] {
            check(text, "");
        }
    }
}
