//! Which backups of a login to make, to keep and to go back to.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::core::login::{Fingerprint, Login};

/// How many backups of each kind are kept; of those that runs made, time decides.
const KEPT: usize = 10;
/// New links of chains that runs may leave in a day. A tool renews its login every eight hours at most; who leaves more is making
/// them up, or somebody logs in again and again.
const NEW_IN_A_DAY: usize = 6;

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;
const WEEK: u64 = 7 * DAY;

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

/// Whose login it was when it was kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// The person logged in, took it over, or asked for the backup. An older program's backups do not say, and count as these.
    #[default]
    Person,
    /// It was there after a run, and a container can write whatever it likes.
    Run,
}

/// Whether a login is worth a new backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worth {
    No,
    New,
    /// Runs left too many new ones lately.
    Flood,
}

/// What a backup says about itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// Counts up; decides which is newer.
    pub number: u64,
    pub why: Why,
    #[serde(default)]
    pub by: By,
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

/// Returns what a new backup of `login` beside `kept` is worth. An empty, torn or foreign one is not worth any, nor one from earlier in the
/// chain than what is kept already. What a run left proves nothing about the person, so the person's own is kept beside it.
pub fn worth(login: &Login, by: By, kept: &[About], now: u64) -> Worth {
    let good: Vec<&About> = kept.iter().filter(|about| about.why == Why::Good).collect();
    let foreign = by == By::Run && good.iter().max_by_key(|about| about.number).is_some_and(|newest| is_foreign(login, newest));
    let known = good.iter().any(|about| about.fingerprint == login.fingerprint && (by == By::Run || about.by == By::Person));
    if !login.is_good() || foreign || known {
        return Worth::No;
    }
    if by == By::Run && lately(&good, now) >= NEW_IN_A_DAY { Worth::Flood } else { Worth::New }
}

/// Returns how many runs left one in the day before.
fn lately(good: &[&About], now: u64) -> usize {
    good.iter().filter(|about| about.by == By::Run && now.saturating_sub(about.taken) < DAY).count()
}

/// Returns the backups that a person means by the last good one, best first: the newest, but what a flood of new ones left comes last.
pub fn last_good(kept: &[About]) -> Vec<&About> {
    let mut good: Vec<&About> = kept.iter().filter(|about| about.why == Why::Good).collect();
    good.sort_unstable_by_key(|about| std::cmp::Reverse(about.number));
    let is_of_flood = |about: &&About| {
        let around = |other: &&&About| other.by == By::Run && other.taken.abs_diff(about.taken) < DAY;
        about.by == By::Run && good.iter().filter(around).count() >= NEW_IN_A_DAY
    };
    let (flood, mut best): (Vec<&About>, Vec<&About>) = good.iter().copied().partition(is_of_flood);
    best.extend(flood);
    best
}

fn is_foreign(login: &Login, about: &About) -> bool {
    login.account.is_some() && about.account.is_some() && login.account != about.account
}

pub fn next_number(kept: &[About]) -> u64 {
    kept.iter().map(|about| about.number).max().unwrap_or(0) + 1
}

/// Returns the names of those that can go: all but the newest of each kind. Of what runs left, one of each hour of the last day stays, one
/// of each day of the last week, one of each week before that; and nothing that runs leave pushes out what is the person's.
pub fn prunable(kept: &[About], now: u64) -> Vec<String> {
    let mut names = Vec::new();
    for (why, by) in [(Why::Good, By::Person), (Why::Before, By::Person), (Why::Loser, By::Person), (Why::Good, By::Run)] {
        let of_kind = |about: &&About| about.why == why && (about.by == by || why != Why::Good);
        let mut of_kind: Vec<&About> = kept.iter().filter(of_kind).collect();
        of_kind.sort_unstable_by_key(|about| std::cmp::Reverse(about.number));
        if by == By::Run {
            let mut ages = BTreeSet::new();
            let goes = |about: &&About| age(now.saturating_sub(about.taken)).is_some_and(|age| !ages.insert(age));
            names.extend(of_kind.into_iter().filter(goes).map(About::name));
        } else {
            names.extend(of_kind.into_iter().skip(KEPT).map(About::name));
        }
    }
    names
}

