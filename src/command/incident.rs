//! `ai incident`: what whoever helps would ask for, in one file that a person reads first. It is sent to nobody.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::command::stop::{self, StopArgs};
use crate::command::{doctor, ps, use_tool};
use crate::core::config::{Config, Layer};
use crate::core::facts::Facts;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::incident::{Hidden, ReportPart, hide_values, text};
use crate::core::ledger::day::Time;
use crate::core::log::chain;
use crate::core::plan::{self, RunCommand};
use crate::core::text::table::{self, Side};
use crate::core::tool::Tool;
use crate::host::doctor::checkup;
use crate::host::engine::image;
use crate::host::fs::files;
use crate::host::fs::look::Look;
use crate::host::store::{lease, log};
use crate::host::{self, Host, output};
use crate::session::context::Context;
use crate::session::decide;
use crate::session::live::{Sessions, Stores};
use crate::session::tolerant;

#[derive(Debug, Args)]
pub struct IncidentArgs {
    /// Tool whose plan is in the report; the default one if absent
    pub tool: Option<String>,
    /// End all sessions of yours, after a look at them
    #[arg(long)]
    pub stop: bool,
    /// Where the report goes; `-` prints it
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Say as JSON what is in the report
    #[arg(long)]
    pub json: bool,
}

/// Lines of the log's end that are shown.
const LINES: usize = 300;

pub fn run(incident: &IncidentArgs) -> Result<u8> {
    let name = format!("ai-incident-{}.txt", Time::of_seconds(host::now())).replace(':', "");
    let file = incident.output.clone().unwrap_or_else(|| name.into());
    let cannot = |why: String| Failure::new(Kind::General, format!("cannot write `{}`", file.display())).because(why);
    let is_printed = file == Path::new("-");
    if !is_printed && file.look_at_link().is_ok() {
        return Err(cannot("it is there already".into()).hint("ai incident --output FILE, for one that is not"));
    }
    let (parts, stopped) = report(incident)?;
    let written = text(&parts);
    if is_printed {
        output::lines(written.lines())?;
    } else {
        files::write_private(&file, written.as_bytes()).map_err(|error| cannot(error.to_string()).hint("ai incident --output FILE"))?;
        tell(&file, &parts, incident.json)?;
    }
    stopped
}

/// Says what is in the report, and where it is.
fn tell(file: &Path, parts: &[ReportPart], json: bool) -> Result<()> {
    if json {
        return output::json(&serde_json::json!({ "file": file, "sent": false, "parts": parts }));
    }
    output::line(&file.to_string_lossy())?;
    let row = |part: &ReportPart| [format!("  {}", part.name), part.lines.len().to_string(), part.about.to_owned()];
    output::table([Side::Left, Side::Right, Side::Left], &parts.iter().map(row).collect::<Vec<_>>())?;
    output::note("nothing was sent; read the file before you give it to anybody");
    Ok(())
}

/// Gathers everything, whatever of it cannot be had, and what became of the sessions that were to end.
fn report(incident: &IncidentArgs) -> Result<(Vec<ReportPart>, Result<u8>)> {
    let (context, failures) = tolerant::context()?;
    let host = &context.host;
    let tools: Vec<Tool> =
        host.tool_names().iter().filter_map(|name| Tool::load(name, |name| host.manifest(name)).ok().flatten()).collect();
    let homes: Vec<PathBuf> = host.env.get("HOME").map(PathBuf::from).into_iter().chain(host.home()).collect();
    let homes: Vec<&Path> = homes.iter().map(PathBuf::as_path).collect();
    let literals = context.config.admitted.set.iter().map(|(name, value)| (name.as_str(), value.value.as_str()));
    let hidden = Hidden::new(&host.env, &secrets(&tools, &context.config), literals, &homes);
    let mut parts = Vec::new();
    let mut add = |name, about, found: Vec<String>| parts.push(hidden.part(name, about, &found));

    add("sessions", "containers, and who answers for them", sessions(host));
    let stopped = if incident.stop { stop::run(&StopArgs::all()) } else { Ok(0) };
    let mut facts = context.facts(None);
    let findings = doctor::findings(&context, &mut facts, failures);
    add("versions", "of programs, the engine and the tools in the image", versions(&context, &facts));
    add("findings", "what `ai doctor` says", findings.iter().flat_map(doctor::lines).collect());
    add("settings", "each with its origin, and what is let in", settings(&context.config));
    let plan = plan(host, incident.tool.as_deref(), &tools).unwrap_or_else(|failure| said(&failure));
    add("plan", "of a run here, as `ai resolve --explain` has it", plan);
    add("variables", "names of what is set", host.env.names().map(|name| name.to_string_lossy().into_owned()).collect());
    add("store", "what is in it, not what it holds", checkup::listing(host.store.root()));
    add("log", "its chain, and its last lines", events(host));
    Ok((parts, stopped))
}

