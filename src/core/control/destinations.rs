//! Where git fetches from and pushes to, and what: settings that run nothing, and send the person's work elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::control::gitconfig::GitSetting;

/// Returns the names of settings by which git talks to another place than before. What is new beside what was there (a remote, a branch
/// that follows it) is ordinary work.
pub fn moved(before: &[GitSetting], after: &[GitSetting]) -> Vec<String> {
    let (old, new) = (Destinations::new(before), Destinations::new(after));
    let is_moved = |(name, destination): &(&String, &Destination)| {
        let known = old.0.get(*name);
        let values = known.map(|known| &known.values);
        destination.values.iter().any(|value| !values.is_some_and(|values| values.contains(value)))
            && match &destination.of {
                // A remote that is new leads nobody elsewhere.
                Some(owner) => old.0.values().any(|known| known.of.as_ref() == Some(owner)),
                None => true,
            }
    };
    new.0.iter().filter(is_moved).map(|(name, _)| name.clone()).collect()
}

/// The settings of a file that name a destination, by name.
struct Destinations(BTreeMap<String, Destination>);

#[derive(Default)]
struct Destination {
    /// The remote, branch or submodule that it is of; without one, what was there before was a default.
    of: Option<(String, Vec<u8>)>,
    values: BTreeSet<Option<Vec<u8>>>,
}

impl Destinations {
    fn new(settings: &[GitSetting]) -> Self {
        let mut found: BTreeMap<String, Destination> = BTreeMap::new();
        for setting in settings {
            let of = match (setting.section.as_str(), &setting.subsection, setting.key.as_str()) {
                ("remote", Some(name), "url" | "pushurl" | "push" | "mirror")
                | ("submodule", Some(name), "url")
                | ("branch", Some(name), "remote") => Some((setting.section.clone(), name.clone())),
                ("branch", Some(_), "pushremote") | ("remote", None, "pushdefault") | ("push", None, "default") => None,
                _ => continue,
            };
            let destination = found.entry(setting.name()).or_default();
            destination.of = of;
            destination.values.insert(setting.value.clone());
        }
        Self(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::control::gitconfig::parse;

    const OLD: &str = "[remote \"origin\"]\nurl = https://example.org/x\n[branch \"main\"]\nremote = origin\n";

    #[track_caller]
    fn check(before: &str, after: &str, expected: &[&str]) {
        let [before, after] = [before, after].map(|text| parse(text.as_bytes()).unwrap());
        assert_eq!(moved(&before, &after), expected);
    }

    #[test]
    fn what_leads_the_persons_work_elsewhere_is_named() {
        check(OLD, &OLD.replace("example.org", "evil.example"), &["remote.origin.url"]);
        check(OLD, &format!("{OLD}[remote \"origin\"]\nurl = https://evil.example/x\n"), &["remote.origin.url"]);
        check(OLD, &format!("{OLD}[remote \"origin\"]\npushurl = https://evil.example/x\n"), &["remote.origin.pushurl"]);
        check(
            OLD,
            &format!("{OLD}[remote \"up\"]\nurl = https://evil.example/x\n[branch \"main\"]\nremote = up\n"),
            &["branch.main.remote"],
        );
        check(OLD, &format!("{OLD}[branch \"main\"]\npushRemote = up\n"), &["branch.main.pushremote"]);
        check(OLD, &format!("{OLD}[remote]\npushDefault = up\n"), &["remote.pushdefault"]);
        check(OLD, &format!("{OLD}[remote \"origin\"]\nmirror = true\npush = +a:main\n"), &["remote.origin.mirror", "remote.origin.push"]);
        check(OLD, &format!("{OLD}[push]\ndefault = matching\n"), &["push.default"]);
        let module = "[submodule \"s\"]\nurl = https://example.org/s\n";
        check(module, &module.replace("example.org", "evil.example"), &["submodule.s.url"]);
    }

    #[test]
    fn ordinary_work_names_nothing() {
        check(OLD, OLD, &[]);
        check("", OLD, &[]);
        check(OLD, "", &[]);
        check(OLD, &format!("{OLD}[remote \"up\"]\nurl = git@example.org:x\n[branch \"t\"]\nremote = up\n"), &[]);
        check(OLD, &format!("{OLD}[remote \"origin\"]\nfetch = +refs/heads/*:refs/remotes/origin/*\n"), &[]);
    }
}
