//! `ai changes`: what runs changed among the files that the host runs from this project, and the person's word about it.

use clap::{Args, Subcommand};

use crate::core::control::record::{ControlLedger, Handled, PendingChange};
use crate::core::control::report::{described, diff, handled_in_words, is_named, shown, tier_in_words, trace_in_words};
use crate::core::control::{ControlPath, Trace};
use crate::core::failure::{Failure, Kind, Result};
use crate::core::workspace::Workspace;
use crate::host::control::answer::{self, AnswerError};
use crate::host::control::shelf::ControlShelf;
use crate::host::output;
use crate::host::store::hold;
use crate::session::tolerant;

#[derive(Debug, Args)]
pub struct ChangesArgs {
    #[command(subcommand)]
    pub command: Option<ChangesCommand>,
    /// Of `show`: as JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum ChangesCommand {
    /// What runs of this project changed among the files that your machine runs by itself
    Show {
        #[arg(long)]
        json: bool,
    },
    /// Take changes over as the run made them
    Accept {
        /// Only these files, or those below these directories
        #[arg(value_name = "PATH")]
        paths: Vec<String>,
        /// Let runs of this project change them from now on; changes are still reported
        #[arg(long)]
        always: bool,
    },
    /// Undo changes that stayed, and forget those that were put back or set aside
    Revert {
        /// Only these files, or those below these directories
        #[arg(value_name = "PATH")]
        paths: Vec<String>,
    },
}

pub fn run(changes: &ChangesArgs) -> Result<u8> {
    let project = Project::here()?;
    match &changes.command {
        None => project.show(changes.json),
        Some(ChangesCommand::Show { json }) => project.show(*json || changes.json),
        Some(ChangesCommand::Accept { paths, always: false }) => project.answer(paths, PersonsWord::Accept),
        Some(ChangesCommand::Accept { paths, always: true }) => project.answer(paths, PersonsWord::AcceptAlways),
        Some(ChangesCommand::Revert { paths }) => project.answer(paths, PersonsWord::Revert),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum PersonsWord {
    Accept,
    AcceptAlways,
    Revert,
}

/// The project here, with what waits for a word.
struct Project {
    shelf: Option<ControlShelf>,
    ledger: ControlLedger,
}

impl Project {
    fn here() -> Result<Self> {
        let (context, failures) = tolerant::context()?;
        tolerant::tell(failures);
        let settings = &context.config.settings;
        let workspace = Workspace::new(&context.facts(None), settings)?;
        let store = &context.host.store;
        if !crate::host::fs::files::is_directory(&store.control(&workspace.project)) {
            return Ok(Self { shelf: None, ledger: ControlLedger::default() });
        }
        let shelf = ControlShelf::open(store, &workspace.project).map_err(|error| hold::no_lock(&error))?;
        let ledger = shelf.ledger();
        Ok(Self { shelf: Some(shelf), ledger })
    }

    fn show(&self, json: bool) -> Result<u8> {
        if json {
            let rows: Vec<_> = self.ledger.pending.iter().map(|change| self.row(change)).collect();
            output::json(&rows)?;
            return Ok(0);
        }
        if self.ledger.pending.is_empty() {
            output::note("no run of this project changed what your machine runs by itself");
            return Ok(0);
        }
        output::lines(self.ledger.pending.iter().flat_map(|change| self.in_words(change)))?;
        let root = self.ledger.anchors.first().map_or_else(String::new, |root| format!("paths are below {}; ", root.path.display()));
        output::note(&format!("{root}to take them over: ai changes accept [PATH]; to be rid of them: ai changes revert [PATH]"));
        Ok(0)
    }

    fn in_words(&self, change: &PendingChange) -> Vec<String> {
        let anchors = &self.ledger.anchors;
        let (tool, session) = (&change.tool, &change.session);
        let head = format!("{} {} by {tool} (session {session})", described(change, anchors), handled_in_words(change.handled));
        let mut lines = vec![head, format!("  {}", tier_in_words(change.tier))];
        let (before, after) = (self.content(change.before.as_ref()), self.content(change.after.as_ref()));
        if before.is_none() && after.is_none() {
            lines.push(format!("  was {}, became {}", trace_in_words(change.before.as_ref()), trace_in_words(change.after.as_ref())));
        }
        let changed = diff(&before.unwrap_or_default(), &after.unwrap_or_default());
        lines.extend(changed.into_iter().map(|line| format!("  {line}")));
        lines
    }

    fn row(&self, change: &PendingChange) -> serde_json::Value {
        let text = |trace: Option<&Trace>| self.content(trace).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        serde_json::json!({
            "path": shown(&change.path, &self.ledger.anchors),
            "tier": change.tier,
            "handled": change.handled,
            "settings": change.names,
            "before": change.before,
            "after": change.after,
            "before_text": text(change.before.as_ref()),
            "after_text": text(change.after.as_ref()),
            "tool": change.tool,
            "session": change.session,
            "when": change.when,
        })
    }

    fn content(&self, trace: Option<&Trace>) -> Option<Vec<u8>> {
        match trace? {
            Trace::File { hash, .. } => self.shelf.as_ref()?.content(hash),
            _ => None,
        }
    }

    fn answer(mut self, paths: &[String], answer: PersonsWord) -> Result<u8> {
        let anchors = self.ledger.anchors.clone();
        let is_meant = |path: &ControlPath| paths.is_empty() || paths.iter().any(|word| is_named(path, &anchors, word));
        let (meant, mut rest): (Vec<_>, Vec<_>) = self.ledger.pending.drain(..).partition(|change| is_meant(&change.path));
        let Some(shelf) = self.shelf.as_ref().filter(|_| !meant.is_empty()) else {
            return Err(Failure::new(Kind::General, "cannot find a change that is meant").hint("ai changes"));
        };
        let mut is_whole = true;
        for change in meant {
            let name = described(&change, &anchors);
            match answered(shelf, &self.ledger, &change, answer) {
                Ok(()) => {
                    output::note(&format!("{} {name}", if answer == PersonsWord::Revert { "reverted" } else { "accepted" }));
                    if answer == PersonsWord::AcceptAlways {
                        allow(&mut self.ledger, &change);
                    }
                }
                Err(error) => {
                    output::warn(&format!("{name} stays as it is: {error}"));
                    is_whole = false;
                    rest.push(change);
                }
            }
        }
        self.ledger.pending = rest;
        shelf.write_ledger(&self.ledger)?;
        Ok(u8::from(!is_whole))
    }
}

fn answered(
    shelf: &ControlShelf,
    ledger: &ControlLedger,
    change: &PendingChange,
    answer: PersonsWord,
) -> std::result::Result<(), AnswerError> {
    match answer {
        PersonsWord::Accept | PersonsWord::AcceptAlways => answer::accept(shelf, ledger, change),
        PersonsWord::Revert => answer::revert(shelf, ledger, change),
    }
}

/// From now on this file may change, or these settings in it.
fn allow(ledger: &mut ControlLedger, change: &PendingChange) {
    let allowed = ledger.allowed.entry(change.path.clone()).or_default();
    if change.handled == Handled::Rewritten {
        allowed.extend(change.names.iter().cloned());
    } else {
        allowed.insert("*".into());
    }
}
