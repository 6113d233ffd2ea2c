//! The words of a tool: its options and sub-commands, recorded when the image was built.
//!
//! One line a word, `context TAB word TAB about`. The context is the sub-commands before the word, joined by spaces,
//! and for the values of an option that option as well: `mcp add`, `--output-format`.

use crate::core::complete::Candidate;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vocabulary(Vec<VocabularyEntry>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct VocabularyEntry {
    context: String,
    candidate: Candidate,
}

impl Vocabulary {
    pub fn parse(text: &str) -> Self {
        let entry = |line: &str| {
            let mut fields = line.splitn(3, '\t');
            let (context, word) = (fields.next()?.to_owned(), fields.next()?);
            Some(VocabularyEntry { context, candidate: Candidate::new(word, fields.next().unwrap_or_default()) })
        };
        Self(text.lines().filter_map(entry).collect())
    }

    /// Returns the words that a manifest lists: each `word` or `word  what it means`.
    pub fn from_manifest(words: &[String]) -> Self {
        let entry = |line: &String| {
            let (word, about) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
            VocabularyEntry { context: String::new(), candidate: Candidate::new(word, about.trim()) }
        };
        Self(words.iter().map(entry).collect())
    }

    pub fn print(&self) -> String {
        let line =
            |VocabularyEntry { context, candidate }: &VocabularyEntry| format!("{context}\t{}\t{}\n", candidate.word, candidate.about);
        self.0.iter().map(line).collect()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds a word, unless it is there.
    pub fn add(&mut self, context: &str, candidate: Candidate) {
        if !self.0.iter().any(|entry| entry.context == context && entry.candidate.word == candidate.word) {
            self.0.push(VocabularyEntry { context: context.into(), candidate });
        }
    }

    pub fn extend(&mut self, other: Self) {
        for entry in other.0 {
            self.add(&entry.context, entry.candidate);
        }
    }

    /// Returns the sub-commands that `words` go through.
    pub fn context(&self, words: &[String]) -> String {
        let mut context = String::new();
        for word in words.iter().filter(|word| !word.starts_with('-')) {
            if self.0.iter().any(|entry| entry.context == context && entry.candidate.word == *word) {
                context = join(&context, word);
            }
        }
        context
    }

    /// Returns the values of an option, if they are known.
    pub fn values(&self, context: &str, option: &str) -> Option<Vec<Candidate>> {
        let key = join(context, option);
        let values: Vec<Candidate> = self.of(&key).cloned().collect();
        (!values.is_empty()).then_some(values)
    }

    /// Returns the options of a context.
    pub fn options(&self, context: &str) -> Vec<Candidate> {
        self.of(context).filter(|candidate| candidate.word.starts_with('-')).cloned().collect()
    }

    /// Returns the sub-commands of a context.
    pub fn sub_commands(&self, context: &str) -> Vec<Candidate> {
        self.of(context).filter(|candidate| !candidate.word.starts_with('-')).cloned().collect()
    }

    /// Returns the sub-commands of the tool itself.
    pub fn commands(&self) -> Vec<String> {
        self.sub_commands("").into_iter().map(|candidate| candidate.word).collect()
    }

    /// Returns everything behind which there are words, or may be: the tool itself, its sub-commands, and the options whose values
    /// are known.
    pub fn contexts(&self) -> Vec<String> {
        let mut contexts = vec![String::new()];
        let is_option = |word: &str| word.starts_with('-');
        let of_option = |entry: &&VocabularyEntry| entry.context.split(' ').chain([&*entry.candidate.word]).any(is_option);
        let commands = self.0.iter().filter(|entry| !of_option(entry));
        let commands = commands.map(|entry| join(&entry.context, &entry.candidate.word));
        for context in commands.chain(self.0.iter().map(|entry| entry.context.clone())) {
            if !contexts.contains(&context) {
                contexts.push(context);
            }
        }
        contexts
    }

    fn of<'a>(&'a self, context: &'a str) -> impl Iterator<Item = &'a Candidate> {
        self.0.iter().filter(move |entry| entry.context == context).map(|entry| &entry.candidate)
    }
}

pub fn join(context: &str, word: &str) -> String {
    if context.is_empty() { word.into() } else { format!("{context} {word}") }
}
