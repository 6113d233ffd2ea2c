//! What may stand at the cursor: pure, asked by the shells' completion functions at each Tab.
//!
//! Words of `ai` itself come from its own command line; words of a tool from its [`Vocabulary`], which was recorded
//! earlier. Nothing here starts a program.

use std::ffi::{OsStr, OsString};

use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};

use crate::core::shell::Shell;

pub mod help_text;
pub mod places;
mod special;
pub mod vocabulary;

use vocabulary::Vocabulary;

/// The words on the line, and which of them the cursor is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandLine {
    pub words: Vec<String>,
    pub current: usize,
}

/// A possible word and what it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    pub word: String,
    pub about: String,
}

impl Candidate {
    pub fn new(word: impl Into<String>, about: impl Into<String>) -> Self {
        Self { word: word.into(), about: about.into() }
    }
}

/// All that may stand at the cursor.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Candidates {
    pub candidates: Vec<Candidate>,
    /// A file may stand here too; shells know best how to complete those.
    pub files: bool,
    /// Another moment has another answer: shells must not keep this one.
    pub once: bool,
}

/// Values of `ai`'s own arguments that only the machine knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MachineValue {
    Tool,
    Session,
    Container,
    Topic,
    Backup,
    Project,
    /// Any file: shells know best how to complete those.
    File,
}

impl MachineValue {
    const ALL: [Self; 7] = [Self::Tool, Self::Session, Self::Container, Self::Topic, Self::Backup, Self::Project, Self::File];

    /// Stands for the values among the candidates, until it is known whether they are wanted. No argument can hold a NUL.
    fn mark(self) -> &'static str {
        match self {
            Self::Tool => "\0tool",
            Self::Session => "\0session",
            Self::Container => "\0container",
            Self::Topic => "\0topic",
            Self::Backup => "\0backup",
            Self::Project => "\0project",
            Self::File => "\0file",
        }
    }

    /// Returns the values of an argument, by the name that stands for them in its help.
    fn of(arg: &clap::Arg) -> Option<Self> {
        let name = arg.get_value_names().and_then(|names| names.first()).map_or_else(|| arg.get_id().to_string(), ToString::to_string);
        let name = name.to_ascii_lowercase();
        match name.as_str() {
            "session" => Some(Self::Session),
            "container" => Some(Self::Container),
            "topic" => Some(Self::Topic),
            "backup" => Some(Self::Backup),
            "project" => Some(Self::Project),
            _ if name == "tool" || name.starts_with("tool ") => Some(Self::Tool),
            _ => (arg.get_value_parser().type_id() == clap::builder::ValueParser::path_buf().type_id()).then_some(Self::File),
        }
    }
}

/// Which command's words these are.
#[derive(Debug, PartialEq, Eq)]
pub enum Subject {
    /// `ai` itself, with these words.
    Ourselves(CommandLine),
    /// A tool, with the words behind its name; `current` 0 is the first of them.
    Tool(String, CommandLine),
    /// Another program's words: none of our business but for files.
    Anything,
}

/// Finds out whose words are completed. `tools` are the names of all tools, `default` is the one of `ai-run`.
pub fn subject<'a>(
    line: CommandLine,
    tools: &[String],
    default: impl FnOnce() -> String,
    command: impl FnOnce() -> &'a clap::Command,
) -> Subject {
    let first = line.words.first().map_or("", String::as_str);
    let first = first.rsplit('/').next().unwrap_or(first);
    let as_ours = |head: &[&str], line: &CommandLine| {
        let words = ["ai"].iter().chain(head).map(|word| (*word).to_owned()).chain(line.words.iter().skip(1).cloned()).collect();
        CommandLine { words, current: line.current + head.len() }
    };
    let ours = match first {
        "ai" => line,
        "aic" | "cic" => return Subject::Ourselves(as_ours(&["commit"], &line)),
        "ai-mode" => return Subject::Ourselves(as_ours(&["use"], &line)),
        "gexec" if line.current == 1 => return Subject::Ourselves(as_ours(&["exec"], &line)),
        "gexec" => return Subject::Anything,
        "ai-run" => return Subject::Tool(default(), behind(&line, 1)),
        name => return tool_named(name, tools).map_or(Subject::Anything, |tool| Subject::Tool(tool, behind(&line, 1))),
    };
    match ours.words.get(1).map(String::as_str) {
        Some(name @ ("run" | "resolve" | "env" | "exec")) => match first_positional(&ours, command().find_subcommand(name)) {
            Some(at) if at < ours.current && (name == "env" || name == "exec") => Subject::Anything,
            Some(at) if at < ours.current => {
                let separator = usize::from(ours.words.get(at + 1).is_some_and(|word| word == "--") && ours.current > at + 1);
                Subject::Tool(ours.words[at].clone(), behind(&ours, at + 1 + separator))
            }
            _ => Subject::Ourselves(ours),
        },
        _ => Subject::Ourselves(ours),
    }
}

