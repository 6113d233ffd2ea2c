//! `ai commit`: commits what is staged, with a message that a tool suggests and the person decides about.

use std::ffi::OsString;

use clap::Args;

use crate::command::use_tool::{default_tool, full_name};
use crate::core::commit::choice::{Choice, MENU};
use crate::core::commit::patch::{self, FilePatch};
use crate::core::commit::prompt::{self, Ask};
use crate::core::commit::secrets::{FoundKey, KeyScanner};
use crate::core::config::Layer;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::text::visible::visible_lines;
use crate::host::commit::draft::Draft;
use crate::host::commit::{CommitPlace, Repository};
use crate::host::machine::interrupt::Interrupt;
use crate::host::{self, Host, output};
use crate::session::context::Context;
use crate::session::suggest::{self, Suggestion};

pub mod after;
mod offer;

#[derive(Debug, Args)]
pub struct CommitArgs {
    /// The tool that writes the message; the default one if absent
    #[arg(long)]
    pub tool: Option<String>,
    /// Send the change although it adds what looks like a key; the key itself is left out
    #[arg(long)]
    pub allow_secrets: bool,
    /// What the message should say
    #[arg(trailing_var_arg = true)]
    pub hint: Vec<OsString>,
}

/// Whether there is somebody to ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Talk {
    Terminal,
    /// The message goes to stdout, and nothing is done with it.
    Print,
}

pub fn run(commit: &CommitArgs) -> Result<u8> {
    let host = Host::new()?;
    let tool = commit.tool.as_ref().map_or_else(|| default_tool(&host).map(|(name, _)| name), |tool| full_name(&host, tool))?;
    let mut repository = Repository::here(&host)?;
    let standing = repository.standing();
    let talk = talk(&host);
    refuse_conflicts(&repository)?;
    let mut diff = repository.change(&standing)?;
    if diff.is_empty() && standing.merging.is_none() {
        match offer::something(&mut repository, &standing, talk)? {
            offer::Next::Staged => diff = repository.change(&standing)?,
            offer::Next::Done(code) => return Ok(code),
        }
        if diff.is_empty() {
            return Err(Failure::new(Kind::General, "cannot commit: nothing was staged").hint("ai commit"));
        }
    }
    let files = patch::files(&diff);
    let scanner = KeyScanner::default();
    if !commit.allow_secrets {
        refuse_secrets(&scanner.findings(&files))?;
    }
    let context = suggest::for_commits(Context::new(&tool, Layer::default())?)?;
    let asking = Asking { context: &context, standing: &standing, files: &files, scanner: &scanner, interrupt: Interrupt::new()? };
    let hint = commit.hint.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
    asking.talk_over(&host, &mut repository, hint, talk)
}

/// Both streams of a person, and no machine that says that it is one.
fn talk(host: &Host) -> Talk {
    let terminal = host::terminal();
    if terminal.stdin && terminal.stdout && terminal.in_front && !host.is_machine() { Talk::Terminal } else { Talk::Print }
}

fn refuse_conflicts(repository: &Repository) -> Result<()> {
    match repository.conflicts()?.as_slice() {
        [] => Ok(()),
        [first, rest @ ..] => {
            let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
            Err(Failure::new(Kind::General, format!("cannot commit: `{first}`{more} has conflicts")).hint("solve them, then git add"))
        }
    }
}

fn refuse_secrets(findings: &[FoundKey]) -> Result<()> {
    if findings.is_empty() {
        return Ok(());
    }
    let mut failure = Failure::new(Kind::NotAllowed, "cannot commit: what is staged looks like a key; nothing was sent");
    for FoundKey { path, line, rule } in findings.iter().take(20) {
        failure = failure.because(format!("{path}:{line}: {rule}"));
    }
    if findings.len() > 20 {
        failure = failure.because(format!("and {} more", findings.len() - 20));
    }
    Err(failure.hint("take it out of the change; if it is none: ai commit --allow-secrets"))
}

