//! Pictures of the person's clipboard, for a program inside that asks as it would ask `xclip` or `wl-paste`: pictures, and nothing else.

use std::fs;

use serde_json::Value;

use crate::bed::{Bed, Image};
use crate::guarded::guarded;
use crate::mock::Mock;
use crate::sandbox::find_program;
use crate::shells::Shell;
use crate::terminal::on_terminal;

/// The smallest picture that a tool takes for one: a point.
const POINT: [u8; 67] = [
    0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, b'I', b'H', b'D', b'R', 0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0, 0x3a, 0x7e,
    0x9b, 0x55, 0, 0, 0, 10, b'I', b'D', b'A', b'T', 0x78, 0x9c, 0x63, 0x60, 0, 0, 0, 2, 0, 1, 0x48, 0xaf, 0xa4, 0x71, 0, 0, 0, 0, b'I',
    b'E', b'N', b'D', 0xae, 0x42, 0x60, 0x82,
];

/// A bed with a desktop on which this is in the clipboard; `asked` has what its `xclip` was asked for.
fn desktop(image: Image, types: &str, content: &[u8]) -> Option<Bed> {
    let mut bed = guarded(image)?;
    bed.set("DISPLAY", ":9");
    bed.set("AI_CLIPBOARD", "image");
    let path = bed.write("tmp/copied", content);
    let asked = bed.root().join("tmp/asked");
    let script = format!(
        "#!/bin/sh\necho \"$*\" >>'{}'\ncase \"$*\" in *TARGETS*) printf '{types}' ;; *) exec cat '{}' ;; esac\n",
        asked.display(),
        path.display()
    );
    bed.program("xclip", &script);
    Some(bed)
}

const LOOK: &str = "xclip -selection clipboard -t TARGETS -o; echo $?; xclip -selection clipboard -t image/png -o >got; echo $?; \
                    wl-paste --type image/png | cmp - got; echo $?; xclip -selection clipboard -o 2>/dev/null; echo $?; \
                    wl-paste --type text/plain 2>/dev/null; echo $?; echo x | xclip -selection clipboard -i 2>/dev/null; echo $?";

// GU-01: on a guarded network, on a bridge, and without any.
#[test]
fn pictures_are_pasted_and_nothing_else_is() {
    let Some(mut bed) = desktop(Image::Busybox, "image/png\\ntext/html\\n", &POINT) else { return };
    for network in ["guard", "bridge", "none"] {
        bed.set("AI_NETWORK", network);
        let said = bed.ai(["exec", "--shell", LOOK]).prints();
        assert_eq!(said, "image/png\n0\n0\n0\n1\n1\n1\n", "{network}");
        assert_eq!(fs::read(bed.project().join("got")).unwrap(), POINT);
        let log = fs::read_to_string(bed.store().join("log/events.jsonl")).unwrap();
        assert!(log.lines().last().unwrap().contains("\"pictures_read\":2"), "{log}");
    }
    // Nothing but pictures was asked for, whatever the container said.
    let asked = fs::read_to_string(bed.root().join("tmp/asked")).unwrap();
    assert!(asked.lines().all(|line| line.ends_with("-t TARGETS -o") || line.ends_with("-t image/png -o")), "{asked}");
    // Off, as it is unless somebody says so, there is nothing to ask; a project cannot turn it on.
    bed.unset("AI_CLIPBOARD");
    bed.write("work/proj/.ai.toml", "clipboard = 'image'\n");
    let outcome = bed.ai(["exec", "--shell", "command -v xclip wl-paste; ls /ai/sock 2>/dev/null | grep clip; echo none"]).outcome();
    assert_eq!(outcome.out(), "none\n");
    assert!(outcome.err().contains("clipboard"), "{}", outcome.err());
    fs::remove_file(bed.project().join(".ai.toml")).unwrap();
    bed.nothing_left();
}

// GU-01: what is copied there beside pictures stays there.
#[test]
fn what_is_no_picture_stays_in_the_clipboard() {
    let password = b"made-up password";
    for (types, content) in [("text/plain\\n", &password[..]), ("image/png\\n", password), ("image/png\\n", b"")] {
        let Some(bed) = desktop(Image::Busybox, types, content) else { return };
        let outcome = bed.ai(["exec", "--shell", "xclip -selection clipboard -t image/png -o; echo $?"]).outcome();
        assert_eq!(outcome.out(), "1\n");
        assert!(outcome.err().contains("there is no picture") && !outcome.err().contains("password"), "{}", outcome.err());
    }
    let Some(mut bed) = desktop(Image::Busybox, "", b"") else { return };
    fs::remove_file(bed.root().join("bin/xclip")).unwrap();
    let outcome = bed.ai(["exec", "--shell", "wl-paste -l"]).outcome();
    assert!(outcome.code == 1 && outcome.err().contains("nothing on your machine reads its clipboard"), "{}", outcome.err());
    bed.unset("DISPLAY");
    let outcome = bed.ai(["exec", "--shell", "command -v xclip || echo none"]).outcome();
    assert_eq!(outcome.out(), "none\n");
    assert!(outcome.err().contains("no picture can be pasted ($AI_CLIPBOARD): there is no desktop here"), "{}", outcome.err());
}

// GU-01: the real Claude Code, by Ctrl-V.
#[test]
fn claude_takes_a_picture_from_the_clipboard() {
    let Some(mut bed) = desktop(Image::Tools, "image/png\\n", &POINT) else { return };
    let Some(_mock) = Mock::vendors(&mut bed.sandbox) else { return };
    bed.link("stty", find_program("stty").unwrap());
    bed.set("AI_KEYS", "outside");
    // Its question about the folder, answered before.
    bed.ai(["run", "claude", "--", "--version"]).succeeds();
    let projects = bed.store().join("global_state/claude/projects");
    let project = fs::read_dir(&projects).unwrap().next().unwrap().unwrap().path();
    let mut settings: Value = serde_json::from_slice(&fs::read(project.join("home/.claude.json")).unwrap()).unwrap();
    settings["projects"]["/workspace/proj"]["hasTrustDialogAccepted"] = true.into();
    fs::write(project.join("home/.claude.json"), settings.to_string()).unwrap();
    let mut screen = on_terminal(bed.shell(Shell::Bash, "stty rows 40 cols 140; claude"));
    screen.exp_string("Billing").unwrap();
    let asked = || fs::read_to_string(bed.root().join("tmp/asked")).unwrap_or_default();
    while !asked().contains("image/png") {
        screen.send("\x16").unwrap();
        screen.flush().unwrap();
        std::thread::sleep(std::time::Duration::from_secs(1));
    }
    screen.exp_string("[Image").unwrap();
    screen.send("\x03\x03").unwrap();
    screen.flush().unwrap();
}
