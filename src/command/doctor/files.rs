//! What is wrong with the person's own files: configuration and manifests.

use crate::core::commit::secrets::KeyScanner;
use crate::core::config::table::line_of;
use crate::core::doctor::{Finding, Level};
use crate::core::failure::Failure;
use crate::core::text::nearest::nearest;
use crate::core::tool::Tool;
use crate::session::context::Context;

pub fn findings(context: &Context, failures: Vec<Failure>) -> Vec<Finding> {
    let host = &context.host;
    let names = host.tool_names();
    let mut findings: Vec<Finding> = failures.into_iter().map(|failure| finding("config", failure)).collect();
    // One that is nearly a tool's is among the failures.
    for section in context.config.unknown_sections(&names).filter(|section| nearest(&section.value, &names).is_none()) {
        let cause = format!("{}: `[tool.{}]` has no effect: there is no tool of this name", section.origin, section.value);
        findings.push(Finding::new(Level::Warning, "config", cause).hint("ai tools"));
    }
    let broken = names.iter().filter_map(|name| Tool::load(name, |name| host.manifest(name)).err());
    findings.extend(broken.map(|failure| finding("tools", failure)));
    for path in host.ignored_manifests() {
        let cause = format!("`{}` has no effect: a tool's name is small letters, digits, - and _", path.display());
        findings.push(Finding::new(Level::Warning, "tools", cause).hint("rename the file"));
    }
    findings.extend(keys(context));
    findings.extend(let_in(context));
    findings
}

/// Returns a finding for each line of the person's files that looks like a key; the key is not shown.
fn keys(context: &Context) -> Vec<Finding> {
    let host = &context.host;
    let scanner = KeyScanner::default();
    let mut texts: Vec<(String, String)> =
        host.own_config_sources().unwrap_or_default().into_iter().map(|source| (source.path, source.text)).collect();
    let manifests = host.tool_names().into_iter().filter_map(|name| host.manifest(&name).ok().flatten());
    texts.extend(manifests.filter(|manifest| !manifest.is_shipped()).map(|manifest| (manifest.origin.clone(), manifest.text().to_owned())));
    let mut findings = Vec::new();
    for (path, text) in &texts {
        for secret in scanner.secrets(text.as_bytes()) {
            let cause = format!(
                "{path}:{} holds what looks like a key ({}), which every backup of the file holds too",
                line_of(text, secret.span.start),
                secret.rule
            );
            let way = "put it into a file below secrets/, or a password store, and say where it is: ai help config, `secret`; then ask its maker for a new one";
            findings.push(Finding::new(Level::Warning, "config", cause).hint(way));
        }
    }
    findings
}

/// Lists what is let in here beside the project, each with what let it in.
fn let_in(context: &Context) -> Option<Finding> {
    let rows = context.config.rows_let_in();
    let cause = format!(
        "{} beside the project, for every tool",
        if rows.len() == 1 { "one thing".into() } else { format!("{} things", rows.len()) }
    );
    (!rows.is_empty()).then(|| Finding { details: rows, ..Finding::new(Level::Note, "let in", cause) })
}

fn finding(title: &str, failure: Failure) -> Finding {
    Finding { details: failure.causes, hint: failure.hint, ..Finding::new(Level::Error, title, failure.message) }
}
