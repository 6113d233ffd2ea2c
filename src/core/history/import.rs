//! The sessions that the host's own tools had in a project: which they are, where a copy belongs in a tool's home, and how it names the
//! project's directories. Formats as of claude 2.1.330, codex 0.169.0 and gemini 0.61.0, tried with these programs.

use std::path::{Path, PathBuf};

use memchr::memmem;
use serde::Serialize;

use crate::core::container::ContainerPath;
use crate::core::text::digest::sha256;

/// How a transcript says where its session ran. Inside a text, a quote has a backslash before it, so this is always a key.
const KEY: &[u8] = b"\"cwd\":";

/// Longest name that claude gives a directory by its path alone; longer ones end in a hash of its own.
const CLAUDE_NAME: usize = 200;

/// What becomes of a session of the host's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportState {
    /// It is not in the project's history yet.
    New,
    Copied,
    /// It was copied before; what has become of either since stays as it is.
    There,
    /// There are more, or larger ones, than are taken over at once.
    LeftOut,
}

/// Returns the directory in which the session of a transcript began, as far as its first bytes tell.
pub fn directory(head: &[u8]) -> Option<PathBuf> {
    let values = memmem::find_iter(head, KEY).map(|at| &head[at + KEY.len()..]);
    let text = |value| serde_json::Deserializer::from_slice(value).into_iter::<String>().next()?.ok();
    values.filter_map(text).map(PathBuf::from).find(|path| path.is_absolute())
}

/// Returns which of `roots` a directory is in, and where below it. A root in another root is meant first.
pub fn place<'a>(directory: &Path, roots: &'a [PathBuf]) -> Option<(&'a Path, PathBuf)> {
    let holding = roots.iter().filter_map(|root| Some((root.as_path(), directory.strip_prefix(root).ok()?.to_owned())));
    holding.max_by_key(|(root, _)| root.as_os_str().len())
}

/// Returns the name of the directory in which claude keeps the sessions of `workdir`; nothing where only claude knows it.
pub fn claude_name(workdir: &Path) -> Option<String> {
    let name = claude_letters(workdir)?;
    (name.len() <= CLAUDE_NAME).then_some(name)
}

/// Returns how the name of each directory begins in which claude may keep sessions of `root`, or of what is below it.
pub fn claude_beginning(root: &Path) -> Option<String> {
    let mut name = claude_letters(root)?;
    name.truncate(CLAUDE_NAME);
    Some(name)
}

/// Puts a dash for what is no letter or digit, counted as JavaScript counts.
fn claude_letters(path: &Path) -> Option<String> {
    let letter = |character: char| {
        let count = if character.is_ascii_alphanumeric() { 0 } else { character.len_utf16() };
        (count == 0).then_some(character).into_iter().chain(std::iter::repeat_n('-', count))
    };
    Some(path.to_str()?.chars().flat_map(letter).collect())
}

/// Returns the names that gemini tries for the sessions of `workdir`, the first one first: the directory's own name, then numbered.
pub fn gemini_names(workdir: &Path) -> impl Iterator<Item = String> {
    let name = workdir.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    let words: Vec<&str> = name.split(|character: char| !character.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let name = if words.is_empty() { "project".to_owned() } else { words.join("-") };
    std::iter::once(name.clone()).chain((1_u32..).map(move |number| format!("{name}-{number}")))
}

/// Returns the name that older programs of gemini gave the sessions of `workdir`.
pub fn gemini_old_name(workdir: &Path) -> String {
    sha256(workdir.as_os_str().as_encoded_bytes())
}

/// How a copy names directories of the project: as its containers do. The texts of a session stay byte for byte; some are signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Respelling {
    from: Vec<u8>,
    to: Vec<u8>,
}

impl Respelling {
    /// Spells `root` as `target`. Nothing where a path is no text, so that no transcript can name it.
    pub fn new(root: &Path, target: &ContainerPath) -> Option<Self> {
        let spelled = |path: &Path| Some(serde_json::to_string(path.to_str()?).ok()?.strip_suffix('"')?.as_bytes().to_vec());
        Some(Self { from: [KEY, &spelled(root)?].concat(), to: [KEY, &spelled(target.as_path())?].concat() })
    }

