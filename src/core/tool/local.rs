//! A profile of a tool for a model on a server of the person's own: Ollama, llama.cpp, vLLM, or what speaks like them.

use std::net::IpAddr;

use serde_json::json;
use toml_edit::{Array, DocumentMut, Item, Table, value};

use crate::core::plan::guard::GUARD;

/// The tools that can be told of another server.
pub const LOCAL_TOOLS: [&str; 4] = ["claude", "codex", "opencode", "qwen"];

/// What the server of a usual Ollama is called.
pub const USUAL_SERVER: &str = "http://127.0.0.1:11434";

/// This machine, from inside.
const MACHINE: &str = "host.docker.internal";

/// The variable that holds the key inside, where the tool has no name of its own for it.
const KEY: &str = "LOCAL_MODEL_KEY";

/// A model behind a server.
#[derive(Clone, Debug)]
pub struct LocalModel {
    /// One of [`LOCAL_TOOLS`].
    pub like: String,
    pub server: ModelServer,
    pub model: String,
    /// The variable of the host that holds a key.
    pub key: Option<String>,
    /// The network of a run, if the person chose one.
    pub network: Option<String>,
}

/// Where a server is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelServer {
    scheme: String,
    host: String,
    port: u16,
    /// Behind the port: empty, or with a slash in front.
    path: String,
}

impl ModelServer {
    /// Reads a URL; what all servers have at its end, `/v1`, may be there or not.
    pub fn parse(text: &str) -> Result<Self, String> {
        let no_url = |why: &str| format!("`{text}` is no server such as {USUAL_SERVER}: {why}");
        let (scheme, rest) = text.split_once("://").ok_or_else(|| no_url("it has no http:// in front"))?;
        if !matches!(scheme, "http" | "https") {
            return Err(no_url("neither http nor https"));
        }
        if rest.contains('@') {
            return Err("a key in a URL would be in an argument; --key NAME says which variable has it".into());
        }
        let (place, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        let path = path.trim_end_matches('/');
        let path = path.strip_suffix("/v1").unwrap_or(path);
        let is_plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte));
        let end_of_host = place.rfind(']').unwrap_or(0);
        let (host, port) = match place.rfind(':').filter(|at| *at >= end_of_host) {
            Some(at) => (&place[..at], place[at + 1..].parse().map_err(|_| no_url("its port is none"))?),
            None => (place, if scheme == "https" { 443 } else { 80 }),
        };
        let name = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let is_host = name.map_or_else(|| !host.is_empty() && is_plain(host) && !host.contains('/'), |host| host.parse::<IpAddr>().is_ok());
        if !is_host || !is_plain(path) || port == 0 {
            return Err(no_url("a host, a port, and no more than a path"));
        }
        Ok(Self { scheme: scheme.into(), host: host.to_ascii_lowercase(), port, path: path.into() })
    }

    fn address(&self) -> Option<IpAddr> {
        self.host.trim_matches(['[', ']']).parse().ok()
    }

    /// Returns whether it is on this machine alone.
    pub fn is_here(&self) -> bool {
        self.host == "localhost" || self.host == MACHINE || self.address().is_some_and(|address| address.is_loopback())
    }

    /// Returns its URL as a container on this network reaches it.
    fn url(&self, network: Option<&str>) -> String {
        let host = if self.is_here() && network != Some("host") { MACHINE } else { &self.host };
        format!("{}://{host}:{}{}", self.scheme, self.port, self.path)
    }

    /// Returns the rule that lets a guarded run reach it.
    fn rule(&self) -> String {
        if self.is_here() {
            return format!("{MACHINE}:{}", self.port);
        }
        let private = if self.address().is_some() { "!private" } else { "" };
        format!("{}:{}{private}", self.host, self.port)
    }
}

impl LocalModel {
    /// Returns the network of its runs: a server on this machine is reached through the guard, and nothing else is.
    pub fn network(&self) -> Option<&str> {
        self.network.as_deref().or_else(|| self.server.is_here().then_some(GUARD))
    }

