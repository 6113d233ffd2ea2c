//! Reading everything that a sync has to know.

use std::collections::BTreeMap;
use std::path::Path;

use rustix::fd::OwnedFd;
use rustix::fs::Stat;

use crate::core::sync::document::Format;
use crate::core::sync::plan::Gathered;
use crate::core::sync::{Class, Flow, Place, Reading, Refusal, Rule, Site, SyncRequest};
use crate::host::fs::{self, Absent, Child, FileError, Trust, read};
use crate::host::machine::deadline::Deadline;
use crate::host::sync::SyncError;
use crate::host::sync::agreed::{self, Stamps};
use crate::host::sync::place::{Places, is_below, trust};

const MIB: u64 = 1024 * 1024;
/// Bigger settings are no settings; nobody waits for them to be parsed.
pub(super) const SETTINGS: u64 = 8 * MIB;
/// Big enough for everything else that is read whole.
pub const ANY: u64 = 32 * MIB;
/// Files and directories of one tree.
const FILES: usize = 40_000;
const TREE: u64 = 64 * MIB;
const DEPTH: usize = 16;

/// Reads it all; `agreed` is what was on disk of what the places agree on.
pub fn gather(places: &Places, request: &SyncRequest, agreed: &Stamps, deadline: &Deadline) -> Result<Gathered, SyncError> {
    let mut seen = Gathered { bases: agreed::bases(places, agreed)?, ..Gathered::default() };
    let flows = Flow::of(request.direction, request.host_sync);
    for rule in &request.rules {
        let flows: Vec<&Flow> = flows.iter().filter(|flow| flow.carries(rule.class)).collect();
        for place in [Place::Host, Place::Hub, Place::Project] {
            let takes_part = flows.iter().any(|flow| flow.from == place || flow.to == place);
            let site = rule.site(place).filter(|_| takes_part && places.root(place).is_some());
            let Some(site) = site else { continue };
            if deadline.is_over() {
                return Err(SyncError::Late);
            }
            if rule.class == Class::Tree {
                let files = read_tree(places, rule, &site, *deadline);
                if matches!(parent(places, &site), Ok(None)) {
                    seen.away.insert(site.clone());
                }
                seen.trees.insert(site, files);
            } else {
                let is_agreed = |bytes: &[u8]| {
                    let mut agreed = seen.bases.values().filter_map(|base| base.files.get(&rule.path)?.text());
                    agreed.any(|text| text.as_bytes() == bytes)
                };
                let reading = read_settled(places, rule, &site, is_agreed);
                seen.files.insert(site, reading);
            }
        }
    }
    Ok(seen)
}

/// Reads a file; one that makes no sense may only be in the middle of being written, so it gets another chance. What was agreed on
/// made sense.
fn read_settled(places: &Places, rule: &Rule, site: &Site, is_agreed: impl Fn(&[u8]) -> bool) -> Reading {
    let limit = if rule.class == Class::Lines { ANY } else { SETTINGS };
    let mut reading = read_site(places, site, limit);
    for _ in 0..2 {
        let torn = |bytes: &[u8]| Format::of(rule).is_some_and(|format| !is_agreed(bytes) && format.is_torn(bytes));
        match &reading {
            Reading::File { bytes, .. } if torn(bytes) => {
                fs::pause();
                reading = read_site(places, site, limit);
            }
            _ => break,
        }
    }
    reading
}

/// Reads a file, of which at most so many bytes count.
pub(super) fn read_site(places: &Places, site: &Site, limit: u64) -> Reading {
    let path = Path::new(&site.path);
    match parent(places, site) {
        Err(why) => Reading::Refused(why),
        Ok(None) => Reading::Absent,
        Ok(Some(dir)) => {
            let name = path.file_name().unwrap_or_default();
            read::read(&dir, name, limit, trust(site.place)).unwrap_or(Reading::Refused(Refusal::Unreadable))
        }
    }
}

/// Returns the directory that a site is in.
fn parent(places: &Places, site: &Site) -> Result<Option<OwnedFd>, Refusal> {
    let (Some(root), true) = (places.root(site.place), is_below(&site.path)) else {
        return Err(Refusal::Link);
    };
    let below = Path::new(&site.path).parent().unwrap_or(Path::new(""));
    let entered = match trust(site.place) {
        Trust::Host => fs::enter_following(&root.join(below)),
        Trust::State | Trust::Login => fs::enter(root, below, Absent::Leave),
    };
    entered.map_err(|error| refusal(&error))
}