    /// Returns one line, or a part of one, as the copy has it.
    pub fn line(&self, line: &[u8]) -> Vec<u8> {
        let (mut copy, mut rest) = (Vec::with_capacity(line.len()), line);
        while let Some(at) = memmem::find(rest, &self.from) {
            let (before, behind) = (&rest[..at], &rest[at + self.from.len()..]);
            copy.extend_from_slice(before);
            // A name that only begins like the root is another directory's.
            copy.extend_from_slice(if matches!(behind.first(), Some(b'"' | b'/')) { &self.to } else { &self.from });
            rest = behind;
        }
        copy.extend_from_slice(rest);
        copy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_directory_that_a_transcript_names_is_where_it_began() {
        let check = |head: &str, expected: Option<&str>| assert_eq!(directory(head.as_bytes()), expected.map(PathBuf::from), "{head}");
        check(r#"{"type":"x","payload":{"id":"a","cwd":"/p/one"}}"#, Some("/p/one"));
        check("{\"type\":\"summary\"}\n{\"cwd\":\"/p/\\u00fc b\\\"\",\"cwd\":\"/p/two\"}", Some("/p/ü b\""));
        // What a person or a model wrote is no key.
        check(r#"{"text":"\"cwd\":\"/p/said\"","cwd":"/p/meant"}"#, Some("/p/meant"));
        check(r#"{"cwd":null,"cwd":7,"cwd":"relative","cwd":"/p"}"#, Some("/p"));
        check(r#"{"cwd":"/p/cut o"#, None);
        check("", None);
    }

    #[test]
    fn a_directory_is_of_the_nearest_root() {
        let roots = ["/p", "/p/inner", "/old"].map(PathBuf::from);
        let check = |directory: &str, expected: Option<(&str, &str)>| {
            let expected = expected.map(|(root, below)| (Path::new(root), PathBuf::from(below)));
            assert_eq!(place(Path::new(directory), &roots), expected, "{directory}");
        };
        check("/p", Some(("/p", "")));
        check("/p/inner/x", Some(("/p/inner", "x")));
        check("/old/a/b", Some(("/old", "a/b")));
        check("/project", None);
        check("/", None);
    }

    #[test]
    fn directories_have_the_names_that_the_tools_give_them() {
        let claude = |path: &str| claude_name(Path::new(path));
        assert_eq!(claude("/workspace/my.app_2").as_deref(), Some("-workspace-my-app-2"));
        assert_eq!(claude("/w/ü/🦀").as_deref(), Some("-w-----"));
        let long = format!("/{}", "x".repeat(200));
        assert_eq!(claude(&long), None);
        assert_eq!(claude_beginning(Path::new(&long)).map(|name| name.len()), Some(200));
        let gemini = |path: &str| gemini_names(Path::new(path)).take(2).collect::<Vec<_>>();
        assert_eq!(gemini("/workspace/My.App_2"), ["my-app-2", "my-app-2-1"]);
        assert_eq!(gemini("/workspace/-ü-"), ["project", "project-1"]);
        assert_eq!(gemini_old_name(Path::new("/home/me/proj")), "4c3b4937ddaa21c332cba088d92b4d242d3bc33a6e82ec6ed46c2bbb31262ed3");
    }

    #[test]
    fn only_the_directory_of_a_line_is_spelled_anew() {
        let respelling = Respelling::new(Path::new("/home/me/p\"x"), &ContainerPath::new("/workspace/p")).unwrap();
        let check = |line: &str, expected: &str| {
            let copy = respelling.line(line.as_bytes());
            assert_eq!(String::from_utf8(copy).unwrap(), expected);
        };
        check(r#"{"cwd":"/home/me/p\"x","cwd":"/home/me/p\"x/src"}"#, r#"{"cwd":"/workspace/p","cwd":"/workspace/p/src"}"#);
        check(r#"{"cwd":"/home/me/p\"xy"}"#, r#"{"cwd":"/home/me/p\"xy"}"#);
        check(r#"{"path":"/home/me/p\"x"}"#, r#"{"path":"/home/me/p\"x"}"#);
        let plain = Respelling::new(Path::new("/p"), &ContainerPath::new("/w")).unwrap();
        let said = r#"{"text":"\"cwd\":\"/p\""}"#;
        assert_eq!(plain.line(said.as_bytes()), said.as_bytes());
        assert_eq!(plain.line(br#"{"cwd":"/p"#), br#"{"cwd":"/p"#);
    }
}
