//! `.dockerignore`: which files of a context take no part in a build.

use std::path::Path;

use glob::{MatchOptions, Pattern};

/// The lines of a `.dockerignore`.
#[derive(Clone, Debug, Default)]
pub struct IgnoreRules {
    /// Each pattern, and whether it takes out what it means.
    lines: Vec<(Pattern, bool)>,
}

const OPTIONS: MatchOptions = MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: false };

impl IgnoreRules {
    /// Reads the lines. One that is no pattern means nothing.
    pub fn read(text: &str) -> Self {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let line = |line: &str| {
            let (pattern, takes_out) = line.strip_prefix('!').map_or((line, true), |pattern| (pattern, false));
            let pattern = pattern.trim_start_matches("./").trim_matches('/');
            Some((Pattern::new(pattern).ok().filter(|_| !pattern.is_empty())?, takes_out))
        };
        Self { lines: lines.filter_map(line).collect() }
    }

    /// Returns whether a path of the context takes no part. The last line that means it, or a directory above it, counts.
    pub fn takes_out(&self, path: &Path) -> bool {
        let is_meant = |pattern: &Pattern| path.ancestors().any(|path| path != Path::new("") && pattern.matches_path_with(path, OPTIONS));
        self.lines.iter().rev().find(|(pattern, _)| is_meant(pattern)).is_some_and(|(_, takes_out)| *takes_out)
    }

    /// Returns whether nothing below a directory takes part, so that nobody need look there.
    pub fn takes_out_all_of(&self, path: &Path) -> bool {
        self.takes_out(path) && self.lines.iter().all(|(_, takes_out)| *takes_out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_that_means_a_path_counts() {
        let rules = IgnoreRules::read("# x\nnode_modules\n**/*.log\n/dist/\n!dist/keep\n[\n");
        let out = |path: &str| rules.takes_out(Path::new(path));
        assert!(out("node_modules") && out("node_modules/a/b") && out("a/b.log") && out("b.log") && out("dist/x"));
        assert!(!out("src") && !out("a/node_modules") && !out("dist/keep") && !out("dist/keep/x"));
        assert!(!rules.takes_out_all_of(Path::new("dist")) && !IgnoreRules::default().takes_out(Path::new("a")));
        assert!(IgnoreRules::read("a").takes_out_all_of(Path::new("a/b")));
    }
}
