//! The question that shells ask at each Tab.

use clap::Args;
use std::cell::LazyCell;

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
use crate::host::store::{lease, project};

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
    let mut line = CommandLine { words, current: question.index };
    let raw = line.words.get(line.current).cloned().unwrap_or_default();
    if question.shell == Shell::Bash {
        line = complete::rejoined(line);
    }
    let current = line.words.get(line.current).cloned().unwrap_or_default();
    let host = Host::new()?;
    // To describe all commands takes as long as all else here: only if they are asked for, and once.
    let command = LazyCell::new(Cli::command);
    let default = || use_tool::default_tool(&host).map(|(name, _)| name).unwrap_or_default();
    let answer = match complete::subject(line, &host.tool_names(), default, || LazyCell::force(&command)) {
        Subject::Ourselves(line) => complete::ours(line, |value| known(&host, value), &command),
        Subject::Tool(name, line) => complete::of_tool(&line, &vocabulary(&host, &name)),
        Subject::Anything => complete::Candidates { files: true, ..complete::Candidates::default() },
    };
    output::exact(complete::print(&answer, question.shell, &current, &raw).as_bytes())?;
    Ok(0)
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
            let commands = commands.get_subcommands().filter(|command| !command.is_hide_set());
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
