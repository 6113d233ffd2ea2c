//! Keys in a text, by the shapes that their makers gave them: data in one table, and three shapes that are no prefix.
//!
//! What is found is named by file, line and rule, never by its value.

use std::ops::Range;

use memchr::memmem::Finder;

use crate::core::commit::patch::FilePatch;

mod shapes;

/// What the characters of a key are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Alphabet {
    Alnum,
    /// Capitals and digits.
    Upper,
    Hex,
    /// Letters, digits, `_`.
    Word,
    /// Letters, digits, `_`, `-`.
    Url,
    /// As [`Alphabet::Url`], with dots.
    Dotted,
    /// Letters, digits, `/`, `-`.
    Path,
}

impl Alphabet {
    fn has(self, byte: u8) -> bool {
        match self {
            Self::Alnum => byte.is_ascii_alphanumeric(),
            Self::Upper => byte.is_ascii_uppercase() || byte.is_ascii_digit(),
            Self::Hex => byte.is_ascii_hexdigit(),
            Self::Word => byte.is_ascii_alphanumeric() || byte == b'_',
            Self::Url => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'),
            Self::Dotted => byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'),
            Self::Path => byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'-'),
        }
    }
}

/// A key that begins with a word of its maker's.
#[derive(Debug)]
struct KeyShape {
    name: &'static str,
    start: &'static str,
    alphabet: Alphabet,
    /// Fewest and most characters behind the start.
    length: (usize, usize),
}

const fn rule(name: &'static str, start: &'static str, alphabet: Alphabet, least: usize, most: usize) -> KeyShape {
    KeyShape { name, start, alphabet, length: (least, most) }
}

use Alphabet::{Alnum, Dotted, Hex, Path, Upper, Url, Word};

/// No limit but that of a line.
const ANY: usize = usize::MAX;

/// The shapes, as their makers publish them or secret scanners know them (gitleaks, kingfisher).
const RULES: [KeyShape; 43] = [
    rule("Anthropic key", "sk-ant-", Url, 32, ANY),
    rule("OpenAI key", "sk-proj-", Url, 40, ANY),
    rule("OpenAI key", "sk-svcacct-", Url, 40, ANY),
    rule("OpenAI key", "sk-admin-", Url, 40, ANY),
    rule("OpenRouter key", "sk-or-v1-", Hex, 64, 64),
    rule("API key", "sk-", Alnum, 32, 64),
    rule("Google API key", "AIza", Url, 35, 35),
    rule("Google client secret", "GOCSPX-", Url, 28, 28),
    rule("Google access token", "ya29.", Url, 50, ANY),
    rule("Google refresh token", "1//0", Url, 40, ANY),
    rule("GitHub token", "ghp_", Alnum, 36, 255),
    rule("GitHub token", "gho_", Alnum, 36, 255),
    rule("GitHub token", "ghu_", Alnum, 36, 255),
    rule("GitHub token", "ghs_", Alnum, 36, 255),
    rule("GitHub token", "ghr_", Alnum, 36, 255),
    rule("GitHub token", "github_pat_", Word, 60, 255),
    rule("GitLab token", "glpat-", Url, 20, 64),
    rule("GitLab token", "glrt-", Url, 20, 64),
    rule("Slack token", "xoxb-", Url, 24, ANY),
    rule("Slack token", "xoxp-", Url, 24, ANY),
    rule("Slack token", "xoxa-", Url, 24, ANY),
    rule("Slack token", "xoxr-", Url, 24, ANY),
    rule("Slack token", "xoxs-", Url, 24, ANY),
    rule("Slack token", "xapp-", Url, 24, ANY),
    rule("Slack webhook", "hooks.slack.com/services/", Path, 40, ANY),
    rule("AWS key id", "AKIA", Upper, 16, 16),
    rule("AWS key id", "ASIA", Upper, 16, 16),
    rule("npm token", "npm_", Alnum, 36, 36),
    rule("PyPI token", "pypi-AgEIcHlwaS5vcmc", Url, 50, ANY),
    rule("Stripe key", "sk_live_", Alnum, 24, ANY),
    rule("Stripe key", "rk_live_", Alnum, 24, ANY),
    rule("Stripe webhook secret", "whsec_", Alnum, 32, ANY),
    rule("SendGrid key", "SG.", Dotted, 60, 72),
    rule("Hugging Face token", "hf_", Alnum, 34, 40),
    rule("DigitalOcean token", "dop_v1_", Hex, 64, 64),
    rule("Shopify token", "shpat_", Hex, 32, 32),
    rule("Linear key", "lin_api_", Alnum, 40, 40),
    rule("Vault token", "hvs.", Url, 24, ANY),
    rule("xAI key", "xai-", Alnum, 60, ANY),
    rule("Groq key", "gsk_", Alnum, 40, ANY),
    rule("Replicate token", "r8_", Alnum, 37, 40),
    rule("age key", "AGE-SECRET-KEY-1", Upper, 58, 58),
    rule("Databricks token", "dapi", Hex, 32, 32),
];

/// A key in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secret {
    pub rule: &'static str,
    pub span: Range<usize>,
}

