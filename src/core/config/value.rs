//! How the value of a setting is read from text; an error says why it is none.

use clap::ValueEnum;
use serde::Deserialize;

/// `1`, `true`, `yes`, `on`, or the contrary of one.
pub fn yes_or_no(text: &str) -> Result<bool, String> {
    match text {
        "1" | "true" | "yes" | "on" => Ok(true),
        "0" | "false" | "no" | "off" => Ok(false),
        _ => Err(format!("`{text}` is neither yes nor no")),
    }
}

/// Returns the value that a word of a closed set names.
pub fn one_of<T: ValueEnum>(text: &str) -> Result<T, String> {
    let known = || T::value_variants().iter().filter_map(|value| Some(value.to_possible_value()?.get_name().to_owned()));
    T::from_str(text, false).map_err(|_| format!("`{text}` is none of {}", known().collect::<Vec<_>>().join(", ")))
}

/// Bytes of a size such as `512m`, `4g`, `1073741824`.
pub fn parse_bytes(text: &str) -> Result<u64, String> {
    let invalid = || format!("`{text}` is no size such as 512m or 4g");
    let lower = text.to_ascii_lowercase();
    let digits = lower.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let shift = match &lower[digits.len()..] {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        "t" | "tb" | "tib" => 40,
        _ => return Err(invalid()),
    };
    let number: u64 = digits.parse().map_err(|_| invalid())?;
    number.checked_mul(1 << shift).filter(|bytes| *bytes > 0).ok_or_else(invalid)
}

/// Returns the name of an image or a network: one word that no program takes for an option.
pub fn plain_name(text: &str) -> Result<String, String> {
    if text.is_empty() || text.starts_with('-') || text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err(format!("`{text}` is no name"));
    }
    Ok(text.into())
}

/// Returns what says which proxy is used: `auto`, `off`, or a URL that may be an argument.
pub fn proxy(text: &str) -> Result<String, String> {
    const SCHEMES: [&str; 6] = ["http", "https", "socks4", "socks4a", "socks5", "socks5h"];
    if matches!(text, "auto" | "off") {
        return Ok(text.into());
    }
    // Before anything of it is shown.
    if text.contains('@') {
        return Err("its password would be in an argument; export HTTPS_PROXY=…, and proxy = \"auto\"".into());
    }
    let is_host = |host: &str| {
        let host = host.trim_end_matches('/');
        !host.is_empty() && !host.contains(|c: char| c == '/' || c.is_whitespace() || c.is_control())
    };
    match text.split_once("://") {
        Some((scheme, host)) if SCHEMES.contains(&scheme) && is_host(host) => Ok(text.into()),
        None if is_host(text) => Err(format!("`{text}` is no URL; http://{text} is one")),
        _ => Err(format!("`{text}` is neither auto, off, nor a URL such as http://proxy.example:3128")),
    }
}

/// Returns a directory that is the same wherever a run is started.
pub fn own_directory(text: &str) -> Result<String, String> {
    if text.starts_with('/') || text.starts_with("~/") {
        return Ok(text.into());
    }
    Err(format!("`{text}` is no directory such as /var/lib/x or ~/x"))
}

/// Returns a share of the processors.
pub fn processors(count: f64) -> Result<f64, String> {
    if count.is_finite() && count > 0.0 { Ok(count) } else { Err(format!("`{count}` is no number of processors such as 2 or 0.5")) }
}

/// Reads an amount of money.
pub fn parse_dollars(text: &str) -> Result<f64, String> {
    text.parse().map_err(|_| format!("`{text}` is no number")).and_then(dollars)
}

pub fn dollars(amount: f64) -> Result<f64, String> {
    if amount.is_finite() && amount > 0.0 { Ok(amount) } else { Err(format!("`{amount}` is no amount of dollars such as 20 or 2.5")) }
}

/// To an engine, 0 is no limit at all.
pub fn at_least_one(count: u32) -> Result<u32, String> {
    if count > 0 { Ok(count) } else { Err("`0` is too few; the least is 1".into()) }
}

/// Where the keys and logins of the tools are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, serde::Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum KeysPlace {
    /// in the container, as the tool has them
    Inside,
    /// with the helper of a guarded network, which puts them in on the way to their vendor
    Outside,
}

/// What a container has of the clipboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, serde::Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum ClipboardAccess {
    /// nothing
    Off,
    /// pictures, when a program inside asks for one
    Image,
}

/// Where the project is mounted in the container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, serde::Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Mapping {
    /// `/workspace/<name>` at the root of the project, `/workspace/<below>` below it
    Adaptive,
    /// always `/workspace/<name>`
    Named,
    /// always `/workspace`
    Flat,
    /// the same path as on the host
    Mirror,
}

#[cfg(test)]
mod tests {
    use super::*;

    // NE-03
    #[test]
    fn a_proxy_is_a_url_without_a_password() {
        for text in ["auto", "off", "http://proxy.corp:3128", "https://proxy.corp/", "socks5h://10.0.0.1:1080", "http://[::1]:3128"] {
            assert_eq!(proxy(text).as_deref(), Ok(text));
        }
        for (text, why) in [
            ("", "neither"),
            ("no url", "neither"),
            ("proxy.corp:3128", "http://proxy.corp:3128 is one"),
            ("ftp://proxy.corp", "neither"),
            ("http://", "neither"),
            ("http://a\nb", "neither"),
            ("http://proxy.corp/a path", "neither"),
            ("http://u:hush@proxy.corp", "its password would be in an argument"),
        ] {
            let refused = proxy(text).unwrap_err();
            assert!(refused.contains(why) && !refused.contains("hush"), "{text}: {refused}");
        }
    }

    #[test]
    fn sizes_are_binary_multiples() {
        for (text, bytes) in [
            ("512m", Ok(512 << 20)),
            ("4g", Ok(4 << 30)),
            ("4GiB", Ok(4 << 30)),
            ("123", Ok(123)),
            ("0", Err(())),
            ("x", Err(())),
            ("4q", Err(())),
            ("", Err(())),
        ] {
            assert_eq!(parse_bytes(text).map_err(|_| ()), bytes, "{text}");
        }
    }
}
