//! `ai resolve`: the exact command that a run consists of. Reads facts, writes nothing, starts nothing.

use crate::cli::overrides::Overrides;
use crate::core::lease::SessionId;
use crate::core::shell::Shell;
use clap::{Args, ValueEnum};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use crate::cli::parse::split;
use crate::command::route;
use crate::core::facts::Terminal;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::plan::{Plan, RunCommand, native_args};
use crate::core::text::table::Side;
use crate::host;
use crate::host::output;
use crate::session::context::Context;
use crate::session::{decide, native, spare};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// text that the shell evaluates
    Shell,
    /// each word ended by NUL
    Argv0,
    /// each word on a line, for people
    Lines,
    /// everything about the plan; see docs/plan.schema.json
    Json,
}

/// Which standard streams of a command are terminals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Tty {
    None,
    Stdin,
    /// Standard input and output.
    Both,
}

impl Tty {
    /// Returns the terminal of a command with these streams.
    pub fn over(self, terminal: Terminal) -> Terminal {
        let (stdin, stdout) = match self {
            Self::None => (false, false),
            Self::Stdin => (true, false),
            Self::Both => (true, true),
        };
        Terminal { stdin, stdout, ..terminal }
    }
}

#[derive(Debug, Args)]
#[command(override_usage = "ai resolve [OPTIONS] TOOL [-- ARGS...]\n       ai resolve [OPTIONS] --auto [-- ARGS...]")]
pub struct ResolveArgs {
    /// The tool that `[[route]]` picks for these words
    #[arg(long)]
    pub auto: bool,
    /// How to print the argument vector
    #[arg(long, value_enum, default_value_t = OutputFormat::Shell)]
    pub format: OutputFormat,
    /// The shell that will read `--format shell`
    #[arg(long, default_value_t = Shell::Bash)]
    pub shell: Shell,
    /// Say for each word why it is there and which setting put it there
    #[arg(long)]
    pub explain: bool,
    /// The session that `ai sync in` printed; a fresh id if absent
    #[arg(long)]
    pub session: Option<SessionId>,
    /// Which of the command's standard streams are terminals, whatever ours are
    #[arg(long, hide = true)]
    pub tty: Option<Tty>,
    #[command(flatten)]
    pub overrides: Overrides,
    /// Tool or profile, then the arguments for it
    #[arg(required_unless_present = "auto", trailing_var_arg = true, allow_hyphen_values = true, value_name = "TOOL")]
    pub words: Vec<OsString>,
}

pub fn run(resolve: ResolveArgs) -> Result<u8> {
    let words = if resolve.auto { route::lead(resolve.words)? } else { resolve.words };
    let (name, args) = split(words)?;
    let context = Context::new(&name, resolve.overrides.layer())?;
    if let Some(args) = native_args(&args) {
        let argv = native::for_shell(&context, args)?;
        return print_words(&argv, resolve.format, resolve.shell);
    }
    if let Some((name, _)) = context.config.admitted.given.first() {
        return Err(Failure::new(Kind::Usage, format!("cannot print the value of {name}: a vector holds names only"))
            .hint(format!("export {name}=…, and --env {name}")));
    }
    let command = RunCommand::of(&context.tool, args)?;
    let facts = context.facts_of(&command, resolve.session.as_ref());
    let session = match resolve.session {
        Some(session) => session,
        None => host::fresh_session()?,
    };
    let terminal = resolve.tty.map_or(facts.terminal, |tty| tty.over(facts.terminal));
    let mut plan = decide::plan(&context, &facts, session, command.clone(), terminal)?;
    spare::lead(&context, &facts, &mut plan, &command);
    for note in &plan.notes {
        output::note(note);
    }
    if resolve.explain {
        return explain(&plan, spare::explained(&context, &facts, &plan));
    }
    if resolve.format == OutputFormat::Json {
        output::json(&plan.json()?)?;
        return Ok(0);
    }
    print_words(&plan.argv(), resolve.format, resolve.shell)
}

/// Prints a vector; the value is the exit code.
pub fn print_words(argv: &[OsString], format: OutputFormat, shell: crate::core::shell::Shell) -> Result<u8> {
    let joined = |separator: u8| {
        let mut bytes = Vec::new();
        for word in argv {
            bytes.extend_from_slice(word.as_bytes());
            bytes.push(separator);
        }
        bytes
    };
    let bytes = match format {
        OutputFormat::Shell => shell.command_line(argv),
        OutputFormat::Argv0 => joined(0),
        OutputFormat::Lines => joined(b'\n'),
        OutputFormat::Json => {
            let words: Vec<_> = argv.iter().map(|word| OsStr::to_string_lossy(word)).collect();
            return output::json(&serde_json::json!({ "argv": words })).map(|()| 0);
        }
    };
    output::exact(&bytes)?;
    Ok(0)
}

fn explain(plan: &Plan, waiting: Option<[String; 2]>) -> Result<u8> {
    let mut rows: Vec<_> = plan.rows().into_iter().map(|(words, reason, origin)| [words, format!("{reason} ({origin})")]).collect();
    rows.extend(waiting);
    output::table([Side::Left, Side::Left], &rows)?;
    Ok(0)
}
