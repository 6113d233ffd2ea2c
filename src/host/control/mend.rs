//! What was judged, done: one path at a time, with what came of it.

use std::io;

use rustix::fd::OwnedFd;

use crate::core::control::record::Handled;
use crate::core::control::{ControlPath, Trace, Watched};
use crate::host::control::act::{self, Wish};
use crate::host::control::compare::{kept_content, wish};
use crate::host::control::shelf::ControlShelf;
use crate::host::control::{ControlScope, ground_of};

/// Makes a path as it was before; `None` where it has changed since it was looked at.
pub fn put_back(
    shelf: &ControlShelf,
    scope: &ControlScope,
    path: &ControlPath,
    before: Option<&Watched>,
    after: Option<&Watched>,
) -> Option<(Handled, Option<OwnedFd>)> {
    let bytes = before.and_then(|watched| kept_content(shelf, &watched.trace));
    let wanted = wish(before, bytes.as_deref());
    // Where it cannot be made again as it was, what it is does not stay.
    let (made, taken) = make(shelf, scope, path, after, wanted.unwrap_or(Wish::Nothing))?;
    let handled = match (made, before) {
        (true, None) => Handled::SetAside,
        // A directory that is gone cannot be made again; what came in its place runs no more.
        (true, Some(Watched { trace: Trace::Directory, .. })) => Handled::SetAside,
        (true, Some(_)) if wanted.is_some() => Handled::PutBack,
        _ => Handled::Failed,
    };
    Some((handled, taken))
}

/// Writes settings without those that run something; `None` where they have changed since they were looked at.
pub fn rewrite(
    shelf: &ControlShelf,
    scope: &ControlScope,
    path: &ControlPath,
    after: Option<&Watched>,
    bytes: &[u8],
) -> Option<(Handled, Option<OwnedFd>)> {
    let (is_made, taken) = make(shelf, scope, path, after, Wish::File { bytes, executable: false })?;
    Some((if is_made { Handled::Rewritten } else { Handled::Failed }, taken))
}

/// Returns whether it could be done, and what was taken away; `None` where something else stands there than what was looked at.
fn make(
    shelf: &ControlShelf,
    scope: &ControlScope,
    path: &ControlPath,
    now: Option<&Watched>,
    wish: Wish,
) -> Option<(bool, Option<OwnedFd>)> {
    let Some(ground) = ground_of(&scope.anchors, path) else { return Some((false, None)) };
    match act::make(&ground, path, now.map(|watched| &watched.trace), wish, shelf) {
        Ok(taken) => Some((true, taken)),
        Err(error) if error.kind() == io::ErrorKind::ResourceBusy => None,
        Err(_) => Some((false, None)),
    }
}
