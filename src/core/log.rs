//! The log of runs and troubles: one JSON object a line, at four levels.

use serde_json::{Map, Value};

use crate::core::facts::Env;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::ledger::day::Time;

pub mod chain;

/// How much a line matters; ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// What commands were called, and how long they took.
    Debug,
    /// Runs.
    Info,
    /// What went wrong but stopped nothing, and runs that the tool did not end.
    Warn,
    /// What stopped a command.
    Error,
}

impl LogLevel {
    const ALL: [Self; 4] = [Self::Debug, Self::Info, Self::Warn, Self::Error];

    pub fn name(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }

    /// Returns the level of a run that ended with this code: 125 to 127 come from the engine, and 137 is what a killed tool leaves.
    pub fn of_run(code: Option<u8>) -> Self {
        if matches!(code, Some(125..=127 | 137)) { Self::Warn } else { Self::Info }
    }
}

/// Returns the least level that is written, by `AI_LOG`: a level or `off`; `info` if it is not set.
pub fn threshold(env: &Env) -> Result<Option<LogLevel>> {
    let Some(wanted) = env.text("AI_LOG").filter(|text| !text.is_empty()) else { return Ok(Some(LogLevel::Info)) };
    let wanted = wanted.to_ascii_lowercase();
    match LogLevel::ALL.into_iter().find(|level| level.name() == wanted) {
        Some(level) => Ok(Some(level)),
        None if wanted == "off" => Ok(None),
        None => Err(Failure::new(Kind::Config, format!("cannot use AI_LOG: `{wanted}` is none of debug, info, warn, error, off"))
            .hint("unset AI_LOG")),
    }
}

/// Returns a line, without its line break; `previous` is the link to the line before it.
pub fn line(time: u64, level: LogLevel, event: &str, more: Map<String, Value>, previous: &str) -> String {
    let mut fields = Map::new();
    fields.insert("@timestamp".into(), Time::of_seconds(time).to_string().into());
    fields.insert("time".into(), time.into());
    fields.insert("level".into(), level.name().into());
    fields.insert("event".into(), event.into());
    fields.extend(more);
    fields.insert(chain::LINK.into(), previous.into());
    Value::Object(fields).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_or_off_is_wanted() {
        let threshold = |text: &str| threshold(&[("AI_LOG".into(), text.into())].into_iter().collect());
        assert_eq!(threshold("").unwrap(), Some(LogLevel::Info));
        assert_eq!(threshold("WARN").unwrap(), Some(LogLevel::Warn));
        assert_eq!(threshold("off").unwrap(), None);
        assert!(threshold("loud").unwrap_err().to_string().contains("`loud` is none of"));
    }
}
