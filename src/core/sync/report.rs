//! What a sync tells: data for whoever asked, a line for whoever reads.

use std::fmt;

use serde::Serialize;

use crate::core::sync::document::MOST;
use crate::core::sync::{Refusal, Site};

/// What happened to one file, beside being written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum News {
    Refused(Refusal),
    /// Empty, torn or not in its format: treated as absent, a copy is in quarantine.
    Torn {
        /// Line and column, from 1, where that is known.
        at: Option<(usize, usize)>,
    },
    /// Two readers may understand it differently: left alone.
    Ambiguous,
    /// A key occurs twice in the person's own file; the last one counts, as it does for the tool.
    Twice,
    /// It has what its tool does not read, such as comments: left alone.
    Unread,
    /// It has, or would have, too many keys to be settings of anybody.
    Crowded,
    /// Both sides changed these keys (none for a whole file); the loser's copy is in `conflicts`.
    Conflict(Vec<String>),
    /// Too many entries of a tree are gone: they are kept until the person agrees.
    Vanished {
        gone: usize,
        of: usize,
    },
    /// Another name differs from this one only by case.
    CaseClash,
    /// It changed while we were about to write it, twice.
    Overtaken,
    /// Its place does not let us write it; the next sync tries again.
    Unwritable(String),
}

impl News {
    /// Returns what a person can do about it.
    pub fn next_step(&self, tool: &str) -> String {
        match self {
            Self::Vanished { .. } => format!("ai sync accept {tool}"),
            Self::Torn { .. } => format!("mend it, or delete it; `ai sync conflicts {tool}` lists the copy"),
            Self::Conflict(_) => format!("ai sync conflicts {tool}"),
            Self::Ambiguous => "take one of the two out".into(),
            Self::Unread => "mend it as its tool says".into(),
            Self::Twice => "take one of the two out".into(),
            Self::Crowded => "take some of them out".into(),
            Self::Refused(why) => why.next_step(tool),
            Self::CaseClash => "rename one of them".into(),
            Self::Overtaken | Self::Unwritable(_) => format!("the next run tries again; ai sync diff {tool}"),
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Notice {
    pub site: Site,
    pub news: News,
}

/// What one sync did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Whether an earlier sync, interrupted after its commit, was finished first.
    pub recovered: bool,
    /// A sync of another project that was interrupted and cannot be finished now, with the reason.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<String>,
    pub changed: Vec<Site>,
    pub notices: Vec<Notice>,
    /// Changes for which there was no time: the next sync makes them.
    pub left: usize,
}

impl Report {
    /// Whether everything was written that should have been.
    pub fn is_whole(&self) -> bool {
        let unwritten = |notice: &Notice| matches!(notice.news, News::Unwritable(_) | News::Overtaken);
        self.left == 0 && !self.notices.iter().any(unwritten)
    }
}

impl Refusal {
    fn next_step(self, tool: &str) -> String {
        match self {
            Self::Link => "make it lead to a file, or take it away".into(),
            Self::NotAFile => "put a regular file there, or take it away".into(),
            Self::HardLink => "make a copy of it in its place".into(),
            Self::SetId => "chmod u-s,g-s".into(),
            Self::TooDeep => "move it up".into(),
            Self::TooBig | Self::TooMany => "make it smaller".into(),
            Self::Unreadable => "chmod u+r, and u+x for directories".into(),
            Self::Moving => format!("the next run tries again; ai sync status {tool}"),
            Self::NotUtf8Name => "rename it".into(),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Refusal::Link => "it is a link that is not followed",
            Refusal::NotAFile => "it is not a regular file",
            Refusal::HardLink => "it has another name (hard link)",
            Refusal::SetId => "it is set-user-id",
            Refusal::TooBig => "it is too big",
            Refusal::TooMany => "it holds too many files",
            Refusal::TooDeep => "it lies in too many directories",
            Refusal::Unreadable => "it cannot be read",
            Refusal::Moving => "it keeps changing",
            Refusal::NotUtf8Name => "its name is not UTF-8",
        })
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let site = &self.site;
        match &self.news {
            News::Refused(why) => write!(out, "skipped {site}: {why}"),
            News::Torn { at: Some((line, column)) } => {
                write!(out, "ignored {site}: it is broken at line {line}, column {column} (a copy is in quarantine)")
            }
            News::Torn { at: None } => write!(out, "ignored {site}: it is empty or broken (a copy is in quarantine)"),
            News::Ambiguous => write!(out, "skipped {site}: it can be read in two ways (a key occurs twice)"),
            News::Twice => write!(out, "a key occurs twice in {site}; the last one counts"),
            News::Conflict(keys) if keys.is_empty() => write!(out, "{site} changed on both sides; the other copy is in conflicts"),
            News::Conflict(keys) => write!(out, "{site} changed on both sides ({}); the other copy is in conflicts", some(keys)),
            News::Unread => write!(out, "skipped {site}: its tool does not read it (a comment, a comma too many, or another encoding)"),
            News::Crowded => write!(out, "skipped {site}: it has more than {MOST} keys"),
            News::Vanished { gone, of } => {
                write!(out, "{gone} of {of} in {site} are gone; they are kept until you say that they should be")
            }
            News::CaseClash => write!(out, "skipped {site}: another name differs only by case"),
            News::Unwritable(why) => write!(out, "cannot write {site}: {why}"),
            News::Overtaken => write!(out, "skipped {site}: it changed meanwhile"),
        }
    }
}

/// Returns as many names as fit into a line.
fn some(names: &[String]) -> String {
    let shown = names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN { format!("{shown} and {} more", names.len() - SHOWN) } else { shown }
}

/// Keys that a notice names.
const SHOWN: usize = 8;
