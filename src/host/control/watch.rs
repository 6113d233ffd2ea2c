//! Watches the places of control files while a run lasts, and has what the host would run put back at once (inotify(7)).

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::io;
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::{AsRawFd, OwnedFd};
use rustix::fs::inotify::{self, CreateFlags, ReadFlags, WatchFlags};
use rustix::io::{Errno, retry_on_intr};

use crate::core::control::ControlPath;
use crate::core::control::kinds::Tier;
use crate::core::control::places::{ControlPlaces, PlaceNames};
use crate::core::control::record::ControlRecord;
use crate::core::guard::order::WatchOrder;
use crate::core::lease::SessionId;
use crate::core::store::Store;
use crate::host::control::act::ASIDE;
use crate::host::control::during::{Glance, Glimpse, during};
use crate::host::control::ground_of;
use crate::host::control::held::HeldFiles;
use crate::host::control::shelf::ControlShelf;
use crate::host::fs::TEMPORARY;
use crate::host::machine::clock;

/// Directories that are watched at most, and new ones of the work tree among them.
const MOST: usize = 4096;
const MOST_NEW: usize = 256;
/// Between two comparisons: what changes all the time costs a part of one processor.
const PACE: Duration = Duration::from_millis(20);
/// Within this time git has finished what it writes in several steps, and an editor a file.
const SETTLED: Duration = Duration::from_millis(60);

const EVENTS: WatchFlags = WatchFlags::CREATE
    .union(WatchFlags::MOVED_TO)
    .union(WatchFlags::MOVED_FROM)
    .union(WatchFlags::CLOSE_WRITE)
    .union(WatchFlags::MODIFY)
    .union(WatchFlags::ATTRIB)
    .union(WatchFlags::DELETE)
    .union(WatchFlags::ONLYDIR);

/// Whose control files are watched, and where they are kept.
#[derive(Debug)]
pub struct Watching {
    store: Store,
    session: SessionId,
    order: WatchOrder,
    /// Locked by whoever compares.
    held: Mutex<HeldFiles>,
}

/// What is heard of a watch while it lasts.
pub enum WatchWord {
    /// So many files were put back.
    PutBack(u64),
    /// Some places are not watched, for this reason.
    Blind(String),
}

/// Watches until there is nothing to compare with any longer. `note` hears of it.
///
/// # Errors
/// Where this machine cannot watch, or what is kept of the project cannot be changed. What is left is compared at the end.
pub fn watch(watching: &Watching, note: impl Fn(WatchWord)) -> io::Result<()> {
    let mut eyes = Eyes::open().map_err(worded)?;
    let mut glance = Glance::First;
    loop {
        let mut held = watching.held.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(seen) = during(&watching.shelf()?, &watching.session, &watching.order.tool, glance, &mut held)? else { return Ok(()) };
        if !seen.changes.is_empty() {
            note(WatchWord::PutBack(seen.changes.len() as u64));
        }
        drop(held);
        let has_news = eyes.look_at(&seen)? || seen.snapshot.is_none();
        if let Some(error) = eyes.lack.take() {
            note(WatchWord::Blind(worded(error).to_string()));
        }
        clock::pause(if seen.is_unsure { SETTLED } else { PACE });
        glance = if seen.is_unsure { Glance::Second } else { Glance::First };
        if !has_news && !seen.is_unsure {
            eyes.wait()?;
        }
    }
}

/// Returns an error that names the limit of the machine that was reached (inotify_init(2), inotify_add_watch(2)).
fn worded(errno: Errno) -> io::Error {
    match errno {
        Errno::MFILE => io::Error::other("fs.inotify.max_user_instances is used up"),
        Errno::NOSPC => io::Error::other("fs.inotify.max_user_watches is used up"),
        Errno::OVERFLOW => io::Error::other("the project has more directories of git's than are watched"),
        other => other.into(),
    }
}

impl Watching {
    pub fn new(store: Store, session: SessionId, order: WatchOrder) -> Self {
        Self { store, session, order, held: Mutex::default() }
    }

    fn shelf(&self) -> io::Result<ControlShelf> {
        ControlShelf::open(&self.store, &self.order.project).map_err(io::Error::other)
    }

    /// Ends the watch: nothing is put back any more. What was still being written when it was put back is read for the last time.
    ///
    /// # Errors
    /// Where what is kept of the project cannot be changed; it stays as it was read before.
    pub fn finish(&self) -> io::Result<()> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let finished = if held.is_empty() { Ok(()) } else { held.finish(&self.shelf()?, &self.session) };
        std::mem::forget(held);
        finished
    }
}

/// What is watched.
struct Eyes {
    inotify: OwnedFd,
    places: BTreeMap<i32, (ControlPath, PlaceNames)>,
    /// Directories of the work tree in which a new one is looked into.
    trees: BTreeSet<ControlPath>,
    /// Such new ones.
    new: BTreeSet<ControlPath>,
    /// Why not everything is watched that should be.
    lack: Option<Errno>,
}

impl Eyes {
    fn open() -> Result<Self, Errno> {
        let inotify = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        Ok(Self { inotify, places: BTreeMap::new(), trees: BTreeSet::new(), new: BTreeSet::new(), lack: None })
    }

