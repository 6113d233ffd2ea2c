//! Nothing is staged: what could be, or what could be pushed.

use crate::command::commit::Talk;
use crate::core::commit::choice::{STAGES, Stage};
use crate::core::failure::{Failure, Kind, Result};
use crate::host::commit::{CommitPlace, Repository};
use crate::host::output;

/// What comes of an offer.
pub enum Next {
    Staged,
    /// There is nothing more to do.
    Done(u8),
}

/// Names that are listed, at most.
const MOST: usize = 20;
/// Unpushed commits that are listed, at most.
const MOST_COMMITS: usize = 5;

/// Offers to stage something, or to push where nothing has changed.
///
/// # Errors
/// Where there is nobody to ask and nothing to push, or nothing has changed at all.
pub fn something(repository: &mut Repository, standing: &CommitPlace, talk: Talk) -> Result<Next> {
    let (changed, new) = repository.unstaged()?;
    if changed.is_empty() && new.is_empty() {
        return push(repository, standing, talk);
    }
    if talk == Talk::Print {
        return Err(Failure::new(Kind::General, "cannot commit: nothing is staged").hint("git add, then ai commit"));
    }
    output::note("nothing is staged");
    let rows = |mark: &'static str, names: &[String]| names.iter().map(|name| format!("  {mark} {name}")).collect::<Vec<_>>();
    let all = [rows("changed", &changed), rows("new    ", &new)].concat();
    output::lines(all.iter().take(MOST))?;
    if all.len() > MOST {
        output::lines([format!("  and {} more", all.len() - MOST)])?;
    }
    let Some(stage) = output::ask_line(STAGES).and_then(|typed| Stage::parse(&typed)) else {
        output::note("nothing is committed");
        return Ok(Next::Done(1));
    };
    if repository.stage(stage)? {
        Ok(Next::Staged)
    } else {
        Err(Failure::new(Kind::General, "cannot commit: git add failed").hint("git status"))
    }
}

fn push(repository: &Repository, standing: &CommitPlace, talk: Talk) -> Result<Next> {
    let commits = repository.unpushed();
    if commits.is_empty() {
        return Err(Failure::new(Kind::General, "cannot commit: nothing has changed").hint("git status"));
    }
    let count = commits.len();
    output::note(&format!("nothing has changed; {count} {} not pushed", if count == 1 { "commit is" } else { "commits are" }));
    if talk == Talk::Print {
        return Ok(Next::Done(0));
    }
    output::lines(commits.iter().take(MOST_COMMITS).map(|commit| format!("  {commit}")))?;
    if count > MOST_COMMITS {
        output::lines([format!("  and {} more", count - MOST_COMMITS)])?;
    }
    let wants = output::ask_line("Push? [y/N]").is_some_and(|typed| matches!(typed.trim().to_lowercase().as_str(), "y" | "yes"));
    if wants { repository.push(standing).map(Next::Done) } else { Ok(Next::Done(0)) }
}
