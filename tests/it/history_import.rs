//! `ai history import`: the sessions that the host's own tools had in a project go on in its containers, as copies.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::bed::{Bed, Image};
use crate::mock::Mock;
use crate::sandbox::{Sandbox, tree};
use crate::shells::Shell;
use crate::terminal::on_terminal;

/// The name of a directory of claude's for the sessions of this one.
fn slug(directory: &Path) -> String {
    directory.to_str().unwrap().replace(|letter: char| !letter.is_ascii_alphanumeric(), "-")
}

/// A transcript of claude's that began in `directory`, `age` seconds old.
fn of_claude(sandbox: &Sandbox, directory: &Path, id: &str, age: u64) -> PathBuf {
    let said = format!("I was in \"cwd\":\"{}\"", directory.display());
    let lines = [json!({"type": "summary"}), json!({"cwd": directory, "text": said}), json!({"cwd": directory.join("src")})];
    let text = lines.map(|line| format!("{line}\n")).concat();
    let path = sandbox.write(format!("home/.claude/projects/{}/{id}.jsonl", slug(directory)), text);
    fs::File::options().write(true).open(&path).unwrap().set_modified(SystemTime::now() - Duration::from_secs(age)).unwrap();
    path
}

/// The homes of a tool in all projects of the store.
fn home(sandbox: &Sandbox, tool: &str) -> PathBuf {
    let projects = sandbox.store().join("global_state").join(tool).join("projects");
    fs::read_dir(projects).unwrap().next().unwrap().unwrap().path().join("home")
}

fn import(sandbox: &Sandbox, words: &[&str]) -> Value {
    serde_json::from_str(&sandbox.ai(["history", "import", "--json"].iter().chain(words)).prints()).unwrap()
}

/// What became of each session of claude, by its id.
fn states(sandbox: &Sandbox, words: &[&str]) -> Vec<String> {
    let imported = import(sandbox, &[&["claude"], words].concat());
    let sessions = imported[0]["sessions"].as_array().unwrap().iter();
    sessions.map(|session| format!("{} {}", session["id"].as_str().unwrap(), session["state"].as_str().unwrap())).collect()
}

// O1
#[test]
fn sessions_of_the_host_are_copied_once_and_stay_as_they_are() {
    let sandbox = Sandbox::new();
    let project = sandbox.project().to_owned();
    let one = of_claude(&sandbox, &project, "one", 300);
    let two = of_claude(&sandbox, &project.join("a.b"), "two", 100);
    let beside = one.with_extension("");
    sandbox.write(beside.join("subagents/agent-x.jsonl"), json!({"cwd": project}).to_string());
    sandbox.write(one.parent().unwrap().join("memory/MEMORY.md"), "a note");
    let before = tree(&sandbox.home().join(".claude"));

    assert_eq!(states(&sandbox, &["--dry-run"]), ["two new", "one new"]);
    assert!(!sandbox.store().join("global_state/claude").exists(), "only looked");
    assert_eq!(states(&sandbox, &[]), ["two copied", "one copied"]);
    assert_eq!(states(&sandbox, &[]), ["two there", "one there"]);
    assert_eq!(tree(&sandbox.home().join(".claude")), before);

    let projects = home(&sandbox, "claude").join("projects");
    let copy = projects.join("-workspace-proj/one.jsonl");
    let text = fs::read_to_string(&copy).unwrap();
    assert_eq!(text.matches("\"cwd\":\"/workspace/proj").count(), 2, "{text}");
    assert!(text.contains(&format!("I was in \\\"cwd\\\":\\\"{}\\\"", project.display())), "what was said stays: {text}");
    let (copied, original) = (copy.metadata().unwrap(), one.metadata().unwrap());
    assert_eq!((copied.mtime(), copied.mode() & 0o777), (original.mtime(), 0o600), "the newest one goes on");
    assert!(projects.join("-workspace-proj/one/subagents/agent-x.jsonl").is_file());
    assert_eq!(fs::read_to_string(projects.join("-workspace-proj/memory/MEMORY.md")).unwrap(), "a note");
    // A session of a directory below is found there.
    let below = fs::read_to_string(projects.join("-workspace-a-b/two.jsonl")).unwrap();
    assert!(below.contains("\"cwd\":\"/workspace/a.b/src\""), "{below}");

    // What went on inside stays, whatever becomes of the host's.
    fs::write(&copy, "went on").unwrap();
    fs::write(&two, "{}").unwrap();
    of_claude(&sandbox, &project, "three", 10);
    assert_eq!(states(&sandbox, &[]), ["three copied", "one there"]);
    assert_eq!(fs::read_to_string(copy).unwrap(), "went on");
}

