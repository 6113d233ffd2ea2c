//! `ai policy`: which rules of the system are for you, and whether a policy makes sense.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::core::config::source::ConfigText;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::policy::file::{PATH, SystemPolicy};
use crate::core::policy::rule::{OsUser, PolicyRule};
use crate::core::text::table::Side;
use crate::host::fs::files::read_text;
use crate::host::{output, policy};

#[derive(Debug, Args)]
pub struct PolicyArgs {
    #[command(subcommand)]
    pub command: PolicyCommand,
}

#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Which rules are for you, and what they say
    Explain {
        #[arg(long)]
        json: bool,
    },
    /// Whether a policy can be used: for whoever writes one
    Check {
        /// The file; the system's own if absent, with who may write it
        file: Option<PathBuf>,
    },
}

pub fn run(command: PolicyCommand) -> Result<u8> {
    match command {
        PolicyCommand::Explain { json } => explain(json),
        PolicyCommand::Check { file } => check(file),
    }
}

fn explain(as_json: bool) -> Result<u8> {
    let member = policy::member();
    let rules = policy::rules()?.rules;
    if as_json {
        let rows: Vec<Value> = rules.iter().map(row).collect();
        output::json(&json!({ "user": member.user, "uid": member.uid, "groups": groups(&member), "rules": rows }))?;
        return Ok(0);
    }
    if rules.is_empty() {
        output::note(&format!("no rule of {PATH} is for you"));
        return Ok(0);
    }
    output::line(&format!("you are {}, in {}", member.user.clone().unwrap_or_else(|| member.uid.to_string()), groups(&member).join(", ")))?;
    for rule in &rules {
        output::line(&rule.title())?;
        let rows: Vec<_> = said(rule).into_iter().map(|(key, value)| [format!("  {key}"), value]).collect();
        output::table([Side::Left, Side::Left], &rows)?;
    }
    Ok(0)
}

fn groups(member: &OsUser) -> Vec<String> {
    member.groups.iter().map(|group| group.name.clone().unwrap_or_else(|| group.id.to_string())).collect()
}

fn row(rule: &PolicyRule) -> Value {
    let said: serde_json::Map<_, _> = said(rule).into_iter().map(|(key, value)| (key, Value::from(value))).collect();
    json!({ "rule": rule.name, "origin": rule.origin.to_string(), "says": said })
}

/// Returns what a rule says, in words.
fn said(rule: &PolicyRule) -> Vec<(String, String)> {
    let named = |list: &[String]| if list.is_empty() { "none".to_owned() } else { list.join(", ") };
    let only = |key: &str, list: Option<Vec<String>>| list.map(|list| (key.to_owned(), format!("only {}", named(&list))));
    let mounts = rule.mounts.as_ref().map(|mounts| {
        let shown = |mount: &crate::core::admit::mount::MountRule| {
            let write = if mount.access == crate::core::plan::mount::Access::ReadWrite { " (writable)" } else { "" };
            format!("{}{write}", mount.path)
        };
        mounts.iter().map(shown).collect()
    });
    let clouds = rule.clouds.as_ref().map(|clouds| clouds.iter().map(|cloud| cloud.name().to_owned()).collect());
    let lists = [
        only("tools", rule.tools.clone()),
        only("images", rule.images.clone()),
        only("networks", rule.networks.clone()),
        only("variables", rule.env.clone()),
        only("projects", rule.projects.clone()),
        only("mounts", mounts),
        only("clouds", clouds),
    ];
    let forbid = (!rule.forbid.is_empty()).then(|| ("forbids".to_owned(), named(&rule.forbid)));
    let fixed = rule.fixed.rows().into_iter().map(|(key, value, origin)| (format!("fixes {key}"), format!("{value} ({origin})")));
    let log = rule.log.then(|| ("log".to_owned(), "every run is told to the system's log before it starts".to_owned()));
    lists.into_iter().flatten().chain(forbid).chain(fixed).chain(log).collect()
}

fn check(file: Option<PathBuf>) -> Result<u8> {
    let source = match &file {
        None => policy::source()?,
        Some(path) => read_text(path)?.map(|text| ConfigText::own(path.display().to_string(), text)),
    };
    let Some(source) = source else {
        let path = file.unwrap_or_else(|| PATH.into());
        return Err(Failure::new(Kind::Config, format!("cannot check `{}`: it is not there", path.display())).hint("ai help policy"));
    };
    let policy = SystemPolicy::read(&source)?;
    let clashes = policy.clashes();
    for clash in &clashes {
        output::warn_of(clash);
    }
    let count = policy.rules.len();
    let clear = if clashes.is_empty() { "and none contradicts another" } else { "which do not go together for whom they are both for" };
    output::note(&format!("{}: {count} rules, {clear}", source.path));
    // Two rules may well be for different people.
    let mine = policy.of(&policy::member())?;
    output::note(&format!("{} of them for you", mine.rules.len()));
    Ok(u8::from(!clashes.is_empty()))
}
