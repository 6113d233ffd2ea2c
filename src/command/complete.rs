//! `ai completions`, the question that shells ask at each Tab, and learning the words of the tools.

use std::cell::LazyCell;

use clap::CommandFactory;

use crate::cli::Cli;
use crate::cli::complete::{Complete, Completions};
use crate::command::mode;
use crate::core::complete::vocabulary::Vocabulary;
use crate::core::complete::{self, Candidate, Line, Subject, Value};
use crate::core::config::Layer;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::project::Partition;
use crate::core::shell::Shell;
use crate::core::shell::script;
use crate::core::{help, plan, tool};
use crate::host::Host;
use crate::host::engine::vocabulary;
use crate::host::fs::files;
use crate::host::output;
use crate::host::store::{project, state};
use crate::session::context::Context;

/// Prints the script that completes, or learns the words that it completes with.
pub fn script(completions: &Completions) -> Result<u8> {
    if completions.learn {
        let context = Context::new(tool::EXEC, Layer::default())?;
        let image = plan::image(&context.tool, &context.config);
        return vocabulary::learn(&context.host, &context.facts(None), &image).map(|()| 0);
    }
    let Some(shell) = completions.shell else { return Err(Failure::new(Kind::Usage, "cannot print completions: for which shell?")) };
    let host = Host::new()?;
    let integration = super::init::integration(&host, super::init::functions(&host), true)?;
    output::data(script::completions(shell, &integration)?.as_bytes())?;
    Ok(0)
}

/// Answers what may stand at the cursor. Whatever is wrong, a shell in the middle of a line gets no message.
pub fn answer(question: Complete) -> Result<u8> {
    let words = question.words.into_iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let mut line = Line { words, current: question.index };
    if question.shell == Shell::Bash {
        line = complete::rejoined(line);
    }
    let current = line.words.get(line.current).cloned().unwrap_or_default();
    let host = Host::new()?;
    // To describe all commands takes as long as all else here: only if they are asked for, and once.
    let command = LazyCell::new(Cli::command);
    let default = || mode::default_tool(&host).map(|(name, _)| name).unwrap_or_default();
    let answer = match complete::subject(line, &host.tool_names(), default, || LazyCell::force(&command)) {
        Subject::Ourselves(line) => complete::ours(line, |value| known(&host, value), &command),
        Subject::Tool(name, line) => complete::of_tool(&line, &vocabulary(&host, &name)),
        Subject::Anything => complete::Answer { files: true, ..complete::Answer::default() },
    };
    output::data(complete::print(&answer, question.shell, &current).as_bytes())?;
    Ok(0)
}

fn known(host: &Host, value: Value) -> Vec<Candidate> {
    match value {
        Value::Tool => mode::tools(host).into_iter().map(|(name, about)| Candidate::new(name, about)).collect(),
        Value::Session => {
            let leases = state::leases(&host.store).into_iter();
            leases.map(|lease| Candidate::new(lease.session.as_str(), format!("{} in {}", lease.tool, lease.root))).collect()
        }
        Value::Container => {
            let leases = state::leases(&host.store).into_iter();
            leases.map(|lease| Candidate::new(lease.container, format!("{} in {}", lease.tool, lease.root))).collect()
        }
        Value::Backup => super::creds::backups(host).into_iter().map(|(tool, name)| Candidate::new(name, tool)).collect(),
        Value::Project => {
            let root = |partition: &Partition| partition.root.as_ref().map(|root| root.display().to_string()).unwrap_or_default();
            let mut projects: Vec<Candidate> = project::partitions(&host.store, false)
                .iter()
                .map(|partition| Candidate::new(&*partition.project, root(partition)))
                .collect();
            projects.dedup_by(|a, b| a.word == b.word);
            projects
        }
        Value::Topic => {
            let topics = help::TOPICS.iter().map(|topic| Candidate::new(topic.name, topic.about));
            let commands = Cli::command();
            let commands = commands.get_subcommands().filter(|command| !command.is_hide_set());
            let about = |command: &clap::Command| command.get_about().map(ToString::to_string).unwrap_or_default();
            topics.chain(commands.map(|command| Candidate::new(command.get_name(), about(command)))).collect()
        }
        Value::File => Vec::new(),
    }
}

/// What is recorded of a tool, and what its manifest lists.
fn vocabulary(host: &Host, name: &str) -> Vocabulary {
    let Ok(Some(tool)) = tool::Tool::load(name, |name| host.manifest(name)) else { return Vocabulary::default() };
    let mut vocabulary = Vocabulary::from_manifest(&tool.manifest.complete);
    if let Ok(Some(text)) = files::read_text(&host.store.vocabulary(&tool.base)) {
        vocabulary.extend(Vocabulary::parse(&text));
    }
    vocabulary
}