#[test]
fn only_sessions_of_this_project_are_copied() {
    let sandbox = Sandbox::new();
    let project = sandbox.project().to_owned();
    sandbox.git_init();
    fs::create_dir_all(project.join("vendor/lib/.git")).unwrap();
    of_claude(&sandbox, &project.join("gone/for/long"), "gone", 1);
    // Another repository, and names that only look like this one's.
    of_claude(&sandbox, &project.join("vendor/lib/src"), "another", 2);
    of_claude(&sandbox, &sandbox.root().join("work/proj-2"), "alike", 3);
    of_claude(&sandbox, &sandbox.root().join("work/proj.x"), "dotted", 4);
    of_claude(&sandbox, &sandbox.home().join("old/place/src"), "moved", 5);
    assert_eq!(states(&sandbox, &["--dry-run"]), ["gone new"]);
    let old = sandbox.home().join("old/./x/../place");
    assert_eq!(states(&sandbox, &["--from", old.to_str().unwrap()]), ["gone copied", "moved copied"]);
    let moved = fs::read_to_string(home(&sandbox, "claude").join("projects/-workspace-src/moved.jsonl")).unwrap();
    assert!(moved.contains("\"cwd\":\"/workspace/src\""), "{moved}");
}

#[test]
fn the_other_tools_sessions_are_where_they_look_for_them() {
    let sandbox = Sandbox::new();
    let project = sandbox.project().to_owned();
    let meta = |directory: &Path| json!({"type": "session_meta", "payload": {"id": "x", "cwd": directory}}).to_string();
    sandbox.write("home/.codex/sessions/2026/01/02/rollout-a.jsonl", meta(&project));
    sandbox.write("home/.codex/sessions/2026/01/02/rollout-b.jsonl", meta(Path::new("/elsewhere")));
    sandbox.write("home/.codex/sessions/2025/01/02/rollout-c.jsonl.zst", "packed");
    for (name, directory) in [("proj", Path::new("/elsewhere/proj")), ("proj-1", &project), ("proj-2", &project.join("deep/proj"))] {
        sandbox.write(format!("home/.gemini/tmp/{name}/.project_root"), directory.to_str().unwrap());
        sandbox.write(format!("home/.gemini/tmp/{name}/chats/session-{name}.jsonl"), "{}");
    }
    let imported = import(&sandbox, &[]);
    let counts: Vec<_> = imported
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| (tool["tool"].as_str().unwrap(), tool["sessions"].as_array().unwrap().len()))
        .collect();
    assert_eq!(counts, [("claude", 0), ("gemini", 2), ("codex", 1)]);
    assert_eq!(imported[2]["packed"], 1);
    let rollout = fs::read_to_string(home(&sandbox, "codex").join("sessions/2026/01/02/rollout-a.jsonl")).unwrap();
    assert!(rollout.contains("\"cwd\":\"/workspace/proj\""), "{rollout}");
    let gemini = home(&sandbox, "gemini").join("tmp");
    let marked = |name: &str| fs::read_to_string(gemini.join(name).join(".project_root")).unwrap();
    let mut both = [marked("proj"), marked("proj-1")];
    both.sort();
    assert_eq!(both, ["/workspace/deep/proj", "/workspace/proj"], "each directory has its own");
    let again = import(&sandbox, &["gemini"]);
    assert!(again[0]["sessions"].as_array().unwrap().iter().all(|session| session["state"] == "there"), "{again}");
    sandbox.ai(["history", "import", "glm"]).fails_with(2);
}

