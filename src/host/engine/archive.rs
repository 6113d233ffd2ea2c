//! Images in files: written from the engine, looked at, and given to it; and what an image says of its parts.

use std::ffi::OsString;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use crate::core::engine::kind::Engine;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::image::{ArchiveEntry, Archived, BLOCK, LISTS, SBOM};
use crate::core::plan::Part;
use crate::core::render;
use crate::host::fs::look::Look;
use crate::host::fs::own;
use crate::host::machine::deadline::Deadline;
use crate::host::machine::process;
use crate::host::{self, output};

/// How often somebody who waits is told how far it is.
const EVERY: Duration = Duration::from_secs(3);
/// Bytes of a file that says what is in an archive, at most.
const LARGEST: u64 = 4 << 20;
/// What an archive is whose engine could read another list than we do.
const TWICE: &str = "it may say twice what is in it";

/// Writes an image into a file that is not there yet: all of it, or nothing.
pub fn save(engine: &Engine, image: &str, bytes: u64, to: &Path) -> Result<()> {
    let cannot = |error: std::io::Error| Failure::new(Kind::General, format!("cannot write `{}`", to.display())).because(error);
    if to.look_at_link().is_ok() {
        return Err(Failure::new(Kind::Usage, format!("cannot write `{}`: it is there already", to.display()))
            .hint("another name, or move it away"));
    }
    let directory = to.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::Builder::new().prefix(".ai-image-").tempfile_in(directory).map_err(cannot)?;
    let program = render::program(engine);
    let mut command = process::prepared(&[program.clone(), "save".into(), image.into()], &[]);
    let mut child = command.stdout(Stdio::piped()).stdin(Stdio::null()).spawn().map_err(|error| process::not_started(&program, &error))?;
    let mut from = child.stdout.take().ok_or_else(|| Failure::new(Kind::General, "cannot read from the engine"))?;
    let (mut buffer, mut done, is_seen) = (vec![0; 1 << 20], 0_u64, host::terminal().stderr);
    let mut next = Deadline::after(EVERY);
    let mut copy = || -> std::io::Result<()> {
        loop {
            let count = from.read(&mut buffer)?;
            if count == 0 {
                return Ok(());
            }
            file.write_all(&buffer[..count])?;
            done += count as u64;
            if is_seen && next.is_over() {
                next = Deadline::after(EVERY);
                output::note(&format!("{} of about {} MiB", done >> 20, bytes.max(done) >> 20));
            }
        }
    };
    let copied = copy();
    drop(from);
    let code = process::exit_code(child.wait()?);
    copied.map_err(cannot)?;
    if code != 0 {
        return Err(Failure::new(Kind::Unavailable, format!("cannot save {image}: the engine ended with {code}"))
            .hint("its last lines above say why"));
    }
    file.persist_noclobber(to).map_err(|error| cannot(error.error))?;
    Ok(())
}

