//! Configuration for the commands that must work where it is broken: those that look for trouble, and those that end sessions.

use crate::core::config::{Config, Layer};
use crate::core::facts::Env;
use crate::core::failure::{Failure, Result};
use crate::core::tool::{self, Tool};
use crate::host::Host;
use crate::host::{output, policy};
use crate::session::context::{self, Context};

/// Returns as much of the configuration as can be used, and why that is not all of it. Variables count more than files: they are about
/// this one command.
pub fn config(host: &Host, tool: &str) -> (Config, Option<Failure>) {
    let (rules, failure) = parted(policy::rules());
    let (files, unread) = parted(host.config_sources(&rules));
    let mut failure = failure.or(unread);
    let nothing = Env::default();
    let scope = host.scope(tool, None);
    let ways = [(files.as_slice(), &host.env), (&[], &host.env), (&files, &nothing)];
    for (files, env) in ways {
        match Config::new(scope.borrowed(), files, env, Layer::default()) {
            Ok(config) => {
                failure = failure.or_else(|| config.refuse_misspelt(&host.tool_names()).err());
                return (config, failure);
            }
            Err(why) => failure = failure.or(Some(why)),
        }
    }
    (Config::default(), failure)
}

/// Returns the value, or the default with why it is that.
fn parted<T: Default>(result: Result<T>) -> (T, Option<Failure>) {
    match result {
        Ok(value) => (value, None),
        Err(failure) => (T::default(), Some(failure)),
    }
}

/// Returns what `ai exec` starts from, however broken, with everything that is wrong.
pub fn context() -> Result<(Context, Vec<Failure>)> {
    let host = Host::new()?;
    let (config, failure) = config(&host, tool::EXEC);
    let mut failures = Vec::from_iter(failure);
    let built_in = || Tool::load(tool::EXEC, |name| Ok(tool::built_in(name)));
    let tool = Tool::load(tool::EXEC, |name| host.manifest(name)).or_else(|failure| {
        failures.push(failure);
        built_in()
    })?;
    let tool = tool.ok_or_else(|| context::unknown_tool(tool::EXEC, &host))?;
    Ok((Context { host, tool, config, is_changed: false }, failures))
}

/// Says what a command goes on without.
pub fn tell(failures: impl IntoIterator<Item = Failure>) {
    for failure in failures {
        output::warn(&format!("{}; this command goes on without it; hint: ai doctor", failure.message));
    }
}
