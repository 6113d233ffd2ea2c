//! The command line: the list of commands. Each has its arguments beside its function, in `command`. Doc comments are the help.

use std::ffi::OsString;

use clap::{Parser, Subcommand};

use crate::command::{
    audit, changes, commit, complete, completions, config, cost, creds, dial, doctor, egress, env, exec, forward, gate, gc, guard, help,
    history, image, incident, init, install, login, metrics, open_page, paste_picture, policy, project, ps, replay, resolve, resume, route,
    run, spare, stats, stop, sync, tools, trust, use_tool, word,
};

pub mod overrides;
pub mod parse;

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
    Init(init::InitArgs),
    /// Print the exact command that runs a tool; starts and writes nothing
    Resolve(resolve::ResolveArgs),
    /// Settings before and after a run
    Sync(sync::SyncArgs),
    /// Run a tool in its container, from scripts and editors too
    Run(run::RunArgs),
    /// Which tool `ai run --auto` and `ai-run` run for some words, and why
    Route(route::RouteArgs),
    /// Run any command in the tool image and workspace; without one, a shell
    Exec(exec::ExecArgs),
    /// Build and inspect the image of the tools
    Image(image::ImageArgs),
    /// Run a command with the secrets of a tool in its environment
    Env(env::EnvArgs),
    /// List the tools and profiles
    Tools(tools::ToolsArgs),
    /// Show what this project's .ai.toml asks for, and agree to it or not
    Trust(trust::TrustArgs),
    /// What the policy of this system allows you
    Policy(policy::PolicyArgs),
    /// Show or set the default tool
    Use(use_tool::UseArgs),
    /// Commit what is staged, with a message that a tool suggests
    Commit(commit::CommitArgs),
    /// Put the integration into your shell's rc file
    Install(install::InstallArgs),
    /// Take the integration out of your shell's rc file again, byte for byte
    Uninstall(install::UninstallArgs),
    /// Print the completions of a shell, as `ai init` does
    Completions(completions::CompletionsArgs),
    /// Explain a topic or a command
    Help(help::HelpArgs),
    #[command(hide = true)]
    Complete(complete::CompleteArgs),
    #[command(hide = true)]
    Word(word::WordArgs),
    /// Settings of `ai`, with the place that each comes from
    Config(config::ConfigArgs),
    /// What a guarded run may reach, and why
    Egress(egress::EgressArgs),
    /// Log in with the tool's own login, once for all projects
    Login(login::LoginArgs),
    /// Log out; a last backup is kept
    Logout(login::LogoutArgs),
    /// Logins: status, import, backups, and the old directories
    Creds(creds::CredsArgs),
    /// Projects that have state, and how a moved one gets its own back
    Project(project::ProjectArgs),
    /// What runs of this project left for your machine to run: show, accept, revert
    Changes(changes::ChangesArgs),
    /// List live sessions with age, processor and memory
    Ps(ps::PsArgs),
    /// Conversations of all tools, listed and searched
    History(history::HistoryArgs),
    /// Go on with a conversation, in its tool and its directory
    Resume(resume::ResumeArgs),
    /// What was asked of models by all tools in all projects, and what it cost
    Stats(stats::StatsArgs),
    /// What one conversation cost
    Cost(cost::CostArgs),
    /// Counters of questions, costs and runs, for a monitoring system
    Metrics(metrics::MetricsArgs),
    /// Whether the log of runs is as it was written, and what is in it
    Audit(audit::AuditArgs),
    /// The vector of a run that was kept, and what is not as it was then
    Replay(replay::ReplayArgs),
    /// End sessions: ten seconds to leave by themselves, then by force
    Stop(stop::StopArgs),
    /// Remove what is ours and dead
    Gc(gc::GcArgs),
    /// Look for trouble, and say what to do about it
    Doctor(doctor::DoctorArgs),
    /// Put what whoever helps would ask for into one file, without secrets; nothing is sent
    Incident(incident::IncidentArgs),
    /// Start the helper of a guarded run, and become the engine's client
    #[command(hide = true)]
    Guard(guard::GuardArgs),
    #[command(name = "__guard", hide = true)]
    Helper(guard::HelperArgs),
    /// In a guarded container: lead a port out, and become a command
    #[command(hide = true)]
    Forward(forward::ForwardArgs),
    /// In a guarded container: be a tunnel to a host
    #[command(hide = true)]
    Dial(dial::DialArgs),
    /// Have a container wait for the next run of a tool here
    #[command(hide = true)]
    Spare(spare::SpareArgs),
    /// Be the run that takes a container which waits
    #[command(hide = true)]
    Go(spare::GoArgs),
    /// In a container: wait for a run
    #[command(hide = true)]
    Gate(gate::GateArgs),
    /// In a container: become the command of a run
    #[command(hide = true)]
    AtGate(gate::AtGateArgs),
    /// In a container: have the page of a login opened
    #[command(hide = true)]
    OpenPage(open_page::OpenPageArgs),
    /// In a container: print a picture of the person's clipboard
    #[command(hide = true)]
    PastePicture(paste_picture::PasteArgs),
    /// Become a program without a terminal
    #[command(name = "__alone", hide = true)]
    Alone {
        /// In front of the terminal that is its standard input, which becomes its own
        #[arg(long)]
        terminal: bool,
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, required = true)]
        words: Vec<OsString>,
    },
    /// One act of the settings engine, described in a file; for fault tests
    #[cfg(feature = "faults")]
    #[command(name = "__sync", hide = true)]
    SyncJob { file: std::path::PathBuf },
}

impl Command {
    /// Whether a command may write into the store. The others promise to write nothing, a line of the log included.
    pub fn writes(&self) -> bool {
        use Command::{
            Changes, Commit, Cost, Creds, Env, Exec, Gc, History, Image, Install, Login, Logout, Metrics, Project, Route, Run, Spare,
            Stats, Stop, Sync, Uninstall,
        };
        matches!(
            self,
            Changes(_)
                | Commit(_)
                | Cost(_)
                | Creds(_)
                | Env(_)
                | Exec(_)
                | Gc(_)
                | History(_)
                | Image(_)
                | Install(_)
                | Login(_)
                | Logout(_)
                | Metrics(_)
                | Project(_)
                | Route(_)
                | Run(_)
                | Spare(_)
                | Stats(_)
                | Stop(_)
                | Sync(_)
                | Uninstall(_)
        )
    }
}