/// Returns which images a file has.
pub fn look(file: &Path) -> Result<Archived> {
    let cannot = |why: &str| {
        Failure::new(Kind::Usage, format!("cannot load `{}`: {why}", file.display()))
            .hint("ai image save FILE writes one; a packed one is unpacked first")
    };
    let mut archive = own::open(file).map_err(|error| cannot(&error.to_string()))?;
    let mut lists: [Option<Vec<u8>>; 2] = [None, None];
    let mut head = [0; BLOCK];
    while archive.read_exact(&mut head).is_ok() {
        let Some(entry) = ArchiveEntry::read(&head) else { break };
        let mut behind = entry.padded();
        let list = LISTS.iter().position(|name| *name == entry.name);
        if list.is_some() || entry.renames() {
            let mut text = Vec::new();
            (&mut archive).take(entry.size.min(LARGEST)).read_to_end(&mut text)?;
            behind = behind.saturating_sub(text.len() as u64);
            let is_hidden = list.is_none() && (entry.size > LARGEST || LISTS.iter().any(|name| contains(&text, name.as_bytes())));
            if is_hidden || list.is_some_and(|at| lists[at].replace(text).is_some()) {
                return Err(cannot(TWICE));
            }
        } else if entry.may_become_list() {
            return Err(cannot(TWICE));
        }
        let Ok(behind) = i64::try_from(behind) else { break };
        archive.seek(SeekFrom::Current(behind))?;
    }
    let [manifest, index] = lists;
    manifest.and_then(|manifest| Archived::read(&manifest, index.as_deref())).ok_or_else(|| cannot("it is no archive of an image"))
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

/// Gives the engine a file, whose own progress goes to stderr.
pub fn load(engine: &Engine, file: &Path) -> Result<()> {
    let words: [OsString; 4] = [render::program(engine), "load".into(), "--input".into(), file.into()];
    let mut command = process::prepared(&words, &[]);
    command.stdout(std::io::stderr());
    match process::foreground(command)? {
        0 => Ok(()),
        code => Err(Failure::new(Kind::Unavailable, format!("cannot load `{}`: the engine ended with {code}", file.display()))
            .hint("its last lines above say why")),
    }
}

/// Gives an image another name in place of the one that it has.
pub fn rename(engine: &Engine, from: &str, to: &str) -> Result<()> {
    for words in [&["tag", from, to][..], &["rmi", from]] {
        let (status, _, stderr) = process::output(&render::program(engine), words)?;
        if !status.success() {
            let cannot = Failure::new(Kind::Unavailable, format!("cannot call {from} {to}"));
            return Err(cannot.because(String::from_utf8_lossy(&stderr)).hint(format!("{} tag {from} {to}", engine.kind.program())));
        }
    }
    Ok(())
}

/// Returns the bill of materials of an image; nothing where it has none.
pub fn bill(engine: &Engine, image: &str) -> Result<Option<Value>> {
    let parts = [Part::Program("cat"), Part::Ephemeral, Part::Network("none".into()), Part::NoDownload, Part::NoLog];
    let args = render::container(parts.iter(), image, &[SBOM.into()], engine.kind);
    let (status, stdout, _) = process::output(&render::program(engine), &args)?;
    let bill: Option<Value> = serde_json::from_slice(&stdout).ok().filter(|_| status.success());
    Ok(bill.filter(|bill| bill["bomFormat"] == "CycloneDX"))
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests set up files")]
mod tests {
    use super::*;

    /// An entry of a tar archive.
    fn entry(name: &str, kind: u8, text: &str) -> Vec<u8> {
        let mut bytes = vec![0; BLOCK];
        bytes[..name.len()].copy_from_slice(name.as_bytes());
        bytes[124..136].copy_from_slice(format!("{:011o}\0", text.len()).as_bytes());
        bytes[156] = kind;
        let sum: u32 = bytes.iter().map(|byte| u32::from(*byte)).sum::<u32>() + 8 * 32;
        bytes[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        bytes.extend_from_slice(text.as_bytes());
        bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
        bytes
    }

    #[test]
    fn an_archive_that_hides_another_list_is_none() {
        let list = |name: &str| format!("[{{\"Config\":\"abc.json\",\"RepoTags\":[\"{name}\"]}}]");
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("image.tar");
        let good =
            [entry("abc.json", b'0', "{}"), entry("x/layer.tar", b'0', "x"), entry("manifest.json", b'0', &list("ai-tools:1"))].concat();
        std::fs::write(&file, &good).unwrap();
        assert_eq!(look(&file).unwrap().names, ["ai-tools:1"]);
        std::fs::write(&file, [entry("y", b'x', "17 mtime=1.5\n"), good.clone()].concat()).unwrap();
        assert_eq!(look(&file).unwrap().names, ["ai-tools:1"], "other words of pax");
        let other = list("node:22");
        for more in [
            entry("manifest.json", b'0', &other),
            entry("./manifest.json", b'0', &other),
            entry("x/../manifest.json", b'0', &other),
            [entry("y", b'x', "22 path=manifest.json\n"), entry("y", b'0', &other)].concat(),
            [entry("././@LongLink", b'L', "manifest.json\0"), entry("y", b'0', &other)].concat(),
            entry("d/index.json", b'0', "{}"),
        ] {
            for bytes in [[good.clone(), more.clone()].concat(), [more, good.clone()].concat()] {
                std::fs::write(&file, bytes).unwrap();
                assert!(look(&file).unwrap_err().to_string().contains(TWICE));
            }
        }
    }
}