fn said(failure: &Failure) -> Vec<String> {
    failure.to_string().lines().map(str::to_owned).collect()
}

/// Returns the names under which the tools have secrets, here and inside.
fn secrets(tools: &[Tool], config: &Config) -> Vec<String> {
    let of_tools = tools.iter().flat_map(|tool| &tool.manifest.secret);
    let of_person = config.secret.iter().map(|(name, rule)| (name, &rule.value));
    of_tools.chain(of_person).flat_map(|(name, rule)| std::iter::once(name).chain(&rule.env)).cloned().collect()
}

fn sessions(host: &Host) -> Vec<String> {
    let rows = Sessions::look(Stores::This).and_then(|sessions| ps::rows(&sessions));
    let mut lines = rows.map_or_else(|failure| said(&failure), |rows| table::lines([Side::Left; 8], &rows));
    for lease in lease::all(&host.store).iter().chain(&lease::temporary_leases(host)) {
        let state = if lease::is_owner_alive(lease) { "its owner lives" } else { "its owner is gone" };
        lines.push(format!("{state}: {}", serde_json::to_string(lease).unwrap_or_default()));
    }
    lines
}

fn versions(context: &Context, facts: &Facts) -> Vec<String> {
    let mut lines = vec![format!("ai {}", env!("CARGO_PKG_VERSION")), checkup::system()];
    for name in ["zsh", "bash", "fish", "git", facts.engine.kind.program()] {
        lines.push(context.host.program(name).map_or_else(|| format!("no {name}"), |program| checkup::version(&program)));
    }
    lines.extend(facts.engine.report.iter().map(|report| format!("engine {} on {}", report.version, report.operating_system)));
    let name = plan::image(&context.tool, &context.config);
    let inside = image::inspect(facts, &name).map(|details| serde_json::Value::from(image::versions(&details)).to_string());
    lines.push(format!("{name}: {}", inside.unwrap_or_else(|failure| failure.message)));
    lines
}

fn settings(config: &Config) -> Vec<String> {
    let row = |(key, value, origin): (&str, serde_json::Value, String)| [key.to_owned(), value.to_string(), origin];
    let rows: Vec<_> = config.settings.rows().into_iter().map(row).collect();
    table::lines([Side::Left; 3], &rows).into_iter().chain(config.rows_let_in()).collect()
}

fn plan(host: &Host, tool: Option<&str>, tools: &[Tool]) -> Result<Vec<String>> {
    let name = tool.map_or_else(|| use_tool::default_tool(host).map(|(name, _)| name), |tool| Ok(tool.to_owned()))?;
    let context = Context::new(&name, Layer::default())?;
    let mut plan = decide::decide(&context, RunCommand::of(&context.tool, Vec::new())?, None)?.plan;
    hide_values(&mut plan, |name| tools.iter().any(|tool| tool.name == name && tool.is_own));
    let rows = plan.rows().into_iter().flat_map(|(words, reason, origin)| [words, format!("    {reason} ({origin})")]);
    Ok(rows.chain(plan.notes.iter().map(|note| format!("note: {note}"))).collect())
}

fn events(host: &Host) -> Vec<String> {
    let log = log::read(&host.store);
    let audit = chain::audit(&log.files, log.end.as_ref());
    let texts: Vec<_> = log.files.iter().map(|file| String::from_utf8_lossy(&file.text)).collect();
    let lines: Vec<&str> = texts.iter().flat_map(|text| text.lines()).collect();
    let last = lines[lines.len().saturating_sub(LINES)..].iter().map(|line| (*line).to_owned());
    let head = format!("{} lines, {} faults in their chain", audit.lines, audit.faults.len());
    std::iter::once(head).chain(audit.faults).chain(log.unread).chain(last).collect()
}
