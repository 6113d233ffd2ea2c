//! `ai login` and `ai logout`: the tool's own way, in a container wired for it. What comes of it is checked, not believed.

use clap::Args;
use std::ffi::OsString;

use crate::command::creds;
use crate::core::config::Layer;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::login::{Login, Validity};
use crate::core::plan::Command;
use crate::host::output;
use crate::host::store::login::Place;
use crate::session::context::Context;
use crate::session::run::in_container;

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
    let place = creds::place(&context.host, name)?;
    context.tool = context.tool.at_login();
    let Some((_, args)) = context.tool.manifest.login.split_first() else { return Err(creds::no_login(&context.tool)) };
    let args = args.iter().map(OsString::from).chain(more.iter().cloned()).collect();
    keep(name, &place)?;
    let before = look(name, &place)?;
    let code = run_in_container(&context, &place, args)?;
    let after = look(name, &place)?;
    match after.as_ref().map(|login| login.validity) {
        Some(Validity::Good) if after != before => {
            keep(name, &place)?;
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

fn not_done(name: &str, code: u8, why: &str) -> Failure {
    Failure::new(Kind::General, format!("cannot log in to {name}: {why}"))
        .because(format!("it ended with {code}"))
        .hint(format!("ai login {name}"))
}

pub fn logout(logout: &LogoutArgs) -> Result<u8> {
    let name = &logout.tool;
    let mut context = Context::new(name, Layer::default())?;
    let place = creds::place(&context.host, name)?;
    context.tool = context.tool.at_login();
    if !look(name, &place)?.is_some_and(|login| login.is_good()) {
        output::note(&format!("{name} is not logged in"));
        return Ok(0);
    }
    keep(name, &place)?;
    let code = match context.tool.manifest.logout.split_first() {
        Some((_, args)) => run_in_container(&context, &place, args.iter().map(OsString::from).collect())?,
        None => {
            place.replace(&std::collections::BTreeMap::new()).map_err(|error| failed("remove", name, &error))?;
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

/// Runs the tool. One that replaces its files by name gets the store's directory as its home, since no directory of a volume
/// can be mounted by itself everywhere: what is in the volume goes there before, and comes back after.
fn run_in_container(context: &Context, place: &Place, args: Vec<OsString>) -> Result<u8> {
    let name = &context.tool.name;
    let is_home = context.tool.manifest.state.as_ref().is_some_and(|state| state.login.at_home);
    let store = Place::of(&context.tool, &context.host, &context.host.store).filter(|_| is_home && place.volume().is_some());
    let Some(store) = store else { return in_container(context, Command::Tool(args)) };
    let failed = |error: std::io::Error| failed("move", name, &error);
    place.files().and_then(|files| store.replace(&files)).map_err(failed)?;
    let code = in_container(context, Command::Tool(args));
    // Also after a run that failed: the tool may have got a new token before.
    store.files().and_then(|files| place.replace(&files)).map_err(failed)?;
    code
}

fn look(name: &str, place: &Place) -> Result<Option<Login>> {
    let found = place.look().map_err(|error| failed("read", name, &error))?;
    Ok(found.map(|found| found.login))
}

fn keep(name: &str, place: &Place) -> Result<()> {
    place.keep_good().map(drop).map_err(|error| failed("keep", name, &error))
}

fn failed(verb: &str, name: &str, error: &std::io::Error) -> Failure {
    Failure::new(Kind::General, format!("cannot {verb} the login of {name}")).because(error)
}
