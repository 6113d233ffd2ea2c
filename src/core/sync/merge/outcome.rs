//! What becomes of a document by edits, without writing it.

use crate::core::sync::merge::table::Finder;
use crate::core::sync::merge::{Edit, Edits, Table, Tree, table};

/// What ours becomes by edits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EditOutcome {
    /// Keys that come and go, in all tables together.
    pub added: usize,
    pub removed: usize,
    /// Whether it is something else than theirs then.
    pub differs: bool,
    /// Whether lists were united, of which that is not known.
    pub is_united: bool,
}

/// Returns what ours becomes by edits that [`crate::core::sync::merge::merge`] made of these two.
pub fn outcome(ours: &Table, theirs: &Table, edits: &Edits) -> EditOutcome {
    let mut outcome = EditOutcome::default();
    outcome.table(Some(ours), Some(theirs), edits);
    outcome
}

impl EditOutcome {
    fn table(&mut self, ours: Option<&Table>, theirs: Option<&Table>, edits: &Edits) {
        let (mut of_ours, mut edits) = (Finder::new(ours), edits.iter().peekable());
        let mut own = ours.map_or(0, |ours| ours.items.len());
        for (name, tree) in theirs.into_iter().flat_map(|theirs| &theirs.items) {
            let found = of_ours.find(name);
            own -= usize::from(found.is_some());
            match edits.next_if(|(edited, _)| edited == name) {
                Some((_, edit)) => self.edit(found, Some(tree), edit),
                None => self.differs = self.differs || found != Some(tree),
            }
        }
        // Behind them are the edits of what theirs has not.
        for (name, edit) in edits {
            let found = of_ours.find(name);
            own -= usize::from(found.is_some() && *edit == Edit::Remove);
            self.edit(found, None, edit);
        }
        self.differs |= own > 0;
    }

    fn edit(&mut self, ours: Option<&Tree>, theirs: Option<&Tree>, edit: &Edit) {
        match edit {
            Edit::Take | Edit::Remove => {
                self.removed += ours.map_or(0, Tree::keys);
                self.added += theirs.map_or(0, Tree::keys);
            }
            Edit::Within(edits) => {
                if table(ours).is_none() {
                    self.removed += ours.map_or(0, Tree::keys);
                    self.added += 1;
                }
                self.differs |= table(theirs).is_none();
                self.table(table(ours), table(theirs), edits);
            }
            Edit::Unite(_) => self.is_united = true,
        }
    }
}