/// Where a change adds a key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FoundKey {
    pub path: String,
    pub line: usize,
    pub rule: &'static str,
}

/// Looks for keys. Made once, since it prepares its searches.
#[derive(Debug)]
pub struct KeyScanner {
    rules: Vec<(Finder<'static>, &'static KeyShape)>,
}

impl Default for KeyScanner {
    fn default() -> Self {
        Self { rules: RULES.iter().map(|rule| (Finder::new(rule.start), rule)).collect() }
    }
}

impl KeyScanner {
    /// Returns the keys in a text, by their places; none lies in another.
    pub fn secrets(&self, text: &[u8]) -> Vec<Secret> {
        let mut found = shapes::secrets(text);
        for (finder, rule) in &self.rules {
            for begin in finder.find_iter(text) {
                found.extend(matched(rule, text, begin).map(|span| Secret { rule: rule.name, span }));
            }
        }
        found.sort_by_key(|secret| (secret.span.start, std::cmp::Reverse(secret.span.end)));
        let mut end = 0;
        found.retain(|secret| {
            let is_apart = secret.span.start >= end;
            end = end.max(secret.span.end);
            is_apart
        });
        found
    }

    /// Returns where the files of a change add keys, each line once for a rule.
    pub fn findings(&self, files: &[FilePatch]) -> Vec<FoundKey> {
        let mut findings = Vec::new();
        for file in files.iter().filter(|file| file.added > 0) {
            for hunk in &file.hunks {
                let secrets = self.secrets(hunk);
                if secrets.is_empty() {
                    continue;
                }
                let begins = |secret: &Secret| memchr::memrchr(b'\n', &hunk[..secret.span.start]).map_or(0, |at| at + 1);
                for secret in secrets.iter().filter(|secret| hunk.get(begins(secret)) == Some(&b'+')) {
                    let alone = FilePatch { hunks: vec![hunk], ..file.clone() };
                    let text = &hunk[begins(secret) + 1..];
                    let added = alone.added_lines().find(|added| std::ptr::eq(added.text.as_ptr(), text.as_ptr()));
                    let line = added.map_or(0, |added| added.number);
                    findings.push(FoundKey { path: file.path.clone(), line, rule: secret.rule });
                }
            }
        }
        findings.sort();
        findings.dedup();
        findings
    }

    /// Returns a text without its keys.
    pub fn redacted(&self, text: &[u8]) -> Vec<u8> {
        let mut redacted = Vec::with_capacity(text.len());
        let mut at = 0;
        for Secret { rule, span } in self.secrets(text) {
            redacted.extend_from_slice(&text[at..span.start]);
            redacted.extend_from_slice(format!("[{rule}]").as_bytes());
            at = span.end;
        }
        redacted.extend_from_slice(&text[at..]);
        redacted
    }
}

/// Whether a name says that its value is for nobody: `GITHUB_TOKEN`, `--api-key`, `password`.
pub fn is_secret_name(name: &str) -> bool {
    const LAST: [&str; 6] = ["KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIALS"];
    let last = name.rsplit(['_', '-']).next().unwrap_or_default();
    LAST.iter().any(|word| last.eq_ignore_ascii_case(word))
}

/// Whether a key of this shape begins here, and where it ends.
fn matched(rule: &KeyShape, text: &[u8], begin: usize) -> Option<Range<usize>> {
    if begin > 0 && Alphabet::Word.has(text[begin - 1]) {
        return None;
    }
    let body = &text[begin + rule.start.len()..];
    let most = rule.length.1.min(LONGEST);
    let length = body.iter().take(most + 1).take_while(|byte| rule.alphabet.has(**byte)).count();
    let fits = length >= rule.length.0 && (length <= rule.length.1);
    (fits && is_random(&body[..length])).then(|| begin..begin + rule.start.len() + length)
}

/// No key is longer, in bytes; a certificate or a picture in a line is.
const LONGEST: usize = 4096;

/// Whether a value was drawn and not written: enough different characters, a digit where it is long, and none of the words and rows
/// that people put into examples.
fn is_random(value: &[u8]) -> bool {
    let lower = value.to_ascii_lowercase();
    let is_example = EXAMPLES.iter().any(|word| memchr::memmem::find(&lower, word.as_bytes()).is_some());
    let has_digit = value.iter().any(u8::is_ascii_digit);
    !is_example && (has_digit || value.len() < 32) && entropy(value) >= 2.8
}

const EXAMPLES: [&str; 14] = [
    "example",
    "sample",
    "dummy",
    "placeholder",
    "changeme",
    "your",
    "xxxx",
    "fake",
    "redacted",
    "0123456789",
    "123456789",
    "abcdefgh",
    "deadbeef",
    "insert",
];

/// Bits a character (Shannon).
fn entropy(value: &[u8]) -> f64 {
    let mut counts = [0u32; 256];
    for byte in value {
        counts[usize::from(*byte)] += 1;
    }
    let length = f64::from(u32::try_from(value.len()).unwrap_or(u32::MAX));
    counts.iter().filter(|count| **count > 0).map(|count| f64::from(*count) / length).map(|share| -share * share.log2()).sum()
}

#[cfg(test)]
mod tests;
