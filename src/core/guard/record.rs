//! What a helper saw in one run, and how it is said afterwards.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::core::guard::EgressRefusal;
use crate::core::guard::key::KeyRefusal;
use crate::core::guard::key::listed::Listed;
use crate::core::guard::page::PageRefusal;
use crate::core::guard::peer::Peer;
use crate::core::guard::rule::{EgressRule, EgressRules};
use crate::core::text::typed::typed;
use crate::core::text::visible::visible;

/// Most peers that are kept by name; the others are counted.
const MOST: usize = 200;
/// Most letters of a field's name that are kept.
const LONGEST_NAME: usize = 60;
/// Most peers that the line names.
const MOST_SAID: usize = 4;

/// What was let out, what was not, how often.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct GuardRecord {
    /// Whether the helper came to its own end.
    pub ended: bool,
    /// Connections by host and port.
    pub allowed: BTreeMap<String, u64>,
    pub blocked: Vec<Blocked>,
    /// Blocked requests to peers that there was no room for.
    pub more: u64,
    /// What the agent was asked for and did not do, by what it was.
    pub refused: BTreeMap<String, u64>,
    /// Connections that were one too many at a time.
    pub crowded: u64,
    /// Requests that got the person's key, and those that did not, by what they were.
    pub keyed: BTreeMap<String, u64>,
    pub unkeyed: BTreeMap<String, u64>,
    /// Fields of these, and words of their queries, that did not go along.
    pub dropped: BTreeMap<String, u64>,
    /// How often a control file was put back while the run lasted.
    pub mended: u64,
    /// Pages of logins that were opened, and what was not, by what it was.
    pub opened: u64,
    pub shut: BTreeMap<String, u64>,
    /// Pictures of the clipboard that were handed over.
    pub pictures: u64,
    /// Why control files were not watched to the end.
    pub unwatched: Option<String>,
}

/// One peer that was not reached, for one reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blocked {
    pub peer: String,
    pub why: EgressRefusal,
    pub count: u64,
}

impl GuardRecord {
    pub fn allow(&mut self, peer: &Peer) {
        let peer = peer.to_string();
        if self.allowed.len() < MOST || self.allowed.contains_key(&peer) {
            *self.allowed.entry(peer).or_default() += 1;
        }
    }

    /// Counts a peer by what a container called it.
    pub fn block(&mut self, peer: &str, why: &EgressRefusal) {
        let has_room = self.blocked.len() < MOST;
        match self.blocked.iter_mut().find(|known| known.peer == peer && known.why == *why) {
            Some(known) => known.count += 1,
            None if has_room => self.blocked.push(Blocked { peer: peer.to_owned(), why: why.clone(), count: 1 }),
            None => self.more += 1,
        }
    }

    /// Counts what the agent did not do.
    pub fn refuse(&mut self, what: &str) {
        if self.refused.len() < MOST || self.refused.contains_key(what) {
            *self.refused.entry(what.to_owned()).or_default() += 1;
        }
    }

    /// Counts a request that was to get the person's key, by what was asked; `why` it did not.
    pub fn key(&mut self, asked: &str, why: Option<&str>) {
        let (map, what) = match why {
            None => (&mut self.keyed, asked.to_owned()),
            Some(why) => (&mut self.unkeyed, format!("{asked} ({why})")),
        };
        if map.len() < MOST || map.contains_key(&what) {
            *map.entry(what).or_default() += 1;
        }
    }

    /// Counts fields, by names that a container made up, which did not go along with the person's key.
    pub fn drop_fields(&mut self, names: &[String]) {
        for name in names {
            let name: String = visible(name).chars().take(LONGEST_NAME).collect();
            if self.dropped.len() < MOST || self.dropped.contains_key(&name) {
                *self.dropped.entry(name).or_default() += 1;
            }
        }
    }

    /// Returns the line about requests that did not get the person's key. What is `quiet` is asked for by the tool itself and not missed.
    pub fn key_line(&self, quiet: &[Listed]) -> Option<String> {
        let is_quiet = |what: &str| {
            let mut words =
                what.strip_suffix(&format!(" ({})", KeyRefusal::NotListed.words())).into_iter().flat_map(|what| what.split(' '));
            let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
            quiet.iter().any(|listed| listed.names(method, path))
        };
        // What lacked a key has a line of its own.
        let end = format!("({})", KeyRefusal::NoKey.words());
        let said = self.unkeyed.iter().filter(|(what, _)| !is_quiet(what) && !what.ends_with(&end)).take(MOST_SAID);
        let parts: Vec<String> = said.map(|(what, count)| format!("{count} × {what}")).collect();
        (!parts.is_empty()).then(|| format!("did not put your key into {}; hint: ai help network", parts.join(", ")))
    }

