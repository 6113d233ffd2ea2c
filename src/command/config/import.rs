//! `ai config import`: a file of shell lines that set variables becomes data, keys among them files that only the person can read.

use std::path::Path;

use crate::command::config::change;
use crate::core::commit::secrets::KeyScanner;
use crate::core::config::import::{ImportedVariable, add, is_secret, read, secret_file};
use crate::core::failure::{Failure, Kind, Result};
use crate::host::fs::files::{private_dir, read_text, write_private};
use crate::host::{Host, output};

pub fn run(file: &Path) -> Result<u8> {
    let host = Host::to_write()?;
    let missing = || Failure::new(Kind::Config, format!("cannot import `{}`: it is not there", file.display())).hint("ls");
    let text = read_text(file)?.ok_or_else(missing)?;
    let found = read(&text).map_err(|refused| {
        let failure = Failure::new(Kind::Config, format!("cannot import `{}`: not every line sets a variable to a value", file.display()));
        let causes = refused.into_iter().fold(failure, Failure::because);
        causes.hint("write the value itself, or take the line out; nothing was imported")
    })?;
    let scanner = KeyScanner::default();
    let (secrets, literals): (Vec<&ImportedVariable>, Vec<_>) = found.iter().partition(|one| is_secret(&scanner, one));
    let before = change::text(&host)?;
    let (after, kept) = add(&before, &literals, &secrets).map_err(|why| {
        Failure::new(Kind::Config, format!("cannot add to `{}`", host.store.config().display())).because(why).hint("ai config edit")
    })?;
    change::judged(&host, &after)?;
    for secret in secrets.iter().filter(|secret| !kept.contains(&secret.name)) {
        let path = host.store.root().join(secret_file(&secret.name));
        if read_text(&path)?.is_some_and(|there| there.trim_end() != secret.value) {
            return Err(Failure::new(Kind::Config, format!("cannot import {}: `{}` holds another value", secret.name, path.display()))
                .hint("take one of the two out; nothing was imported"));
        }
        let written = path.parent().map_or(Ok(()), private_dir).and_then(|()| write_private(&path, secret.value.as_bytes()));
        written.map_err(|error| Failure::new(Kind::General, format!("cannot write `{}`", path.display())).because(error))?;
    }
    if after == before {
        output::note("all of it is there already");
        return Ok(0);
    }
    change::replace(&host, &before, &after)?;
    let names = |some: &[&ImportedVariable]| {
        let names: Vec<&str> = some.iter().filter(|one| !kept.contains(&one.name)).map(|one| one.name.as_str()).collect();
        if names.is_empty() { "none".to_owned() } else { names.join(", ") }
    };
    output::note(&format!("variables: {}; secrets, each in a file of its own: {}", names(&literals), names(&secrets)));
    if !kept.is_empty() {
        output::note(&format!("left as they were in your configuration: {}", kept.join(", ")));
    }
    output::note(&format!("ai config rollback takes it back; `{}` is as it was, and still holds the keys", file.display()));
    Ok(0)
}
