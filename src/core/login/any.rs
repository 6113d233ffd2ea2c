//! Logins of a shape that nobody told us: whatever a tool keeps where its credentials are, if it is more than empty.

use serde_json::Value;

use crate::core::login::{Fingerprint, Login, Validity};

/// Names under which programs keep a token with which a login renews itself.
const RENEWS: [&str; 3] = ["refresh", "refresh_token", "refreshToken"];

/// Reads a document of any shape: a JSON object with a text that is not empty, or lines `NAME=value`.
pub fn read(bytes: &[u8]) -> Login {
    let known = Login::read(bytes);
    if known.is_good() {
        return known;
    }
    match serde_json::from_slice::<Value>(bytes) {
        Ok(document @ Value::Object(_)) => {
            let (mut texts, mut refresh) = (Vec::new(), Vec::new());
            collect(&document, "", &mut texts, &mut refresh);
            found(&texts, &refresh)
        }
        Ok(_) => known,
        Err(_) => match std::str::from_utf8(bytes).ok().and_then(assignments) {
            Some(values) => found(&values.iter().map(String::as_str).collect::<Vec<_>>(), &[]),
            None => known,
        },
    }
}

/// Returns what these texts are: a login where there is one, which renews itself where one of them does that.
fn found(texts: &[&str], refresh: &[&str]) -> Login {
    let secrets = if refresh.is_empty() { texts } else { refresh };
    let fingerprint = (!secrets.is_empty()).then(|| Fingerprint::of(&secrets.join("\n")));
    let validity = if fingerprint.is_some() { Validity::Good } else { Validity::Empty };
    Login { validity, account: None, expires: None, refresh: !refresh.is_empty(), fingerprint }
}

/// Takes every text of a document, and those beside by their names which renew.
fn collect<'a>(value: &'a Value, name: &str, texts: &mut Vec<&'a str>, refresh: &mut Vec<&'a str>) {
    match value {
        Value::String(text) if !text.trim().is_empty() => {
            texts.push(text);
            if RENEWS.contains(&name) {
                refresh.push(text);
            }
        }
        Value::Object(map) => map.iter().for_each(|(name, value)| collect(value, name, texts, refresh)),
        Value::Array(list) => list.iter().for_each(|value| collect(value, name, texts, refresh)),
        _ => {}
    }
}

/// Returns the values of an `.env` that are not empty; `None` for what is none.
fn assignments(text: &str) -> Option<Vec<String>> {
    let mut values = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (name, value) = line.strip_prefix("export ").unwrap_or(line).split_once('=')?;
        let is_name = !name.is_empty() && name.trim().bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !is_name {
            return None;
        }
        let value = value.trim().trim_matches(['"', '\'']);
        values.extend((!value.is_empty()).then(|| value.to_owned()));
    }
    Some(values)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, validity: Validity, refresh: bool) {
        let login = read(text.as_bytes());
        assert_eq!((login.validity, login.refresh, login.fingerprint.is_some()), (validity, refresh, validity == Validity::Good), "{text}");
    }

    // TO-03: the documents of opencode, pi, cline and vibe.
    #[test]
    fn whatever_is_more_than_empty_is_a_login() {
        use Validity::{Empty, Good, Torn};
        check(r#"{"groq":{"type":"api","key":"k"}}"#, Good, false);
        check(r#"{"openai":{"type":"oauth","refresh":"r","access":"a","expires":17}}"#, Good, true);
        check(r#"{"providers":{"x":{"settings":{"apiKey":"k"}}}}"#, Good, false);
        check("# mine\nexport MISTRAL_API_KEY='k'\n", Good, false);
        check(r#"{"access_token":"a","refresh_token":"r","expires_at":17}"#, Good, true);
        for empty in ["", " \n", "{}", r#"{"x":{"key":""}}"#, r#"{"x":null}"#, "# nothing\n", "KEY=\nOTHER=''\n"] {
            check(empty, Empty, false);
        }
        for torn in [r#"{"groq":{"type":"api","#, "[1]", "no login", "a b=c", "{\"a\":\"b\"}{\"c\":\"d\"}"] {
            check(torn, Torn, false);
        }
    }

    #[test]
    fn a_new_access_token_is_no_other_login() {
        let of = |access: &str| read(format!(r#"{{"openai":{{"refresh":"r","access":"{access}"}}}}"#).as_bytes()).fingerprint;
        assert_eq!(of("a"), of("b"));
        assert_ne!(of("a"), read(br#"{"openai":{"refresh":"r2","access":"a"}}"#).fingerprint);
    }
}
