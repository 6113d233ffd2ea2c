//! What was tried against the border: each attack reports itself, and `tests/hostile/run` makes a table of the reports.

/// How often an attack is tried: `full` times by `make hostile`, else `reduced` times.
pub fn tries(reduced: usize, full: usize) -> usize {
    if std::env::var_os("AI_HOSTILE").is_some_and(|how| how == "full") { full } else { reduced }
}

/// Reports that an attack was tried so often, and what stopped it. Called behind the assertions: what got through never reports.
#[expect(clippy::print_stdout, reason = "the script that makes the table reads it")]
pub fn stopped(attack: &str, tries: usize, by: &str) {
    println!("HOSTILE\t{attack}\t{tries}\t{by}");
}

#[test]
fn an_attack_is_tried_as_often_as_was_asked() {
    let full = std::env::var_os("AI_HOSTILE").is_some_and(|how| how == "full");
    assert_eq!(tries(2, 200), if full { 200 } else { 2 });
}