    /// Returns the manifest.
    pub fn manifest(&self) -> String {
        let Self { like, server, model, key, .. } = self;
        let url = server.url(self.network());
        let mut document = DocumentMut::new();
        document["about"] = value(format!("{like} with {model} of {url}"));
        document["profile_of"] = value(like.as_str());
        for none in ["login", "logout"] {
            document[none] = value(Array::new());
        }
        if let Some(network) = self.network() {
            document["network"] = value(network);
        }
        let v1 = format!("{url}/v1");
        let mut set: Vec<(&str, String)> = Vec::new();
        let mut key_name = KEY;
        match like.as_str() {
            "claude" => {
                key_name = "ANTHROPIC_AUTH_TOKEN";
                set.push(("ANTHROPIC_BASE_URL", url));
                let names =
                    ["ANTHROPIC_MODEL", "ANTHROPIC_DEFAULT_OPUS_MODEL", "ANTHROPIC_DEFAULT_SONNET_MODEL", "ANTHROPIC_DEFAULT_HAIKU_MODEL"];
                set.extend(names.map(|name| (name, model.clone())));
                set.push(("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1".into()));
            }
            "qwen" => {
                key_name = "OPENAI_API_KEY";
                set.extend([("OPENAI_BASE_URL", v1), ("OPENAI_MODEL", model.clone())]);
            }
            "codex" => {
                let key = if key.is_some() { format!(", env_key=\"{KEY}\"") } else { String::new() };
                let provider = format!("model_providers.local={{name=\"local\", base_url=\"{v1}\", wire_api=\"responses\"{key}}}");
                let args = ["-c", "model_provider=\"local\"", "-c", &provider, "-m", model];
                document["args"] = value(args.into_iter().collect::<Array>());
            }
            _ => {
                let key = if key.is_some() { format!("{{env:{KEY}}}") } else { "none".into() };
                let options = json!({ "baseURL": v1, "apiKey": key });
                let provider = json!({ "npm": "@ai-sdk/openai-compatible", "name": "local", "options": options, "models": { model: {} } });
                let name = format!("local/{model}");
                let config = json!({ "provider": { "local": provider }, "model": name, "small_model": name, "autoupdate": false });
                set.extend([("OPENCODE_CONFIG_CONTENT", config.to_string()), ("OPENCODE_DISABLE_MODELS_FETCH", "1".into())]);
            }
        }
        // These programs send something in any case.
        if key.is_none() && key_name != KEY {
            set.push((key_name, "none".into()));
        }
        document["egress"] = table([("model", value(Array::from_iter([server.rule()])))]);
        if !set.is_empty() {
            document["env"] = implicit([("set", table(set.into_iter().map(|(name, text)| (name, value(text)))))]);
        }
        if let Some(key) = key {
            document["secret"] = implicit([(key_name, table([("env", value(Array::from_iter([key.as_str()])))]))]);
        }
        document.to_string()
    }
}

fn table<'a>(entries: impl IntoIterator<Item = (&'a str, Item)>) -> Item {
    let mut table = Table::new();
    for (key, entry) in entries {
        table.insert(key, entry);
    }
    Item::Table(table)
}

/// Returns a table that has tables alone, and no head of its own.
fn implicit<'a>(entries: impl IntoIterator<Item = (&'a str, Item)>) -> Item {
    let mut table = table(entries);
    if let Some(table) = table.as_table_mut() {
        table.set_implicit(true);
    }
    table
}

