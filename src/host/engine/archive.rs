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
        if let Some(at) = LISTS.iter().position(|name| *name == entry.name)
            && entry.size <= LARGEST
        {
            let mut text = Vec::new();
            (&mut archive).take(entry.size).read_to_end(&mut text)?;
            behind = behind.saturating_sub(text.len() as u64);
            lists[at] = Some(text);
        }
        let Ok(behind) = i64::try_from(behind) else { break };
        archive.seek(SeekFrom::Current(behind))?;
    }
    let [manifest, index] = lists;
    manifest.and_then(|manifest| Archived::read(&manifest, index.as_deref())).ok_or_else(|| cannot("it is no archive of an image"))
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

/// Returns the bill of materials of an image; nothing where it has none.
pub fn bill(engine: &Engine, image: &str) -> Result<Option<Value>> {
    let parts = [Part::Program("cat"), Part::Ephemeral, Part::Network("none".into()), Part::NoDownload, Part::NoLog];
    let args = render::container(parts.iter(), image, &[SBOM.into()], engine.kind);
    let (status, stdout, _) = process::output(&render::program(engine), &args)?;
    let bill: Option<Value> = serde_json::from_slice(&stdout).ok().filter(|_| status.success());
    Ok(bill.filter(|bill| bill["bomFormat"] == "CycloneDX"))
}
