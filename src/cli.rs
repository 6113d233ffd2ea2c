//! The command line. Doc comments are the help.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::cli::overrides::Overrides;
use crate::core::lease::SessionId;
use crate::core::shell::Shell;

pub mod complete;
pub mod creds;
pub mod help;
pub mod install;
pub mod mode;
pub mod overrides;
pub mod parse;
pub mod sessions;
pub mod sync;

/// Run AI coding assistants in containers that live for exactly one run.
///
/// Put `eval "$(ai init zsh)"` into your .zshrc (bash: `eval "$(ai init bash)"`; fish: `ai init fish | source`).
/// From then on `claude`, `gemini`, `codex` and `glm` run in containers; `claude --native` runs the host's own.
#[derive(Debug, Parser)]
#[command(name = "ai", version, max_term_width = 100, disable_help_subcommand = true, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Print the shell functions for your rc file
    Init(Init),
    /// Print the exact command that runs a tool; starts and writes nothing
    Resolve(Resolve),
    /// Settings before and after a run
    Sync(sync::Sync),
    /// Run a tool in its container, from scripts and editors too
    Run(Run),
    /// Run any command in the tool image and workspace; without one, a shell
    Exec(Exec),
    /// Build and inspect the image of the tools
    Image(Image),
    /// Run a command with the secrets of a tool in its environment
    Env(EnvCommand),
    /// List the tools and profiles
    Tools(Tools),
    /// Show or set the default tool
    Use(mode::Use),
    /// Commit what is staged, with a message from the default tool (not there yet)
    Commit(mode::Commit),
    /// Put the integration into your shell's rc file
    Install(install::Install),
    /// Take it out again
    Uninstall(install::Install),
    /// Print the completions of a shell, as `ai init` does
    Completions(complete::Completions),
    /// Explain a topic or a command
    Help(help::Help),
    #[command(hide = true)]
    Complete(complete::Complete),
    #[command(hide = true)]
    Word(mode::Word),
    /// Settings of `ai`, with the place that each comes from
    Config(ConfigCommand),
    /// Log in with the tool's own login, once for all projects
    Login(creds::Login),
    /// Log out; a last backup is kept
    Logout(creds::Logout),
    /// Logins: status, import, backups, and the old directories
    Creds(creds::Creds),
    /// Projects that have state, and how a moved one gets its own back
    Project(creds::Project),
    /// List live sessions with age, processor and memory
    Ps(sessions::Ps),
    /// End sessions: ten seconds to leave by themselves, then by force
    Stop(sessions::Stop),
    /// Remove what is ours and dead
    Gc(sessions::Gc),
    /// Look for trouble, and say what to do about it
    Doctor(sessions::Doctor),
    /// Become a program without a terminal
    #[command(name = "__alone", hide = true)]
    Alone {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
        words: Vec<OsString>,
    },
    /// One act of the settings engine, described in a file; for fault tests
    #[command(name = "__sync", hide = true)]
    SyncJob { file: PathBuf },
}

#[derive(Debug, Args)]
pub struct Init {
    pub shell: Shell,
    /// Only these functions, separated by commas
    #[arg(long, value_delimiter = ',', value_name = "TOOL")]
    pub only: Vec<String>,
    /// Put this before each function's name
    #[arg(long, default_value = "", hide_default_value = true)]
    pub prefix: String,
    /// No completions
    #[arg(long)]
    pub no_completions: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
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

#[derive(Debug, Args)]
#[command(override_usage = "ai resolve [OPTIONS] TOOL [-- ARGS...]")]
pub struct Resolve {
    /// How to print the argument vector
    #[arg(long, value_enum, default_value_t = Format::Shell)]
    pub format: Format,
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
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "TOOL")]
    pub words: Vec<OsString>,
}

#[derive(Debug, Args)]
#[command(override_usage = "ai run [OPTIONS] TOOL [-- ARGS...]")]
pub struct Run {
    #[command(flatten)]
    pub overrides: Overrides,
    /// Tool or profile, then the arguments for it
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "TOOL")]
    pub words: Vec<OsString>,
}

#[derive(Debug, Args)]
pub struct Exec {
    #[command(flatten)]
    pub overrides: Overrides,
    /// One word, run by the container's shell: pipes and redirections work
    #[arg(long = "shell", value_name = "LINE", conflicts_with = "words")]
    pub line: Option<OsString>,
    /// The command and its arguments
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "CMD")]
    pub words: Vec<OsString>,
}

#[derive(Debug, Args)]
pub struct Image {
    #[command(subcommand)]
    pub command: ImageCommand,
}

#[derive(Debug, Subcommand)]
pub enum ImageCommand {
    /// Build the image of the tools
    Build {
        /// Base image: Debian or Ubuntu with node
        #[arg(long)]
        base: Option<String>,
        /// Version of one tool, such as claude=2.1.330; an empty version leaves the tool out
        #[arg(long = "with", value_name = "TOOL=VERSION")]
        versions: Vec<String>,
        /// Network of the build, as the engine spells it
        #[arg(long)]
        network: Option<String>,
        /// Name of the result
        #[arg(long)]
        tag: Option<String>,
        /// Do not use the layers of an earlier build
        #[arg(long)]
        no_cache: bool,
    },
    /// Which image a run would use, and what is in it
    Status {
        #[arg(long)]
        json: bool,
    },
    /// Run nothing else under the image's name than what it stands for now
    Pin {
        /// Run whatever the name stands for
        #[arg(long)]
        off: bool,
    },
}

#[derive(Debug, Args)]
#[command(override_usage = "ai env TOOL -- CMD...")]
pub struct EnvCommand {
    /// Tool or profile, then the command
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "TOOL")]
    pub words: Vec<OsString>,
}

#[derive(Debug, Args)]
pub struct Tools {
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct ConfigCommand {
    /// Tool or profile whose section counts too
    #[arg(default_value = "claude")]
    pub tool: String,
    #[arg(long)]
    pub json: bool,
}
