//! Git itself as the judge of how its settings are read: what it finds in any bytes, and what a comparison makes of them.

use std::fs;

use crate::control::{End, hostile, run, script};

/// A small generator, so that every failure comes again.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}

const PIECES: [&str; 34] = [
    "[core]",
    "[core \"",
    "\"]",
    "\n",
    "\r\n",
    "\r",
    " ",
    "\t",
    "=",
    "\\",
    "\\\n",
    "\"",
    ";",
    "#",
    "fsmonitor",
    "FSMonitor = $EVIL",
    "hooksPath=h\n",
    "bare",
    "[include]\npath=x\n",
    "[filter.x]clean=$EVIL\n",
    "[ALIAS] x=!y\n",
    "name = a",
    "[user]",
    "[",
    "]",
    ".",
    "-",
    "\u{b}",
    "\u{c}",
    "\u{feff}",
    "é",
    "1",
    "[remote \"a\"]\nurl=",
    "\\n",
];

// BO-12: where git finds a setting that runs something, so does the comparison; whatever the bytes are.
#[test]
fn what_git_finds_in_any_bytes_is_found() {
    let mut random = Random(7);
    let (mut found, mut ran) = (0, 0);
    while ran < 40 {
        let mut sandbox = hostile();
        let tail: String = (0..12).map(|_| PIECES[random.below(PIECES.len())]).collect();
        let path = sandbox.root().join("tail");
        fs::write(&path, &tail).unwrap();
        sandbox.set("TAIL", &path);
        let names = |sandbox: &_| script(sandbox, "git config --list --no-includes -f .git/config").outcome().out();
        let err = run(&mut sandbox, "cat $TAIL >>.git/config", End::Tool).err();
        let names = names(&sandbox);
        // A bare `fsmonitor` is git's own.
        let bad = ["core.fsmonitor=", "core.hookspath", "include.path", "filter.x.clean", "alias.x"];
        assert!(!bad.iter().any(|bad| names.lines().any(|name| name.starts_with(bad))), "{tail:?}: {names}\n{err}");
        // Git reads what is left.
        assert_eq!(script(&sandbox, "git status >/dev/null").outcome().code, 0, "{tail:?}: {err}");
        found += usize::from(err.contains(".git/config"));
        ran += 1;
    }
    assert!(found > 12, "{found}");
}
