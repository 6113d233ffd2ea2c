//! `ai tools`: what can be run, where each comes from, what is wrong with a manifest, and how one is added.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde::Serialize;

use crate::core::failure::{Failure, Kind, Result};
use crate::core::plan::guard::GUARD;
use crate::core::text::table::Side;
use crate::core::text::typed::typed;
use crate::core::tool::examine::{Complaint, examine};
use crate::core::tool::manifest::{Manifest, ManifestText};
use crate::core::tool::{self, Tool};
use crate::host::fs::files;
use crate::host::{Host, output, pick};
use crate::session::context::unknown_tool;

mod local;
mod remove;

use local::{LOCAL, LocalArgs};

#[derive(Debug, Args)]
pub struct ToolsArgs {
    #[command(subcommand)]
    command: Option<ToolsCommand>,
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum ToolsCommand {
    /// What can be run, and where each comes from; so does `ai tools` alone
    List,
    /// The manifest of a tool as it stands, to learn from or to begin with
    Show { tool: String },
    /// What is wrong with a manifest, all of it, before a run finds out; without a name, with each of your own
    Check {
        #[arg(value_name = "TOOL or FILE")]
        what: Option<String>,
    },
    /// Add a tool: one that comes with ai, by its name; a manifest of yours, by its file; `local`, for a model on a server of yours
    Add {
        /// Name, FILE or `local`
        what: String,
        #[command(flatten)]
        local: LocalArgs,
    },
    /// Take a tool of your own away: its words and its manifest, of which a copy is kept; its state and its image stay
    Remove { tool: String },
}

#[derive(Serialize)]
struct ToolRow {
    name: String,
    about: String,
    profile_of: Option<String>,
    manifest: String,
}

pub fn run(tools: &ToolsArgs) -> Result<u8> {
    match &tools.command {
        None | Some(ToolsCommand::List) => list(&Host::new()?, tools.json),
        Some(ToolsCommand::Show { tool }) => show(&Host::new()?, tool, tools.json),
        Some(ToolsCommand::Check { what }) => check(&Host::new()?, what.as_deref(), tools.json),
        Some(ToolsCommand::Add { what, local }) => add(&Host::to_write()?, what, local),
        Some(ToolsCommand::Remove { tool }) => remove::run(&Host::to_write()?, tool),
    }
}

fn list(host: &Host, json: bool) -> Result<u8> {
    let mut rows = Vec::new();
    let mut code = 0;
    let names = host.tool_names();
    for name in &names {
        match row(host, name) {
            Ok(row) => rows.extend(row),
            // One that is broken does not hide the others.
            Err(failure) => {
                output::failure(&failure);
                code = failure.kind.exit_code();
            }
        }
    }
    if json {
        output::json(&rows)?;
        return Ok(code);
    }
    let rows: Vec<_> = rows.into_iter().map(|row| [row.name, row.about, row.manifest]).collect();
    output::table([Side::Left; 3], &rows)?;
    let more: Vec<&str> = tool::more_names().filter(|name| !names.iter().any(|known| known == name)).collect();
    if !more.is_empty() && pick::can_ask() {
        output::note(&format!("{} come with ai, too; hint: ai tools add {}", more.join(", "), more[0]));
    }
    Ok(code)
}

fn row(host: &Host, name: &str) -> Result<Option<ToolRow>> {
    let Some(Manifest { about, profile_of, .. }) = Tool::load(name, |name| host.manifest(name))?.map(|tool| tool.manifest) else {
        return Ok(None);
    };
    let manifest = host.manifest(name)?.map(|source| source.origin).unwrap_or_default();
    Ok(Some(ToolRow { name: name.into(), about, profile_of, manifest }))
}

/// Prints a manifest: that of the person, and what stands behind it.
fn show(host: &Host, name: &str, json: bool) -> Result<u8> {
    let own = host.manifest(name)?.filter(|source| !source.is_shipped());
    let sources: Vec<ManifestText> = own.into_iter().chain(tool::shipped(name)).collect();
    if sources.is_empty() {
        return Err(unknown_tool(name, host));
    }
    if json {
        let rows: Vec<_> = sources.iter().map(|source| serde_json::json!({ "manifest": source.origin, "text": source.text() })).collect();
        output::json(&rows)?;
        return Ok(0);
    }
    for source in &sources {
        if sources.len() > 1 {
            output::note(&source.origin);
        }
        output::lines(source.text().lines())?;
    }
    Ok(0)
}

fn check(host: &Host, what: Option<&str>, json: bool) -> Result<u8> {
    let (mut found, mut names) = (Vec::new(), Vec::new());
    let files = match what {
        Some(file) if is_file(file) => vec![file.into()],
        Some(name) => {
            let own = own_manifest(host, name);
            let is_own = files::read_text(&own)?.is_some();
            if !is_own {
                let source = tool::shipped(name).ok_or_else(|| unknown_tool(name, host))?;
                found.extend(examine(name, &source, |name| host.manifest(name)));
                names.push(source.origin);
            }
            is_own.then_some(own).into_iter().collect()
        }
        None => own_manifests(host),
    };
    for file in files {
        found.extend(complaints(host, &file)?);
        names.push(file.display().to_string());
    }
    let code = if found.iter().any(|complaint| complaint.fatal) { Kind::Config.exit_code() } else { 0 };
    if json {
        output::json(&found)?;
        return Ok(code);
    }
    for Complaint { file, line, fatal, what, hint } in &found {
        let level = if *fatal { "" } else { "warning: " };
        output::line(&format!("{file}:{line}: {level}{what}; hint: {hint}"))?;
    }
    if found.is_empty() {
        output::note(&if names.is_empty() { "there is no manifest of your own".into() } else { format!("{}: fine", names.join(", ")) });
    }
    Ok(code)
}

/// Returns where a tool's manifest of the person's own is, if there is one.
fn own_manifest(host: &Host, name: &str) -> PathBuf {
    host.store.tools().join(format!("{name}.toml"))
}

/// Returns whether a word is a file, and no name of a tool.
fn is_file(word: &str) -> bool {
    word.contains('/') || Path::new(word).extension().is_some_and(|extension| extension == "toml")
}

fn own_manifests(host: &Host) -> Vec<PathBuf> {
    let of = |name: String| own_manifest(host, &name);
    let mut files: Vec<PathBuf> =
        host.tool_names().into_iter().map(of).filter(|path| files::read_text(path).is_ok_and(|text| text.is_some())).collect();
    files.extend(host.ignored_manifests());
    files
}

/// Returns what is wrong with the manifest in a file, which is named after its tool.
fn complaints(host: &Host, file: &Path) -> Result<Vec<Complaint>> {
    let source = read(file)?;
    Ok(examine(name_of(file), &source, |name| host.manifest(name)))
}

fn read(file: &Path) -> Result<ManifestText> {
    let text = files::read_text(file)?.ok_or_else(|| {
        Failure::new(Kind::Usage, format!("cannot read `{}`: it is not there", file.display()))
            .hint("ai tools add FILE, where FILE is NAME.toml")
    })?;
    Ok(ManifestText::own(&text, file.display().to_string()))
}

fn name_of(file: &Path) -> &str {
    file.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default()
}

/// Adds a tool: from then on it has a function in new shells, a completion, and a state of its own.
fn add(host: &Host, what: &str, local: &LocalArgs) -> Result<u8> {
    let path = Path::new(what);
    if what != LOCAL && local.is_said() {
        return Err(Failure::new(Kind::Usage, format!("cannot add `{what}`: only `local` is told of a server and a model"))
            .hint("ai tools add local --like claude --model qwen3-coder"));
    }
    let (name, text) = match tool::adding(what) {
        None if what == LOCAL => local.manifest()?,
        Some(text) if !is_file(what) => (what.to_owned(), text),
        _ if is_file(what) => {
            let found = complaints(host, path)?;
            for Complaint { file, line, what, hint, .. } in &found {
                output::warn(&format!("{file}:{line}: {what}; hint: {hint}"));
            }
            if found.iter().any(|complaint| complaint.fatal) {
                let why = format!("cannot add `{}`: a run would not take it", path.display());
                return Err(Failure::new(Kind::Config, why).hint(format!("ai tools check {}", typed(what))));
            }
            (name_of(path).to_owned(), read(path)?.text().to_owned())
        }
        _ => {
            let more: Vec<&str> = tool::more_names().collect();
            let why = format!("cannot add `{what}`: ai knows {}, and no others that must be added", more.join(", "));
            return Err(Failure::new(Kind::Usage, why).hint("ai tools add FILE, where FILE is NAME.toml; ai help tools"));
        }
    };
    let name = name.as_str();
    let place = own_manifest(host, name);
    match files::read_text(&place)? {
        Some(known) if known == text => output::note(&format!("{name} is there already: {}", place.display())),
        Some(_) => {
            return Err(Failure::new(Kind::Config, format!("cannot add {name}: `{}` says something else already", place.display()))
                .hint(if what == LOCAL { "--name, for another name; or edit that file" } else { "edit that file, or move it away" }));
        }
        None => {
            let write = files::private_dir(&host.store.tools()).and_then(|()| files::write_private(&place, text.as_bytes()));
            write.map_err(|error| Failure::new(Kind::General, format!("cannot write `{}`", place.display())).because(error))?;
            output::note(&format!("added {name}: {}", place.display()));
        }
    }
    let tool = Tool::load(name, |name| host.manifest(name))?;
    if let Some(network) = tool.as_ref().and_then(|tool| tool.manifest.network.as_deref()) {
        tell_of_network(name, network);
    }
    let build = match tool.filter(|tool| tool.manifest.install.is_some()) {
        Some(tool) => format!("ai image build {} makes its image, if it is not there; then ", tool.installed_as),
        None => String::new(),
    };
    output::note(&format!("{build}`ai run {name}` runs it, and so does `{name}` in every new shell"));
    Ok(0)
}

/// Says what a run of the tool reaches.
fn tell_of_network(name: &str, network: &str) {
    output::note(&match network {
        GUARD => format!("{name} reaches its server and nothing else; ai config allow host --tool {name} HOST lets one more in"),
        "host" => format!("{name} is on the network of this machine, with all that listens here"),
        other => format!("{name} is on the network {other}; a server on this machine must listen where that reaches it"),
    });
}
