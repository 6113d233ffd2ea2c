//! The laws of merging, for documents nobody thought of.

use proptest::prelude::*;

use crate::core::sync::document::tests::{Case, JSON, TOML};

/// A document of few names, so that versions of it collide.
fn table() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![any::<u8>().prop_map(|n| (n % 3).into()), Just("s, \"}".into()), Just(serde_json::json!([1, { "a": 2 }]))];
    leaf.prop_recursive(3, 16, 4, |inner| prop::collection::btree_map("[abcé]", inner, 0..4).prop_map(|map| serde_json::json!(map)))
        .prop_filter("a table", serde_json::Value::is_object)
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
                let same = case.format.parse_text(&one.text).unwrap().table == case.format.parse_text(&two.text).unwrap().table;
                prop_assert!(same, "{} is not {}", one.text, two.text);
            }
        }
    }

    #[test]
    fn law_a_merged_document_has_nothing_left_to_merge(base in table(), ours in table(), theirs in table()) {
        for (case, base, ours, theirs) in spellings(&base).into_iter().zip(spellings(&ours)).zip(spellings(&theirs)).map(|(((c, b), (_, o)), (_, t))| (c, b, o, t)) {
            let gated = Case { never: &["a", "b.c"], ..*case };
            for case in [case, &gated] {
                let once = case.merge(&base, &ours, &theirs);
                let twice = case.merge(&theirs, &once.text, &theirs);
                prop_assert_eq!(&once.text, &twice.text);
            }
        }
    }
}