    /// Watches what there is now, and returns whether any of it was not watched before: it may have changed meanwhile.
    fn look_at(&mut self, seen: &Glimpse) -> io::Result<bool> {
        let Glimpse { record, snapshot: Some(snapshot), .. } = seen else { return Ok(false) };
        let anchors = (0_u8..).zip(&record.anchors).map(|(anchor, _)| ControlPath::new(anchor, ""));
        let trees = anchors.filter(|anchor| !record.git_directories.contains(anchor));
        self.trees = trees.chain(record.seeds.iter().cloned()).collect();
        let mut places =
            ControlPlaces::new(self.trees.iter().chain(&self.new), &snapshot.git_directories, &snapshot.watched, record.with_direnv);
        for directory in &record.programs {
            places.programs(directory);
        }
        let named = snapshot.named.iter().filter(|(_, tag)| tag.tier == Tier::Runs).map(|(path, _)| path);
        let once = record.watched.iter().filter(|(_, watched)| watched.tier == Tier::Runs).map(|(path, _)| path);
        for path in named.chain(once) {
            if let Some(parent) = path.below.parent() {
                let at = places.0.entry(ControlPath::new(path.anchor, parent)).or_insert_with(|| PlaceNames::Some(BTreeSet::new()));
                if let (PlaceNames::Some(names), Some(name)) = (at, path.below.file_name()) {
                    names.insert(name.to_owned());
                }
            }
        }
        let mut now = BTreeMap::new();
        let mut places: Vec<_> = places.0.into_iter().collect();
        if places.len() > MOST {
            // A name that sorts first takes no place from what is above it.
            places.sort_by_key(|(path, _)| path.below.components().count());
            self.lack = Some(Errno::OVERFLOW);
        }
        for (path, names) in places.into_iter().take(MOST) {
            if let Some(watch) = self.add(record, &path)? {
                now.insert(watch, (path, names));
            }
        }
        let has_news = now.keys().any(|watch| !self.places.contains_key(watch));
        for gone in self.places.keys().filter(|watch| !now.contains_key(watch)) {
            // It may have gone by itself, with its directory.
            let _ = inotify::remove_watch(&self.inotify, *gone);
        }
        self.places = now;
        Ok(has_news)
    }

    /// Watches one directory, by its descriptor; `None` where there is none.
    fn add(&mut self, record: &ControlRecord, path: &ControlPath) -> io::Result<Option<i32>> {
        let anchors: Vec<_> = record.anchors.iter().map(|anchor| anchor.path.clone()).collect();
        let Some(dir) = ground_of(&anchors, path).and_then(|ground| ground.enter(&path.below)) else { return Ok(None) };
        match inotify::add_watch(&self.inotify, format!("/proc/self/fd/{}", dir.as_raw_fd()), EVENTS) {
            Ok(watch) => Ok(Some(watch)),
            Err(Errno::NOTDIR | Errno::NOENT | Errno::ACCESS) => Ok(None),
            // Whoever uses up the watches of this person, as a container may, blinds no eye that is open already.
            Err(Errno::NOSPC) => {
                self.lack = Some(Errno::NOSPC);
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Waits until something happens that counts. What is still being written gets the time to come to an end.
    fn wait(&mut self) -> io::Result<()> {
        let mut patience = None;
        loop {
            let time = patience.map(|time: Duration| Timespec::try_from(time)).transpose().map_err(io::Error::other)?;
            let mut ready = [PollFd::new(&self.inotify, PollFlags::IN)];
            if retry_on_intr(|| poll(&mut ready, time.as_ref()))? == 0 {
                return Ok(());
            }
            match self.read()? {
                PlaceNews::None => {}
                PlaceNews::Begun => patience = Some(SETTLED),
                PlaceNews::Done => return Ok(()),
            }
        }
    }

    /// Reads what happened.
    fn read(&mut self) -> io::Result<PlaceNews> {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut news = PlaceNews::None;
        let mut new = Vec::new();
        let mut reader = inotify::Reader::new(&self.inotify, &mut buffer);
        loop {
            let event = match reader.next() {
                Ok(event) => event,
                Err(Errno::AGAIN) => break,
                Err(Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            };
            let flags = event.events();
            // Too much at once to be told, or a directory that is no more.
            if flags.intersects(ReadFlags::QUEUE_OVERFLOW | ReadFlags::IGNORED) {
                news = news.max(PlaceNews::Done);
                continue;
            }
            let Some((place, names)) = self.places.get(&event.wd()) else { continue };
            let name: OsString = event.file_name().map(|name| OsStr::from_bytes(name.to_bytes()).to_owned()).unwrap_or_default();
            let is_new_tree = flags.contains(ReadFlags::ISDIR) && flags.intersects(ReadFlags::CREATE | ReadFlags::MOVED_TO);
            if is_new_tree && (self.trees.contains(place) || self.new.contains(place)) && Path::new(&name) != Path::new(".git") {
                new.push(place.join(&name));
                news = news.max(PlaceNews::Begun);
            }
            if names.has(&name) {
                news = news.max(if flags == ReadFlags::MODIFY { PlaceNews::Begun } else { PlaceNews::Done });
            }
            // Of what was taken away: its writer is done.
            let is_taken = [ASIDE, TEMPORARY].iter().any(|prefix| name.as_bytes().starts_with(prefix.as_bytes()));
            if is_taken && flags.contains(ReadFlags::CLOSE_WRITE) {
                news = news.max(PlaceNews::Done);
            }
        }
        let room = MOST_NEW.saturating_sub(self.new.len());
        self.new.extend(new.into_iter().take(room));
        Ok(news)
    }
}

/// What happened meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum PlaceNews {
    None,
    /// Something is being written.
    Begun,
    Done,
}