/// Returns what counts as the same age; within the hour, nothing does.
fn age(seconds: u64) -> Option<(u64, u64)> {
    let unit = match seconds {
        0..HOUR => return None,
        HOUR..DAY => HOUR,
        DAY..WEEK => DAY,
        _ => WEEK,
    };
    Some((unit, seconds / unit))
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
        About { number, why, by: By::Run, fingerprint, account, taken: 0, files: BTreeMap::new() }
    }

    // F2, Z-039, Z-040
    #[test]
    fn only_a_new_link_of_the_chain_is_kept() {
        let chain = [kept(1, Why::Good, &login("r1", "me")), kept(2, Why::Good, &login("r2", "me"))];
        let check =
            |login: &Login, kept: &[About], expected, why: &str| assert_eq!(worth(login, By::Run, kept, 5 * DAY), expected, "{why}");
        check(&login("r1", "me"), &[], Worth::New, "the first");
        check(&login("r3", "me"), &chain, Worth::New, "the next");
        check(&login("r3", ""), &chain, Worth::New, "it does not say whose");
        check(&login("r2", "me"), &chain, Worth::No, "kept already");
        check(&login("r1", "me"), &chain, Worth::No, "an older link");
        check(&login("r3", "you"), &chain, Worth::No, "another account");
        check(&login("", "me"), &chain, Worth::No, "emptied");
        check(&Login::read(b"{\"tok"), &chain, Worth::No, "torn");
        check(&login("r3", "me"), &[kept(1, Why::Before, &login("r3", "me"))], Worth::New, "a snapshot is no last-good backup");
        assert_eq!(worth(&login("r2", "me"), By::Person, &chain, 0), Worth::New, "the person's own is kept beside what a run left");
        assert_eq!(worth(&login("r3", "you"), By::Person, &chain, 0), Worth::New, "the person may be another one");
    }

    // BO-10
    #[test]
    fn what_runs_leave_never_pushes_out_the_person_s_own() {
        let mut all = vec![About { by: By::Person, ..kept(1, Why::Good, &login("mine", "")) }];
        for run in 2..=32 {
            let made_up = login(&format!("fake{run}"), "");
            if worth(&made_up, By::Run, &all, run) == Worth::New {
                all.push(About { taken: run, ..kept(run, Why::Good, &made_up) });
            }
            let gone = prunable(&all, run);
            all.retain(|about| !gone.contains(&about.name()));
        }
        assert_eq!(all.len(), 1 + NEW_IN_A_DAY);
        assert_eq!(worth(&login("next", ""), By::Run, &all, 40), Worth::Flood);
        assert_eq!(worth(&login("next", ""), By::Run, &all, 40 + DAY), Worth::New, "tomorrow is another day");
        assert_eq!(last_good(&all)[0].number, 1, "{all:?}");
        // A few are what an ordinary day leaves, and the newest of them is the one that works.
        all.truncate(4);
        assert_eq!(last_good(&all)[0].number, 4);
    }

    // BO-10: the number, which we count up where no container is, and nothing that a clock or a name says.
    #[test]
    fn the_last_good_one_is_the_one_that_was_kept_last() {
        let own = |number, taken| About { by: By::Person, taken, ..kept(number, Why::Good, &login("r", "")) };
        let all = [own(10_000, 1), own(9_999, 3 * DAY), About { number: 10_001, why: Why::Before, ..own(0, 9 * DAY) }, own(9, 2 * DAY)];
        let found: Vec<u64> = last_good(&all).iter().map(|about| about.number).collect();
        assert_eq!(found, [10_000, 9_999, 9]);
        assert_eq!(next_number(&all), 10_002);
    }

    #[test]
    fn what_runs_leave_gets_thinner_with_age() {
        let at = |number: u64, taken| About { taken, ..kept(number, Why::Good, &login("r", "")) };
        let now = 100 * WEEK;
        let all = [
            at(1, now - 9 * DAY),
            at(2, now - 8 * DAY),
            at(3, now - 2 * DAY - 9),
            at(4, now - 2 * DAY - 8),
            at(5, now - 9),
            at(6, now - 8),
        ];
        assert_eq!(prunable(&all, now), ["0003-good", "0001-good"]);
    }

    // G-07
    #[test]
    fn the_newest_ten_of_each_kind_stay() {
        let own = |number| About { by: By::Person, ..kept(number, Why::Good, &login("r", "")) };
        let mut all: Vec<About> = (1..=13).map(own).collect();
        all.push(kept(14, Why::Before, &login("r", "")));
        assert_eq!(prunable(&all, 0), ["0003-good", "0002-good", "0001-good"]);
        assert_eq!(next_number(&all), 15);
        assert_eq!(next_number(&[]), 1);
    }
}
