//! Settings sync (placeholder of the branch that carries it).
use serde::Deserialize;
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    pub path: String,
    #[serde(default)]
    pub host: Option<String>,
    pub class: Class,
    #[serde(default)]
    pub keys: Vec<String>,
    #[serde(default)]
    pub executes: Vec<String>,
    #[serde(default)]
    pub seed: Option<String>,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    Json,
    Toml,
    Keys,
    Lines,
    Tree,
}
