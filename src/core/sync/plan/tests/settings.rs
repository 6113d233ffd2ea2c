//! What was lost, what is listed, what is read: settings between three places.

use crate::core::sync::plan::SyncPlan;
use crate::core::sync::plan::tests::{PLACES, World, request};
use crate::core::sync::report::News;
use crate::core::sync::{Direction, HostSync, Place};

// BO-08
#[test]
fn only_what_is_listed_and_within_its_bound_leaves_a_project() {
    let planted = r#"{"theme":7,"tone":"$(evil)","hooks":{"evil":1},"o":{"cmd":"rm","id":7},"new":true}"#;
    let mut world = World::default().with(Place::Project, "settings.json", planted).with(Place::Project, "skills/s.md", "evil");
    world.sync(Direction::Out, HostSync::Both);
    world.sync(Direction::In, HostSync::Both);
    world.sync(Direction::Out, HostSync::Both);
    for place in [Place::Hub, Place::Host] {
        assert_eq!(world.text(place, "settings.json"), "{\n  \"theme\": 7,\n  \"o\": {\"id\": 7}\n}\n");
        assert_eq!(world.text(place, "skills/s.md"), "");
    }
    assert_eq!(world.text(Place::Project, "settings.json"), planted);
}

// BO-08: what is listed as a value is none when it is a table or a list, and covers no table.
#[test]
fn nothing_passes_in_the_place_of_a_value() {
    for planted in [r#"{"theme":{"deep":1}}"#, r#"{"theme":[1]}"#, r#"{"theme":null}"#, r#"{"theme":-1}"#, r#"{"o":7}"#, r#"{"o.id":7}"#] {
        let mut world = World::default().with(Place::Project, "settings.json", planted).with(Place::Hub, "settings.json", r#"{"k":1}"#);
        world.sync(Direction::Out, HostSync::Both);
        assert_eq!(world.text(Place::Hub, "settings.json"), r#"{"k":1}"#, "{planted}");
    }
    let mut world = World::default().with(Place::Project, "settings.json", r#"{"theme":1}"#);
    world = world.with(Place::Hub, "settings.json", r#"{"theme":{"mine":1}}"#);
    world.sync(Direction::Out, HostSync::Both);
    assert_eq!(world.text(Place::Hub, "settings.json"), r#"{"theme":{"mine":1}}"#);
}

// BO-09
#[test]
fn nothing_is_ever_removed_outwards() {
    let full = r#"{"theme":1,"o":{"id":2},"deny":["a"]}"#;
    for emptied in ["{}", r#"{"o":{}}"#, r#"{"deny":[]}"#, "", "{", r#"{"theme":null}"#] {
        let mut world = World::default().with(Place::Host, "settings.json", full);
        world.sync(Direction::In, HostSync::Both);
        let mut world = world.with(Place::Project, "settings.json", emptied);
        world.sync(Direction::Out, HostSync::Both);
        assert_eq!([world.text(Place::Host, "settings.json"), world.text(Place::Hub, "settings.json")], [full, full], "{emptied}");
    }
}

// SE-07
#[test]
fn the_rules_of_the_host_are_back_whatever_was_lost() {
    let host = r#"{"deny":["a","b"],"k":1,"o":{"id":1}}"#;
    let mut request = request(Direction::In, HostSync::Import);
    request.rules[0].seed = Some(r#"{"seed":1}"#.into());
    let broken = [None, Some(""), Some("{"), Some("{}"), Some(r#"{"seed":1}"#)];
    for hub in broken.iter().chain(&[Some(host)]) {
        for project in broken.iter().chain(&[Some(host)]) {
            let mut world = World::default().with(Place::Host, "settings.json", host);
            world.sync_with(&request);
            for (place, text) in [(Place::Hub, hub), (Place::Project, project)] {
                match text {
                    Some(text) => world = world.with(place, "settings.json", text),
                    None => world.files.retain(|site, _| site.place != place),
                }
            }
            world.sync_with(&request);
            for place in PLACES {
                let found: serde_json::Value = serde_json::from_str(world.text(place, "settings.json")).unwrap();
                assert_eq!((&found["k"], found["deny"].as_array().map(Vec::len)), (&1.into(), Some(2)), "{hub:?} {project:?} {place}");
            }
            assert!(world.sync_with(&request).is_settled());
        }
    }
}

// SE-07: a hub that was lost is no deletion of what only projects had told it.
#[test]
fn a_hub_that_was_lost_deletes_nothing_in_a_project() {
    let mut world =
        World::default().with(Place::Host, "settings.json", r#"{"k":1}"#).with(Place::Project, "settings.json", r#"{"theme":2}"#);
    world.sync(Direction::In, HostSync::Import);
    world.sync(Direction::Out, HostSync::Import);
    for lost in ["", "{", r#"{"theme":3}"#] {
        let mut world = world.clone().with(Place::Hub, "settings.json", lost);
        world.sync(Direction::In, HostSync::Import);
        let project = world.text(Place::Project, "settings.json");
        assert!(project.contains("\"theme\"") && project.contains("\"k\""), "{lost}: {project}");
        // The host's own deletion is one, before and afterwards.
        world = world.with(Place::Host, "settings.json", "{\"x\":1}");
        world.sync(Direction::In, HostSync::Import);
        assert!(!world.text(Place::Project, "settings.json").contains("\"k\""));
    }
}

// SE-07: what a host lacks that was away in between is no deletion, and its next one is.
#[test]
fn a_host_that_was_away_deletes_nothing_when_it_comes_back() {
    for away in [None, Some(""), Some("{ torn")] {
        let mut world = World::default().with(Place::Host, "settings.json", r#"{"deny":["a"],"k":1}"#);
        world.sync(Direction::In, HostSync::Import);
        match away {
            None => world.files.retain(|site, _| site.place != Place::Host),
            Some(text) => world = world.with(Place::Host, "settings.json", text),
        }
        world.sync(Direction::In, HostSync::Import);
        let mut world = world.with(Place::Host, "settings.json", r#"{"k":2}"#);
        world.sync(Direction::In, HostSync::Import);
        assert_eq!(world.text(Place::Project, "settings.json"), r#"{"deny":["a"],"k":2}"#, "{away:?}");
        let mut world = world.with(Place::Host, "settings.json", "{\"x\":1}");
        world.sync(Direction::In, HostSync::Import);
        assert_eq!(world.text(Place::Project, "settings.json"), r#"{"deny":["a"],"x":1}"#);
    }
}

// SE-06, R4
#[test]
fn rules_of_both_sides_hold() {
    let mut world = World::default().with(Place::Host, "settings.json", r#"{"deny":["A"]}"#);
    world.sync(Direction::In, HostSync::Import);
    let mut world = world.with(Place::Project, "settings.json", r#"{"deny":["A","B"]}"#);
    world.sync(Direction::Out, HostSync::Import);
    let mut world = world.with(Place::Host, "settings.json", r#"{"deny":["A","C"]}"#);
    world.sync(Direction::In, HostSync::Import);
    assert_eq!(world.text(Place::Project, "settings.json"), r#"{"deny":["A","B","C"]}"#);
    assert_eq!(world.text(Place::Hub, "settings.json"), r#"{"deny":["A","C"]}"#, "a project's rule is its own");
    let mut world = world.with(Place::Host, "settings.json", r#"{"deny":["C"]}"#);
    world.sync(Direction::In, HostSync::Import);
    assert_eq!(world.text(Place::Project, "settings.json"), r#"{"deny":["B","C"]}"#);
}

// BO-09, SE-09, R15
#[test]
fn a_seed_is_no_change_and_the_host_gets_only_what_was_changed_inside() {
    let mut rules = request(Direction::In, HostSync::Both);
    rules.rules[0].seed = Some(r#"{"theme":9,"away":1}"#.into());
    let mut world = World::default().with(Place::Host, "settings.json", r#"{"tone":"dark","k":1}"#);
    world.sync_with(&rules);
    assert_eq!(world.text(Place::Project, "settings.json"), r#"{"theme":9,"away":1,"tone":"dark","k":1}"#);
    rules.direction = Direction::Out;
    assert_eq!(world.sync_with(&rules).changes().count(), 0);
    let mut world = world.with(Place::Project, "settings.json", r#"{"theme":9,"away":2,"tone":"light","k":7}"#);
    world.sync_with(&rules);
    assert_eq!(world.text(Place::Host, "settings.json"), r#"{"tone":"light","k":1}"#);
    let mut world = world.with(Place::Project, "settings.json", r#"{"theme":8,"away":2,"tone":"light","k":7}"#);
    world.sync_with(&rules);
    assert_eq!(world.text(Place::Host, "settings.json"), r#"{"tone":"light","k":1,"theme":8}"#);
}

// P-06: a project that holds all that was agreed on has lost nothing, though that is no more than its seed.
#[test]
fn a_project_of_nothing_but_its_seed_is_settled() {
    let mut rules = request(Direction::In, HostSync::Both);
    rules.rules[0].seed = Some(r#"{"theme":9}"#.into());
    let mut world = World::default();
    for (direction, is_first) in
        [(Direction::In, true), (Direction::Out, true), (Direction::In, true), (Direction::Out, false), (Direction::In, false)]
    {
        rules.direction = direction;
        let plan = world.sync_with(&rules);
        assert!(is_first || plan == SyncPlan::default(), "{direction:?}: {plan:?}");
    }
    // One that was made anew has: what it lacks of the rest is not taken for deleted.
    let mut world = world.with(Place::Project, "settings.json", r#"{"theme":9,"tone":"light"}"#);
    world.sync_with(&rules);
    rules.direction = Direction::Out;
    world.sync_with(&rules);
    let mut world = world.with(Place::Project, "settings.json", r#"{"theme":9}"#);
    world.sync_with(&rules);
    rules.direction = Direction::In;
    world.sync_with(&rules);
    let project: serde_json::Value = serde_json::from_str(world.text(Place::Project, "settings.json")).unwrap();
    assert_eq!(project, serde_json::json!({ "theme": 9, "tone": "light" }));
}

// SE-08: what its tool does not read is nobody's to replace.
#[test]
fn a_file_that_was_written_by_hand_is_left_alone_and_said() {
    for text in ["{ // mine\n\"a\":1}", "{\"a\":1,}", "\u{feff}{\"a\":1}"] {
        for place in PLACES {
            let mut world = World::default().with(Place::Host, "settings.json", r#"{"k":0}"#);
            world.sync(Direction::In, HostSync::Import);
            let mut world = world.with(Place::Host, "settings.json", r#"{"k":9}"#).with(place, "settings.json", text);
            let plan = world.sync(Direction::In, HostSync::Import);
            assert_eq!(world.text(place, "settings.json"), text);
            assert_eq!(plan.notices.iter().filter(|notice| notice.news == News::Unread).count(), 1);
        }
    }
}

// SE-08
#[test]
fn what_the_tool_reads_is_valid_and_keeps_its_bytes() {
    let mut rules = request(Direction::In, HostSync::Import);
    rules.rules[0].reads = crate::core::sync::json::lenient::EVERYTHING.into();
    let host = "\u{feff}{\n  // why\n  \"k\": 1,\n}\n";
    let mut world =
        World::default().with(Place::Host, "settings.json", host).with(Place::Project, "settings.json", "{ /* mine */ \"p\": 1 }");
    let plan = world.sync_with(&rules);
    assert_eq!(plan.notices, []);
    assert_eq!(world.text(Place::Hub, "settings.json"), host);
    assert_eq!(world.text(Place::Project, "settings.json"), "{ /* mine */ \"p\": 1, \"k\": 1 }");
}
