//! Whether the host's own login may become the store's.

use crate::core::login::backup::{About, Why};
use crate::core::login::{Login, Validity};

/// What `ai creds import` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The host's login becomes the store's.
    Adopt,
    /// Both are the same link of one chain already.
    Same,
    /// The store's stays; the host's is kept as a backup.
    Keep(ImportReason),
    Refuse(ImportReason),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportReason {
    HostIsNotGood(Validity),
    /// The store's login came out of the host's, which its server has refused since.
    HostIsOlder,
    StoreIsNewer,
    OtherAccount,
}

/// `kept` are the backups of the store's login: they know the earlier links of its chain. `replace` is the person's word
/// that the store's login may go.
pub fn decide(host: &Login, store: Option<&Login>, kept: &[About], replace: bool) -> Decision {
    if !host.is_good() {
        return Decision::Refuse(ImportReason::HostIsNotGood(host.validity));
    }
    let Some(store) = store.filter(|store| store.is_good()) else { return Decision::Adopt };
    if host.fingerprint == store.fingerprint {
        return Decision::Same;
    }
    let was_ours = kept.iter().any(|about| about.why == Why::Good && about.fingerprint == host.fingerprint);
    if was_ours && host.refresh {
        return Decision::Refuse(ImportReason::HostIsOlder);
    }
    if replace {
        return Decision::Adopt;
    }
    if host.clone().beside(store).validity == Validity::Foreign {
        return Decision::Refuse(ImportReason::OtherAccount);
    }
    if host.expires > store.expires { Decision::Adopt } else { Decision::Keep(ImportReason::StoreIsNewer) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::core::login::backup::By;

    fn login(token: &str, account: &str, expires: u64) -> Login {
        let text = format!(r#"{{"claudeAiOauth":{{"refreshToken":"{token}","expiresAt":{expires}000}},"organizationUuid":"{account}"}}"#);
        Login::read(text.as_bytes())
    }

    // F-05, Z-040, Z-041
    #[test]
    fn the_later_login_of_the_same_account_wins_and_nothing_older_comes_back() {
        let store = login("s", "me", 20);
        let old = login("old", "me", 10);
        let kept = [About {
            number: 1,
            why: Why::Good,
            by: By::Person,
            fingerprint: old.fingerprint.clone(),
            account: None,
            taken: 0,
            files: BTreeMap::new(),
        }];
        let check = |host: &Login, replace, expected| assert_eq!(decide(host, Some(&store), &kept, replace), expected);
        check(&login("h", "me", 30), false, Decision::Adopt);
        check(&login("h", "me", 20), false, Decision::Keep(ImportReason::StoreIsNewer));
        check(&login("h", "me", 10), true, Decision::Adopt);
        check(&store.clone(), false, Decision::Same);
        check(&login("h", "you", 30), false, Decision::Refuse(ImportReason::OtherAccount));
        check(&login("h", "you", 30), true, Decision::Adopt);
        check(&old, true, Decision::Refuse(ImportReason::HostIsOlder));
        check(&login("", "me", 30), true, Decision::Refuse(ImportReason::HostIsNotGood(Validity::Empty)));
    }

    #[test]
    fn an_empty_store_takes_what_is_good() {
        let host = login("h", "me", 1);
        assert_eq!(decide(&host, None, &[], false), Decision::Adopt);
        assert_eq!(decide(&host, Some(&login("", "me", 9)), &[], false), Decision::Adopt);
        assert_eq!(decide(&host, Some(&Login::read(b"{")), &[], false), Decision::Adopt);
    }
}
