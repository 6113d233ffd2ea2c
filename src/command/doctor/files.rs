//! What is wrong with the person's own files: configuration and manifests.

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
    findings
}

fn finding(title: &str, failure: Failure) -> Finding {
    Finding { details: failure.causes, hint: failure.hint, ..Finding::new(Level::Error, title, failure.message) }
}
