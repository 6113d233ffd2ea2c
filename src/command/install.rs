//! `ai install` and `ai uninstall`: one marked block in the right rc file, or a directory of links.

use clap::Args;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::core::failure::{Failure, Kind, Result};
use crate::core::shell::Shell;
use crate::core::shell::block::{self, diff};
use crate::core::shell::known_lines;
use crate::core::shell::rc_lines::{self, Loading};
use crate::core::text::visible::visible;
use crate::host::machine::{process, rc};
use crate::host::output;
use crate::host::{self, Host};

mod closing;
mod shims;

/// Longer than any file of zsh's takes that every script of it reads, too.
const PATIENCE: Duration = Duration::from_secs(8);

#[derive(Debug, Args)]
pub struct InstallArgs {
    /// The shell to set up; the one in $SHELL if absent
    pub shell: Option<Shell>,
    /// Make programs named like the tools in a directory (`shims` in the store if none is named), for editors and scripts
    #[arg(long, value_name = "DIR", num_args = 0..=1, conflicts_with = "shell")]
    pub shims: Option<Option<PathBuf>>,
    /// Print the change and make none
    #[arg(long)]
    pub dry_run: bool,
}

#[derive(Debug, Args)]
pub struct UninstallArgs {
    /// The shell whose file gets its lines back; the one in $SHELL if absent
    pub shell: Option<Shell>,
    /// Remove the programs named like the tools from a directory (`shims` in the store if none is named)
    #[arg(long, value_name = "DIR", num_args = 0..=1, conflicts_with = "shell")]
    pub shims: Option<Option<PathBuf>>,
    /// Print the change and make none
    #[arg(long)]
    pub dry_run: bool,
}

pub fn install(wanted: &InstallArgs) -> Result<u8> {
    let host = Host::to_write()?;
    if let Some(directory) = &wanted.shims {
        return shims::make(&host, directory.as_deref(), wanted.dry_run);
    }
    let shell = shell(&host, wanted.shell)?;
    let exe = exe(&host)?;
    let mut files = if shell == Shell::Zsh { zsh_files(&host)? } else { vec![rc_file(&host, shell)?] };
    files.extend(bash_login_file(&host, shell)?);
    files.extend(old_files(&host, shell)?);
    let files = files.iter().map(|path| whole(path)).collect::<Result<Vec<_>>>()?;
    let text = |rc: &rc::Rc| rc.content.clone().unwrap_or_default();
    // A line by hand says which words a person wants, too.
    let by_hand = |rc: &rc::Rc| block::by_hand(&text(rc), shell).iter().find_map(|(_, line)| rc_lines::args(line, shell));
    let args = files.iter().find_map(|rc| block::args(&text(rc), shell)).or_else(|| files.iter().find_map(by_hand)).unwrap_or_default();
    let (home, tools) = (home(&host)?, host.tool_names());
    let manifests = host.store.tools().into_os_string().into_string().unwrap_or_default();
    let loading = Loading { shell, exe: &exe, home: Some(&home), args: &args, tools: &tools, manifests: &manifests };
    for (index, rc) in files.iter().enumerate() {
        let lines = match index {
            0 => loading.lines(),
            _ if shell == Shell::Zsh => loading.lines(),
            _ if shell == Shell::Bash => loading.guarded(),
            // Where it was before.
            _ => {
                let Some(text) = rc.content.as_ref().filter(|text| block::has_block(text)) else { continue };
                refuse_managed(rc, &[loading.typed()])?;
                change(&host, rc, block::without_block(text), wanted.dry_run)?;
                continue;
            }
        };
        refuse_managed(rc, &lines)?;
        let consented = old_script_turned_off(rc, wanted.dry_run);
        let old = consented.as_deref().or(rc.content.as_deref());
        let consented = line_by_hand_turned_off(rc, old.unwrap_or_default(), shell, wanted.dry_run);
        let old = consented.as_deref().or(old);
        change(&host, rc, Some(block::with_block(old, &lines)), wanted.dry_run)?;
    }
    if wanted.dry_run {
        return Ok(0);
    }
    super::complete::refresh_places(&host, shell);
    closing::close(&host, &files[0].path, &loading)
}

