//! `ai config check`: what a run would refuse, before it does; and keys that lie open.

use std::path::Path;

use crate::core::admit::variable::reference;
use crate::core::commit::secrets::KeyScanner;
use crate::core::config::source::ConfigText;
use crate::core::config::{Config, Layer, Origin};
use crate::core::failure::{Failure, Kind, Result};
use crate::core::plan::RunCommand;
use crate::core::route::refuse_unknown;
use crate::core::tool::{self, Tool};
use crate::host::fs::files::read_text;
use crate::host::{Host, output};
use crate::session::context::Context;
use crate::session::decide::decide;

pub fn run(file: Option<&Path>) -> Result<u8> {
    let host = Host::new()?;
    let sources = match file {
        None => host.own_config_sources()?,
        Some(path) => {
            let text = read_text(path)?.ok_or_else(|| {
                Failure::new(Kind::Config, format!("cannot check `{}`: it is not there", path.display())).hint("ai config init")
            })?;
            vec![ConfigText::own(path.display().to_string(), text)]
        }
    };
    let mut warnings = examine(&host, &sources)?;
    // Another machine's file speaks of that machine's directories.
    if file.is_none() {
        warnings.extend(refused_here(&sources)?);
    }
    for warning in &warnings {
        output::warn(warning);
    }
    if warnings.is_empty() {
        let names: Vec<&str> = sources.iter().map(|source| source.path.as_str()).collect();
        output::note(&if names.is_empty() {
            "there is no file, so nothing can be wrong".into()
        } else {
            format!("{}: fine", names.join(", "))
        });
    }
    Ok(u8::from(!warnings.is_empty()))
}

/// Returns what should be otherwise and stops no run.
///
/// # Errors
/// Where a run of some tool, in some profile, would be refused.
pub fn examine(host: &Host, sources: &[ConfigText]) -> Result<Vec<String>> {
    let names = host.tool_names();
    let (mut warnings, scanner) = (Vec::new(), KeyScanner::default());
    for tool in names.iter().map(String::as_str).chain([tool::EXEC]) {
        let plain = Config::new(host.scope(tool, None).borrowed(), sources, &host.env, Layer::default())?;
        plain.refuse_misspelt(&names)?;
        plain.route.iter().try_for_each(|rule| refuse_unknown(rule, &names))?;
        for profile in &plain.profiles {
            let flags = Layer { profile: Some(profile.clone()), ..Layer::default() };
            Config::new(host.scope(tool, None).borrowed(), sources, &host.env, flags)?;
        }
        let strangers = plain.unknown_sections(&names);
        warnings.extend(
            strangers.map(|section| format!("{}: `[tool.{}]` has no effect: there is no tool of this name", section.origin, section.value)),
        );
        let set = || plain.admitted.set.iter();
        warnings.extend(set().filter_map(|(name, set)| open_key(&scanner, name, &set.value, &set.origin)));
        warnings.extend(set().filter_map(|(name, set)| unexpanded(host, name, &set.value, &set.origin)));
    }
    warnings.sort_unstable();
    warnings.dedup();
    Ok(warnings)
}

/// Returns why runs here would be refused for what stands in these files: places that are taken, directories that are not there.
pub fn refused_here(sources: &[ConfigText]) -> Result<Vec<String>> {
    let mut refused = Vec::new();
    for name in Host::new()?.tool_names().iter().map(String::as_str).chain([tool::EXEC]) {
        let host = Host::new()?;
        let Some(tool) = Tool::load(name, |name| host.manifest(name)).ok().flatten() else { continue };
        let config = Config::new(host.scope(name, Some(&tool.manifest)).borrowed(), sources, &host.env, Layer::default())?;
        let context = Context { host, tool, config, is_changed: false };
        let failure = decide(&context, RunCommand::placeholder(&context.tool), None).err();
        let is_of_files = |failure: &Failure| sources.iter().any(|source| failure.message.contains(&format!("{}:", source.path)));
        refused.extend(failure.filter(is_of_files).map(|failure| format!("runs here are refused: {}", failure.message)));
    }
    refused.sort_unstable();
    refused.dedup();
    Ok(refused)
}

/// Says that a variable of this machine is named in a value as if a shell read it.
fn unexpanded(host: &Host, name: &str, value: &str, origin: &Origin) -> Option<String> {
    let meant = reference(value).filter(|meant| host.env.is_set(meant))?;
    Some(format!("{origin}: `${meant}` in the value of {name} stays these letters: nothing is expanded there; spell it out, or env.pass"))
}

/// Says that a key lies open, without showing it.
fn open_key(scanner: &KeyScanner, name: &str, value: &str, origin: &Origin) -> Option<String> {
    let rule = scanner.secrets(value.as_bytes()).into_iter().next()?.rule;
    Some(format!(
        "{origin}: the value of {name} looks like a key ({rule}), and every container and `docker inspect` shows it; say where it comes from: [secret.{name}]"
    ))
}
