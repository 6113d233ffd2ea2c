//! Links, pipes and places that somebody put in the way.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::core::sync::report::News;
use crate::core::sync::{Reading, Refusal};
use crate::host::fs::Absent;
use crate::host::fs::slot::slot;
use crate::host::sync::repair;
use crate::host::sync::tests::{Bed, news, times};

#[test]
fn a_host_that_cannot_be_written_is_told_and_stops_nobody() {
    let mut bed = Bed::new().with("store/home/settings.json", "{\"a\":1}");
    // Even root makes no files here.
    bed.places.host_home = Some("/proc".into());
    let report = bed.export();
    assert!(matches!(news(&report)[..], [News::Unwritable(_)]), "{report:?}");
    assert!(!report.is_whole() && bed.read("store/hub/settings.json") == "{\n  \"a\": 1\n}\n");
    assert!(!repair(&bed.places).unwrap(), "no journal is left behind");
    bed.places.host_home = Some(bed.path("host"));
    assert_eq!(bed.export().notices, []);
    assert_eq!(bed.read("host/settings.json"), "{\n  \"a\": 1\n}\n", "nothing was agreed before");
}

// Z-051
#[test]
fn z_051_a_dotfile_that_is_a_link_stays_one() {
    let bed = Bed::new().with("host/dotfiles/real.json", "{\"a\":1}").with("host/.keep", "");
    symlink("dotfiles/hop.json", bed.path("host/settings.json")).unwrap();
    symlink(bed.path("host/dotfiles/real.json"), bed.path("host/dotfiles/hop.json")).unwrap();
    bed.sync();
    bed.write("store/home/settings.json", "{\"a\":2}");
    assert_eq!(bed.export().notices, []);
    assert_eq!(bed.read("host/dotfiles/real.json"), "{\"a\":2}");
    assert!(bed.path("host/settings.json").is_symlink() && bed.path("host/dotfiles/hop.json").is_symlink());
}

// Z-051
#[test]
fn z_051_a_link_to_nowhere_or_to_itself_is_refused() {
    for target in ["nowhere", "settings.json"] {
        let bed = Bed::new().with("store/hub/settings.json", "{\"a\":1}");
        symlink(target, bed.path("host/settings.json")).unwrap();
        assert_eq!(news(&bed.sync()), [News::Refused(Refusal::Link)]);
        assert_eq!(news(&bed.export()), [News::Refused(Refusal::Link)]);
        assert!(!bed.path("host/nowhere").exists());
    }
}

// Z-052
#[test]
fn z_052_a_link_planted_in_state_is_neither_followed_nor_replaced() {
    let bed = Bed::new().with("secret", "{\"key\":1}").with("store/hub/settings.json", "{\"a\":1}").with("store/home/skills/x/y", "");
    symlink(bed.path("secret"), bed.path("store/home/settings.json")).unwrap();
    symlink(bed.path("secret"), bed.path("store/home/skills/s.md")).unwrap();
    bed.write("host/skills/s.md", "s");
    assert_eq!(news(&bed.sync()), [News::Refused(Refusal::Link), News::Refused(Refusal::Link)]);
    bed.export();
    assert_eq!(bed.read("secret"), "{\"key\":1}");
    assert_eq!(bed.read("store/hub/settings.json"), "{\"a\":1}");
    assert!(bed.path("store/home/skills/s.md").is_symlink());
}

// Z-053, BO-02
#[test]
fn z_053_what_is_no_plain_file_is_skipped_without_waiting() {
    use rustix::fs::{CWD, Mode as Perm};
    let check = |make: &dyn Fn(&Path), why| {
        let bed = Bed::new().with("store/hub/settings.json", "{\"a\":1}").with("store/home/.keep", "{}");
        make(&bed.path("store/home/settings.json"));
        assert_eq!(news(&bed.sync()), [News::Refused(why)]);
    };
    check(&|path| rustix::fs::mkfifoat(CWD, path, Perm::RWXU).unwrap(), Refusal::NotAFile);
    check(&|path| drop(std::os::unix::net::UnixListener::bind(path).unwrap()), Refusal::NotAFile);
    check(&|path| std::fs::create_dir(path).unwrap(), Refusal::NotAFile);
    check(&|path| std::fs::File::create(path).unwrap().set_len(1 << 40).unwrap(), Refusal::TooBig);
    // Where we may make one; a container may not.
    let device = |path: &Path| {
        let zero = rustix::fs::makedev(1, 5);
        rustix::fs::mknodat(CWD, path, rustix::fs::FileType::CharacterDevice, Perm::RUSR | Perm::WUSR, zero)
    };
    let trial = tempfile::tempdir().unwrap();
    if device(&trial.path().join("zero")).is_ok() {
        check(&|path| device(path).unwrap(), Refusal::NotAFile);
    }
    check(&|path| std::fs::hard_link(path.with_file_name(".keep"), path).unwrap(), Refusal::HardLink);
    let setuid = |path: &Path| {
        std::fs::write(path, "{}").unwrap();
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o4700)).unwrap();
    };
    check(&setuid, Refusal::SetId);
}

