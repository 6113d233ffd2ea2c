//! What the store remembers of images: the versions of the tools in them, and which content a name stands for.

use std::io;
use std::path::PathBuf;

use serde_json::{Map, Value};

use crate::core::engine::kind::Engine;
use crate::core::engine::traits::ImageQuestion;
use crate::core::newer::NewestVersions;
use crate::core::store::Store;
use crate::host::engine::learn;
use crate::host::fs::files::{private_dir, write_private};
use crate::host::fs::own;
use crate::host::spare;

/// Returns the version of a tool in an image, as its labels said when it was last built or looked at.
pub fn version(store: &Store, image: &str, tool: &str) -> Option<String> {
    read(&store.images()).get(image)?.get(tool)?.as_str().map(str::to_owned)
}

/// Remembers the versions of the tools in an image.
pub fn remember(store: &Store, image: &str, tools: &Map<String, Value>) -> io::Result<()> {
    let mut images = read(&store.images());
    let programs = images.get(image).and_then(|known| known.get(PROGRAMS)).cloned();
    let mut known = tools.clone();
    known.extend(programs.map(|programs| (PROGRAMS.to_owned(), programs)));
    images.insert(image.to_owned(), known.into());
    write(store, &store.images(), &images)
}

/// Returns the content that this name must stand for on this engine; `None` if any will do.
pub fn pin(store: &Store, engine: &Engine, image: &str) -> Option<String> {
    read(&store.pins()).get(&key(engine, image))?.as_str().map(str::to_owned)
}

/// Returns the content that this name must stand for, where a run can name that content instead: on an engine of this machine that knows
/// images by their ids.
pub fn pin_by_id(store: &Store, engine: &Engine, image: &str) -> Option<String> {
    let knows_ids = engine.kind.traits().image != ImageQuestion::None && learn::is_cheap(engine);
    pin(store, engine, image).filter(|_| knows_ids)
}

/// From now on, this name must stand for this content, or for whatever it likes.
pub fn set_pin(store: &Store, engine: &Engine, image: &str, id: Option<&str>) -> io::Result<()> {
    let mut pins = read(&store.pins());
    if pins.get(&key(engine, image)).and_then(Value::as_str) != id {
        // What waits was made with the content of before.
        spare::dismiss_all(store, None);
    }
    match id {
        Some(id) => pins.insert(key(engine, image), id.into()),
        None => pins.shift_remove(&key(engine, image)),
    };
    write(store, &store.pins(), &pins)
}

/// A version that an update chose.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct UpdatedVersion {
    pub version: String,
    /// Of its package, as the registry spelled it then.
    pub integrity: Option<String>,
}

/// Returns the version of a tool that an update chose.
pub fn updated(store: &Store, tool: &str) -> Option<UpdatedVersion> {
    serde_json::from_value(read(&store.versions()).remove(tool)?).ok()
}

/// Remembers the version of a tool that an update chose.
pub fn set_updated(store: &Store, tool: &str, version: &UpdatedVersion) -> io::Result<()> {
    let mut versions = read(&store.versions());
    versions.insert(tool.to_owned(), serde_json::to_value(version)?);
    write(store, &store.versions(), &versions)
}

/// Returns the newest versions of tools, as far as they are known.
pub fn newest(store: &Store) -> NewestVersions {
    serde_json::from_slice(&own::read(store.newest()).unwrap_or_default()).unwrap_or_default()
}

/// Remembers the newest versions of tools.
pub fn set_newest(store: &Store, newest: &NewestVersions) -> io::Result<()> {
    private_dir(store.root())?;
    write_private(&store.newest(), &serde_json::to_vec_pretty(newest)?)
}

/// Names an image of one engine: each has images of its own under the same names.
fn key(engine: &Engine, image: &str) -> String {
    format!("{} {} {image}", engine.kind.program(), engine.endpoint.url())
}

fn read(path: &std::path::Path) -> Map<String, Value> {
    serde_json::from_slice(&own::read(path).unwrap_or_default()).unwrap_or_default()
}

fn write(store: &Store, path: &std::path::Path, map: &Map<String, Value>) -> io::Result<()> {
    private_dir(store.root())?;
    write_private(path, &serde_json::to_vec_pretty(map)?)
}

/// Beside the versions of the tools: no tool is called so, since the name has a capital.
const PROGRAMS: &str = "Programs";

/// Remembers the programs in an image.
pub fn remember_programs(store: &Store, image: &str, programs: Vec<String>) -> io::Result<()> {
    let mut images = read(&store.images());
    let known = images.entry(image.to_owned()).or_insert_with(|| Value::Object(Map::new()));
    if let Some(known) = known.as_object_mut() {
        known.insert(PROGRAMS.to_owned(), programs.into());
    }
    write(store, &store.images(), &images)
}

/// Returns the names of the programs in an image, as they were when it was last built or looked at.
pub fn programs(store: &Store, image: &str) -> Option<Vec<String>> {
    let known = read(&store.images()).get(image)?.get(PROGRAMS)?.as_array()?.clone();
    Some(known.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect())
}

/// What was made for one tool in one project.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct MadeRecord {
    pub root: PathBuf,
    pub tool: String,
    /// The image, and the one below it.
    pub names: Vec<String>,
    /// What was done in the project after it was built, in one word.
    #[serde(default)]
    pub after: Option<String>,
}

/// Returns everything that was made, for whom.
pub fn made(store: &Store) -> Vec<MadeRecord> {
    serde_json::from_slice(&own::read(store.made()).unwrap_or_default()).unwrap_or_default()
}

/// Remembers what was made for a tool in a project; what was made before for the same is not wanted any more.
pub fn set_made(store: &Store, record: MadeRecord) -> io::Result<()> {
    let mut all = made(store);
    all.retain(|known| (&known.root, &known.tool) != (&record.root, &record.tool));
    all.push(record);
    keep_made(store, &all)
}

/// Remembers these, and no others.
pub fn keep_made(store: &Store, records: &[MadeRecord]) -> io::Result<()> {
    private_dir(store.root())?;
    write_private(&store.made(), &serde_json::to_vec_pretty(records)?)
}
