//! Syncs on a real file system, with what is found there when nobody was careful.

#![expect(clippy::disallowed_methods, reason = "tests set up files and look at them")]

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::time::{Duration, Instant};

use super::*;
use crate::host::fs::slot::{Swap, slot};
use crate::sync::{Brake, Class, Hash, HostSync, Refusal, Rule};

struct Bed {
    root: tempfile::TempDir,
    places: Places,
}

fn rule(path: &str, class: Class) -> Rule {
    Rule { path: path.into(), host: Some(path.into()), class, keys: vec!["theme".into()], executes: Vec::new(), seed: None }
}

fn request(direction: Direction, host_sync: HostSync) -> Request {
    let rules = vec![
        rule("settings.json", Class::Json),
        rule("state.json", Class::Keys),
        rule("history.jsonl", Class::Lines),
        rule("skills", Class::Tree),
    ];
    Request { rules, direction, host_sync, brake: Brake::On }
}

impl Bed {
    fn new() -> Bed {
        let root = tempfile::tempdir().unwrap();
        let places = Places {
            host_home: Some(root.path().join("host")),
            hub: root.path().join("store/hub"),
            project: root.path().join("store/home"),
            store: root.path().join("store"),
            tool: "tool".into(),
            project_id: "p-1".into(),
        };
        std::fs::create_dir(root.path().join("host")).unwrap();
        Bed { root, places }
    }

    fn with(self, path: &str, text: &str) -> Bed {
        self.write(path, text);
        self
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        std::fs::create_dir_all(self.path(path).parent().unwrap()).unwrap();
        std::fs::write(self.path(path), text).unwrap();
    }

    fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path(path)).unwrap_or_default()
    }

    fn sync(&self) -> Report {
        run(&self.places, &request(Direction::In, HostSync::Import)).unwrap()
    }

    fn export(&self) -> Report {
        run(&self.places, &request(Direction::Out, HostSync::Both)).unwrap()
    }

    fn put_aside(&self, kind: &str) -> Vec<String> {
        let mut found = Vec::new();
        contents(&self.path("store/sync").join(kind), &mut found);
        found
    }
}

fn contents(path: &Path, found: &mut Vec<String>) {
    if path.is_file() {
        found.push(std::fs::read_to_string(path).unwrap());
    }
    for entry in std::fs::read_dir(path).into_iter().flatten() {
        contents(&entry.unwrap().path(), found);
    }
}

fn news(report: &Report) -> Vec<News> {
    report.notices.iter().map(|notice| notice.news.clone()).collect()
}

#[test]
fn f_01_everything_that_is_made_is_private() {
    let bed = Bed::new().with("host/settings.json", "{\"a\":1}").with("host/skills/a/run.sh", "#!/bin/sh\n");
    std::fs::set_permissions(bed.path("host/skills/a/run.sh"), PermissionsExt::from_mode(0o755)).unwrap();
    assert_eq!(bed.sync().notices, []);
    let mode = |path: &str| std::fs::metadata(bed.path(path)).unwrap().permissions().mode() & 0o7777;
    assert_eq!(mode("store/home/settings.json"), 0o600);
    assert_eq!(mode("store/home/skills/a/run.sh"), 0o700);
    for directory in
        ["store", "store/hub", "store/home/skills/a", "store/sync", "store/sync/base/tool", "store/sync/generations/tool/p-1/00000001"]
    {
        assert_eq!(mode(directory), 0o700, "{directory}");
    }
}

#[test]
fn nothing_that_changed_nothing_is_written() {
    let bed = Bed::new().with("host/settings.json", "{\"a\":1}").with("host/skills/s.md", "s").with("host/history.jsonl", "{}\n");
    bed.sync();
    let look = || std::fs::metadata(bed.path("store/home/settings.json")).and_then(|found| found.modified()).unwrap();
    let before = look();
    assert_eq!(bed.sync(), Report::default());
    assert_eq!((before, log(&bed.places).unwrap().len()), (look(), 1));
}

