//! Images of one's own: built from what their recipes say, and removed when no project has them any more.

use std::ffi::OsString;
use std::path::Path;

use crate::core::facts::Facts;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::image::{Below, MADE, MadeImage};
use crate::core::plan::store_id;
use crate::host::engine::image::{Options, builder, inspect, pin, remember, versions};
use crate::host::engine::{self, Image};
use crate::host::fs::files::{private_dir, write};
use crate::host::fs::own;
use crate::host::machine::process;
use crate::host::{Host, output};

/// Builds an image on what its recipe says, and what is below it unless that is there; the engine's own progress goes to stderr.
pub fn build(host: &Host, facts: &Facts, made: &MadeImage, options: &Options) -> Result<()> {
    let program = builder(facts)?.into_os_string();
    if let Some((name, below)) = &made.below
        && (options.no_cache || engine::check(&facts.engine, name)? == Image::Missing)
    {
        output::note(&format!("building {name}, on which the image of this project stands"));
        build_below(host, facts, name, below, options)?;
    }
    output::note(&format!("building {}, the image of this project", made.name));
    let mut argv = vec![program, "build".into(), "--tag".into(), made.name.clone().into()];
    argv.extend(labels(host));
    argv.extend(options.way());
    argv.push("-".into());
    ended(&made.name, process::feed(&argv, made.dockerfile(&options.certificates).as_bytes())?)?;
    // Looked at before anything is claimed.
    inspect(facts, &made.name)?;
    output::note(&format!("built {}", made.name));
    remember(host, &made.name, &versions(&inspect(facts, &made.tools)?));
    pin(host, facts, &made.name)
}

/// Returns a label that says whose it is: nothing else is ever removed.
fn label(host: &Host) -> String {
    format!("ai.made={}-{}", crate::host::uid(), store_id(host.store.root()))
}

pub(super) fn labels(host: &Host) -> [OsString; 2] {
    ["--label".into(), label(host).into()]
}

fn ended(name: &str, code: u8) -> Result<()> {
    if code == 0 {
        return Ok(());
    }
    Err(Failure::new(Kind::Unavailable, format!("cannot build {name}: the builder ended with {code}"))
        .hint("its last lines above say why; `ai help config` says what an image is made from; behind a company's proxy: `proxy` and `ca`"))
}

fn build_below(host: &Host, facts: &Facts, name: &str, below: &Below, options: &Options) -> Result<()> {
    let cannot = |error: std::io::Error| Failure::new(Kind::General, format!("cannot build {name}")).because(error);
    let directory = tempfile::Builder::new().prefix("ai-build-").tempdir_in(host.temporary_base()).map_err(cannot)?;
    lay_out(directory.path(), below).map_err(cannot)?;
    let program = builder(facts)?;
    let top = directory.path();
    let argv: Vec<OsString> = match &below.features {
        Some(file) => {
            let features = host.program("devcontainer").ok_or_else(|| {
                Failure::new(
                    Kind::Unavailable,
                    format!("cannot build {name}: its devcontainer.json has features, and `devcontainer` is not installed"),
                )
                .hint("npm install --global @devcontainers/cli; or take `features` out, and say what they bring with `apt` and `run`")
            })?;
            let mut argv = vec![features.into_os_string(), "build".into(), "--workspace-folder".into(), top.into()];
            argv.extend([
                "--config".into(),
                top.join(file).into(),
                "--image-name".into(),
                name.into(),
                "--docker-path".into(),
                program.into(),
            ]);
            argv.extend(options.no_cache.then(|| "--no-cache".into()));
            argv
        }
        None => {
            let mut argv = vec![program.into_os_string(), "build".into(), "--tag".into(), name.into()];
            argv.extend(labels(host));
            argv.extend(options.way());
            argv.extend(below.target.iter().flat_map(|target| ["--target".into(), target.into()]));
            argv.extend(below.args.iter().flat_map(|(name, value)| ["--build-arg".into(), format!("{name}={value}").into()]));
            argv.extend(["--file".into(), top.join(&below.dockerfile).into(), top.join(&below.context).into()]);
            argv
        }
    };
    ended(name, process::feed(&argv, b"")?)
}

/// Writes the files that were read, so that what is built is what was judged.
fn lay_out(top: &Path, below: &Below) -> std::io::Result<()> {
    private_dir(&top.join(&below.context))?;
    let in_place = |path: &Path| path.parent().map_or(Ok(()), |parent| private_dir(&top.join(parent)));
    for (path, file) in &below.files {
        in_place(path)?;
        write(&top.join(path), &file.bytes, if file.is_executable { 0o755 } else { 0o644 })?;
    }
    for (path, to) in &below.links {
        in_place(path)?;
        own::make_link(top.join(path), to)?;
    }
    Ok(())
}

/// Returns the names of all images that this store made on this engine.
pub fn list(host: &Host, facts: &Facts) -> Result<Vec<String>> {
    let filter = format!("label={}", label(host));
    let args = ["images", "--format", "{{.Repository}}:{{.Tag}}", "--filter", &filter];
    let (status, stdout, stderr) = process::output(builder(facts)?.as_os_str(), &args)?;
    if !status.success() {
        return Err(Failure::new(Kind::Unavailable, "cannot list the images").because(String::from_utf8_lossy(&stderr)));
    }
    let names = String::from_utf8_lossy(&stdout);
    let ours = names.lines().map(|line| line.trim_start_matches("localhost/")).filter(|name| name.starts_with(&format!("{MADE}:")));
    Ok(ours.map(str::to_owned).collect())
}

/// Removes an image by its name; its content stays where something else stands on it.
pub fn remove(facts: &Facts, name: &str) -> Result<()> {
    let (status, _, stderr) = process::output(builder(facts)?.as_os_str(), &["rmi", name])?;
    if status.success() {
        return Ok(());
    }
    Err(Failure::new(Kind::Unavailable, format!("cannot remove {name}")).because(String::from_utf8_lossy(&stderr)))
}
