//! Streams and exit codes, through each shell's function.

use std::fs;

use crate::bed::{Bed, Image};
use crate::process::wait_for;
use crate::sandbox::Sandbox;
use crate::shells::Shell;
use crate::spare::ready;

const CODES: [i32; 8] = [0, 1, 2, 42, 130, 137, 143, 255];

// D-04, Z-082
#[test]
fn the_code_of_the_tool_is_the_code_of_the_function() {
    for shell in Shell::all() {
        let sandbox = Sandbox::new();
        for code in CODES {
            let outcome = sandbox.shell(shell, "claude hello").env("FAKE_ENGINE_DO", format!("exit {code}")).outcome();
            assert_eq!((outcome.code, outcome.err().as_str()), (code, ""), "{shell:?}");
            let outcome = sandbox.ai(["run", "claude"]).env("FAKE_ENGINE_DO", format!("exit {code}")).outcome();
            assert_eq!((outcome.code, outcome.err().as_str()), (code, ""));
        }
    }
}

/// Tools end with these codes.
#[track_caller]
pub fn codes(bed: &Bed, shell: Shell, codes: &[i32]) {
    for code in codes {
        ready(bed, &[]);
        let outcome = bed.shell(shell, &format!("gexec sh -c 'exit {code}'")).outcome();
        assert_eq!((outcome.code, outcome.out(), outcome.err()), (*code, String::new(), String::new()), "{shell:?}");
    }
}

// D-04, Z-082
#[test]
fn the_code_of_the_tool_survives_a_real_engine() {
    let Some(bed) = Bed::new(Image::Busybox) else { return };
    for (shell, those) in Shell::all().into_iter().zip([[0, 137], [1, 143], [2, 42]]) {
        codes(&bed, shell, &those);
    }
    bed.nothing_left();
}

// D-03
#[test]
fn only_the_tool_s_own_output_is_captured() {
    for shell in Shell::all() {
        let mut sandbox = Sandbox::new();
        sandbox.set("FAKE_ENGINE_DO", "echo answer; echo progress >&2");
        // A limit that no engine can give makes us talk.
        sandbox.set("AI_CPUS", "4096");
        let outcome =
            sandbox.shell(shell, shell.text("x=\"$(claude -p q)\"; echo \"[$x]\"", "set x (claude -p q); echo \"[$x]\"")).outcome();
        assert_eq!(outcome.out(), "[answer]\n", "{shell:?}");
        assert!(outcome.err().contains("progress") && outcome.err().contains("ai: processor limit lowered"), "{}", outcome.err());
    }
}

/// Bytes that no text has, as many as asked for.
fn noise(length: usize) -> Vec<u8> {
    (0..length).map(|n| (n * 2_654_435_761_usize >> 11) as u8).collect()
}

/// A megabyte comes in from a file and through a pipe, and goes out.
#[track_caller]
pub fn input(bed: &Bed, shell: Shell) {
    let bytes = noise(1 << 20);
    fs::write(bed.root().join("bytes"), &bytes).unwrap();
    ready(bed, &[]);
    bed.shell(shell, "gexec --shell 'cat > copy' < ../../bytes").prints();
    assert!(fs::read(bed.project().join("copy")).unwrap() == bytes, "{shell:?}, from a file");
    ready(bed, &[]);
    let out = bed.shell(shell, "cat ../../bytes | gexec cat").outcome();
    assert!(out.code == 0 && out.stdout == bytes && out.stderr.is_empty(), "{shell:?}, through a pipe: {}", out.err());
}

// D-02, Z-083
#[test]
fn standard_input_arrives_whole() {
    let Some(bed) = Bed::new(Image::Busybox) else { return };
    Shell::all().into_iter().for_each(|shell| input(&bed, shell));
    bed.nothing_left();
}

/// No input is the end of a file.
#[track_caller]
pub fn closed_input(bed: &Bed) {
    for closed in ["< /dev/null", "<&-"] {
        ready(bed, &[]);
        assert_eq!(bed.shell(Shell::Bash, &format!("gexec --shell 'cat; echo end' {closed}")).prints(), "end\n");
    }
}

