//! What starts an engine that is not running: for the hint, and for whoever lets us do it.

use crate::core::engine::kind::{Engine, EngineKind};
use crate::core::engine::{Chosen, Product};
use crate::core::text::typed::typed;

/// A command that starts an engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Starter {
    pub argv: Vec<String>,
    /// Only root may do it.
    pub root: bool,
}

/// How large a machine of its own the engine gets, where that can be said when it starts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    pub cpus: Option<u32>,
    /// Bytes.
    pub memory: Option<u64>,
}

impl Size {
    /// Spells it as Colima's `start` does: whole processors, whole GiB.
    fn words(self) -> Vec<String> {
        let cpus = self.cpus.map(|cpus| ["--cpu".to_owned(), cpus.to_string()]);
        let memory = self.memory.map(|bytes| ["--memory".to_owned(), bytes.div_ceil(1 << 30).to_string()]);
        cpus.into_iter().chain(memory).flatten().collect()
    }
}

/// Returns the command for `engine`; `None` where the endpoint does not show what is behind it.
pub fn starter(engine: &Engine, size: Size) -> Option<Starter> {
    let context = match &engine.endpoint.chosen {
        Chosen::Context(name) => name.as_str(),
        _ => "",
    };
    let plain = |words: &[&str]| Some(Starter { argv: words.iter().map(|word| (*word).to_owned()).collect(), root: false });
    match (engine.product, engine.kind) {
        // Without the agent at the start, no container of this machine can ever use it.
        (Product::Colima, _) => {
            let profile = context.strip_prefix("colima-").unwrap_or("default");
            let mut starter = plain(&["colima", "start", "--ssh-agent", "--profile", profile])?;
            starter.argv.extend(size.words());
            Some(starter)
        }
        (Product::DockerDesktop, _) if cfg!(target_os = "macos") => plain(&["open", "-a", "Docker"]),
        (Product::DockerDesktop, _) => plain(&["systemctl", "--user", "start", "docker-desktop"]),
        (Product::OrbStack, _) => plain(&["orb", "start"]),
        (Product::RancherDesktop, _) => plain(&["rdctl", "start"]),
        (Product::Lima, _) => plain(&["limactl", "start", context.strip_prefix("lima-").unwrap_or("default")]),
        (Product::PodmanMachine, _) => plain(&["podman", "machine", "start"]),
        (Product::Apple, _) => plain(&["container", "system", "start"]),
        (Product::Native, EngineKind::Docker) if engine.rootless => plain(&["systemctl", "--user", "start", "docker"]),
        (Product::Native, EngineKind::Docker) => {
            Some(Starter { argv: ["systemctl", "start", "docker"].map(str::to_owned).into(), root: true })
        }
        (Product::Native | Product::Elsewhere, _) => None,
    }
}

/// Returns the next command of a person whose engine is not running.
pub fn hint(engine: &Engine) -> String {
    match starter(engine, Size::default()) {
        Some(Starter { argv, root: true }) => format!("sudo {}", line(&argv)),
        Some(Starter { argv, .. }) => line(&argv),
        None if cfg!(target_os = "macos") => "start Docker Desktop, OrbStack or `colima start --ssh-agent`".into(),
        None => format!("start the engine, or point {} at one that runs", engine.kind.program()),
    }
}

fn line(argv: &[String]) -> String {
    argv.iter().map(|word| typed(word)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::engine::{Address, Endpoint};

    // M-02
    #[test]
    fn colima_starts_with_the_agent_and_with_the_size_that_was_wished() {
        let engine = |context: &str| Engine {
            kind: EngineKind::Docker,
            program: None,
            rootless: false,
            endpoint: Endpoint { address: Address::NoContext, chosen: Chosen::Context(context.into()) },
            product: Product::Colima,
            report: None,
        };
        let size = |cpus, memory| Size { cpus, memory };
        for (context, size, expected) in [
            ("colima", size(None, None), "colima start --ssh-agent --profile default"),
            ("colima-work", size(Some(4), Some(8 << 30)), "colima start --ssh-agent --profile work --cpu 4 --memory 8"),
            ("colima", size(None, Some(2500 << 20)), "colima start --ssh-agent --profile default --memory 3"),
        ] {
            assert_eq!(starter(&engine(context), size).unwrap().argv.join(" "), expected);
        }
    }
}
