//! `ai doctor shell`: asks a new interactive shell, and reads the files that it reads.

use clap::Args;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::command::{init, install};
use crate::core::doctor::shell::{Program, ShellCheckup, ShellState, examine};
use crate::core::failure::Result;
use crate::core::shell::Shell;
use crate::host::Host;
use crate::host::machine::{process, rc};

#[derive(Debug, Args)]
pub struct DoctorShellArgs {
    /// The shell to look at; the one in $SHELL if absent
    pub shell: Option<Shell>,
    #[arg(long)]
    pub json: bool,
}

/// Longer than the slowest start of a shell that anybody would bear.
const PATIENCE: Duration = Duration::from_secs(8);

pub fn run(wanted: &DoctorShellArgs) -> Result<u8> {
    let host = Host::new()?;
    let shell = install::shell(&host, wanted.shell)?;
    super::report(&examine(&look(&host, shell)?), None, wanted.json)
}

/// Finds out what a new shell of this kind makes of the integration.
pub fn look(host: &Host, shell: Shell) -> Result<ShellCheckup> {
    let names: Vec<String> = init::functions(host).into_iter().map(|function| function.name).collect();
    let answer = ask(host, shell, &names);
    let exe = host.exe();
    let loaded = answer.as_ref().ok().and_then(|answer| answer.program.as_deref());
    let program = match loaded.map(|path| rc::target(Path::new(path))) {
        Some(None) => Program::Gone,
        Some(found) if found != rc::target(&exe) => Program::Other,
        _ => Program::Same,
    };
    let mut files = Vec::new();
    for path in start_files(host, shell)? {
        files.extend(install::read(&path)?.content.map(|content| (path, content)));
    }
    Ok(ShellCheckup { shell, files, rc: install::rc_file(host, shell)?, names, exe, answer, program })
}

/// Returns what a shell says that starts as the user's do; why it says nothing otherwise.
fn ask(host: &Host, shell: Shell, names: &[String]) -> std::result::Result<ShellState, String> {
    let program = host.program(shell.name()).ok_or_else(|| format!("{shell} is not on PATH"))?;
    let (script, zero) = match shell {
        Shell::Zsh => (include_str!("../../../shells/doctor.zsh"), Some("ai")),
        Shell::Bash => (include_str!("../../../shells/doctor.bash"), Some("ai")),
        Shell::Fish => (include_str!("../../../shells/doctor.fish"), None),
    };
    let args: Vec<&str> = ["-i", "-c", script].into_iter().chain(zero).chain(names.iter().map(String::as_str)).chain(["ai"]).collect();
    match process::output_alone(&program, &args, PATIENCE) {
        Ok((_, stdout, stderr)) => ShellState::parse(&String::from_utf8_lossy(&stdout)).ok_or_else(|| {
            let last = String::from_utf8_lossy(&stderr).lines().last().map_or_else(String::new, |line| format!(" ({line})"));
            format!("a new {shell} ends before it is ready{last}")
        }),
        Err(_) => Err(format!("a new {shell} is not ready within {} s", PATIENCE.as_secs())),
    }
}

/// Returns the user's own files that a shell of this kind may read when it starts.
fn start_files(host: &Host, shell: Shell) -> Result<Vec<PathBuf>> {
    let rc = install::rc_file(host, shell)?;
    let directory = rc.parent().map(Path::to_owned).unwrap_or_default();
    Ok(match shell {
        Shell::Zsh => [".zshenv", ".zprofile", ".zshrc", ".zlogin"].into_iter().map(|name| directory.join(name)).collect(),
        Shell::Bash => std::iter::once(rc).chain(install::login_files(host)?).collect(),
        Shell::Fish => {
            let mut files = rc::files_in(&directory.join("conf.d"), "fish");
            files.push(rc);
            files
        }
    })
}
