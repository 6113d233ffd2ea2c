//! A container that waits, in words: what its run could not change any more, and its gate in place of the command.

use std::ffi::OsString;
use std::path::Path;

use crate::core::container::{AI, ContainerPath, GATE};
use crate::core::plan::mount::{Access, Mount};
use crate::core::plan::{Part, Plan};
use crate::core::render::{program, words};
use crate::core::spare::{LABEL, is_late};
use crate::core::store::Store;
use crate::core::store::seen::{Fixed, Seen};

impl Plan {
    /// Returns the words that make the container `name`, which waits at its gate in `store` for so many seconds. `own` is this program;
    /// `entry` is what the image puts before every command.
    pub fn waiting(&self, name: &str, store: &Store, own: &Path, entry: Vec<OsString>, seconds: u32) -> Vec<OsString> {
        let gate = Mount::bind(store.fixed(Seen::Gate(&self.session)), ContainerPath::new(GATE), Access::ReadOnly);
        let has_own = self.parts.iter().any(|known| matches!(&known.part, Part::Mount(mount) if mount.target.as_path() == Path::new(AI)));
        let own = Mount::bind(Fixed::of_person(own), ContainerPath::new(AI), Access::ReadOnly);
        let more = [
            Part::Name(name.to_owned()),
            Part::Label("ai.session", self.session.to_string()),
            Part::Label(LABEL, "1".into()),
            Part::Program(AI),
            Part::Mount(gate),
        ];
        let parts = self.parts.iter().map(|reasoned| &reasoned.part).filter(|part| !is_late(part)).cloned();
        let parts = parts.chain(more).chain((!has_own).then_some(Part::Mount(own)));
        let mut argv = vec![program(&self.engine), "create".into()];
        argv.extend(parts.flat_map(|part| words(&part, self.engine.kind)));
        argv.extend([self.image_word().into(), "gate".into(), seconds.to_string().into(), "--".into()]);
        argv.extend(entry);
        argv
    }
}
