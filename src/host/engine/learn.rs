//! Asks an engine what it is, and keeps the answer in the store for plans to read.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use crate::core::engine::kind::Engine;
use crate::core::engine::report::EngineReport;
use crate::core::engine::traits::Info;
use crate::core::engine::{Address, Product};
use crate::core::failure::{Failure, Kind, Result};
use crate::core::store::Store;
use crate::host::engine::{api, endpoint};
use crate::host::fs::files::{private_dir, write_private};
use crate::host::fs::look::Look;
use crate::host::fs::own;
use crate::host::machine::process;

/// Longest time that a client may take to say what its engine is.
const PATIENCE: Duration = Duration::from_secs(10);

/// Returns what was learnt earlier about this endpoint; nothing, if the engine was started anew since.
pub fn recall(store: &Store, engine: &Engine) -> Option<EngineReport> {
    let report = last(store, engine)?;
    (report.stamp == endpoint::stamp(&engine.endpoint, engine.program.as_deref())).then_some(report)
}

/// Returns what was last learnt about this endpoint, whether or not the engine runs: where logins are does not change with a start.
pub fn last(store: &Store, engine: &Engine) -> Option<EngineReport> {
    serde_json::from_slice(&own::read(store.root().join(engine.endpoint.file(engine.kind))).ok()?).ok()
}

/// Whether asking costs little enough for a run to wait: no engine across a network.
pub fn is_cheap(engine: &Engine) -> bool {
    matches!(engine.endpoint.address, Address::Socket { .. } | Address::InProcess)
}

/// Asks, and keeps the answer. A store that cannot be written only makes the next run ask again.
pub fn learn(store: &Store, engine: &Engine) -> Result<EngineReport> {
    let before = crate::host::now();
    let Answer { report, clock } = ask(engine)?;
    let mut report = report.with_proof_of(last(store, engine));
    report.stamp = endpoint::stamp(&engine.endpoint, engine.program.as_deref());
    report.agent = agent(engine, report.product.unwrap_or(engine.product));
    report.skew = clock.map(|clock| clock - i64::try_from(before).unwrap_or_default());
    keep(store, engine, &report);
    Ok(report)
}

pub fn keep(store: &Store, engine: &Engine, report: &EngineReport) {
    let path = store.root().join(engine.endpoint.file(engine.kind));
    let written = || -> std::io::Result<()> {
        path.parent().map_or(Ok(()), private_dir)?;
        write_private(&path, &serde_json::to_vec_pretty(report)?)
    };
    // `doctor` says what is wrong with a store that cannot be written; here it costs one question more.
    let _ = written();
}

/// What an engine says of itself.
struct Answer {
    report: EngineReport,
    /// Seconds since 1970 by its clock, where it says them.
    clock: Option<i64>,
}

fn ask(engine: &Engine) -> Result<Answer> {
    let args = match (engine.kind.traits().info, &engine.endpoint.address) {
        (Info::Docker(_), Address::Socket { path, .. }) => {
            let answer = api::get(path, "/info").map_err(|error| super::unreachable_by(engine, path, &error))?;
            return understood(engine, serde_json::from_slice(&answer.body).ok());
        }
        (Info::Version, _) => return Ok(Answer { report: apple(engine), clock: None }),
        (Info::Docker(args) | Info::Podman(args), _) => args,
    };
    let (status, stdout, stderr) = process::output_within(super::program(engine)?.as_os_str(), args, PATIENCE)?;
    if !status.success() {
        return Err(refused(engine).because(String::from_utf8_lossy(&stderr)));
    }
    understood(engine, serde_json::from_slice(&stdout).ok())
}

fn understood(engine: &Engine, info: Option<Value>) -> Result<Answer> {
    let report = info.as_ref().and_then(|info| match engine.kind.traits().info {
        Info::Podman(_) => EngineReport::from_podman(info),
        _ => EngineReport::from_docker(info),
    });
    let report = report.ok_or_else(|| refused(engine))?;
    let clock =
        info.as_ref().and_then(|info| info.get("SystemTime")).and_then(Value::as_str).and_then(crate::core::engine::report::seconds);
    Ok(Answer { report, clock })
}

/// `container` prints no such summary: each container has a machine of its own, made to measure.
fn apple(engine: &Engine) -> EngineReport {
    let version = super::program(engine).and_then(|program| process::output_within(program.as_os_str(), &["--version"], PATIENCE));
    let version = version.map(|(_, stdout, _)| String::from_utf8_lossy(&stdout).trim().to_owned()).unwrap_or_default();
    EngineReport { id: "apple".into(), version, os_type: "linux".into(), product: Some(Product::Apple), ..EngineReport::default() }
}

fn refused(engine: &Engine) -> Failure {
    let name = engine.kind.program();
    Failure::new(Kind::Unavailable, format!("cannot use {name} at {}", engine.endpoint.shown())).hint(format!("{name} info"))
}

/// Returns the agent's socket in Colima's or Lima's machine, if the machine was started with one.
fn agent(engine: &Engine, product: Product) -> Option<PathBuf> {
    let context = match &engine.endpoint.chosen {
        crate::core::engine::Chosen::Context(name) => name.as_str(),
        _ => "",
    };
    let question: Vec<&str> = match product {
        Product::Colima => {
            let profile = context.strip_prefix("colima-").unwrap_or("default");
            vec!["colima", "ssh", "--profile", profile, "--", "printenv", "SSH_AUTH_SOCK"]
        }
        Product::Lima => vec!["limactl", "shell", context.strip_prefix("lima-").unwrap_or("default"), "printenv", "SSH_AUTH_SOCK"],
        _ => return None,
    };
    let (program, args) = question.split_first()?;
    let program = beside(engine, program)?;
    let (status, stdout, _) = process::output_within(OsStr::new(&program), args, PATIENCE).ok()?;
    let path = PathBuf::from(String::from_utf8(stdout).ok()?.trim());
    (status.success() && path.is_absolute()).then_some(path)
}

/// Finds a program beside the engine's client: both come from the same package manager.
fn beside(engine: &Engine, name: &str) -> Option<PathBuf> {
    let siblings = engine.program.as_deref().and_then(Path::parent).map(|directory| directory.join(name));
    let usual = ["/opt/homebrew/bin", "/usr/local/bin"].into_iter().map(|directory| Path::new(directory).join(name));
    siblings.into_iter().chain(usual).find(|program| program.leads_to_file())
}
