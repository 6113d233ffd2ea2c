//! A rule of the system's policy, and for whom it is.

use std::path::PathBuf;

use toml::Spanned;

use crate::core::admit::cloud::Cloud;
use crate::core::admit::mount::MountRule;
use crate::core::config::{Layer, Origin};
use crate::core::failure::{Failure, Kind, Result};

/// One rule. Rules only narrow: a list allows what it names and nothing else, and what two rules say holds together.
#[derive(Clone, Debug)]
pub struct PolicyRule {
    pub name: String,
    pub origin: Origin,
    pub audience: Audience,
    /// Names of tools; `own:NAME` and `own:*` mean tools that a person describes.
    pub tools: Option<Vec<String>>,
    /// Names of images; a `*` at the end stands for any rest, and `sha256:…` for whatever has this digest.
    pub images: Option<Vec<String>>,
    pub networks: Option<Vec<String>>,
    /// Names of variables; a `*` at the end stands for any rest.
    pub env: Option<Vec<String>>,
    /// Directories in and below which projects may be.
    pub projects: Option<Vec<String>>,
    /// Directories and files that may be let in, with what is below them.
    pub mounts: Option<Vec<MountRule>>,
    pub clouds: Option<Vec<Cloud>>,
    /// Keys of the configuration that nobody may use, and `native`, `build`.
    pub forbid: Vec<String>,
    /// Settings that have this value, whatever is said elsewhere.
    pub fixed: Layer,
    /// Whether a run is told to the system's log before it starts.
    pub log: bool,
}

/// For whom a rule is: everybody, unless users or groups are named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audience {
    pub users: Option<Vec<String>>,
    pub groups: Option<Vec<String>>,
    pub except_users: Vec<String>,
    pub except_groups: Vec<String>,
}

/// Who a person is to the system: what the kernel says, with the names that NSS has for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OsUser {
    pub uid: u32,
    pub user: Option<String>,
    /// As the system knows it, links resolved; a variable says nothing here.
    pub home: Option<PathBuf>,
    pub groups: Vec<OsGroup>,
}

/// A group of the process; the name is absent where the system has none for the number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OsGroup {
    pub id: u32,
    pub name: Option<String>,
}

impl Audience {
    /// Returns whether a rule is for this person.
    ///
    /// # Errors
    /// Where that depends on a name which the system does not tell: a directory service that is down opens nothing.
    pub fn has(&self, member: &OsUser) -> Result<bool> {
        let is_user = |names: &[String]| names.iter().any(|name| member.is_called(name));
        let is_in = |names: &[String]| names.iter().any(|name| member.is_in(name));
        if is_user(&self.except_users) || is_in(&self.except_groups) {
            return Ok(false);
        }
        let (users, groups) = (self.users.as_deref(), self.groups.as_deref());
        if users.is_none() && groups.is_none() || is_user(users.unwrap_or_default()) || is_in(groups.unwrap_or_default()) {
            return Ok(true);
        }
        match member.unnamed(users.unwrap_or_default(), groups.unwrap_or_default()) {
            None => Ok(false),
            Some(who) => Err(Failure::new(Kind::Config, format!("cannot tell whom the policy means: the system has no name for {who}"))
                .hint("getent passwd and getent group say what the system knows; ai policy check")),
        }
    }
}

impl OsUser {
    /// Returns who has these numbers, by the text of `passwd` and `group`.
    pub fn new(uid: u32, groups: &[u32], passwd: &str, group: &str) -> Self {
        let named = |text: &str, id: u32| -> Option<Vec<String>> {
            let lines = text.lines().map(|line| line.split(':').map(str::to_owned).collect::<Vec<_>>());
            lines.into_iter().find(|fields| fields.get(2).is_some_and(|own| own.parse() == Ok(id)))
        };
        let entry = named(passwd, uid);
        let mut ids = groups.to_vec();
        ids.sort_unstable();
        ids.dedup();
        let name = |fields: Vec<String>| fields.into_iter().next();
        let groups = ids.into_iter().map(|id| OsGroup { id, name: named(group, id).and_then(name) }).collect();
        let home = entry.as_ref().and_then(|fields| fields.get(5)).filter(|home| home.starts_with('/')).map(PathBuf::from);
        Self { uid, user: entry.and_then(name), home, groups }
    }

