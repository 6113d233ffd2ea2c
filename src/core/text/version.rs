//! Versions below which an engine has known ways out of a container.

/// Dotted numbers, compared one by one; what follows the numbers is of no interest.
fn numbers(version: &str) -> Vec<u32> {
    let start = version.find(|c: char| c.is_ascii_digit()).unwrap_or(version.len());
    let version = &version[start..];
    let end = version.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(version.len());
    version[..end].split('.').filter_map(|part| part.parse().ok()).collect()
}

/// Whether `version` is known and lower than `floor`.
pub fn is_below(version: &str, floor: &[u32]) -> bool {
    let version = numbers(version);
    !version.is_empty() && version.as_slice() < floor
}

/// Whether `version` is higher than `other`; what is no number is no version, and a pre-release is lower than its release.
pub fn is_newer(version: &str, other: &str) -> bool {
    let is_release = |version: &str| !version.contains('-');
    let (this, that) = (numbers(version), numbers(other));
    !this.is_empty() && (this > that || this == that && is_release(version) && !is_release(other))
}

/// runc below 1.2.8, or 1.3 below 1.3.3, lets a container write to the host's `/proc` (CVE-2025-31133, -52565, -52881).
/// Distributions fix older versions under their own numbers, so this is a hint and no proof.
pub fn runc_is_old(version: &str) -> bool {
    is_below(version, &[1, 2, 8]) || (!is_below(version, &[1, 3]) && is_below(version, &[1, 3, 3]))
}

/// Docker Desktop below 4.44.3 answers its API to every container (CVE-2025-9074).
pub fn desktop_is_old(version: &str) -> bool {
    is_below(version, &[4, 44, 3])
}

#[cfg(test)]
mod tests {
    use super::*;

    // N-03
    #[test]
    fn what_is_installed_is_never_replaced_by_something_older() {
        for (version, other, newer) in [
            ("1.10.0", "1.9.9", true),
            ("1.9.9", "1.10.0", false),
            ("1.0.0", "1.0.0", false),
            ("1.0.0", "1.0.0-rc.1", true),
            ("1.0.0-nightly", "1.0.0", false),
            ("latest", "1.0.0", false),
            ("1.0.0", "", true),
        ] {
            assert_eq!(is_newer(version, other), newer, "{version} {other}");
        }
    }

    #[test]
    fn floors_are_compared_number_by_number() {
        for (version, old) in
            [("1.1.5+ds1", true), ("1.2.7", true), ("1.2.8", false), ("1.3.2", true), ("1.3.3", false), ("1.10.0", false), ("", false)]
        {
            assert_eq!(runc_is_old(version), old, "{version}");
        }
        for (version, old) in [("Docker Desktop 4.44.2 (2020)", true), ("4.44.3", false), ("4.100.0", false), ("unknown", false)] {
            assert_eq!(desktop_is_old(version), old, "{version}");
        }
    }
}
