//! What the work needs and a person lets in by name: directories, variables, ports, caches, names, accounts of clouds.
//!
//! Lists add up over the layers; where two entries speak of the same thing, the later one counts. Each keeps its origin.

pub mod agent;
pub mod authority;
pub mod cache;
pub mod cloud;
pub mod egress;
pub mod foreign;
pub mod mount;
pub mod overlay;
pub mod path;
pub mod publish;
pub mod variable;

use std::ffi::OsString;
use std::net::IpAddr;

use crate::core::config::Setting;
use agent::AgentWords;
use cache::Cache;
use cloud::Cloud;
use egress::EgressWords;
use mount::MountRule;
use overlay::Overlay;
use publish::Publish;

/// What one layer lets in, or all of them together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Admitted {
    pub mounts: Vec<Setting<MountRule>>,
    /// Names that are inherited where they are set; `*` at the end stands for any rest.
    pub pass: Vec<Setting<String>>,
    /// Values for one run, by name: the client has them in its environment, and no vector holds them.
    pub given: Vec<(String, OsString)>,
    /// Literals, by name.
    pub set: Vec<(String, Setting<String>)>,
    pub publish: Vec<Setting<Publish>>,
    /// The caches, where a layer says which; every known one where none does.
    pub cache: Option<Vec<Setting<Cache>>>,
    pub dns: Vec<Setting<IpAddr>>,
    /// Addresses of names, as in `/etc/hosts`.
    pub hosts: Vec<(String, Setting<String>)>,
    pub cloud: Vec<Setting<Cloud>>,
    pub overlay: Vec<Setting<Overlay>>,
    pub egress: EgressWords,
    pub ssh: AgentWords,
}

impl Admitted {
    /// Returns what this layer lets in beside what a lower one does.
    #[must_use]
    pub fn over(self, lower: Self) -> Self {
        fn joined<T>(mut lower: Vec<T>, higher: Vec<T>) -> Vec<T> {
            lower.extend(higher);
            lower
        }
        let cache = match (lower.cache, self.cache) {
            (Some(lower), Some(higher)) if !higher.is_empty() => Some(joined(lower, higher)),
            // An empty list takes all caches away.
            (lower, higher) => higher.or(lower),
        };
        Self {
            mounts: joined(lower.mounts, self.mounts),
            pass: joined(lower.pass, self.pass),
            given: joined(lower.given, self.given),
            set: joined(lower.set, self.set),
            publish: joined(lower.publish, self.publish),
            cache,
            dns: joined(lower.dns, self.dns),
            hosts: joined(lower.hosts, self.hosts),
            cloud: joined(lower.cloud, self.cloud),
            overlay: joined(lower.overlay, self.overlay),
            egress: self.egress.over(lower.egress),
            ssh: self.ssh.over(lower.ssh),
        }
    }

    /// Returns the literals for the environment, each name once.
    pub fn literals(&self) -> Vec<&(String, Setting<String>)> {
        last_of_each(&self.set, |(name, _)| name.clone())
    }

    /// Returns whether the person gave this name a value.
    pub fn sets(&self, name: &str) -> bool {
        self.set.iter().any(|(set, _)| set == name)
    }
}

/// Returns the entries of a list of which only the last with each key counts, in their order.
pub fn last_of_each<T, K: PartialEq>(list: &[T], key: impl Fn(&T) -> K) -> Vec<&T> {
    let is_last = |(at, item): &(usize, &T)| !list[at + 1..].iter().any(|later| key(later) == key(item));
    list.iter().enumerate().filter(is_last).map(|(_, item)| item).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::config::Origin;

    #[test]
    fn lists_add_up_and_an_empty_list_of_caches_takes_all_away() {
        let with = |names: &[&str]| {
            let cache = names.iter().map(|name| Setting::new(Cache::named(name).unwrap(), Origin::Default)).collect();
            Admitted { cache: Some(cache), ..Admitted::default() }
        };
        let count = |admitted: Admitted| admitted.cache.map(|cache| cache.len());
        assert_eq!(count(with(&["npm"]).over(with(&["pip"]))), Some(2));
        assert_eq!(count(with(&[]).over(with(&["pip"]))), Some(0));
        assert_eq!(count(Admitted::default().over(with(&["pip"]))), Some(1));
        assert_eq!(count(Admitted::default()), None);
    }

    #[test]
    fn the_later_of_two_counts() {
        assert_eq!(last_of_each(&[("a", 1), ("b", 2), ("a", 3)], |item| item.0), [&("b", 2), &("a", 3)]);
    }
}
