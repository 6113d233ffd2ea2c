//! Images of the engine: built from the Dockerfile that comes with the program, inspected, and remembered.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::core::admit::authority;
use crate::core::config::Config;
use crate::core::engine::kind::Engine;
use crate::core::engine::kind::EngineKind;
use crate::core::facts::Facts;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::image::{DOCKERFILE, InstalledImage, mirrored, shared_base, tools_dockerfile};
use crate::core::plan::proxy::{PROXY_VARIABLES, authorities};
use crate::host::engine::recipe;
use crate::host::machine::process;
use crate::host::store::{admit, image};
use crate::host::{Host, engine, output};

/// Where npm and pip look for packages, as both spell it.
const REGISTRIES: [&str; 2] = ["NPM_CONFIG_REGISTRY", "PIP_INDEX_URL"];

/// What a build is made of.
#[derive(Debug)]
pub struct Options {
    pub tag: String,
    pub base: Option<String>,
    pub network: Option<String>,
    pub versions: Vec<(String, String)>,
    pub no_cache: bool,
    /// Whether the engine is told to remove the container of a step that failed, which Docker's first builder leaves otherwise.
    pub removes_failed: bool,
    /// Build arguments that the engine's client takes from its own environment: the proxy.
    pub inherited: Vec<String>,
    /// Variables that name registries of packages, set on the host.
    pub registries: Vec<&'static str>,
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
            base: build.base.clone().or_else(|| mirrored(build.mirror.as_deref()?, shared_base())),
            network: build.network.clone(),
            versions: build.versions.clone().into_iter().collect(),
            no_cache: false,
            removes_failed: matches!(facts.engine.kind, EngineKind::Docker | EngineKind::Podman),
            inherited: proxies.map(|name| (*name).to_owned()).collect(),
            // One with a password in it would stay in the image's history.
            registries: REGISTRIES
                .into_iter()
                .filter(|name| facts.env.text(name).is_some_and(|url| !url.is_empty() && !url.contains('@')))
                .collect(),
            certificates: admit::certificates(&authorities(config, facts)),
        };
        if !matches!(config.settings.proxy.value.as_str(), "auto" | "off") {
            let url = &config.settings.proxy.value;
            options.inherited.extend(["HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"].map(|name| format!("{name}={url}")));
        }
        options
    }

    /// Returns the same for the image of one tool, whose manifest knows best what the program needs to begin with.
    pub fn of_tool(config: &Config, facts: &Facts, image: &InstalledImage) -> Self {
        let options = Self::new(config, facts, image.name());
        let named = image.rules.base.as_ref();
        let at_mirror = named.and_then(|base| mirrored(config.build.mirror.as_deref()?, base));
        Self { base: at_mirror.or_else(|| named.cloned()).or(options.base), ..options }
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
        argv.extend(self.registries());
        argv.extend(self.way());
        argv.push("-".into());
        argv
    }

    /// Returns the words for a step that asks registries of packages: the host's own, where it names them.
    fn registries(&self) -> Vec<OsString> {
        self.registries.iter().flat_map(|name| ["--build-arg".into(), name.into()]).collect()
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
        if self.removes_failed {
            words.push("--force-rm".into());
        }
        words
    }
}

impl Options {
    /// Returns what to look at where a build may not have reached the network.
    fn way_out(&self) -> &'static str {
        if self.inherited.is_empty() {
            "behind a company's proxy or mirror: ai help config, `proxy`, `ca` and `[build] mirror`"
        } else {
            "it went through your proxy (`proxy` of ai config show): does that answer?"
        }
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
    let code =
        process::feed(&options.argv(program.into_os_string()), authority::trusting(&tools_dockerfile(), &options.certificates).as_bytes())?;
    if code != 0 {
        return Err(Failure::new(Kind::Unavailable, format!("cannot build {}: the engine ended with {code}", options.tag)).hint(format!(
            "its last lines above say why; the build needs the network and a Debian base image with node (--base); {}",
            options.way_out()
        )));
    }
    // Looked at before anything is claimed.
    let details = inspect(facts, &options.tag)?;
    output::note(&format!("built {}", options.tag));
    remember(host, &options.tag, &versions(&details));
    pin(host, facts, &options.tag)
}

