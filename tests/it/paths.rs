//! Names that a path may have.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;

use crate::bed::{Bed, Image};
use crate::sandbox::Sandbox;
use crate::shells::Shell;

const NAMES: [&str; 17] = [
    "a b",
    "tab\there",
    "it's",
    "say \"hi\"",
    "`id`",
    "$(id)",
    "a;b",
    "a&b",
    "a|b",
    "new\nline",
    "a:b",
    "a,b",
    "--privileged",
    "back\\slash",
    "*",
    " edges ",
    "ü-日本",
];

// B-08, Z-001, Z-002, Z-003, Z-004, Z-005, Z-006
#[test]
fn a_directory_of_any_name_is_one_mount() {
    for name in NAMES {
        let sandbox = Sandbox::with_project(name);
        let argv = sandbox.plan(["claude", "x"]);
        let source = sandbox.project().to_str().unwrap().to_owned();
        assert_eq!(argv.mounts()[0], (source, format!("/workspace/{name}"), false));
        assert_eq!(argv.value("-w"), format!("/workspace/{name}"));
        assert_eq!(argv.tail()[1..], ["claude", "x"]);
        for shell in Shell::all() {
            sandbox.shell(shell, "claude x").prints();
            let call = sandbox.calls().pop().unwrap().argv;
            let at = call.iter().position(|word| word == "-w").unwrap();
            assert_eq!(call[at + 1], *format!("/workspace/{name}"), "{shell:?}");
            assert_eq!(call.last().unwrap(), "x", "{shell:?} {name:?}");
        }
        assert_eq!(fs::read_dir(sandbox.project()).unwrap().count(), 0, "{name:?}");
    }
    crate::hostile::stopped("a project named like options, or with commas, quotes, newlines", NAMES.len(), "one quoted field of one mount");
}

// B-08, Z-001, Z-002, Z-003, Z-004, Z-005, Z-006
#[test]
fn the_engine_takes_a_directory_of_any_name() {
    let Some(bed) = Bed::new(Image::Busybox) else { return };
    for name in ["a b\t'\"`$(id);&|:,\\*ü", "new\nline", "--privileged", " edges"] {
        let directory = bed.root().join("work").join(name);
        fs::create_dir(&directory).unwrap();
        let pwd = bed.ai(["exec", "--", "sh", "-c", "touch here; pwd"]).cwd(&directory).prints();
        assert_eq!(pwd, format!("/workspace/{name}\n"));
        assert!(directory.join("here").exists(), "{name:?}");
    }
    bed.nothing_left();
}

// B-08, Z-007
#[test]
fn a_name_that_is_no_text_is_refused_and_not_changed() {
    let sandbox = Sandbox::with_project(OsStr::from_bytes(b"a\xffb"));
    for command in ["resolve", "run"] {
        sandbox.ai([command, "claude"]).outcome().refused(78, &["its name is not UTF-8", "hint: rename the directory"]);
    }
    assert!(!sandbox.store().exists() && sandbox.calls().is_empty());
}

// Z-008
#[test]
fn the_longest_names_work_and_longer_ones_are_refused() {
    let long = "n".repeat(255);
    let sandbox = Sandbox::with_project(&long);
    assert_eq!(sandbox.plan(["claude"]).value("-w"), format!("/workspace/{long}"));
    assert!(sandbox.plan(["claude"]).value("--name").len() < 64);

    let script = format!("for n in $(seq $1); do mkdir {long}; cd -P {long}; done; exec ai resolve --format lines claude");
    let deep = |levels: &str| sandbox.run("sh").args(["-c", &script, "sh", levels]).outcome();
    assert!(deep("13").out().contains(&format!("{long}\n")));
    let beyond = deep("18");
    beyond.refused(78, &["its path is too long"]);
}

// B-09
#[test]
fn a_root_without_a_name_is_called_project() {
    let sandbox = Sandbox::new();
    let argv = sandbox.ai(["resolve", "--force-workspace", "--format", "lines", "claude"]).cwd("/").prints();
    assert!(argv.contains("type=bind,source=/,target=/workspace/project\n"), "{argv}");
}

// Z-014, Z-016, C-02
#[test]
fn words_reach_the_tool_as_they_were_typed() {
    let words = [
        "",
        "a b",
        "$(id)",
        ";",
        "*",
        "\"",
        "\n",
        "--",
        "-e",
        "FOO=1",
        "--mount",
        "type=bind,source=/,target=/x",
        "--rm",
        "it's",
        "\\",
        "~",
        "=ls",
        "{a,b}",
        "!x",
        "--help",
    ];
    let long = "x".repeat(1 << 16);
    for shell in Shell::all() {
        let sandbox = Sandbox::new();
        let line: Vec<&OsStr> = words.iter().map(OsStr::new).chain([OsStr::new(&long), OsStr::from_bytes(b"\x80\xff\xc3")]).collect();
        let script = format!("{}\nclaude {}", shell.load(""), shell.text("\"$@\"", "$argv"));
        let name = if shell == Shell::Fish { vec![] } else { vec!["arguments"] };
        sandbox.run(shell.name()).args(shell.plain()).args(["-c", &script]).args(name).args(&line).prints();
        let argv = sandbox.the_run().argv;
        assert_eq!(argv[argv.len() - line.len()..], line, "{shell:?}");
    }
    let sandbox = Sandbox::new();
    sandbox.ai(["run", "claude", "--"]).args(words).prints();
    let argv = sandbox.the_run().argv;
    assert_eq!(argv[argv.len() - words.len() - 1..argv.len() - words.len()], ["claude"]);
    assert_eq!(argv[argv.len() - words.len()..], words);
}

// Z-014, Z-016, C-02
#[test]
fn words_reach_the_tool_through_a_real_engine() {
    let Some(bed) = Bed::new(Image::Busybox) else { return };
    let words: [&[u8]; 9] = [b"", b"a b", b"$(id)", b"\n", b"--", b"-e", b"--mount", b"it's\\", b"\x80\xff\n"];
    let words: Vec<&OsStr> = words.into_iter().map(OsStr::from_bytes).collect();
    let outcome = bed.ai(["exec", "--", "printf", "[%s]"]).args(&words).outcome();
    let expected: Vec<u8> = words.iter().flat_map(|word| [b"[", word.as_bytes(), b"]"].concat()).collect();
    assert_eq!((outcome.code, outcome.stdout), (0, expected));
}

// Z-015
#[test]
fn too_much_is_an_error_and_never_cut() {
    let sandbox = Sandbox::new();
    let many: Vec<String> = (0..10_000).map(|n| n.to_string()).collect();
    sandbox.ai(["run", "claude"]).args(&many).prints();
    let argv = sandbox.the_run().argv;
    assert!(argv[argv.len() - many.len()..].iter().eq(many.iter().map(OsStr::new)));
    for shell in Shell::all() {
        let sandbox = Sandbox::new();
        let big = shell.text("claude \"$(printf %1000000s x)\"", "claude (printf %1000000s x)");
        let outcome = sandbox.shell(shell, big).outcome();
        assert_ne!(outcome.code, 0, "{shell:?}");
        assert!(["too long", "length limit"].iter().any(|why| outcome.err().contains(why)), "{shell:?}: {}", outcome.err());
        assert!(sandbox.calls().iter().all(|call| call.argv[0] != "run"));
    }
}
