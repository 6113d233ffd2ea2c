//! What we remember of the images that were built or looked at here.

use crate::host::files;
use crate::store::Store;

/// The version of a tool in an image, as the labels said when it was last built or looked at.
pub fn version(store: &Store, image: &str, tool: &str) -> Option<String> {
    let images: serde_json::Value = serde_json::from_slice(&std::fs::read(store.images()).ok()?).ok()?;
    images.get(image)?.get(tool)?.as_str().map(str::to_owned)
}

/// Remembers the versions of the tools in an image.
pub fn remember(store: &Store, image: &str, tools: &serde_json::Map<String, serde_json::Value>) -> std::io::Result<()> {
    let known = std::fs::read(store.images()).unwrap_or_default();
    let mut images: serde_json::Map<_, _> = serde_json::from_slice(&known).unwrap_or_default();
    images.insert(image.to_owned(), tools.clone().into());
    files::private_dir(store.root())?;
    files::write_private(&store.images(), &serde_json::to_vec(&images)?)
}
