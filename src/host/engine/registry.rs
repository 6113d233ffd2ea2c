//! Asks a registry of packages which version is the newest, from a container that has nothing.

use std::ffi::OsString;
use std::time::Duration;

use serde_json::Value;

use crate::core::engine::kind::Engine;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::plan::{Part, Variable};
use crate::core::render;
use crate::host::machine::process;
use crate::host::store::image::UpdatedVersion;

/// Where a package comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registry {
    Npm,
    Pip,
}

/// Returns the newest version of a package, as the program in `image` is told.
pub fn newest(
    engine: &Engine,
    image: &str,
    network: Option<&str>,
    registry: Registry,
    package: &str,
    patience: Duration,
) -> Result<UpdatedVersion> {
    let (program, words): (_, Vec<String>) = match registry {
        Registry::Npm => ("npm", ["view", &format!("{package}@latest"), "version", "dist.integrity", "--json"].map(String::from).into()),
        Registry::Pip => ("pip3", ["index", "versions", "--disable-pip-version-check", package].map(String::from).into()),
    };
    let parts = [
        Part::Program(program),
        Part::Ephemeral,
        Part::Reaper,
        Part::Network(network.unwrap_or("bridge").into()),
        Part::NoDownload,
        Part::NoLog,
        Part::Variable(Variable::Literal("HOME".into(), "/tmp".into())),
        Part::Variable(Variable::Inherited("NPM_CONFIG_REGISTRY".into())),
        Part::Variable(Variable::Inherited("PIP_INDEX_URL".into())),
    ];
    let words: Vec<OsString> = words.into_iter().map(OsString::from).collect();
    let args = render::container(parts.iter(), image, &words, engine.kind);
    let cannot = || Failure::new(Kind::Unavailable, format!("cannot ask for the newest version of {package}"));
    let (status, stdout, stderr) = process::output_within(&render::program(engine), &args, patience)?;
    if !status.success() {
        return Err(cannot().because(String::from_utf8_lossy(&stderr)).hint("what is built stays as it is; is the registry reachable?"));
    }
    read(registry, &String::from_utf8_lossy(&stdout)).ok_or_else(|| cannot().because("its answer names none"))
}

/// Reads what npm or pip said. A version is checked where it is used.
fn read(registry: Registry, said: &str) -> Option<UpdatedVersion> {
    match registry {
        Registry::Npm => {
            let answer: Value = serde_json::from_str(said).ok()?;
            let text = |key: &str| answer.get(key).and_then(Value::as_str).map(str::to_owned);
            Some(UpdatedVersion { version: text("version")?, integrity: text("dist.integrity").filter(|hash| hash.starts_with("sha512-")) })
        }
        Registry::Pip => {
            let version = said.split_once('(')?.1.split_once(')')?.0;
            Some(UpdatedVersion { version: version.into(), integrity: None })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_registry_s_answer_is_read() {
        let said = r#"{"version": "1.2.3", "dist.integrity": "sha512-x"}"#;
        let found = read(Registry::Npm, said).unwrap();
        assert_eq!((found.version.as_str(), found.integrity.as_deref()), ("1.2.3", Some("sha512-x")));
        assert_eq!(read(Registry::Npm, "[]"), None);
        assert_eq!(read(Registry::Pip, "x (1.2)\nAvailable versions: 1.2, 1.1").unwrap().version, "1.2");
        assert_eq!(read(Registry::Pip, ""), None);
    }
}
