//! What a run reads, it reads once.

use crate::require::need;
use crate::sandbox::{AI, Sandbox, find_program};

/// How often `ai run claude x` opens, reads or follows each of these paths.
fn reads(sandbox: &Sandbox, strace: &std::path::Path, paths: &[&str]) -> Vec<usize> {
    sandbox.link("strace", strace);
    let log = sandbox.root().join("calls");
    let calls = "trace=open,openat,readlink,readlinkat";
    let mut run = sandbox.run("strace").args(["-f", "-qq", "-o"]).args([&log]).args(["-e", calls, AI, "run", "claude", "x"]);
    run = run.unset("TZ");
    assert_eq!(run.outcome().code, 0);
    let log = std::fs::read_to_string(log).unwrap();
    // The engine and what it starts are not ours.
    let ours = log.split_whitespace().next().unwrap().to_owned();
    let is_read = |line: &&str, path: &str| line.starts_with(&ours) && line.contains(path);
    paths.iter().map(|path| log.lines().filter(|line| is_read(line, path)).count()).collect()
}

#[test]
fn the_facts_the_configuration_and_the_manifest_are_read_once_a_run() {
    let Some(strace) = need("strace", find_program("strace")) else { return };
    let sandbox = Sandbox::new();
    sandbox.config("network = 'none'\n");
    sandbox.manifest("claude", "about = 'mine'\ncommand = ['claude']\n");
    let paths = ["\"/etc/localtime\"", "\"/etc/ai/config.toml\"", ".docker-ai-config/config.toml\"", "tools/claude.toml\""];
    assert_eq!(reads(&sandbox, &strace, &paths), [1, 1, 1, 1]);
}
