//! Images of a person's or a project's own: `image = {…}`.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::{Command, id};

use crate::bed::{Bed, Image};
use crate::sandbox::Sandbox;

fn asks(text: &str, files: &[(&str, &str)]) -> Sandbox {
    let sandbox = Sandbox::new();
    for (name, bytes) in files.iter().chain(&[(".ai.toml", text)]) {
        sandbox.write(sandbox.project().join(name), bytes);
    }
    sandbox
}

/// Returns the image of a run, which is the last word before the tool's own.
fn image(sandbox: &Sandbox) -> String {
    let outcome = sandbox.ai(["resolve", "--format", "lines", "claude"]).outcome();
    assert_eq!(outcome.code, 0, "{}", outcome.err());
    let argv = outcome.out();
    let words: Vec<&str> = argv.lines().collect();
    words.iter().find(|word| word.starts_with("ai-made:") || **word == "ai-tools:1").copied().unwrap_or_default().to_owned()
}

const DEVCONTAINER: &str = r#"{ // ours
  "build": { "dockerfile": "Dockerfile" }, "containerEnv": { "TEAM": "blue" }, "mounts": ["source=${localEnv:HOME}/notes,target=/notes,type=bind"],
  "forwardPorts": [3999], "postCreateCommand": "make deps", "runArgs": ["--privileged"] }"#;

fn devcontainer() -> Sandbox {
    let files = [
        (".devcontainer/devcontainer.json", DEVCONTAINER),
        (".devcontainer/Dockerfile", "FROM a:1\nCOPY x.sh /\n"),
        (".devcontainer/x.sh", "1"),
    ];
    let sandbox = asks("image = { devcontainer = true }\n", &files);
    sandbox.write("home/notes/a", "a");
    sandbox
}

// NE-08, NE-05, Z-026
#[test]
fn an_image_is_asked_for_in_full_and_made_only_after_a_word() {
    let sandbox = devcontainer();
    assert_eq!(image(&sandbox), "ai-tools:1");
    let asked = [
        "+ image of its devcontainer.json",
        "+ image that stands on a:1",
        "+ once it is built, postCreateCommand: make deps",
        "+ variable TEAM=blue",
        "+ mount ~/notes, writable, at /notes",
        "+ publish 127.0.0.1:3999:3999",
    ];
    sandbox.ai(["trust"]).outcome().refused(77, &asked);
    assert_eq!(sandbox.ai(["trust", "--yes"]).outcome().code, 0);
    assert!(image(&sandbox).starts_with("ai-made:"));
    let explained = sandbox.ai(["resolve", "--explain", "claude"]).prints();
    let row = |part: &str| explained.lines().find(|row| row.contains(part)).unwrap_or_else(|| panic!("{part} in {explained}"));
    assert!(row("ai-made:").contains("image of its devcontainer.json") && row("ai-made:").ends_with(".ai.toml:1)"), "{}", row("ai-made:"));
    assert!(row("TEAM=blue").contains("devcontainer.json:1)") && row("3999").contains("devcontainer.json:1)"));
    assert!(!row("/notes").contains("readonly"));
    let status = sandbox.ai(["image", "status"]).outcome();
    assert!(status.err().contains("also has runArgs, which is not taken over"), "{}", status.err());
}

// Z-028: what it is made from is part of what was agreed to.
#[test]
fn a_file_that_changed_is_asked_for_again() {
    for (path, text) in [
        (".devcontainer/devcontainer.json", DEVCONTAINER.replace("make deps", "make evil")),
        (".devcontainer/Dockerfile", "FROM a:1\nCOPY x.sh /\nRUN /x.sh\n".into()),
        (".devcontainer/x.sh", "2".into()),
    ] {
        let sandbox = devcontainer();
        assert_eq!(sandbox.ai(["trust", "--yes"]).outcome().code, 0);
        let before = image(&sandbox);
        sandbox.write(sandbox.project().join("README"), "of no matter");
        assert_eq!(image(&sandbox), before);
        sandbox.write(sandbox.project().join(path), text);
        assert_eq!(image(&sandbox), "ai-tools:1", "{path}");
        let outcome = sandbox.ai(["resolve", "claude"]).outcome();
        assert!(outcome.err().contains("hint: ai trust"), "{path}: {}", outcome.err());
        assert_eq!(sandbox.ai(["trust", "--yes"]).outcome().code, 0);
        assert!(image(&sandbox).starts_with("ai-made:"));
    }
}

// Z-030: what cannot be read is no part of an image, and nothing waits for it.
#[test]
fn what_a_recipe_names_is_read_without_following_or_waiting() {
    let big = "x".repeat(17 << 20);
    for (what, why) in
        [("link", "is a link"), ("fifo", "takes no part"), ("up", "cannot be read"), ("big", "at most 16 MiB"), ("absent", "there is no")]
    {
        let sandbox = asks("image = { dockerfile = 'd/Dockerfile' }\n", &[("d/x", "")]);
        let path = sandbox.project().join("d/Dockerfile");
        match what {
            "link" => symlink("/etc/passwd", &path).unwrap(),
            "fifo" => assert!(Command::new("mkfifo").arg(&path).status().unwrap().success()),
            "up" => {
                fs::remove_dir_all(sandbox.project().join("d")).unwrap();
                sandbox.write("work/elsewhere/Dockerfile", "FROM a");
                symlink("../elsewhere", sandbox.project().join("d")).unwrap();
            }
            "big" => fs::write(&path, &big).unwrap(),
            _ => {}
        }
        let outcome = sandbox.ai(["trust", "--yes"]).outcome();
        assert!(outcome.err().contains("+ an image that cannot be made: ") && outcome.err().contains(why), "{what}: {}", outcome.err());
        sandbox.ai(["resolve", "claude"]).outcome().refused(78, &[".ai.toml:1", why]);
    }
}

