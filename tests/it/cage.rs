//! What a container may not do, tried from inside on a real engine.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use crate::bed::{Bed, Image};
use crate::sandbox::{Sandbox, tree};
use crate::shells::Shell;

const CANARY: &str = "canary-8d1f60c2";

/// A bed of an ordinary user.
fn bed_of_a_user(image: Image) -> Option<Bed> {
    let mut bed = Bed::new(image)?;
    bed.as_user(1000).then_some(bed)
}

// Q-05, Z-070: every file that the person has and the run does not need holds the canary; everything that can be read inside is read.
#[test]
fn nothing_outside_of_the_project_and_the_tools_own_state_can_be_read() {
    let Some(bed) = bed_of_a_user(Image::Busybox) else { return };
    let private = [
        "home/.ssh/id_ed25519",
        "home/.aws/credentials",
        "home/.config/gcloud/access_tokens.db",
        "home/.kube/config",
        "home/.netrc",
        "home/.gnupg/private-keys-v1.d/a.key",
        "home/.zsh_history",
        "home/.mozilla/firefox/logins.json",
        "home/.claude.json.backup.1",
        "home/.docker-ai-config/secrets/zai_key",
        "home/.docker-ai-config/global_state/gemini/shared/login/oauth_creds.json",
        "home/.docker-ai-config/global_state/codex/hub/config.toml",
        "work/other/.env",
    ];
    for path in private {
        bed.write(path, format!("{CANARY}\n"));
    }
    bed.write("home/.docker/config.json", format!("{{\"auths\":{{\"registry.example\":{{\"auth\":\"{CANARY}\"}}}}}}"));
    bed.write("work/proj/mine", format!("{CANARY}\n"));
    let look = "find / -xdev -type f ! -path '/proc/*' ! -path '/sys/*' -exec grep -ls CANARY {} + 2>/dev/null; cat /proc/self/environ /proc/1/environ; \
        for d in /ai/* /home/ai /home/ai/.[a-z]* /workspace/*; do find $d -type f -exec grep -ls CANARY {} + 2>/dev/null; done; true"
        .replace("CANARY", CANARY);
    let outcome = bed.ai(["run", "claude", "--", "sh", "-c", &look]).outcome();
    let out = outcome.out();
    let found: BTreeSet<&str> = out.split(['\n', '\0']).filter(|line| line.starts_with('/')).collect();
    assert_eq!(found, BTreeSet::from(["/workspace/proj/mine"]), "{outcome:?}");
    assert!(!out.replace("/workspace/proj/mine", "").contains(CANARY), "{out}");
}

// Q-05, Z-070
#[test]
fn nothing_outside_of_the_project_and_the_tools_own_state_can_be_written() {
    let Some(bed) = bed_of_a_user(Image::Busybox) else { return };
    let before = tree(&bed.home());
    let places = "/ /etc /etc/passwd /etc/hosts /etc/resolv.conf /ai /ai/bin /ai/x /bin /bin/sh /usr /lib /var /root /workspace /sys /proc/sys/kernel/hostname /dev";
    let script = format!(
        "for p in {places}; do t=$p; [ -d $p ] && t=$p/x; was=$([ -e $p ] && echo there); (echo x >$t) 2>/dev/null && echo wrote $p; \
         (chmod 777 $p) 2>/dev/null && echo opened $p; rm -rf $t 2>/dev/null; [ \"$was\" ] && [ ! -e $p ] && echo removed $p; done; \
         echo x >in-project && echo done"
    );
    let outcome = bed.ai(["run", "claude", "--", "sh", "-c", &script]).outcome();
    assert_eq!((outcome.code, outcome.out().as_str()), (0, "done\n"), "{outcome:?}");
    assert!(bed.project().join("in-project").is_file());
    let after = tree(&bed.home());
    let store = bed.store();
    assert!(before.iter().filter(|(path, _)| !path.starts_with(&store)).all(|(path, was)| after.get(path) == Some(was)));
}

// Z-074: what a process without rights asks of the kernel in order to get some.
#[test]
fn the_kernel_gives_no_rights_away() {
    let Some(bed) = bed_of_a_user(Image::Tools) else { return };
    let calls = r#"
import ctypes, errno, os
libc = ctypes.CDLL(None, use_errno=True)
def call(name, *args):
    ctypes.set_errno(0)
    result = args[0](*args[1:])
    print(name, 'allowed' if result >= 0 else errno.errorcode[ctypes.get_errno()])
b = ctypes.c_char_p
call('mount', libc.mount, b(b'none'), b(b'/tmp'), b(b'tmpfs'), ctypes.c_ulong(0), None)
call('umount', libc.umount2, b(b'/workspace'), ctypes.c_int(2))
call('unshare user', libc.unshare, ctypes.c_int(0x10000000))
call('unshare mount', libc.unshare, ctypes.c_int(0x00020000))
call('setuid', libc.setuid, ctypes.c_uint(0))
call('chroot', libc.chroot, b(b'/tmp'))
call('keyctl', libc.syscall, ctypes.c_long(250), ctypes.c_long(0), ctypes.c_long(-3), ctypes.c_long(1))
call('bpf', libc.syscall, ctypes.c_long(321), ctypes.c_long(0), None, ctypes.c_long(0))
call('perf', libc.syscall, ctypes.c_long(298), ctypes.create_string_buffer(120), ctypes.c_long(0), ctypes.c_long(-1), ctypes.c_long(-1), ctypes.c_long(0))
call('mknod', libc.mknod, b(b'/tmp/sda'), ctypes.c_uint(0o60666), ctypes.c_ulong(0x800))
call('reboot', libc.reboot, ctypes.c_int(0x1234567))
call('settimeofday', libc.settimeofday, ctypes.create_string_buffer(16), None)
call('open by handle', libc.syscall, ctypes.c_long(304), ctypes.c_long(-100), ctypes.create_string_buffer(16), ctypes.c_long(0))
call('load module', libc.syscall, ctypes.c_long(175), ctypes.create_string_buffer(16), ctypes.c_long(16), b(b''))
call('sethostname', libc.sethostname, b(b'x'), ctypes.c_size_t(1))
"#;
    bed.write("work/proj/calls.py", calls);
    let out = bed.ai(["exec", "--", "sh", "-c", "python3 calls.py; grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/self/status"]).prints();
    let allowed: Vec<&str> = out.lines().filter(|line| line.ends_with("allowed")).collect();
    assert_eq!(allowed, Vec::<&str>::new(), "{out}");
    assert_eq!(out.lines().filter(|line| line.contains(" E")).count(), 15, "each call was made: {out}");
    for line in ["CapInh:\t0000000000000000", "CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"] {
        assert!(out.contains(line), "no `{line}` in {out}");
    }
}