fn behind(line: &CommandLine, at: usize) -> CommandLine {
    CommandLine { words: line.words.iter().skip(at).cloned().collect(), current: line.current.saturating_sub(at) }
}

/// Returns the tool that a function runs: its name, maybe behind the prefix that `ai init --prefix` gave it.
fn tool_named(function: &str, tools: &[String]) -> Option<String> {
    let names = || tools.iter();
    let exact = names().find(|name| *name == function);
    exact.or_else(|| names().filter(|name| function.ends_with(name.as_str())).max_by_key(|name| name.len())).cloned()
}

/// Returns where the first word stands that is neither an option nor an option's value, counted from the front of `line`.
fn first_positional(line: &CommandLine, command: Option<&clap::Command>) -> Option<usize> {
    let takes_value = |word: &str| {
        let options = || command.into_iter().flat_map(clap::Command::get_arguments);
        options().any(|arg| arg.get_long().is_some_and(|long| word.strip_prefix("--") == Some(long)) && arg.get_action().takes_values())
    };
    let mut at = 2;
    while let Some(word) = line.words.get(at) {
        match word.as_str() {
            "--" => return Some(at + 1),
            option if option.starts_with('-') => at += 1 + usize::from(takes_value(option)),
            _ => return Some(at),
        }
    }
    None
}

/// Returns what may stand in `ai`'s own words. `known` looks up what the machine knows.
pub fn ours(line: CommandLine, known: impl Fn(MachineValue) -> Vec<Candidate>, command: &clap::Command) -> Candidates {
    let current = line.words.get(line.current).cloned().unwrap_or_default();
    if let Some(answer) = special::answer(&line, command) {
        return answer;
    }
    let mut command = pruned(command, &line);
    let mut words: Vec<OsString> = line.words.into_iter().map(OsString::from).collect();
    words.resize_with(words.len().max(line.current + 1), OsString::new);
    let found = clap_complete::engine::complete(&mut command, words, line.current, None).unwrap_or_default();
    let mut answer = Candidates::default();
    for candidate in found {
        let word = candidate.get_value().to_string_lossy();
        match MachineValue::ALL.into_iter().find(|value| value.mark() == word) {
            Some(MachineValue::File) => answer.files = true,
            Some(value) => {
                answer.once |= !matches!(value, MachineValue::Tool | MachineValue::Topic);
                answer.candidates.extend(known(value));
            }
            None => {
                let about = candidate.get_help().map(ToString::to_string).unwrap_or_default();
                answer.candidates.push(Candidate::new(word, about.lines().next().unwrap_or_default()));
            }
        }
    }
    // An empty word asks what comes next; options are in the way then, unless there is nothing else.
    if current.is_empty() && (answer.files || answer.candidates.iter().any(|candidate| !candidate.word.starts_with('-'))) {
        answer.candidates.retain(|candidate| !candidate.word.starts_with('-'));
    }
    answer
}

/// Returns as much of the command line as the line is about: to describe all of it takes longer than to complete.
fn pruned(command: &clap::Command, line: &CommandLine) -> clap::Command {
    let pruned = clap::Command::new(command.get_name().to_owned()).disable_help_subcommand(true);
    match line.words.get(1).filter(|_| line.current > 1).and_then(|word| command.find_subcommand(word)) {
        Some(wanted) => pruned.subcommand(with_values(wanted.clone())),
        None => {
            let heads = command.get_subcommands().map(|sub| {
                clap::Command::new(sub.get_name().to_owned()).about(sub.get_about().cloned().unwrap_or_default()).hide(sub.is_hide_set())
            });
            pruned.args(command.get_arguments().cloned()).subcommands(heads.collect::<Vec<_>>())
        }
    }
}

