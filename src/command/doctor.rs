//! `ai doctor`: looks at everything that a run depends on, and says what to do.

use crate::core::doctor::{self, Checkup, Finding, ImageState, Level, Reach};
use crate::core::engine;
use crate::core::engine::proof::{ProbeOutcome, Proof};
use crate::core::facts::Facts;
use crate::core::failure::{Failure, Result};
use crate::core::plan;
use crate::core::text::table::Side;
use crate::core::text::visible::{quoted_lines, visible};
use crate::core::tool::Tool;
use crate::core::workspace::Workspace;
use crate::host::Host;
use crate::host::doctor::{checkup, closed, prove};
use crate::host::engine::{Image, check, learn, pin_mismatch};
use crate::host::output;
use crate::host::store::project;
use crate::session::context::Context;
use crate::session::live::{Sessions, Stores};
use crate::session::tolerant;
use crate::session::{foreign, image, lacking, mended};
use clap::{Args, Subcommand};

mod files;
pub mod shell;

use shell::DoctorShellArgs;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct DoctorArgs {
    #[command(subcommand)]
    pub part: Option<DoctorPart>,
    /// Run about thirty small containers, and record what holds on this engine
    #[arg(long)]
    pub prove: bool,
    /// Repair what can be repaired without asking: permissions of the store, directories that a container broke
    #[arg(long)]
    pub fix: bool,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum DoctorPart {
    /// Only the shell: whether a new one loads the functions, and what stands in their way
    Shell(DoctorShellArgs),
}

pub fn run(doctor: &DoctorArgs) -> Result<u8> {
    match &doctor.part {
        Some(DoctorPart::Shell(wanted)) => shell::run(wanted),
        None => everything(doctor),
    }
}

fn everything(doctor: &DoctorArgs) -> Result<u8> {
    let (context, failures) = tolerant::context()?;
    let mut facts = context.facts(None);
    let image = plan::image(&context.tool, &context.config);
    let reach = reach(&context, &mut facts, &image);
    if doctor.prove
        && let (Reach::Answers { image: ImageState::Image | ImageState::Moved(..) }, Some(report)) = (&reach, facts.engine.report.clone())
    {
        let proof = prove::run(&context.host, &facts, &image)?;
        let report = engine::report::EngineReport { proof: Some(proof), ..report };
        learn::keep(&context.host.store, &facts.engine, &report);
        facts.engine.report = Some(report);
    }
    let findings = doctor::examine(&look(&context, &facts, image, reach, doctor.fix, files::findings(&context, failures)));
    let proof = facts.engine.report.as_ref().and_then(|report| report.proof.as_ref());
    if let (true, false, Some(proof)) = (doctor.prove, doctor.json, proof) {
        let row = |outcome: &ProbeOutcome| [outcome.verdict.name().to_owned(), outcome.name.clone(), outcome.detail.clone()];
        output::table([Side::Left; 3], &proof.outcomes.iter().map(row).collect::<Vec<_>>())?;
    }
    report(&findings, proof, doctor.json)
}

/// Returns what is found where nothing is repaired or proven; `failures` are those of the configuration.
pub fn findings(context: &Context, facts: &mut Facts, failures: Vec<Failure>) -> Vec<Finding> {
    let image = plan::image(&context.tool, &context.config);
    let reach = reach(context, facts, &image);
    let fix = false;
    doctor::examine(&look(context, facts, image, reach, fix, files::findings(context, failures)))
}

/// Prints what was found; the worst of it is the exit code.
fn report(findings: &[Finding], proof: Option<&Proof>, json: bool) -> Result<u8> {
    let worst = doctor::worst(findings);
    if json {
        output::json(&serde_json::json!({ "findings": findings, "worst": worst, "proof": proof }))?;
    } else {
        output::lines(findings.iter().flat_map(lines))?;
    }
    Ok(worst.exit_code())
}

/// Asks the engine, and whether the image is there. The answer is kept for the plans to come.
fn reach(context: &Context, facts: &mut Facts, image: &str) -> Reach {
    let fails = |failure: Failure| {
        let causes = failure.causes.iter().flat_map(|cause| cause.trim().lines()).collect::<Vec<_>>().join("; ");
        let why = if causes.is_empty() { failure.message } else { format!("{} ({})", failure.message, causes) };
        Reach::Fails { why, hint: failure.hint }
    };
    if let Some(refusal) = engine::refusal(&facts.engine, context.config.settings.allowed()) {
        return fails(refusal);
    }
    let store = &context.host.store;
    let asked =
        check(&facts.engine, image).and_then(|found| Ok((behind(context, facts, image, &found)?, learn::learn(store, &facts.engine)?)));
    match asked {
        Ok((image, report)) => {
            facts.engine = facts.engine.clone().with(Some(report));
            Reach::Answers { image }
        }
        Err(failure) => fails(failure),
    }
}

/// Returns what the name of the image stands for.
fn behind(context: &Context, facts: &Facts, image: &str, found: &Image) -> Result<ImageState> {
    if *found == Image::Missing {
        return Ok(ImageState::Nothing);
    }
    let mismatch = pin_mismatch(&context.host.store, &facts.engine, image, found)?;
    Ok(mismatch.map_or(ImageState::Image, |(pinned, id)| ImageState::Moved(image::moved(image, &pinned, &id), image::moved_hint(image))))
}

fn look<'a>(context: &'a Context, facts: &'a Facts, image: String, reach: Reach, fix: bool, mut notes: Vec<Finding>) -> Checkup<'a> {
    let store = context.host.store.root();
    let tools = tools(&context.host);
    let mut open = closed::open_paths(store);
    let mut repaired = 0;
    if fix {
        notes.extend(mend(&context.host, &tools));
        repaired = closed::close(store, &open);
        open = closed::open_paths(store);
    }
    let (mut dead, mut kept) = (None, 0);
    notes.extend(lacking::findings(&tools));
    notes.extend(Workspace::new(facts, &context.config.settings).iter().flat_map(|workspace| foreign::findings(context, workspace)));
    if let count @ 1.. = project::overlays_of_gone(&context.host.store).len() {
        let cause = format!("{count} projects that are gone left what they had to themselves inside (`overlay`)");
        notes.push(Finding::new(Level::Note, "store", cause).hint("ai gc"));
    }
    if matches!(reach, Reach::Answers { .. }) {
        match Sessions::look(Stores::This) {
            Ok(sessions) => (dead, kept) = (Some(sessions.dead()), sessions.census.kept.len()),
            Err(failure) => notes.push(Finding { hint: failure.hint, ..Finding::new(Level::Note, "sessions", failure.message) }),
        }
    }
    Checkup {
        facts,
        settings: &context.config.settings,
        system: checkup::system(),
        wsl: checkup::is_wsl(),
        image,
        reach,
        open,
        repaired,
        broken: closed::broken(&context.host, &tools),
        writable: checkup::is_writable(store),
        disk: checkup::disk(store),
        git: context.host.program("git"),
        https: checkup::https_remotes(&context.host, facts),
        agent_keys: checkup::agent_keys(&facts.ssh_agent),
        dead,
        kept,
        notes,
        loading: shell::loading_place(&context.host),
    }
}

/// Returns the tools that can be loaded; what is wrong with the others is a finding of its own.
fn tools(host: &Host) -> Vec<Tool> {
    host.tool_names().iter().filter_map(|name| Tool::load(name, |name| host.manifest(name)).ok().flatten()).collect()
}

/// Makes anew what containers broke of the store; returns what could not be.
fn mend(host: &Host, tools: &[Tool]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for tool in tools {
        match closed::mend(host, tool) {
            Ok(found) => mended::tell(host, tool, &host.store, &found),
            Err(error) => findings.push(Finding::new(Level::Error, "store", format!("cannot mend the state of {}: {error}", tool.name))),
        }
    }
    findings
}

/// Returns the finding, what more there is to it, and what to do. What is quoted is visible before it stands in its line, so that no name
/// passes for a hint.
pub fn lines(finding: &Finding) -> Vec<String> {
    let mut lines = vec![format!("{:8} {}: {}", finding.level.name(), visible(&finding.title), visible(&finding.cause))];
    lines.extend(finding.details.iter().flat_map(|detail| quoted_lines(detail)).map(|line| format!("         | {line}")));
    lines.extend(finding.hint.iter().map(|hint| format!("         hint: {}", visible(hint))));
    lines
}
