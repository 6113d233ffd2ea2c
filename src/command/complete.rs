//! The question that shells ask at each Tab.

use std::cell::LazyCell;
use std::collections::BTreeMap;

use clap::Args;

use clap::CommandFactory;

use crate::cli::Cli;
use crate::command::use_tool;
use crate::core::complete::vocabulary::Vocabulary;
use crate::core::complete::{self, Candidate, CommandLine, MachineValue, Subject};
use crate::core::failure::Result;
use crate::core::project::Partition;
use crate::core::shell::Shell;
use crate::core::{help, tool};
use crate::host::Host;
use crate::host::fs::files;
use crate::host::output;
use crate::host::store::{lease, places, project};

/// What may stand at the cursor; for the functions that `ai completions` prints
#[derive(Debug, Args)]
pub struct CompleteArgs {
    #[arg(long)]
    pub shell: Shell,
    /// Which word the cursor is in, counted from 0
    #[arg(long)]
    pub index: usize,
    #[arg(last = true)]
    pub words: Vec<std::ffi::OsString>,
}

/// Answers what may stand at the cursor. Whatever is wrong, a shell in the middle of a line gets no message.
pub fn run(question: CompleteArgs) -> Result<u8> {
    let words = question.words.into_iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let line = CommandLine { words, current: question.index };
    let raw = line.words.get(line.current).cloned().unwrap_or_default();
    let host = Host::new()?;
    // To describe all commands takes as long as all else here: only if they are asked for, and once.
    let command: LazyCell<clap::Command> = LazyCell::new(Cli::command);
    let (answer, current) = answer(&host, line, question.shell, &command);
    output::exact(complete::print(&answer, question.shell, &current, &raw).as_bytes())?;
    if places::are_missing(&host, question.shell) {
        places::write(&host, question.shell, &known_places(&host, question.shell));
    }
    Ok(0)
}

/// Returns what may stand at the cursor, and the word that it is in.
fn answer(host: &Host, line: CommandLine, shell: Shell, command: &LazyCell<clap::Command>) -> (complete::Candidates, String) {
    let (line, current) = as_programs_see(line, shell);
    let default = || use_tool::default_tool(host).map(|(name, _)| name).unwrap_or_default();
    let answer = match complete::subject(line, &host.tool_names(), default, || LazyCell::force(command)) {
        Subject::Ourselves(line) => complete::ours(line, |value| known(host, value), command),
        Subject::Tool(name, line) => complete::of_tool(&line, &vocabulary(host, &name)),
        Subject::Anything => complete::Candidates { files: true, ..complete::Candidates::default() },
    };
    (answer, current)
}

fn as_programs_see(line: CommandLine, shell: Shell) -> (CommandLine, String) {
    let line = if shell == Shell::Bash { complete::rejoined(line) } else { line };
    let current = line.words.get(line.current).cloned().unwrap_or_default();
    (line, current)
}

/// Makes the files of places for a shell anew. Completion without them is slower, and no worse.
pub fn refresh_places(host: &Host, shell: Shell) {
    if shell != Shell::Fish {
        places::forget(host, shell);
        places::write(host, shell, &known_places(host, shell));
    }
}

/// Returns what a shell need not ask about, by file. Each thing is read once.
fn known_places(host: &Host, shell: Shell) -> BTreeMap<String, String> {
    let command = Cli::command();
    let tools = host.tool_names();
    let (of_tools, of_topics) = (known(host, MachineValue::Tool), known(host, MachineValue::Topic));
    // What another moment would answer otherwise makes no entry.
    let known = |value| match value {
        MachineValue::Tool => of_tools.clone(),
        MachineValue::Topic => of_topics.clone(),
        _ => Vec::new(),
    };
    let mut files = BTreeMap::<String, String>::new();
    let mut add = |lines: Vec<CommandLine>, vocabulary: &Vocabulary| {
        for line in lines {
            let (seen, current) = as_programs_see(line.clone(), shell);
            let answer = match complete::subject(seen, &tools, String::new, || &command) {
                Subject::Ourselves(line) => complete::ours(line, known, &command),
                Subject::Tool(_, line) => complete::of_tool(&line, vocabulary),
                Subject::Anything => continue,
            };
            let entry = complete::places::entry(shell, &line, &current, &answer);
            if let (Some(file), Some(entry)) = (complete::places::file(&line), entry) {
                files.entry(file).or_default().push_str(&entry);
            }
        }
    };
    let none = Vocabulary::default();
    add(complete::places::of_ours(&command, shell), &none);
    for word in ["aic", "cic", "ai-mode", "gexec"] {
        add(complete::places::of_word(word), &none);
    }
    for tool in &tools {
        let vocabulary = vocabulary(host, tool);
        add(complete::places::of_tool(tool, &vocabulary, shell), &vocabulary);
    }
    files
}

fn known(host: &Host, value: MachineValue) -> Vec<Candidate> {
    match value {
        MachineValue::Tool => use_tool::tools(host).into_iter().map(|(name, about)| Candidate::new(name, about)).collect(),
        MachineValue::Session => {
            let leases = lease::all(&host.store).into_iter();
            leases.map(|lease| Candidate::new(lease.session.as_str(), format!("{} in {}", lease.tool, lease.root))).collect()
        }
        MachineValue::Container => {
            let leases = lease::all(&host.store).into_iter();
            leases.map(|lease| Candidate::new(lease.container, format!("{} in {}", lease.tool, lease.root))).collect()
        }
        MachineValue::Backup => super::creds::backups(host).into_iter().map(|(tool, name)| Candidate::new(name, tool)).collect(),
        MachineValue::Project => {
            let root = |partition: &Partition| partition.root.as_ref().map(|root| root.display().to_string()).unwrap_or_default();
            let mut projects: Vec<Candidate> = project::partitions(&host.store, project::Sizes::Unknown)
                .iter()
                .map(|partition| Candidate::new(&*partition.project, root(partition)))
                .collect();
            projects.dedup_by(|a, b| a.word == b.word);
            projects
        }
        MachineValue::Topic => {
            let topics = help::TOPICS.iter().map(|topic| Candidate::new(topic.name, topic.about));
            let commands = Cli::command();
            let commands = commands.get_subcommands().filter(|command| !command.is_hide_set() && help::topic(command.get_name()).is_none());
            let about = |command: &clap::Command| command.get_about().map(ToString::to_string).unwrap_or_default();
            topics.chain(commands.map(|command| Candidate::new(command.get_name(), about(command)))).collect()
        }
        MachineValue::File => Vec::new(),
    }
}

/// Returns what is recorded of a tool, and what its manifest lists.
fn vocabulary(host: &Host, name: &str) -> Vocabulary {
    let Ok(Some(tool)) = tool::Tool::load(name, |name| host.manifest(name)) else { return Vocabulary::default() };
    let mut vocabulary = Vocabulary::from_manifest(&tool.manifest.complete);
    if let Ok(Some(text)) = files::read_text(&host.store.vocabulary(&tool.base)) {
        vocabulary.extend(Vocabulary::parse(&text));
    }
    vocabulary
}
