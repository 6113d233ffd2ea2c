//! Directories that a policy names.

use std::path::Path;

use crate::core::admit::mount::MountRule;

/// Returns whether a rule means this path or what it is in. `*` stands for a part of one name, `**` for any directories; `~` is the
/// person's home as the system knows it.
pub fn covers(rule: &MountRule, path: &Path, home: Option<&Path>) -> bool {
    let Some(pattern) = rule.absolute(home, Path::new("/")) else { return false };
    if path.starts_with(&pattern) {
        return true;
    }
    let options = glob::MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: false };
    let pattern = pattern.to_str().and_then(|pattern| glob::Pattern::new(pattern).ok());
    pattern.is_some_and(|pattern| path.ancestors().any(|path| pattern.matches_path_with(path, options)))
}

/// Returns whether an entry of a policy can mean anything: an absolute path, or one below the home.
pub fn is_place(text: &str) -> bool {
    text.starts_with('/') || text == "~" || text.starts_with("~/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_stands_for_what_is_below_it() {
        for (pattern, path, expected) in [
            ("/data", "/data", true),
            ("/data", "/data/a/b", true),
            ("/data", "/database", false),
            ("/data/", "/data/a", true),
            ("/data/../etc", "/etc/x", true),
            ("/srv/*/src", "/srv/x/src/a", true),
            ("/srv/*/src", "/srv/x/y/src", false),
            ("/srv/**", "/srv/x/y", true),
            ("/srv/**", "/srv", false),
            ("~/work", "/home/u/work/p", true),
            ("~/work", "/home/v/work/p", false),
            ("~", "/home/u", true),
        ] {
            let home = Some(Path::new("/home/u"));
            assert_eq!(covers(&MountRule::from_word(pattern), Path::new(path), home), expected, "{pattern} {path}");
        }
        assert!(!covers(&MountRule::from_word("~/work"), Path::new("/work"), None), "nobody's home is no directory");
    }
}
