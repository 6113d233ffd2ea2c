//! What every command about one tool starts from: the host, the tool, its configuration; each loaded once.

use std::path::PathBuf;

use crate::core::config::value::KeysPlace;
use crate::core::config::{Config, Layer};
use crate::core::facts::Facts;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::lease::SessionId;
use crate::core::plan::{self, RunCommand, account, secret};
use crate::core::store::Store;
use crate::core::text::nearest::nearest;
use crate::core::tool::{self, Tool};
use crate::host::guard::login_key;
use crate::host::store::layout;
use crate::host::{Host, Wanted};
use crate::session::setup;

/// What every command about one tool starts from.
pub struct Context {
    pub host: Host,
    pub tool: Tool,
    pub config: Config,
    /// Whether flags of this one command changed the configuration.
    pub is_changed: bool,
}

impl Context {
    pub fn new(name: &str, flags: Layer) -> Result<Self> {
        let host = Host::to_write()?;
        let is_changed = !flags.is_empty();
        layout::check(&host.store)?;
        let tool = Tool::load(name, |name| host.manifest(name))?.ok_or_else(|| unknown_tool(name, &host))?;
        let config = host.config(&tool, flags)?;
        config.refuse_misspelt(&host.tool_names())?;
        Ok(Self { host, tool, config, is_changed })
    }

    /// Does the same for a command that reads or writes what belongs to the tool's account.
    ///
    /// # Errors
    /// Where the caller's environment chooses another account, too.
    pub fn of_account(name: &str) -> Result<Self> {
        let context = Self::new(name, Layer::default())?;
        same_account(&context.host, &context.tool)?;
        Ok(context)
    }

    /// Gathers the facts that a plan of this tool depends on.
    pub fn facts(&self, session: Option<&SessionId>) -> Facts {
        let native = Some(self.tool.native_program());
        self.gather(&Wanted {
            engine: self.config.settings.engine.value,
            files: self.files(),
            session,
            native,
            image: None,
            admit: Some((&self.config, &[])),
            brought: Vec::new(),
        })
    }

    /// Gathers the facts that a run of these words depends on.
    pub fn facts_of(&self, command: &RunCommand, session: Option<&SessionId>) -> Facts {
        let native = Some(self.tool.native_program());
        let words = command.paths(&self.tool.manifest.path_options);
        let admit = Some((&self.config, words.as_slice()));
        let image = plan::image(&self.tool, &self.config);
        self.gather(&Wanted {
            engine: self.config.settings.engine.value,
            files: self.files(),
            session,
            native,
            image: Some(&image),
            admit,
            brought: setup::brought(&self.host, &self.tool),
        })
    }

    fn gather(&self, wanted: &Wanted) -> Facts {
        let mut facts = self.host.facts(wanted);
        if self.config.settings.keys.value == KeysPlace::Outside {
            facts.tokens = login_key::held(&self.host, &self.tool);
        }
        facts
    }

    /// Looks again at what a session that began may have changed: its state, and what the engine said about itself.
    pub fn look_again(&self, facts: &mut Facts, state: &Store) {
        state.root().clone_into(&mut facts.state);
        facts.present = self.host.present(&self.files(), state);
        facts.engine = self.host.recall(facts.engine.clone());
    }

    /// Returns the optional files of the store whose presence a plan depends on.
    fn files(&self) -> Vec<PathBuf> {
        let mut files: Vec<_> = plan::OPTIONAL_FILES.iter().map(Into::into).collect();
        files.extend(secret::files(&self.tool, &self.config));
        files.extend(self.tool.login_file());
        files
    }
}

/// Fails where the caller's environment chooses another account of the tool than the store's.
pub fn same_account(host: &Host, tool: &Tool) -> Result<()> {
    account::check(tool, &host.env, host.home().as_deref(), host.store.root())
}

pub fn unknown_tool(name: &str, host: &Host) -> Failure {
    let names = host.tool_names();
    let failure = Failure::new(Kind::Usage, format!("there is no tool `{name}`; there are {}", names.join(", ")));
    match nearest(name, &names) {
        _ if tool::more_names().any(|known| known == name) => failure.hint(format!("it comes with ai: ai tools add {name}")),
        Some(nearest) => failure.hint(format!("did you mean `{nearest}`?")),
        None => failure.hint(format!("describe it in {}", host.store.tools().join("NAME.toml").display())),
    }
}
