//! Which user the tool is, so that its files belong to the person who called it.

use crate::core::config::Origin;
use crate::core::engine::Product;
use crate::core::engine::kind::Engine;
use crate::core::engine::traits::RootlessUser;
use crate::core::facts::User;
use crate::core::plan::{Part, Parts};

/// Returns the parts that make files inside belong to the caller outside.
pub fn user_parts(user: &User, engine: &Engine) -> Vec<Part> {
    let mut parts = Parts::default();
    push(user, engine, &mut parts);
    parts.0.into_iter().map(|part| part.part).collect()
}

/// Adds the user of the container.
pub(super) fn push(user: &User, engine: &Engine, parts: &mut Parts) {
    let (uid, gid) = (user.uid, user.gid);
    match (engine.rootless, engine.kind.traits().rootless_user) {
        (true, RootlessUser::KeepId) => {
            parts.push(Part::SameUser, "rootless podman maps your user to itself this way", Origin::Host);
            parts.push(Part::User { uid, gid }, "files belong to you", Origin::Host);
        }
        (true, RootlessUser::Root) => {
            parts.push(Part::User { uid: 0, gid: 0 }, "in a rootless engine, root in the container is you", Origin::Host);
        }
        (false, _) => parts.push(Part::User { uid, gid }, "files belong to you", Origin::Host),
    }
    // In another machine, or in a namespace of the person's, the numbers mean other groups.
    if !engine.rootless && engine.product == Product::Native {
        for group in &user.groups {
            parts.push(Part::Group(group.id), "files of this group of yours", Origin::Host);
        }
    }
}