pub fn uninstall(wanted: &UninstallArgs) -> Result<u8> {
    let host = Host::to_write()?;
    if let Some(directory) = &wanted.shims {
        return shims::remove(&host, directory.as_deref(), wanted.dry_run);
    }
    let shell = shell(&host, wanted.shell)?;
    let mut paths = if shell == Shell::Zsh { zsh_files(&host)? } else { vec![rc_file(&host, shell)?] };
    if shell == Shell::Bash {
        paths.extend(login_files(&host)?);
    }
    paths.extend(old_files(&host, shell)?);
    let mut found = false;
    for rc in paths.iter().map(|path| whole(path)).collect::<Result<Vec<_>>>()? {
        let Some(text) = rc.content.as_ref().filter(|text| block::has_block(text)) else { continue };
        found = true;
        if let Some(why) = &rc.managed {
            return Err(Failure::new(Kind::NotAllowed, format!("cannot change `{}`: {why}", rc.path.display())));
        }
        change(&host, &rc, block::without_block(text), wanted.dry_run)?;
    }
    // What nobody can tell from a person's own lines is theirs to remove.
    for path in &paths {
        for (number, line) in read(path)?.content.map(|text| block::by_hand(&text, shell)).unwrap_or_default() {
            output::warn(&format!("{}:{number} still loads ai; hint: remove that line: {}", path.display(), line.trim()));
            found = true;
        }
    }
    if !found {
        output::note(&format!("nothing to do: no file of {shell} has the block of ai"));
    }
    Ok(0)
}

pub fn shell(host: &Host, wanted: Option<Shell>) -> Result<Shell> {
    let of_env = || {
        let name = Path::new(host.env.get("SHELL")?).file_name()?.to_str()?;
        Shell::ALL.into_iter().find(|shell| shell.name() == name)
    };
    wanted.or_else(of_env).ok_or_else(|| {
        Failure::new(Kind::Usage, "cannot tell which shell you use: $SHELL is none of zsh, bash and fish")
            .hint("ai install zsh, or for any other shell: ai install --shims")
    })
}

fn exe(host: &Host) -> Result<String> {
    let exe = host.exe();
    exe.to_str()
        .map(str::to_owned)
        .ok_or_else(|| Failure::new(Kind::Config, format!("cannot name `{}` in an rc file: it is not UTF-8", exe.display())))
}

fn home(host: &Host) -> Result<PathBuf> {
    host.home().ok_or_else(|| Failure::new(Kind::Config, "cannot find the rc file: HOME is not set").hint("export HOME"))
}

