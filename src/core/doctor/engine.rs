//! The engine: whether it answers, how old it is, what it can give.

use crate::core::doctor::{Checkup, Finding, ImageState, Level, Reach, of_proof};
use crate::core::engine::report::EngineReport;
use crate::core::engine::{self, Address, Chosen, Product};
use crate::core::image::{build_command, is_ours};
use crate::core::text::typed::typed;
use crate::core::text::version::{desktop_is_old, runc_is_old};

/// A tool, its language servers and a build do not fit into less.
const LEAST_MEMORY: u64 = 2 << 30;
/// Seconds; tools judge locks and tokens by the clock.
const MOST_SKEW: i64 = 5;

pub(super) fn examine(checkup: &Checkup, findings: &mut Vec<Finding>) {
    let engine = &checkup.facts.engine;
    let mut add = |level, cause: String| {
        findings.push(Finding::new(level, "engine", cause));
        findings.len() - 1
    };
    let rootless = if engine.rootless { ", rootless" } else { "" };
    // Only an engine that answers is known to be there.
    let level = if matches!(checkup.reach, Reach::Answers { .. }) { Level::Ok } else { Level::Note };
    add(level, format!("{} at {}: {}{rootless}", engine.kind.program(), engine.endpoint.shown(), engine.product.name()));
    if let Chosen::Variable(name) = engine.endpoint.chosen
        && engine.product == Product::Elsewhere
    {
        add(Level::Warning, format!("{name} leads to another machine: projects are looked for there, and it sees what tools do"));
    }
    let is_refused = engine::refusal(engine, checkup.settings.allowed()).is_some();
    if !is_refused && matches!(engine.endpoint.address, Address::Tcp { tls: false, .. }) {
        add(Level::Warning, "without TLS, everybody who reaches the engine is root on its machine".into());
    }
    match &checkup.reach {
        Reach::Fails { why, hint } => {
            findings.push(Finding { hint: hint.clone(), ..Finding::new(Level::Error, "engine", why.clone()) });
        }
        Reach::Answers { image } => {
            if let Some(report) = &engine.report {
                of_report(checkup, report, findings);
            }
            findings.push(match image {
                ImageState::Image => Finding::new(Level::Ok, "image", checkup.image.clone()),
                ImageState::Moved(cause, hint) => Finding::new(Level::Error, "image", cause).hint(*hint),
                ImageState::Nothing => {
                    let hint = match checkup.image.as_str() {
                        image if is_ours(image) => build_command(image),
                        image => format!("{} pull {}", engine.kind.program(), typed(image)),
                    };
                    Finding::new(Level::Error, "image", format!("{} is not there", checkup.image)).hint(hint)
                }
            });
        }
    }
}

fn of_report(checkup: &Checkup, report: &EngineReport, findings: &mut Vec<Finding>) {
    let mut add = |level, cause: String, hint: &str| {
        let finding = Finding::new(level, "engine", cause);
        findings.push(if hint.is_empty() { finding } else { finding.hint(hint) });
    };
    let size = format!("{} processors, {} MiB", report.cpus, report.memory >> 20);
    add(Level::Ok, format!("version {} on {}: {size}", report.version, report.operating_system), "");
    if report.os_type != "linux" && !report.os_type.is_empty() {
        add(
            Level::Error,
            format!("it runs {} containers, and the tools need Linux", report.os_type),
            "switch Docker Desktop to Linux containers",
        );
    }
    if report.memory > 0 && report.memory < LEAST_MEMORY {
        let hint = match checkup.facts.engine.product {
            Product::Colima => "colima stop && colima start --ssh-agent --memory 4",
            Product::PodmanMachine => "podman machine set --memory 4096",
            _ => "give the engine's machine at least 4 GiB",
        };
        add(Level::Warning, format!("it has {} MiB of memory, and a tool with a build needs 2048", report.memory >> 20), hint);
    }
    let missing = report.limits.missing();
    if !missing.is_empty() {
        let hint = if report.rootless {
            "without root, limits need cgroup v2 (`systemd.unified_cgroup_hierarchy=1`) and systemd's `Delegate=cpu memory pids` for user@.service"
        } else {
            "switch on the kernel's cgroup controllers"
        };
        add(Level::Warning, format!("it cannot limit {}: what runs away takes the whole machine", missing.join(", ")), hint);
    }
    if let Some(runc) = report.runc.as_deref().filter(|version| runc_is_old(version)) {
        let cause = format!("runc {runc} is below 1.2.8 and 1.3.3, which close ways out of the container (CVE-2025-31133)");
        add(Level::Warning, cause, "update the engine; a distribution may have fixed it under the old number");
    }
    if report.product == Some(Product::DockerDesktop) && desktop_is_old(&report.operating_system) {
        add(
            Level::Warning,
            "Docker Desktop below 4.44.3 answers its API to every container (CVE-2025-9074)".into(),
            "update Docker Desktop",
        );
    }
    if report.selinux && !checkup.settings.label_disable.value {
        let hint = "if tools cannot read the project: `label_disable = true` (AI_LABEL_DISABLE=1); nothing is ever relabelled";
        add(Level::Note, "SELinux may keep the project from the container".into(), hint);
    }
    if let Some(skew) = report.skew.filter(|skew| skew.abs() > MOST_SKEW) {
        add(
            Level::Warning,
            format!("its clock differs from yours by {skew} s: tokens and locks look too old or too new"),
            "restart the engine's machine",
        );
    }
    match &report.proof {
        Some(proof) => findings.extend(of_proof(proof)),
        None => add(Level::Note, "what holds on it was never measured".into(), "ai doctor --prove"),
    }
}
