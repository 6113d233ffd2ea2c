//! What projects may have beyond themselves: one small file, which no container sees.

use std::io;

use crate::core::facts::Consent;
use crate::core::store::Store;
use crate::host::fs::files::{private_dir, read_own, write_private};
use crate::host::store::project::is_of_another;

/// Returns what the person agreed to; nothing where that cannot be read. What was agreed for a directory does not hold for another one
/// in its place.
pub fn read(store: &Store) -> Vec<Consent> {
    let text = read_own(&store.consent()).ok().flatten().unwrap_or_default().0;
    let mut consents: Vec<Consent> = serde_json::from_slice(&text).unwrap_or_default();
    consents.retain(|consent| !consent.tree.as_deref().is_some_and(|tree| is_of_another(tree, &consent.root)));
    consents
}

pub fn write(store: &Store, consents: &[Consent]) -> io::Result<()> {
    private_dir(store.root())?;
    write_private(&store.consent(), &serde_json::to_vec_pretty(consents)?)
}
