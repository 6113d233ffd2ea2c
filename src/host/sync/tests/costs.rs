//! What settings cost that somebody made as expensive as possible.

use crate::core::sync::base::{Base, BaseEntry};
use crate::core::sync::bound::Bound;
use crate::core::sync::plan::{Gathered, plan};
use crate::core::sync::report::News;
use crate::core::sync::{Class, Direction, Flow, HostSync, Mode, Place, Reading, Rule, Site, SyncRequest};
use crate::host::sync::tests::{Bed, news, request, rule, times};

/// An object of so many keys, of which every second has this value.
fn object(keys: usize, value: &str) -> String {
    let members = (0..keys).map(|key| format!("\"key{key:05}\": {}", if key % 2 == 0 { value } else { "0" }));
    format!("{{\n  {}\n}}\n", members.collect::<Vec<_>>().join(",\n  "))
}

/// Nanoseconds of this thread on a processor.
fn spent() -> u64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    u64::try_from(time.tv_sec * 1_000_000_000 + time.tv_nsec).unwrap()
}

/// What the most expensive plan costs: all places and both bases differ in half of the keys.
fn cost(class: Class, direction: Direction, keys: usize) -> u64 {
    let out = (0..20).map(|key| (format!("key{key:05}"), Bound::Number(0..=9))).collect();
    let rule = Rule { out, ..rule("f", class) };
    let mut seen = Gathered::default();
    for (place, value) in [(Place::Host, "1"), (Place::Hub, "2"), (Place::Project, "3")] {
        let bytes = object(keys, value).into_bytes();
        seen.files.insert(Site { place, path: "f".into() }, Reading::File { bytes, mode: Mode::Plain });
    }
    for flow in Flow::of(direction, HostSync::Both) {
        let mut base = Base::default();
        base.files.insert("f".into(), BaseEntry::Text(object(keys, "4")));
        seen.bases.insert(flow.pair(), base);
    }
    let request = SyncRequest { rules: vec![rule], host_sync: HostSync::Both, ..request(direction, HostSync::Both) };
    let before = spent();
    let plan = plan(&request, &seen);
    let cost = spent() - before;
    assert!(plan.changes().count() > 0, "something was to be done");
    cost
}

// BO-06
#[test]
fn eight_times_the_keys_cost_eight_times_as_much_and_not_sixty_four_times() {
    for direction in [Direction::In, Direction::Out] {
        let least = |keys| (0..2).map(|_| cost(Class::Json, direction, keys)).min().unwrap();
        let keys = times(200, 2_000);
        let (few, many) = (least(keys), least(8 * keys));
        assert!(many < few * 24, "{direction:?}: {keys} keys {few} ns, eight times as many {many} ns");
    }
}

// BO-06
#[test]
fn settings_with_more_keys_than_anybody_has_are_skipped_in_one_line_and_spoil_nothing() {
    let bed = Bed::new().with("store/home/settings.json", &object(60_000, "1")).with("store/hub/settings.json", "{\"a\":1}");
    assert_eq!(news(&bed.export()), [News::Crowded]);
    assert_eq!(bed.read("store/hub/settings.json"), "{\"a\":1}");
}

// BO-06: only `make faults` tries it, for it takes seconds.
#[test]
fn two_documents_just_small_enough_do_not_become_one_that_is_not() {
    if times(0, 1) == 0 {
        return;
    }
    let bed = Bed::new();
    bed.write("store/home/settings.json", &object(40_000, "1"));
    bed.write("store/hub/settings.json", &object(40_000, "1").replace("key", "other"));
    assert_eq!(news(&bed.sync()), [News::Crowded]);
    assert_eq!(bed.read("store/home/settings.json"), object(40_000, "1"));
}

// BO-06
#[test]
fn a_conflict_of_many_keys_is_one_line() {
    let bed = Bed::new().with("store/home/settings.json", &object(4_000, "1")).with("store/hub/settings.json", &object(4_000, "2"));
    let report = bed.sync();
    let line = report.notices.first().unwrap().to_string();
    assert!(line.len() < 300 && line.contains("key00014 and 1992 more"), "{line}");
}