// Z-054
#[test]
fn z_054_a_directory_that_becomes_a_link_leads_nowhere() {
    let bed = Bed::new().with("host/skills/s.md", "s").with("outside/keep", "");
    std::fs::create_dir_all(bed.path("store/home")).unwrap();
    symlink(bed.path("outside"), bed.path("store/home/skills")).unwrap();
    assert_eq!(news(&bed.sync()), [News::Refused(Refusal::Link)]);
    // Below the tree's root it is only met by the write, which walks for itself, and must not stop the rest.
    std::fs::remove_file(bed.path("store/home/skills")).unwrap();
    std::fs::create_dir(bed.path("store/home/skills")).unwrap();
    symlink(bed.path("outside"), bed.path("store/home/skills/deep")).unwrap();
    bed.write("host/skills/deep/d.md", "d");
    let report = bed.sync();
    assert!(matches!(news(&report)[..], [News::Refused(Refusal::Link), News::Unwritable(_)]), "{report:?}");
    assert_eq!(bed.read("store/home/skills/s.md"), "s");
    assert_eq!(std::fs::read_dir(bed.path("outside")).unwrap().count(), 1);
    assert!(!repair(&bed.places).unwrap(), "no journal is left behind");
}

// Z-050
#[test]
fn z_050_a_file_that_a_tool_keeps_locked_waits_for_the_next_sync() {
    let bed = Bed::new().with("host/state.json", "{\"theme\":1}").with("store/home/state.json", "{\"own\":1}");
    std::fs::create_dir(bed.path("store/home/state.json.lock")).unwrap();
    let report = bed.sync();
    assert!(matches!(news(&report)[..], [News::Unwritable(_)]), "{report:?}");
    assert_eq!((bed.read("store/home/state.json").as_str(), report.is_whole()), ("{\"own\":1}", false));
    assert!(bed.path("store/home/state.json.lock").is_dir());
    std::fs::remove_dir(bed.path("store/home/state.json.lock")).unwrap();
    assert_eq!(bed.sync().notices, []);
    assert_eq!(bed.read("store/home/state.json"), "{\"own\":1,\"theme\":1}");
    assert!(!bed.path("store/home/state.json.lock").exists());
}

// Z-050
#[test]
fn z_050_nothing_is_lost_between_us_and_a_tool_that_rewrites_its_file_under_its_lock() {
    let bed = Bed::new().with("store/home/state.json", "{\"own\":0}");
    let (file, lock) = (bed.path("store/home/state.json"), bed.path("store/home/state.json.lock"));
    let tool = || {
        for count in 1..=times(15, 100) {
            while std::fs::create_dir(&lock).is_err() {
                std::thread::sleep(Duration::from_millis(1));
            }
            let mut state: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
            state["own"] = count.into();
            std::fs::write(file.with_extension("new"), state.to_string()).unwrap();
            std::fs::rename(file.with_extension("new"), &file).unwrap();
            std::fs::remove_dir(&lock).unwrap();
            std::thread::sleep(Duration::from_millis(3));
        }
    };
    let mut written = 0;
    std::thread::scope(|scope| {
        let tool = scope.spawn(tool);
        while !tool.is_finished() {
            written += 1;
            bed.write("host/state.json", &format!("{{\"theme\":{written}}}"));
            while !bed.sync().is_whole() {}
            let state: serde_json::Value = serde_json::from_str(&bed.read("store/home/state.json")).unwrap();
            assert_eq!(state["theme"], written);
        }
    });
    let state: serde_json::Value = serde_json::from_str(&bed.read("store/home/state.json")).unwrap();
    assert_eq!((&state["own"], &state["theme"]), (&times(15, 100).into(), &written.into()));
}

// Z-055
#[test]
fn z_055_a_file_that_shrinks_while_it_is_read_is_never_half_of_it() {
    const SIZES: [u64; 2] = [16 << 20, 8 << 20];
    let bed = Bed::new().with("f", "");
    let file = std::fs::OpenOptions::new().write(true).open(bed.path("f")).unwrap();
    file.set_len(SIZES[0]).unwrap();
    let slot = slot(bed.root.path(), Path::new("f"), Absent::Leave).unwrap().unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for size in SIZES.into_iter().cycle().skip(1) {
                file.set_len(size).unwrap();
                std::thread::sleep(Duration::from_millis(2));
                if done.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        for _ in 0..times(8, 40) {
            match slot.read(32 << 20).unwrap() {
                Reading::File { bytes, .. } => assert!(SIZES.contains(&(bytes.len() as u64)), "{}", bytes.len()),
                reading => assert_eq!(reading, Reading::Refused(Refusal::Moving)),
            }
        }
        done.store(true, Ordering::Relaxed);
    });
    assert!(matches!(slot.read(32 << 20).unwrap(), Reading::File { .. }), "at rest it is read");
}