    fn is_called(&self, name: &str) -> bool {
        self.user.as_deref() == Some(name) || name.parse() == Ok(self.uid)
    }

    fn is_in(&self, name: &str) -> bool {
        self.groups.iter().any(|group| group.name.as_deref() == Some(name) || name.parse() == Ok(group.id))
    }

    /// Returns the number without a name that could be meant by one of these names.
    fn unnamed(&self, users: &[String], groups: &[String]) -> Option<String> {
        let has_names = |names: &[String]| names.iter().any(|name| name.parse::<u32>().is_err());
        if self.user.is_none() && has_names(users) {
            return Some(format!("your user {}", self.uid));
        }
        let group = self.groups.iter().find(|group| group.name.is_none())?;
        has_names(groups).then(|| format!("your group {}", group.id))
    }
}

impl PolicyRule {
    /// Returns the rule in words, with its place: `rule `interns` (/etc/ai/policy.toml:3)`.
    pub fn title(&self) -> String {
        format!("rule `{}` ({})", self.name, self.origin)
    }
}

/// Returns the text of each entry of a list.
pub(super) fn plain(list: Option<Vec<Spanned<String>>>) -> Option<Vec<String>> {
    list.map(|list| list.into_iter().map(Spanned::into_inner).collect())
}

/// Returns whether `pattern` means this name; a `*` at its end stands for any rest.
pub(super) fn is_meant(pattern: &str, name: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == name, |start| name.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(user: Option<&str>, groups: &[(u32, Option<&str>)]) -> OsUser {
        let groups = groups.iter().map(|(id, name)| OsGroup { id: *id, name: name.map(str::to_owned) }).collect();
        OsUser { uid: 1000, user: user.map(str::to_owned), home: None, groups }
    }

    fn audience(users: &[&str], groups: &[&str], except_users: &[&str], except_groups: &[&str]) -> Audience {
        let words = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let some = |list: &[&str]| (!list.is_empty()).then(|| words(list));
        Audience { users: some(users), groups: some(groups), except_users: words(except_users), except_groups: words(except_groups) }
    }

    // NE-06
    #[test]
    fn a_rule_is_for_whom_it_names() {
        let eve = member(Some("eve"), &[(1000, Some("eve")), (4000, Some("interns"))]);
        for (users, groups, except_users, except_groups, expected) in [
            (&[][..], &[][..], &[][..], &[][..], true),
            (&["eve"], &[], &[], &[], true),
            (&["1000"], &[], &[], &[], true),
            (&["bob"], &[], &[], &[], false),
            (&["bob"], &["interns"], &[], &[], true),
            (&[], &["4000"], &[], &[], true),
            (&[], &["staff"], &[], &[], false),
            (&[], &[], &["eve"], &[], false),
            (&[], &[], &[], &["interns"], false),
            (&["eve"], &[], &[], &["interns"], false),
            (&[], &[], &["bob"], &["staff"], true),
        ] {
            let audience = audience(users, groups, except_users, except_groups);
            assert_eq!(audience.has(&eve).unwrap(), expected, "{audience:?}");
        }
    }

    // NE-06
    #[test]
    fn a_name_that_the_system_does_not_tell_opens_nothing() {
        let unknown = member(None, &[(1000, Some("eve")), (70_000, None)]);
        assert!(audience(&[], &["interns"], &[], &[]).has(&unknown).unwrap_err().to_string().contains("your group 70000"));
        assert!(audience(&["eve"], &[], &[], &[]).has(&unknown).unwrap_err().to_string().contains("your user 1000"));
        assert!(audience(&[], &[], &["eve"], &["staff"]).has(&unknown).unwrap(), "an exception needs a name");
        assert!(!audience(&["1001"], &["4001"], &[], &[]).has(&unknown).unwrap(), "numbers need none");
        assert!(audience(&[], &["eve"], &[], &[]).has(&unknown).unwrap());
    }
}
