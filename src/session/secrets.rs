//! The secrets of a run, fetched from where they are kept.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use crate::core::admit::variable::refusal_of_value;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::plan::secret::{FoundSecret, SecretSource};
use crate::core::text::typed::typed;
use crate::core::tool::manifest::SecretDelivery;
use crate::host::fs::files;
use crate::host::machine::process;
use crate::host::store::secret_files;
use crate::host::{self, Host, output};
use crate::session::context::Context;

/// Returns secrets of a tool, by the names that they have in the container. Those that are to be files are written into `files`,
/// where such a directory is given.
pub fn fetch(context: &Context, found: Vec<FoundSecret>, files: Option<&Path>) -> Result<Vec<(String, OsString)>> {
    let mut env = Vec::new();
    for found in found {
        let value = match value(&context.host, &found.name, &found.place) {
            Err(failure) if found.is_optional => {
                output::warn(&format!("{}; this run goes on without it", failure.message));
                match found.delivery {
                    SecretDelivery::Env => continue,
                    // Its place is mounted.
                    SecretDelivery::File => OsString::new(),
                }
            }
            value => value?,
        };
        match files.filter(|_| found.delivery == SecretDelivery::File) {
            Some(directory) => secret_files::write_one(directory, &found.name, value.as_bytes()).map_err(|error| {
                Failure::new(Kind::General, format!("cannot deliver {} as a file", found.name)).because(error).hint("deliver = \"env\"")
            })?,
            None => {
                if let Some(why) = refusal_of_value(&found.name, value.as_bytes()) {
                    return Err(Failure::new(Kind::Config, format!("cannot get {}: {why}", found.name)).hint("deliver = \"file\""));
                }
                env.push((found.name, value));
            }
        }
    }
    Ok(env)
}

/// Returns the value of one secret.
pub fn value(host: &Host, name: &str, place: &SecretSource) -> Result<OsString> {
    let failed = |why: String| Failure::new(Kind::Config, format!("cannot get {name}: {why}"));
    let bytes = match place {
        SecretSource::Env(name) => return Ok(host.env.get(name).unwrap_or_default().to_owned()),
        SecretSource::File(path) => {
            if !host::is_private(path) {
                output::warn(&format!("`{}` can be read by others; hint: chmod 600 {}", path.display(), typed(&path.to_string_lossy())));
            }
            let text = files::read_text(path)?;
            text.ok_or_else(|| failed(format!("`{}` is gone", path.display())))?.into_bytes()
        }
        SecretSource::Command(command) => {
            let [program, args @ ..] = command.as_slice() else { return Err(failed("its command is empty".into())) };
            let program = host.program(program).ok_or_else(|| failed(format!("`{program}` is not installed")))?;
            let args: Vec<&str> = args.iter().map(String::as_str).collect();
            let (status, stdout, stderr) = process::output(OsStr::new(&program), &args)?;
            if !status.success() {
                return Err(failed(format!("`{}` failed", command.join(" "))).because(String::from_utf8_lossy(&stderr)));
            }
            stdout
        }
    };
    let end = bytes.iter().rposition(|byte| !byte.is_ascii_whitespace()).map_or(0, |last| last + 1);
    if end == 0 {
        return Err(failed("it is empty".into()));
    }
    Ok(OsString::from_vec(bytes[..end].to_vec()))
}