/// Returns the file that every interactive shell of this kind reads.
pub fn rc_file(host: &Host, shell: Shell) -> Result<PathBuf> {
    let directory = |name: &str| host.env.get(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = home(host)?;
    Ok(match shell {
        // Where it is may be said in a file that only zsh reads.
        Shell::Zsh => zsh_directory(host, &[]).or_else(|| directory("ZDOTDIR")).unwrap_or(home).join(".zshrc"),
        Shell::Bash => home.join(".bashrc"),
        Shell::Fish => directory("XDG_CONFIG_HOME").unwrap_or_else(|| home.join(".config")).join("fish/config.fish"),
    })
}

/// Returns each `.zshrc` that a zsh may read: after a login, the files that come before may have moved it.
pub fn zsh_files(host: &Host) -> Result<Vec<PathBuf>> {
    let mut files = vec![rc_file(host, Shell::Zsh)?];
    files.extend(zsh_directory(host, &["-l"]).map(|directory| directory.join(".zshrc")).filter(|path| *path != files[0]));
    Ok(files)
}

/// Returns the directory of its files, as zsh itself says.
fn zsh_directory(host: &Host, args: &[&str]) -> Option<PathBuf> {
    let zsh = host.program("zsh")?;
    let question = [args, &["-c", "\\builtin print -r -- \"__ai_zdotdir ${ZDOTDIR-$HOME}\""]].concat();
    let (_, stdout, _) = process::output_within(zsh.as_os_str(), &question, PATIENCE).ok()?;
    let text = String::from_utf8(stdout).ok()?;
    let said = text.lines().filter_map(|line| line.strip_prefix("__ai_zdotdir ")).next_back()?;
    Some(PathBuf::from(said)).filter(|path| path.is_absolute())
}

/// Returns where an earlier `ai install` put the block: for fish into a file that is read before the person's own, whose aliases won.
fn old_files(host: &Host, shell: Shell) -> Result<Vec<PathBuf>> {
    let rc = rc_file(host, shell)?;
    Ok(match shell {
        Shell::Fish => vec![rc.with_file_name("conf.d").join("ai.fish")],
        Shell::Zsh | Shell::Bash => Vec::new(),
    })
}

/// Returns the files of which a login bash reads the first that is there.
pub fn login_files(host: &Host) -> Result<Vec<PathBuf>> {
    let home = home(host)?;
    Ok([".bash_profile", ".bash_login", ".profile"].into_iter().map(|name| home.join(name)).collect())
}

/// A login bash does not read `.bashrc` by itself. The file that it does read, unless that one leads there.
fn bash_login_file(host: &Host, shell: Shell) -> Result<Option<PathBuf>> {
    if shell != Shell::Bash {
        return Ok(None);
    }
    let mut files = Vec::new();
    for path in login_files(host)? {
        files.push(read(&path)?);
    }
    let first = files.into_iter().find(|rc| rc.content.is_some());
    Ok(match first {
        Some(rc) => (!rc.content.as_deref().is_some_and(known_lines::leads_to_bashrc)).then_some(rc.path),
        // Terminals of macOS, tmux and ssh start login shells. A `.profile` made later by somebody else must not be hidden by ours.
        None => Some(home(host)?.join(".profile")),
    })
}

pub fn read(path: &Path) -> Result<rc::Rc> {
    rc::read(path).map_err(|error| Failure::new(Kind::General, format!("cannot read `{}`", path.display())).because(error))
}

/// Returns a file in which the block is whole, if it is there.
fn whole(path: &Path) -> Result<rc::Rc> {
    let rc = read(path)?;
    match rc.content.as_deref().and_then(block::unclosed) {
        None => Ok(rc),
        Some(line) => {
            Err(Failure::new(Kind::General, format!("cannot change `{}`: the block of ai in line {line} has no end", path.display()))
                .hint(format!("remove line {line}, and below it what loads ai")))
        }
    }
}

fn refuse_managed(rc: &rc::Rc, lines: &[String]) -> Result<()> {
    match &rc.managed {
        Some(why) => Err(Failure::new(Kind::NotAllowed, format!("cannot change `{}`: {why}", rc.path.display()))
            .hint(format!("add this line where that file comes from: {}", lines.join("; ")))),
        None => Ok(()),
    }
}

/// Returns the file with the lines of the old script turned off, if there are any and the user wants it.
fn old_script_turned_off(rc: &rc::Rc, dry_run: bool) -> Option<Vec<u8>> {
    let text = rc.content.as_ref()?;
    let old = known_lines::old_lines(text);
    let (number, line) = old.first()?;
    let place = format!("{}:{number}", rc.path.display());
    let terminal = host::terminal();
    if !dry_run && terminal.stdin && terminal.stderr && output::ask(&format!("{place} loads the old script: {line}. Turn it off?")) {
        return Some(block::turned_off(text, &old.iter().map(|(number, _)| *number).collect::<Vec<_>>()));
    }
    output::warn(&format!("{place} still loads the old script, whose functions may win; hint: remove that line"));
    None
}

/// Returns the file with the lines that load it by hand turned off, since the block does the same, if the user wants it.
fn line_by_hand_turned_off(rc: &rc::Rc, text: &[u8], shell: Shell, dry_run: bool) -> Option<Vec<u8>> {
    let lines = block::by_hand(text, shell);
    let (number, line) = lines.first()?;
    let place = format!("{}:{number}", rc.path.display());
    let terminal = host::terminal();
    if !dry_run
        && terminal.stdin
        && terminal.stderr
        && output::ask(&format!("{place} loads it already: {line}. Put the block in its place?"))
    {
        return Some(block::turned_off(text, &lines.iter().map(|(number, _)| *number).collect::<Vec<_>>()));
    }
    output::warn(&format!("{place} loads it already; hint: remove that line, the block does the same"));
    None
}

/// Writes an rc file, after a backup; `None` removes it.
fn change(host: &Host, rc: &rc::Rc, new: Option<Vec<u8>>, dry_run: bool) -> Result<()> {
    let path = rc.path.display();
    let old = rc.content.as_deref().unwrap_or_default();
    if new.as_deref() == rc.content.as_deref() {
        output::note(&format!("{path} is as it should be"));
        return Ok(());
    }
    if dry_run {
        return output::lines(diff(&visible(&path.to_string()), old, new.as_deref().unwrap_or_default()).lines());
    }
    let failed = |error: std::io::Error| Failure::new(Kind::General, format!("cannot write `{path}`")).because(error);
    let backup = rc::back_up(rc, &host.store.backups("rc"))
        .map_err(|error| Failure::new(Kind::General, format!("cannot back up `{path}`, so it stays as it is")).because(error))?;
    rc::write(rc, new.as_deref()).map_err(failed)?;
    let backup = backup.map_or_else(String::new, |backup| format!("; as it was: {}", backup.display()));
    output::note(&format!("changed {path}{backup}"));
    Ok(())
}
