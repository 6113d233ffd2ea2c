//! A run as it was started: its vector to the last byte, and what the vector spoke of, so that somebody can see later what has changed.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::core::lease::SessionId;

/// Runs that are kept; older ones go.
pub const MOST: usize = 200;

/// What is kept beside the vector, in the first line of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptRun {
    pub session: SessionId,
    pub tool: String,
    /// Seconds since 1970.
    pub time: u64,
    /// The version of `ai`.
    pub version: String,
    pub directory: PathBuf,
    pub image: String,
    /// What the image's name stood for, as the engine names its content.
    pub image_id: Option<String>,
    /// Each source of a mount, with what was there: see [`Seen`].
    pub sources: BTreeMap<String, Option<String>>,
}

/// Returns the text of a file: the first line, then each word ended by NUL.
pub fn text(run: &KeptRun, vector: &[OsString]) -> serde_json::Result<Vec<u8>> {
    let mut text = serde_json::to_vec(run)?;
    text.push(b'\n');
    for word in vector {
        text.extend_from_slice(word.as_bytes());
        text.push(0);
    }
    Ok(text)
}

/// Reads it; nothing where it is none.
pub fn parse(text: &[u8]) -> Option<(KeptRun, Vec<OsString>)> {
    let end = memchr::memchr(b'\n', text)?;
    let run = serde_json::from_slice(&text[..end]).ok()?;
    let words = text[end + 1..].strip_suffix(b"\0")?;
    Some((run, words.split(|byte| *byte == 0).map(|word| OsString::from_vec(word.to_vec())).collect()))
}

/// Returns the host's side of each mount in a vector, but for what is of the session alone and goes with it.
pub fn sources(vector: &[OsString], session: &SessionId) -> Vec<PathBuf> {
    let is_of_session = |path: &PathBuf| path.iter().any(|part| part.to_string_lossy().ends_with(session.as_str()));
    let values = vector.windows(2).filter(|pair| pair[0] == "--mount").map(|pair| pair[1].as_bytes());
    let binds = values.map(fields).filter(|fields| fields.iter().any(|field| field == b"type=bind"));
    let source = |fields: Vec<Vec<u8>>| fields.iter().find_map(|field| field.strip_prefix(b"source=").map(<[u8]>::to_vec));
    let paths = binds.filter_map(source).map(|path| PathBuf::from(OsString::from_vec(path)));
    paths.filter(|path| !is_of_session(path)).collect()
}

/// Returns the fields of a record of CSV, as [`crate::core::plan::mount::Mount::value`] writes one.
fn fields(record: &[u8]) -> Vec<Vec<u8>> {
    let (mut fields, mut field, mut is_quoted) = (Vec::new(), Vec::new(), false);
    let mut bytes = record.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' if is_quoted && bytes.peek() == Some(&b'"') => {
                bytes.next();
                field.push(b'"');
            }
            b'"' => is_quoted = !is_quoted,
            b',' if !is_quoted => fields.push(std::mem::take(&mut field)),
            byte => field.push(byte),
        }
    }
    fields.push(field);
    fields
}

/// Returns the names whose values the vector takes from the environment.
pub fn inherited(vector: &[OsString]) -> Vec<&str> {
    let names = vector.windows(2).filter(|pair| pair[0] == "-e").filter_map(|pair| pair[1].to_str());
    names.filter(|name| !name.contains('=')).collect()
}

/// How things are now.
#[derive(Debug)]
pub struct NowOf<'a> {
    pub version: &'a str,
    pub image_id: Option<&'a str>,
    pub sources: &'a BTreeMap<String, Option<String>>,
    /// Names of variables that the vector asks for and nobody has set.
    pub unset: &'a [&'a str],
    pub has_directory: bool,
    pub has_program: bool,
}

