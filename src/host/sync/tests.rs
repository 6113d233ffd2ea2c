//! Syncs on a real file system, with what is found there when nobody was careful.

#![expect(clippy::disallowed_methods, reason = "tests set up files and look at them")]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

mod costs;
mod history;
mod hostile;
mod siege;

use super::*;
use crate::core::sync::bound::Bound;
use crate::core::sync::{Brake, Class, Hash, HostSync, Refusal, Rule};
use crate::host::fs::Absent;
use crate::host::fs::slot::{Swap, slot};

pub struct Bed {
    pub root: tempfile::TempDir,
    pub places: Places,
}

pub fn rule(path: &str, class: Class) -> Rule {
    let out = ["theme", "a"].map(|key| (key.to_owned(), Bound::Number(0..=999))).into();
    Rule { path: path.into(), host: Some(path.into()), keys: vec!["theme".into()], out, ..Rule::of(class) }
}

pub fn request(direction: Direction, host_sync: HostSync) -> SyncRequest {
    let rules = vec![
        rule("settings.json", Class::Json),
        Rule { lock: Some(".lock".into()), ..rule("state.json", Class::Keys) },
        rule("history.jsonl", Class::Lines),
        rule("skills", Class::Tree),
    ];
    SyncRequest { rules, direction, host_sync, brake: Brake::On }
}

/// Returns a directory in memory where there is one: flushes there cost nothing. What a disk does is for the tests of crashes.
fn memory() -> PathBuf {
    let shared = PathBuf::from("/dev/shm");
    if shared.is_dir() { shared } else { std::env::temp_dir() }
}

/// Returns how often something is tried: few times in the unit run, many where `make faults` sets `AI_FAULTS`.
pub fn times(few: usize, many: usize) -> usize {
    if std::env::var_os("AI_FAULTS").is_some() { many } else { few }
}

impl Bed {
    pub fn new() -> Bed {
        let root = tempfile::tempdir_in(memory()).unwrap();
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

    pub fn with(self, path: &str, text: &str) -> Bed {
        self.write(path, text);
        self
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    pub fn write(&self, path: &str, text: &str) {
        std::fs::create_dir_all(self.path(path).parent().unwrap()).unwrap();
        std::fs::write(self.path(path), text).unwrap();
    }

    pub fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path(path)).unwrap_or_default()
    }

    pub fn sync(&self) -> Report {
        run(&self.places, &request(Direction::In, HostSync::Import), &Deadline::after(PATIENCE)).unwrap()
    }

    pub fn export(&self) -> Report {
        run(&self.places, &request(Direction::Out, HostSync::Both), &Deadline::after(PATIENCE)).unwrap()
    }

    pub fn put_aside(&self, kind: &str) -> Vec<String> {
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

pub fn news(report: &Report) -> Vec<News> {
    report.notices.iter().map(|notice| notice.news.clone()).collect()
}

// F-01
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

// Z-036
#[test]
fn z_036_a_broken_source_is_quarantined_and_the_good_side_kept() {
    let bed = Bed::new().with("host/settings.json", "{\"a\":1}");
    bed.sync();
    for broken in ["{\"a\":", "{}{}"] {
        bed.write("host/settings.json", broken);
        assert_eq!(news(&bed.sync()), [News::Torn { at: Some(if broken == "{}{}" { (1, 3) } else { (1, 5) }) }]);
        assert_eq!(bed.read("store/hub/settings.json"), "{\"a\":1}");
        bed.sync();
    }
    assert_eq!(bed.put_aside("quarantine").len(), 2, "each once");
}

// Z-037
#[test]
fn z_037_a_huge_file_is_not_even_read() {
    let bed = Bed::new().with("store/hub/state.json", "{\"theme\":1}");
    bed.write("store/home/state.json", "");
    std::fs::OpenOptions::new().write(true).open(bed.path("store/home/state.json")).unwrap().set_len(250 << 20).unwrap();
    assert_eq!(news(&bed.sync()), [News::Refused(Refusal::TooBig)]);
}

// Z-047
#[test]
fn z_047_what_cannot_be_written_fails_by_name_and_hurts_nothing() {
    let bed = Bed::new().with("host/settings.json", "{\"a\":1}");
    // Root may write anywhere, but not below a file.
    bed.write("store", "in the way");
    let error = run(&bed.places, &request(Direction::In, HostSync::Import), &Deadline::after(PATIENCE)).unwrap_err();
    assert!(error.to_string().starts_with("cannot open `"), "{error}");
    assert_eq!((bed.read("store").as_str(), bed.read("host/settings.json").as_str()), ("in the way", "{\"a\":1}"));
}

#[test]
fn only_the_expected_content_is_replaced_or_removed() {
    let bed = Bed::new().with("f", "theirs");
    let slot = slot(bed.root.path(), Path::new("f"), Absent::Leave).unwrap().unwrap();
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

// Z-056
#[test]
fn z_056_a_file_of_lines_keeps_its_inode_and_its_writer() {
    use std::io::Write;
    let bed = Bed::new().with("host/history.jsonl", "{\"h\":1}\n").with("store/hub/.k", "").with("store/home/history.jsonl", "{\"p\":1}\n");
    let mut writer = std::fs::OpenOptions::new().append(true).open(bed.path("store/home/history.jsonl")).unwrap();
    bed.sync();
    writer.write_all(b"{\"p\":2}\n").unwrap();
    assert_eq!(bed.read("store/home/history.jsonl"), "{\"p\":1}\n{\"h\":1}\n{\"p\":2}\n");
}
