//! A spare: a container that was started before its run, and waits at its gate. In what it must equal the run that takes it, and what
//! reaches it only then.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::core::container::SOCKETS;
use crate::core::engine::kind::EngineKind;
use crate::core::engine::{Address, Product};
use crate::core::facts::{Env, Facts};
use crate::core::lease::{Process, SessionId};
use crate::core::plan::mount::Mount;
use crate::core::plan::{Part, Plan, Variable};
use crate::core::render;
use crate::core::text::digest::sha256;
use crate::core::tool::Tool;

/// Most that wait at a time.
pub const MOST: usize = 2;
/// Seconds after which one ends by itself.
pub const PATIENCE: u32 = 30 * 60;
/// The label of a container that was made to wait.
pub const LABEL: &str = "ai.spare";

/// What is known of a waiting container, kept beside its gate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spare {
    pub session: SessionId,
    pub tool: String,
    pub project: String,
    pub root: String,
    pub container: String,
    /// Whether it has a terminal.
    pub terminal: bool,
    /// What the run that takes it must be equal to.
    pub key: String,
    /// Who makes it.
    pub maker: Process,
    /// Seconds since 1970.
    pub since: u64,
}

impl Spare {
    /// Whether it waits for the kind of run that this plan is, equal or not.
    pub fn is_for(&self, plan: &Plan) -> bool {
        (&self.tool, &self.project, self.terminal) == (&plan.tool, &plan.workspace.project, plan.has_terminal())
    }
}

/// What stands at the source of a mount, on the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MountGround {
    pub source: PathBuf,
    /// As `device:inode`.
    pub identity: String,
    /// What is mounted below it, each in the words of mountinfo.
    pub below: Vec<String>,
}

/// Returns why no container waits for runs like this one; `None` where one can.
pub fn refusal(plan: &Plan, tool: &Tool, facts: &Facts) -> Option<&'static str> {
    let has = |wanted: &dyn Fn(&Part) -> bool| plan.parts.iter().any(|reasoned| wanted(&reasoned.part));
    let engine = &plan.engine;
    let is_here = matches!(engine.endpoint.address, Address::Socket { .. }) && engine.product == Product::Native;
    match () {
        () if engine.kind != EngineKind::Docker || !is_here => Some("only Docker on this machine can have one"),
        () if facts.inside.is_none() => Some("this `ai` is not a program that every Linux image can run; `make release` makes one"),
        () if plan.image_id.is_none() => Some("what the image's name stands for is not pinned; hint: ai image pin"),
        () if !has(&|part| *part == Part::Ephemeral) => Some("the container is to be kept"),
        () if !has(&|part| *part == Part::Input) => Some("the run reads no input"),
        () if plan.ports().next().is_some() => Some("its ports would be taken while it waits"),
        () if plan.secret_files().is_some() => Some("its secrets are files of one run"),
        () if plan.guard.as_ref().is_some_and(|guard| guard.order.key.is_some()) => {
            Some("its key stays outside, and is fetched for each run")
        }
        () if !plan.points().is_empty() => Some("what is mounted inside the project gets its place by each run"),
        () if has(&|part| matches!(part, Part::Volume { .. } | Part::SshAgent)) => Some("its engine keeps a part of it"),
        () if plan.guard.as_ref().is_some_and(|guard| guard.order.keep.is_some()) => {
            Some("vectors are kept (record_runs), and it has none")
        }
        () if tool.manifest.state.as_ref().is_some_and(|state| state.before.is_some()) => Some("its manifest has something done before it"),
        () => None,
    }
}

/// Whether a part reaches a waiting container only with its run, or is of no use to it.
pub fn is_late(part: &Part) -> bool {
    match part {
        Part::Name(_) | Part::Workdir(_) | Part::Variable(_) | Part::Reaper | Part::NoDetachKeys => true,
        Part::Label(key, _) => *key == "ai.session",
        _ => false,
    }
}

/// Whether a mount's source belongs to the session: whoever takes the container gets its session, too.
fn is_of_session(mount: &Mount) -> bool {
    mount.target.as_path() == Path::new(SOCKETS)
}

fn mounts(plan: &Plan) -> impl Iterator<Item = &Mount> {
    plan.parts.iter().filter_map(|reasoned| if let Part::Mount(mount) = &reasoned.part { Some(mount) } else { None })
}

/// Returns the places on the host that a key depends on.
pub fn sources<'a>(plan: &'a Plan, facts: &'a Facts) -> Vec<&'a Path> {
    let own = facts.inside.iter().map(PathBuf::as_path);
    mounts(plan).filter(|mount| !is_of_session(mount)).map(|mount| mount.source.path()).chain(own).collect()
}

/// Returns what two runs must have in common for one to take the container that was made for the other: all that an engine cannot change
/// afterwards. `None` where something is not there to be compared.
pub fn key(plan: &Plan, facts: &Facts, grounds: &[MountGround]) -> Option<String> {
    key_of(env!("CARGO_PKG_VERSION"), plan, facts, grounds)
}

