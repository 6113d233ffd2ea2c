//! Logins as values: what a credential file says about itself, which of two is the later one, and what is worth keeping.
//!
//! No secret leaves this module: a token is known to the rest of the program only by its fingerprint.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::core::text::digest::sha256;

pub mod any;
pub mod backup;
pub mod import;
pub mod migrate;
pub mod turn;

/// What a credential file is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Validity {
    /// Holds a token.
    Good,
    /// Parses, but holds no token: what a tool leaves after a refused refresh or a logout.
    Empty,
    /// No JSON document: cut off, or two in one.
    Torn,
    /// Good, but of another account than the one that it is compared with.
    Foreign,
}

/// What a credential file says, without the credentials.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Login {
    pub validity: Validity,
    pub account: Option<String>,
    /// When the access token ends, in seconds since 1970; `None` where it does not say.
    pub expires: Option<u64>,
    /// Whether it can renew itself.
    pub refresh: bool,
    pub fingerprint: Option<Fingerprint>,
}

/// First 16 hexadecimal digits of the SHA-256 of a refresh token (or of what stands in for one): names a link of a
/// chain of rotated tokens.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Fingerprint(String);

impl Fingerprint {
    fn of(secret: &str) -> Self {
        Self(sha256(secret.as_bytes())[..16].to_owned())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Where the tools keep what, as JSON pointers. Times are milliseconds since 1970; codex has its own inside the token.
struct LoginShape {
    refresh: &'static str,
    access: &'static str,
    expires: &'static str,
}

const SHAPES: [LoginShape; 3] = [
    LoginShape { refresh: "/claudeAiOauth/refreshToken", access: "/claudeAiOauth/accessToken", expires: "/claudeAiOauth/expiresAt" },
    LoginShape { refresh: "/tokens/refresh_token", access: "/tokens/access_token", expires: "" },
    LoginShape { refresh: "/refresh_token", access: "/access_token", expires: "/expiry_date" },
];

/// An API key that codex keeps in place of tokens.
const KEY: &str = "/OPENAI_API_KEY";
/// Who the login belongs to, where it says so.
const ACCOUNTS: [&str; 2] = ["/tokens/account_id", "/organizationUuid"];
const IDENTITIES: [&str; 2] = ["/tokens/id_token", "/id_token"];

impl Login {
    /// Reads a credential document of any of the tools.
    pub fn read(bytes: &[u8]) -> Self {
        let nothing = |validity| Self { validity, account: None, expires: None, refresh: false, fingerprint: None };
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return nothing(Validity::Empty);
        }
        let Ok(document @ Value::Object(_)) = serde_json::from_slice::<Value>(bytes) else { return nothing(Validity::Torn) };
        let text = |pointer: &str| document.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty());
        let shape = SHAPES.iter().find(|shape| text(shape.refresh).or_else(|| text(shape.access)).is_some());
        let (refresh, access) = shape.map_or((None, None), |shape| (text(shape.refresh), text(shape.access)));
        let Some(secret) = refresh.or(access).or_else(|| text(KEY)) else { return nothing(Validity::Empty) };
        let said = shape.and_then(|shape| document.pointer(shape.expires)?.as_u64()).map(|milliseconds| milliseconds / 1000);
        let account = IDENTITIES.iter().find_map(|pointer| claims(text(pointer)?)?.get("email")?.as_str().map(str::to_owned));
        Self {
            validity: Validity::Good,
            account: account.or_else(|| ACCOUNTS.iter().find_map(|pointer| text(pointer).map(str::to_owned))),
            expires: said.or_else(|| claims(access?)?.get("exp")?.as_u64()),
            refresh: refresh.is_some(),
            fingerprint: Some(Fingerprint::of(secret)),
        }
    }

    pub fn is_good(&self) -> bool {
        self.validity == Validity::Good
    }

    /// This login as seen by the holder of another: foreign if both say whose they are and differ.
    #[must_use]
    pub fn beside(mut self, other: &Self) -> Self {
        if self.is_good() && self.account.is_some() && other.account.is_some() && self.account != other.account {
            self.validity = Validity::Foreign;
        }
        self
    }
}

