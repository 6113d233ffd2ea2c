//! `ai audit`: whether the log is as it was written, and the runs in it.

use clap::{Args, Subcommand};
use serde_json::Value;

use crate::core::failure::{Failure, Kind, Result};
use crate::core::ledger::day::{Day, Time};
use crate::core::log::chain;
use crate::core::text::table::Side;
use crate::host::store::log::LogText;
use crate::host::{Host, output, store};

#[derive(Debug, Args)]
pub struct AuditArgs {
    #[command(subcommand)]
    pub command: AuditCommand,
}

#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Look whether a line of the log was changed, removed or moved
    Verify {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// List the runs of the log
    Show {
        /// Only from this day on, such as 2026-11-26
        #[arg(long, value_name = "DAY", value_parser = Day::from_word)]
        since: Option<Day>,
        /// Lines of JSON, as they are written
        #[arg(long)]
        json: bool,
    },
}

pub fn run(args: &AuditArgs) -> Result<u8> {
    match args.command {
        AuditCommand::Verify { json } => verify(json),
        AuditCommand::Show { since, json } => show(since, json),
    }
}

fn verify(json: bool) -> Result<u8> {
    let host = Host::new()?;
    let LogText { files, end, unread } = store::log::read(&host.store);
    let mut audit = chain::audit(&files, end.as_ref());
    audit.faults.extend(unread.into_iter().map(|name| format!("{name}: it is no file that can be read")));
    if json {
        output::json(&audit)?;
    } else {
        let mut said = vec![format!("{} in {}", plural(audit.lines, "line"), plural(files.len(), "file"))];
        said.extend((audit.unlinked > 0).then(|| format!("{} of an older program, which are in no chain", plural(audit.unlinked, "line"))));
        said.extend((audit.torn > 0).then(|| format!("{} torn by a crash or a full disk", plural(audit.torn, "line"))));
        said.extend(audit.end.iter().map(|end| format!("the last one is {end}")));
        said.extend(audit.faults.iter().cloned());
        output::lines(said)?;
    }
    if audit.faults.is_empty() {
        return Ok(0);
    }
    let what = format!("the log is not as it was written: {}", plural(audit.faults.len(), "fault"));
    Err(Failure::new(Kind::General, what).hint(format!("look at {}", host.store.log().display())))
}

fn plural(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

fn show(since: Option<Day>, json: bool) -> Result<u8> {
    let host = Host::new()?;
    let files = store::log::read(&host.store).files;
    let texts = files.iter().flat_map(|file| file.text.split(|byte| *byte == b'\n'));
    let runs = texts.filter_map(|line| serde_json::from_slice::<Value>(line).ok()).filter(|line| line["event"] == "run");
    let begin = |run: &Value| run["start"].as_u64().map_or(Time::UNKNOWN, Time::of_seconds);
    let runs = runs.filter(|run| since.is_none_or(|since| Day::of(begin(run)) >= since));
    if json {
        output::lines(runs.map(|run| run.to_string()))?;
        return Ok(0);
    }
    let head = ["begin", "tool", "project", "seconds", "exit", "session"].map(str::to_owned);
    let text = |run: &Value, name: &str| run[name].as_str().unwrap_or("?").to_owned();
    let number = |value: Option<u64>| value.map_or_else(|| "?".to_owned(), |number| number.to_string());
    let row = |run: Value| {
        let seconds = run["end"].as_u64().zip(run["start"].as_u64()).map(|(end, start)| end.saturating_sub(start));
        let exit = number(run["exit"].as_u64());
        let began = run["start"].as_u64().map_or_else(|| "?".to_owned(), |start| Time::of_seconds(start).to_string());
        [began, text(&run, "tool"), text(&run, "project"), number(seconds), exit, text(&run, "session")]
    };
    let rows: Vec<_> = [head].into_iter().chain(runs.map(row)).collect();
    if rows.len() == 1 {
        output::note(&since.map_or_else(|| "no run is in the log".to_owned(), |since| format!("no run is in the log since {since}")));
        return Ok(0);
    }
    output::table([Side::Left, Side::Left, Side::Left, Side::Right, Side::Right, Side::Left], &rows)?;
    Ok(0)
}