#[test]
fn z_036_a_broken_source_is_quarantined_and_the_good_side_kept() {
    let bed = Bed::new().with("host/settings.json", "{\"a\":1}");
    bed.sync();
    for broken in ["{\"a\":", "{}{}"] {
        bed.write("host/settings.json", broken);
        assert_eq!(news(&bed.sync()), [News::Broken]);
        assert_eq!(bed.read("store/hub/settings.json"), "{\"a\":1}");
        bed.sync();
    }
    assert_eq!(bed.put_aside("quarantine").len(), 2, "each once");
}

#[test]
fn z_037_a_huge_file_is_not_even_read() {
    let bed = Bed::new().with("store/hub/state.json", "{\"theme\":1}");
    bed.write("store/home/state.json", "");
    std::fs::OpenOptions::new().write(true).open(bed.path("store/home/state.json")).unwrap().set_len(250 << 20).unwrap();
    let began = Instant::now();
    assert_eq!(news(&bed.sync()), [News::Refused(Refusal::TooBig)]);
    assert!(began.elapsed() < Duration::from_secs(1));
}

#[test]
fn z_047_what_cannot_be_written_fails_by_name_and_hurts_nothing() {
    let bed = Bed::new().with("host/settings.json", "{\"a\":1}");
    // Root may write anywhere, but not below a file.
    bed.write("store", "in the way");
    let error = run(&bed.places, &request(Direction::In, HostSync::Import)).unwrap_err();
    assert!(error.to_string().starts_with("cannot open `"), "{error}");
    assert_eq!((bed.read("store").as_str(), bed.read("host/settings.json").as_str()), ("in the way", "{\"a\":1}"));
}

#[test]
fn a_host_that_cannot_be_written_is_told_and_stops_nobody() {
    let mut bed = Bed::new().with("store/home/settings.json", "{\"a\":1}");
    // Even root makes no files here.
    bed.places.host_home = Some("/proc".into());
    let report = bed.export();
    assert!(matches!(news(&report)[..], [News::Unwritable(_)]), "{report:?}");
    assert!(!report.is_whole() && bed.read("store/hub/settings.json") == "{\"a\":1}");
    assert!(!repair(&bed.places).unwrap(), "no journal is left behind");
    bed.places.host_home = Some(bed.path("host"));
    assert_eq!(bed.export().notices, []);
    assert_eq!(bed.read("host/settings.json"), "{\"a\":1}", "nothing was agreed before");
}

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

#[test]
fn z_053_what_is_no_plain_file_is_skipped_without_waiting() {
    use rustix::fs::{CWD, Mode as Perm};
    let check = |make: &dyn Fn(&Path), why| {
        let bed = Bed::new().with("store/hub/settings.json", "{\"a\":1}").with("store/home/.keep", "{}");
        make(&bed.path("store/home/settings.json"));
        let began = Instant::now();
        assert_eq!(news(&bed.sync()), [News::Refused(why)]);
        assert!(began.elapsed() < Duration::from_secs(1));
    };
    check(&|path| rustix::fs::mkfifoat(CWD, path, Perm::RWXU).unwrap(), Refusal::NotAFile);
    check(&|path| drop(std::os::unix::net::UnixListener::bind(path).unwrap()), Refusal::NotAFile);
    check(&|path| std::fs::create_dir(path).unwrap(), Refusal::NotAFile);
    check(&|path| std::fs::hard_link(path.with_file_name(".keep"), path).unwrap(), Refusal::HardLink);
    let setuid = |path: &Path| {
        std::fs::write(path, "{}").unwrap();
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o4700)).unwrap();
    };
    check(&setuid, Refusal::SetId);
}

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

#[test]
fn only_the_expected_content_is_replaced_or_removed() {
    let bed = Bed::new().with("f", "theirs");
    let slot = slot(bed.root.path(), Path::new("f"), false).unwrap().unwrap();
    let other = Hash::of(b"what we read");
    assert_eq!(slot.put(b"ours", 0o600, Some(&other), 100).unwrap(), Swap::Overtaken);
    assert_eq!(slot.put(b"ours", 0o600, None, 100).unwrap(), Swap::Overtaken);
    assert_eq!(slot.remove(&other, 100).unwrap(), Swap::Overtaken);
    assert_eq!(bed.read("f"), "theirs");
    assert_eq!(slot.put(b"ours", 0o600, Some(&Hash::of(b"theirs")), 100).unwrap(), Swap::Done);
    assert_eq!(bed.read("f"), "ours");
    assert_eq!(slot.remove(&Hash::of(b"ours"), 100).unwrap(), Swap::Done);
    assert_eq!(slot.put(b"ours", 0o600, Some(&other), 100).unwrap(), Swap::Overtaken);
    assert_eq!(std::fs::read_dir(bed.root.path()).unwrap().count(), 1, "nothing is left but the host");
}

