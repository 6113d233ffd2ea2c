//! What the steps of a plan see of each file.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::core::sync::document::{Document, Flaw, Format};
use crate::core::sync::plan::{Copy, Shelf, Step};
use crate::core::sync::report::News;
use crate::core::sync::{Flow, Hash, HostSync, Mode, Place, Reading, Site, json};

/// One file as a step of the plan finds it: what earlier steps decided to write counts as written.
#[derive(Clone, Debug)]
pub struct View<'a> {
    pub site: Site,
    /// What is on disk, and so what a change expects there.
    pub disk: Option<Hash>,
    pub content: Option<Cow<'a, [u8]>>,
    /// The content as it is understood, unless a step wrote a new one.
    pub read: Option<Rc<Document<'a>>>,
    /// Whether there was something to be read.
    pub found: Wholeness,
    /// Of the content, computed once; only trees, which compare wholes, keep it up to date.
    pub hash: Option<Hash>,
    pub mode: Mode,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wholeness {
    Whole,
    /// Absent, empty or torn.
    Lost,
}

impl<'a> Step<'a> {
    pub fn views(&mut self, format: Option<Format>) -> BTreeMap<Place, View<'a>> {
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

    /// Returns one file, unless it takes no part.
    pub fn view(&mut self, site: Site, reading: &'a Reading, format: Option<Format>) -> Option<View<'a>> {
        let (bytes, mode) = match reading {
            Reading::Absent => return Some(View::nothing(site)),
            Reading::Refused(why) => {
                self.notice(&site, News::Refused(*why));
                return None;
            }
            Reading::File { bytes, mode } => (bytes, *mode),
        };
        let disk = Some(Hash::of(bytes));
        let content = Some(Cow::from(bytes));
        match format.map(|format| self.documents.parse(format, bytes)) {
            Some(Err(Flaw::Torn)) => {
                // An empty table has no text in TOML; whether it lost one, nobody knows.
                if format != Some(Format::Toml) || !bytes.trim_ascii().is_empty() {
                    self.notice(&site, News::Torn { at: format.and_then(|format| format.broken_at(bytes)) });
                }
                if !bytes.is_empty() {
                    self.plan.copies.push(Copy { shelf: Shelf::Quarantine, site: site.clone(), bytes: bytes.clone() });
                }
                Some(View { disk, mode, ..View::nothing(site) })
            }
            // Nobody writes to the person's own file: of what it says, that counts which its tool goes by.
            Some(Err(Flaw::Ambiguous)) if site.place == Place::Host && self.request.host_sync != HostSync::Both => {
                let Some(content) = json::last_of_twice(bytes) else {
                    self.notice(&site, News::Ambiguous);
                    return None;
                };
                self.notice(&site, News::Twice);
                let content = Some(Cow::from(content));
                Some(View { found: Wholeness::Whole, hash: disk.clone(), disk, content, mode, ..View::nothing(site) })
            }
            Some(Err(flaw)) => {
                self.notice(
                    &site,
                    match flaw {
                        Flaw::TooMany => News::Crowded,
                        Flaw::Unread => News::Unread,
                        Flaw::Ambiguous | Flaw::Torn => News::Ambiguous,
                    },
                );
                None
            }
            Some(Ok(document)) => {
                Some(View { found: Wholeness::Whole, hash: disk.clone(), disk, content, read: Some(document), mode, site })
            }
            None => Some(View { found: Wholeness::Whole, hash: disk.clone(), disk, content, mode, ..View::nothing(site) }),
        }
    }
}

impl View<'_> {
    pub fn nothing(site: Site) -> Self {
        View { site, disk: None, content: None, read: None, found: Wholeness::Lost, hash: None, mode: Mode::Plain }
    }

    pub fn document(&self, format: Format) -> Option<Rc<Document<'_>>> {
        if let Some(read) = &self.read {
            return Some(read.clone());
        }
        format.parse(self.content.as_deref()?).ok().map(Rc::new)
    }
}

pub fn pick<'v, 'a>(views: &'v BTreeMap<Place, View<'a>>, flow: Flow) -> Option<(&'v View<'a>, &'v View<'a>)> {
    views.get(&flow.from).zip(views.get(&flow.to))
}
