//! Files that instructions import: `@path` at the start of a word, outside of code.

use std::path::{Path, PathBuf};

use crate::core::text::path::without_dots;

/// Most files that instructions import and are known by name; fewer come along.
pub const MOST: usize = 256;
/// How deep imports of imports are followed; claude's own number.
pub const DEPTH: usize = 5;

/// Returns the paths that a text imports, as they are written.
pub fn written(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut in_fence = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") || line.trim_start().starts_with("~~~") {
            in_fence = !in_fence;
            continue;
        }
        if in_fence {
            continue;
        }
        // Every second part is within backticks.
        for plain in line.split('`').step_by(2) {
            let words = plain.split_whitespace().filter_map(|word| word.strip_prefix('@'));
            let paths = words.map(|word| word.trim_end_matches(['.', ',', ';', ':', ')', '"', '\'']));
            found.extend(paths.filter(|path| is_path(path)).map(str::to_owned));
        }
    }
    found
}

/// A name such as `@somebody` is no path; a file has an ending or stands in a directory.
fn is_path(word: &str) -> bool {
    let fits = |c: char| !c.is_control() && !matches!(c, '@' | '<' | '>' | '|' | '*');
    !word.is_empty() && word.len() < 1024 && word.chars().all(fits) && (word.contains('/') || word.contains('.'))
}

/// Returns the absolute path that an import means, from the directory of the file that has it.
pub fn absolute(written: &str, directory: &Path, home: &Path) -> PathBuf {
    let path = written.strip_prefix("~/").map_or_else(|| directory.join(written), |below| home.join(below));
    without_dots(&path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_are_words_outside_of_code() {
        let text = "# Rules\n@personal.md and @docs/style.md, also @~/notes/rules.md.\n- @./a.md\n`@no.md` mail me@x.org @somebody\n```\n@not.md\n```\n@/srv/team.md";
        assert_eq!(written(text), ["personal.md", "docs/style.md", "~/notes/rules.md", "./a.md", "/srv/team.md"]);
        assert!(written("@@x.md @<y.md> @").is_empty());
    }

    #[test]
    fn an_import_is_meant_from_its_file() {
        let absolute = |written| absolute(written, Path::new("/home/u/.claude/docs"), Path::new("/home/u"));
        for (written, expected) in [
            ("a.md", "/home/u/.claude/docs/a.md"),
            ("../b.md", "/home/u/.claude/b.md"),
            ("~/notes/c.md", "/home/u/notes/c.md"),
            ("/srv/d.md", "/srv/d.md"),
            ("../../../../../../x", "/x"),
        ] {
            assert_eq!(absolute(written), Path::new(expected));
        }
    }
}