/// Returns the claims of a signed token, unverified: they are only shown.
fn claims(token: &str) -> Option<Value> {
    serde_json::from_slice(&base64url(token.split('.').nth(1)?)?).ok()
}

/// RFC 4648 §5, without padding.
fn base64url(text: &str) -> Option<Vec<u8>> {
    let (mut bytes, mut buffer, mut bits) = (Vec::new(), 0_u32, 0);
    for byte in text.trim_end_matches('=').bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'-' => 62,
            b'_' => 63,
            _ => return None,
        };
        buffer = (buffer << 6 | u32::from(value)) & 0xffff;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((buffer >> bits & 0xff) as u8);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, validity: Validity, account: Option<&str>, expires: Option<u64>, refresh: bool) {
        let login = Login::read(text.as_bytes());
        assert_eq!(
            (login.validity, login.account.as_deref(), login.expires, login.refresh, login.fingerprint.is_some()),
            (validity, account, expires, refresh, validity == Validity::Good)
        );
    }

    // The middle part of each token: {"email":"a@b.c"} and {"exp":17}.
    #[test]
    fn each_tool_s_document_is_understood() {
        use Validity::Good;
        check(r#"{"claudeAiOauth":{"accessToken":"a","refreshToken":"r","expiresAt":17000}}"#, Good, None, Some(17), true);
        check(r#"{"claudeAiOauth":{"accessToken":"a"},"organizationUuid":"o"}"#, Good, Some("o"), None, false);
        check(
            r#"{"tokens":{"id_token":"x.eyJlbWFpbCI6ImFAYi5jIn0.y","access_token":"x.eyJleHAiOjE3fQ.y","refresh_token":"r","account_id":"i"}}"#,
            Good,
            Some("a@b.c"),
            Some(17),
            true,
        );
        check(r#"{"OPENAI_API_KEY":"k","tokens":null}"#, Good, None, None, false);
        check(r#"{"access_token":"a","refresh_token":"r","expiry_date":17999}"#, Good, None, Some(17), true);
    }

    // Z-036, Z-039
    #[test]
    fn what_holds_no_token_is_not_good() {
        use Validity::{Empty, Torn};
        check("", Empty, None, None, false);
        check(" \n", Empty, None, None, false);
        check("{}", Empty, None, None, false);
        check(r#"{"claudeAiOauth":{"accessToken":"","refreshToken":"","expiresAt":5}}"#, Empty, None, None, false);
        check(r#"{"OPENAI_API_KEY":null,"tokens":null}"#, Empty, None, None, false);
        check(r#"{"access_token":"a","refresh"#, Torn, None, None, false);
        check(r#"{"access_token":"a"}{"access_token":"b"}"#, Torn, None, None, false);
        check(r#"["a"]"#, Torn, None, None, false);
    }

    #[test]
    fn the_fingerprint_is_the_refresh_token_s_and_nothing_else_s() {
        let of = |text: &str| Login::read(text.as_bytes()).fingerprint.unwrap();
        let login = of(r#"{"access_token":"a","refresh_token":"r"}"#);
        assert_eq!(login.as_str(), &sha256(b"r")[..16]);
        assert_eq!(login, of(r#"{"access_token":"later","refresh_token":"r","expiry_date":9}"#));
        assert_ne!(login, of(r#"{"access_token":"a","refresh_token":"r2"}"#));
    }

    // Z-040
    #[test]
    fn another_account_is_foreign_only_where_both_say_so() {
        let login = |account: &str| Login::read(format!(r#"{{"tokens":{{"refresh_token":"r"{account}}}}}"#).as_bytes());
        let (one, two, unknown) = (login(r#","account_id":"1""#), login(r#","account_id":"2""#), login(""));
        assert_eq!(one.clone().beside(&two).validity, Validity::Foreign);
        assert_eq!(one.clone().beside(&one).validity, Validity::Good);
        assert_eq!(one.clone().beside(&unknown).validity, Validity::Good);
        assert_eq!(unknown.beside(&one).validity, Validity::Good);
    }
}
