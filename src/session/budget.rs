//! What was spent against what a person wants to spend, before a run and after it. Without a budget nothing is read.

use crate::core::config::Settings;
use crate::core::failure::Result;
use crate::core::ledger::budget::{self, BudgetStanding, Budgets};
use crate::core::ledger::day::{Day, Time};
use crate::host::ledger;
use crate::host::{self, Host, output};

/// Says what is nearly spent.
///
/// # Errors
/// Where a budget is spent and the person wants no more runs then.
pub fn before(host: &Host, settings: &Settings, project: &str) -> Result<()> {
    if !budget::is_set(settings) {
        return Ok(());
    }
    let budgets = budgets(host, settings, project)?;
    if settings.budget_deny.value {
        budgets.refuse_spent()?;
    }
    tell(&budgets);
    Ok(())
}

/// Says what is nearly spent now.
pub fn after(host: &Host, settings: &Settings, project: &str) {
    if budget::is_set(settings)
        && let Ok(budgets) = budgets(host, settings, project)
    {
        tell(&budgets);
    }
}

/// Returns how the budgets stand that are set.
pub fn standings(host: &Host, settings: &Settings, project: &str) -> Result<Vec<BudgetStanding>> {
    if budget::is_set(settings) { Ok(budgets(host, settings, project)?.standings()) } else { Ok(Vec::new()) }
}

fn tell(budgets: &Budgets) {
    for note in budgets.notes() {
        output::note(&note);
    }
}

fn budgets(host: &Host, settings: &Settings, project: &str) -> Result<Budgets> {
    let today = Day::of(Time::of_seconds(host::now()));
    Ok(Budgets::new(settings, &ledger::read(host), &ledger::prices(&host.store)?, project, today))
}
