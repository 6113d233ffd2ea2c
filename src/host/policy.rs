//! The policy of the system: a file that nobody but root can write, and who the person is to the system.

use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::core::config::source::ConfigText;
use crate::core::config::{Config, Layer};
use crate::core::failure::{Failure, Kind, Result};
use crate::core::policy::file::{PATH, SystemPolicy};
use crate::core::policy::rule::OsUser;
use crate::core::policy::verdict::Rules;
use crate::core::tool::Tool;
use crate::host::Host;
use crate::host::fs::files::read_text;
use crate::host::fs::look::Look;
use crate::host::fs::own;
use crate::host::machine::process;
use crate::host::syslog::{self, Facility};

impl Host {
    /// Returns the configuration of a tool here, below the rules that are for this person.
    pub fn config(&self, tool: &Tool, flags: Layer) -> Result<Config> {
        let rules = rules()?;
        let sources = self.config_sources(&rules)?;
        let config = Config::new(self.scope(&tool.name, Some(&tool.manifest)).borrowed(), &sources, &self.env, flags)?.under(rules)?;
        self.with_made_image(tool, config, &sources)
    }
}

/// Returns the rules of this system that are for the person; none where it has no policy.
///
/// # Errors
/// Where there is one that cannot be read, may have been written by somebody else, or makes no sense: nothing starts then.
pub fn rules() -> Result<Rules> {
    let Some(source) = source()? else { return Ok(Rules::default()) };
    SystemPolicy::read(&source)?.of(&member())
}

/// Returns the text of the policy, where there is one.
pub fn source() -> Result<Option<ConfigText>> {
    let cannot = |why: &str| {
        Failure::new(Kind::Config, format!("cannot use `{PATH}`: {why}")).hint("whoever administers this machine mends it: ai policy check")
    };
    match Path::new(PATH).look_at_link() {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
        Err(error) => return Err(cannot(&error.to_string())),
        Ok(_) => {}
    }
    let real = Path::new(PATH).resolved().map_err(|error| cannot(&error.to_string()))?;
    // Whoever can write one of these could have put another file there.
    let mut on_the_way = Path::new(PATH).ancestors().chain(real.ancestors());
    if let Some((path, why)) = on_the_way.find_map(|path| Some((path, open_to_others(path)?))) {
        return Err(cannot(&format!("`{}` {why}", path.display())));
    }
    let text = read_text(&real)?.ok_or_else(|| cannot("it has gone"))?;
    Ok(Some(ConfigText::own(PATH, text)))
}

/// Returns why somebody else than root may have made what is at a path.
fn open_to_others(path: &Path) -> Option<String> {
    let Ok(found) = path.look_at_link() else { return Some("cannot be looked at".into()) };
    let is_kept = found.is_symlink() || found.mode() & 0o022 == 0 || (found.is_dir() && found.mode() & 0o1000 != 0);
    match found.uid() {
        0 if is_kept => None,
        0 => Some(format!("can be written by others than root (mode {:o})", found.mode() & 0o7777)),
        uid => Some(format!("belongs to user {uid}, and not to root")),
    }
}

/// Returns who calls us, by the kernel's numbers and the system's names for them.
pub fn member() -> OsUser {
    let mut ids: Vec<u32> = rustix::process::getgroups().unwrap_or_default().iter().map(|group| group.as_raw()).collect();
    ids.push(super::gid());
    let uid = super::uid();
    let text = |path: &str| own::read_text(path).unwrap_or_default();
    let (mut passwd, mut group) = (text("/etc/passwd"), text("/etc/group"));
    let member = OsUser::new(uid, &ids, &passwd, &group);
    let missing: Vec<String> = member.groups.iter().filter(|group| group.name.is_none()).map(|group| group.id.to_string()).collect();
    if member.user.is_none() {
        passwd += &asked("passwd", &[uid.to_string()]);
    }
    if !missing.is_empty() {
        group += &asked("group", &missing);
    }
    let member = OsUser::new(uid, &ids, &passwd, &group);
    OsUser { home: member.home.map(|home| home.resolved().unwrap_or(home)), ..member }
}

/// Returns what the system's directory services know: a program that is linked statically cannot ask them. Nothing of the caller's
/// environment reaches the one that can.
fn asked(database: &str, keys: &[String]) -> String {
    let program = ["/usr/bin/getent", "/bin/getent"].map(PathBuf::from).into_iter().find(|path| path.leads_to_file());
    let args: Vec<&str> = std::iter::once(database).chain(keys.iter().map(String::as_str)).collect();
    let output = program.and_then(|program| process::output_bare(&program, &args, Duration::from_secs(5)).ok());
    output.map(|(_, stdout, _)| format!("\n{}", String::from_utf8_lossy(&stdout))).unwrap_or_default()
}

/// Tells the system's log of a run.
///
/// # Errors
/// Where nobody listens: a run that must be logged does not start then.
pub fn log(event: &serde_json::Value) -> Result<()> {
    syslog::send(Facility::AuthPriv, event).map_err(|error| {
        Failure::new(Kind::NotAllowed, format!("cannot tell the system's log of this run, as the policy demands: {}: {error}", syslog::LOG))
            .hint("ai policy explain")
    })
}
