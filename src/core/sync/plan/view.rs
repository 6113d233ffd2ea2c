//! What the steps of a plan see of each file.

use std::collections::BTreeMap;

use crate::core::sync::document::{Document, Flaw, Format};
use crate::core::sync::plan::{Copy, Shelf, Step};
use crate::core::sync::report::News;
use crate::core::sync::{Flow, Hash, Mode, Place, Reading, Site};

/// One file as a step of the plan finds it: what earlier steps decided to write counts as written.
#[derive(Clone, Debug)]
pub struct View {
    pub site: Site,
    /// What is on disk, and so what a change expects there.
    pub disk: Option<Hash>,
    pub content: Option<Vec<u8>>,
    /// Of the content, computed once; only trees, which compare wholes, keep it up to date.
    pub hash: Option<Hash>,
    pub mode: Mode,
}

impl Step<'_> {
    pub fn views(&mut self, format: Option<Format>) -> BTreeMap<Place, View> {
        let sites = [Place::Host, Place::Hub, Place::Project].into_iter().filter_map(|place| self.rule.site(place));
        let mut views = BTreeMap::new();
        for site in sites {
            let Some(reading) = self.seen.files.get(&site) else {
                continue;
            };
            if let Some(view) = self.view(site, reading, format) {
                views.insert(view.site.place, view);
            }
        }
        views
    }

    /// One file, unless it takes no part.
    pub fn view(&mut self, site: Site, reading: &Reading, format: Option<Format>) -> Option<View> {
        let (bytes, mode) = match reading {
            Reading::Absent => return Some(View::nothing(site)),
            Reading::Refused(why) => {
                self.notice(&site, News::Refused(*why));
                return None;
            }
            Reading::File { bytes, mode } => (bytes, *mode),
        };
        let disk = Some(Hash::of(bytes));
        match format.map(|format| format.parse(bytes)) {
            Some(Err(Flaw::Ambiguous)) => {
                self.notice(&site, News::Ambiguous);
                None
            }
            Some(Err(Flaw::Broken)) => {
                self.notice(&site, News::Broken);
                if !bytes.is_empty() {
                    self.plan.copies.push(Copy { shelf: Shelf::Quarantine, site: site.clone(), bytes: bytes.clone() });
                }
                Some(View { site, disk, content: None, hash: None, mode })
            }
            Some(Ok(_)) | None => Some(View { site, hash: disk.clone(), disk, content: Some(bytes.clone()), mode }),
        }
    }
}

impl View {
    pub fn nothing(site: Site) -> View {
        View { site, disk: None, content: None, hash: None, mode: Mode::Plain }
    }

    pub fn document(&self, format: Format) -> Option<Document<'_>> {
        format.parse(self.content.as_deref()?).ok()
    }
}

pub fn pick(views: &BTreeMap<Place, View>, flow: Flow) -> Option<(&View, &View)> {
    views.get(&flow.from).zip(views.get(&flow.to))
}
