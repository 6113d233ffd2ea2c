//! Whether sessions that share a login have to start one after another.

use crate::core::tool::manifest::Manifest;

use crate::core::login::Login;

/// Whether the program in the image (of this `version`, as far as that is known) is older than the first that may share
/// this login, so that its sessions run one at a time.
pub fn is_needed(manifest: &Manifest, version: Option<&str>, login: &Login) -> bool {
    let old = version.zip(manifest.min_version.as_deref()).is_some_and(|(version, oldest)| is_older(version, oldest));
    old && login.is_good() && login.refresh
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

    #[test]
    fn an_old_program_with_a_login_that_rotates_runs_alone() {
        let manifest: Manifest = toml::from_str("min_version = '2.1.211'").unwrap();
        let check = |version, document: &str, expected| {
            assert_eq!(is_needed(&manifest, version, &Login::read(document.as_bytes())), expected, "{version:?} {document}");
        };
        let login = r#"{"refresh_token":"r"}"#;
        check(Some("2.1.99"), login, true);
        check(Some("2.0.900"), login, true);
        check(Some("2.1.211"), login, false);
        check(Some("2.1.330-beta"), login, false);
        check(None, login, false);
        check(Some("2.1.99"), r#"{"access_token":"a"}"#, false);
        check(Some("2.1.99"), "{}", false);
    }
}