/// Returns the key of a program of this version.
pub fn key_of(version: &str, plan: &Plan, facts: &Facts, grounds: &[MountGround]) -> Option<String> {
    let mut text = Vec::new();
    let mut field = |bytes: &[u8]| {
        text.extend_from_slice(format!("{}:", bytes.len()).as_bytes());
        text.extend_from_slice(bytes);
    };
    let engine = &plan.engine;
    // Kind of engine, tool and person are in its words, which name the owner of the container.
    for word in [version, &engine.endpoint.url(), plan.image_id.as_deref()?] {
        field(word.as_bytes());
    }
    for part in plan.parts.iter().map(|reasoned| &reasoned.part).filter(|part| !is_late(part)) {
        match part {
            Part::Mount(mount) if is_of_session(mount) => field(mount.target.as_os_str().as_bytes()),
            part => {
                for word in render::words(part, engine.kind) {
                    field(word.as_bytes());
                }
            }
        }
    }
    for source in sources(plan, facts) {
        let ground = grounds.iter().find(|ground| ground.source == source)?;
        field(ground.identity.as_bytes());
        field(ground.below.len().to_string().as_bytes());
        for mounted in &ground.below {
            field(mounted.as_bytes());
        }
    }
    Some(sha256(&text))
}

/// Returns what is mounted below a place, by what `/proc/self/mountinfo` says: which mount it is, of what, and where.
pub fn mounted_below(mountinfo: &str, place: &Path) -> Vec<String> {
    let mut escaped = Vec::new();
    for byte in place.as_os_str().as_bytes() {
        match byte {
            b' ' | b'\t' | b'\n' | b'\\' => escaped.extend_from_slice(format!("\\{byte:03o}").as_bytes()),
            byte => escaped.push(*byte),
        }
    }
    let row = |line: &str| {
        let mut fields = line.split(' ');
        // proc_pid_mountinfo(5): id, parent, device, root, mount point.
        let (id, _, device, root, point) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?, fields.next()?);
        let below = point.as_bytes().strip_prefix(escaped.as_slice())?;
        below.starts_with(b"/").then(|| format!("{id} {device} {root} {point}"))
    };
    mountinfo.lines().filter_map(row).collect()
}

/// What a waiting container is told when its run begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GateOrder {
    pub workdir: OsString,
    /// Places inside, each with the `device:inode` that must be there.
    pub places: Vec<(OsString, OsString)>,
    /// `NAME=value`, or a name that is to have none.
    pub env: Vec<OsString>,
    pub words: Vec<OsString>,
}

impl GateOrder {
    /// Returns what the run of `plan` tells its container; `env` is what the engine's client would take variables from.
    pub fn of(plan: &Plan, env: &Env, grounds: &[MountGround]) -> Self {
        let mut order = Self { words: plan.command.iter().chain(&plan.args).cloned().collect(), ..Self::default() };
        for part in plan.parts.iter().map(|reasoned| &reasoned.part) {
            match part {
                Part::Workdir(path) => order.workdir.clone_from(path),
                Part::Variable(Variable::Literal(name, value)) => order.env.push(format!("{name}={value}").into()),
                Part::Variable(Variable::Inherited(name)) => order.env.push(match env.get(name) {
                    Some(value) => [OsStr::new(name), OsStr::new("="), value].into_iter().collect(),
                    None => name.into(),
                }),
                Part::Mount(mount) => {
                    let ground = grounds.iter().find(|ground| ground.source == mount.source.path() && !is_of_session(mount));
                    order.places.extend(ground.map(|ground| (mount.target.as_os_str().to_owned(), ground.identity.clone().into())));
                }
                _ => {}
            }
        }
        order
    }

    /// Returns it as bytes, in which each word ends with NUL and each list begins with its length: one that was cut off is none.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut word = |word: &OsStr| {
            bytes.extend_from_slice(word.as_bytes());
            bytes.push(0);
        };
        word(&self.workdir);
        word(OsStr::new(&(self.places.len() * 2).to_string()));
        for (path, identity) in &self.places {
            word(path);
            word(identity);
        }
        for list in [&self.env, &self.words] {
            word(OsStr::new(&list.len().to_string()));
            for text in list {
                word(text);
            }
        }
        bytes
    }

    /// Reads it.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let mut words = bytes.strip_suffix(b"\0")?.split(|byte| *byte == 0).map(|word| OsString::from_vec(word.to_vec()));
        let workdir = words.next()?;
        let mut list = || {
            let count: usize = words.next()?.to_str()?.parse().ok()?;
            let list: Vec<OsString> = words.by_ref().take(count).collect();
            (list.len() == count).then_some(list)
        };
        let (places, env, command) = (list()?, list()?, list()?);
        let places = places.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect();
        (words.next().is_none() && !command.is_empty()).then_some(Self { workdir, places, env, words: command })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_comes_back_byte_for_byte_and_one_that_was_cut_off_is_none() {
        let words = |words: &[&[u8]]| words.iter().map(|word| OsString::from_vec(word.to_vec())).collect::<Vec<_>>();
        let order = GateOrder {
            workdir: "/work space".into(),
            places: vec![("/a\nb".into(), "1:2".into())],
            env: words(&[b"A=b\nc", b"GONE", b"EMPTY="]),
            words: words(&[b"tool", b"", b"\xff\n'\"", b"3", b""]),
        };
        let bytes = order.bytes();
        assert_eq!(GateOrder::parse(&bytes), Some(order));
        for end in 0..bytes.len() {
            assert_eq!(GateOrder::parse(&bytes[..end]), None, "{end}");
        }
        assert_eq!(GateOrder::parse(&[&bytes[..], b"more\0"].concat()), None);
    }

    #[test]
    fn what_is_mounted_below_is_found_whatever_its_name() {
        let mountinfo = "21 1 8:1 / / rw - ext4 /dev/a rw\n30 21 0:5 / /a\\040b/c rw - tmpfs t rw\n31 21 0:6 / /a\\040bc rw - tmpfs t rw\n";
        assert_eq!(mounted_below(mountinfo, Path::new("/a b")), ["30 0:5 / /a\\040b/c"]);
        assert_eq!(mounted_below(mountinfo, Path::new("/a b/c")), Vec::<String>::new());
    }
}
