//! The laws of whole syncs, for histories nobody thought of.

use proptest::prelude::*;

use crate::core::sync::plan::tests::{PLACES, World};
use crate::core::sync::{Direction, Hash, HostSync, Place, Site};

fn json() -> impl Strategy<Value = String> {
    let value = prop_oneof![Just("1"), Just("2"), Just(r#"{"id":1}"#), Just(r#"{"id":2,"cmd":"x"}"#)];
    let object = prop::collection::btree_map(prop_oneof![Just("theme"), Just("o"), Just("hooks"), Just("k")], value, 0..4);
    let text = object.prop_map(|map| format!("{{{}}}", map.iter().map(|(k, v)| format!("\"{k}\":{v}")).collect::<Vec<_>>().join(",")));
    prop_oneof![8 => text, 1 => Just(String::new()), 1 => Just("{ torn".to_owned()), 1 => Just(r#"{"a":1,"a":2}"#.to_owned())]
}

fn edit() -> impl Strategy<Value = (Place, String, Option<String>)> {
    let toml = prop_oneof![Just("theme = 1\n"), Just("theme = 2 # c\n[o]\nid = 1\n"), Just("hooks.x = 1\n"), Just("= broken")];
    let content = prop_oneof![
        json().prop_map(|text| ("settings.json", text)),
        json().prop_map(|text| ("state.json", text)),
        toml.prop_map(|text| ("config.toml", text.to_owned())),
        "[ab\n]{0,8}".prop_map(|text| ("history.jsonl", text)),
        "[ab]".prop_map(|text| ("skills/a.md", text)),
        "[ab]".prop_map(|text| ("skills/b/c.md", text)),
    ];
    (prop::sample::select(PLACES.to_vec()), content, prop::bool::weighted(0.9))
        .prop_map(|(place, (path, text), keep)| (place, path.to_owned(), keep.then_some(text)))
}

/// What of the hub's settings may not come from a project.
fn closed(world: &World) -> serde_json::Value {
    let mut settings: serde_json::Value = serde_json::from_str(world.text(Place::Hub, "settings.json")).unwrap_or_default();
    if let Some(map) = settings.as_object_mut() {
        map.remove("theme");
        if let Some(inner) = map.get_mut("o").and_then(serde_json::Value::as_object_mut) {
            inner.remove("id");
        }
        map.retain(|key, value| key != "o" || *value != serde_json::json!({}));
    }
    if settings == serde_json::json!({}) { serde_json::Value::Null } else { settings }
}

type RandomEdit = (Place, String, Option<String>);

fn history() -> impl Strategy<Value = Vec<(Vec<RandomEdit>, Direction, HostSync)>> {
    let direction = prop_oneof![Just(Direction::In), Just(Direction::Out)];
    let host = prop_oneof![2 => Just(HostSync::Import), 2 => Just(HostSync::Both), 1 => Just(HostSync::Off)];
    prop::collection::vec((prop::collection::vec(edit(), 0..6), direction, host), 1..5)
}

proptest! {
    #[test]
    fn laws_of_whole_syncs(history in history()) {
        let mut world = World::default();
        for (edits, direction, host) in history {
            for (place, path, text) in edits {
                match text {
                    Some(text) => world = world.with(place, &path, &text),
                    None => { world.files.retain(|site, _| site.place != place || !site.path.ends_with(&path)); }
                }
            }
            let before = world.clone();
            let plan = world.sync(direction, host);
            // sync . sync = sync
            let once = world.clone();
            let again = world.sync(direction, host);
            prop_assert!(again.is_settled(), "{:?} then {:?}", plan.units, again.units);
            prop_assert_eq!(&once, &world);
            // Only what was read is replaced, and the host only if it takes part.
            for change in plan.changes() {
                let found = before.files.get(&change.site).map(|bytes| Hash::of(bytes));
                prop_assert_eq!(&change.before, &found);
                prop_assert!(change.site.place != Place::Host || host == HostSync::Both);
            }
            // No file and no complete line vanishes.
            for (site, bytes) in &before.files {
                let Some(now) = world.files.get(site) else {
                    // Only what was deleted on the host may go; what it held is kept as a generation.
                    let on_host = Site { place: Place::Host, path: format!(".tool/{}", site.path) };
                    prop_assert!(site.path.contains("skills") && !before.files.contains_key(&on_host) && site.place != Place::Host);
                    continue;
                };
                if site.path.contains("history") {
                    prop_assert!(now.starts_with(bytes));
                }
            }
            // All but a few values reaches the hub from the host only.
            if direction == Direction::Out {
                prop_assert_eq!(closed(&before), closed(&world));
            }
        }
    }
}
