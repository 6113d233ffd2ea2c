//! Changes to the person's configuration: each is checked before it counts, and keeps what was there.

use std::path::{Path, PathBuf};

use crate::command::config::{LetInArgs, check};
use crate::core::admit::mount::MountRule;
use crate::core::admit::path::refusal;
use crate::core::config::Layer;
use crate::core::config::allow::{Allowance, FilePart, allow};
use crate::core::config::begin::section;
use crate::core::config::source::ConfigText;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::log::LogLevel;
use crate::core::text::digest::sha256;
use crate::core::text::table::Side;
use crate::core::tool::{self, Tool};
use crate::host::machine::look::look;
use crate::host::machine::{process, rc};
use crate::host::store::history::{self, Kept};
use crate::host::store::{hold, log};
use crate::host::{Host, output};
use crate::session::context::{Context, unknown_tool};

const TEMPLATE: &str = include_str!("../../../templates/config.toml");

pub fn init(from: Option<&str>, is_agreed: bool) -> Result<u8> {
    let host = Host::to_write()?;
    let path = host.store.config();
    let tool = from.map(|name| Tool::load(name, |name| host.manifest(name))?.ok_or_else(|| unknown_tool(name, &host))).transpose()?;
    let section = tool.as_ref().map(section).unwrap_or_default();
    let before = text(&host)?;
    let is_there = history::current(&host.store).map_err(unreadable)?.is_some();
    if is_there && !is_agreed && !output::ask_for_yes(&format!("`{}` is there. Begin anew? What it is now is kept.", path.display())) {
        return Err(Failure::new(Kind::General, format!("cannot begin `{}`: it is there", path.display()))
            .hint("ai config edit; ai config init --yes begins anew and keeps it"));
    }
    replace(&host, &before, &format!("{TEMPLATE}{section}"))?;
    let what = tool.map_or_else(|| "all of it".to_owned(), |tool| format!("what {} is run with now is on, all else", tool.name));
    output::note(&format!("wrote {}; {what} is off until you say otherwise: ai config edit", path.display()));
    Ok(0)
}

pub fn edit() -> Result<u8> {
    let host = Host::to_write()?;
    let draft = history::draft(&host.store);
    let before = text(&host)?;
    let begun = history::read_draft(&host.store).map_err(unreadable)?;
    if begun.is_some() {
        output::note(&format!("going on with what you wrote last, which was not taken over: {}", draft.display()));
    }
    history::write_draft(&host.store, begun.as_deref().unwrap_or(if before.is_empty() { TEMPLATE } else { &before })).map_err(failed)?;
    loop {
        run_editor(&host, &draft)?;
        let after = history::read_draft(&host.store).map_err(unreadable)?.unwrap_or_default();
        if after == before {
            history::drop_draft(&host.store).map_err(failed)?;
            output::note("nothing was changed");
            return Ok(0);
        }
        match judged(&host, &after) {
            Ok(warnings) => {
                for warning in &warnings {
                    output::warn(warning);
                }
                replace(&host, &before, &after)?;
                history::drop_draft(&host.store).map_err(failed)?;
                output::note("changed; ai config rollback takes it back");
                return Ok(0);
            }
            Err(failure) => {
                if !goes_on(&failure) {
                    let way = format!("ai config edit goes on with it; rm {} forgets it", draft.display());
                    let hint = failure.hint.as_ref().map_or(way.clone(), |hint| format!("{hint} {way}"));
                    return Err(Failure { hint: Some(hint), ..failure });
                }
            }
        }
    }
}

/// Asks whether the editor is to be started again; without a terminal nobody can answer.
fn goes_on(failure: &Failure) -> bool {
    let terminal = crate::host::terminal();
    if !(terminal.stdin && terminal.stderr) {
        return false;
    }
    output::failure(failure);
    output::ask_for_yes("Edit it again?")
}