// NE-08, M-04: nothing is built where nobody asked for it.
#[test]
fn a_run_without_its_image_says_which_command_builds_it() {
    let Some(bed) = Bed::new(Image::Busybox) else { return };
    let mut bed = bed;
    bed.unset("AI_IMAGE");
    bed.config("image = { apt = ['gcc'] }\n");
    bed.ai(["run", "claude", "x"]).outcome().refused(69, &["cannot run claude: the image ai-made:", "hint: ai image build claude"]);
    bed.ai(["exec", "true"]).outcome().refused(69, &["hint: ai image build"]);
    let doctor = bed.ai(["doctor"]).outcome();
    assert!(doctor.out().contains("is not there") && doctor.out().contains("ai image build"), "{}", doctor.out());
}

/// What stands for the image of the tools: it has what the real one has, in little.
const TOOLS: &str = r#"FROM BUSYBOX
RUN mkdir -p /usr/local/lib/node_modules/c && printf '#!/bin/sh\n[ "$1" = --version ] && echo v22 && exit; shift; exec "$@"\n' > /usr/local/bin/node \
 && printf '#!/bin/sh\ncase $1 in root) echo /usr/local/lib/node_modules ;; *) echo /usr/local ;; esac\n' > /usr/local/bin/npm \
 && printf '#!/bin/sh\nexec "$@"\n' > /usr/local/bin/as-job && cp /usr/local/bin/claude /usr/local/lib/node_modules/c/cli.js \
 && ln -sf ../lib/node_modules/c/cli.js /usr/local/bin/claude && chmod 0755 /usr/local/bin/*
"#;

// NE-08: the whole way, on an engine: below, the tools, the run, what comes after, and the end.
#[test]
fn a_devcontainer_is_built_used_and_removed() {
    let Some(mut bed) = Bed::new(Image::Busybox) else { return };
    for name in ["AI_CA", "AI_PROXY"] {
        bed.set(name, "off");
    }
    let (busybox, tools) = (std::env::var("AI_BED_BUSYBOX").unwrap(), format!("ai-bed/little-{}:1", id()));
    bed.unset("AI_IMAGE");
    let built = bed.run(bed.engine).args(["build", "-q", "-t", &tools, "-"]).stdin(TOOLS.replace("BUSYBOX", &busybox)).outcome();
    assert_eq!(built.code, 0, "{}", built.err());
    bed.manifest("mine", &format!("profile_of = 'claude'\nimage = '{tools}'\n"));
    let files = [
        (
            ".devcontainer/devcontainer.json",
            r#"{"build": {"dockerfile": "Dockerfile", "args": {"WORD": "hello"}}, "postCreateCommand": "cat /etc/word >made; echo again >>made"}"#,
        ),
        (
            ".devcontainer/Dockerfile",
            &format!("FROM {busybox}\nARG WORD\nCOPY x.sh /x.sh\nRUN rm /usr/local/bin/claude && sh /x.sh $WORD\n")[..],
        ),
        (".devcontainer/x.sh", "echo of the devcontainer: $1 >/etc/word"),
        (".ai.toml", "image = { devcontainer = true, run = [\"echo 'and more' >>/etc/word\"] }\n"),
    ];
    for (name, text) in files {
        bed.write(bed.project().join(name), text);
    }
    assert_eq!(bed.ai(["trust", "--yes"]).outcome().code, 0);
    let build = bed.ai(["image", "build", "mine"]).outcome();
    assert!(build.code == 0 && build.err().contains("postCreateCommand: cat"), "{}", build.err());
    let made = fs::read_to_string(bed.project().join("made")).unwrap();
    assert_eq!(made, "of the devcontainer: hello\nand more\nagain\n");
    let ran = bed.ai(["run", "mine", "cat", "/etc/word"]).outcome();
    assert_eq!((ran.code, ran.out().as_str()), (0, "of the devcontainer: hello\nand more\n"), "{}", ran.err());
    // Nothing changed, so nothing is built, and nothing is done in the project once more.
    let again = bed.ai(["image", "build", "mine"]).outcome();
    assert!(
        again.code == 0 && again.err().contains("nothing that it is made from changed") && !again.err().contains("postCreate"),
        "{}",
        again.err()
    );
    let mine = image_of(&bed, "mine");
    let dry = bed.ai(["image", "prune", "--dry-run"]).outcome();
    assert_eq!((dry.code, dry.out().as_str(), dry.err().as_str()), (0, "", "ai: every image that was made is some project's\n"));
    bed.write(bed.project().join(".ai.toml"), "image = { run = ['true'] }\n");
    assert_eq!(bed.ai(["trust", "--yes"]).outcome().code, 0);
    assert_eq!(bed.ai(["image", "build", "mine"]).outcome().code, 0);
    let next = image_of(&bed, "mine");
    let pruned = bed.ai(["image", "prune"]).prints();
    assert!(pruned.contains(&format!("{mine}\n")) && pruned.contains("ai-made:base-") && !pruned.contains(&next), "{pruned}");
    assert_eq!(bed.ai(["run", "mine", "true"]).outcome().code, 0);

    bed.docker(&["rmi", "--force", &next, &tools]);
    bed.nothing_left();
}

fn image_of(bed: &Bed, tool: &str) -> String {
    let status: serde_json::Value = serde_json::from_str(&bed.ai(["image", "status", tool, "--json"]).prints()).unwrap();
    let image = status["image"].as_str().unwrap().to_owned();
    assert!(image.starts_with("ai-made:"), "{status}");
    image
}
