//! Variables that a container gets: `env = { pass = [...], set = {...} }`.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use toml::Spanned;

/// The `env` table of a file. Beside `pass` and `set` it takes names with values, which is how it was written first.
#[derive(Debug, Default)]
pub struct EnvTable {
    pub pass: Vec<Spanned<String>>,
    pub set: BTreeMap<String, Spanned<String>>,
}

impl<'de> Deserialize<'de> for EnvTable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EnvVisitor;
        impl<'de> Visitor<'de> for EnvVisitor {
            type Value = EnvTable;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a table with `pass` and `set`")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<EnvTable, A::Error> {
                let mut table = EnvTable::default();
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "pass" => table.pass = map.next_value()?,
                        "set" => table.set.extend(map.next_value::<BTreeMap<String, Spanned<String>>>()?),
                        _ => drop(table.set.insert(key, map.next_value()?)),
                    }
                }
                Ok(table)
            }
        }
        deserializer.deserialize_map(EnvVisitor)
    }
}

/// Returns whether a name of the environment is meant by `pattern`, in which `*` at the end stands for any rest.
pub fn is_meant(pattern: &str, name: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == name, |start| name.starts_with(start))
}

/// Returns why a name cannot be that of a variable, if it cannot.
pub fn refusal(name: &str) -> Option<String> {
    let fits = |first: bool, byte: u8| byte == b'_' || byte.is_ascii_alphabetic() || (!first && byte.is_ascii_digit());
    let is_name = !name.is_empty() && name.bytes().enumerate().all(|(at, byte)| fits(at == 0, byte));
    (!is_name).then(|| format!("`{name}` is no name of a variable"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_star_at_the_end_is_one() {
        assert!(is_meant("AWS_*", "AWS_PROFILE") && is_meant("AWS_*", "AWS_") && is_meant("A", "A"));
        assert!(!is_meant("AWS_*", "AWS") && !is_meant("A", "AB") && !is_meant("*_KEY", "A_KEY"));
    }

    #[test]
    fn names_are_those_that_shells_take() {
        for (name, fits) in [("A", true), ("_a1", true), ("1A", false), ("A-B", false), ("", false), ("A=B", false), ("Ä", false)] {
            assert_eq!(refusal(name).is_none(), fits, "{name}");
        }
    }
}
