//! `--native`: the host's own program, without an engine.

use std::ffi::OsString;

use crate::core::facts::Facts;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::plan::secret;
use crate::core::tool::Tool;
use crate::host::machine::process;
use crate::host::{Host, policy};
use crate::session::context::Context;

/// Becomes the host's own program.
pub fn run(context: &Context, args: &[OsString]) -> Result<u8> {
    let argv = argv(context, &context.facts(None), args)?;
    if context.config.rules.logs() {
        policy::log(&serde_json::json!({ "event": "native", "tool": context.tool.name, "program": argv.first() }))?;
    }
    Err(process::exec(&argv, &[]))
}

/// Returns the words with which a shell becomes the host's own program: where the system must be told of it, they come back to us.
pub fn for_shell(context: &Context, args: &[OsString]) -> Result<Vec<OsString>> {
    let facts = context.facts(None);
    let argv = argv(context, &facts, args)?;
    if !context.config.rules.logs() {
        return Ok(argv);
    }
    let own = [facts.exe.into_os_string(), "run".into(), "--".into(), context.tool.name.clone().into(), "--native".into()];
    Ok(own.into_iter().chain(args.iter().cloned()).collect())
}

/// Returns the host's own program with the user's words. A profile brings its environment, secrets and own state along, and
/// keeps those of the tool that it is a profile of away.
fn argv(context: &Context, facts: &Facts, args: &[OsString]) -> Result<Vec<OsString>> {
    let Context { host, tool, config, .. } = context;
    config.rules.judge_native(&tool.name, tool.is_own)?;
    let name = tool.native_program();
    let missing = || {
        Failure::new(Kind::NotFound, format!("cannot run {} on the host: `{name}` is not on PATH", tool.name))
            .hint(format!("install it, or run it in its container: {} without --native", tool.name))
    };
    let program = facts.native.clone().ok_or_else(missing)?;
    let mut argv = Vec::new();
    if tool.name != tool.base {
        secret::decide(tool, config, facts)?;
        let env = host.program("env").ok_or_else(missing)?;
        argv.extend([facts.exe.clone().into_os_string(), "env".into(), tool.name.clone().into(), "--".into(), env.into_os_string()]);
        argv.extend(unset(host, context)?);
        argv.extend(literals(context));
    }
    argv.push(program.into_os_string());
    argv.extend(tool.manifest.args.iter().map(|word| from_the_host(word).into()));
    argv.extend(args.iter().cloned());
    Ok(argv)
}

/// `-u NAME` for what belongs to the base tool and is set on the host, unless it is one of the profile's secrets.
fn unset(host: &Host, context: &Context) -> Result<Vec<OsString>> {
    let tool = &context.tool;
    let Some(base) = Tool::load(&tool.base, |name| host.manifest(name))? else { return Ok(Vec::new()) };
    let names = base.manifest.env.pass.into_iter();
    let names =
        names.filter(|name| host.env.is_set(name) && !tool.manifest.secret.contains_key(name) && !tool.manifest.env.pass.contains(name));
    Ok(names.flat_map(|name| ["-u".into(), name.into()]).collect())
}

/// Returns a value in which the machine is called what it is called on itself.
fn from_the_host(value: &str) -> String {
    value.replace("host.docker.internal", "127.0.0.1")
}

fn literals(context: &Context) -> Vec<OsString> {
    let Context { host, tool, config, .. } = context;
    let mut set = tool.manifest.env.set.clone();
    set.extend(config.admitted.literals().into_iter().map(|(name, setting)| (name.clone(), setting.value.clone())));
    let mut words: Vec<OsString> = set.into_iter().map(|(name, value)| format!("{name}={}", from_the_host(&value)).into()).collect();
    if let Some(name) = tool.manifest.state.as_ref().and_then(|state| state.home.env.as_ref()) {
        let mut word = OsString::from(format!("{name}="));
        word.push(host.store.tool(&tool.name).join("native"));
        words.push(word);
    }
    words
}