#[test]
fn z_056_a_file_of_lines_keeps_its_inode_and_its_writer() {
    use std::io::Write;
    let bed = Bed::new().with("host/history.jsonl", "{\"h\":1}\n").with("store/hub/.k", "").with("store/home/history.jsonl", "{\"p\":1}\n");
    let mut writer = std::fs::OpenOptions::new().append(true).open(bed.path("store/home/history.jsonl")).unwrap();
    bed.sync();
    writer.write_all(b"{\"p\":2}\n").unwrap();
    assert_eq!(bed.read("store/home/history.jsonl"), "{\"p\":1}\n{\"h\":1}\n{\"p\":2}\n");
}

#[test]
fn z_061_what_a_newer_version_wrote_stops_us_before_we_write() {
    for record in ["base/tool/hub.json", "journal/commit.json"] {
        let bed = Bed::new().with("host/settings.json", "{\"a\":1}").with(&format!("store/sync/{record}"), "{\"schema\":2}");
        let error = run(&bed.places, &request(Direction::In, HostSync::Import)).unwrap_err();
        assert!(matches!(error, SyncError::Newer { .. }), "{error}");
        assert!(!bed.path("store/hub").exists() && !bed.path("store/home").exists());
    }
}

#[test]
fn an_undo_goes_back_one_sync_and_can_be_undone() {
    let bed = Bed::new().with("host/settings.json", "{\"a\":1}");
    bed.sync();
    bed.write("host/settings.json", "{\"a\":2}");
    bed.sync();
    let hub = || bed.read("store/hub/settings.json");
    assert_eq!(undo(&bed.places).unwrap().changed.len(), 2);
    assert_eq!(hub(), "{\"a\":1}");
    bed.sync();
    assert_eq!(hub(), "{\"a\":1}", "the host said nothing new");
    undo(&bed.places).unwrap();
    assert_eq!(hub(), "{\"a\":2}");
    assert_eq!(
        log(&bed.places).unwrap().iter().map(|record| record.direction).collect::<Vec<_>>(),
        [None, None, Some(Direction::In), Some(Direction::In)]
    );
}

#[test]
fn a_preview_says_what_a_sync_would_do_and_does_nothing() {
    let bed = Bed::new().with("host/settings.json", "{\"a\":1}").with("store/home/settings.json", "{");
    let preview = preview(&bed.places, &request(Direction::In, HostSync::Import)).unwrap();
    let status = crate::sync::preview::status(&request(Direction::In, HostSync::Import), &preview.seen, &preview.plan);
    let lines: Vec<String> = status.iter().take(3).map(|file| format!("{} {:?} {}", file.site, file.health, file.changes)).collect();
    assert_eq!(lines, ["`settings.json` (host) Valid false", "`settings.json` (hub) Absent true", "`settings.json` (project) Broken true"]);
    let diffs = crate::sync::preview::diffs(&preview.seen, &preview.plan);
    assert_eq!((diffs[1].before, diffs[1].after), (Some(&b"{"[..]), Some(&b"{\"a\":1}"[..])));
    assert!(!bed.path("store/sync").exists());
}

#[test]
fn generations_and_copies_stay_few() {
    let bed = Bed::new();
    for n in 0..30 {
        bed.write("host/settings.json", &format!("{{\"a\":{n}}}"));
        bed.write("store/home/settings.json", &format!("{{\"a\":\"{n}\"}}"));
        bed.sync();
    }
    assert_eq!(bed.put_aside("conflicts").len(), 20);
    assert!(log(&bed.places).unwrap().len() <= 21);
    assert!(bed.path("store/sync/generations/tool/p-1/00000030").exists());
    assert!(!bed.path("store/sync/generations/tool/p-1/00000003").exists());
}