fn run_editor(host: &Host, draft: &Path) -> Result<()> {
    let chosen = ["VISUAL", "EDITOR"].into_iter().find_map(|name| host.env.text(name));
    let mut words = match chosen {
        Some(line) => shell_words::split(line)
            .map_err(|error| Failure::new(Kind::Config, format!("cannot use `{line}`: {error}")).hint("export EDITOR"))?,
        None => ["nano", "vi"].into_iter().filter(|name| host.program(name).is_some()).take(1).map(str::to_owned).collect(),
    };
    let missing = || {
        let why = chosen.map_or_else(|| "no editor is known".to_owned(), |line| format!("there is no program `{line}`"));
        Failure::new(Kind::NotFound, format!("cannot edit: {why}")).hint("export EDITOR=nano")
    };
    let program = host.program(words.first().ok_or_else(missing)?).ok_or_else(missing)?;
    words.push(draft.display().to_string());
    let argv = std::iter::once(program.into_os_string()).chain(words.into_iter().skip(1).map(Into::into));
    match process::foreground(process::prepared(&argv.collect::<Vec<_>>(), &[]))? {
        0 => Ok(()),
        code => {
            Err(Failure::new(Kind::General, format!("cannot take the change over: the editor ended with {code}")).hint("ai config edit"))
        }
    }
}

pub fn let_in(args: &LetInArgs) -> Result<u8> {
    let host = Host::to_write()?;
    let root = host.project_root().map(|root| root.display().to_string());
    let section = match (&args.tool, args.project) {
        (Some(tool), _) => FilePart::Tool(tool),
        (None, true) => FilePart::Project(
            root.as_deref().ok_or_else(|| Failure::new(Kind::Config, "cannot find the project: the directory is gone").hint("cd"))?,
        ),
        (None, false) => FilePart::File,
    };
    let word = |value: &String| if args.what == Allowance::Mount { from_here(&host, value) } else { Ok(value.clone()) };
    let words = args.values.iter().map(word).collect::<Result<Vec<_>>>()?;
    let before = text(&host)?;
    let after = words.iter().try_fold(before.clone(), |text, word| allow(&text, section, args.what, word)).map_err(|why| {
        Failure::new(Kind::Config, format!("cannot add to `{}`", host.store.config().display())).because(why).hint("ai config edit")
    })?;
    if after == before {
        output::note("it is let in already");
        return Ok(0);
    }
    let warnings = judged(&host, &after).map_err(|failure| {
        if judged(&host, &before).is_err() {
            return failure;
        }
        let message = format!("cannot let in {}; your file stays as it is", words.join(", "));
        let causes = std::iter::once(failure.message).chain(failure.causes).collect();
        Failure { message, causes, ..failure }
    })?;
    replace(&host, &before, &after)?;
    output::note(&format!("let in: {}; ai config rollback takes it back", words.join(", ")));
    for warning in &warnings {
        output::warn(warning);
    }
    Ok(0)
}

/// Returns the word for a directory or file, which in the file is meant from wherever a run is.
///
/// # Errors
/// Where nothing is there, or something that stays outside: every run would be refused.
fn from_here(host: &Host, word: &str) -> Result<String> {
    let cannot = |path: &str, kind, why: &str| Failure::new(kind, format!("cannot let `{path}` in: {why}"));
    let (path, end) = word.strip_suffix(":rw").map_or((word, ""), |path| (path, ":rw"));
    let rule = MountRule::from_word(path);
    let absolute = rule.absolute(host.home().as_deref(), host.cwd().unwrap_or(Path::new("/")));
    let looked = look(absolute.ok_or_else(|| cannot(path, Kind::Config, "your home directory is not known").hint("export HOME"))?);
    let Some(thing) = &looked.found else { return Err(cannot(path, Kind::Config, &looked.absence()).hint("make it first")) };
    if let Some(why) = refusal(&thing.real, &Context::new(tool::EXEC, Layer::default())?.facts(None)) {
        return Err(cannot(path, Kind::NotAllowed, &why).hint("name the directories that are needed below it"));
    }
    Ok(if path.starts_with('~') { word.to_owned() } else { format!("{}{end}", looked.path.display()) })
}

