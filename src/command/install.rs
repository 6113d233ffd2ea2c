//! `ai install` and `ai uninstall`: one marked block in the right rc file, or a directory of links.

use clap::Args;
use std::path::{Path, PathBuf};

use crate::core::failure::{Failure, Kind, Result};
use crate::core::shell::Shell;
use crate::core::shell::block::{self, diff};
use crate::host::fs::files;
use crate::host::machine::rc;
use crate::host::output;
use crate::host::{self, Host};

#[derive(Debug, Args)]
pub struct InstallArgs {
    /// The shell to set up; the one in $SHELL if absent
    pub shell: Option<Shell>,
    /// Make links named like the tools in a directory (`shims` in the store if none is named), for editors and scripts
    #[arg(long, value_name = "DIR", num_args = 0..=1, conflicts_with = "shell")]
    pub shims: Option<Option<PathBuf>>,
    /// Print the change and make none
    #[arg(long)]
    pub dry_run: bool,
}

pub fn install(wanted: &InstallArgs) -> Result<u8> {
    let host = Host::to_write()?;
    if let Some(directory) = &wanted.shims {
        return make_shims(&host, directory.as_deref(), wanted.dry_run);
    }
    let shell = shell(&host, wanted.shell)?;
    let exe = exe(&host)?;
    let line = block::line(shell, &exe);
    let mut files = vec![(rc_file(&host, shell)?, line)];
    if let Some(login) = bash_login_file(&host, shell)? {
        files.push((login, block::guarded_line(&exe)));
    }
    let files = files.into_iter().map(|(path, line)| Ok((whole(&path)?, line))).collect::<Result<Vec<_>>>()?;
    for (rc, line) in files {
        refuse_managed(&rc, &line)?;
        let consented = old_script_turned_off(&rc, wanted.dry_run);
        let new = block::with_block(consented.as_deref().or(rc.content.as_deref()), &line);
        change(&host, &rc, Some(new), wanted.dry_run)?;
    }
    if !wanted.dry_run {
        output::note(&format!("it works in the next {shell}; for this one: {}", block::line(shell, &exe)));
    }
    Ok(0)
}

pub fn uninstall(wanted: &InstallArgs) -> Result<u8> {
    let host = Host::to_write()?;
    if let Some(directory) = &wanted.shims {
        return remove_shims(&host, directory.as_deref(), wanted.dry_run);
    }
    let shell = shell(&host, wanted.shell)?;
    let mut paths = vec![rc_file(&host, shell)?];
    if shell == Shell::Bash {
        paths.extend(login_files(&host)?);
    }
    let mut found = false;
    for rc in paths.iter().map(|path| whole(path)).collect::<Result<Vec<_>>>()? {
        let Some(text) = rc.content.as_ref().filter(|text| block::has_block(text)) else { continue };
        found = true;
        if let Some(why) = &rc.managed {
            return Err(Failure::new(Kind::NotAllowed, format!("cannot change `{}`: {why}", rc.path.display())));
        }
        change(&host, &rc, block::without_block(text), wanted.dry_run)?;
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
        Failure::new(Kind::Usage, "cannot tell which shell you use: $SHELL is none of zsh, bash and fish").hint("ai install zsh")
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

/// The file that every interactive shell of this kind reads.
pub fn rc_file(host: &Host, shell: Shell) -> Result<PathBuf> {
    let directory = |name: &str| host.env.get(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = home(host)?;
    Ok(match shell {
        Shell::Zsh => directory("ZDOTDIR").unwrap_or(home).join(".zshrc"),
        Shell::Bash => home.join(".bashrc"),
        Shell::Fish => directory("XDG_CONFIG_HOME").unwrap_or_else(|| home.join(".config")).join("fish/conf.d/ai.fish"),
    })
}

/// The files of which a login bash reads the first that is there.
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
        Some(rc) => (!rc.content.as_deref().is_some_and(block::leads_to_bashrc)).then_some(rc.path),
        // Terminals of macOS start login shells.
        None => cfg!(target_os = "macos").then(|| home(host).map(|home| home.join(".bash_profile"))).transpose()?,
    })
}

