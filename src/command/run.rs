//! `ai run` and `ai exec`: the pipeline of the shell functions in one process.

use std::ffi::OsString;

use crate::cli::Exec;
use crate::command::{Context, env, resolve, sync};
use crate::config::Layer;
use crate::facts::Facts;
use crate::failure::{Failure, Kind, Result};
use crate::host::{Host, process};
use crate::output;
use crate::plan::{Plan, Request, native_args};
use crate::tool;

/// Runs a tool; the value is its exit code.
pub fn run(flags: Layer, words: Vec<OsString>) -> Result<u8> {
    let (name, args) = resolve::split(words)?;
    let context = Context::new(&name, flags)?;
    if let Some(args) = native_args(&args) {
        let argv = native(&context, &context.facts(None), args)?;
        return Err(process::exec(&argv, &[]));
    }
    in_container(&context, args)
}

pub fn exec(exec: Exec) -> Result<u8> {
    let context = Context::new(tool::EXEC, exec.overrides.layer())?;
    let args = match exec.line {
        Some(line) => vec!["--shell".into(), line],
        None => exec.words,
    };
    in_container(&context, args)
}

pub fn in_container(context: &Context, args: Vec<OsString>) -> Result<u8> {
    let Context { host, tool, config } = context;
    // Mistakes in the words are told before anything is opened.
    let plan = |session, facts: &Facts| Plan::new(&Request { tool, config, facts, session, args: args.clone(), terminal: facts.terminal });
    plan(crate::host::fresh_session()?, &context.facts(None))?;
    let session = sync::open(context, process::me())?;
    let result = plan(session.clone(), &context.facts(Some(&session))).and_then(|plan| {
        for note in &plan.notes {
            output::note(note);
        }
        let secrets = env::fetch(context)?;
        let argv = plan.argv().split_off(plan.prefix.len());
        process::run(&argv, &secrets, &plan.container)
    });
    // A run that never began has no code, and nothing to explain or clear away.
    let code = result.as_ref().ok().copied();
    if let Err(failure) = sync::close(host, &session, code) {
        output::failure(&failure);
    }
    result
}

/// The host's own program with the user's words. A profile brings its environment, secrets and own state along, and
/// keeps those of the tool that it is a profile of away.
pub fn native(context: &Context, facts: &Facts, args: &[OsString]) -> Result<Vec<OsString>> {
    let Context { host, tool, config } = context;
    let name = tool.native_program();
    let missing = || {
        Failure::new(Kind::NotFound, format!("cannot run {} on the host: `{name}` is not on PATH", tool.name))
            .hint(format!("install it, or run it in its container: {} without --native", tool.name))
    };
    let program = facts.native.clone().ok_or_else(missing)?;
    let mut argv = Vec::new();
    if tool.name != tool.base {
        crate::plan::secret::decide(tool, config, facts)?;
        let env = host.program("env").ok_or_else(missing)?;
        argv.extend([facts.exe.clone().into_os_string(), "env".into(), tool.name.clone().into(), "--".into(), env.into_os_string()]);
        argv.extend(unset(host, context)?);
        argv.extend(literals(context));
    }
    argv.push(program.into_os_string());
    argv.extend(args.iter().cloned());
    Ok(argv)
}

/// `-u NAME` for what belongs to the base tool and is set on the host, unless it is one of the profile's secrets.
fn unset(host: &Host, context: &Context) -> Result<Vec<OsString>> {
    let tool = &context.tool;
    let Some(base) = crate::tool::Tool::load(&tool.base, |name| host.manifest(name))? else { return Ok(Vec::new()) };
    let names = base.manifest.env.pass.into_iter();
    let names =
        names.filter(|name| host.env.is_set(name) && !tool.manifest.secret.contains_key(name) && !tool.manifest.env.pass.contains(name));
    Ok(names.flat_map(|name| ["-u".into(), name.into()]).collect())
}

fn literals(context: &Context) -> Vec<OsString> {
    let Context { host, tool, config } = context;
    let mut set = tool.manifest.env.set.clone();
    set.extend(config.env.iter().map(|(name, setting)| (name.clone(), setting.value.clone())));
    let mut words: Vec<OsString> = set.into_iter().map(|(name, value)| format!("{name}={value}").into()).collect();
    if let Some(name) = tool.manifest.state.as_ref().and_then(|state| state.home.env.as_ref()) {
        let mut word = OsString::from(format!("{name}="));
        word.push(host.store.tool(&tool.name).join("native"));
        words.push(word);
    }
    words
}
