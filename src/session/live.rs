//! What is alive: containers on the engine, and the sessions that they belong to.

use crate::core::census::{self, Census, Container};
use crate::core::engine::kind::Engine;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::lease::Lease;
use crate::core::plan::store_id;
use crate::core::text::typed::typed;
use crate::host::engine::containers;
use crate::host::store::lease;
use crate::host::{self, Host};
use crate::session::tolerant;

/// The host, its engine, and what is alive there.
pub struct Sessions {
    pub host: Host,
    pub engine: Engine,
    pub leases: Vec<Lease>,
    pub census: Census,
    /// What is wrong with the configuration.
    pub failures: Vec<Failure>,
}

/// Whose containers are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stores {
    /// Those of the store in use.
    This,
    /// Those of the user's other stores too.
    All,
}

impl Sessions {
    /// Asks the engine for the person's containers, and reads the leases that belong to them.
    pub fn look(stores: Stores) -> Result<Self> {
        let (context, failures) = tolerant::context()?;
        let engine = context.facts(None).engine;
        let host = context.host;
        let mut found = containers::list(&engine, host::uid()).map_err(|failure| match failure.hint {
            None => failure.hint("ai doctor"),
            Some(_) => failure,
        })?;
        let store = store_id(host.store.root());
        found.retain(|container| stores == Stores::All || container.store == store);
        let mut leases = lease::all(&host.store);
        leases.extend(lease::temporary_leases(&host));
        let census = census::take(found, &leases, lease::is_owner_alive, &host::spare::answered_for(&host.store));
        Ok(Self { host, engine, leases, census, failures })
    }

    /// Returns the first look of a command, which says what it goes on without.
    pub fn look_and_tell(stores: Stores) -> Result<Self> {
        let mut sessions = Self::look(stores)?;
        tolerant::tell(std::mem::take(&mut sessions.failures));
        Ok(sessions)
    }

    /// Containers and sessions that nobody answers for.
    pub fn dead(&self) -> usize {
        let without_container = |lease: &&Lease| {
            !lease::is_owner_alive(lease) && !self.census.dead.iter().any(|container| container.session == lease.session.as_str())
        };
        self.census.dead.len() + self.leases.iter().filter(without_container).count()
    }

    pub fn all(&self) -> impl Iterator<Item = &Container> {
        let Census { live, dead, kept, unattended, waiting } = &self.census;
        live.iter().chain(dead).chain(unattended).chain(kept).chain(waiting)
    }

    /// Returns the session that a container belongs to.
    pub fn lease(&self, container: &Container) -> Option<&Lease> {
        self.leases.iter().find(|lease| lease.session.as_str() == container.session)
    }

    pub fn root(&self, container: &Container) -> String {
        self.lease(container).map_or_else(|| container.project.clone(), |lease| lease.root.clone())
    }
}

/// The engine was asked, and then looked at: what it says it did is not always what it did.
pub fn no_more_than_said(verb: &str, left: &[&str], engine: &Engine) -> Result<u8> {
    let Some(first) = left.first() else { return Ok(0) };
    let failure = Failure::new(Kind::General, format!("cannot {verb} {}: the engine did not", left.join(", ")));
    Err(failure.hint(format!("{} rm --force {}", engine.kind.program(), typed(first))))
}