pub fn read(path: &Path) -> Result<rc::Rc> {
    rc::read(path).map_err(|error| Failure::new(Kind::General, format!("cannot read `{}`", path.display())).because(error))
}

/// A file in which the block is whole, if it is there.
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

fn refuse_managed(rc: &rc::Rc, line: &str) -> Result<()> {
    match &rc.managed {
        Some(why) => Err(Failure::new(Kind::NotAllowed, format!("cannot change `{}`: {why}", rc.path.display()))
            .hint(format!("add this line where that file comes from: {line}"))),
        None => Ok(()),
    }
}

/// The file with the lines of the old script turned off, if there are any and the user wants it.
fn old_script_turned_off(rc: &rc::Rc, dry_run: bool) -> Option<Vec<u8>> {
    let text = rc.content.as_ref()?;
    let old = block::old_lines(text);
    let (number, line) = old.first()?;
    let place = format!("{}:{number}", rc.path.display());
    let terminal = host::terminal();
    if !dry_run && terminal.stdin && terminal.stderr && output::ask(&format!("{place} loads the old script: {line}. Turn it off?")) {
        return Some(block::turned_off(text, &old.iter().map(|(number, _)| *number).collect::<Vec<_>>()));
    }
    output::warn(&format!("{place} still loads the old script, whose functions may win; hint: remove that line"));
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
        return output::data(diff(&path.to_string(), old, new.as_deref().unwrap_or_default()).as_bytes());
    }
    let failed = |error: std::io::Error| Failure::new(Kind::General, format!("cannot write `{path}`")).because(error);
    let backup = rc::back_up(rc, &host.store.rc_backups())
        .map_err(|error| Failure::new(Kind::General, format!("cannot back up `{path}`, so it stays as it is")).because(error))?;
    rc::write(rc, new.as_deref()).map_err(failed)?;
    let backup = backup.map_or_else(String::new, |backup| format!("; as it was: {}", backup.display()));
    output::note(&format!("changed {path}{backup}"));
    Ok(())
}

fn shims_directory(host: &Host, wanted: Option<&Path>) -> PathBuf {
    wanted.map_or_else(|| host.store.shims(), rc::absolute)
}

fn make_shims(host: &Host, wanted: Option<&Path>, dry_run: bool) -> Result<u8> {
    let directory = shims_directory(host, wanted);
    let exe = host.exe();
    let failed =
        |error: std::io::Error| Failure::new(Kind::General, format!("cannot make links in `{}`", directory.display())).because(error);
    if !dry_run {
        files::private_dir(&directory).map_err(failed)?;
    }
    for tool in host.tool_names() {
        let link = directory.join(&tool);
        if dry_run {
            output::data(format!("{} -> {}\n", link.display(), exe.display()).as_bytes())?;
        } else if !rc::make_link(&link, &exe).map_err(failed)? {
            output::warn(&format!("`{}` is something else and stays", link.display()));
        }
    }
    if !dry_run {
        output::note(&format!("put {} first on the PATH of what should run the tools in containers", directory.display()));
    }
    Ok(0)
}

fn remove_shims(host: &Host, wanted: Option<&Path>, dry_run: bool) -> Result<u8> {
    let directory = shims_directory(host, wanted);
    let exe = host.exe();
    let links = rc::links_to(&directory, &exe);
    if links.is_empty() {
        output::note(&format!("nothing to do: no link in {} leads to ai", directory.display()));
    }
    for link in links {
        if dry_run {
            output::data(format!("{}\n", link.display()).as_bytes())?;
        } else {
            rc::remove_link(&link)
                .map_err(|error| Failure::new(Kind::General, format!("cannot remove `{}`", link.display())).because(error))?;
            output::note(&format!("removed {}", link.display()));
        }
    }
    Ok(0)
}