impl KeptRun {
    /// Returns, in words, what is not as it was when the run was started.
    pub fn differences(&self, vector: &[OsString], now: &NowOf) -> Vec<String> {
        let mut told = Vec::new();
        if now.version != self.version {
            told.push(format!("ai is {} now, and was {}", now.version, self.version));
        }
        if !now.has_program {
            told.push(format!("`{}` is gone", vector.first().map_or(OsStr::new(""), OsString::as_os_str).display()));
        }
        if !now.has_directory {
            told.push(format!("the directory `{}` is gone", self.directory.display()));
        }
        match (&self.image_id, now.image_id) {
            (Some(_), None) => told.push(format!("there is no image {}", self.image)),
            (Some(then), Some(now)) if then != now => told.push(format!("the image {} is another one", self.image)),
            _ => {}
        }
        for (path, then) in &self.sources {
            match now.sources.get(path) {
                Some(now) if now == then => {}
                Some(Some(_)) => told.push(format!("`{path}` is another one")),
                _ => told.push(format!("`{path}` is gone")),
            }
        }
        told.extend(now.unset.iter().map(|name| format!("{name} is not set here")));
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::container::ContainerPath;
    use crate::core::plan::mount::{Access, Mount};
    use crate::core::store::seen::Fixed;

    fn kept(sources: &[(&str, &str)]) -> KeptRun {
        KeptRun {
            session: "0123456789ab".parse().unwrap(),
            tool: "claude".into(),
            time: 7,
            version: "1".into(),
            directory: "/p".into(),
            image: "i".into(),
            image_id: Some("sha256:a".into()),
            sources: of(sources),
        }
    }

    fn of(sources: &[(&str, &str)]) -> BTreeMap<String, Option<String>> {
        sources.iter().map(|(path, seen)| ((*path).to_owned(), Some((*seen).to_owned()))).collect()
    }

    #[test]
    fn a_vector_comes_back_to_the_last_byte() {
        let vector: Vec<OsString> =
            ["docker", "", "a\nb", "{\"x\"}"].map(OsString::from).into_iter().chain([OsString::from_vec(vec![0xff])]).collect();
        let run = kept(&[]);
        assert_eq!(parse(&text(&run, &vector).unwrap()), Some((run, vector)));
        for torn in [b"".as_slice(), b"{}\n", b"no\na\0", b"{\"session\":1}\na\0"] {
            assert_eq!(parse(torn), None);
        }
    }

    #[test]
    fn sources_of_any_name_are_found() {
        let found = |vector: &[OsString]| sources(vector, &"0123456789ab".parse().unwrap());
        for name in ["/a", "/a,b", "/a\"b", "/a b\n ", "/source=x"] {
            let mount = Mount::bind(Fixed::of_person(name), ContainerPath::new("/w"), Access::ReadOnly);
            assert_eq!(found(&["--mount".into(), mount.value()]), [PathBuf::from(name)]);
        }
        let nothing = Vec::<PathBuf>::new();
        assert_eq!(found(&["--mount".into(), "type=volume,source=v,target=/w".into(), "--mount".into()]), nothing);
        // The sockets and secrets of a run go with it, and nobody is told.
        for own in ["/s/guard/0123456789ab/sock", "/dev/shm/ai-secrets-0123456789ab"] {
            assert_eq!(found(&["--mount".into(), format!("type=bind,source={own},target=/w").into()]), nothing);
        }
    }

    #[test]
    fn what_no_longer_holds_is_told_once_each() {
        let vector = ["docker", "-e", "KEY", "-e", "A=b"].map(OsString::from);
        assert_eq!(inherited(&vector), ["KEY"]);
        let run = kept(&[("/p", "1:2"), ("/q", "1:3"), ("/r", "1:4")]);
        let now = |version, image_id, sources, is| NowOf {
            version,
            image_id,
            sources,
            unset: if is { &[] } else { &["KEY"] },
            has_directory: is,
            has_program: is,
        };
        assert_eq!(run.differences(&vector, &now("1", Some("sha256:a"), &run.sources, true)), Vec::<String>::new());
        let other = of(&[("/p", "1:2"), ("/q", "9:9")]);
        let told = [
            "ai is 2 now, and was 1",
            "`docker` is gone",
            "the directory `/p` is gone",
            "the image i is another one",
            "`/q` is another one",
            "`/r` is gone",
            "KEY is not set here",
        ];
        assert_eq!(run.differences(&vector, &now("2", Some("sha256:b"), &other, false)), told);
        assert_eq!(run.differences(&vector, &now("1", None, &run.sources, true)), ["there is no image i"]);
    }
}
