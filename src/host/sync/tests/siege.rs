//! A container that works against a sync while it runs, and syncs that cannot be finished.

use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::core::sync::journal::{Journal, SyncPart};
use crate::core::sync::{Direction, HostSync};
use crate::host::fs::Absent;
use crate::host::fs::lock;
use crate::host::machine::deadline::Deadline;
use crate::host::sync::apply::AtHand;
use crate::host::sync::place::Places;
use crate::host::sync::tests::{Bed, request, times};
use crate::host::sync::{PATIENCE, SyncError, gather, repair, run, shelf, stamps};

// BO-07
#[test]
fn bo_07_a_container_that_removes_our_files_while_we_write_them_stops_nobody_else() {
    let bed = Bed::new().with("host/settings.json", "{\"a\":0}").with("store/home/.keep", "");
    let other = Places { project: bed.path("store/other"), project_id: "p-2".into(), ..bed.places.clone() };
    let (home, done) = (bed.path("store/home"), AtomicBool::new(false));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                for entry in std::fs::read_dir(&home).unwrap().flatten() {
                    if entry.file_name().to_string_lossy().starts_with(".ai-sync-") {
                        let _ = std::fs::remove_file(entry.path());
                    }
                }
            }
        });
        let rounds = times(4, 25);
        for count in 1..=rounds {
            bed.write("host/settings.json", &format!("{{\"a\":{count}}}"));
            bed.sync();
            run(&other, &request(Direction::In, HostSync::Import), &Deadline::after(PATIENCE)).unwrap();
            assert_eq!(bed.read("store/other/settings.json"), format!("{{\"a\":{count}}}"));
        }
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!(bed.sync().notices, []);
    assert_eq!(bed.read("store/home/settings.json"), format!("{{\"a\":{}}}", times(4, 25)));
}

// BO-07
#[test]
fn bo_07_a_sync_of_another_project_that_cannot_be_finished_waits_for_that_project() {
    let bed = Bed::new().with("host/settings.json", "{\"a\":1}").with("store/home/.keep", "");
    let theirs = Places { tool: "else".into(), project_id: "p-2".into(), ..bed.places.clone() };
    let request = request(Direction::In, HostSync::Import);
    let seen = gather::gather(&theirs, &request, &stamps(&theirs, &request).unwrap(), &Deadline::after(PATIENCE)).unwrap();
    let plan = crate::core::sync::plan::plan(&request, &seen);
    let journal = Journal::new(theirs.scope(), Some(Direction::In), 1, SyncPart::default(), plan.units.clone());
    shelf::keep_objects(&bed.places.store, &plan.contents.iter().map(|(hash, bytes)| (hash, bytes.as_slice())).collect()).unwrap();
    shelf::commit(&bed.places.store, &journal).unwrap();
    // Where its generation should be is a file, so that it cannot be finished.
    bed.write("store/sync/base/else", "in the way");
    let report = bed.sync();
    assert!(report.waiting.is_some() && report.recovered, "{report:?}");
    assert_eq!(bed.read("store/home/settings.json"), "{\"a\":1}");
    assert!(bed.sync().waiting.is_none(), "it is said once");
    assert!(run(&theirs, &request, &Deadline::after(PATIENCE)).is_err(), "its own project hears of it");
    std::fs::remove_file(bed.path("store/sync/base/else")).unwrap();
    let report = run(&theirs, &request, &Deadline::after(PATIENCE)).unwrap();
    assert!(report.recovered && report.waiting.is_none(), "{report:?}");
    assert!(shelf::is_clean(&bed.places.store).unwrap() && !repair(&bed.places).unwrap());
}

#[test]
fn a_journal_that_no_program_wrote_stops_nobody() {
    let bed = Bed::new().with("host/settings.json", "{\"a\":1}").with("store/sync/journal/commit.json", "{\"schema\":");
    assert_eq!(bed.sync().notices, []);
    assert_eq!(bed.read("store/home/settings.json"), "{\"a\":1}");
    assert!(shelf::is_clean(&bed.places.store).unwrap());
}

// BO-06
#[test]
fn bo_06_who_only_reads_and_thinks_does_not_need_the_lock() {
    let bed = Bed::new().with("host/settings.json", "{\"a\":1}");
    bed.sync();
    let held = lock::acquire(&bed.places.sync_dir(), PATIENCE).unwrap();
    let began = Instant::now();
    assert_eq!(bed.sync().notices, []);
    assert!(began.elapsed() < Duration::from_secs(5), "nothing changed, so nobody was waited for");
    drop(held);
}

// BO-06
#[test]
fn bo_06_a_sync_has_one_deadline_for_all_that_it_does() {
    let bed = Bed::new().with("host/settings.json", "{\"a\":1}");
    let request = request(Direction::In, HostSync::Import);
    let over = Deadline::after(Duration::ZERO);
    assert!(matches!(run(&bed.places, &request, &over), Err(SyncError::Late)));
    // From the commit on it is another one's to finish, and nothing is lost of what was not.
    let seen = gather::gather(&bed.places, &request, &stamps(&bed.places, &request).unwrap(), &Deadline::after(PATIENCE)).unwrap();
    let plan = crate::core::sync::plan::plan(&request, &seen);
    let mut report = crate::core::sync::report::Report::default();
    super::super::commit(&bed.places, Some(Direction::In), &plan, SyncPart::default(), &over, &mut report, AtHand::default()).unwrap();
    assert!(report.left == plan.changes().count() && report.changed.is_empty() && !report.is_whole(), "{report:?}");
    assert_eq!(bed.read("store/home/settings.json"), "");
    assert_eq!(bed.sync().notices, []);
    assert_eq!(bed.read("store/home/settings.json"), "{\"a\":1}");
}

// BO-05
#[test]
fn bo_05_a_file_that_grows_while_it_is_read_is_not_read_beyond_its_limit() {
    let bed = Bed::new().with("f", "{}");
    let slot = crate::host::fs::slot::slot(bed.root.path(), std::path::Path::new("f"), Absent::Leave).unwrap().unwrap();
    let (file, done) = (std::fs::OpenOptions::new().write(true).open(bed.path("f")).unwrap(), AtomicBool::new(false));
    file.set_permissions(std::fs::Permissions::from_mode(0o600)).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                file.set_len(64 << 30).unwrap();
                file.set_len(2).unwrap();
            }
        });
        for _ in 0..200 {
            // More than the limit would be more memory than there is.
            slot.read(1 << 20).unwrap();
        }
        done.store(true, Ordering::Relaxed);
    });
}
