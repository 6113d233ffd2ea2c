//! What of a request goes along with a key beside its body: fields and words of the query that are listed, and nothing else.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

/// What programs say of any request: it chooses no account, no address and no other request.
const GENERAL: [&str; 9] = [
    "accept",
    "accept-encoding",
    "accept-language",
    "content-encoding",
    "content-length",
    "content-type",
    "sec-fetch-mode",
    "transfer-encoding",
    "user-agent",
];

/// The name of a field, or of a word of a query, as it is listed; `*` at its end is any rest.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct FieldName(String);

impl FromStr for FieldName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let start = text.strip_suffix('*').unwrap_or(text);
        let is_name = !start.is_empty() && start.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b));
        // `x-*` would be nearly all that there are, keys and accounts among them.
        let is_narrow = start.len() == text.len() || start.len() > "x-".len();
        let why = "is no name such as anthropic-version or x-stainless-*, in small letters";
        (is_name && is_narrow).then(|| Self(text.to_owned())).ok_or_else(|| format!("`{text}` {why}"))
    }
}

impl TryFrom<String> for FieldName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl fmt::Display for FieldName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Returns whether a name in small letters is in a list.
fn is_listed(list: &[String], name: &str) -> bool {
    list.iter().any(|listed| listed.strip_suffix('*').map_or(listed == name, |start| name.starts_with(start)))
}

/// Returns whether a field of this name, in small letters, goes along.
pub(super) fn goes_along(fields: &[String], name: &str) -> bool {
    GENERAL.contains(&name) || is_listed(fields, name)
}

/// Returns what is left of a query, and the names of what is not; `None` where it could be read in two ways.
pub(super) fn query_of(listed: &[String], query: &str) -> Option<(String, Vec<String>)> {
    let is_plain = query.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~=&,:".contains(&byte));
    let name = |pair: &&str| pair.split('=').next().unwrap_or_default().to_owned();
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let (kept, dropped): (Vec<&str>, Vec<&str>) = pairs.partition(|pair| is_listed(listed, &name(pair)));
    is_plain.then(|| (kept.join("&"), dropped.iter().map(|pair| format!("?{}", name(pair))).collect()))
}