fn refusal(error: &FileError) -> Refusal {
    use rustix::io::Errno;
    match Errno::from_io_error(&error.source) {
        Some(Errno::LOOP | Errno::NOTDIR) => Refusal::Link,
        _ => Refusal::Unreadable,
    }
}

fn read_tree(places: &Places, rule: &Rule, site: &Site, deadline: Deadline) -> Result<BTreeMap<String, Reading>, Refusal> {
    let Some(dir) = parent(places, site)? else {
        return Ok(BTreeMap::new());
    };
    let mut walk =
        TreeWalk { deadline, skip: &rule.skip, trust: trust(site.place), files: BTreeMap::new(), above: Vec::new(), count: 0, size: 0 };
    let name = Path::new(&site.path).file_name().unwrap_or_default();
    match fs::child(&dir, name, walk.trust) {
        Child::Absent => {}
        Child::Directory(dir) => walk.directory(&dir, "")?,
        Child::Other => walk.file(&dir, name, String::new())?,
    }
    if let Some(Reading::Refused(why)) = walk.files.get("") {
        return Err(*why);
    }
    Ok(walk.files)
}

/// Returns whether a name is this one, or has this end behind a `*`.
fn is_skipped(name: &str, skip: &str) -> bool {
    skip.strip_prefix('*').map_or(name == skip, |end| name.ends_with(end))
}

struct TreeWalk<'a> {
    deadline: Deadline,
    skip: &'a [String],
    trust: Trust,
    files: BTreeMap<String, Reading>,
    /// The directories that lead here: a link may lead back to one.
    above: Vec<Stat>,
    count: usize,
    size: u64,
}

impl TreeWalk<'_> {
    fn directory(&mut self, dir: &OwnedFd, prefix: &str) -> Result<(), Refusal> {
        let own = rustix::fs::fstat(dir).map_err(|_| Refusal::Unreadable)?;
        let refusal = match () {
            () if self.above.iter().any(|above| (above.st_dev, above.st_ino) == (own.st_dev, own.st_ino)) => Some(Refusal::Link),
            () if self.above.len() > DEPTH => Some(Refusal::TooDeep),
            () => None,
        };
        if let Some(why) = refusal {
            self.files.insert(prefix.trim_end_matches('/').to_owned(), Reading::Refused(why));
            return Ok(());
        }
        self.above.push(own);
        self.entries(dir, prefix)?;
        self.above.pop();
        Ok(())
    }

    fn entries(&mut self, dir: &OwnedFd, prefix: &str) -> Result<(), Refusal> {
        for name in fs::some_names(dir, Path::new(prefix), FILES + 1).map_err(|_| Refusal::Unreadable)? {
            self.count += 1;
            if self.count > FILES {
                return Err(Refusal::TooMany);
            }
            let Some(text) = name.to_str() else {
                let shown = format!("{prefix}{}", name.to_string_lossy());
                self.files.insert(shown, Reading::Refused(Refusal::NotUtf8Name));
                continue;
            };
            // A repository's own data is no instruction to anybody.
            if text == ".git" || text.starts_with(fs::TEMPORARY) || self.skip.iter().any(|skip| is_skipped(text, skip)) {
                continue;
            }
            match fs::child(dir, &name, self.trust) {
                Child::Absent => {}
                Child::Directory(inner) => {
                    self.directory(&inner, &format!("{prefix}{text}/"))?;
                }
                Child::Other => self.file(dir, &name, format!("{prefix}{text}"))?,
            }
        }
        Ok(())
    }

    fn file(&mut self, dir: &OwnedFd, name: &std::ffi::OsStr, path: String) -> Result<(), Refusal> {
        let reading = read::read(dir, name, SETTINGS, self.trust).unwrap_or(Reading::Refused(Refusal::Unreadable));
        if let Reading::File { bytes, .. } = &reading {
            self.size += bytes.len() as u64;
        }
        if self.deadline.is_over() {
            return Err(Refusal::Moving);
        }
        if self.size > TREE {
            return Err(Refusal::TooBig);
        }
        if reading != Reading::Absent {
            self.files.insert(path, reading);
        }
        Ok(())
    }
}
