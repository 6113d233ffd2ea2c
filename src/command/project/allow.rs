//! `ai project allow`: what a repository needs that lies beyond it, such as the objects that it borrows from another.

use super::AllowArgs;
use crate::core::config::Layer;
use crate::core::facts::Consent;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::tool;
use crate::core::workspace::Workspace;
use crate::host::output;
use crate::host::store::{consent, hold, project};
use crate::session::context::Context;

pub fn run(allow: &AllowArgs) -> Result<u8> {
    let Context { host, config, .. } = &Context::new(tool::EXEC, Layer::default())?;
    let facts = host.facts(&crate::host::Wanted::default());
    let workspace = Workspace::new(&facts, &config.settings)?;
    let root = facts.repo.as_ref().map_or(workspace.root.as_path(), |repo| &repo.root);
    let _lock = hold::store(&host.store)?;
    let mut consents = consent::read(&host.store);
    let had = consents.len();
    if allow.remove {
        consents.retain(|consent| consent.root != root);
        output::note(&format!("`{}` has nothing beyond itself now ({} taken back)", root.display(), had - consents.len()));
    } else {
        for want in &workspace.wants {
            let tree = project::identity(root).map(|tree| tree.text());
            consents.push(Consent { root: root.to_owned(), path: want.path.clone(), tree });
            output::note(&format!("`{}` gets `{}`: {}", root.display(), want.path.display(), want.what));
        }
        if workspace.wants.is_empty() {
            output::note("this project wants nothing beyond itself");
        }
    }
    if consents.len() != had {
        let failed = |error| Failure::new(Kind::General, format!("cannot write `{}`", host.store.consent().display())).because(error);
        consent::write(&host.store, &consents).map_err(failed)?;
    }
    Ok(0)
}
