//! Settings sync: the words that its parts share.
//!
//! Everything below this module is a function of values. What was read from the places goes in, what should be written to them
//! comes out; the file system, the clock and the lock belong to `host::sync`.

pub mod base;
pub mod bound;
pub mod document;
pub mod gate;
pub mod generation;
pub mod journal;
pub mod json;
pub mod lines;
pub mod merge;
pub mod notes;
pub mod plan;
pub mod preview;
pub mod report;
pub mod toml;
pub mod tree;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::core::sync::bound::Bound;
use crate::core::sync::json::lenient::JsonExtension;
use crate::core::text::digest::sha256;

/// How a path of a tool's manifest is merged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// A JSON object, merged key by key.
    Json,
    /// A TOML document, merged key by key; comments survive.
    Toml,
    /// A JSON object of which only the listed keys flow.
    Keys,
    /// Complete lines, appended in place.
    Lines,
    /// A directory of files (or one file), compared as wholes.
    #[default]
    Tree,
}

/// One path that syncs, as a manifest says it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Where the file is in a home and in the hub.
    pub path: String,
    /// Where it is below the host's `HOME`; absent when the host has no such file.
    #[serde(default)]
    pub host: Option<String>,
    pub class: Class,
    /// Dotted paths that flow inwards; only for [`Class::Keys`].
    #[serde(default)]
    pub keys: Vec<String>,
    /// Dotted paths of what a login is, the first of which says whether there is one: `ai login` alone brings them to the hub.
    #[serde(default)]
    pub login_keys: Vec<String>,
    /// Dotted paths of the values that may leave a project, each with what it may be.
    #[serde(default)]
    pub out: BTreeMap<String, Bound>,
    /// What older manifests said must not leave a project. Nothing does but what is in `out`, so it says nothing any more.
    #[serde(default, skip_serializing)]
    pub executes: Vec<String>,
    /// What the tool reads beyond JSON.
    #[serde(default)]
    pub reads: Vec<JsonExtension>,
    /// Names that are no part of the tree, also by their end behind a `*`: what the tool itself puts there.
    #[serde(default)]
    pub skip: Vec<String>,
    /// What a tool puts behind the file's name for the directory that it makes while it writes the file: we do as well.
    #[serde(default)]
    pub lock: Option<String>,
    /// What a project that has no such file begins with.
    #[serde(default)]
    pub seed: Option<String>,
}

/// Before a run, or after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    In,
    Out,
}

/// What the host's own files take part in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum HostSync {
    /// They are read and never written.
    #[default]
    Import,
    Both,
    Off,
}

/// Whether files that vanished from a tree since the base stop its sync.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Brake {
    #[default]
    On,
    /// The user says that the files went on purpose.
    Off,
}

/// What one sync is asked to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncRequest {
    pub rules: Vec<Rule>,
    pub direction: Direction,
    #[serde(default)]
    pub host_sync: HostSync,
    #[serde(default)]
    pub brake: Brake,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    Host,
    Hub,
    Project,
}

/// Two places that agree on something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pair {
    HostHub,
    HubProject,
}

/// A file in a place; the path is relative to the place's root.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Site {
    pub place: Place,
    pub path: String,
}

/// The SHA-256 of a content, in hex.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Hash(pub String);

/// What a read of one file gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading {
    Absent,
    File { bytes: Vec<u8>, mode: Mode },
    Refused(Refusal),
}

/// Whether a file that we create may be run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    #[default]
    Plain,
    Executable,
}

/// Why a file takes no part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// A link where none may be, or one that leads nowhere.
    Link,
    /// A directory, pipe, socket or device.
    NotAFile,
    /// Another name of the same file may be outside of the place.
    HardLink,
    SetId,
    TooBig,
    TooMany,
    TooDeep,
    Unreadable,
    /// It changed under every attempt to read it.
    Moving,
    NotUtf8Name,
}

/// What may flow from one place to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    pub from: Place,
    pub to: Place,
}

impl Flow {
    /// Returns the steps of one sync, in order.
    pub fn of(direction: Direction, host: HostSync) -> Vec<Flow> {
        let import = Flow { from: Place::Host, to: Place::Hub };
        let enter = Flow { from: Place::Hub, to: Place::Project };
        let leave = Flow { from: Place::Project, to: Place::Hub };
        let export = Flow { from: Place::Hub, to: Place::Host };
        match (direction, host) {
            (Direction::In, HostSync::Import | HostSync::Both) => vec![import, enter],
            (Direction::In, HostSync::Off) => vec![enter],
            (Direction::Out, HostSync::Both) => vec![leave, export],
            (Direction::Out, HostSync::Import | HostSync::Off) => vec![leave],
        }
    }

    pub fn pair(self) -> Pair {
        if self.from == Place::Host || self.to == Place::Host { Pair::HostHub } else { Pair::HubProject }
    }

    /// Instructions, commands and skills are as good as programs: a project keeps its own, and the host's come from the person.
    pub fn carries(self, class: Class) -> bool {
        self.is_inward() || class != Class::Tree
    }

    /// Towards the project, where everything may flow.
    pub fn is_inward(self) -> bool {
        matches!((self.from, self.to), (Place::Host, Place::Hub) | (Place::Hub, Place::Project))
    }

    /// The host's file is the person's own hand and wins; else what arrives wins.
    pub fn prefer(self) -> merge::Prefer {
        if self.to == Place::Host { merge::Prefer::Ours } else { merge::Prefer::Theirs }
    }
}

impl Rule {
    /// Returns the rule by which a file or directory comes along from the host, and never goes back.
    pub fn tree(path: String, host: String) -> Self {
        Self { path, host: Some(host), ..Rule::of(Class::Tree) }
    }

    /// Returns a rule that says nothing but its class.
    pub fn of(class: Class) -> Rule {
        Rule { class, ..Rule::default() }
    }

    /// Returns where the rule's file is in a place, if it is there at all.
    pub fn site(&self, place: Place) -> Option<Site> {
        let path = match place {
            Place::Host => self.host.clone()?,
            Place::Hub | Place::Project => self.path.clone(),
        };
        Some(Site { place, path })
    }

    /// Returns the lock to take for a write in a place; no tool runs in the hub.
    pub fn lock_in(&self, place: Place) -> Option<String> {
        self.lock.clone().filter(|_| place != Place::Hub)
    }

    pub fn gate(&self, flow: Flow) -> gate::Gate {
        match self.class {
            _ if !flow.is_inward() => gate::Gate::values(&self.out),
            Class::Keys => gate::Gate::only(&self.keys),
            _ => gate::Gate::Open,
        }
    }
}

impl Site {
    /// Returns a file below a tree; the empty name is the tree's root itself.
    pub fn below(&self, name: &str) -> Site {
        let path = if name.is_empty() { self.path.clone() } else { format!("{}/{name}", self.path) };
        Site { place: self.place, path }
    }
}

impl Hash {
    pub fn of(bytes: &[u8]) -> Hash {
        Hash(sha256(bytes))
    }

    /// Enough of it to tell copies apart in a file name.
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Place::Host => "host",
            Place::Hub => "hub",
            Place::Project => "project",
        })
    }
}

impl fmt::Display for Site {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "`{}` ({})", self.path, self.place)
    }
}
