//! Writes each built-in manifest once more as JSON, which the program reads in a fifth of the time: every run reads one or two.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

#[expect(clippy::disallowed_methods, reason = "a build reads and writes files")]
fn main() -> Result<(), Box<dyn Error>> {
    let (manifests, out) = (Path::new("src/core/tool"), PathBuf::from(env::var("OUT_DIR")?));
    println!("cargo::rerun-if-changed={}", manifests.display());
    for entry in fs::read_dir(manifests)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let manifest: serde_json::Value = toml::from_str(&fs::read_to_string(&path)?)?;
            fs::write(out.join(path.with_extension("json").file_name().ok_or("no name")?), manifest.to_string())?;
        }
    }
    Ok(())
}
