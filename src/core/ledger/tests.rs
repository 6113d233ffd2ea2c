//! One ledger of two tools in two projects.

use super::day::Time;
use super::transcript::ModelCall;
use super::*;

/// A question of the model `m`, which costs a dollar for a token that it puts out.
fn call(key: u64, time: &str, output: u64) -> ModelCall {
    let tokens = Tokens { output, ..Tokens::default() };
    ModelCall { key, time: Time::parse(time), model: if output > 100 { "x" } else { "m" }.into(), conversation: format!("c{key}"), tokens }
}

fn prices() -> Prices {
    Prices::new(Some(("[models]\nm = [{ input = 1, output = 1000000 }]\n", "prices.toml"))).unwrap()
}

fn ledger(books: &[(&str, &str, &[ModelCall])]) -> Ledger {
    let mut ledger = Ledger::default();
    for (tool, project, calls) in books {
        let mut names = Names::default();
        let questions = calls.iter().map(|call| Question::new(call, &mut names)).collect();
        ledger.add(tool, project, names, vec![questions]);
    }
    ledger
}

fn rows(ledger: &Ledger, by: Grouping, filter: &Filter) -> Vec<(String, u64, Option<String>)> {
    let row = |row: LedgerRow| (row.name.clone(), row.requests, row.cost().map(|cost| cost.to_string()));
    ledger.rows(by, filter, &prices()).into_iter().map(row).collect()
}

fn expected(rows: &[(&str, u64, Option<&str>)]) -> Vec<(String, u64, Option<String>)> {
    rows.iter().map(|(name, requests, cost)| ((*name).to_owned(), *requests, cost.map(str::to_owned))).collect()
}

const MONDAY: &str = "2026-11-23T10:00:00Z";
const FRIDAY: &str = "2026-11-27T10:00:00Z";

// DA-02
#[test]
fn what_a_fork_or_a_resume_copies_counts_once() {
    let calls = [call(1, MONDAY, 1), call(2, FRIDAY, 2), call(1, MONDAY, 5), call(2, FRIDAY, 2)];
    let ledger = ledger(&[("claude", "p", &calls), ("claude", "q", &[call(2, FRIDAY, 3)]), ("glm", "p", &[call(1, FRIDAY, 7)])]);
    let all = Filter::default();
    assert_eq!(rows(&ledger, Grouping::Tool, &all), expected(&[("claude", 2, Some("$8.00")), ("glm", 1, Some("$7.00"))]));
    assert_eq!(rows(&ledger, Grouping::Project, &all), expected(&[("p", 3, Some("$15.00"))]));
    assert_eq!(rows(&ledger, Grouping::Day, &all), expected(&[("2026-11-23", 1, Some("$5.00")), ("2026-11-27", 2, Some("$10.00"))]));
    assert_eq!(rows(&ledger, Grouping::Week, &all), expected(&[("2026-11-23", 3, Some("$15.00"))]));
}

#[test]
fn a_part_without_a_price_leaves_the_sum_without_one() {
    let ledger = ledger(&[("claude", "p", &[call(1, MONDAY, 1), call(2, MONDAY, 101)])]);
    let all = Filter::default();
    assert_eq!(rows(&ledger, Grouping::Model, &all), expected(&[("m", 1, Some("$1.00")), ("x", 1, None)]));
    let total = total(&ledger.rows(Grouping::Model, &all, &prices()));
    assert_eq!((total.requests, total.cost(), total.priced.to_string(), total.unpriced), (2, None, "$1.00".into(), 1));
    assert_eq!(ledger.unpriced(&all, &prices()), ["x"]);
}

#[test]
fn a_filter_takes_what_it_names() {
    let calls = [call(1, MONDAY, 1), call(2, FRIDAY, 2), call(30, "", 4)];
    let ledger = ledger(&[("claude", "p", &calls), ("glm", "q", &[call(3, FRIDAY, 8)])]);
    let friday = Day::parse("2026-11-27");
    let sum = |filter: Filter| total(&ledger.rows(Grouping::Day, &filter, &prices())).priced.to_string();
    assert_eq!(sum(Filter { tool: Some("claude".into()), ..Filter::default() }), "$7.00");
    assert_eq!(sum(Filter { project: Some("q".into()), ..Filter::default() }), "$8.00");
    assert_eq!(sum(Filter { since: friday, ..Filter::default() }), "$10.00");
    assert_eq!(sum(Filter { month: friday, ..Filter::default() }), "$11.00");
    assert_eq!(sum(Filter { conversation: Some("c3".into()), ..Filter::default() }), "$12.00");
    assert_eq!(sum(Filter { conversation: Some("c30-and-more".into()), ..Filter::default() }), "$12.00");
    let here = Filter { project: Some("p".into()), ..Filter::default() };
    assert_eq!(ledger.last_conversation(&here).as_deref(), Some("c2"));
}

#[test]
fn a_number_that_is_too_large_does_not_wrap() {
    let most = u64::from(u32::MAX);
    let ledger = ledger(&[("x", "p", &[call(1, MONDAY, u64::MAX), call(2, MONDAY, most)])]);
    let rows = ledger.rows(Grouping::Day, &Filter::default(), &prices());
    assert_eq!((rows[0].tokens.output, rows[0].tokens.all()), (2 * most, 2 * most));
}
