//! Where the store keeps what is known of containers that wait for a run.

use std::path::PathBuf;

use crate::core::lease::SessionId;
use crate::core::store::Store;

impl Store {
    /// Returns the directory of all that wait.
    pub fn spares(&self) -> PathBuf {
        self.root().join("spare")
    }

    /// Returns the directory of one, by the session that it will be.
    pub fn spare(&self, session: &SessionId) -> PathBuf {
        self.spares().join(session.as_str())
    }

    /// Returns its gate: the one directory there that it sees.
    pub fn gate(&self, session: &SessionId) -> PathBuf {
        self.spare(session).join("gate")
    }
}
