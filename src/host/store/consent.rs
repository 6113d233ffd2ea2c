//! What projects may have beyond themselves: one small file, which no container sees.

use std::io;

use crate::core::facts::Consent;
use crate::core::store::Store;
use crate::host::fs::files::{private_dir, read_own, write_private};

/// Returns what the person agreed to; nothing where that cannot be read.
pub fn read(store: &Store) -> Vec<Consent> {
    let text = read_own(&store.consent()).ok().flatten().unwrap_or_default().0;
    serde_json::from_slice(&text).unwrap_or_default()
}

pub fn write(store: &Store, consents: &[Consent]) -> io::Result<()> {
    private_dir(store.root())?;
    write_private(&store.consent(), &serde_json::to_vec_pretty(consents)?)
}