// Z-074: process 1 is the engine's, of the same user.
#[test]
fn setuid_programs_gain_nothing() {
    let Some(bed) = bed_of_a_user(Image::Tools) else { return };
    let out = bed.ai([
        "exec",
        "--",
        "sh",
        "-c",
        "for p in $(find / -xdev -perm -4000 -type f 2>/dev/null); do echo $p; done; su -c id root </dev/null; id -u",
    ]);
    let outcome = out.outcome();
    assert!(outcome.out().contains("/bin/su") && outcome.out().ends_with("1000\n"), "{outcome:?}");
    assert!(!outcome.out().contains("uid=0"), "{outcome:?}");
}

// Z-071
#[test]
fn processes_without_end_stop_at_the_limit() {
    let Some(bed) = bed_of_a_user(Image::Busybox) else { return };
    let bomb = "i=0; while [ $i -lt 200 ]; do sleep 30 & i=$((i + 1)); echo $i; done";
    let outcome = bed.ai(["run", "--pids", "40", "claude", "--", "sh", "-c", bomb]).outcome();
    let begun = outcome.out().lines().filter_map(|line| line.parse::<usize>().ok()).max().unwrap();
    assert!((10..40).contains(&begun) && outcome.err().contains("fork"), "{outcome:?}");
    bed.nothing_left();
}

// Z-068: neither the tool nor the client that carries the secret writes a core file, whatever the caller allows.
#[test]
fn no_core_dump_holds_a_secret() {
    for shell in [None].into_iter().chain(Shell::all().into_iter().map(Some)) {
        let mut sandbox = Sandbox::new();
        sandbox.set("ZAI_API_KEY", CANARY);
        sandbox.set("FAKE_ENGINE_DO", "ulimit -c >core-limit; ulimit -Hc >>core-limit");
        let run = match shell {
            None => sandbox.bare(Shell::Bash, "ulimit -c unlimited 2>/dev/null; ai run glm x"),
            Some(shell) => sandbox.shell(shell, "ulimit -c unlimited 2>/dev/null; glm x"),
        };
        assert_eq!(run.outcome().code, 0);
        assert_eq!(fs::read_to_string(sandbox.project().join("core-limit")).unwrap(), "0\n0\n", "{shell:?}");
    }
    let Some(bed) = bed_of_a_user(Image::Busybox) else { return };
    let crash = "ulimit -c unlimited 2>/dev/null; ulimit -c; kill -SEGV $$";
    let outcome = bed.ai(["run", "claude", "--", "sh", "-c", crash]).outcome();
    assert_eq!((outcome.code, outcome.out().as_str()), (139, "0\n"), "{outcome:?}");
    assert!(fs::read_dir(bed.project()).unwrap().all(|entry| !entry.unwrap().file_name().to_string_lossy().starts_with("core")));
}

// Q-10: a link in place of a file that we write. A directory of the store may be one: a person may have moved it to another disk.
#[test]
fn a_link_where_we_write_leads_nowhere() {
    for (what, target) in [("a file of the person's", "home/.bashrc"), ("nothing", "home/not-there"), ("a directory", "home/notes")] {
        for place in ["log/events.jsonl", "sync/lock", "images.json", "pins.json"] {
            let sandbox = Sandbox::new();
            sandbox.write("home/.bashrc", "# mine\n");
            sandbox.write("home/notes/a", "mine\n");
            let mine = |sandbox: &Sandbox| {
                let store = sandbox.store();
                let other = |(path, _): &(PathBuf, (u32, Vec<u8>))| !path.starts_with(&store);
                tree(&sandbox.home()).into_iter().filter(other).collect::<Vec<_>>()
            };
            sandbox.ai(["run", "claude", "x"]).succeeds();
            let (place, target) = (sandbox.store().join(place), sandbox.root().join(target));
            match place.symlink_metadata() {
                Ok(found) if found.is_dir() => fs::remove_dir_all(&place).unwrap(),
                Ok(_) => fs::remove_file(&place).unwrap(),
                Err(_) => {}
            }
            symlink(&target, &place).unwrap();
            let before = mine(&sandbox);
            let outcome = sandbox.ai(["run", "claude", "x"]).outcome();
            assert_eq!(mine(&sandbox), before, "{place:?} as a link to {what}: {outcome:?}");
        }
    }
}
