//! The way through a company's network: its proxy, and the certificate authorities that it signs with.

use std::path::PathBuf;

use crate::core::admit::path::{PathKind, authority_files};
use crate::core::config::{Config, Origin};
use crate::core::container::USER;
use crate::core::engine;
use crate::core::facts::Facts;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::image::{TOOL_IMAGE, installed_tool};
use crate::core::plan::env::Variables;
use crate::core::plan::guard;
use crate::core::plan::{Request, image};

/// The variables by which programs are told of a proxy. Some read one case only.
pub const PROXY_VARIABLES: [&str; 8] =
    ["HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY", "ALL_PROXY", "https_proxy", "http_proxy", "no_proxy", "all_proxy"];

/// The variables that say what is reached without a proxy.
const NO_PROXY: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// The variables by which programs and package managers are told of certificate authorities.
const AUTHORITY_VARIABLES: [&str; 11] = [
    "NODE_EXTRA_CA_CERTS",
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "GIT_SSL_CAINFO",
    "PIP_CERT",
    "CARGO_HTTP_CAINFO",
    "CODEX_CA_CERTIFICATE",
    "AWS_CA_BUNDLE",
    "DENO_CERT",
    "npm_config_cafile",
];

/// Where the authorities of the person's network are in the container.
pub const AUTHORITIES: &str = "ca.pem";

/// Adds the variables of the proxy and of the authorities.
pub(super) fn variables(request: &Request, variables: &mut Variables) {
    let Request { config, facts, .. } = request;
    let proxy = &config.settings.proxy;
    match proxy.value.as_str() {
        // The helper goes through the person's proxy; inside, the helper is the proxy.
        _ if request.is_guarded() => guard::variables(request, variables),
        "off" => {}
        "auto" => {
            for name in PROXY_VARIABLES.iter().filter(|name| facts.env.text(name).is_some()) {
                variables.inherited(name, "your network's proxy", Origin::Host);
            }
            if has_proxy(request) {
                node_too(variables, Origin::Host);
            }
        }
        url => {
            for name in ["HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"] {
                variables.literal(name, url, "the proxy", proxy.origin.clone());
            }
            node_too(variables, proxy.origin.clone());
            // Programs read one case or the other: both say the same.
            let set = config.admitted.literals().into_iter().find(|(name, _)| NO_PROXY.contains(&name.as_str()));
            let own = NO_PROXY.iter().find_map(|name| facts.env.text(name)).map(|own| (own, Origin::Host));
            let own = set.map(|(_, own)| (own.value.as_str(), own.origin.clone())).or(own);
            let (value, origin) = own.unwrap_or(("localhost,127.0.0.1,::1", proxy.origin.clone()));
            for name in NO_PROXY {
                variables.literal(name, value, "what is reached without the proxy", origin.clone());
            }
        }
    }
    if !request.authorities().is_empty() {
        for name in AUTHORITY_VARIABLES {
            let origin = if config.settings.ca.value == "auto" { Origin::Host } else { config.settings.ca.origin.clone() };
            variables.literal(name, &format!("{USER}/{AUTHORITIES}"), "the certificate authorities of your network", origin);
        }
    }
}

/// Adds what makes node 22 and newer read the variables of a proxy.
pub(super) fn node_too(variables: &mut Variables, origin: Origin) {
    variables.literal("NODE_USE_ENV_PROXY", "1", "node does not read these variables by itself", origin);
}

/// Returns words for `NODE_OPTIONS` that keep node from warning about that variable. A node before 20.11 would not start with them,
/// so they are for images of ours.
pub(super) fn node_options(request: &Request) -> Option<&'static str> {
    let image = image(request.tool, request.config);
    let is_ours = image == TOOL_IMAGE || installed_tool(&image).is_some();
    (is_ours && has_proxy(request)).then_some("--disable-warning=UNDICI-EHPA")
}

/// Whether programs inside are told of a proxy.
fn has_proxy(request: &Request) -> bool {
    match request.config.settings.proxy.value.as_str() {
        _ if request.is_guarded() => true,
        "off" => false,
        "auto" => PROXY_VARIABLES.iter().any(|name| !NO_PROXY.contains(name) && request.facts.env.is_set(name)),
        _ => true,
    }
}

impl Request<'_> {
    /// Returns the file of authorities that the person's network needs, if it needs one.
    pub(super) fn authorities(&self) -> Vec<PathBuf> {
        authorities(self.config, self.facts)
    }
}

/// Returns the files whose certificate authorities programs in a container, or the build of an image, must trust beside their own.
pub fn authorities(config: &Config, facts: &Facts) -> Vec<PathBuf> {
    let is_file = |path: &PathBuf| facts.look(path).is_some_and(|thing| thing.kind == PathKind::File);
    let mut files: Vec<PathBuf> = authority_files(config, &facts.env).into_iter().filter(is_file).collect();
    files.dedup();
    if files.is_empty() && config.settings.ca.value == "auto" {
        files.extend(facts.system_authorities.clone());
    }
    files
}

/// Fails for a file of authorities that was named and is not there.
pub(super) fn check(request: &Request) -> Result<()> {
    let ca = &request.config.settings.ca;
    if !matches!(ca.value.as_str(), "auto" | "off") {
        let is_absolute = authority_files(request.config, &request.facts.env).iter().all(|path| path.is_absolute());
        if !is_absolute || request.authorities().is_empty() {
            let why = if is_absolute { "there is no such file" } else { "its path is not absolute" };
            return Err(Failure::new(
                Kind::Config,
                format!("cannot use the certificate authorities `{}` ({}): {why}", ca.value, ca.origin),
            )
            .hint("ca = \"auto\", \"off\", or the absolute path of a PEM file"));
        }
    }
    Ok(())
}

/// Says that a proxy on this machine's loopback is out of reach, where it is.
pub(super) fn note(request: &Request) -> Option<String> {
    let settings = &request.config.settings;
    if settings.proxy.value == "off" || settings.network.value == "host" || request.is_guarded() {
        return None;
    }
    let own = Some(settings.proxy.value.as_str()).filter(|url| *url != "auto");
    let of_host = || PROXY_VARIABLES.iter().filter(|name| !NO_PROXY.contains(name)).find_map(|name| request.facts.env.text(name));
    let url = own.or_else(of_host)?;
    let host = url.rsplit_once("://").map_or(url, |(_, rest)| rest);
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host).trim_end_matches('/');
    engine::is_loopback(host).then(|| {
        format!(
            "the proxy at {host} is your machine's own loopback, which the container does not reach; hint: AI_NETWORK=host, or AI_PROXY=off"
        )
    })
}