    /// Returns whether a request found no key any more.
    pub fn lacked_key(&self) -> bool {
        let end = format!("({})", KeyRefusal::NoKey.words());
        self.unkeyed.keys().any(|what| what.ends_with(&end))
    }

    /// Counts a page that was not opened.
    pub fn leave_shut(&mut self, refusal: &PageRefusal) {
        let what = refusal.words();
        if self.shut.len() < MOST || self.shut.contains_key(&what) {
            *self.shut.entry(what).or_default() += 1;
        }
    }

    /// Returns the line about pages that were not opened.
    pub fn page_line(&self) -> Option<String> {
        let parts: Vec<String> = self.shut.iter().take(MOST_SAID).map(|(what, count)| format!("{count} × {what}")).collect();
        (!parts.is_empty()).then(|| format!("did not open {}; hint: ai help network", parts.join(", ")))
    }

    /// Returns the line about what the agent did not do.
    pub fn agent_line(&self) -> Option<String> {
        let parts: Vec<String> = self.refused.iter().take(MOST_SAID).map(|(what, count)| format!("{count} × {what}")).collect();
        (!parts.is_empty()).then(|| format!("the SSH agent refused {}; hint: ai help network", parts.join(", ")))
    }

    /// Returns the line about what was blocked, if a person should hear of it. What is `quiet` is asked for by the tool itself and
    /// not missed; what is asked for `at_start` is not, as often as that.
    pub fn line(&self, quiet: &[EgressRule], at_start: &BTreeMap<String, u64>) -> Option<String> {
        let quiet = EgressRules { allow: quiet.to_owned(), ..EgressRules::default() };
        let is_quiet = |blocked: &&Blocked| {
            // Who said so need not hear it, and the program that asked was told; what is not there has a line of its own.
            if blocked.why == EgressRefusal::Denied || blocked.why.is_unreachable() {
                return true;
            }
            let own = at_start.get(EgressRefusal::NotListed.allowing(&blocked.peer).as_str());
            if blocked.why == EgressRefusal::NotListed && own.is_some_and(|own| blocked.count <= *own) {
                return true;
            }
            let peer = Peer::parse(blocked.peer.as_bytes(), Some(443));
            blocked.why == EgressRefusal::NotListed && peer.is_ok_and(|peer| quiet.judge(&peer).is_ok())
        };
        let mut said: Vec<&Blocked> = self.blocked.iter().filter(|blocked| !is_quiet(blocked)).collect();
        said.sort_by_key(|blocked| std::cmp::Reverse(blocked.count));
        let mut parts: Vec<String> = said.iter().take(MOST_SAID).map(|blocked| blocked.part()).collect();
        let left: u64 = said.iter().skip(MOST_SAID).map(|blocked| blocked.count).sum::<u64>() + self.more;
        if left > 0 {
            parts.push(format!("{left} × others"));
        }
        if parts.is_empty() {
            return None;
        }
        let mut words: Vec<String> =
            said.iter().take(MOST_SAID).filter(|blocked| blocked.why.wants_rule()).map(|b| typed(&b.why.allowing(&b.peer))).collect();
        words.dedup();
        let allow = if words.is_empty() { String::new() } else { format!("; allow with: ai config allow host {}", words.join(" ")) };
        Some(format!("blocked {}{allow}", parts.join(", ")))
    }

    /// Returns the line about what was let out and is not there.
    pub fn unreached_line(&self) -> Option<String> {
        let said = self.blocked.iter().filter(|blocked| blocked.why.is_unreachable()).take(MOST_SAID);
        let parts: Vec<String> = said.map(Blocked::part).collect();
        (!parts.is_empty()).then(|| format!("could not reach {}", parts.join(", ")))
    }
}

