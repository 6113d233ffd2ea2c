//! How the value of a setting is read from text; an error says why it is none.

use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::Error;

/// `1`, `true`, `yes`, `on`, or the contrary of one.
pub fn yes_or_no(text: &str) -> Result<bool, String> {
    match text {
        "1" | "true" | "yes" | "on" => Ok(true),
        "0" | "false" | "no" | "off" => Ok(false),
        _ => Err(format!("`{text}` is neither yes nor no")),
    }
}

/// A word of a closed set, which `known` lists for the message.
pub fn one_of<T: for<'a> Deserialize<'a>>(text: &str, known: &[&str]) -> Result<T, String> {
    let value: Result<T, Error> = T::deserialize(text.into_deserializer());
    value.map_err(|_| format!("`{text}` is none of {}", known.join(", ")))
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

#[cfg(test)]
mod tests {
    use super::*;

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
