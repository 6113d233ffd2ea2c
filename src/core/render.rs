//! A plan in words: how an engine spells it, and how people and programs read it. A part that an engine has no words for is
//! refused before anything begins, unless the engine has no need of it.

use std::ffi::OsString;

use crate::core::engine::kind::{Engine, EngineKind};
use crate::core::engine::traits::Dialect;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::plan::{Part, Plan};

mod apple;
mod docker;
pub mod explain;
mod spare;

/// Returns the words of one part as this engine spells it; none where the engine cannot or need not say it.
pub fn words(part: &Part, engine: EngineKind) -> Vec<OsString> {
    let traits = engine.traits();
    match traits.dialect {
        Dialect::Docker => docker::words(part, &traits),
        Dialect::Apple => apple::words(part).unwrap_or_default(),
    }
}

/// Fails if a part cannot be said to this engine.
pub fn refuse_unsayable<'a>(parts: impl Iterator<Item = &'a Part>, engine: EngineKind) -> Result<()> {
    if engine.traits().dialect == Dialect::Docker {
        return Ok(());
    }
    let mut refused = parts.filter_map(|part| apple::words(part).err());
    refused.next().map_or(Ok(()), |what| {
        Err(Failure::new(Kind::Config, format!("cannot run with `{}`: it has no way to say {what}", engine.program()))
            .hint("use another engine: AI_ENGINE=docker"))
    })
}

/// Returns the arguments of the engine's client that run one container.
pub fn container<'a>(parts: impl Iterator<Item = &'a Part>, image: &str, command: &[OsString], engine: EngineKind) -> Vec<OsString> {
    let mut argv: Vec<OsString> = vec!["run".into()];
    argv.extend(parts.flat_map(|part| words(part, engine)));
    argv.push(image.into());
    argv.extend_from_slice(command);
    argv
}

/// Returns the engine's client: by its path where it is known.
pub fn program(engine: &Engine) -> OsString {
    engine.program.as_ref().map_or_else(|| engine.kind.program().into(), |path| path.clone().into_os_string())
}

impl Plan {
    /// Returns the exact vector to exec: prefixes, engine, parts, image, command, the person's words.
    pub fn argv(&self) -> Vec<OsString> {
        self.beside.iter().chain(&self.prefix).cloned().chain(self.client()).collect()
    }

    /// Returns the vector without what fetches secrets, for whoever has them already.
    pub fn vector(&self) -> Vec<OsString> {
        self.beside.iter().cloned().chain(self.client()).collect()
    }

    /// Returns the words of the client: those that take a container which waits, where one does.
    fn client(&self) -> Vec<OsString> {
        self.spare.as_ref().map_or_else(|| self.cold(), |spare| spare.words.clone())
    }

    /// Returns the words of the engine's client, whatever waits.
    pub fn cold(&self) -> Vec<OsString> {
        let command: Vec<OsString> = self.command.iter().chain(&self.args).cloned().collect();
        let parts = self.parts.iter().map(|reasoned| &reasoned.part);
        std::iter::once(program(&self.engine)).chain(container(parts, self.image_word(), &command, self.engine.kind)).collect()
    }

    /// Returns what the engine is told to run: the content that was built or pinned, else whatever has the name.
    pub fn image_word(&self) -> &str {
        self.image_id.as_deref().unwrap_or(&self.image)
    }
}
