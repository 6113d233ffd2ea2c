//! Pictures of the person's clipboard, for a program inside that asks for them as it would ask `xclip` or `wl-paste`.
//!
//! Pictures alone: what else is copied there, passwords among it, is nobody's business, and any process inside may ask at any time.

use std::ffi::{OsStr, OsString};

/// The socket in the directory of sockets at which pictures are asked for.
pub const CLIPBOARD: &str = "clipboard";
/// The program beside that directory which does so, and what it is inside.
pub const PASTE: &str = "paste";
pub const PASTE_PROGRAM: &str = "#!/bin/sh\nexec /ai/ai paste-picture \"$@\"\n";
pub const PASTE_INSIDE: [&str; 2] = ["/usr/local/bin/xclip", "/usr/local/bin/wl-paste"];

/// Largest picture, in bytes.
pub const LARGEST: usize = 20 << 20;
/// Most questions in a second: a program asks twice for a picture.
const MOST: u32 = 4;

/// The one type that is handed over.
pub const PNG: &str = "image/png";
const BEGIN: &[u8] = b"\x89PNG\r\n\x1a\n";

/// What a program wants to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClipboardQuestion {
    /// Whether there is a picture.
    Types,
    Picture,
}

impl ClipboardQuestion {
    /// Returns what the words for `xclip` or `wl-paste` ask for; `None` for whatever is no picture, and for what would be copied.
    pub fn of_words(words: &[OsString]) -> Option<Self> {
        let has = |known: &[&str]| words.iter().any(|word| known.iter().any(|known| word == OsStr::new(known)));
        if has(&["-i", "-in"]) {
            return None;
        }
        if has(&["TARGETS", "-l", "--list-types"]) {
            return Some(Self::Types);
        }
        has(&[PNG, "--type=image/png"]).then_some(Self::Picture)
    }

    /// Returns the line by which the helper is asked.
    pub fn line(self) -> &'static str {
        match self {
            Self::Types => "TYPES",
            Self::Picture => "PICTURE",
        }
    }

    pub fn of_line(line: &[u8]) -> Option<Self> {
        [Self::Types, Self::Picture].into_iter().find(|question| question.line().as_bytes() == line)
    }
}

/// Whether bytes are a picture of the one type, as far as their beginning says.
pub fn is_picture(bytes: &[u8]) -> bool {
    bytes.starts_with(BEGIN) && bytes.len() <= LARGEST
}

/// Counts the questions of a second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClipboardPace {
    second: u64,
    count: u32,
}

impl ClipboardPace {
    /// Returns whether one more may be asked at this second.
    pub fn admits(&mut self, second: u64) -> bool {
        if self.second != second {
            *self = Self { second, count: 0 };
        }
        self.count += 1;
        self.count <= MOST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // GU-01: test 4 of the relay.
    #[test]
    fn only_pictures_are_asked_for() {
        let of = |line: &str| ClipboardQuestion::of_words(&line.split(' ').map(OsString::from).collect::<Vec<_>>());
        for line in ["-selection clipboard -t TARGETS -o", "-l", "--list-types"] {
            assert_eq!(of(line), Some(ClipboardQuestion::Types), "{line}");
        }
        for line in ["-selection clipboard -t image/png -o", "--type image/png", "--type=image/png"] {
            assert_eq!(of(line), Some(ClipboardQuestion::Picture), "{line}");
        }
        for line in ["", "-o", "-selection clipboard", "-t text/plain -o", "-t image/png -i", "--type image/bmp", "-t UTF8_STRING -o"] {
            assert_eq!(of(line), None, "{line}");
        }
        assert_eq!(ClipboardQuestion::of_line(b"PICTURE"), Some(ClipboardQuestion::Picture));
        assert_eq!(ClipboardQuestion::of_line(b"PICTURE x"), None);
    }

    #[test]
    fn a_picture_begins_as_one_and_has_an_end() {
        assert!(is_picture(b"\x89PNG\r\n\x1a\nrest") && !is_picture(b"made-up password") && !is_picture(b""));
        assert!(!is_picture(&[BEGIN, &vec![0; LARGEST]].concat()));
        let mut pace = ClipboardPace::default();
        assert!((0..MOST).all(|_| pace.admits(7)) && !pace.admits(7) && pace.admits(8));
    }
}