// Z-083
#[test]
fn output_goes_to_a_file() {
    for shell in Shell::all() {
        let mut sandbox = Sandbox::new();
        sandbox.set("FAKE_ENGINE_DO", "echo answer; echo progress >&2; exit 3");
        let script = format!("claude q >out 2>err; echo code={}", shell.text("$?", "$status"));
        assert_eq!(sandbox.shell(shell, &script).prints(), "code=3\n", "{shell:?}");
        let read = |name| fs::read_to_string(sandbox.project().join(name)).unwrap();
        assert_eq!((read("out").as_str(), read("err").as_str()), ("answer\n", "progress\n"), "{shell:?}");
    }
}

// Z-083
#[test]
fn a_closed_standard_input_is_the_end_of_a_file() {
    for shell in [Shell::Zsh, Shell::Bash] {
        if Shell::all().contains(&shell) {
            let sandbox = Sandbox::new();
            sandbox.shell(shell, "claude x <&-").prints();
            assert!(!sandbox.the_run().argv.iter().any(|word| word == "-t"), "{shell:?}");
        }
    }
    let Some(bed) = Bed::new(Image::Busybox) else { return };
    closed_input(&bed);
}

// D-07
#[test]
fn a_reader_that_goes_away_leaves_no_orphan() {
    let Some(bed) = Bed::new(Image::Busybox) else { return };
    for shell in Shell::all() {
        let outcome = bed.shell(shell, "gexec --shell 'yes | head -c 30000000' | head -n 1").outcome();
        assert_eq!(outcome.out(), "y\n", "{shell:?}");
        assert!(!outcome.err().contains("panicked"), "{}", outcome.err());
    }
    // The engine's client goes at once; what nobody reads any more ends by itself.
    wait_for("the end of the containers", || bed.containers().is_empty().then_some(()));
    bed.nothing_left();
    for command in [&["resolve", "claude"][..], &["init", "bash"], &["tools"], &["--help"]] {
        let line = format!("ai {} | true; echo ${{PIPESTATUS[0]}}", command.join(" "));
        assert_eq!(Sandbox::new().bare(Shell::Bash, &line).prints(), "0\n");
    }
}

// D-07: nothing inside notices that nobody reads any more, and no signal ends the client.
#[test]
fn a_reader_that_goes_away_ends_a_tool_that_never_would() {
    let Some(bed) = Bed::new(Image::Busybox) else { return };
    let runs = Shell::all().into_iter().map(|shell| (format!("{shell:?}"), bed.shell(shell, "gexec yes | head -n 1")));
    for (name, run) in runs.chain([("ai".to_owned(), bed.bare(Shell::Bash, "ai exec yes | head -n 1"))]) {
        let outcome = run.outcome();
        assert_eq!(outcome.out(), "y\n", "{name}: {}", outcome.err());
        bed.nothing_left();
    }
}

// D-05
#[test]
fn what_the_engine_refuses_keeps_its_code_and_its_line() {
    let Some(bed) = Bed::new(Image::Busybox) else { return };
    no_program(&bed);
    let outcome = bed.ai(["run", "--network", "no-such-network", "exec", "true"]).outcome();
    assert_eq!((outcome.code, outcome.out().as_str()), (125, ""), "{}", outcome.err());
    assert!(outcome.err().contains("no-such-network"), "{}", outcome.err());
    bed.nothing_left();
}

/// What cannot be started has the engines' codes.
#[track_caller]
pub fn no_program(bed: &Bed) {
    for (word, code) in [("no-such-program", 127), ("/tmp", 126)] {
        ready(bed, &[]);
        let outcome = bed.shell(Shell::Bash, &format!("gexec {word}")).outcome();
        assert_eq!((outcome.code, outcome.out().as_str()), (code, ""), "{}", outcome.err());
        assert!(outcome.err().contains(word), "{}", outcome.err());
    }
}

