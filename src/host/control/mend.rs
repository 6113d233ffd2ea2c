//! What was judged, done: one path at a time, with what came of it.

use crate::core::control::record::Handled;
use crate::core::control::{ControlPath, Trace, Watched};
use crate::host::control::act::{self, Wish};
use crate::host::control::compare::{kept_content, wish};
use crate::host::control::shelf::ControlShelf;
use crate::host::control::{ControlScope, ground_of};

/// Makes a path as it was before.
pub fn put_back(
    shelf: &ControlShelf,
    scope: &ControlScope,
    path: &ControlPath,
    before: Option<&Watched>,
    after: Option<&Watched>,
) -> Handled {
    let bytes = before.and_then(|watched| kept_content(shelf, &watched.trace));
    let made = match wish(before, bytes.as_deref()) {
        Some(wish) => make(shelf, scope, path, after.map(|watched| &watched.trace), wish),
        // What it was cannot be made again; what it is does not stay.
        None => make(shelf, scope, path, after.map(|watched| &watched.trace), Wish::Nothing),
    };
    match (made, before, wish(before, bytes.as_deref())) {
        (true, None, _) => Handled::SetAside,
        // A directory that is gone cannot be made again; what came in its place runs no more.
        (true, Some(Watched { trace: Trace::Directory, .. }), _) => Handled::SetAside,
        (false, ..) | (true, _, None) => Handled::Failed,
        (true, Some(_), _) => Handled::PutBack,
    }
}

/// Writes settings without those that run something.
pub fn rewrite(shelf: &ControlShelf, scope: &ControlScope, path: &ControlPath, after: Option<&Watched>, bytes: &[u8]) -> Handled {
    let wish = Wish::File { bytes, executable: false };
    if make(shelf, scope, path, after.map(|watched| &watched.trace), wish) { Handled::Rewritten } else { Handled::Failed }
}

fn make(shelf: &ControlShelf, scope: &ControlScope, path: &ControlPath, now: Option<&Trace>, wish: Wish) -> bool {
    ground_of(&scope.anchors, path).is_some_and(|ground| act::make(&ground, path, now, wish, shelf).is_ok())
}
