//! Whether sessions that share a login have to start one after another.

use crate::tool::Manifest;

use super::Login;

/// Why a session waits for others of its tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// The program is older than the first that may share a login: one session at a time.
    Alone,
    /// The login is due, and the program renews without a lock that other containers see: the first session renews,
    /// the others wait until it has.
    Renewal,
}

/// `version` is the program's in the image, as far as that is known.
pub fn needed(manifest: &Manifest, version: Option<&str>, login: &Login, now: u64) -> Option<Turn> {
    if !login.is_good() || !login.refresh {
        return None;
    }
    let oldest = manifest.min_version.as_deref();
    if let (Some(version), Some(oldest)) = (version, oldest)
        && is_older(version, oldest)
    {
        return Some(Turn::Alone);
    }
    let unlocked = manifest.state.as_ref().is_some_and(|state| state.login.unlocked);
    (unlocked && login.is_due(now)).then_some(Turn::Renewal)
}

/// Compares dotted numbers; what follows a `-` does not count.
fn is_older(version: &str, than: &str) -> bool {
    let numbers = |text: &str| -> Vec<u64> {
        let plain = text.trim_start_matches('v').split(['-', '+', ' ']).next().unwrap_or_default();
        plain.split('.').map(|part| part.parse().unwrap_or(0)).collect()
    };
    numbers(version) < numbers(than)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(manifest: &str, version: Option<&str>, document: &str, expected: Option<Turn>) {
        let manifest: Manifest = toml::from_str(manifest).unwrap();
        assert_eq!(needed(&manifest, version, &Login::read(document.as_bytes()), 1000), expected);
    }

    #[test]
    fn an_old_program_runs_alone() {
        let manifest = "min_version = '2.1.211'";
        let login = r#"{"refresh_token":"r","expiry_date":9999000}"#;
        check(manifest, Some("2.1.99"), login, Some(Turn::Alone));
        check(manifest, Some("2.1.211"), login, None);
        check(manifest, Some("2.1.330-beta"), login, None);
        check(manifest, Some("2.0.900"), login, Some(Turn::Alone));
        check(manifest, None, login, None);
        check(manifest, Some("2.1.99"), r#"{"access_token":"a"}"#, None);
        check(manifest, Some("2.1.99"), "{}", None);
    }

    #[test]
    fn a_login_that_is_due_is_renewed_by_one_session_of_a_program_without_a_lock() {
        let (unlocked, locked) = ("[state.login]\nunlocked = true", "[state.login]\n");
        let due = r#"{"refresh_token":"r","expiry_date":1299000}"#;
        check(unlocked, None, due, Some(Turn::Renewal));
        check(locked, None, due, None);
        check(unlocked, None, r#"{"refresh_token":"r","expiry_date":1301000}"#, None);
        check(unlocked, None, r#"{"access_token":"a","expiry_date":1000}"#, None);
    }
}
