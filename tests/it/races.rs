//! A container of another session can rename what is below its project: a directory that was exchanged after it was looked at is
//! never used.

use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::Duration;

use crate::bed::{Bed, Image};
use crate::hostile::{stopped, tries};
use crate::process::wait_for;
use crate::sandbox::AI;

/// A nested repository of the project, and a session that has the whole project mounted.
struct Nested {
    bed: Bed,
    sub: PathBuf,
    canary: PathBuf,
    /// Whoever the outer session belongs to.
    owner: Child,
    session: String,
}

impl Nested {
    fn new() -> Option<Self> {
        let mut bed = Bed::new(Image::Busybox)?;
        if rustix::process::getuid().is_root() && !bed.as_user(1000) {
            return None;
        }
        let sub = bed.project().join("sub");
        assert_eq!(bed.run("git").args(["init", "-q", "sub"]).outcome().code, 0);
        let canary = bed.write("home/secret/canary", "CANARY").parent().unwrap().to_owned();
        assert_eq!(bed.run("git").args(["init", "-q"]).cwd(&canary).outcome().code, 0);
        assert_eq!(bed.ai(["exec", "--", "true"]).cwd(&sub).outcome().code, 0);
        let owner = Command::new("sleep").arg("600").spawn().unwrap();
        let session = bed.ai(["sync", "in", "exec", "--owner", &owner.id().to_string()]).prints().trim().to_owned();
        Some(Self { bed, sub, canary, owner, session })
    }

    /// What a hostile container does with a directory of its project.
    fn exchange(&self) {
        fs::rename(&self.sub, self.bed.project().join("aside")).unwrap();
        symlink(&self.canary, &self.sub).unwrap();
    }

    fn put_back(&self) {
        fs::remove_file(&self.sub).unwrap();
        fs::rename(self.bed.project().join("aside"), &self.sub).unwrap();
    }

    fn vector(&self) -> Vec<OsString> {
        let words = ["resolve", "--format", "argv0", "exec", "--", "sh", "-c", "cat canary; echo ran; echo x >made"];
        let vector = self.bed.ai(words).cwd(&self.sub).outcome();
        assert_eq!(vector.code, 0, "{}", vector.err());
        vector.stdout.split(|byte| *byte == 0).filter(|word| !word.is_empty()).map(|word| OsString::from_vec(word.to_vec())).collect()
    }

    fn end(mut self) {
        assert_eq!(self.bed.ai(["sync", "out", &self.session]).outcome().code, 0);
        self.owner.kill().unwrap();
        self.owner.wait().unwrap();
        self.bed.nothing_left();
    }
}

#[track_caller]
fn is_untouched(canary: &Path) {
    assert_eq!(fs::read_to_string(canary.join("canary")).unwrap(), "CANARY");
    assert!(!canary.join("made").exists());
}

// BO-04, 1d: looked at, exchanged, run: fails closed before anything of the person's command runs.
#[test]
fn a_directory_that_was_exchanged_after_it_was_looked_at_is_not_used() {
    let Some(nested) = Nested::new() else { return };
    let vector = nested.vector();
    let run = || nested.bed.run(&vector[0]).args(&vector[1..]).outcome();
    let control = run();
    assert!(control.out().contains("ran"), "{}", control.err());
    nested.exchange();
    let outcome = run();
    assert_eq!((outcome.code, outcome.out().as_str()), (78, ""), "{}", outcome.err());
    assert!(outcome.err().contains("is not the directory that was looked at"), "{}", outcome.err());
    is_untouched(&nested.canary);
    nested.put_back();
    nested.end();
}

// BO-04: the exchange falls anywhere between the first look and the start.
#[test]
fn an_exchange_at_any_moment_never_mounts_another_directory() {
    let Some(nested) = Nested::new() else { return };
    let times = tries(10, 200);
    for attempt in 0..times {
        let delay = Duration::from_millis(attempt as u64 * 200 / times as u64);
        // Whoever stands in the directory already stands in that very one.
        let standing = nested.bed.project().join("standing");
        let words = ["-c", "touch ../standing; exec \"$@\"", "sh", AI, "exec", "--", "sh", "-c", "cat canary; echo x >made"];
        let attempt = std::thread::scope(|scope| {
            let run = scope.spawn(|| nested.bed.run("sh").args(words).cwd(&nested.sub).outcome());
            wait_for("somebody stands in the directory", || standing.exists().then_some(()));
            std::thread::sleep(delay);
            nested.exchange();
            run.join().unwrap()
        });
        assert!(!attempt.out().contains("CANARY"), "after {delay:?}: {}", attempt.out());
        is_untouched(&nested.canary);
        nested.put_back();
        fs::remove_file(&standing).unwrap();
    }
    stopped(
        "a directory exchanged for a link while a session starts in it",
        times,
        "device and inode compared from inside, before the tool",
    );
    nested.end();
}

// A session in the project itself is no danger to it: nothing is compared, and nothing costs.
#[test]
fn what_no_session_can_rename_is_not_compared() {
    let Some(nested) = Nested::new() else { return };
    let plain = nested.bed.ai(["resolve", "--format", "lines", "exec", "--", "true"]).prints();
    assert!(!plain.contains("stat -c"), "{plain}");
    let below = nested.bed.ai(["resolve", "--format", "lines", "exec", "--", "true"]).cwd(&nested.sub).prints();
    assert!(below.contains("stat -c"), "{below}");
    nested.end();
}
