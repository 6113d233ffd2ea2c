//! `ai resume`: a conversation goes on, with its own tool, in its own project and directory.

use std::path::Path;

use clap::Args;

use crate::command::history::list::{known, project, row};
use crate::core::failure::{Failure, Kind, Result};
use crate::core::history::conversation::{Conversation, places, resume_words};
use crate::core::history::search::Needle;
use crate::core::text::table::{self, Side};
use crate::core::text::typed::typed;
use crate::core::tool::Tool;
use crate::host::history::list::{self, HistorySearch};
use crate::host::machine::again;
use crate::host::{Host, output, pick};
use crate::session::context::Context;
use crate::session::tolerant;

#[derive(Debug, Args)]
pub struct ResumeArgs {
    /// How the name of a conversation begins, in any project; or words that were said in this one
    pub words: Vec<String>,
    /// Choose from those of all projects
    #[arg(long)]
    pub all: bool,
    /// Only of this tool
    #[arg(long)]
    pub tool: Option<String>,
    /// Print the command instead of running it
    #[arg(long)]
    pub print: bool,
}

/// Most that are offered.
const MOST: usize = 200;
/// A name is not shorter than this, so that words are no names.
const SHORTEST_NAME: usize = 6;

pub fn run(resume: &ResumeArgs) -> Result<u8> {
    let (context, failures) = tolerant::context()?;
    tolerant::tell(failures);
    let host = &context.host;
    known(host, resume.tool.as_deref())?;
    let found = named(host, resume);
    let found = if found.is_empty() {
        let project = if resume.all { None } else { Some(project(&context)?) };
        list::list(host, &HistorySearch { project, tool: resume.tool.clone(), needle: Needle::new(&resume.words), id: None, most: MOST })
    } else {
        found
    };
    let found = if found.is_empty() { unread(&context, resume)?.into_iter().collect() } else { found };
    let chosen = choose(host, found, resume)?;
    go_on(host, &chosen, resume.print)
}

/// Returns the conversations whose names begin like the only word.
fn named(host: &Host, resume: &ResumeArgs) -> Vec<Conversation> {
    let [word] = resume.words.as_slice() else { return Vec::new() };
    if word.len() < SHORTEST_NAME || !word.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-') {
        return Vec::new();
    }
    list::list(host, &HistorySearch { tool: resume.tool.clone(), id: Some(word.clone()), most: MOST, ..HistorySearch::default() })
}

/// Returns the conversation that the only word names, of a tool whose transcripts nobody here can read: it knows its own.
fn unread(context: &Context, resume: &ResumeArgs) -> Result<Option<Conversation>> {
    let (Some(name), [id]) = (&resume.tool, resume.words.as_slice()) else { return Ok(None) };
    let tool = Tool::load(name, |name| context.host.manifest(name))?;
    if tool.is_none_or(|tool| tool.manifest.transcripts.is_some()) {
        return Ok(None);
    }
    let project = project(context)?;
    Ok(Some(Conversation { tool: name.clone(), project, id: id.clone(), title: id.clone(), found: None, workdir: None, last: 0 }))
}

fn choose(host: &Host, mut found: Vec<Conversation>, resume: &ResumeArgs) -> Result<Conversation> {
    let nothing = || Failure::new(Kind::General, "cannot resume: there is no such conversation").hint("ai history --all");
    // A name or words that fit one alone mean that one.
    if found.len() == 1 && !resume.words.is_empty() {
        return found.pop().ok_or_else(nothing);
    }
    if found.is_empty() {
        return Err(nothing());
    }
    let rows: Vec<[String; 5]> = found.iter().map(|one| row(one, resume.all)).collect();
    let lines = table::lines([Side::Right, Side::Left, Side::Left, Side::Left, Side::Left], &rows);
    if !pick::can_ask() {
        let names: Vec<&str> = found.iter().take(3).map(|one| one.id.as_str()).collect();
        return Err(Failure::new(Kind::Usage, format!("cannot resume: {} conversations fit, and nobody can be asked", found.len()))
            .hint(format!("ai resume {}", names.join(", or ai resume "))));
    }
    let chosen = pick::pick(host, "resume", &lines)?.and_then(|at| found.into_iter().nth(at));
    chosen.ok_or_else(|| Failure::new(Kind::General, "cannot resume: nothing was chosen").hint("ai history"))
}

fn go_on(host: &Host, chosen: &Conversation, only_print: bool) -> Result<u8> {
    let tool = Tool::load(&chosen.tool, |name| host.manifest(name))?;
    let pattern = tool.map(|tool| tool.manifest.resume).unwrap_or_default();
    if pattern.is_empty() {
        return Err(
            Failure::new(Kind::Config, format!("cannot resume: the manifest of {} does not say how", chosen.tool)).hint("ai help tools")
        );
    }
    let root = list::root(host, &chosen.project).ok_or_else(|| {
        Failure::new(Kind::General, format!("cannot resume: nobody knows where the project {} is", chosen.project)).hint("ai project list")
    })?;
    let here = || host.cwd().map(Path::to_owned).into_iter().collect();
    let mut directories = chosen.workdir.as_deref().map_or_else(here, |workdir| places(&root, workdir));
    directories.push(root.clone());
    let directory = list::existing(&root, &directories).ok_or_else(|| {
        Failure::new(Kind::General, format!("cannot resume: the project is gone from `{}`", root.display())).hint("ai project adopt")
    })?;
    let words: Vec<String> =
        ["run".to_owned(), chosen.tool.clone(), "--".to_owned()].into_iter().chain(resume_words(&pattern, &chosen.id)).collect();
    if only_print {
        let words: Vec<String> = words.iter().map(|word| typed(word)).collect();
        return output::line(&format!("cd {} && ai {}", typed(&directory.to_string_lossy()), words.join(" "))).map(|()| 0);
    }
    output::note(&format!("{} goes on with `{}` in {}", chosen.tool, chosen.title, directory.display()));
    Err(again::become_again(&words, &directory)?)
}
