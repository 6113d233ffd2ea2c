//! State that stands in for the store where that cannot be written. It is gone with its session.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use crate::core::lease::SessionId;
use crate::core::store::Store;
use crate::host::fs::files::private_dir;
use crate::host::fs::own;
use crate::host::{Host, is_own_dir, uid};

impl Host {
    /// Returns where this session's state is: the temporary directory that `sync in` made for it, else the store.
    pub fn state_of(&self, session: &SessionId) -> Store {
        let temporary = self.temporary_state(session);
        if is_own_dir(&self.temporary_root()) && is_own_dir(temporary.root()) { temporary } else { self.store.clone() }
    }

    /// Stands in for the store where that cannot be written.
    pub fn temporary_state(&self, session: &SessionId) -> Store {
        Store::new(self.temporary_root().join(session.to_string()))
    }

    /// Returns the directory of temporary states, one name whatever else is in the directory around it: every run looks into it.
    fn temporary_root(&self) -> PathBuf {
        self.temporary_base().join(format!("ai-{}", uid()))
    }

    /// Has temporary state made.
    ///
    /// # Errors
    /// Also where somebody else has the name of the directory that it would be in.
    pub fn in_temporary_root<T>(&self, make: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let root = self.temporary_root();
        let own = || if is_own_dir(&root) { Ok(()) } else { Err(io::Error::new(io::ErrorKind::PermissionDenied, "it is somebody else's")) };
        private_dir(&root)?;
        own()?;
        let made = make()?;
        // A session that ended meanwhile may have removed it, and somebody else may have been faster to make it again.
        own()?;
        Ok(made)
    }

    /// Returns the temporary states of this user, each with the session that made it. A name that somebody else took is none.
    pub fn temporary_states(&self) -> Vec<(PathBuf, SessionId)> {
        let root = self.temporary_root();
        if !is_own_dir(&root) {
            return Vec::new();
        }
        let session = |name: &OsStr| name.to_str()?.parse().ok();
        states(&root, session)
    }

    /// Returns those that an older program left, which gave each a name beside those of everybody else.
    pub fn former_temporary_states(&self) -> Vec<(PathBuf, SessionId)> {
        let prefix = format!("ai-{}-", uid());
        states(&self.temporary_base(), |name| name.to_str()?.strip_prefix(&prefix)?.parse().ok())
    }
}

fn states(directory: &Path, session: impl Fn(&OsStr) -> Option<SessionId>) -> Vec<(PathBuf, SessionId)> {
    let entries = own::entries(directory).into_iter().flatten().flatten();
    let named = entries.filter_map(|entry| Some((entry.path(), session(&entry.file_name())?)));
    named.filter(|(path, _)| is_own_dir(path)).collect()
}
