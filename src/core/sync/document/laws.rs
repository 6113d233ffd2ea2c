//! The laws of merging, for documents nobody thought of.

use proptest::prelude::*;

use crate::core::sync::bound::Bound;
use crate::core::sync::document::Format;
use crate::core::sync::document::tests::{Case, JSON, TOML};
use crate::core::sync::gate::Gate;
use crate::core::sync::merge::{self, Lack, Prefer, Versions, outcome};

/// Returns a document of few names, so that versions of it collide.
fn table() -> impl Strategy<Value = serde_json::Value> {
    let leaf =
        prop_oneof![any::<u8>().prop_map(|n| (n % 3).into()), Just("s, \"}".into()), Just(serde_json::json!([1, { "a": 2 }])), list()];
    leaf.prop_recursive(3, 16, 4, |inner| prop::collection::btree_map("[abcé]", inner, 0..4).prop_map(|map| serde_json::json!(map)))
        .prop_filter("a table", serde_json::Value::is_object)
}

/// Returns a list of few scalars, some of them twice.
fn list() -> impl Strategy<Value = serde_json::Value> {
    prop::collection::vec(prop_oneof![Just("a,"), Just("b]"), Just("c\"")], 0..4).prop_map(|items| serde_json::json!(items))
}

/// Returns a table with the elements of its lists in one order and once each: lists merge as sets.
fn sorted(value: &serde_json::Value) -> serde_json::Value {
    match value {
        serde_json::Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), sorted(value))).collect(),
        serde_json::Value::Array(items) => {
            let mut items = items.clone();
            items.sort_by_key(ToString::to_string);
            items.dedup();
            items.into()
        }
        other => other.clone(),
    }
}

fn value(case: &Case, text: &str) -> serde_json::Value {
    sorted(&match case.format {
        Format::Json(_) => serde_json::from_str(text).unwrap(),
        Format::Toml => ::toml::from_str(text).unwrap(),
    })
}

fn spellings(value: &serde_json::Value) -> [(&'static Case<'static>, String); 3] {
    [(&JSON, value.to_string()), (&JSON, serde_json::to_string_pretty(value).unwrap()), (&TOML, ::toml::to_string(value).unwrap())]
}

proptest! {
    #[test]
    fn law_only_one_side_changed(base in table(), other in table()) {
        for ((case, base), (_, other)) in spellings(&base).into_iter().zip(spellings(&other)) {
            let kept = case.merge(&base, &other, &base);
            prop_assert_eq!(&kept.text, &other);
            let taken = case.merge(&base, &base, &other);
            prop_assert!(kept.conflicts.is_empty() && taken.conflicts.is_empty());
            let same = case.format.parse_text(&taken.text).unwrap().table == case.format.parse_text(&other).unwrap().table;
            prop_assert!(same, "{} is not {}", taken.text, other);
        }
    }

    #[test]
    fn law_different_keys_commute(base in table(), left in table(), right in table()) {
        for (case, base, left, right) in spellings(&base).into_iter().zip(spellings(&left)).zip(spellings(&right)).map(|(((c, b), (_, l)), (_, r))| (c, b, l, r)) {
            let one = case.merge(&base, &left, &right);
            let two = case.merge(&base, &right, &left);
            if one.conflicts.is_empty() {
                prop_assert_eq!(value(case, &one.text), value(case, &two.text));
            }
        }
    }

    #[test]
    fn law_a_merged_document_has_nothing_left_to_merge(base in table(), ours in table(), theirs in table()) {
        for (case, base, ours, theirs) in spellings(&base).into_iter().zip(spellings(&ours)).zip(spellings(&theirs)).map(|(((c, b), (_, o)), (_, t))| (c, b, o, t)) {
            let bounds = [("a", Bound::Number(0..=1)), ("b.c", Bound::Text(8))];
            let gated = Case { out: &bounds, ..*case };
            for case in [case, &gated] {
                let once = case.merge(&base, &ours, &theirs);
                let twice = case.merge(&theirs, &once.text, &theirs);
                prop_assert_eq!(&once.text, &twice.text);
            }
        }
    }

    #[test]
    fn law_what_edits_lead_to_is_known_without_reading_it(base in table(), ours in table(), theirs in table()) {
        let gates = [Gate::Open, Gate::only(&["a".to_owned(), "b.c".to_owned()])];
        for ((case, base), ((_, ours), (_, theirs))) in spellings(&base).into_iter().zip(spellings(&ours).into_iter().zip(spellings(&theirs))) {
            let [base, ours, theirs] = [&base, &ours, &theirs].map(|text| case.format.parse_text(text).unwrap());
            for gate in &gates {
                let edits = merge::merge(Versions { base: &base.table, ours: &ours.table, theirs: &theirs.table }, gate, Prefer::Theirs).edits;
                let outcome = outcome::outcome(&ours.table, &theirs.table, &edits);
                let text = case.format.apply(&ours, &theirs, &edits).unwrap();
                let read = case.format.parse_text(&text).unwrap();
                prop_assert_eq!(ours.keys + outcome.added - outcome.removed, read.keys, "{} in {}", text, ours.text);
                let differs = read.table != theirs.table;
                prop_assert!(if outcome.is_united { differs || !outcome.differs } else { differs == outcome.differs }, "{} for {}", text, theirs.text);
            }
        }
    }

    // BO-09
    #[test]
    fn law_outwards_nothing_is_removed_and_only_what_is_listed_is_changed(base in table(), ours in table(), theirs in table()) {
        let bounds = [("a", Bound::Number(0..=1)), ("b.c", Bound::Text(8))];
        for ((case, base), ((_, ours), (_, theirs))) in spellings(&base).into_iter().zip(spellings(&ours).into_iter().zip(spellings(&theirs))) {
            let merged = value(case, &Case { out: &bounds, ..*case }.merge(&base, &ours, &theirs).text);
            let before = value(case, &ours);
            let strip = |value: &serde_json::Value| {
                let mut value = value.clone();
                let map = value.as_object_mut().unwrap();
                map.remove("a");
                if let Some(inner) = map.get_mut("b").and_then(|inner| inner.as_object_mut()) { inner.remove("c"); }
                map.retain(|key, value| key != "b" || *value != serde_json::json!({}));
                value
            };
            prop_assert_eq!(strip(&merged), strip(&before));
            for path in ["/a", "/b", "/b/c"] {
                prop_assert!(before.pointer(path).is_none() || merged.pointer(path).is_some(), "{} is gone", path);
            }
        }
    }

    // SE-07
    #[test]
    fn law_nothing_is_removed_because_something_was_lost(base in table(), ours in table(), theirs in table()) {
        for ((case, base), ((_, ours), (_, theirs))) in spellings(&base).into_iter().zip(spellings(&ours).into_iter().zip(spellings(&theirs))) {
            let merged = Case { lack: Lack::Lost, ..*case }.merge(&base, &ours, &theirs).text;
            let merged = case.format.parse_text(&merged).unwrap();
            for side in [&ours, &theirs] {
                prop_assert!(case.format.parse_text(side).unwrap().names().iter().all(|key| merged.names().contains(key)));
            }
        }
    }
}
