//! `monitoring/`, as far as it can be judged without Prometheus' own programs, which `make monitoring` has read it and try it.

use std::fs;
use std::path::Path;

fn text(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("monitoring").join(name)).unwrap()
}

/// The rules by name.
fn rules(rules: &str) -> Vec<&str> {
    rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect()
}

// R-T03
#[test]
fn each_rule_is_tried_where_it_fires_and_where_it_does_not() {
    let (rules_text, cases) = (text("rules.yml"), text("rules.test.yml"));
    assert!(rules(&rules_text).len() >= 5);
    for rule in rules(&rules_text) {
        // What is expected stands behind the rule's name, up to the next case.
        let of_rule = cases.split("eval_time:").filter(|case| case.contains(&format!("alertname: {rule}")));
        let (silent, fires): (Vec<&str>, Vec<&str>) = of_rule.partition(|case| case.contains("exp_alerts: []"));
        assert!(!silent.is_empty() && fires.iter().any(|case| case.contains("exp_labels:")), "{rule}: {silent:?} {fires:?}");
    }
}

// R-T03: the same alert at most once in a quarter of an hour, and all of them at most ten times in an hour.
#[test]
fn the_route_is_no_flood() {
    let route = text("alertmanager.yml");
    let minutes = |key: &str| -> usize {
        let line = route.lines().find_map(|line| line.trim().strip_prefix(key)).unwrap();
        let (number, unit) = line.trim().split_at(line.trim().len() - 1);
        number.parse::<usize>().unwrap() * if unit == "h" { 60 } else { 1 }
    };
    let group = minutes("group_interval:");
    // One group for each alert, and no way around it.
    assert!(route.contains("group_by: [alertname]") && !route.contains("routes:"), "{route}");
    assert!(group >= 15 && minutes("repeat_interval:") >= group, "{route}");
    assert!(rules(&text("rules.yml")).len() * 60 / group <= 10, "{route}");
}
