//! What a run reads: once, no more than it needs, and no file that is a stranger's.

use std::fs;
use std::path::Path;

use crate::require::need;
use crate::sandbox::{AI, Sandbox, find_program};

/// How often `ai run claude x` opens, reads or follows each of these paths.
fn reads(sandbox: &Sandbox, strace: &Path, paths: &[&str]) -> Vec<usize> {
    sandbox.link("strace", strace);
    let log = sandbox.root().join("calls");
    let calls = "trace=open,openat,readlink,readlinkat";
    let mut run = sandbox.run("strace").args(["-f", "-qq", "-o"]).args([&log]).args(["-e", calls, AI, "run", "claude", "x"]);
    run = run.unset("TZ");
    assert_eq!(run.outcome().code, 0);
    let log = fs::read_to_string(log).unwrap();
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
    // Z-029: what is judged is what is used, since there is one read.
    fs::write(sandbox.project().join(".ai.toml"), "pids = 50\n").unwrap();
    let paths = ["\".ai.toml\"", "\"/etc/localtime\"", "\"/etc/ai/config.toml\"", ".docker-ai-config/config.toml\"", "tools/claude.toml\""];
    assert_eq!(reads(&sandbox, &strace, &paths), [1; 5]);
}

/// How many calls that look at files `ai run claude x` makes in this project, and whether git is among what it starts.
fn looks(sandbox: &Sandbox, strace: &Path) -> (usize, bool) {
    sandbox.link("strace", strace);
    let log = sandbox.root().join("calls");
    let run = sandbox.run("strace").args(["-f", "-qq", "-e", "trace=%file,getdents64", "-o"]).args([&log]).args([AI, "run", "claude", "x"]);
    assert_eq!(run.outcome().code, 0);
    let log = fs::read_to_string(log).unwrap();
    let ours = log.split_whitespace().next().unwrap().to_owned();
    let count = log.lines().filter(|line| line.starts_with(&ours)).count();
    (count, log.lines().any(|line| line.contains("execve(") && line.contains("/git\"")))
}

// Z-025
#[test]
fn a_repository_of_very_many_files_costs_what_an_empty_one_does() {
    let Some(strace) = need("strace", find_program("strace")) else { return };
    let measure = |files: usize| {
        let sandbox = Sandbox::new();
        sandbox.git_init();
        for number in 0..files {
            sandbox.write(format!("work/proj/src/{}/{number}", number % 50), "x");
            sandbox.write(format!("work/proj/.git/objects/{:02x}/{number}", number % 256), "x");
        }
        // The first run makes the state.
        looks(&sandbox, &strace);
        looks(&sandbox, &strace)
    };
    // As many directories, twenty times as many files.
    let (few, many) = (measure(256), measure(5_120));
    // The helper beside the run ends in its own time, which is some calls more or less.
    assert!(few.0.abs_diff(many.0) < 100, "{few:?} {many:?}");
    assert!(!few.1 && !many.1, "git was started");
}

// Z-032
#[test]
fn a_projects_env_file_is_never_opened() {
    let Some(strace) = need("strace", find_program("strace")) else { return };
    let sandbox = Sandbox::new();
    let plan =
        |sandbox: &Sandbox| sandbox.ai(["resolve", "--format", "lines", "--session", "0123456789ab", "--", "claude"]).outcome().out();
    let before = plan(&sandbox);
    let steered = "CODEX_HOME=/tmp\nANTHROPIC_BASE_URL=http://evil.example\nLD_PRELOAD=/tmp/x.so\nAI_NETWORK=host\nAI_IMAGE=evil\n";
    for name in [".env", ".env.local", ".envrc", ".env.development"] {
        sandbox.write(Path::new("work/proj").join(name), steered);
    }
    assert_eq!(plan(&sandbox), before);
    assert!(before.contains("--rm"), "{before}");
    sandbox.link("strace", &strace);
    let log = sandbox.root().join("calls");
    let run = sandbox.run("strace").args(["-qq", "-e", "trace=open,openat", "-o"]).args([&log]).args([AI, "resolve", "--", "claude"]);
    assert_eq!(run.outcome().code, 0);
    let opened = fs::read_to_string(&log).unwrap();
    assert!(opened.contains("manifest") || opened.contains("config.toml"), "{opened}");
    assert!(!opened.contains("/.env"), "{opened}");
}
