//! Which program runs containers, and what is known of it without asking it.

use std::path::PathBuf;

use crate::core::engine::proof::Proof;
use crate::core::engine::report::EngineReport;
use crate::core::engine::{Endpoint, Product};

/// Which program runs containers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, serde::Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum EngineKind {
    #[default]
    Docker,
    Podman,
    Nerdctl,
    /// Apple's, on macOS
    Container,
}

impl EngineKind {
    pub const ALL: [Self; 4] = [Self::Docker, Self::Podman, Self::Nerdctl, Self::Container];

    /// Returns the name of the client's program.
    pub fn program(self) -> &'static str {
        self.traits().program
    }
}

/// The engine as far as it is known without asking it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Engine {
    pub kind: EngineKind,
    /// Absolute path of its program; `None` where it is not installed.
    pub program: Option<PathBuf>,
    /// Whether it runs without root, so that container root is the calling user.
    pub rootless: bool,
    pub endpoint: Endpoint,
    pub product: Product,
    /// What it said about itself when it was last asked.
    pub report: Option<EngineReport>,
}

impl Engine {
    /// Returns the engine with what it said about itself, which counts for more than what its endpoint looks like.
    #[must_use]
    pub fn with(self, report: Option<EngineReport>) -> Self {
        let Some(report) = report else { return self };
        let product = report.product.unwrap_or(self.product);
        Self { rootless: report.rootless || (self.rootless && product == Product::Native), product, report: Some(report), ..self }
    }

    /// Whether its containers were seen not to reach sockets of this machine.
    pub fn sockets_fail(&self) -> bool {
        self.report.as_ref().and_then(|report| report.proof.as_ref()).is_some_and(Proof::sockets_fail)
    }

    /// Whether locks on the store's file system were seen to fail in its containers.
    pub fn locks_fail(&self) -> bool {
        self.report.as_ref().and_then(|report| report.proof.as_ref()).is_some_and(Proof::locks_fail)
    }
}