/// Builds the image of one tool that its manifest installs. Where a step or the check fails, the image that was there stays.
pub fn build_tool(host: &Host, facts: &Facts, image: &InstalledImage, options: &Options) -> Result<()> {
    let (program, name) = (builder(facts)?, image.name());
    output::note(&format!("building {name}: {}; this takes a few minutes the first time", image.rules.brings()));
    let mut argv: Vec<OsString> = vec![program.into_os_string(), "build".into(), "--tag".into(), options.tag.clone().into()];
    argv.extend(recipe::labels(host));
    argv.extend(["--label".into(), format!("ai.recipe={}", image.recipe()).into()]);
    if let Some(integrity) = &image.rules.integrity {
        argv.extend(["--label".into(), format!("ai.integrity.{}={integrity}", image.tool).into()]);
    }
    if let Some(base) = &options.base {
        argv.extend(["--build-arg".into(), format!("BASE={base}").into()]);
    }
    argv.extend(options.registries());
    argv.extend(options.way());
    argv.push("-".into());
    let code = process::feed(&argv, authority::trusting(&image.dockerfile, &options.certificates).as_bytes())?;
    if code != 0 {
        let before = engine::check(&facts.engine, &name)? != engine::Image::Missing;
        let stays = if before { "; the image that was there before is still the one that runs" } else { "" };
        return Err(Failure::new(
            Kind::Unavailable,
            format!("cannot build the image of {}: the builder ended with {code}{stays}", image.tool),
        )
        .hint(format!("its last lines above say why; ai tools show {} says what installs it; {}", image.tool, options.way_out())));
    }
    // Looked at before anything is claimed.
    let details = inspect(facts, &name)?;
    output::note(&format!("built {name}"));
    remember(host, &name, &versions(&details));
    pin(host, facts, &name)
}

/// Returns whether an image was built from something else than its manifest says now.
pub fn is_outdated(details: &serde_json::Value, image: &InstalledImage) -> bool {
    details.pointer("/Config/Labels/ai.recipe").and_then(serde_json::Value::as_str) != Some(image.recipe().as_str())
}

/// Returns the program that builds.
pub(super) fn builder(facts: &Facts) -> Result<PathBuf> {
    facts.engine.program.clone().ok_or_else(|| {
        Failure::new(Kind::Unavailable, format!("cannot build: `{}` is not installed", facts.engine.kind.program()))
            .hint("install Docker or podman")
    })
}

/// Remembers what a name that was built stands for.
pub fn pin(host: &Host, facts: &Facts, tag: &str) -> Result<()> {
    let id = engine::image_id(&facts.engine, tag)?;
    if let Err(error) = image::set_pin(&host.store, &facts.engine, tag, Some(&id)) {
        output::warn(&format!("cannot remember what {tag} stands for: {error}"));
    }
    Ok(())
}

/// Returns what the engine knows of an image.
pub fn inspect(facts: &Facts, image: &str) -> Result<serde_json::Value> {
    details(&facts.engine, image)
}

fn details(engine: &Engine, image: &str) -> Result<serde_json::Value> {
    let program = engine.program.as_ref().ok_or_else(|| Failure::new(Kind::Unavailable, "no engine is installed"))?;
    let (status, stdout, stderr) = process::output(program.as_os_str(), &["image", "inspect", image])?;
    let inspected: serde_json::Value = serde_json::from_slice(&stdout).unwrap_or_default();
    let details = inspected.get(0).filter(|_| status.success()).cloned();
    details.ok_or_else(|| Failure::new(Kind::Unavailable, format!("cannot inspect {image}")).because(String::from_utf8_lossy(&stderr)))
}

/// Returns what an image puts before every command.
pub fn entry(facts: &Facts, image: &str) -> Result<Vec<OsString>> {
    let details = details(&facts.engine, image)?;
    let entry = details.pointer("/Config/Entrypoint").and_then(serde_json::Value::as_array).cloned().unwrap_or_default();
    Ok(entry.iter().filter_map(|word| word.as_str().map(OsString::from)).collect())
}

/// Returns what an image's name stands for now, as the engine names its content; nothing where there is no such image.
pub fn content(engine: &Engine, image: &str) -> Option<String> {
    details(engine, image).ok()?["Id"].as_str().map(str::to_owned)
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
