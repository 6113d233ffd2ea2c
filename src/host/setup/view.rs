//! A tool's home as a run finds it: what is there, and what a sync will have written.

use std::collections::BTreeMap;
use std::path::Path;

use crate::core::setup::document::DocumentRule;
use crate::core::sync::{Place, Reading, Refusal};
use crate::host::fs::look::Look;
use crate::host::fs::slot::slot;
use crate::host::fs::{Absent, Trust};
use crate::host::setup::documents::{self, FoundDocument};
use crate::host::setup::{FileContent, LARGEST, MOVING, TOO_LARGE};
use crate::host::sync::Preview;

/// A tool's home that a container writes, as a run finds it.
pub struct HomeView<'a> {
    root: &'a Path,
    /// What a sync will write or remove before.
    to_come: BTreeMap<&'a str, Option<&'a [u8]>>,
}

impl<'a> HomeView<'a> {
    /// Views a home as it is now.
    pub fn new(root: &'a Path) -> Self {
        Self { root, to_come: BTreeMap::new() }
    }

    /// Views a home as the sync of a preview will leave it.
    pub fn after(root: &'a Path, preview: Option<&'a Preview>) -> Self {
        let changes = preview.into_iter().flat_map(|preview| preview.plan.changes().map(|change| (change, preview.plan.content(change))));
        let changes = changes.filter(|(change, _)| change.site.place == Place::Project);
        Self { root, to_come: changes.map(|(change, content)| (change.site.path.as_str(), content)).collect() }
    }

    /// Reads a file, no links followed.
    pub fn read(&self, below: &str) -> Option<Vec<u8>> {
        self.find(below).ok().flatten()
    }

    pub(super) fn find(&self, below: &str) -> FileContent {
        if let Some(content) = self.to_come.get(below) {
            return Ok(content.map(<[u8]>::to_vec));
        }
        let slot = slot(self.root, Path::new(below), Absent::Leave).ok().flatten();
        match slot.and_then(|slot| slot.read(LARGEST).ok()) {
            Some(Reading::File { bytes, .. }) => Ok(Some(bytes)),
            Some(Reading::Refused(Refusal::TooBig)) => Err(TOO_LARGE),
            Some(Reading::Refused(Refusal::Moving)) => Err(MOVING),
            None | Some(Reading::Absent | Reading::Refused(_)) => Ok(None),
        }
    }

    /// Reads a file that may be, or lie behind, a link to another place in the same directory.
    pub(super) fn find_within(&self, below: &Path) -> FileContent {
        let real = self.root.join(below).resolved().ok();
        let real = real.as_ref().and_then(|real| real.strip_prefix(self.root).ok()).and_then(Path::to_str);
        real.map_or(Ok(None), |real| self.find(real))
    }

    /// Hands over each document of some rules.
    pub fn documents(&self, rules: &[DocumentRule], each: &mut dyn FnMut(FoundDocument)) {
        documents::documents(self.root, Trust::State, rules, &mut |found| {
            if !self.to_come.contains_key(found.path.as_str()) {
                each(found);
            }
        });
        for (path, content) in &self.to_come {
            if let Some(rule) = rules.iter().position(|rule| documents::is_meant(path, &rule.path)) {
                each(FoundDocument { path: (*path).to_owned(), rule, content: Ok(content.map(<[u8]>::to_vec)) });
            }
        }
    }

    /// Returns whether a file is there, no links followed.
    pub fn has(&self, below: &Path) -> bool {
        below.to_str().is_some_and(|below| self.read(below).is_some())
    }
}