pub fn history(as_json: bool) -> Result<u8> {
    let host = Host::new()?;
    let kept = history::list(&host.store);
    if as_json {
        let rows: Vec<_> =
            kept.iter().map(|kept| serde_json::json!({ "number": kept.number, "seconds": kept.seconds, "bytes": kept.bytes })).collect();
        return output::json(&rows).map(|()| 0);
    }
    if kept.is_empty() {
        output::note("nothing was changed yet");
        return Ok(0);
    }
    let now = crate::host::now();
    let row = |kept: &Kept| {
        [
            kept.number.to_string(),
            format!("changed {} ago", crate::core::census::age(now.saturating_sub(kept.seconds))),
            format!("{} bytes", kept.bytes),
        ]
    };
    output::table([Side::Right, Side::Left, Side::Right], &kept.iter().map(row).collect::<Vec<_>>())?;
    Ok(0)
}

pub fn rollback(number: Option<u32>) -> Result<u8> {
    let host = Host::to_write()?;
    let kept = history::list(&host.store);
    let wanted = number.or(kept.last().map(|kept| kept.number));
    let unknown = || Failure::new(Kind::Usage, "cannot go back: there is no such copy").hint("ai config history");
    let number = wanted.filter(|number| kept.iter().any(|kept| kept.number == *number)).ok_or_else(unknown)?;
    let text = history::read(&host.store, number).map_err(unreadable)?;
    let before = self::text(&host)?;
    replace(&host, &before, &text)?;
    output::note(&format!("{} is what it was before change {number}", host.store.config().display()));
    Ok(0)
}

/// Returns what should be otherwise in a text that is to become the configuration.
pub fn judged(host: &Host, text: &str) -> Result<Vec<String>> {
    let own = host.store.config().display().to_string();
    let mut sources = host.own_config_sources().unwrap_or_default();
    sources.retain(|source| source.path != own);
    sources.push(ConfigText::own(own, text));
    let mut warnings = check::examine(host, &sources)?;
    warnings.extend(check::refused_here(&sources)?);
    Ok(warnings)
}

/// Returns the person's configuration as it is; nothing where there is none.
pub fn text(host: &Host) -> Result<String> {
    Ok(history::current(&host.store).map_err(unreadable)?.unwrap_or_default())
}

/// Replaces the person's configuration, as which `before` was read, and says so in the log.
///
/// # Errors
/// Where it is another one by now, or is made elsewhere.
pub fn replace(host: &Host, before: &str, text: &str) -> Result<()> {
    let path: PathBuf = host.store.config();
    let _lock = hold::store(&host.store)?;
    if self::text(host)? != before {
        let why = format!("cannot change `{}`: somebody else has changed it meanwhile", path.display());
        return Err(Failure::new(Kind::Busy, why).hint("say it again; ai config history"));
    }
    if let Some(why) = rc::read(&path).map_err(unreadable)?.managed {
        return Err(Failure::new(Kind::General, format!("cannot change `{}`: {why}", path.display())).hint("change it where it is made"));
    }
    history::replace(&host.store, text).map_err(failed)?;
    let more = [("file", path.display().to_string()), ("sha256", sha256(text.as_bytes()))];
    let more = more.into_iter().map(|(key, value)| (key.to_owned(), value.into())).collect();
    // A log that cannot be written is what `ai doctor` speaks of; the change is made.
    let _ = log::write(host, &host.store, LogLevel::Info, "config", more);
    Ok(())
}

fn unreadable(error: std::io::Error) -> Failure {
    Failure::new(Kind::General, "cannot read the configuration").because(error).hint("ai doctor")
}

fn failed(error: std::io::Error) -> Failure {
    Failure::new(Kind::General, "cannot write the configuration").because(error).hint("ai doctor")
}