/// Marks the arguments whose values the machine knows.
fn with_values(command: clap::Command) -> clap::Command {
    let command = command.mut_args(|arg| match MachineValue::of(&arg) {
        Some(value) => arg.add(ArgValueCompleter::new(move |_: &OsStr| vec![CompletionCandidate::new(value.mark())])),
        None => arg,
    });
    let names: Vec<String> = command.get_subcommands().map(|command| command.get_name().to_owned()).collect();
    names.into_iter().fold(command, |command, name| command.mut_subcommand(name, with_values))
}

/// Returns what may stand in a tool's words.
pub fn of_tool(line: &CommandLine, vocabulary: &Vocabulary) -> Candidates {
    let current = line.words.get(line.current).map_or("", String::as_str);
    let before = &line.words[..line.current.min(line.words.len())];
    if before.iter().any(|word| word == "--") {
        return Candidates { files: true, ..Candidates::default() };
    }
    let context = vocabulary.context(before);
    let option = before.last().filter(|word| word.starts_with('-'));
    if let Some(values) = option.and_then(|option| vocabulary.values(&context, option)) {
        return Candidates { candidates: values, ..Candidates::default() };
    }
    if let Some((option, _)) = current.split_once('=').filter(|_| current.starts_with("--")) {
        let values = vocabulary.values(&context, option).unwrap_or_default();
        let joined = values.into_iter().map(|value| Candidate::new(format!("{option}={}", value.word), value.about));
        return Candidates { candidates: joined.collect(), ..Candidates::default() };
    }
    let mut candidates = if current.starts_with('-') { vocabulary.options(&context) } else { vocabulary.sub_commands(&context) };
    if line.current == 0 && current.starts_with('-') {
        candidates.insert(0, Candidate::new("--local", "Run the host's own program, without a container"));
        candidates.insert(0, Candidate::new("--native", "Run the host's own program, without a container"));
    }
    Candidates { candidates, files: !current.starts_with('-'), once: false }
}

/// Returns an answer as the shells' functions read it: a line that says whether files may stand here, and whether this holds only once;
/// then one candidate a line.
/// `raw` is as much of the current word as the shell takes for one.
pub fn print(answer: &Candidates, shell: Shell, current: &str, raw: &str) -> String {
    let mut text = if answer.files { "files" } else { "words" }.to_owned();
    text.push_str(if answer.once { " once\n" } else { "\n" });
    let fitting = answer.candidates.iter().filter(|candidate| candidate.word.starts_with(current) && !candidate.word.contains('\n'));
    for Candidate { word, about } in fitting {
        let about: String = about.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        match shell {
            Shell::Zsh => {
                text.push_str(&word.replace('\\', r"\\").replace(':', r"\:"));
                if !about.is_empty() {
                    text.push(':');
                    text.push_str(&about);
                }
            }
            // bash replaces only what it takes for a word, and `=` and `:` may break words for it.
            Shell::Bash => {
                let typed = if matches!(raw, "=" | ":") { 0 } else { raw.len() };
                text.push_str(word.get(current.len().saturating_sub(typed)..).unwrap_or(word));
            }
            Shell::Fish => {
                text.push_str(word);
                text.push('\t');
                text.push_str(&about);
            }
        }
        text.push('\n');
    }
    text
}

/// Returns the words as bash breaks them (`--name`, `=`, `value`) put together as programs see them.
pub fn rejoined(line: CommandLine) -> CommandLine {
    let mut joined = CommandLine { words: Vec::new(), current: line.current };
    let mut glue = false;
    for (index, word) in line.words.into_iter().enumerate() {
        let breaks = word == "=" || word == ":";
        match joined.words.last_mut() {
            Some(last) if (breaks && last.starts_with('-')) || glue => {
                last.push_str(&word);
                if index <= line.current {
                    joined.current -= 1;
                }
            }
            _ => joined.words.push(word),
        }
        glue = breaks && joined.words.last().is_some_and(|last| last.starts_with('-'));
    }
    joined
}