// BO-01: what the host's tool keeps may be anything, and what a container made of its home is followed nowhere.
#[test]
fn odd_files_are_passed_over_and_nothing_is_written_elsewhere() {
    let sandbox = Sandbox::new();
    let project = sandbox.project().to_owned();
    let real = of_claude(&sandbox, &project, "real", 1);
    let beside = |name: &str| real.with_file_name(name);
    sandbox.run("sh").args(["-c", "mkfifo \"$1\"", "sh", beside("pipe.jsonl").to_str().unwrap()]).env("PATH", "/usr/bin:/bin").prints();
    symlink(sandbox.write("home/secret", json!({"cwd": project}).to_string()), beside("link.jsonl")).unwrap();
    fs::create_dir(beside("directory.jsonl")).unwrap();
    fs::write(beside("empty.jsonl"), "").unwrap();
    fs::write(beside("noise.jsonl"), [0xff; 4096]).unwrap();
    assert_eq!(states(&sandbox, &["--dry-run"]), ["real new"]);

    // A run made the home; its container leads the tool's directory elsewhere.
    sandbox.ai(["run", "claude", "true"]).prints();
    let (home, away) = (home(&sandbox, "claude"), sandbox.root().join("away"));
    fs::create_dir(&away).unwrap();
    symlink(&away, home.join("projects")).unwrap();
    let outcome = sandbox.ai(["history", "import", "claude"]).outcome();
    assert!(outcome.code == 1 && outcome.err().contains("cannot copy the sessions of claude"), "{outcome:?}");
    assert_eq!(fs::read_dir(&away).unwrap().count(), 0);
}

// O1: a person is asked once; a machine, a pipe and a tool that prints never.
#[test]
fn the_copies_are_offered_once_to_a_person() {
    for shell in [Shell::Zsh, Shell::Fish, Shell::Bash] {
        let sandbox = Sandbox::new();
        of_claude(&sandbox, sandbox.project(), "one", 1);
        let copies = || tree(&sandbox.store()).into_keys().filter(|path| path.ends_with("one.jsonl")).count();
        assert_eq!(sandbox.shell(shell, "claude x </dev/null").outcome().code, 0);
        on_terminal(sandbox.shell(shell, "CI=1 ai run claude; ai run claude -- -p x; claude | cat; echo 'not asked'"))
            .exp_string("not asked")
            .unwrap();
        assert_eq!(copies(), 0, "{shell:?}");
        let mut terminal = on_terminal(sandbox.shell(shell, "claude; claude; echo done"));
        terminal.exp_string("1 session of claude in this project was made without ai.").unwrap();
        terminal.send_line("y").unwrap();
        terminal.exp_string("claude: 1 session copied").unwrap();
        terminal.exp_string("done").unwrap();
        assert_eq!(copies(), 1, "{shell:?}");
    }
    let sandbox = Sandbox::new();
    of_claude(&sandbox, sandbox.project(), "one", 1);
    let mut terminal = on_terminal(sandbox.ai(["run", "claude"]));
    terminal.exp_string("Copy them").unwrap();
    terminal.send_line("n").unwrap();
    terminal.exp_eof().unwrap();
    on_terminal(sandbox.shell(Shell::Bash, "ai run claude; echo 'not again'")).exp_string("not again").unwrap();
    assert_eq!(states(&sandbox, &["--dry-run"]), ["one new"]);
}

// O1, SE-02: what was said natively goes on inside.
#[test]
fn claude_goes_on_inside_with_what_was_said_outside() {
    let Some(mut bed) = Bed::new(Image::Tools) else { return };
    let Some(mock) = Mock::serve(&mut bed.sandbox) else { return };
    if rustix::process::getuid().is_root() && !bed.as_user(1000) {
        return;
    }
    let (home, project) = (bed.home(), bed.project().to_owned());
    let image = std::env::var("AI_BED_TOOLS").unwrap();
    let (uid, url) = (home.metadata().unwrap().uid().to_string(), format!("ANTHROPIC_BASE_URL={}", mock.url));
    let (at, there) = (format!("HOME={}", home.display()), format!("{0}:{0}", bed.root().display()));
    bed.docker(&[
        "run",
        "--rm",
        "--network=host",
        "--user",
        &uid,
        "-e",
        &at,
        "-e",
        &url,
        "-e",
        "ANTHROPIC_API_KEY=made-up",
        "-v",
        &there,
        "-w",
        project.to_str().unwrap(),
        "--entrypoint",
        "claude",
        &image,
        "-p",
        "SAID-OUTSIDE",
    ]);
    let outcome = bed.ai(["history", "import"]).outcome();
    assert!(outcome.code == 0 && outcome.err().contains("claude: 1 session copied; yours stay as they are"), "{outcome:?}");
    let answer = bed.shell(Shell::Bash, "claude -c -p 'FIND: SAID-OUTSIDE'").prints();
    assert_eq!(answer, "mock-anthropic found SAID-OUTSIDE\n");
    bed.nothing_left();
}
