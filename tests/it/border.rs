//! A session that does to its mounts what it can, and what the next one gets: canaries in the home are neither read nor changed.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::bed::{Bed, Image};
use crate::hostile::stopped;
use crate::sandbox::tree;

const SECRET: &str = "canary-5d0f3a";

/// A home with things worth stealing, and a second project.
fn victim(bed: &Bed) -> std::path::PathBuf {
    bed.write("home/.ssh/id_ed25519", format!("{SECRET}\n"));
    bed.write("home/.bashrc", "# mine\n");
    bed.write("home/notes/a", format!("{SECRET}\n"));
    let other = bed.root().join("work/innocent");
    fs::create_dir_all(&other).unwrap();
    other
}

/// Everything of the home but the store.
fn mine(bed: &Bed) -> Vec<(std::path::PathBuf, (u32, Vec<u8>))> {
    let store = bed.store();
    tree(&bed.home()).into_iter().filter(|(path, _)| !path.starts_with(&store)).collect()
}

/// What a hostile session puts where `$1` is.
const PLANTS: [(&str, &str); 6] = [
    ("a link to the home", "ln -s HOME \"$1\""),
    ("a link to /", "ln -s / \"$1\""),
    ("a dangling link", "ln -s /nowhere \"$1\""),
    ("a file", "echo x >\"$1\""),
    ("a pipe", "mkfifo \"$1\""),
    ("a closed directory", "mkdir \"$1\"; chmod 0 \"$1\""),
];

/// Everything that a container can write, with its own directories and what tools and we expect in them.
const WRITABLE: &str = "/ai/shared/* /ai/shared/login /ai/shared/plugins /ai/shared/plugins/cache /home/ai/.claude/* /home/ai/.ssh/* \
    /home/ai/.ssh/keys /home/ai/.ssh/config /ai/gh/* /ai/gh/hosts.yml /ai/git/* /ai/git/gitdir-x";

// BO-01, BO-02, BO-11
#[test]
fn whatever_a_session_plants_in_its_mounts_no_other_one_gets_at_the_home() {
    for (index, (what, plant)) in PLANTS.into_iter().enumerate() {
        let Some(mut bed) = Bed::new(Image::Busybox) else { return };
        // An ordinary user: root would be stopped by no mode.
        if index % 2 == 0 && !bed.as_user(1000) {
            return;
        }
        let other = victim(&bed);
        if index % 2 == 0 {
            // What was written since belongs to root.
            bed.as_user(1000);
        }
        let before = mine(&bed);
        let plant = plant.replace("HOME", bed.home().to_str().unwrap());
        let hostile = format!(
            "for one in {WRITABLE}; do mkdir -p \"${{one%/*}}\" 2>/dev/null; rm -rf \"$one\"; set -- \"$one\"; {plant}; done 2>/dev/null; true"
        );
        for tool in ["claude", "gemini"] {
            bed.ai(["run", tool, "--", "true"]).succeeds();
            let outcome = bed.ai(["run", tool, "--", "sh", "-c", &hostile]).outcome();
            assert_eq!(outcome.code, 0, "{what}: {}", outcome.err());
        }
        let look = format!(
            "find /ai /home/ai -type f -exec grep -s {SECRET} {{}} +; echo more >>/home/ai/.claude/.bashrc; cat /proc/self/mountinfo"
        );
        for (tool, cwd) in [("claude", &*other), ("gemini", &other), ("claude", bed.project())] {
            let outcome = bed.ai(["run", tool, "--", "sh", "-c", &look]).cwd(cwd).outcome();
            assert!(!outcome.out().contains(SECRET), "{what}, {tool}: {}", outcome.out());
            assert!(outcome.out().contains("/ai/shared"), "{what}, {tool} in {cwd:?}: {} {}", outcome.out(), outcome.err());
        }
        assert_eq!(mine(&bed), before, "{what}");
        bed.nothing_left();
    }
    stopped(
        "links, files, pipes and closed directories at every place that a session can write",
        PLANTS.len() * WRITABLE.split_whitespace().count(),
        "sources that no container can rename; what stands in the way is set aside",
    );
}

// BO-02
#[test]
fn a_broken_login_directory_is_set_aside_and_the_last_good_login_comes_back() {
    let login = "{\"claudeAiOauth\":{\"accessToken\":\"a\",\"refreshToken\":\"made-up\",\"expiresAt\":4102444800000}}";
    for (index, breaks) in [
        "rm -rf /ai/shared/login; ln -s /nowhere /ai/shared/login",
        "rm -rf /ai/shared/login; touch /ai/shared/login",
        "rm -rf /ai/shared/login/.credentials.json; mkfifo /ai/shared/login/.credentials.json",
        "chmod 0 /ai/shared/login",
    ]
    .into_iter()
    .enumerate()
    {
        let Some(mut bed) = Bed::new(Image::Busybox) else { return };
        bed.write("home/.docker-ai-config/global_state/claude/shared/login/.credentials.json", login);
        if !bed.as_user(1000) {
            return;
        }
        // The end of a run keeps the good login.
        bed.ai(["run", "claude", "--", "true"]).prints();
        bed.ai(["run", "claude", "--", "sh", "-c", breaks]).succeeds();
        let other = bed.root().join("work/innocent");
        fs::create_dir_all(&other).unwrap();
        if index % 2 == 0 {
            let outcome = bed.ai(["doctor"]).outcome();
            let name = if breaks.contains(".credentials") { None } else { Some("shared/login` is ") };
            assert!(name.is_none_or(|name| outcome.out().contains(name)), "{breaks}: {}", outcome.out());
            // 1 is a warning about the machine.
            assert!(bed.ai(["doctor", "--fix"]).outcome().code < 2);
            assert!(!bed.ai(["doctor"]).outcome().out().contains("where a directory of the store must be"), "{breaks}");
        }
        let outcome = bed.ai(["run", "claude", "--", "cat", "/ai/shared/login/.credentials.json"]).cwd(&other).outcome();
        assert_eq!((outcome.code, outcome.out().as_str()), (0, login), "{breaks}: {}", outcome.err());
        bed.nothing_left();
    }
}

// BO-02, M-06: backups of logins are as private as the logins.
#[test]
fn a_login_backup_that_others_can_read_is_seen_and_closed() {
    let Some(bed) = Bed::new(Image::Busybox) else { return };
    bed.ai(["run", "claude", "--", "true"]).prints();
    let backup = bed.write("home/.docker-ai-config/global_state/claude/backups/0001-good/.credentials.json", "{}");
    let host = bed.write("home/outside", "mine");
    std::os::unix::fs::symlink(&host, backup.with_file_name("link")).unwrap();
    for path in [&backup, &host] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o644)).unwrap();
    }
    let said = bed.ai(["doctor"]).outcome().out();
    assert!(said.contains("are open to others") && !said.contains("home/outside"), "{said}");
    // 1 is a warning about the machine.
    assert!(bed.ai(["doctor", "--fix"]).outcome().code < 2);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&backup), mode(&host)), (0o600, 0o644));
    assert!(!bed.ai(["doctor"]).outcome().out().contains("open to others"));
}
