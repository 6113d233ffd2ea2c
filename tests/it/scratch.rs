//! What a container can write beside its mounts: scratch in memory, bounded, on every engine.

use crate::bed::{Bed, Image};
use crate::hostile;

/// Tries to write at each of the usual places, and prints those where it worked.
const PROBE: &str = r#"for place in / /bin /etc /opt /root /srv /usr /var /var/log /workspace /tmp /var/tmp /run "$HOME" "$HOME/.config/made" /dev/shm .; do
    mkdir -p "$place" 2>/dev/null
    if (echo x >"$place/probe") 2>/dev/null; then printf '%s ' "$place"; fi
done"#;

/// An engine on which the root file system of a run is looked at.
#[track_caller]
fn check(bed: &mut Bed) {
    let what = format!("{} as {}", bed.engine, bed.run("id").args(["-u"]).prints().trim());
    let run = |bed: &Bed, command: &str| bed.ai(["exec", "--", "sh", "-c", command]).outcome();
    assert_eq!(run(bed, PROBE).out(), "/tmp /var/tmp /run /home/ai /home/ai/.config/made /dev/shm . ", "{what}");
    // Programs are run from there: builds do that.
    let program = "for at in /tmp /var/tmp /run ~; do printf '#!/bin/sh\\necho ran\\n' >$at/p; chmod +x $at/p; $at/p; done";
    assert_eq!(run(bed, program).out(), "ran\n".repeat(4), "{what}");
    bed.set("AI_SCRATCH", "8m");
    // A file of 1 TB that holds nothing takes no more than its one block, and leaves the rest of the bound.
    let fill = "for at in /tmp /var/tmp ~; do dd if=/dev/zero of=$at/thin bs=1M seek=1048575 count=1 2>/dev/null; du -k $at/thin | cut -f1; \
        dd if=/dev/zero of=$at/big bs=1M count=32 2>/dev/null; wc -c <$at/big; rm $at/big $at/thin; done";
    assert_eq!(run(bed, fill).out(), "1024\n7340032\n".repeat(3), "{what}");
    bed.nothing_left();
    hostile::stopped(&format!("to fill the disk, or to write beside the project, {what}"), 20, "a read-only root and bounded scratch");
}

// C-10, C-14, Z-073
#[test]
fn the_root_of_a_container_is_read_only_on_every_engine() {
    for bed in [Bed::new(Image::Busybox), Bed::podman(), Bed::rootless("docker"), Bed::rootless("podman")] {
        if let Some(mut bed) = bed {
            check(&mut bed);
        }
    }
    if let Some(mut bed) = Bed::new(Image::Busybox).filter(|_| rustix::process::getuid().is_root()) {
        if bed.as_user(1000) {
            check(&mut bed);
        }
    }
}

// C-10
#[test]
fn an_image_that_wants_to_write_is_told_how_once() {
    let Some(mut bed) = Bed::new(Image::Busybox) else { return };
    bed.unset("AI_READ_ONLY_ROOT");
    let run = |bed: &Bed, command: &str| bed.ai(["exec", "--", "sh", "-c", command]).outcome();
    let first = run(&bed, "echo x >/made");
    assert!(first.code == 1 && first.err().contains("Read-only file system"), "{first:?}");
    assert!(
        first.err().contains("a read-only root file system and an empty home; hint: if it must write outside of")
            && first.err().contains("AI_READ_ONLY_ROOT=0"),
        "{first:?}"
    );
    let second = run(&bed, "exit 3");
    assert_eq!((second.code, second.err()), (3, String::new()));
    bed.set("AI_READ_ONLY_ROOT", "0");
    assert_eq!(run(&bed, "echo x >/made; cat /made").out(), "x\n");
    bed.nothing_left();
}

#[test]
fn nobody_who_chose_it_is_told_of_a_read_only_root() {
    let Some(bed) = Bed::new(Image::Busybox) else { return };
    let outcome = bed.ai(["exec", "--", "sh", "-c", "exit 4"]).outcome();
    assert_eq!((outcome.code, outcome.err()), (4, String::new()));
}

// SE-13
#[test]
fn what_is_left_in_scratch_is_named_once_and_caches_are_not() {
    let Some(mut bed) = Bed::new(Image::Tools) else { return };
    if rustix::process::getuid().is_root() && !bed.as_user(1000) {
        return;
    }
    let left = "echo x >/tmp/report.md; mkdir -p ~/out/deep; echo x >~/out/deep/notes; printf 'x' >\"$(printf '/var/tmp/odd\\033[2J')\"; echo x >kept";
    let caches = "mkdir -p /tmp/empty ~/.cache ~/go; touch /tmp/nothing; for at in ~/.cache/x ~/go/x \"$(mktemp)\" /tmp/claude-1000; do echo x >\"$at\"; done";
    let run = |command: &str| bed.ai(["exec", "--", "sh", "-c", command]).outcome();
    let outcome = run(&format!("{left}; {caches}; exit 3"));
    let named = "ai: gone with the container: /tmp/report.md, /var/tmp/odd?[2J, /home/ai/out; what is to stay belongs into the project, \
                 or into a directory let in: --mount DIR:rw\n";
    assert_eq!((outcome.code, outcome.err().as_str()), (3, named));
    let outcome = run(&format!("{caches}; for n in 1 2 3 4 5 6 7; do echo $n >/tmp/f$n; done; kill -9 $$"));
    assert!(outcome.code == 137 && outcome.err().contains("/tmp/f5 and 2 more;"), "{outcome:?}");
    assert_eq!(run(caches).err(), "");
    bed.nothing_left();
}

// T14
#[test]
fn the_home_of_an_image_of_ones_own_is_there_where_it_is_wanted() {
    let Some(mut bed) = Bed::new(Image::Busybox) else { return };
    let (image, name) = (format!("ai-bed-home:{}", std::process::id()), format!("ai-bed-home-{}", std::process::id()));
    let tool = bed.script("image/.cargo/bin/rusty", "#!/bin/sh\necho of the image\n").ancestors().nth(3).unwrap().display().to_string();
    bed.docker(&["create", "--name", &name, &std::env::var("AI_BED_BUSYBOX").unwrap()]);
    bed.docker(&["cp", &format!("{tool}/."), &format!("{name}:/home/ai")]);
    bed.docker(&["commit", &name, &image]);
    bed.docker(&["rm", &name]);
    bed.set("AI_IMAGE", &image);
    bed.unset("AI_READ_ONLY_ROOT");
    let run = |bed: &Bed| bed.ai(["exec", "--", "sh", "-c", "~/.cargo/bin/rusty && echo x >~/made && cat ~/made"]).outcome();
    let hidden = run(&bed);
    bed.set("AI_IMAGE_HOME", "1");
    let shown = run(&bed);
    bed.docker(&["rmi", &image]);
    assert!(hidden.code == 127 && hidden.err().contains("AI_IMAGE_HOME=1"), "{hidden:?}");
    assert_eq!((shown.code, shown.out().as_str()), (0, "of the image\nx\n"), "{shown:?}");
}
