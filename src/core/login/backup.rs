//! Which backups of a login to make, to keep and to go back to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::core::login::{Fingerprint, Login};

/// How many backups of each kind are kept.
const KEPT: usize = 10;

/// Why a backup was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Why {
    /// The login was good and not yet kept.
    Good,
    /// A command was about to replace what was there, whatever it was.
    Before,
    /// What an import did not take.
    Loser,
}

/// What a backup says about itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// Counts up; decides which is newer.
    pub number: u64,
    pub why: Why,
    pub fingerprint: Option<Fingerprint>,
    pub account: Option<String>,
    /// Seconds since 1970, for people.
    pub taken: u64,
    /// Name and SHA-256 of each file.
    pub files: BTreeMap<String, String>,
}

impl About {
    /// Name of its directory, and what a person types to restore it.
    pub fn name(&self) -> String {
        let why = match self.why {
            Why::Good => "good",
            Why::Before => "before",
            Why::Loser => "loser",
        };
        format!("{:04}-{why}", self.number)
    }
}

/// Whether `login` is worth a new backup beside `kept`. An empty, torn or foreign one is not, nor one from earlier in
/// the chain than what is kept already.
pub fn is_due(login: &Login, kept: &[About]) -> bool {
    let good: Vec<&About> = kept.iter().filter(|about| about.why == Why::Good).collect();
    let foreign = good.iter().max_by_key(|about| about.number).is_some_and(|newest| is_foreign(login, newest));
    login.is_good() && !foreign && !good.iter().any(|about| about.fingerprint == login.fingerprint)
}

fn is_foreign(login: &Login, about: &About) -> bool {
    login.account.is_some() && about.account.is_some() && login.account != about.account
}

pub fn next_number(kept: &[About]) -> u64 {
    kept.iter().map(|about| about.number).max().unwrap_or(0) + 1
}

/// The names of those that can go: all but the newest of each kind.
pub fn prunable(kept: &[About]) -> Vec<String> {
    let mut names = Vec::new();
    for why in [Why::Good, Why::Before, Why::Loser] {
        let mut of_kind: Vec<&About> = kept.iter().filter(|about| about.why == why).collect();
        of_kind.sort_unstable_by_key(|about| std::cmp::Reverse(about.number));
        names.extend(of_kind.into_iter().skip(KEPT).map(About::name));
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(token: &str, account: &str) -> Login {
        let account = if account.is_empty() { String::new() } else { format!(r#","account_id":"{account}""#) };
        Login::read(format!(r#"{{"tokens":{{"refresh_token":"{token}"{account}}}}}"#).as_bytes())
    }

    fn kept(number: u64, why: Why, login: &Login) -> About {
        let (fingerprint, account) = (login.fingerprint.clone(), login.account.clone());
        About { number, why, fingerprint, account, taken: 0, files: BTreeMap::new() }
    }

    // F2, Z-039, Z-040
    #[test]
    fn only_a_new_link_of_the_chain_is_kept() {
        let chain = [kept(1, Why::Good, &login("r1", "me")), kept(2, Why::Good, &login("r2", "me"))];
        assert!(is_due(&login("r1", "me"), &[]));
        assert!(is_due(&login("r3", "me"), &chain));
        assert!(is_due(&login("r3", ""), &chain));
        assert!(!is_due(&login("r2", "me"), &chain), "kept already");
        assert!(!is_due(&login("r1", "me"), &chain), "an older link");
        assert!(!is_due(&login("r3", "you"), &chain), "another account");
        assert!(!is_due(&login("", "me"), &chain), "emptied");
        assert!(!is_due(&Login::read(b"{\"tok"), &chain), "torn");
        assert!(is_due(&login("r3", "me"), &[kept(1, Why::Before, &login("r3", "me"))]), "a snapshot is no last-good backup");
    }

    // G-07
    #[test]
    fn the_newest_ten_of_each_kind_stay() {
        let mut all: Vec<About> = (1..=13).map(|number| kept(number, Why::Good, &login("r", ""))).collect();
        all.push(kept(14, Why::Before, &login("r", "")));
        assert_eq!(prunable(&all), ["0003-good", "0002-good", "0001-good"]);
        assert_eq!(next_number(&all), 15);
        assert_eq!(next_number(&[]), 1);
    }
}