/// What a message is asked from.
struct Asking<'a> {
    context: &'a Context,
    standing: &'a CommitPlace,
    files: &'a [FilePatch<'a>],
    scanner: &'a KeyScanner,
    interrupt: Interrupt,
}

impl Asking<'_> {
    fn suggest(&self, subjects: &[String], hint: &str, before: Option<&str>) -> Result<Suggestion> {
        let settings = &self.context.config.settings;
        let request = Ask {
            persona: settings.commit_persona.value.as_deref(),
            language: settings.commit_language.value.as_deref(),
            branch: self.standing.branch.as_deref(),
            subjects,
            merging: self.standing.merging.as_deref(),
            hint,
            before,
        };
        suggest::suggest(self.context, &prompt::text(&request, self.files, self.scanner), &self.interrupt)
    }

    /// Asks for messages until the person takes one, or no more.
    fn talk_over(&self, host: &Host, repository: &mut Repository, mut hint: String, talk: Talk) -> Result<u8> {
        let subjects = repository.subjects(self.standing);
        let mut before: Option<String> = None;
        loop {
            if talk == Talk::Terminal {
                output::note(&format!("{} writes a message; Ctrl-C ends it", self.context.tool.name));
            }
            let mut message = match self.suggest(&subjects, &hint, before.as_deref())? {
                Suggestion::Message(message) => message,
                Suggestion::Interrupted(signal) => return Ok(128 + signal),
            };
            if talk == Talk::Print {
                return output::exact(format!("{message}\n").as_bytes()).map(|()| 0);
            }
            loop {
                show(&message)?;
                match choose() {
                    Choice::Commit => return self.commit(host, repository, &message),
                    Choice::Push => {
                        let code = self.commit(host, repository, &message)?;
                        return if code == 0 { repository.push(self.standing) } else { Ok(code) };
                    }
                    Choice::Edit => match edited(repository, &message)? {
                        Some(edited) => message = edited,
                        None => output::note("the edited message is empty; the one before it stays"),
                    },
                    Choice::Again(wish) => {
                        if !wish.is_empty() {
                            hint = if hint.is_empty() { wish } else { format!("{hint}\n{wish}") };
                        }
                        break;
                    }
                    Choice::Cancel => {
                        output::note("nothing is committed");
                        return Ok(1);
                    }
                }
            }
            before = Some(message);
        }
    }

    fn commit(&self, host: &Host, repository: &mut Repository, message: &str) -> Result<u8> {
        let draft = Draft::new(message)?;
        // Git and its hooks hear Ctrl-C themselves, and say what came of it.
        let code = self.interrupt.held(|| repository.commit(draft.path()))?;
        if code != 0 {
            let kept = draft.keep(&host.store)?;
            let path = crate::core::text::typed::typed(&kept.to_string_lossy());
            output::failure(
                &Failure::new(Kind::General, format!("cannot commit: git commit ended with {code}"))
                    .hint(format!("git commit -e -F {path}")),
            );
        }
        Ok(code)
    }
}

/// Shows a message as it will be, but for what a terminal would obey.
fn show(message: &str) -> Result<()> {
    let framed = visible_lines(message).map(|line| format!("    {line}").trim_end().to_owned());
    output::lines([String::new()].into_iter().chain(framed).chain([String::new()]))
}

/// Asks until there is an answer; the end of the input is one.
fn choose() -> Choice {
    loop {
        match output::ask_line(MENU) {
            None => return Choice::Cancel,
            Some(typed) => {
                if let Some(choice) = Choice::parse(&typed) {
                    return choice;
                }
            }
        }
    }
}

fn edited(repository: &Repository, message: &str) -> Result<Option<String>> {
    let draft = Draft::new(message)?;
    match repository.edit(draft.path())? {
        0 => Ok(Some(draft.read().trim_end().to_owned()).filter(|text| !text.is_empty())),
        code => {
            output::warn(&format!("the editor ended with {code}; the message is as it was"));
            Ok(Some(message.to_owned()))
        }
    }
}
