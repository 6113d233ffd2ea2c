//! Writes what the program would otherwise have to do over again at every start: each built-in manifest once more as JSON, which is
//! read in a fifth of the time, and the library of the shells without what is there for people. Texts that are seldom wanted are packed
//! into one, a third of their size.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

use ruzstd::encoding::{CompressionLevel, compress_to_vec};

/// Where the texts are that are packed, and what their names end with.
const PACKED: [(&str, &str); 5] =
    [("src/core/help", "txt"), ("src/core/tool", "toml"), ("src/core/tool/more", "toml"), ("src/core/ledger", "toml"), ("templates", "js")];

#[expect(clippy::disallowed_methods, reason = "a build reads and writes files")]
fn main() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(env::var("OUT_DIR")?);
    for path in files("src/core/tool")? {
        if path.extension().is_some_and(|extension| extension == "toml") {
            let manifest: serde_json::Value = toml::from_str(&fs::read_to_string(&path)?)?;
            fs::write(out.join(path.with_extension("json").file_name().ok_or("no name")?), manifest.to_string())?;
        }
    }
    let (mut texts, mut index) = (String::new(), String::new());
    for (directory, end) in PACKED {
        let mut paths = files(directory)?;
        paths.sort();
        for path in paths.iter().filter(|path| path.extension().is_some_and(|extension| extension == end)) {
            let begin = texts.len();
            texts.push_str(&fs::read_to_string(path)?);
            let name = path.file_name().ok_or("no name")?.to_string_lossy();
            index.push_str(&format!("(\"{name}\", {begin}, {}),", texts.len()));
        }
    }
    fs::write(out.join("texts.zst"), compress_to_vec(texts.as_bytes(), CompressionLevel::Fastest))?;
    fs::write(out.join("texts.rs"), format!("&[{index}]"))?;
    fs::create_dir_all(out.join("shells"))?;
    for path in files("shells")? {
        if path.is_file() {
            fs::write(out.join(&path), without_comments(&fs::read_to_string(&path)?))?;
        }
    }
    Ok(())
}

/// Returns what is in a directory of the sources, and asks to be run again when it changes.
fn files(directory: &str) -> io::Result<Vec<PathBuf>> {
    println!("cargo::rerun-if-changed={directory}");
    #[expect(clippy::disallowed_methods, reason = "a build reads and writes files")]
    let entries = fs::read_dir(Path::new(directory))?;
    entries.map(|entry| Ok(entry?.path())).collect()
}

/// Returns the text without comments and indentation: a shell takes time to pass over them.
fn without_comments(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#') && !line.is_empty());
    lines.map(str::trim_start).collect::<Vec<_>>().join("\n")
}