impl Blocked {
    fn part(&self) -> String {
        let why = self.why.words().map_or_else(String::new, |why| format!(" ({why})"));
        format!("{} × {}{why}", self.count, EgressRefusal::NotListed.allowing(&self.peer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(blocked: &[(&str, u64, EgressRefusal)], expected: Option<&str>) {
        let mut record = GuardRecord::default();
        for (peer, count, why) in blocked {
            for _ in 0..*count {
                record.block(peer, why);
            }
        }
        let quiet = ["downloads.example.com".parse().unwrap()];
        let at_start = [("code.example.com".to_owned(), 2)].into();
        assert_eq!(record.line(&quiet, &at_start).as_deref(), expected);
    }

    #[test]
    fn what_a_program_asks_for_by_itself_and_not_for_its_key_is_not_said() {
        let mut record = GuardRecord::default();
        for (asked, why) in [
            ("GET /v1/plugins/x", KeyRefusal::NotListed),
            ("GET /v1/plugins", KeyRefusal::TooMany),
            ("POST /v1/files", KeyRefusal::NotListed),
        ] {
            record.key(asked, Some(why.words()));
        }
        let quiet: Vec<Listed> = ["GET /v1/plugins/*", "GET /v1/plugins"].iter().map(|listed| listed.parse().unwrap()).collect();
        let line = record.key_line(&quiet).unwrap();
        assert!(line.contains("1 × GET /v1/plugins (more than 300") && line.contains("1 × POST /v1/files (not one"), "{line}");
        assert!(!line.contains("plugins/x"), "{line}");
        assert_eq!(GuardRecord::default().key_line(&quiet), None);
    }

    #[test]
    fn one_line_says_what_was_blocked_and_what_allows_it() {
        use EgressRefusal::{BadName, Literal, NotListed, OtherServerName, Port, Private};
        check(&[], None);
        check(&[("example.com:443", 3, NotListed)], Some("blocked 3 × example.com; allow with: ai config allow host example.com"));
        check(
            &[("a.com:443", 1, NotListed), ("b.com:22", 2, Port)],
            Some("blocked 2 × b.com:22 (another port), 1 × a.com; allow with: ai config allow host b.com:22 a.com"),
        );
        check(
            &[("git.corp:443", 1, Private), ("10.0.0.1:80", 1, Literal)],
            Some(
                "blocked 1 × git.corp (its address is not public), 1 × 10.0.0.1:80 (an address); \
                 allow with: ai config allow host 'git.corp!private' '10.0.0.1:80!private'",
            ),
        );
        check(&[("a.com:443", 1, EgressRefusal::Unreachable("connection refused".into()))], None);
        let mut record = GuardRecord::default();
        assert_eq!(record.unreached_line(), None);
        record.block("a.com:443", &EgressRefusal::Unreachable("connection refused".into()));
        record.block("b.com:443", &NotListed);
        assert_eq!(record.unreached_line().as_deref(), Some("could not reach 1 × a.com (connection refused)"));
        check(&[("a.com:443", 1, OtherServerName("b.com".into()))], Some("blocked 1 × a.com (TLS with `b.com`)"));
        check(&[("a b", 1, BadName)], Some("blocked 1 × a b (no name of a host)"));
        check(&[("downloads.example.com:443", 9, NotListed)], None);
        check(&[("a.com:443", 9, EgressRefusal::Denied)], None);
        // Who asks more often than the tool does by itself, or at another port, is somebody else.
        check(&[("code.example.com:443", 2, NotListed)], None);
        let said = "blocked 3 × code.example.com; allow with: ai config allow host code.example.com";
        check(&[("code.example.com:443", 3, NotListed)], Some(said));
        let said = "blocked 1 × code.example.com:22; allow with: ai config allow host code.example.com:22";
        check(&[("code.example.com:22", 1, NotListed)], Some(said));
        check(&[("gitlab:443", 1, NotListed)], Some("blocked 1 × gitlab:443; allow with: ai config allow host gitlab:443"));
    }

    #[test]
    fn what_did_not_go_along_is_counted_by_names_of_bounded_length() {
        let mut record = GuardRecord::default();
        record.drop_fields(&["x-a".into(), "?b".into(), "x-a".into(), "n".repeat(9000)]);
        for number in 0..1000 {
            record.drop_fields(&[format!("x-{number}")]);
        }
        assert_eq!((record.dropped["x-a"], record.dropped["?b"], record.dropped.len()), (2, 1, MOST));
        assert!(record.dropped.keys().all(|name| name.len() <= LONGEST_NAME));
    }

    #[test]
    fn no_number_of_peers_makes_it_long() {
        let mut record = GuardRecord::default();
        for number in 0..1000 {
            record.block(&format!("h{number}.com:443"), &EgressRefusal::NotListed);
        }
        assert_eq!((record.blocked.len(), record.more), (200, 800));
        let line = record.line(&[], &BTreeMap::new()).unwrap();
        assert!(line.contains("996 × others") && line.len() < 300, "{line}");
    }
}
