//! Caches of package managers that outlive a run: one directory each below `/ai/cache`, found by a variable.

use serde::Deserialize;

/// Whose caches a run uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, serde::Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum CacheScope {
    Project,
    All,
}

/// A package manager whose downloads are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Cache(usize);

/// Name, and the variables that lead its program to the directory (`{}`).
const CACHES: [(&str, &[(&str, &str)]); 9] = [
    ("npm", &[("npm_config_cache", "{}")]),
    ("pnpm", &[("npm_config_store_dir", "{}"), ("PNPM_STORE_PATH", "{}")]),
    ("yarn", &[("YARN_CACHE_FOLDER", "{}")]),
    ("pip", &[("PIP_CACHE_DIR", "{}")]),
    ("uv", &[("UV_CACHE_DIR", "{}")]),
    ("cargo", &[("CARGO_HOME", "{}")]),
    ("go", &[("GOMODCACHE", "{}/mod"), ("GOCACHE", "{}/build")]),
    ("gradle", &[("GRADLE_USER_HOME", "{}")]),
    ("playwright", &[("PLAYWRIGHT_BROWSERS_PATH", "{}")]),
];

/// The caches that are kept where no file says which: what the image of the tools has programs for.
const USUAL: [&str; 4] = ["npm", "pip", "uv", "yarn"];

impl Cache {
    /// Returns the words for all that are known.
    pub fn names() -> [&'static str; CACHES.len()] {
        CACHES.map(|(name, _)| name)
    }

    /// Returns the cache of this name.
    pub fn named(name: &str) -> Option<Self> {
        CACHES.iter().position(|(known, _)| *known == name).map(Self)
    }

    /// Returns the caches that are kept unless a file says otherwise.
    pub fn usual() -> impl Iterator<Item = Self> {
        USUAL.into_iter().filter_map(Self::named)
    }

    /// Returns the name, which is that of its directory too.
    pub fn name(self) -> &'static str {
        CACHES[self.0].0
    }

    /// Returns the variables that lead the program to `directory`.
    pub fn variables(self, directory: &str) -> impl Iterator<Item = (&'static str, String)> {
        CACHES[self.0].1.iter().map(move |(name, value)| (*name, value.replace("{}", directory)))
    }
}

impl TryFrom<String> for Cache {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let names: Vec<&str> = CACHES.iter().map(|(name, _)| *name).collect();
        Self::named(&name).ok_or_else(|| format!("there is no cache `{name}`; there are {}", names.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cache_has_a_directory_of_its_own() {
        for (name, _) in CACHES {
            let cache = Cache::named(name).unwrap();
            assert!(cache.variables("/ai/cache/x").all(|(_, value)| value.starts_with("/ai/cache/x")), "{name}");
        }
        assert_eq!(Cache::usual().count(), USUAL.len());
        assert!(Cache::try_from("apt".to_owned()).unwrap_err().contains("npm"));
    }
}
