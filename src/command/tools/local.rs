//! `ai tools add local`: a profile of a tool for a model on a server of one's own, asked for or said by flags.

use clap::Args;

use crate::core::config::value::plain_name;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::text::nearest::nearest;
use crate::core::tool::local::{LOCAL_TOOLS, LocalModel, ModelServer, USUAL_SERVER, model};
use crate::core::tool::{built_in, is_valid_name, more_names};
use crate::host::{output, pick};

/// The word that stands for it.
pub const LOCAL: &str = "local";

#[derive(Debug, Args)]
pub struct LocalArgs {
    /// Tool that is told of the model: claude, codex, opencode or qwen
    #[arg(long, value_name = "TOOL", help_heading = "For `local`")]
    like: Option<String>,
    /// Where the model is served: Ollama, llama.cpp, vLLM, or what speaks like them
    #[arg(long, value_name = "URL", help_heading = "For `local`")]
    server: Option<String>,
    /// Its name there, such as qwen3-coder
    #[arg(long, help_heading = "For `local`")]
    model: Option<String>,
    /// Name of the new tool
    #[arg(long, help_heading = "For `local`")]
    name: Option<String>,
    /// Variable of this machine that holds a key for the server
    #[arg(long, value_name = "VARIABLE", help_heading = "For `local`")]
    key: Option<String>,
    /// Network of its runs; `guard` for a server on this machine, which is all that they reach then
    #[arg(long, help_heading = "For `local`")]
    network: Option<String>,
}

impl LocalArgs {
    /// Returns whether any of it was said.
    pub fn is_said(&self) -> bool {
        [&self.like, &self.server, &self.model, &self.name, &self.key, &self.network].iter().any(|said| said.is_some())
    }

    /// Returns the name of the tool and its manifest.
    ///
    /// # Errors
    /// Where something is missing and nobody can be asked, or makes no sense.
    pub fn manifest(&self) -> Result<(String, String)> {
        let like = said(self.like.as_ref(), "--like", "which tool (claude, codex, opencode, qwen)?", Some(LOCAL_TOOLS[0]))?;
        if !LOCAL_TOOLS.contains(&like.as_str()) {
            let failure = refused(&format!("`{like}` cannot be told of another server here"));
            let meant =
                nearest(&like, &LOCAL_TOOLS.map(str::to_owned)).map_or_else(|| LOCAL_TOOLS.join(", "), |meant| format!("--like {meant}"));
            return Err(failure.hint(format!("{meant}; another tool is a file of its own: ai help tools")));
        }
        let server = said(self.server.as_ref(), "--server", "where is the model served?", Some(USUAL_SERVER))?;
        let server = ModelServer::parse(&server).map_err(|why| refused(&why).hint(format!("--server {USUAL_SERVER}")))?;
        let model = said(self.model.as_ref(), "--model", "what is the model called there?", None)?;
        let model = self::model(&model).map_err(|why| refused(&why).hint("the server lists its models: GET /v1/models"))?;
        let usual = format!("local-{like}");
        let name = said(self.name.as_ref(), "--name", "what shall the new tool be called?", Some(&usual))?;
        if built_in(&name).is_some() || more_names().any(|known| known == name) {
            return Err(refused(&format!("`{name}` comes with ai")).hint(format!("--name {usual}")));
        }
        if !is_valid_name(&name) {
            let why = format!("`{name}` is no name of a tool, or a word of a shell, an engine or ours");
            return Err(refused(&why).hint(format!("--name {usual}")));
        }
        let key = self.key.clone().map(|key| plain_name(&key)).transpose().map_err(|why| refused(&why).hint("--key MY_KEY"))?;
        let network = self.network.clone().map(|network| plain_name(&network)).transpose();
        let network = network.map_err(|why| refused(&why).hint("--network guard, bridge or host"))?;
        let local = LocalModel { like, server, model, key, network };
        Ok((name, local.manifest()))
    }
}

/// Returns what was said; else what a person answers, or what is usual.
fn said(flag: Option<&String>, name: &str, question: &str, usual: Option<&str>) -> Result<String> {
    if let Some(said) = flag {
        return Ok(said.clone());
    }
    if pick::can_ask() {
        let shown = usual.map_or_else(|| question.to_owned(), |usual| format!("{question} [{usual}]"));
        let answer = output::ask_line(&shown).map(|answer| answer.trim().to_owned()).unwrap_or_default();
        if !answer.is_empty() {
            return Ok(answer);
        }
    }
    usual.map(str::to_owned).ok_or_else(|| {
        refused(&format!("{name} is missing"))
            .hint(format!("ai tools add local --like claude --server {USUAL_SERVER} --model qwen3-coder --name local-claude"))
    })
}

fn refused(why: &str) -> Failure {
    Failure::new(Kind::Usage, format!("cannot add a local model: {why}"))
}
