//! `ai login` and `ai logout`: the tool's own way, in a container wired for it. What comes of it is checked, not believed.

use clap::Args;
use std::collections::BTreeMap;
use std::ffi::OsString;

use crate::command::creds;
use crate::core::config::Layer;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::login::backup::By;
use crate::core::login::{Login, Validity};
use crate::core::plan::RunCommand;
use crate::core::sync::{Place, Rule, plan};
use crate::host::store::login::LoginStore;
use crate::host::store::project::{self, Sizes};
use crate::host::sync::place::Places;
use crate::host::{output, sync};
use crate::session::context::Context;
use crate::session::run::in_container;
use crate::session::{settings, spare};

#[derive(Debug, Args)]
pub struct LoginArgs {
    /// Tool whose own login to use
    pub tool: String,
    /// More arguments for the tool's login command
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGS")]
    pub args: Vec<OsString>,
}

#[derive(Debug, Args)]
pub struct LogoutArgs {
    pub tool: String,
}

pub fn login(login: &LoginArgs) -> Result<u8> {
    let LoginArgs { tool: name, args: more } = login;
    let mut context = Context::new(name, Layer::default())?;
    let is_among_settings = context.tool.login_settings().next().is_some();
    context.tool = context.tool.at_login();
    let place = creds::in_use(&context.host, &context.tool)?;
    let Some((_, args)) = context.tool.manifest.login.split_first() else { return Err(creds::no_login(&context.tool)) };
    let args = args.iter().map(OsString::from).chain(more.iter().cloned()).collect();
    if is_among_settings {
        return into_settings(&context, &place, args);
    }
    keep(name, &place, By::Run)?;
    let files = |place: &LoginStore| place.files().map_err(|error| failed("read", name, &error));
    let before = files(&place)?;
    let code = in_container(&context, RunCommand::Tool(args))?.code;
    // A name with `*` may stand for a file that was not there before.
    let place = creds::place(&context.host, name)?;
    let after = look(name, &place)?;
    match after.as_ref().map(|login| login.validity) {
        Some(Validity::Good) if files(&place)? != before => {
            keep(name, &place, By::Person)?;
            let whose = after.and_then(|login| login.account).map_or_else(String::new, |account| format!(" as {account}"));
            output::note(&format!("logged in to {name}{whose}; every project uses this login"));
            Ok(0)
        }
        Some(Validity::Good) => {
            Err(not_done(name, code, "it left the login that was there before").hint("the old login is still in use; ai creds status"))
        }
        Some(_) => Err(not_done(name, code, "its credential file holds no login")),
        None => Err(not_done(name, code, "it left no credential file")),
    }
}

/// Logs in to a tool that keeps its tokens among its settings. It does so in a home that was empty, so what is there afterwards comes from
/// its maker; its tokens go on to the settings of all projects, and nothing stays where a container could reach it.
fn into_settings(context: &Context, place: &LoginStore, args: Vec<OsString>) -> Result<u8> {
    let name = &context.tool.name;
    let empty = || place.replace(&BTreeMap::new()).map_err(|error| failed("clear", name, &error));
    empty()?;
    let code = in_container(context, RunCommand::Tool(args))?.code;
    let left = place.files().map_err(|error| failed("read", name, &error))?;
    empty()?;
    let mut is_done = false;
    for rule in context.tool.login_settings() {
        if let Some(login) = left.get(&rule.path).and_then(|bytes| plan::login(rule, bytes)) {
            put(context, &of_hub(context), rule, Place::Hub, &login)?;
            is_done = true;
        }
    }
    if !is_done {
        return Err(not_done(name, code, "it left no credentials"));
    }
    output::note(&format!("logged in to {name}; every project uses this login"));
    Ok(0)
}

/// Takes a login out of the settings of all projects, and those that a run made out of each project's own; whether there was one.
fn out_of_settings(context: &Context) -> Result<bool> {
    let Context { host, tool, .. } = context;
    let projects = project::partitions(&host.store, Sizes::Unknown).into_iter().filter(|partition| partition.tool == tool.name);
    let projects = projects.map(|partition| (settings::places(host, tool, &partition.project), Place::Project));
    let mut was_there = false;
    for (places, place) in std::iter::once((of_hub(context), Place::Hub)).chain(projects) {
        for rule in tool.login_settings() {
            if sync::login_in(&places, rule, place).is_some() {
                put(context, &places, rule, place, "{}")?;
                was_there = true;
            }
        }
    }
    Ok(was_there)
}

fn put(context: &Context, places: &Places, rule: &Rule, place: Place, login: &str) -> Result<()> {
    let name = &context.tool.name;
    let is_put = sync::put_login(places, rule, place, login).map_err(|error| settings::sync_failure(&error))?;
    let file = places.root(place).map(|root| root.join(&rule.path)).unwrap_or_default();
    let cannot =
        || Failure::new(Kind::General, format!("cannot write the login of {name}: `{}` is no settings file of it", file.display()));
    if is_put { Ok(()) } else { Err(cannot().hint(format!("ai sync status {name}"))) }
}

/// Returns the places of the settings that all projects share, and of none that one has.
fn of_hub(context: &Context) -> Places {
    settings::places(&context.host, &context.tool, "login")
}

fn not_done(name: &str, code: u8, why: &str) -> Failure {
    Failure::new(Kind::General, format!("cannot log in to {name}: {why}"))
        .because(format!("it ended with {code}"))
        .hint(format!("ai login {name}"))
}

pub fn logout(logout: &LogoutArgs) -> Result<u8> {
    let name = &logout.tool;
    let mut context = Context::of_account(name)?;
    spare::dismiss(&context.host.store, Some(name));
    if context.tool.login_settings().next().is_some() {
        let said =
            if out_of_settings(&context)? { format!("logged out of {name}, in every project") } else { format!("{name} is not logged in") };
        output::note(&said);
        return Ok(0);
    }
    let place = creds::place(&context.host, name)?;
    context.tool = context.tool.at_login();
    if !look(name, &place)?.is_some_and(|login| login.is_good()) {
        output::note(&format!("{name} is not logged in"));
        return Ok(0);
    }
    keep(name, &place, By::Person)?;
    let code = match context.tool.manifest.logout.split_first() {
        Some((_, args)) => in_container(&context, RunCommand::Tool(args.iter().map(OsString::from).collect()))?.code,
        None => {
            place.replace(&BTreeMap::new()).map_err(|error| failed("remove", name, &error))?;
            0
        }
    };
    if look(name, &place)?.is_some_and(|login| login.is_good()) {
        return Err(Failure::new(Kind::General, format!("cannot log out of {name}: its login is still there"))
            .because(format!("it ended with {code}"))
            .hint(format!("ai creds status {name}")));
    }
    output::note(&format!("logged out of {name}, in every project"));
    Ok(0)
}

fn look(name: &str, place: &LoginStore) -> Result<Option<Login>> {
    let found = place.look().map_err(|error| failed("read", name, &error))?;
    Ok(found.map(|found| found.login))
}

fn keep(name: &str, place: &LoginStore, by: By) -> Result<()> {
    place.keep_good(by).map(drop).map_err(|error| failed("keep", name, &error))
}

fn failed(verb: &str, name: &str, error: &std::io::Error) -> Failure {
    Failure::new(Kind::General, format!("cannot {verb} the login of {name}")).because(error)
}
