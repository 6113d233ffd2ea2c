//! What the recording engine was asked, and an engine's argument vector taken apart.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use crate::sandbox::Sandbox;

/// One call of the recording engine.
#[derive(Clone, Debug)]
pub struct Call {
    /// Without the program's own name.
    pub argv: Vec<OsString>,
    pub env: BTreeMap<OsString, OsString>,
}

impl Sandbox {
    /// All calls in the order in which they came.
    pub fn calls(&self) -> Vec<Call> {
        let directory = self.root().join("engine");
        (1..).map(|n| directory.join(n.to_string())).take_while(|call| call.is_dir()).map(|call| read(&call)).collect()
    }

    /// The one container that was run.
    #[track_caller]
    pub fn the_run(&self) -> Call {
        let mut runs: Vec<Call> = self.calls().into_iter().filter(|call| call.argv.first().is_some_and(|word| word == "run")).collect();
        assert_eq!(runs.len(), 1, "{runs:#?}");
        runs.remove(0)
    }

    /// The vector that `ai resolve` plans for these words; asserts that nothing was said about it.
    #[track_caller]
    pub fn plan<W: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = W>) -> Argv {
        self.plan_with(&[], words)
    }

    /// As [`Sandbox::plan`], with options of `ai resolve`.
    #[track_caller]
    pub fn plan_with<W: AsRef<OsStr>>(&self, options: &[&str], words: impl IntoIterator<Item = W>) -> Argv {
        let run = self.ai(["resolve", "--format", "argv0"]).args(options).args(["--"]).args(words);
        let outcome = run.outcome();
        assert_eq!((outcome.code, outcome.err().as_str()), (0, ""));
        Argv(words_of(&outcome.stdout))
    }
}

fn read(call: &Path) -> Call {
    let pairs = words_of(&fs::read(call.join("env")).unwrap_or_default());
    let split = |pair: OsString| {
        let bytes = pair.as_bytes();
        let at = bytes.iter().position(|byte| *byte == b'=').unwrap();
        (OsStr::from_bytes(&bytes[..at]).to_owned(), OsStr::from_bytes(&bytes[at + 1..]).to_owned())
    };
    Call { argv: words_of(&fs::read(call.join("argv")).unwrap_or_default()), env: pairs.into_iter().map(split).collect() }
}

/// Words that each end with NUL.
pub fn words_of(bytes: &[u8]) -> Vec<OsString> {
    let mut words: Vec<OsString> = bytes.split(|byte| *byte == 0).map(|word| OsString::from_vec(word.to_vec())).collect();
    assert_eq!(words.pop().unwrap_or_default(), "", "the last word does not end with NUL");
    words
}

/// The flags of the engine that have no value.
const LONE: [&str; 5] = ["--rm", "--init", "-i", "-t", "--read-only"];

/// An engine's vector: anything before the program, its `run`, flags, image, command.
#[derive(Clone, Debug, PartialEq)]
pub struct Argv(pub Vec<OsString>);

impl Argv {
    fn run(&self) -> usize {
        self.0.iter().position(|word| word == "run").unwrap() + 1
    }

    /// Each flag with its value; an empty one where it has none.
    pub fn flags(&self) -> Vec<(&str, &OsStr)> {
        let mut flags = Vec::new();
        let mut words = self.0[self.run()..].iter();
        while let Some(word) = words.next().and_then(|word| word.to_str()).filter(|word| word.starts_with('-')) {
            match word {
                _ if LONE.contains(&word) || word.contains('=') => flags.push((word, OsStr::new(""))),
                _ => flags.push((word, words.next().unwrap())),
            }
        }
        flags
    }

    pub fn has(&self, flag: &str) -> bool {
        self.flags().iter().any(|(name, _)| *name == flag)
    }

    pub fn values(&self, flag: &str) -> Vec<String> {
        self.flags().into_iter().filter(|(name, _)| *name == flag).map(|(_, value)| value.to_str().unwrap().to_owned()).collect()
    }

    /// The value of a flag that is there exactly once.
    #[track_caller]
    pub fn value(&self, flag: &str) -> String {
        let values = self.values(flag);
        assert_eq!(values.len(), 1, "{flag}: {values:?}");
        values[0].clone()
    }

    /// The image and what stands behind it.
    pub fn tail(&self) -> &[OsString] {
        let flags: usize = self.flags().iter().map(|(name, _)| if LONE.contains(name) || name.contains('=') { 1 } else { 2 }).sum();
        &self.0[self.run() + flags..]
    }

    /// Source, target and whether it is read-only, of each `--mount`.
    pub fn mounts(&self) -> Vec<(String, String, bool)> {
        self.values("--mount").iter().map(|value| mount(value)).collect()
    }

    /// The source that is mounted at `target`.
    pub fn source_of(&self, target: &str) -> Option<String> {
        self.mounts().into_iter().find(|(_, at, _)| at == target).map(|(source, ..)| source)
    }

    /// Names and, for literals, values of the variables that the container gets.
    pub fn variables(&self) -> BTreeMap<String, Option<String>> {
        let split = |value: String| match value.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (value, None),
        };
        self.values("-e").into_iter().map(split).collect()
    }
}

/// Takes a `--mount` apart as the engine does: one record of CSV.
fn mount(value: &str) -> (String, String, bool) {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    let mut characters = value.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => fields.last_mut().unwrap().extend(characters.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            _ => fields.last_mut().unwrap().push(character),
        }
    }
    assert!(!quoted && fields[0] == "type=bind", "{value}");
    let field =
        |key: &str| fields.iter().find_map(|field| field.strip_prefix(key)).unwrap_or_else(|| panic!("{key} in {value}")).to_owned();
    (field("source="), field("target="), fields.iter().any(|field| field == "readonly"))
}
