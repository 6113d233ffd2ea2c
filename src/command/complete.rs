//! `ai completions`, the question that shells ask at each Tab, and learning the words of the tools.

use std::cell::LazyCell;
use std::ffi::OsStr;
use std::path::Path;

use clap::CommandFactory;

use crate::cli::Cli;
use crate::cli::complete::{Complete, Completions};
use crate::command::{Context, mode};
use crate::complete::vocabulary::Vocabulary;
use crate::complete::{self, Candidate, Line, Subject, Value, help_text};
use crate::config::Layer;
use crate::failure::{Failure, Kind, Result};
use crate::host::{Host, files, process, project, state};
use crate::project::Partition;
use crate::shell::Shell;
use crate::shell::script;
use crate::{help, output, plan, tool};

/// Prints the script that completes, or learns the words that it completes with.
pub fn script(completions: &Completions) -> Result<u8> {
    if completions.learn {
        let context = Context::new(tool::EXEC, Layer::default())?;
        let image = plan::image(&context.tool, &context.config);
        return learn(&context, &image).map(|()| 0);
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

/// Records the options and sub-commands of each tool that `image` holds.
pub fn learn(context: &Context, image: &str) -> Result<()> {
    let host = &context.host;
    let facts = context.facts(None);
    let program =
        facts.engine.program.as_ref().ok_or_else(|| Failure::new(Kind::Unavailable, "cannot learn the tools' options: no engine"))?;
    for name in host.tool_names() {
        let Ok(Some(tool)) = tool::Tool::load(&name, |name| host.manifest(name)) else { continue };
        if tool.base != tool.name || tool.manifest.image.as_deref().is_some_and(|own| own != image) {
            continue;
        }
        let vocabulary = ask(program, image, &tool)?;
        if vocabulary.is_empty() {
            output::note(&format!("{name} says nothing about its options; hint: list them in its manifest, as `complete`"));
            continue;
        }
        let path = host.store.vocabulary(&name);
        let saved =
            path.parent().map_or(Ok(()), files::private_dir).and_then(|()| files::write_private(&path, vocabulary.print().as_bytes()));
        saved.map_err(|error| Failure::new(Kind::General, format!("cannot write `{}`", path.display())).because(error))?;
    }
    Ok(())
}

/// Asks a tool in a container for its help, then once more for that of its sub-commands.
fn ask(engine: &Path, image: &str, tool: &tool::Tool) -> Result<Vocabulary> {
    let program = tool.manifest.command.first().map_or("", String::as_str);
    let program = program.rsplit('/').next().unwrap_or(program);
    let mut vocabulary = Vocabulary::default();
    let mut contexts = vec![String::new()];
    for _ in 0..2 {
        for (context, text) in help_of(engine, image, tool, &contexts)? {
            vocabulary.extend(help_text::read(program, &context, &text));
        }
        contexts = vocabulary.commands().into_iter().filter(|command| command != "help").collect();
        if contexts.is_empty() {
            break;
        }
    }
    Ok(vocabulary)
}

/// Prints the help of each context behind a line that names it. A tool that waits for something is not waited for.
const SCRIPT: &str = r#"contexts=$1; shift
newline='
'
IFS=$newline
for context in $contexts; do
    printf '\036%s\n' "$context"
    IFS=' '
    timeout 30 "$@" ${context#-} --help </dev/null 2>/dev/null
    IFS=$newline
done
:"#;

fn help_of(engine: &Path, image: &str, tool: &tool::Tool, contexts: &[String]) -> Result<Vec<(String, String)>> {
    // A leading `-` stands for no context, since an empty line would be lost.
    let contexts: Vec<String> = contexts.iter().map(|context| format!("-{context}")).collect();
    let joined = contexts.join("\n");
    let mut args = vec!["run", "--rm", "--init", "--network", "none", "--pull", "never", "--log-driver", "none", "--env", "HOME=/tmp"];
    args.extend(["--entrypoint", "sh", image, "-c", SCRIPT, "sh", &joined]);
    args.extend(tool.manifest.command.iter().map(String::as_str));
    let (status, stdout, stderr) = process::output(OsStr::new(engine), &args)?;
    if !status.success() {
        return Err(Failure::new(Kind::Unavailable, format!("cannot ask {} for its options", tool.name))
            .because(String::from_utf8_lossy(&stderr))
            .hint("ai image status"));
    }
    let text = String::from_utf8_lossy(&stdout);
    let parts = text.split('\u{1e}').filter_map(|part| part.split_once('\n'));
    Ok(parts.map(|(context, text)| (context.trim_start_matches('-').to_owned(), text.to_owned())).collect())
}
