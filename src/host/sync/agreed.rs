//! What pairs of places agree on, as it is in the store.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::core::sync::base::{Base, Unusable};
use crate::core::sync::journal::Loss;
use crate::core::sync::{Pair, Place};
use crate::host::fs::FileError;
use crate::host::sync::SyncError;
use crate::host::sync::place::Places;
use crate::host::sync::shelf::{names, read, write};

/// What was on disk about what pairs of places agree on, byte for byte.
pub type Stamps = BTreeMap<Pair, Option<Vec<u8>>>;

pub fn stamps(places: &Places, pairs: impl Iterator<Item = Pair>) -> Result<Stamps, FileError> {
    pairs.map(|pair| Ok((pair, read(&places.store, &base_path(places, pair))?))).collect()
}

/// Whether the places still agree on what they had agreed on when these were read.
pub fn are_current(places: &Places, known: &Stamps) -> Result<bool, FileError> {
    Ok(stamps(places, known.keys().copied())? == *known)
}

/// Returns what a pair agrees on.
pub fn base(places: &Places, pair: Pair) -> Result<Base, SyncError> {
    base_at(places, &base_path(places, pair))
}

/// Returns what pairs agree on by what was on disk.
pub fn bases(places: &Places, stamps: &Stamps) -> Result<BTreeMap<Pair, Base>, SyncError> {
    let mut bases = BTreeMap::new();
    for (pair, stamp) in stamps {
        bases.insert(*pair, base_of(places, &base_path(places, *pair), stamp.as_deref())?);
    }
    Ok(bases)
}

fn base_at(places: &Places, path: &Path) -> Result<Base, SyncError> {
    base_of(places, path, read(&places.store, path)?.as_deref())
}

fn base_of(places: &Places, path: &Path, bytes: Option<&[u8]>) -> Result<Base, SyncError> {
    match bytes.map(Base::decode) {
        Some(Ok(base)) => Ok(base),
        Some(Err(Unusable::Newer)) => Err(SyncError::Newer { path: places.store.join(path) }),
        // Without a base everything is merged as if for the first time: more conflicts, no loss.
        Some(Err(Unusable::Broken)) | None => Ok(Base::default()),
    }
}

pub fn write_base(places: &Places, pair: Pair, base: &Base) -> Result<(), FileError> {
    write(&places.store, &base_path(places, pair), &base.encode())
}

/// Notes in every base that names the place that the file was lost there.
pub fn note_loss(places: &Places, loss: &Loss) -> Result<(), SyncError> {
    let own = [Pair::HostHub, Pair::HubProject].into_iter().filter(|pair| loss.concerns(*pair));
    let mut paths: Vec<PathBuf> = own.map(|pair| base_path(places, pair)).collect();
    if loss.place == Place::Hub {
        let directory = Path::new("sync/base").join(&places.tool);
        let others = names(&places.store.join(&directory))?.into_iter().filter(|name| name.to_string_lossy().starts_with("project-"));
        paths.extend(others.map(|name| directory.join(name)));
    }
    for path in paths {
        let mut base = base_at(places, &path)?;
        if base.lost.insert(loss.path.clone()) {
            write(&places.store, &path, &base.encode())?;
        }
    }
    Ok(())
}

fn base_path(places: &Places, pair: Pair) -> PathBuf {
    let name = match pair {
        Pair::HostHub => "hub.json".to_owned(),
        Pair::HubProject => format!("project-{}.json", places.project_id),
    };
    Path::new("sync/base").join(&places.tool).join(name)
}
