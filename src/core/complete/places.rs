//! The places that a shell knows without asking: those whose answers are the same until a manifest or a vocabulary changes.
//!
//! A place is the words before the cursor and what is begun there: nothing, an option (`-`), or the value of one (`--name=`).

use crate::core::complete::vocabulary::Vocabulary;
use crate::core::complete::{Candidates, CommandLine, print};
use crate::core::shell::Shell;

/// Between the words of a place, and between the lines of an answer, in bash's files.
const WORDS: char = '\u{1f}';
/// Between a place and its answer.
const ANSWER: char = '\u{1e}';

/// The places of `ai` itself and of each of its commands.
pub fn of_ours(command: &clap::Command, shell: Shell) -> Vec<CommandLine> {
    let mut lines = Vec::new();
    walk(command, &["ai".to_owned()], shell, &mut lines);
    lines
}

fn walk(command: &clap::Command, path: &[String], shell: Shell, lines: &mut Vec<CommandLine>) {
    begun(path, lines);
    for option in command.get_arguments().filter(|arg| !arg.is_hide_set() && arg.get_action().takes_values()) {
        if let Some(long) = option.get_long() {
            value(path, &format!("--{long}"), shell, lines);
        }
    }
    for below in command.get_subcommands().filter(|command| !command.is_hide_set()) {
        walk(below, &with(path, [below.get_name()]), shell, lines);
    }
}

/// The places of a function that runs a tool.
pub fn of_tool(function: &str, vocabulary: &Vocabulary, shell: Shell) -> Vec<CommandLine> {
    let mut lines = Vec::new();
    for context in vocabulary.contexts() {
        let words: Vec<&str> = context.split(' ').filter(|word| !word.is_empty()).collect();
        match words.split_last() {
            Some((option, before)) if option.starts_with('-') => {
                value(&with(&[function.to_owned()], before.iter().copied()), option, shell, &mut lines);
            }
            _ => begun(&with(&[function.to_owned()], words), &mut lines),
        }
    }
    lines
}

/// The places of a function whose first word alone is ours to complete.
pub fn of_word(function: &str) -> Vec<CommandLine> {
    let mut lines = Vec::new();
    begun(&[function.to_owned()], &mut lines);
    lines
}

fn with<'a>(path: &[String], more: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    path.iter().cloned().chain(more.into_iter().map(str::to_owned)).collect()
}

fn line(path: &[String], more: &[&str]) -> CommandLine {
    let words = with(path, more.iter().copied());
    CommandLine { current: words.len() - 1, words }
}

fn begun(path: &[String], lines: &mut Vec<CommandLine>) {
    lines.extend([line(path, &[""]), line(path, &["-"])]);
}

/// The value of an option, as the next word and in the same one, which bash breaks at `=` unless it is told not to.
fn value(path: &[String], option: &str, shell: Shell, lines: &mut Vec<CommandLine>) {
    lines.extend([line(path, &[option, ""]), line(path, &[&format!("{option}=")])]);
    if shell == Shell::Bash {
        lines.extend([line(path, &[option, "="]), line(path, &[option, "=", ""])]);
    }
}

/// Returns the file that a shell looks into for a place: named by the words before the first option, so that it is short. `None` where
/// no file can have that name.
pub fn file(line: &CommandLine) -> Option<String> {
    let before = line.words.iter().take(line.current).take_while(|word| !word.starts_with('-'));
    let name = before.map(String::as_str).collect::<Vec<_>>().join(" ");
    (!name.contains('/') && name.len() <= 200).then_some(name)
}

