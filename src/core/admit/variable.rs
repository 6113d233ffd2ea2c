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

/// Variables that a `*` does not mean: they speak of the host alone.
const HOST_ONLY: [&str; 18] = [
    "PATH",
    "HOME",
    "SHELL",
    "PWD",
    "OLDPWD",
    "SHLVL",
    "_",
    "TMPDIR",
    "USER",
    "LOGNAME",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XAUTHORITY",
    "SSH_AUTH_SOCK",
    "SSH_CONNECTION",
    "MAIL",
    // The image has no locale of the host's, and each program would say so.
    "LANG",
    "LANGUAGE",
];
const HOST_ONLY_STARTS: [&str; 7] = ["LC_", "LD_", "DYLD_", "XDG_", "DOCKER_", "DBUS_", "AI_"];

/// Returns whether a variable speaks of the host alone.
pub fn is_of_host(name: &str) -> bool {
    HOST_ONLY.contains(&name) || HOST_ONLY_STARTS.iter().any(|start| name.starts_with(start))
}

/// Most bytes of a variable with its name: Linux gives a program no longer word (`MAX_ARG_STRLEN`).
const LONGEST: usize = (128 << 10) - 1;

/// Returns why a variable cannot have a value, if it cannot; the value is not shown.
pub fn refusal_of_value(name: &str, value: &[u8]) -> Option<String> {
    if value.contains(&0) {
        return Some(format!("the value of `{name}` holds a zero byte, which no variable can"));
    }
    let is_long = name.len() + 1 + value.len() > LONGEST;
    is_long.then(|| format!("the value of `{name}` is longer than a variable can be (128 KiB); let a file in: mounts"))
}

/// Returns the first variable that a value names as shells do, `$NAME` or `${NAME}`, where nothing is expanded.
pub fn reference(value: &str) -> Option<&str> {
    let name = |(at, _): (usize, &str)| {
        let rest = &value[at + 1..];
        let rest = rest.strip_prefix('{').unwrap_or(rest);
        &rest[..rest.find(|c: char| c != '_' && !c.is_ascii_alphanumeric()).unwrap_or(rest.len())]
    };
    value.match_indices('$').map(name).find(|name| refusal(name).is_none())
}

/// Returns why a name cannot be that of a host, if it cannot: it becomes a line of `/etc/hosts`.
pub fn refusal_of_host(name: &str) -> Option<String> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    let is_name = !name.is_empty() && name.len() <= 253 && !name.starts_with(['-', '.']) && name.bytes().all(fits);
    (!is_name).then(|| format!("`{name}` is no name of a host"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_star_at_the_end_is_one() {
        assert!(is_meant("AWS_*", "AWS_PROFILE") && is_meant("AWS_*", "AWS_") && is_meant("A", "A"));
        assert!(!is_meant("AWS_*", "AWS") && !is_meant("A", "AB") && !is_meant("*_KEY", "A_KEY"));
    }

    // NE-01
    #[test]
    fn what_no_program_or_list_of_hosts_can_hold_is_refused() {
        let long = vec![b'x'; 128 << 10];
        assert!(refusal_of_value("A", b"a\nb\xff").is_none() && refusal_of_value("A", &long[..(128 << 10) - 3]).is_none());
        assert!(refusal_of_value("A", b"a\0b").is_some_and(|why| why.contains("zero byte")));
        assert!(refusal_of_value("A", &long[..(128 << 10) - 2]).is_some_and(|why| why.contains("128 KiB") && !why.contains("xx")));
        for (name, fits) in [
            ("db.internal", true),
            ("a_b-1", true),
            ("", false),
            ("a b", false),
            ("a\nb", false),
            ("a:1", false),
            ("-a", false),
            ("ü", false),
        ] {
            assert_eq!(refusal_of_host(name).is_none(), fits, "{name}");
        }
    }

    #[test]
    fn a_value_that_names_a_variable_is_seen() {
        for (value, expected) in [
            ("$PATH:/opt/x", Some("PATH")),
            ("/opt/x:${PATH}", Some("PATH")),
            ("a$$b$C", Some("b")),
            ("${HOME:-x}", Some("HOME")),
            ("costs $5", None),
            ("$", None),
            ("${}", None),
            ("a$-b", None),
            ("p\u{e4}$\u{e4}", None),
        ] {
            assert_eq!(reference(value), expected, "{value}");
        }
    }

    #[test]
    fn names_are_those_that_shells_take() {
        for (name, fits) in [("A", true), ("_a1", true), ("1A", false), ("A-B", false), ("", false), ("A=B", false), ("Ä", false)] {
            assert_eq!(refusal(name).is_none(), fits, "{name}");
        }
    }
}
