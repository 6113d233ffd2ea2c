//! Images of the engine: built from the Dockerfile that comes with the program, inspected, and remembered.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::core::admit::authority;
use crate::core::config::Config;
use crate::core::facts::Facts;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::plan::proxy::{PROXY_VARIABLES, authorities};
use crate::host::machine::process;
use crate::host::store::{admit, image};
use crate::host::{Host, engine, output};

const DOCKERFILE: &str = include_str!("../../../templates/Dockerfile");

/// What a build is made of.
#[derive(Debug)]
pub struct Options {
    pub tag: String,
    pub base: Option<String>,
    pub network: Option<String>,
    pub versions: Vec<(String, String)>,
    pub no_cache: bool,
    /// Build arguments that the engine's client takes from its own environment: the proxy.
    pub inherited: Vec<String>,
    /// Certificates that the steps of the build must trust.
    pub certificates: Vec<String>,
}

impl Options {
    /// Returns what the configuration says of a build on this host, with the way through its network.
    pub fn new(config: &Config, facts: &Facts, tag: String) -> Self {
        let build = &config.build;
        let proxies = PROXY_VARIABLES.iter().filter(|name| config.settings.proxy.value == "auto" && facts.env.text(name).is_some());
        let mut options = Self {
            tag,
            base: build.base.clone(),
            network: build.network.clone(),
            versions: build.versions.clone().into_iter().collect(),
            no_cache: false,
            inherited: proxies.map(|name| (*name).to_owned()).collect(),
            certificates: admit::certificates(&authorities(config, facts)),
        };
        if !matches!(config.settings.proxy.value.as_str(), "auto" | "off") {
            let url = &config.settings.proxy.value;
            options.inherited.extend(["HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"].map(|name| format!("{name}={url}")));
        }
        options
    }

    fn argv(&self, program: OsString) -> Vec<OsString> {
        let mut argv: Vec<OsString> = vec![program, "build".into(), "--tag".into(), self.tag.clone().into()];
        let arg = |name: &str, value: &str| ["--build-arg".into(), format!("{name}={value}").into()];
        if let Some(base) = &self.base {
            argv.extend(arg("BASE", base));
        }
        for (name, version) in &self.versions {
            argv.extend(arg(&format!("{}_VERSION", name.to_ascii_uppercase().replace('-', "_")), version));
        }
        argv.extend(self.way());
        argv.push("-".into());
        argv
    }

    /// Returns the words for the way to the network, and for the layers of earlier builds.
    pub(super) fn way(&self) -> Vec<OsString> {
        let mut words = Vec::new();
        if let Some(network) = &self.network {
            words.extend(["--network".into(), network.into()]);
        }
        for name in &self.inherited {
            words.extend(["--build-arg".into(), name.into()]);
        }
        if self.no_cache {
            words.push("--no-cache".into());
        }
        words
    }
}

/// Builds; the engine's own progress goes to stderr.
pub fn build(host: &Host, facts: &Facts, options: &Options) -> Result<()> {
    let program = builder(facts)?;
    if options.tag.contains('@') {
        return Err(Failure::new(Kind::Usage, format!("cannot build `{}`: a digest names what is there already", options.tag))
            .hint("--tag NAME:TAG"));
    }
    for (name, _) in &options.versions {
        if !DOCKERFILE.contains(&format!("ARG {}_VERSION", name.to_ascii_uppercase().replace('-', "_"))) {
            return Err(Failure::new(Kind::Usage, format!("cannot build with `{name}`: the image has no such tool")).hint("ai tools"));
        }
    }
    output::note(&format!("building {}; this takes a few minutes the first time", options.tag));
    let code = process::feed(&options.argv(program.into_os_string()), authority::trusting(DOCKERFILE, &options.certificates).as_bytes())?;
    if code != 0 {
        return Err(Failure::new(Kind::Unavailable, format!("cannot build {}: the engine ended with {code}", options.tag))
            .hint("its last lines above say why; the build needs the network and a Debian base image with node (--base); behind a company's proxy: ai help config, `proxy` and `ca`"));
    }
    // Looked at before anything is claimed.
    let details = inspect(facts, &options.tag)?;
    output::note(&format!("built {}", options.tag));
    remember(host, &options.tag, &versions(&details));
    pin(host, facts, &options.tag)
}

/// Returns the program that builds.
pub(super) fn builder(facts: &Facts) -> Result<PathBuf> {
    facts.engine.program.clone().ok_or_else(|| {
        Failure::new(Kind::Unavailable, format!("cannot build: `{}` is not installed", facts.engine.kind.program()))
            .hint("install Docker or podman")
    })
}

/// Remembers what a name that was built stands for.
pub(super) fn pin(host: &Host, facts: &Facts, tag: &str) -> Result<()> {
    let id = engine::image_id(&facts.engine, tag)?;
    if let Err(error) = image::set_pin(&host.store, &facts.engine, tag, Some(&id)) {
        output::warn(&format!("cannot remember what {tag} stands for: {error}"));
    }
    Ok(())
}

/// Returns what the engine knows of an image.
pub fn inspect(facts: &Facts, image: &str) -> Result<serde_json::Value> {
    let program = facts.engine.program.as_ref().ok_or_else(|| Failure::new(Kind::Unavailable, "no engine is installed"))?;
    let (status, stdout, stderr) = process::output(program.as_os_str(), &["image", "inspect", image])?;
    let inspected: serde_json::Value = serde_json::from_slice(&stdout).unwrap_or_default();
    let details = inspected.get(0).filter(|_| status.success()).cloned();
    details.ok_or_else(|| Failure::new(Kind::Unavailable, format!("cannot inspect {image}")).because(String::from_utf8_lossy(&stderr)))
}

/// Returns the tools in an image, with their versions, by its labels.
pub fn versions(details: &serde_json::Value) -> serde_json::Map<String, serde_json::Value> {
    let labels = details.pointer("/Config/Labels").and_then(serde_json::Value::as_object).cloned().unwrap_or_default();
    labels.into_iter().filter_map(|(key, value)| Some((key.strip_prefix("ai.tool.")?.to_owned(), value))).collect()
}

/// A run looks here, so that it need not ask the engine whether a tool may share its login.
pub fn remember(host: &Host, image: &str, tools: &serde_json::Map<String, serde_json::Value>) {
    if let Err(error) = image::remember(&host.store, image, tools) {
        output::warn(&format!("cannot remember the versions in {image}: {error}"));
    }
}
