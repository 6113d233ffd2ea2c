//! `ai doctor shell`: asks a new interactive shell at its first prompt, and reads the files that it reads.

use clap::Args;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::command::{init, install};
use crate::core::doctor::shell::{Program, ShellAnswer, ShellCheckup, ShellState, examine};
use crate::core::facts::Env;
use crate::core::failure::Result;
use crate::core::shell::{Shell, complaints, known_lines};
use crate::host::Host;
use crate::host::fs::files;
use crate::host::machine::prompt::{self, PromptAnswer, PromptQuestion};
use crate::host::machine::{process, rc};

#[derive(Debug, Args)]
pub struct DoctorShellArgs {
    /// The shell to look at; the one in $SHELL if absent
    pub shell: Option<Shell>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// Variables of programs in whose windows a shell may start.
const WITHIN: [&str; 3] = ["TMUX", "STY", "ZELLIJ"];

/// Longer than the slowest start of a shell that anybody would bear.
const PATIENCE: Duration = Duration::from_secs(8);

pub fn run(wanted: &DoctorShellArgs) -> Result<u8> {
    let host = Host::new()?;
    let shell = install::shell(&host, wanted.shell)?;
    super::report(&examine(&look(&host, shell)?), None, wanted.json)
}

/// Returns the place of the line that loads the integration in the files of the person's shell, without asking one.
pub fn loading_place(host: &Host) -> Option<String> {
    let shell = install::shell(host, None).ok()?;
    let files = start_files(host, shell).ok()?;
    files.into_iter().find_map(|path| {
        let text = install::read(&path).ok()?.content?;
        let (number, _) = known_lines::loading_lines(&text, shell).into_iter().next()?;
        Some(format!("{}:{number}", path.display()))
    })
}

/// Finds out what new shells of this kind make of the integration: one as a terminal starts it, one after a login, and, if a file of theirs
/// asks for that, one on a terminal that can do little and one outside of tmux and its like.
pub fn look(host: &Host, shell: Shell) -> Result<ShellCheckup> {
    let names: Vec<String> = init::functions(host).into_iter().map(|function| function.name).collect();
    let mut files = Vec::new();
    for path in start_files(host, shell)? {
        files.extend(install::read(&path)?.content.map(|content| (path, content)));
    }
    let mentions = |words: &[&str]| files.iter().any(|(_, text)| words.iter().any(|word| String::from_utf8_lossy(text).contains(word)));
    let asks_for_terminal = mentions(&["dumb"]);
    // Where a file may start one of them, what it starts would be left behind.
    let asks_for_plain = mentions(&WITHIN) && !mentions(&["tmux", "screen", "zellij"]);
    let inquiry = Inquiry { shell, program: host.program(shell.name()), base: host.temporary_base(), env: &host.env, names: &names };
    let ask = |args: &[&str], env: &[(&str, &str)]| ask(&inquiry, args, env);
    let (answer, login, dumb, plain) = std::thread::scope(|scope| {
        let login = scope.spawn(|| ask(&["-l", "-i"], &[]));
        let plain = asks_for_plain.then(|| scope.spawn(|| ask(&["-i"], &WITHIN.map(|name| (name, "")))));
        let dumb = asks_for_terminal.then(|| scope.spawn(|| ask(&["-i"], &[("TERM", "dumb")])));
        let answer = ask(&["-i"], &[]);
        let joined = |other: Option<std::thread::ScopedJoinHandle<ShellAnswer>>| other.and_then(|other| other.join().ok());
        (answer, joined(Some(login)), joined(dumb), joined(plain))
    });
    let exe = host.exe();
    let loaded = answer.state.as_ref().ok().and_then(|answer| answer.program.as_deref());
    let program = match loaded.map(|path| rc::target(Path::new(path))) {
        Some(None) => Program::Gone,
        Some(found) if found != rc::target(&exe) => Program::Other,
        _ => Program::Same,
    };
    let broken = files.iter().flat_map(|(path, text)| complaints::conflicts(path, text)).chain(syntax(host, shell, &files)).collect();
    let rc = install::rc_file(host, shell)?;
    // Only where somebody must be told.
    let stops = |args: &[&str], answer: &ShellAnswer| {
        if answer.is_loaded() || answer.late || answer.became.is_some() { None } else { last_line(&inquiry, args, &files) }
    };
    let (last, last_of_login) = (stops(&["-x", "-i"], &answer), login.as_ref().and_then(|login| stops(&["-x", "-l", "-i"], login)));
    Ok(ShellCheckup { shell, files, rc, names, exe, answer, login, dumb, plain, program, broken, last, last_of_login })
}

/// Returns what a shell says at its prompt that starts as the user's do; why it says nothing otherwise.
fn ask(inquiry: &Inquiry, args: &[&str], env: &[(&str, &str)]) -> ShellAnswer {
    let no = |why: String| ShellAnswer { state: Err(why), became: None, late: false };
    match converse(inquiry, args, env) {
        Ok(None) => no(format!("{} is not on PATH", inquiry.shell)),
        Ok(Some(asked)) => answer(inquiry.shell, &asked),
        Err(failure) => no(failure.to_string()),
    }
}

fn answer(shell: Shell, asked: &PromptAnswer) -> ShellAnswer {
    let name = asked.became.as_ref().and_then(|path| path.file_name()).map(|name| name.to_string_lossy().into_owned());
    let became = name.filter(|name| shell_of(name) != Some(shell) && name != "ai");
    let state = match asked.answer.as_deref().and_then(|text| ShellState::parse(text, &asked.screen)) {
        Some(state) => Ok(state),
        None if asked.ended => {
            let screen = anstream::adapter::strip_str(&asked.screen).to_string();
            let last = complaints::last_words(&screen).map_or_else(String::new, |line| format!(" ({line})"));
            Err(format!("a new {shell} ends before it is ready{last}"))
        }
        None => Err(match &became {
            Some(other) => format!("a new {shell} goes over to `{other}`"),
            None => format!("a new {shell} is not ready within {} s", PATIENCE.as_secs()),
        }),
    };
    ShellAnswer { late: state.is_err() && !asked.ended, state, became }
}

fn shell_of(name: &str) -> Option<Shell> {
    Shell::ALL.into_iter().find(|shell| name.trim_start_matches('-').starts_with(shell.name()))
}

/// What all questions to one shell have in common.
struct Inquiry<'a> {
    shell: Shell,
    program: Option<PathBuf>,
    /// Where files may be for a moment.
    base: PathBuf,
    env: &'a Env,
    /// The functions that are asked for.
    names: &'a [String],
}

