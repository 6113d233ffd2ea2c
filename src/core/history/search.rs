//! Full text without an index: a line is read as JSON only if its bytes can hold what is looked for.

use memchr::{memchr2_iter, memmem};

use super::said::{Said, said};
use crate::core::ledger::transcript::TranscriptFormat;

/// Words, all of which one message must hold; letters of either case.
#[derive(Clone, Debug)]
pub struct Needle {
    words: Vec<String>,
    mark: Mark,
}

/// How a line is found that can hold the longest word: in JSON, which has escapes.
#[derive(Clone, Debug)]
enum Mark {
    /// The word, and the place of its rarest byte.
    Ascii(Vec<u8>, usize),
    /// The word as it can stand there: as typed, small, with a capital, in capitals.
    Any(Vec<memmem::Finder<'static>>),
}

impl Needle {
    /// Returns nothing where nothing is looked for.
    pub fn new(words: &[String]) -> Option<Self> {
        let words: Vec<String> = words.iter().flat_map(|word| word.split_whitespace()).map(str::to_lowercase).collect();
        let longest = words.iter().max_by_key(|word| word.len())?;
        let escaped = |word: &str| {
            let quoted = serde_json::to_string(word).unwrap_or_default();
            quoted[1..quoted.len() - 1].to_owned()
        };
        let mark = if longest.is_ascii() {
            let bytes = escaped(longest).into_bytes();
            let rarest = (0..bytes.len()).min_by_key(|at| commonness(bytes[*at]))?;
            Mark::Ascii(bytes, rarest)
        } else {
            let mut capital = longest.chars();
            let capital: String = capital.next().into_iter().flat_map(char::to_uppercase).chain(capital).collect();
            let mut spellings = vec![escaped(longest), escaped(&capital), escaped(&longest.to_uppercase())];
            spellings.dedup();
            Mark::Any(spellings.iter().map(|word| memmem::Finder::new(word.as_bytes()).into_owned()).collect())
        };
        Some(Self { words, mark })
    }

    /// Returns the part of the first message in some lines that holds all words.
    pub fn find(&self, format: TranscriptFormat, lines: &[u8]) -> Option<String> {
        let mut from = 0;
        while let Some(at) = self.mark.find(&lines[from..]).map(|at| from + at) {
            let begin = memchr::memrchr(b'\n', &lines[..at]).map_or(0, |end| end + 1);
            let end = memchr::memchr(b'\n', &lines[at..]).map_or(lines.len(), |end| at + end);
            if let Some(snippet) = said(format, &lines[begin..end]).and_then(|said| self.snippet(&said)) {
                return Some(snippet);
            }
            from = end;
        }
        None
    }

    /// Returns what stands around the first word in a message.
    fn snippet(&self, said: &Said) -> Option<String> {
        let lower = said.text.to_lowercase();
        let places: Option<Vec<usize>> = self.words.iter().map(|word| lower.find(word.as_str())).collect();
        let at = places?.into_iter().min()?;
        // Small letters can be longer than capitals, so that places are those of the small text.
        let before = lower[..at].chars().count().saturating_sub(24);
        let around: String = said.text.chars().skip(before).take(90).collect();
        let around = around.split_whitespace().collect::<Vec<_>>().join(" ");
        Some(if before > 0 { format!("…{around}") } else { around })
    }
}

impl Mark {
    fn find(&self, text: &[u8]) -> Option<usize> {
        match self {
            Self::Any(spellings) => spellings.iter().filter_map(|word| word.find(text)).min(),
            Self::Ascii(word, rarest) => {
                let (small, capital) = (word[*rarest].to_ascii_lowercase(), word[*rarest].to_ascii_uppercase());
                memchr2_iter(small, capital, text).find_map(|at| {
                    let begin = at.checked_sub(*rarest)?;
                    let found = text.get(begin..begin + word.len())?;
                    found.eq_ignore_ascii_case(word).then_some(begin)
                })
            }
        }
    }
}

/// Returns how common a byte is in transcripts, roughly: what is not in the list is rare.
fn commonness(byte: u8) -> usize {
    const COMMON: &[u8] = b"zqjxkvbywgpfmucdlhrsnioate0123456789_-.,:/\\\" ";
    COMMON.iter().position(|common| *common == byte.to_ascii_lowercase()).map_or(0, |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> String {
        serde_json::json!({ "type": "user", "message": { "content": text } }).to_string()
    }

    #[track_caller]
    fn check(words: &[&str], texts: &[&str], expected: Option<&str>) {
        let lines: Vec<String> = texts.iter().map(|text| line(text)).collect();
        let needle = Needle::new(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>()).unwrap();
        assert_eq!(needle.find(TranscriptFormat::Claude, lines.join("\n").as_bytes()).as_deref(), expected, "{words:?}");
    }

    // DA-03: quotes, Cyrillic, letters of either case.
    #[test]
    fn a_message_that_holds_all_words_is_found() {
        check(&["login"], &["nothing", "the LOGIN page"], Some("the LOGIN page"));
        check(&["login", "page"], &["login", "a page of login"], Some("a page of login"));
        check(&["login page"], &["page login"], Some("page login"));
        check(&["say \"hi\""], &["they say \"hi\""], Some("they say \"hi\""));
        check(&["c:\\temp"], &["in C:\\Temp it is"], Some("in C:\\Temp it is"));
        check(&["вход"], &["Вход закрыт"], Some("Вход закрыт"));
        check(&["ВХОД"], &["это вход"], Some("это вход"));
        check(&["absent"], &["login"], None);
    }

    #[test]
    fn keys_and_what_programs_wrote_are_no_messages() {
        check(&["message"], &["hello"], None);
        check(&["content"], &["hello", "the content"], Some("the content"));
        check(&["login"], &["<system>login</system>"], None);
    }

    #[test]
    fn a_long_message_is_cut_around_the_word() {
        let text = format!("{} needle {}", "before ".repeat(50), "behind ".repeat(50));
        let needle = Needle::new(&["needle".into()]).unwrap();
        let found = needle.find(TranscriptFormat::Claude, line(&text).as_bytes()).unwrap();
        assert!(found.starts_with('…') && found.contains("needle behind") && found.chars().count() <= 91, "{found}");
    }

    #[test]
    fn nothing_is_looked_for_by_no_words() {
        assert!(Needle::new(&[]).is_none() && Needle::new(&["  ".into()]).is_none());
    }
}
