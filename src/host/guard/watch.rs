//! The helper's part in control files: a thread that watches them, and the record of what it put back.

use std::path::PathBuf;
use std::sync::Arc;

use crate::core::guard::order::WatchOrder;
use crate::host::guard::desk::Desk;

/// Watches the control files of the project of the session whose directory this is, for as long as the helper lives. The value ends the
/// watch once nobody writes in the project any more.
#[cfg(target_os = "linux")]
pub fn start(desk: &Arc<Desk>, (order, directory): (WatchOrder, PathBuf)) -> impl FnOnce() {
    use crate::core::store::Store;
    use crate::host::control::watch::{WatchWord, Watching, watch};

    let session = directory.file_name().and_then(|name| name.to_str()?.parse().ok());
    let root = directory.parent().and_then(std::path::Path::parent);
    let watching = session.zip(root).map(|(session, root)| Arc::new(Watching::new(Store::new(root), session, order)));
    if let Some(watching) = watching.clone() {
        let desk = Arc::clone(desk);
        std::thread::spawn(move || {
            let note = |word| {
                desk.note(|record| match word {
                    WatchWord::PutBack(count) => record.mended += count,
                    WatchWord::Blind(why) => record.unwatched = Some(why),
                });
            };
            // What this machine cannot watch is compared at the end.
            if let Err(error) = watch(&watching, note) {
                note(WatchWord::Blind(error.to_string()));
            }
        });
    }
    move || {
        // What was put back already stays so, and `ai changes` shows it as it was then.
        let _ = watching.map_or(Ok(()), |watching| watching.finish());
    }
}

#[cfg(not(target_os = "linux"))]
pub fn start(_: &Arc<Desk>, _: (WatchOrder, PathBuf)) -> impl FnOnce() {
    || {}
}
