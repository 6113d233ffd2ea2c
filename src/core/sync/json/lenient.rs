//! What some readers accept beyond JSON: comments, commas at the end, a byte order mark.
//!
//! All of it is blanked before anybody looks for keys, byte by byte, so that places in the plain text are places in the real one.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// Something beyond JSON that a tool reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JsonExtension {
    /// `// …` and `/* … */`.
    Comments,
    /// A comma after the last member.
    TrailingCommas,
    /// A byte order mark at the beginning.
    Bom,
}

#[cfg(test)]
pub const EVERYTHING: [JsonExtension; 3] = [JsonExtension::Comments, JsonExtension::TrailingCommas, JsonExtension::Bom];
const BOM: &str = "\u{feff}";

/// The text with everything that is no JSON made blank, and what of it there was.
pub fn plain(text: &str) -> (Cow<'_, str>, Vec<JsonExtension>) {
    let mut found = Vec::new();
    let mut plain = Cow::Borrowed(text);
    if !may_be_more(text) {
        return (plain, found);
    }
    if text.starts_with(BOM) {
        found.push(JsonExtension::Bom);
        blank(&mut plain, 0..BOM.len());
    }
    let mut at = 0;
    let (mut comma, mut last) = (None, b'{');
    while let Some(byte) = text.as_bytes().get(at).copied() {
        let end = match byte {
            b'"' => string_end(text, at),
            b'/' => match comment_end(text, at) {
                Some(end) => {
                    note(&mut found, JsonExtension::Comments);
                    blank(&mut plain, at..end);
                    at = end;
                    continue;
                }
                None => at + 1,
            },
            _ => at + 1,
        };
        match byte {
            // Behind nothing a comma ends nothing.
            b',' => comma = Some(at).filter(|_| !matches!(last, b'{' | b'[' | b',')),
            b'}' | b']' => {
                if let Some(comma) = comma.take() {
                    note(&mut found, JsonExtension::TrailingCommas);
                    blank(&mut plain, comma..comma + 1);
                }
            }
            _ if byte.is_ascii_whitespace() => {}
            _ => comma = None,
        }
        if !byte.is_ascii_whitespace() {
            last = byte;
        }
        at = end;
    }
    (plain, found)
}

/// Whether anything in the text looks as if it were more than JSON, be it within a string: most texts have nothing of it, and are
/// many times longer than what has to be looked at for this.
fn may_be_more(text: &str) -> bool {
    let bytes = text.as_bytes();
    let is_comment = |at: usize| matches!(bytes.get(at + 1), Some(b'/' | b'*'));
    let is_behind_comma = |at: usize| bytes.get(..at).is_some_and(|before| before.trim_ascii_end().ends_with(b","));
    text.starts_with(BOM)
        || memchr::memchr_iter(b'/', bytes).any(is_comment)
        || memchr::memchr2_iter(b'}', b']', bytes).any(is_behind_comma)
}

fn note(found: &mut Vec<JsonExtension>, extra: JsonExtension) {
    if !found.contains(&extra) {
        found.push(extra);
    }
}

fn blank(text: &mut Cow<'_, str>, span: std::ops::Range<usize>) {
    // Line ends stay: they are the style of what is between two members.
    let spaces: String = text.get(span.clone()).unwrap_or_default().bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect();
    text.to_mut().replace_range(span, &spaces);
}

/// Where the string that begins here ends.
pub fn string_end(text: &str, start: usize) -> usize {
    let mut escaped = false;
    let close = text.bytes().enumerate().skip(start + 1).find(|&(_, byte)| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    });
    close.map_or(text.len(), |(at, _)| at + 1)
}

/// Where a comment that begins here ends; one that is never closed is none.
fn comment_end(text: &str, start: usize) -> Option<usize> {
    let rest = text.get(start..)?;
    if rest.starts_with("//") {
        return Some(rest.find('\n').map_or(text.len(), |length| start + length));
    }
    let inside = rest.strip_prefix("/*")?;
    inside.find("*/").map(|length| start + 2 + length + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    // SE-08
    #[test]
    fn what_is_no_json_is_blank_and_everything_keeps_its_place() {
        let check = |text: &str, expected: &str, extras: &[JsonExtension]| {
            let (plain, found) = plain(text);
            assert_eq!((plain.as_ref(), found.as_slice(), plain.len()), (expected, extras, text.len()), "{text}");
        };
        check(r#"{"a": "// no", "b": ["/* no */", "\",]"]}"#, r#"{"a": "// no", "b": ["/* no */", "\",]"]}"#, &[]);
        check("{ // é\n\"a\":1}", "{      \n\"a\":1}", &[JsonExtension::Comments]);
        check("{/*\n*/\"a\":1,}", "{  \n  \"a\":1 }", &[JsonExtension::Comments, JsonExtension::TrailingCommas]);
        check("[1, /* x */ ]", "[1          ]", &[JsonExtension::Comments, JsonExtension::TrailingCommas]);
        check("\u{feff}{}", "   {}", &[JsonExtension::Bom]);
        check("{} // end", "{}       ", &[JsonExtension::Comments]);
        // Not closed, so it is no comment, and the text no JSON.
        check("{} /* end", "{} /* end", &[]);
        check("{,}", "{,}", &[]);
        check("[1,,]", "[1,,]", &[]);
        check("\"\\\\\",]", "\"\\\\\" ]", &[JsonExtension::TrailingCommas]);
    }
}