/// Returns the name of a model, as an argument and a value can hold it.
pub fn model(text: &str) -> Result<String, String> {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "-._:/@+".contains(character);
    if text.is_empty() || text.starts_with('-') || !text.chars().all(is_plain) {
        return Err(format!("`{text}` is no name of a model such as qwen3-coder or gpt-oss:20b"));
    }
    Ok(text.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::tool::examine::examine;
    use crate::core::tool::manifest::ManifestText;
    use crate::core::tool::{self, Tool};

    fn local(like: &str, server: &str, key: Option<&str>, network: Option<&str>) -> LocalModel {
        let (key, network) = (key.map(str::to_owned), network.map(str::to_owned));
        LocalModel { like: like.into(), server: ModelServer::parse(server).unwrap(), model: "qwen3-coder:30b".into(), key, network }
    }

    fn loaded(local: &LocalModel) -> Tool {
        let text = local.manifest();
        let source = ManifestText::own(&text, "x.toml");
        assert_eq!(examine("mine", &source, |name| Ok(tool::built_in(name))), [], "{text}");
        let source = |name: &str| Ok(if name == "mine" { Some(ManifestText::own(&text, "x.toml")) } else { tool::built_in(name) });
        Tool::load("mine", source).unwrap().unwrap()
    }

    // TO-04
    #[test]
    fn a_server_on_this_machine_is_all_that_a_run_reaches() {
        for like in LOCAL_TOOLS {
            let manifest = loaded(&local(like, "http://localhost:11434/v1/", None, None)).manifest;
            assert_eq!(manifest.network.as_deref(), Some("guard"), "{like}");
            assert_eq!(manifest.egress.model.iter().map(ToString::to_string).collect::<Vec<_>>(), ["host.docker.internal:11434"]);
            assert!(manifest.login.is_empty() && manifest.logout.is_empty() && manifest.secret.is_empty(), "{like}");
            let said = format!("{:?} {:?}", manifest.env.set, manifest.args);
            assert!(said.contains("http://host.docker.internal:11434") && said.contains("qwen3-coder:30b"), "{said}");
            assert!(!said.contains("/v1/v1") && !said.contains("localhost"), "{said}");
            let on_host = loaded(&local(like, "http://127.0.0.1:8080", None, Some("host"))).manifest;
            assert!(format!("{:?} {:?}", on_host.env.set, on_host.args).contains("http://127.0.0.1:8080"), "{like}");
        }
    }

    // TO-04
    #[test]
    fn a_server_elsewhere_is_reached_as_usual_and_its_key_is_a_secret() {
        for (like, name) in [("claude", "ANTHROPIC_AUTH_TOKEN"), ("qwen", "OPENAI_API_KEY"), ("codex", KEY), ("opencode", KEY)] {
            let local = local(like, "https://models.corp/gateway", Some("CORP_KEY"), None);
            let manifest = loaded(&local).manifest;
            assert_eq!((manifest.network, manifest.secret[name].env.as_slice()), (None, &["CORP_KEY".to_owned()][..]), "{like}");
            assert_eq!(manifest.egress.model[0].to_string(), "models.corp:443");
            let said = format!("{:?} {:?}", manifest.env.set, manifest.args);
            assert!(said.contains("https://models.corp:443/gateway") && (name != KEY || said.contains(KEY)), "{said}");
        }
        assert_eq!(
            loaded(&local("qwen", "http://10.0.0.7:8000", None, None)).manifest.egress.model[0].to_string(),
            "10.0.0.7:8000!private"
        );
    }

    #[test]
    fn what_is_no_server_and_no_model_is_refused() {
        for text in [
            "",
            "127.0.0.1:11434",
            "ftp://a",
            "http://",
            "http://a:0",
            "http://a:x",
            "http://a b",
            "http://k@a",
            "http://a/\"",
            "http://[a]",
        ] {
            assert!(ModelServer::parse(text).is_err(), "{text}");
        }
        assert!(ModelServer::parse("http://[::1]:8080").unwrap().is_here());
        assert!(!ModelServer::parse("http://192.168.0.5:8080").unwrap().is_here());
        for text in ["", "-m", "a b", "a\"b", "a\n"] {
            assert!(model(text).is_err(), "{text}");
        }
        assert_eq!(model("hf.co/x/Y-GGUF:Q4_K_M").as_deref(), Ok("hf.co/x/Y-GGUF:Q4_K_M"));
    }
}
