//! Keys that begin with no word of their maker's: private keys, signed tokens, addresses with a password, and Z.AI's.

use std::ops::Range;

use memchr::memmem;

use super::{Alphabet, Secret, is_random};

pub(super) fn secrets(text: &[u8]) -> Vec<Secret> {
    let named = |rule, spans: Vec<Range<usize>>| spans.into_iter().map(move |span| Secret { rule, span });
    named("private key", private_keys(text))
        .chain(named("signed token", tokens(text)))
        .chain(named("address with a password", addresses(text)))
        .chain(named("Z.AI key", zai(text)))
        .chain(named("AWS secret key", aws(text)))
        .collect()
}

/// Returns how many characters from here belong to an alphabet.
fn run(text: &[u8], from: usize, alphabet: Alphabet) -> usize {
    text.get(from..).map_or(0, |rest| rest.iter().take_while(|byte| alphabet.has(**byte)).count())
}

fn run_back(text: &[u8], to: usize, alphabet: Alphabet) -> usize {
    text[..to].iter().rev().take_while(|byte| alphabet.has(**byte)).count()
}

/// `-----BEGIN … PRIVATE KEY-----` with a key behind it: a line of base64, in the next line or behind `\n` in the same.
fn private_keys(text: &[u8]) -> Vec<Range<usize>> {
    let mark = b"PRIVATE KEY";
    let mut found = Vec::new();
    for at in memmem::find_iter(text, mark) {
        let Some(begin) = memmem::rfind(&text[at.saturating_sub(32)..at], b"-----BEGIN ").map(|back| at.saturating_sub(32) + back) else {
            continue;
        };
        let head = &text[begin + 11..at];
        if !head.iter().all(|byte| byte.is_ascii_uppercase() || *byte == b' ') {
            continue;
        }
        // `PRIVATE KEY-----` and `PRIVATE KEY BLOCK-----`.
        let behind = &text[at + mark.len()..text.len().min(at + 4096)];
        let Some(close) = memmem::find(&behind[..behind.len().min(16)], b"-----") else { continue };
        let body = &behind[close + 5..];
        let has_key =
            body.split(|byte| !(byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'='))).take(64).any(|word| word.len() >= 32);
        let end = memmem::find(behind, b"-----END").map_or(at + mark.len() + behind.len(), |end| at + mark.len() + end);
        if has_key {
            found.push(begin..end);
        }
    }
    found
}

/// JSON Web Tokens: two objects in base64 and a signature.
fn tokens(text: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for begin in memmem::find_iter(text, b"eyJ") {
        if begin > 0 && Alphabet::Url.has(text[begin - 1]) {
            continue;
        }
        let first = begin + run(text, begin, Alphabet::Url);
        if text.get(first..first + 4) != Some(b".eyJ") {
            continue;
        }
        let second = first + 1 + run(text, first + 1, Alphabet::Url);
        let signature = if text.get(second) == Some(&b'.') { run(text, second + 1, Alphabet::Url) } else { 0 };
        if first - begin >= 17 && second - first >= 17 && signature >= 20 && is_random(&text[second + 1..=second + signature]) {
            found.push(begin..second + 1 + signature);
        }
    }
    found
}

/// `scheme://user:password@host`, where the password is no word and the host no example or machine of one's own.
fn addresses(text: &[u8]) -> Vec<Range<usize>> {
    let is_end =
        |byte: u8| byte.is_ascii_whitespace() || matches!(byte, b'/' | b'"' | b'\'' | b'<' | b'>' | b'`' | b'(' | b')' | b'?' | b'#');
    let mut found = Vec::new();
    for at in memmem::find_iter(text, b"://") {
        let rest = &text[at + 3..text.len().min(at + 3 + 512)];
        let rest = &rest[..rest.iter().position(|byte| is_end(*byte)).unwrap_or(rest.len())];
        let Some(host) = memchr::memrchr(b'@', rest) else { continue };
        let Some(colon) = memchr::memchr(b':', &rest[..host]) else { continue };
        let password = &rest[colon + 1..host];
        let is_placeholder = password.iter().any(|byte| matches!(byte, b'$' | b'{' | b'}' | b'*' | b'%' | b'[' | b']'));
        let has_both = password.iter().any(u8::is_ascii_digit) && password.iter().any(u8::is_ascii_alphabetic);
        let host_name = String::from_utf8_lossy(&rest[host + 1..]).to_ascii_lowercase();
        let is_somewhere = host_name.contains('.')
            && !["example", "localhost", "127.0.0.1", "0.0.0.0", ".local", ".test", ".invalid"].iter().any(|own| host_name.contains(own));
        if password.len() >= 8 && !is_placeholder && has_both && is_somewhere && is_random(password) {
            found.push(at + 3 + colon + 1..at + 3 + host);
        }
    }
    found
}

/// 32 hexadecimal digits, a dot, 16 letters and digits.
fn zai(text: &[u8]) -> Vec<Range<usize>> {
    let is_key = |dot: &usize| {
        run_back(text, *dot, Alphabet::Alnum) == 32
            && run_back(text, *dot, Alphabet::Hex) == 32
            && run(text, dot + 1, Alphabet::Word) == 16
            && text.get(dot + 17) != Some(&b'.')
            && is_random(&text[dot - 32..*dot])
            && is_mixed(&text[dot + 1..dot + 17])
    };
    memchr::memchr_iter(b'.', text).filter(is_key).map(|dot| dot - 32..dot + 17).collect()
}

/// Digits and letters of both cases: no name of a file or method.
fn is_mixed(value: &[u8]) -> bool {
    value.iter().any(u8::is_ascii_digit) && value.iter().any(u8::is_ascii_uppercase) && value.iter().any(u8::is_ascii_lowercase)
}

/// 40 characters behind the name that AWS's programs give the key.
fn aws(text: &[u8]) -> Vec<Range<usize>> {
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let mut found = Vec::new();
    for name in [&b"aws_secret_access_key"[..], b"AWS_SECRET_ACCESS_KEY", b"SecretAccessKey", b"secretAccessKey"] {
        for at in memmem::find_iter(text, name) {
            let behind = &text[at + name.len()..text.len().min(at + name.len() + 64)];
            let skip = behind.iter().take_while(|byte| matches!(byte, b' ' | b'=' | b':' | b'"' | b'\'' | b'\t')).count();
            let value: &[u8] = &behind[skip..];
            let length = value.iter().take_while(|byte| is_base64(byte)).count();
            if skip > 0 && length == 40 && is_random(&value[..40]) {
                found.push(at + name.len() + skip..at + name.len() + skip + 40);
            }
        }
    }
    found
}
