//! What syncs remember, tell and take back.

use crate::host::machine::deadline::Deadline;
use crate::host::sync::PATIENCE;
use std::time::{Duration, SystemTime};

use crate::core::sync::{Direction, HostSync};
use crate::host::sync::tests::{Bed, request};
use crate::host::sync::{SyncError, log, preview, run, undo};

// Z-061
#[test]
fn z_061_what_a_newer_version_wrote_stops_us_before_we_write() {
    for record in ["base/tool/hub.json", "journal/commit.json"] {
        let bed = Bed::new().with("host/settings.json", "{\"a\":1}").with(&format!("store/sync/{record}"), "{\"schema\":2}");
        let error = run(&bed.places, &request(Direction::In, HostSync::Import), &Deadline::after(PATIENCE)).unwrap_err();
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

// SE-05
#[test]
fn an_undo_gives_back_what_a_deletion_on_the_host_took_away_for_good() {
    let bed = Bed::new().with("host/skills/a.md", "a").with("host/skills/b.md", "b");
    bed.sync();
    std::fs::remove_file(bed.path("host/skills/a.md")).unwrap();
    bed.sync();
    let found = || (bed.read("store/hub/skills/a.md"), bed.read("store/home/skills/a.md"));
    assert_eq!((found(), bed.read("store/home/skills/b.md").as_str()), ((String::new(), String::new()), "b"));
    undo(&bed.places).unwrap();
    for _ in 0..2 {
        assert_eq!(found(), ("a".into(), "a".into()));
        bed.sync();
    }
}

// SE-05, SE-07
#[test]
fn a_home_that_is_away_deletes_nothing() {
    let bed = Bed::new().with("host/skills/a.md", "a").with("host/settings.json", "{\"a\":1}");
    bed.sync();
    std::fs::rename(bed.path("host"), bed.path("elsewhere")).unwrap();
    bed.sync();
    assert_eq!((bed.read("store/hub/skills/a.md").as_str(), bed.read("store/home/skills/a.md").as_str()), ("a", "a"));
}

#[test]
fn a_preview_says_what_a_sync_would_do_and_does_nothing() {
    let bed = Bed::new().with("host/settings.json", "{\"a\":1}").with("store/home/settings.json", "{");
    let preview = preview(&bed.places, &request(Direction::In, HostSync::Import)).unwrap();
    let status = crate::core::sync::preview::status(&request(Direction::In, HostSync::Import), &preview.seen, &preview.plan);
    let lines: Vec<String> = status.iter().take(3).map(|file| format!("{} {:?} {:?}", file.site, file.health, file.from)).collect();
    assert_eq!(lines, ["`settings.json` (host) Valid []", "`settings.json` (hub) Absent [Host]", "`settings.json` (project) Torn [Hub]"]);
    let diffs = crate::core::sync::preview::diffs(&preview.seen, &preview.plan);
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

// Z-058
#[test]
fn z_058_clocks_that_are_hours_apart_change_nothing() {
    let outcome = |hours: u64, host_is_ahead: bool| {
        let bed = Bed::new().with("host/settings.json", "{\"a\":1,\"b\":1}").with("host/skills/s.md", "old");
        bed.sync();
        bed.write("host/settings.json", "{\"a\":2,\"b\":2}");
        bed.write("host/skills/s.md", "new");
        bed.write("store/home/settings.json", "{\"a\":3,\"b\":1}");
        let (now, skew) = (SystemTime::now(), Duration::from_secs(hours * 3600));
        for (path, ahead) in
            [("host/settings.json", host_is_ahead), ("host/skills/s.md", host_is_ahead), ("store/home/settings.json", !host_is_ahead)]
        {
            let file = std::fs::File::open(bed.path(path)).unwrap();
            file.set_modified(if ahead { now + skew } else { now.checked_sub(skew).unwrap() }).unwrap();
        }
        let notices = [bed.sync().notices, bed.export().notices];
        let read = ["host/settings.json", "store/hub/settings.json", "store/home/settings.json", "store/home/skills/s.md"];
        (read.map(|path| bed.read(path)), notices.map(|notices| notices.len()))
    };
    let expected = outcome(0, true);
    assert_eq!(expected.0[3], "new");
    for host_is_ahead in [true, false] {
        assert_eq!(outcome(8, host_is_ahead), expected);
    }
}

// One sync is written in several lots, and taken back as one.
#[test]
fn an_undo_takes_back_all_of_a_large_sync() {
    let bed = Bed::new();
    let files: Vec<String> = (0..1100).map(|number| format!("skills/s{number}/SKILL.md")).collect();
    for file in &files {
        bed.write(&format!("host/{file}"), "a skill");
    }
    let there = || files.iter().filter(|file| bed.path(&format!("store/home/{file}")).exists()).count();
    assert_eq!((bed.sync().changed.len(), there()), (2200, 1100));
    assert!(log(&bed.places).unwrap().len() > 2, "it came in lots");
    let undone = undo(&bed.places).unwrap();
    assert_eq!((undone.changed.len(), undone.left, there()), (2200, 0, 0));
    assert_eq!((undo(&bed.places).unwrap().changed.len(), there()), (2200, 1100), "the undo is taken back as one, too");
}
