//! What a word of a command line names: a program, or a path.

use std::path::{Path, PathBuf};

use crate::core::guard::inside::loader_at;

/// Words that a shell knows by itself.
const OF_SHELL: [&str; 46] = [
    "[", "[[", "]]", "test", "echo", "printf", "true", "false", "cd", "exit", "if", "fi", "for", "while", "case", "done", "}", ":", ".",
    "source", "export", "read", "local", "return", "set", "unset", "shift", "trap", "wait", "type", "ulimit", "umask", "alias", "break",
    "continue", "declare", "typeset", "readonly", "let", "pushd", "popd", "hash", "getopts", "kill", "mapfile", "function",
];

/// Returns whether a shell knows this word without a program.
pub fn is_of_shell(word: &str) -> bool {
    word.is_empty() || OF_SHELL.contains(&word)
}

/// Returns the path that a word is: absolute, or below the home as a shell would spell that. Other variables are not known.
pub fn path(word: &str, home: Option<&Path>) -> Option<PathBuf> {
    let below = ["~/", "$HOME/", "${HOME}/"].iter().find_map(|start| word.strip_prefix(start));
    match below {
        Some(below) => Some(home?.join(below)).filter(|_| !below.contains('$')),
        None => Some(PathBuf::from(word)).filter(|path| path.is_absolute() && path.components().count() > 1 && !word.contains('$')),
    }
}

/// The processors, as elf(5) numbers them, whose programs run in a container of this machine; none where that is not known: on a Mac
/// its programs are no ELF, and the engine may be told to play another processor.
const PROCESSORS: &[u16] = match () {
    () if cfg!(all(target_os = "linux", target_arch = "x86_64")) => &[62, 3],
    () if cfg!(all(target_os = "linux", target_arch = "aarch64")) => &[183, 40],
    () => &[],
};

/// Returns whether a program is one of macOS or Windows, or of another processor, which no container runs.
pub fn is_foreign(head: &[u8]) -> bool {
    if let [0x7f, b'E', b'L', b'F', _, order, ..] = head {
        let Some(&[one, other]) = head.get(18..20) else { return false };
        let number = if *order == 2 { [other, one] } else { [one, other] };
        return !PROCESSORS.is_empty() && !PROCESSORS.contains(&u16::from_le_bytes(number));
    }
    let of_mac = [0xfeed_face_u32, 0xfeed_facf, 0xcefa_edfe, 0xcffa_edfe, 0xcafe_babe, 0xcafe_babf];
    head.first_chunk().is_some_and(|magic| of_mac.contains(&u32::from_be_bytes(*magic))) || head.starts_with(b"MZ")
}

/// Returns the path of what loads an ELF program, as far as these bytes of it have that.
pub fn loader(head: &[u8]) -> Option<&str> {
    let (at, length) = loader_at(head)??;
    std::str::from_utf8(head.get(at..at.checked_add(length)?)?).ok().map(|path| path.trim_end_matches('\0'))
}

/// Returns whether this is where images with glibc have what loads programs of this processor.
pub fn is_of_glibc(loader: &str) -> bool {
    let name = if cfg!(target_arch = "aarch64") { "ld-linux-aarch64.so.1" } else { "ld-linux-x86-64.so.2" };
    let directory = loader.strip_suffix(name).unwrap_or_default();
    ["/lib/", "/lib64/", "/usr/lib/", "/usr/lib64/"].iter().any(|start| directory.starts_with(start))
}

/// Returns what a script says in its first line that it is run by: a path, or the name that `env` looks for.
pub fn interpreter(script: &[u8]) -> Option<String> {
    let line = script.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    let line = std::str::from_utf8(line).ok()?;
    let mut words = line.split_ascii_whitespace();
    let first = words.next()?;
    if first != "env" && !first.ends_with("/env") {
        return Some(first.to_owned());
    }
    words.find(|word| !word.starts_with('-') && !word.contains('=')).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_of_other_systems_are_told_by_their_first_bytes() {
        for (head, expected) in [
            (&[0xcf, 0xfa, 0xed, 0xfe, 7][..], true),
            (&[0xca, 0xfe, 0xba, 0xbe], true),
            (&[0xca, 0xfe, 0xba, 0xbf, 0], true),
            (&[0xfe, 0xed, 0xfa, 0xcf], true),
            (&[0xca, 0xfe, 0xba], false),
            (b"", false),
            (b"MZ\x90", true),
            (b"\x7fELF\x02", false),
            (b"M", false),
        ] {
            assert_eq!(is_foreign(head), expected, "{head:?}");
        }
    }

    #[test]
    fn programs_of_other_processors_are_told_by_the_number_in_their_head() {
        let head = |order: u8, machine: [u8; 2]| [&b"\x7fELF\x02"[..], &[order, 1], &[0; 9], &[2, 0], &machine].concat();
        let own = if cfg!(target_arch = "x86_64") { 62 } else { 183 };
        for (head, expected) in [
            (head(1, [own, 0]), false),
            (head(1, [243, 0]), true),
            (head(1, [245 - own, 0]), true),
            (head(2, [0, 22]), true),
            (head(2, [0, own]), false),
            (head(1, [0, own]), true),
            (head(1, [own, 0])[..19].to_vec(), false),
        ] {
            let is_known = cfg!(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")));
            assert_eq!(is_foreign(&head), expected && is_known, "{head:?}");
        }
    }

    #[test]
    fn what_loads_a_program_is_read_from_its_head() {
        // One row of either width, and the path behind it.
        let program = |class: u8, path: &str| {
            let (width, rows, size) = if class == 2 { (8, 32, 54) } else { (4, 28, 42) };
            let mut head = vec![0; 64 + 56];
            head[..6].copy_from_slice(&[0x7f, b'E', b'L', b'F', class, 1]);
            (head[rows], head[size], head[size + 2], head[64]) = (64, 56, 1, 3);
            (head[64 + width], head[64 + 4 * width]) = (120, u8::try_from(path.len()).unwrap() + 1);
            [&head, path.as_bytes(), b"\0"].concat()
        };
        for class in [1, 2] {
            let head = program(class, "/lib/ld-musl-x86_64.so.1");
            assert_eq!(loader(&head), Some("/lib/ld-musl-x86_64.so.1"));
            assert_eq!(loader(&head[..130]), None, "cut off");
        }
        assert_eq!((loader(b"#!/bin/sh\n"), loader(b"")), (None, None));
        let own = if cfg!(target_arch = "aarch64") { "ld-linux-aarch64.so.1" } else { "ld-linux-x86-64.so.2" };
        for (directory, expected) in [("/lib64", true), ("/lib", true), ("/usr/lib/x86_64-linux-gnu", true), ("/nix/store/x/lib", false)] {
            assert_eq!(is_of_glibc(&format!("{directory}/{own}")), expected, "{directory}");
        }
        assert!(!is_of_glibc("/lib/ld-musl-x86_64.so.1") && !is_of_glibc("/lib/ld-linux.so.2"));
    }

    #[test]
    fn a_path_is_absolute_or_below_the_home() {
        let home = Some(Path::new("/home/u"));
        for (word, expected) in [
            ("/a/b", Some("/a/b")),
            ("~/x", Some("/home/u/x")),
            ("$HOME/x", Some("/home/u/x")),
            ("${HOME}/x y", Some("/home/u/x y")),
            ("$OTHER/x", None),
            ("$HOME/$X", None),
            ("a/b", None),
            ("/", None),
            ("-x", None),
        ] {
            assert_eq!(path(word, home), expected.map(PathBuf::from), "{word}");
        }
    }
}