/// Starts a shell and asks it, or whatever shell it became.
fn converse(inquiry: &Inquiry, args: &[&str], env: &[(&str, &str)]) -> Result<Option<PromptAnswer>> {
    let Inquiry { shell, names, .. } = *inquiry;
    let Some(program) = &inquiry.program else { return Ok(None) };
    let directory = tempfile::Builder::new().prefix("ai-ask-").tempdir_in(&inquiry.base)?;
    let answer = directory.path().join("answer");
    let to = answer.to_string_lossy();
    let words = |shell: Shell| {
        std::iter::once(&*to)
            .chain(names.iter().map(String::as_str))
            .chain(["ai"])
            .map(|word| shell.quote(word))
            .collect::<Vec<_>>()
            .join(" ")
    };
    for shell in Shell::ALL {
        files::write_private(&directory.path().join(shell.name()), shell.question(&words(shell)).as_bytes())?;
    }
    // No line of ours in anybody's history. A fish that has none yet makes completions from all manual pages, into the home, and goes on
    // with that when nobody needs it any more: this one finds some.
    let mut all = args.to_vec();
    let has_completions = format!(
        "set --global __fish_user_data_dir {0}; set --global __fish_cache_dir {0}",
        Shell::Fish.quote(&directory.path().to_string_lossy())
    );
    match shell {
        Shell::Zsh => all.extend(["-o", "hist_ignore_space"]),
        Shell::Fish => {
            files::private_dir(&directory.path().join("generated_completions"))?;
            all.extend(["-C", &has_completions]);
        }
        Shell::Bash => {}
    }
    let has = |name: &str| inquiry.env.get(name).is_some_and(|value| !value.is_empty());
    let mut variables = vec![("HISTCONTROL", "ignorespace"), ("DISABLE_AUTO_UPDATE", "true")];
    // What a file starts where there is none yet would be left behind.
    variables.extend(WITHIN.into_iter().filter(|name| !has(name)).map(|name| (name, "ai-doctor")));
    if inquiry.env.get("TERM").is_none_or(|term| term == "dumb") {
        variables.push(("TERM", "xterm-256color"));
    }
    variables.retain(|(name, _)| !env.iter().any(|(other, _)| other == name));
    variables.extend(env);
    let question = PromptQuestion { program, args: &all, env: &variables, answer: &answer, patience: PATIENCE };
    let line = |exe: Option<&Path>| {
        let now = exe.and_then(Path::file_name).and_then(|name| shell_of(&name.to_string_lossy())).unwrap_or(shell);
        let file = directory.path().join(now.name());
        let file = now.quote(&file.to_string_lossy());
        match now {
            Shell::Zsh | Shell::Bash => format!(" 'builtin' '.' {file}"),
            Shell::Fish => format!(" builtin source {file}"),
        }
    };
    prompt::ask(&question, line).map(Some)
}

