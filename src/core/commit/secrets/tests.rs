//! What is a key and what only looks like one. The keys are put together here, so that this file holds none.

use super::*;
use crate::core::commit::patch;

/// Characters that nobody chose, from a small generator: the same in every run.
fn drawn(alphabet: &str, length: usize, seed: u64) -> String {
    let letters: Vec<char> = alphabet.chars().collect();
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap()
    };
    (0..length).map(|_| letters[next() % letters.len()]).collect()
}

const ALNUM: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const HEX: &str = "0123456789abcdef";

fn letters(alphabet: Alphabet) -> &'static str {
    match alphabet {
        Alphabet::Upper => UPPER,
        Alphabet::Hex => HEX,
        _ => ALNUM,
    }
}

fn names(text: &str) -> Vec<&'static str> {
    KeyScanner::default().secrets(text.as_bytes()).iter().map(|secret| secret.rule).collect()
}

// J-08, Q-03: every row of the table, in the places where keys stand.
#[test]
fn every_shape_is_found_wherever_it_stands() {
    for (seed, rule) in (1..).zip(&RULES) {
        let key = format!("{}{}", rule.start, drawn(letters(rule.alphabet), rule.length.0, seed));
        for text in [
            key.clone(),
            format!("TOKEN={key}"),
            format!("{{\"key\": \"{key}\"}}"),
            format!("-H 'Authorization: Bearer {key}'\n"),
            format!("a({key})"),
        ] {
            assert_eq!(names(&text), [rule.name], "{} in {text}", rule.start);
        }
    }
}

#[test]
fn one_character_too_few_or_another_before_it_is_no_key() {
    for (seed, rule) in (1..).zip(&RULES) {
        let key = format!("{}{}", rule.start, drawn(letters(rule.alphabet), rule.length.0 - 1, seed));
        assert!(names(&format!("x {key} y")).iter().all(|name| *name != rule.name), "{key}");
        let joined = format!("q{}{}", rule.start, drawn(letters(rule.alphabet), rule.length.0, seed));
        assert_eq!(names(&joined), Vec::<&str>::new(), "{joined}");
    }
}

//
#[test]
fn what_only_looks_like_a_key_is_none() {
    let repeated = "x".repeat(36);
    let texts = [
        "the key alone, a Key, api_key, KEY=, secret: password".to_owned(),
        format!("{}IOSFODNN7EXAMPLE", "AKIA"),
        format!("{}{repeated}", "ghp_"),
        format!("{}{}", "ghp_", "0".repeat(36)),
        "sk-ant-... and sk-proj-<yours>, ghp_*".to_owned(),
        format!("{}your-key-goes-here-put-it-into-the-file", "sk-ant-"),
        "sk-fading-circle sk-cube-grid task-0123456789012345678901234567890123".to_owned(),
        "-----BEGIN RSA PRIVATE KEY----- is how one begins".to_owned(),
        "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA7\n".to_owned(),
        "postgres://user:password@localhost/db postgres://u:${PASSWORD}@db.internal.net/x http://a:b@c.d".to_owned(),
        "https://user:s3cretpassw0rd@example.com ssh://git@github.com:22/x".to_owned(),
        format!("sha256 {} and {}.js", drawn(HEX, 64, 3), drawn(HEX, 32, 4)),
        format!("{}.{}", drawn(HEX, 32, 5), "some_method_name"),
        format!("\"integrity\": \"sha512-{}==\"", drawn(ALNUM, 86, 6)),
        format!("aws_secret_access_key = {}", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        "eyJhbGciOiJIUzI1NiJ9 alone".to_owned(),
    ];
    for text in texts {
        assert_eq!(names(&text), Vec::<&str>::new(), "{text}");
    }
}

// J-08
#[test]
fn shapes_without_a_prefix_are_found() {
    let key = drawn(ALNUM, 64, 7);
    let check = |text: String, rule: &str| assert_eq!(names(&text), [rule], "{text}");
    for head in ["", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED "] {
        check(format!("-----BEGIN {head}PRIVATE KEY-----\n+{key}\n+-----END {head}PRIVATE KEY-----"), "private key");
    }
    check(format!("\"-----BEGIN PRIVATE KEY-----\\n{key}\\n-----END PRIVATE KEY-----\\n\""), "private key");
    check(format!("-----BEGIN PGP PRIVATE KEY BLOCK-----\n+\n+{key}\n"), "private key");
    check(format!("eyJ{}.eyJ{}.{}", drawn(ALNUM, 20, 8), drawn(ALNUM, 40, 9), drawn(ALNUM, 43, 10)), "signed token");
    check(format!("url = postgres://app:{}@db.prod.net:5432/x", "hV7kq2Lm9Zr1"), "address with a password");
    check(format!("ZAI_API_KEY={}.{}", drawn(HEX, 32, 11), "aB3dE5gH7jK9mN1p"), "Z.AI key");
    check(format!("aws_secret_access_key = {}", drawn(ALNUM, 40, 12)), "AWS secret key");
}

// J-08
#[test]
fn a_finding_names_file_line_and_rule_and_only_what_is_added() {
    let key = format!("{}{}", "ghp_", drawn(ALNUM, 36, 13));
    let diff = format!(
        "diff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -5,3 +7,4 @@\n {key}\n-{key}\n+one\n+two {key} {key}\n three\ndiff --git a/b b/b\n--- a/b\n+++ b/b\n@@ -1,1 +1,0 @@\n-{key}\n"
    );
    let files = patch::files(diff.as_bytes());
    let findings = KeyScanner::default().findings(&files);
    assert_eq!(findings, [FoundKey { path: "a".into(), line: 9, rule: "GitHub token" }]);
    let redacted = String::from_utf8(KeyScanner::default().redacted(diff.as_bytes())).unwrap();
    assert!(!redacted.contains(&key) && redacted.matches("[GitHub token]").count() == 5, "{redacted}");
    assert_eq!(redacted.replace("[GitHub token]", &key), diff);
}