/// Returns a place and its answer as this shell's function finds them in a file; `None` where it must ask each time.
pub fn entry(shell: Shell, line: &CommandLine, current: &str, answer: &Candidates) -> Option<String> {
    let raw = line.words.last()?;
    let printed = print(answer, shell, current, raw);
    let text = printed.trim_end_matches('\n');
    let is_odd = |text: &str| text.contains([WORDS, ANSWER, '\0']);
    if answer.once || is_odd(text) || line.words.iter().any(|word| is_odd(word) || word.contains('\n')) {
        return None;
    }
    Some(match shell {
        Shell::Zsh | Shell::Fish => format!("{}\0{text}\0", line.words.join("\n")),
        Shell::Bash => {
            let (mut words, mut separator) = (String::new(), [0; 4]);
            words.push_str(&line.words.join(WORDS.encode_utf8(&mut separator)));
            format!("{words}{ANSWER}{}\n", text.replace('\n', WORDS.encode_utf8(&mut separator)))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::complete::Candidate;

    #[track_caller]
    fn check(shell: Shell, lines: &[CommandLine], expected: &[&str]) {
        let found: Vec<String> = lines.iter().map(|line| line.words.join(" ")).collect();
        assert_eq!(found, expected, "{shell}");
    }

    #[test]
    fn a_tool_has_a_place_for_each_of_its_words_that_something_follows() {
        let vocabulary = Vocabulary::parse("\t--model\t\n\tmcp\t\nmcp\tadd\t\nmcp --scope\tuser\t\n");
        let common = ["x ", "x -", "x mcp ", "x mcp -", "x mcp add ", "x mcp add -", "x mcp --scope ", "x mcp --scope="];
        check(Shell::Zsh, &of_tool("x", &vocabulary, Shell::Zsh), &common);
        let broken = [&common[..], &["x mcp --scope =", "x mcp --scope = "]].concat();
        check(Shell::Bash, &of_tool("x", &vocabulary, Shell::Bash), &broken);
    }

    #[test]
    fn commands_and_options_of_ours_are_places_but_hidden_ones() {
        let command = clap::Command::new("ai")
            .arg(clap::Arg::new("color").long("color").value_parser(["a", "b"]))
            .subcommand(clap::Command::new("run").arg(clap::Arg::new("yes").long("yes").action(clap::ArgAction::SetTrue)))
            .subcommand(clap::Command::new("secret").hide(true));
        check(Shell::Zsh, &of_ours(&command, Shell::Zsh), &["ai ", "ai -", "ai --color ", "ai --color=", "ai run ", "ai run -"]);
        check(Shell::Zsh, &of_word("aic"), &["aic ", "aic -"]);
    }

    #[test]
    fn places_share_a_file_by_the_words_before_an_option() {
        let file = |words: &[&str]| file(&line(&["ai".into()], words));
        for words in
            [&["config", ""][..], &["config", "-"], &["config", "--json="], &["config", "--layer", ""], &["config", "--layer", "="]]
        {
            assert_eq!(file(words).as_deref(), Some("ai config"), "{words:?}");
        }
        assert_eq!(file(&[""]).as_deref(), Some("ai"));
        assert_eq!(file(&["a/b", ""]), None, "no file has that name");
    }

    #[test]
    fn an_entry_is_what_the_shells_take_apart() {
        let answer = |words: &[&str], once| Candidates {
            candidates: words.iter().map(|word| Candidate::new(*word, "")).collect(),
            once,
            ..Candidates::default()
        };
        let place = line(&["x".into(), "mcp".into()], &["-"]);
        let known = entry(Shell::Bash, &place, "-", &answer(&["-a", "-b"], false));
        assert_eq!(known.as_deref(), Some("x\u{1f}mcp\u{1f}-\u{1e}words\u{1f}-a\u{1f}-b\n"));
        let known = entry(Shell::Zsh, &place, "-", &answer(&["-a", "-b"], false));
        assert_eq!(known.as_deref(), Some("x\nmcp\n-\0words\n-a\n-b\0"));
        assert_eq!(entry(Shell::Zsh, &place, "-", &answer(&["-a"], true)), None, "another moment has another answer");
        assert_eq!(entry(Shell::Bash, &place, "-", &answer(&["-a\u{1e}"], false)), None, "it would end early");
    }
}