/// Returns the last line that a shell reads of these files, and which file that is. It tells by its trace; fish has none with lines.
fn last_line(inquiry: &Inquiry, args: &[&str], files: &[(PathBuf, Vec<u8>)]) -> Option<(PathBuf, usize)> {
    let mark = match inquiry.shell {
        Shell::Zsh => "+__ai %x:%I\n",
        Shell::Bash => "+__ai ${BASH_SOURCE-}:${LINENO-}\n",
        Shell::Fish => return None,
    };
    let asked = converse(inquiry, args, &[("PS4", mark)]).ok()??;
    complaints::last_traced(&asked.screen, files.iter().map(|(path, _)| path.as_path()))
}

/// Returns what the shell itself finds wrong with the files, without running them.
fn syntax(host: &Host, shell: Shell, files: &[(PathBuf, Vec<u8>)]) -> Vec<complaints::ShellComplaint> {
    let Some(program) = host.program(shell.name()) else { return Vec::new() };
    let args: &[&str] = match shell {
        Shell::Zsh => &["-f", "-o", "extended_glob", "-o", "interactive_comments", "-n"],
        Shell::Bash => &["--norc", "-O", "extglob", "-n"],
        Shell::Fish => &["--no-config", "-n"],
    };
    let read = |path: &Path| {
        let words: Vec<&std::ffi::OsStr> = args.iter().map(AsRef::as_ref).chain([path.as_os_str()]).collect();
        let (status, _, complaint) = process::output_within(program.as_os_str(), &words, PATIENCE).ok()?;
        complaints::of_shell(path, &String::from_utf8_lossy(&complaint)).filter(|_| !status.success())
    };
    files.iter().filter_map(|(path, _)| read(path)).collect()
}

/// Returns the user's own files that a shell of this kind may read when it starts.
fn start_files(host: &Host, shell: Shell) -> Result<Vec<PathBuf>> {
    let rc = install::rc_file(host, shell)?;
    let directory = rc.parent().map(Path::to_owned).unwrap_or_default();
    Ok(match shell {
        Shell::Zsh => {
            let home = host.home().unwrap_or_default();
            let mut files: Vec<PathBuf> = [home.join(".zshenv"), directory.join(".zshenv"), directory.join(".zprofile")].into();
            files.extend(install::zsh_files(host)?);
            files.extend([directory.join(".zlogin")]);
            let mut seen = Vec::new();
            files.retain(|path| {
                !seen.contains(path) && {
                    seen.push(path.clone());
                    true
                }
            });
            files
        }
        Shell::Bash => std::iter::once(rc).chain(install::login_files(host)?).collect(),
        Shell::Fish => {
            let mut files = rc::files_in(&directory.join("conf.d"), "fish");
            files.push(rc);
            files
        }
    })
}
