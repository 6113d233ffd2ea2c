//! The engine answers, has the image that was meant, and has said what it is.

use crate::core::admit::publish::Publish;
use crate::core::config::Setting;
use crate::core::engine::kind::Engine;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::plan::Plan;
use crate::core::shell::Shell;
use crate::host::engine::{self, Image};
use crate::host::machine::look::{self, PortState};
use crate::host::output;
use crate::host::store::admit;
use crate::session::context::Context;
use crate::session::decide::Decided;
use crate::session::image;

/// Returns the engine of a decided run with all that it said about itself.
///
/// # Errors
/// Where it does not answer, or the image is missing or is not the one that was pinned.
pub fn ready(context: &Context, decided: &Decided) -> Result<Engine> {
    let (facts, plan) = (&decided.facts, &decided.plan);
    let settings = &context.config.settings;
    authorities(plan, &settings.ca)?;
    // What the engine is told by its id is that or nothing. Asking it for an image may cost as much as all else here.
    let ask = || match plan.image_id {
        Some(_) => engine::answers(&facts.engine).map(|()| Image::Unknown),
        None => engine::check(&facts.engine, &plan.image),
    };
    let found = match ask() {
        Err(_) if settings.engine_autostart.value && engine::is_down(&facts.engine) => {
            engine::starter::start(&context.host, &facts.engine, settings)?;
            ask()?
        }
        found => found?,
    };
    match found {
        Image::Missing => image::offer(context, facts, &plan.image)?,
        _ if plan.image_id.is_some() => {}
        found => image::refuse_moved(context, facts, &plan.image, &found)?,
    }
    // Asked once for each start of the engine; every plan until then reads the answer.
    let report = match &facts.engine.report {
        // An engine that runs containers but does not say what it is gets the plan that its endpoint suggests.
        None if engine::learn::is_cheap(&facts.engine) => engine::learn::learn(&context.host.store, &facts.engine).ok(),
        known => known.clone(),
    };
    for port in plan.ports() {
        refuse_taken(port)?;
    }
    let engine = facts.engine.clone().with(report);
    engine::volume::ensure(&engine, &context.host.store, &plan.image, &context.tool, &facts.user)?;
    Ok(engine)
}

/// Says which file of authorities holds none, as every program inside would, one by one.
///
/// # Errors
/// Where the configuration names it: nothing else would help the person whose network needs it.
fn authorities(plan: &Plan, ca: &Setting<String>) -> Result<()> {
    let Some(file) = admit::without_certificate(&plan.authorities) else { return Ok(()) };
    let why = format!("`{}` holds no certificate", file.display());
    if ca.value == "auto" {
        output::warn(&format!(
            "{why}, and is left out; hint: a file of certificates begins with -----BEGIN CERTIFICATE-----, or AI_CA=off"
        ));
        return Ok(());
    }
    let way = Shell::Bash.quote(&file.to_string_lossy());
    Err(Failure::new(Kind::Config, format!("cannot use the certificate authorities of {}: {why}", ca.origin))
        .hint(format!("openssl x509 -in {way} -out company.pem, for a single certificate")))
}

/// The engine would say it too, but only when all else has begun.
fn refuse_taken(port: &Publish) -> Result<()> {
    let Publish { address, host, inside, .. } = port;
    match look::port(port) {
        PortState::Free => return Ok(()),
        PortState::Elsewhere => {
            return Err(Failure::new(Kind::Config, format!("cannot publish {port}: {address} is no address of this machine"))
                .hint(format!("--publish {host}:{inside} is for this machine alone, 0.0.0.0:{host}:{inside} for all networks")));
        }
        PortState::Taken => {}
    }
    Err(Failure::new(Kind::Busy, format!("cannot publish {port}: port {host} of {address} is taken"))
        .hint(format!("ai ps shows the ports of other sessions; another one: --publish {}:{inside}", host.wrapping_add(1).max(1024))))
}