// C-14, K-03
#[test]
fn files_belong_to_a_user_without_root_who_called() {
    let Some(mut bed) = Bed::new(Image::Busybox) else { return };
    if !bed.as_user(1000) {
        return;
    }
    for shell in Shell::all() {
        let made = format!("made by {}", shell.name());
        let said = bed.shell(shell, &format!("gexec --shell 'touch \"{made}\"; id -u; id -un; pwd'")).prints();
        // The name is the person's, which a machine and a shell may know or not; the number has one.
        let lines: Vec<&str> = said.lines().collect();
        assert!(lines.len() == 3 && lines[0] == "1000" && !["", "root"].contains(&lines[1]) && lines[2] == "/workspace/proj", "{said}");
        assert_eq!(crate::bed::owner(bed.project().join(made)), (1000, 1000), "{shell:?}");
    }
    bed.nothing_left();
    for path in crate::sandbox::tree(&bed.home()).into_keys() {
        assert_eq!(crate::bed::owner(&path), (1000, 1000), "{path:?}");
    }
}

// C-13
#[test]
fn without_a_network_there_is_no_way_out() {
    let Some(bed) = Bed::new(Image::Busybox) else { return };
    let routes = bed.ai([
        "run",
        "--network",
        "none",
        "exec",
        "--",
        "sh",
        "-c",
        "tail -n +2 /proc/net/route; wget -T 2 -q -O - http://1.1.1.1/ 2>/dev/null || echo no",
    ]);
    assert_eq!(routes.prints(), "no\n");
}

// D-02: whoever reads may be waited for.
#[test]
fn what_a_tool_says_is_there_at_once_in_a_pipe() {
    for shell in Shell::all() {
        let mut sandbox = Sandbox::new();
        sandbox.set(
            "FAKE_ENGINE_DO",
            "echo first; n=0; until [ -e seen ]; do n=$((n + 1)); [ $n -lt 50 ] || exit; sleep 0.1; done; echo in time",
        );
        let printed = sandbox.shell(shell, "claude | sh -c 'read line; touch seen; echo $line; cat'").prints();
        assert_eq!(printed, "first\nin time\n", "{shell:?}");
    }
}

// Z-085, E-04: what is left of a shell that was killed is found by the pid that its sessions carry.
#[test]
fn a_session_belongs_to_the_shell_that_called() {
    for shell in Shell::all() {
        let mut sandbox = Sandbox::new();
        sandbox.set("FAKE_ENGINE_DO", "cat \"$HOME\"/.docker-ai-config/sessions/*");
        let printed = sandbox.shell(shell, shell.text("echo $$; claude", "echo $fish_pid; claude")).prints();
        let (pid, lease) = printed.split_once('\n').unwrap();
        let lease: serde_json::Value = serde_json::from_str(lease).unwrap();
        assert_eq!(lease["owner"]["pid"].to_string(), pid, "{shell:?}");
        assert_eq!(fs::read_dir(sandbox.store().join("sessions")).unwrap().count(), 0, "{shell:?}");
    }
}

// E-04: a caller that is not our parent says who it is.
#[test]
fn a_session_belongs_to_whoever_is_named() {
    let sandbox = Sandbox::new();
    let owner = std::os::unix::process::parent_id().to_string();
    let session = sandbox.ai(["sync", "in", "--owner", &owner, "--", "claude"]).prints();
    let lease = fs::read(sandbox.store().join("sessions").join(session.trim())).unwrap();
    let lease: serde_json::Value = serde_json::from_slice(&lease).unwrap();
    assert_eq!(lease["owner"]["pid"].to_string(), owner);
}

// E-04: a live session is nobody's orphan.
#[test]
fn a_second_session_leaves_the_first_alone() {
    for shell in Shell::all() {
        let mut sandbox = Sandbox::new();
        sandbox.set("FAKE_ENGINE_DO", "[ -e again ] || { touch again; ai run exec true; }");
        sandbox.shell(shell, "claude").prints();
        let verbs: Vec<_> = sandbox.calls().into_iter().map(|call| call.argv[0].clone()).collect();
        assert_eq!(verbs, ["run", "run"], "{shell:?}");
    }
}
