//! Mounts, and the one spelling that survives every path: `--mount` with each field quoted as CSV.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use crate::core::container::ContainerPath;
use crate::core::store::seen::Fixed;
use crate::core::workspace::Judged;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    ReadWrite,
    ReadOnly,
}

/// What may be mounted. There is no way from a plain path to a source: a container or a repository could have named it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MountSource {
    Fixed(Fixed),
    /// The project, and what of its repository lies elsewhere. A container may have a part of it, and can rename what is in there.
    Workspace(Judged),
}

impl MountSource {
    pub fn path(&self) -> &Path {
        match self {
            Self::Fixed(fixed) => fixed.as_path(),
            Self::Workspace(judged) => &judged.path,
        }
    }
}

impl From<Fixed> for MountSource {
    fn from(fixed: Fixed) -> Self {
        Self::Fixed(fixed)
    }
}

impl From<&Judged> for MountSource {
    fn from(judged: &Judged) -> Self {
        Self::Workspace(judged.clone())
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    pub source: MountSource,
    pub target: ContainerPath,
    pub access: Access,
}

impl Mount {
    pub fn bind(source: impl Into<MountSource>, target: ContainerPath, access: Access) -> Self {
        Self { source: source.into(), target, access }
    }

    /// Returns the value of `--mount`: fields of a CSV record, so that commas, quotes and newlines in paths stay what they are.
    pub fn value(&self) -> OsString {
        let mut value = b"type=bind,".to_vec();
        field("source=", self.source.path().as_os_str(), &mut value);
        value.push(b',');
        field("target=", self.target.as_os_str(), &mut value);
        if self.access == Access::ReadOnly {
            value.extend_from_slice(b",readonly");
        }
        OsString::from_vec(value)
    }
}

/// Appends one CSV field: quoted where a reader would otherwise split it or trim it, inner quotes doubled.
fn field(key: &str, path: &OsStr, value: &mut Vec<u8>) {
    let path = path.as_bytes();
    let edge = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_whitespace);
    let special = path.iter().any(|byte| matches!(byte, b',' | b'"' | b'\r' | b'\n'));
    if !special && !edge(path.last()) {
        value.extend_from_slice(key.as_bytes());
        value.extend_from_slice(path);
        return;
    }
    value.push(b'"');
    value.extend_from_slice(key.as_bytes());
    for &byte in path {
        if byte == b'"' {
            value.push(b'"');
        }
        value.push(byte);
    }
    value.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(source: &str, expected: &str) {
        let mount = Mount::bind(Fixed::of_person(source), ContainerPath::new("/w"), Access::ReadWrite);
        assert_eq!(mount.value().to_str().unwrap(), expected);
    }

    #[test]
    fn plain_paths_stay_plain() {
        check("/a b:c$d\\e", "type=bind,source=/a b:c$d\\e,target=/w");
    }

    #[test]
    fn what_csv_would_split_is_quoted() {
        check("/a,b", "type=bind,\"source=/a,b\",target=/w");
        check("/a\"b", "type=bind,\"source=/a\"\"b\",target=/w");
        check("/a\nb", "type=bind,\"source=/a\nb\",target=/w");
        check("/a ", "type=bind,\"source=/a \",target=/w");
    }

    #[test]
    fn read_only_is_said_last() {
        let mount = Mount::bind(Fixed::of_person("/a"), ContainerPath::new("/b,c"), Access::ReadOnly);
        assert_eq!(mount.value(), "type=bind,source=/a,\"target=/b,c\",readonly");
    }
}
