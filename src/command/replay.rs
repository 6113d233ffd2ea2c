//! `ai replay`: the vector of a run that was kept, and what is not as it was.

use std::io::IsTerminal;

use clap::Args;

use crate::command::resolve::{OutputFormat, print_words};
use crate::core::census::age;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::kept_run::{NowOf, inherited, sources};
use crate::core::lease::SessionId;
use crate::core::shell::Shell;
use crate::core::text::table::Side;
use crate::host::engine::image;
use crate::host::fs::look::Look;
use crate::host::store::kept_run;
use crate::host::{self, Host, output};

#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// The run's session, as `ai audit show` lists it; the last one if absent
    pub session: Option<SessionId>,
    /// List the runs that are kept
    #[arg(long, conflicts_with = "session")]
    pub list: bool,
    /// How to print the argument vector
    #[arg(long, value_enum, default_value_t = OutputFormat::Shell)]
    pub format: OutputFormat,
    /// The shell that will read `--format shell`
    #[arg(long, default_value_t = Shell::Bash)]
    pub shell: Shell,
}

pub fn run(replay: &ReplayArgs) -> Result<u8> {
    let host = Host::new()?;
    let kept = kept_run::list(&host.store);
    if replay.list {
        return list(&host, &kept);
    }
    let nothing = |what: String| {
        Failure::new(Kind::General, what).hint("record_runs = true in config.toml, or AI_RECORD_RUNS=1, keeps the runs from now on")
    };
    let Some(session) = replay.session.as_ref().or(kept.first()) else {
        return Err(nothing("cannot print a run again: none was kept".into()));
    };
    let (run, vector) =
        kept_run::read(&host.store, session).ok_or_else(|| nothing(format!("cannot print the run {session} again: it was not kept")))?;
    let unset: Vec<&str> = inherited(&vector).into_iter().filter(|name| !host.env.is_set(name)).collect();
    let image_id = image::content(&host.engine(None), &run.image);
    let now = NowOf {
        version: env!("CARGO_PKG_VERSION"),
        image_id: image_id.as_deref(),
        sources: &kept_run::seen(&sources(&vector, session)),
        unset: &unset,
        has_directory: run.directory.leads_to_directory(),
        has_program: vector.first().is_some_and(|program| std::path::Path::new(program).leads_to_file()),
    };
    let code = print_words(&vector, replay.format, replay.shell)?;
    if std::io::stdout().is_terminal() && replay.format == OutputFormat::Shell {
        output::line("")?;
    }
    let differences = run.differences(&vector, &now);
    for difference in &differences {
        output::note(difference);
    }
    Ok(code.max(u8::from(!differences.is_empty())))
}

fn list(host: &Host, kept: &[SessionId]) -> Result<u8> {
    let now = host::now();
    let row = |session: &SessionId| {
        let (run, _) = kept_run::read(&host.store, session)?;
        Some([
            format!("{} ago", age(now.saturating_sub(run.time))),
            run.tool,
            run.directory.to_string_lossy().into_owned(),
            session.to_string(),
        ])
    };
    let rows: Vec<_> = kept.iter().filter_map(row).collect();
    if rows.is_empty() {
        output::note("no run was kept; hint: record_runs = true in config.toml");
    }
    output::table([Side::Right, Side::Left, Side::Left, Side::Left], &rows)?;
    Ok(0)
}
