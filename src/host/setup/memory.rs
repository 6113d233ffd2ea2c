//! What the person has set up for a tool, looked for once: a sync, a plan and what is said before a run all want to know it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::rc::Rc;

use crate::host::setup::SettingsNames;

/// What a tool's own directory on the host names and imports.
#[derive(Debug)]
pub struct OwnSetup {
    pub names: SettingsNames,
    /// What instructions and documents import.
    pub imported: Vec<PathBuf>,
}

/// What is known by now, by the names of the tools.
#[derive(Debug, Default)]
pub struct SetupMemory(RefCell<BTreeMap<String, Rc<OwnSetup>>>);

impl SetupMemory {
    /// Returns what is set up for a tool; looks for it the first time.
    pub fn once(&self, tool: &str, look: impl FnOnce() -> OwnSetup) -> Rc<OwnSetup> {
        if let Some(known) = self.0.borrow().get(tool) {
            return Rc::clone(known);
        }
        let found = Rc::new(look());
        self.0.borrow_mut().insert(tool.to_owned(), Rc::clone(&found));
        found
    }
}
