//! Something odd at every path at once that a container or a repository can write: every command ends, in little memory.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, mknodat};

use crate::hostile::stopped;
use crate::sandbox::{AI, Sandbox, tree};

/// Names in the home of a tool, or beside its login, that a tool or a command of ours reads.
const IN_STATE: &[&str] = &[
    ".claude.json",
    ".credentials.json",
    "CLAUDE.md",
    "GEMINI.md",
    "AGENTS.md",
    "agents/a.md",
    "auth.json",
    "commands/a.md",
    "config.toml",
    "history.jsonl",
    "oauth_creds.json",
    "google_accounts.json",
    "plugins/installed_plugins.json",
    "projects/-workspace-proj/a.jsonl",
    "sessions/2026/11/27/rollout-a.jsonl",
    "settings.json",
    "skills/a/SKILL.md",
    "tmp/proj/chats/session-a.json",
    "todos/a.json",
    "trustedFolders.json",
];

/// Names in the project.
const IN_PROJECT: &[&str] = &[
    ".ai.toml",
    ".ai-state/claude/.credentials.json",
    ".ai-state/claude/settings.json",
    ".claude/settings.json",
    ".claude/settings.local.json",
    ".devcontainer/devcontainer.json",
    ".dockerignore",
    ".envrc",
    ".gemini/settings.json",
    ".git/HEAD",
    ".git/commondir",
    ".git/config",
    ".git/config.worktree",
    ".git/hooks/pre-commit",
    ".git/index",
    ".git/info/attributes",
    ".git/logs/HEAD",
    ".git/modules/a/HEAD",
    ".git/modules/a/config",
    ".git/objects/info/alternates",
    ".git/packed-refs",
    ".git/worktrees/a/commondir",
    ".git/worktrees/a/gitdir",
    ".gitmodules",
    ".mcp.json",
    "CLAUDE.md",
    "Dockerfile",
    "Makefile",
    "a/.git",
];

type PutOdd = fn(&Path);

const ODD: &[(&str, PutOdd)] = &[
    ("a pipe", |path| mknodat(CWD, path, FileType::Fifo, 0o600.into(), 0).unwrap()),
    ("a link to what never ends", |path| symlink("/dev/zero", path).unwrap()),
    ("a giant", |path| fs::File::create(path).unwrap().set_len(1 << 32).unwrap()),
    ("a directory", |path| fs::create_dir_all(path.join("x")).unwrap()),
    ("a link to itself", |path| symlink(path.file_name().unwrap(), path).unwrap()),
];

/// What people type. None of them asks or waits.
const COMMANDS: &[&str] = &[
    "run claude",
    "run gemini",
    "run codex",
    "resolve --explain claude",
    "sync status claude",
    "sync diff claude",
    "sync repair",
    "sync log",
    "doctor",
    "doctor --fix",
    "ps",
    "gc",
    "history",
    "history words",
    "resume a",
    "stats",
    "cost",
    "creds status",
    "creds migrate",
    "project list",
    "changes",
    "config show",
    "trust",
    "image status",
    "run claude",
];

/// Every path that something can be put at: what is in the state after a run of each tool, and names that are read where they are.
fn paths(sandbox: &Sandbox) -> BTreeSet<PathBuf> {
    let state = sandbox.store().join("global_state");
    let is_mounted =
        |path: &Path| path.components().any(|part| ["shared", "home", "git", "cache", "gh"].iter().any(|name| part.as_os_str() == *name));
    let there = tree(&state).into_keys().filter(|path| is_mounted(path.strip_prefix(&state).unwrap_or(path)));
    let mut all: BTreeSet<PathBuf> = there.collect();
    for tool in ["claude", "gemini", "codex"] {
        let homes = fs::read_dir(state.join(tool).join("projects")).unwrap().map(|entry| entry.unwrap().path().join("home"));
        for directory in homes.chain([state.join(tool).join("shared"), state.join(tool).join("shared/login")]) {
            all.extend(IN_STATE.iter().map(|name| directory.join(name)));
        }
    }
    all.extend(IN_PROJECT.iter().map(|name| sandbox.project().join(name)));
    all
}

// BO-05, Z-030
#[test]
fn whatever_stands_at_any_path_every_command_ends_in_little_memory() {
    let mut tries = 0;
    for (what, put) in ODD {
        let sandbox = Sandbox::new();
        sandbox.git_init();
        for tool in ["claude", "gemini", "codex"] {
            sandbox.ai(["run", tool]).prints();
        }
        let paths = paths(&sandbox);
        assert!(paths.len() > 150, "{}", paths.len());
        for path in &paths {
            let _ = fs::create_dir_all(path.parent().unwrap());
            let _ = fs::remove_file(path);
            if !path.exists() && path.parent().unwrap().is_dir() {
                put(path);
                tries += 1;
            }
        }
        for command in COMMANDS {
            // Whatever it maps, its code and stacks among that.
            let words = format!("ulimit -v 400000; exec {AI} {command} </dev/null");
            let outcome = sandbox.run("sh").args(["-c", &words]).outcome();
            assert!((0..126).contains(&outcome.code), "{what}, {command}: {} {}", outcome.code, outcome.err());
            assert!(!outcome.err().contains("memory allocation"), "{what}, {command}: {}", outcome.err());
        }
    }
    stopped("a pipe, a device, a giant or a loop at every path that a container or a repository writes", tries, "one bounded reader");
}
