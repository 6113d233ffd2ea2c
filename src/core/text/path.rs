//! Paths by their words alone: no file system is asked.

use std::path::{Component, Path, PathBuf};

/// Returns a path without `.` and `..`. Links are not looked at, so `a/link/..` is `a`.
pub fn without_dots(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(plain.pop()),
            part => plain.push(part),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_are_taken_out_and_nothing_leads_above_the_root() {
        let check = |path: &str, expected: &str| assert_eq!(without_dots(Path::new(path)), Path::new(expected), "{path}");
        check("/a/./b/../c", "/a/c");
        check("/../../etc", "/etc");
        check("/a/..", "/");
        check("./a//b/", "a/b");
        check("a/../..", "");
        check("/a/...", "/a/...");
    }
}
