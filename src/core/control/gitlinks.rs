//! Git's index → the paths at which it has another repository. `git status` goes into each of them, wherever it is.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

/// What an index says of other repositories.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GitLinks {
    pub paths: Vec<PathBuf>,
    /// The name of the file that has most of the entries, where this one has the rest.
    pub shared: Option<String>,
}

/// Why an index says nothing to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoIndex;

/// The part of a mode that says what an entry is, and another repository's.
const KIND: u32 = 0o170_000;
const LINK: u32 = 0o160_000;

/// Reads an index of version 2, 3 or 4 whose hashes have so many bytes (git's `Documentation/gitformat-index.txt`).
///
/// # Errors
/// Where it is no index, or has an entry that cannot be told without another file.
pub fn gitlinks(bytes: &[u8], hash: usize) -> Result<GitLinks, NoIndex> {
    let mut rest = bytes.strip_prefix(b"DIRC").ok_or(NoIndex)?;
    let version = number(&mut rest)?;
    let count = number(&mut rest)?;
    let mut links = GitLinks::default();
    let mut name = Vec::new();
    let mut has_unnamed = false;
    for _ in 0..count {
        let is_link = entry(&mut rest, version, hash, &mut name)?;
        has_unnamed |= is_link && name.is_empty();
        let path = Path::new(OsStr::from_bytes(&name));
        // Git takes no other ones out of an index.
        if is_link && !name.is_empty() && path.components().all(|part| matches!(part, Component::Normal(_))) {
            links.paths.push(path.to_owned());
        }
    }
    links.shared = shared(rest, hash)?;
    // It is an entry of the shared file's, of another kind than there.
    if has_unnamed { Err(NoIndex) } else { Ok(links) }
}

/// Reads one entry, and makes `name` its name.
fn entry(rest: &mut &[u8], version: u32, hash: usize, name: &mut Vec<u8>) -> Result<bool, NoIndex> {
    let begin = *rest;
    take(rest, 24)?;
    let mode = number(rest)?;
    take(rest, 12 + hash)?;
    let [high, low] = take(rest, 2)? else { return Err(NoIndex) };
    let flags = u16::from_be_bytes([*high, *low]);
    if flags & 0x4000 != 0 {
        take(rest, 2)?;
    }
    if version == 4 {
        // As many bytes of the name before go, and others come.
        let gone = offset(rest)?;
        name.truncate(name.len().checked_sub(gone).ok_or(NoIndex)?);
        name.extend_from_slice(to_zero(rest)?);
        take(rest, 1)?;
    } else {
        let length = match usize::from(flags & 0xfff) {
            0xfff => to_zero(&mut &**rest)?.len(),
            length => length,
        };
        name.clear();
        name.extend_from_slice(take(rest, length)?);
        // One to eight zeros follow, so that its length is a multiple of eight.
        let used = begin.len() - rest.len();
        take(rest, 8 - used % 8)?;
    }
    Ok(mode & KIND == LINK)
}

/// Returns the name that the extension of a split index gives. The hash of the file is its end.
fn shared(mut rest: &[u8], hash: usize) -> Result<Option<String>, NoIndex> {
    while rest.len() > hash {
        let signature = take(&mut rest, 4)?;
        let length = usize::try_from(number(&mut rest)?).map_err(|_| NoIndex)?;
        let content = take(&mut rest, length)?;
        if signature == b"link" {
            let name = content.get(..hash).ok_or(NoIndex)?;
            let is_none = name.iter().all(|byte| *byte == 0);
            return Ok((!is_none).then(|| name.iter().map(|byte| format!("{byte:02x}")).collect()));
        }
    }
    Ok(None)
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Result<&'a [u8], NoIndex> {
    let (taken, left) = rest.split_at_checked(length).ok_or(NoIndex)?;
    *rest = left;
    Ok(taken)
}

fn number(rest: &mut &[u8]) -> Result<u32, NoIndex> {
    take(rest, 4)?.try_into().map(u32::from_be_bytes).map_err(|_| NoIndex)
}

/// Takes what is before the next zero.
fn to_zero<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], NoIndex> {
    let length = rest.iter().position(|byte| *byte == 0).ok_or(NoIndex)?;
    take(rest, length)
}

/// Takes a number as git writes offsets: seven bits a byte, the highest first, one more for each byte that follows.
fn offset(rest: &mut &[u8]) -> Result<usize, NoIndex> {
    let mut value = 0_usize;
    loop {
        let [byte] = take(rest, 1)? else { return Err(NoIndex) };
        value = value.checked_shl(7).and_then(|value| value.checked_add(usize::from(byte & 0x7f))).ok_or(NoIndex)?;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
        value = value.checked_add(1).filter(|value| *value < 1 << 40).ok_or(NoIndex)?;
    }
}
