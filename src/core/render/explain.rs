//! The plan for people and for programs: each word with its reason and origin.

use std::ffi::{OsStr, OsString};

use serde::Serialize;

use crate::core::failure::{Failure, Kind, Result};
use crate::core::plan::mount::Access;
use crate::core::plan::{Part, Plan, Variable};
use crate::core::render::words;

impl Plan {
    /// Returns one row for each flag: its words, the reason, the origin.
    pub fn rows(&self) -> Vec<(String, String, String)> {
        let mut rows: Vec<_> = self
            .parts
            .iter()
            .map(|part| (shown(&words(&part.part, self.engine.kind)), part.reason.to_string(), part.origin.to_string()))
            .collect();
        rows.extend(self.guard.iter().flat_map(|guard| guard.rows.iter().cloned()));
        let mut reason = self.image_reason.reason.clone();
        if self.image_id.is_some() {
            reason.push_str(&format!(": {} as it was built or pinned", self.image));
        }
        rows.push((self.image_word().to_owned(), reason, self.image_reason.origin.to_string()));
        rows.push((shown(&self.command), "the tool's own command".into(), format!("manifest of {}", self.tool)));
        if !self.args.is_empty() {
            rows.push((shown(&self.args), "your words, unchanged".into(), "command line".into()));
        }
        let rules =
            self.rules.iter().map(|(name, origin)| (format!("rule `{name}`"), "the policy of this system".into(), origin.to_string()));
        rows.extend(rules);
        rows
    }

    /// Returns the published JSON form; `docs/plan.schema.json` describes it.
    pub fn json(&self) -> Result<Json> {
        Ok(Json {
            tool: self.tool.clone(),
            session: self.session.to_string(),
            container: self.container.clone(),
            project: self.workspace.project.clone(),
            root: text(self.workspace.root.as_os_str())?,
            workdir: text(self.workspace.workdir.as_os_str())?,
            image: self.image.clone(),
            argv: self.argv().iter().map(|word| text(word)).collect::<Result<_>>()?,
            mounts: self.mounts()?,
            environment: self.variables(),
            reasons: self.rows().into_iter().map(|(words, reason, origin)| ExplainedPart { words, reason, origin }).collect(),
            notes: self.notes.clone(),
        })
    }

    fn mounts(&self) -> Result<Vec<JsonMount>> {
        let mounts = self.parts.iter().filter_map(|part| match &part.part {
            Part::Mount(mount) => Some((mount, part)),
            _ => None,
        });
        mounts
            .map(|(mount, part)| {
                Ok(JsonMount {
                    source: text(mount.source.path().as_os_str())?,
                    target: text(mount.target.as_os_str())?,
                    read_only: mount.access == Access::ReadOnly,
                    reason: part.reason.to_string(),
                    origin: part.origin.to_string(),
                })
            })
            .collect()
    }

    fn variables(&self) -> Vec<JsonVariable> {
        let variables = self.parts.iter().filter_map(|part| match &part.part {
            Part::Variable(Variable::Literal(name, value)) => Some((name, Some(value.clone()), part)),
            Part::Variable(Variable::Inherited(name)) => Some((name, None, part)),
            _ => None,
        });
        variables
            .map(|(name, value, part)| JsonVariable {
                name: name.clone(),
                value,
                reason: part.reason.to_string(),
                origin: part.origin.to_string(),
            })
            .collect()
    }
}

fn shown(words: &[OsString]) -> String {
    words.iter().map(|word| crate::core::shell::Shell::Bash.quote(&word.to_string_lossy())).collect::<Vec<_>>().join(" ")
}

/// JSON has no bytes; replacing them would be a lie.
fn text(word: &OsStr) -> Result<String> {
    word.to_str().map(str::to_owned).ok_or_else(|| {
        Failure::new(Kind::Usage, format!("cannot write `{}` as JSON: it is not UTF-8", word.to_string_lossy()))
            .hint("use --format argv0, which is exact")
    })
}

#[derive(Debug, Serialize)]
pub struct Json {
    tool: String,
    session: String,
    container: String,
    project: String,
    root: String,
    workdir: String,
    image: String,
    argv: Vec<String>,
    mounts: Vec<JsonMount>,
    environment: Vec<JsonVariable>,
    reasons: Vec<ExplainedPart>,
    notes: Vec<String>,
}

#[derive(Debug, Serialize)]
struct JsonMount {
    source: String,
    target: String,
    read_only: bool,
    reason: String,
    origin: String,
}

/// A variable; `value` is null where the client copies it from its environment.
#[derive(Debug, Serialize)]
struct JsonVariable {
    name: String,
    value: Option<String>,
    reason: String,
    origin: String,
}

#[derive(Debug, Serialize)]
struct ExplainedPart {
    words: String,
    reason: String,
    origin: String,
}
