//! Rc files: the user's own, often links, sometimes managed by something else.

use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::host::fs::files;
use crate::host::fs::look::Look;
use crate::host::fs::own;

/// An rc file as it is now.
#[derive(Debug)]
pub struct Rc {
    /// Where people know it.
    pub path: PathBuf,
    /// The file itself, behind all links.
    pub target: PathBuf,
    /// `None` if there is none.
    pub content: Option<Vec<u8>>,
    /// Why it must not be written.
    pub managed: Option<String>,
}

pub fn read(path: &Path) -> io::Result<Rc> {
    let link = path.link_target().ok();
    let target = match (path.resolved(), &link) {
        (Ok(target), _) => target,
        // A link to a file that is not there yet.
        (Err(_), Some(link)) => path.parent().map_or_else(|| link.clone(), |parent| parent.join(link)),
        (Err(_), None) => path.to_owned(),
    };
    let content = match own::read(&target) {
        Ok(content) => Some(content),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    let managed = managed(&target, link.is_some(), content.is_some());
    Ok(Rc { path: path.to_owned(), target, content, managed })
}

/// Returns the same path from wherever one stands.
pub fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// Returns where a path leads; `None` if nothing is there.
pub fn target(path: &Path) -> Option<PathBuf> {
    path.resolved().ok()
}

/// Returns the files in `directory` with this extension, in the order of their names.
pub fn files_in(directory: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = own::entries(directory).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> =
        entries.filter(|path| path.leads_to_file() && path.extension().is_some_and(|found| found == extension)).collect();
    files.sort_unstable();
    files
}

fn managed(target: &Path, is_link: bool, exists: bool) -> Option<String> {
    if target.starts_with("/nix/store") {
        return Some("it is a link into /nix/store, so Nix or home-manager writes it".into());
    }
    if !exists && is_link {
        return Some(format!("it is a link to `{}`, which is not there", target.display()));
    }
    let metadata = target.look().ok()?;
    let read_only = metadata.permissions().mode() & 0o200 == 0;
    let foreign = metadata.uid() != rustix::process::getuid().as_raw();
    (read_only || foreign).then(|| if read_only { "it is read-only".into() } else { "it belongs to another user".into() })
}

/// Replaces the content and keeps link and mode; `None` removes the file.
pub fn write(rc: &Rc, content: Option<&[u8]>) -> io::Result<()> {
    let Some(content) = content else { return own::remove(&rc.target) };
    if let Some(parent) = rc.target.parent() {
        files::public_dir(parent)?;
    }
    let mode = rc.target.look().map_or(0o644, |metadata| metadata.permissions().mode() & 0o7777);
    // A file with two names stays one file: a new one in its place would leave the other name behind. It has been backed up.
    if rc.target.look().is_ok_and(|metadata| metadata.nlink() > 1) {
        return own::overwrite(&rc.target, content);
    }
    files::write(&rc.target, content, mode)
}

/// Keeps a copy in `directory`, unless the newest there is the same. Returns its path.
pub fn back_up(rc: &Rc, directory: &Path) -> io::Result<Option<PathBuf>> {
    let Some(content) = &rc.content else { return Ok(None) };
    files::private_dir(directory)?;
    let name = rc.path.file_name().unwrap_or_default().to_string_lossy().trim_start_matches('.').to_owned();
    let numbered = |number: u32| directory.join(format!("{name}.{number}"));
    let next = (1..).find(|number| !numbered(*number).is_there()).unwrap_or(1);
    if next > 1 && own::read(numbered(next - 1)).is_ok_and(|newest| newest == *content) {
        return Ok(Some(numbered(next - 1)));
    }
    files::write_private(&numbered(next), content)?;
    Ok(Some(numbered(next)))
}
