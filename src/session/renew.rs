//! A login that runs do not have is renewed by its own program, in a container that has the login and no project.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::core::config::Layer;
use crate::core::failure::Result;
use crate::core::guard::key::NEAR;
use crate::core::login::backup::By;
use crate::host::guard::login_key::ends_within;
use crate::host::machine::interrupt::Interrupt;
use crate::host::store::hold;
use crate::host::store::login::LoginStore;
use crate::session::context::Context;
use crate::session::errand::{self, Errand};

/// How long the program may take, and how long others are waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// Renews the login of a tool if it is near its end, one session after another.
pub fn renew(tool: &str) -> Result<()> {
    let mut context = Context::new(tool, Layer::default())?;
    context.tool = context.tool.at_renewal();
    let Some(place) = LoginStore::of(&context.tool, &context.host, &context.host.store) else { return Ok(()) };
    let _turn = place.turn(PATIENCE).map_err(|error| hold::no_lock(&error))?;
    // Somebody else may have done it meanwhile.
    if !ends_within(&place, NEAR) {
        return Ok(());
    }
    let (files, interrupt) = (BTreeMap::new(), Interrupt::new()?);
    errand::run(&context, &Errand { files: &files, input: "", patience: PATIENCE, interrupt: &interrupt })?;
    place.keep_good(By::Run)?;
    Ok(())
}
