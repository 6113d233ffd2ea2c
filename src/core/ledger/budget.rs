//! Budgets: what a person wants to spend in a day or a month, and how much of it is spent. Amounts are list prices, days are in UTC.

use serde::Deserialize;

use super::day::Day;
use super::price::{Money, Prices};
use super::{Filter, Grouping, Ledger, total};
use crate::core::config::{Origin, Setting, Settings};
use crate::core::failure::{Failure, Kind, Result};

/// Percent of a budget from which on it is spoken of.
const NEAR: u128 = 80;

/// What a budget is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BudgetSpan {
    Day,
    Month,
    /// A month, in one project.
    Project,
}

impl BudgetSpan {
    /// Returns the key that sets it.
    pub fn key(self) -> &'static str {
        match self {
            Self::Day => "budget_day",
            Self::Month => "budget_month",
            Self::Project => "budget_project",
        }
    }

    fn what(self) -> &'static str {
        match self {
            Self::Day => "today",
            Self::Month => "this month",
            Self::Project => "this month in this project",
        }
    }
}

/// How a budget stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BudgetStanding {
    pub span: BudgetSpan,
    pub is_spent: bool,
    pub note: String,
}

/// One budget, and what was spent of it.
#[derive(Debug)]
struct Budget {
    span: BudgetSpan,
    limit: Money,
    origin: Origin,
    spent: Money,
    /// Questions that have no price.
    unpriced: u64,
}

/// Whether a person set any: only then is anything read.
pub fn is_set(settings: &Settings) -> bool {
    [&settings.budget_day, &settings.budget_month, &settings.budget_project].iter().any(|budget| budget.value.is_some())
}

/// The budgets of a person in a project, on a day.
#[derive(Debug)]
pub struct Budgets(Vec<Budget>);

impl Budgets {
    pub fn new(settings: &Settings, ledger: &Ledger, prices: &Prices, project: &str, today: Day) -> Self {
        let day = Filter { since: Some(today), ..Filter::default() };
        let month = Filter { month: Some(today), ..Filter::default() };
        let here = Filter { project: Some(project.to_owned()), ..month.clone() };
        let budget = |span, limit: &Setting<Option<f64>>, filter: &Filter| {
            let sum = total(&ledger.rows(Grouping::Day, filter, prices));
            let (origin, spent, unpriced) = (limit.origin.clone(), sum.priced, sum.unpriced);
            limit.value.map(|dollars| Budget { span, limit: Money::of_dollars(dollars), origin, spent, unpriced })
        };
        let budgets = [
            budget(BudgetSpan::Day, &settings.budget_day, &day),
            budget(BudgetSpan::Month, &settings.budget_month, &month),
            budget(BudgetSpan::Project, &settings.budget_project, &here),
        ];
        Self(budgets.into_iter().flatten().collect())
    }

    /// Returns a line for each budget that is nearly spent or more.
    pub fn notes(&self) -> Vec<String> {
        self.0.iter().filter(|budget| budget.spent.percent_of(budget.limit) >= NEAR).map(Budget::note).collect()
    }

    /// Returns how each stands.
    pub fn standings(&self) -> Vec<BudgetStanding> {
        self.0.iter().map(|budget| BudgetStanding { span: budget.span, is_spent: budget.is_spent(), note: budget.note() }).collect()
    }

    /// Refuses a run where a budget is spent and the person wants that.
    pub fn refuse_spent(&self) -> Result<()> {
        let Some(spent) = self.0.iter().find(|budget| budget.is_spent()) else { return Ok(()) };
        Err(Failure::new(Kind::NotAllowed, format!("cannot run: the budget is spent: {}", spent.note())).hint(format!(
            "AI_BUDGET_DENY=0 for one run, or a larger {} at {}",
            spent.span.key(),
            spent.origin
        )))
    }
}

impl Budget {
    fn is_spent(&self) -> bool {
        self.spent >= self.limit
    }

    fn note(&self) -> String {
        let Self { span, limit, spent, unpriced, .. } = self;
        let what = span.what();
        let percent = spent.percent_of(*limit);
        let rest = if *unpriced > 0 { format!(", and {unpriced} questions without a price") } else { String::new() };
        format!("{spent} of {limit} {what} ({percent} %){rest}")
    }
}

#[cfg(test)]
mod tests {
    use super::super::Tokens;
    use super::super::day::Time;
    use super::super::question::{Names, Question};
    use super::super::transcript::ModelCall;
    use super::*;
    use crate::core::config::Config;

    /// What is said with these budgets after 4 dollars today here, 3 yesterday elsewhere, and a question without a price.
    #[track_caller]
    fn check(day: Option<f64>, month: Option<f64>, project: Option<f64>, expected: &[&str], is_spent: bool) {
        let mut settings = Config::default().settings;
        for (setting, value) in
            [(&mut settings.budget_day, day), (&mut settings.budget_month, month), (&mut settings.budget_project, project)]
        {
            setting.value = value;
        }
        assert_eq!(is_set(&settings), day.or(month).or(project).is_some());
        let mut ledger = Ledger::default();
        for (key, project, day, model, output) in [(1, "p", 26, "m", 4), (2, "q", 25, "m", 3), (3, "q", 1, "x", 1)] {
            let (mut names, time) = (Names::default(), Time::parse(&format!("2026-11-{day:02}T10:00:00Z")));
            let tokens = Tokens { output, ..Tokens::default() };
            let call = ModelCall { key, time, model: model.into(), conversation: "c".into(), tokens };
            let question = Question::new(&call, &mut names);
            ledger.add("claude", project, names, vec![vec![question]]);
        }
        let prices = Prices::new(Some(("[models]\nm = [{ input = 1, output = 1000000 }]\n", "prices.toml"))).unwrap();
        let today = Day::parse("2026-11-26").unwrap();
        let budgets = Budgets::new(&settings, &ledger, &prices, "p", today);
        assert_eq!(budgets.notes(), expected);
        assert_eq!(budgets.refuse_spent().is_err(), is_spent);
        assert_eq!(budgets.standings().iter().any(|standing| standing.is_spent), is_spent);
    }

    #[test]
    fn a_budget_is_spoken_of_when_it_is_nearly_spent() {
        check(None, None, None, &[], false);
        check(Some(5.01), None, None, &[], false);
        check(Some(5.0), None, None, &["$4.00 of $5.00 today (80 %)"], false);
        check(Some(4.0), None, None, &["$4.00 of $4.00 today (100 %)"], true);
        check(None, Some(8.0), None, &["$7.00 of $8.00 this month (87 %), and 1 questions without a price"], false);
        check(None, None, Some(2.0), &["$4.00 of $2.00 this month in this project (200 %)"], true);
    }
}
