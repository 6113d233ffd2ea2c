//! What git sees in a work tree that is not committed, as a word that can be compared.

use crate::core::failure::Result;
use crate::core::text::digest::sha256;
use crate::host::commit::Repository;
use crate::host::fs::look::Look;
use crate::host::machine::git;

/// What there is to commit.
#[derive(Debug)]
pub struct TreeState {
    /// Another word as soon as there is something else.
    pub word: String,
    pub has_changes: bool,
}

impl Repository<'_> {
    /// Returns what there is to commit, staged or not.
    pub fn tree_state(&self) -> Result<TreeState> {
        let (changed, new) = self.unstaged()?;
        let staged = self.read(&["diff", "--cached", "--raw", "--no-ext-diff", "--ignore-submodules=dirty", "-z"])?;
        let mut words = vec![self.standing().head.unwrap_or_default(), String::from_utf8_lossy(&staged).into_owned()];
        // Git names what has changed from the root of the work tree, and what is new from here.
        let root = git::root(&self.cwd).unwrap_or(&self.cwd);
        let paths = changed.iter().map(|name| root.join(name)).chain(new.iter().map(|name| self.cwd.join(name)));
        for path in paths {
            let stat = path.look_at_link().map_or_else(|_| String::new(), |stat| format!("{} {:?}", stat.len(), stat.modified().ok()));
            words.push(format!("{}\0{stat}", path.display()));
        }
        let has_changes = !(changed.is_empty() && new.is_empty() && staged.is_empty());
        Ok(TreeState { word: sha256(words.join("\0").as_bytes()), has_changes })
    }
}
