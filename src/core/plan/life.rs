//! The container's birth, identity and death, and how little it may do.

use std::ffi::OsString;

use crate::core::config::{Config, Origin};
use crate::core::container::HOME;
use crate::core::engine::kind::{Engine, EngineKind};
use crate::core::facts::User;
use crate::core::plan::{Flag, Parts, Request, store_id};
use crate::core::tool::Tool;
use crate::core::workspace::Workspace;

/// Birth, identity and death of the container.
pub(super) fn push(request: &Request, container: &str, workspace: &Workspace, parts: &mut Parts) {
    let Request { tool, config, facts, session, terminal, .. } = request;
    if config.settings.keep.value {
        // `--rm` is what makes a run ephemeral; only this one setting takes it away.
    } else {
        parts.usual(Flag::Remove, "the container lives for exactly one run");
    }
    parts.usual(Flag::Init, "as process 1, the tool would ignore signals");
    // A job in the background would be stopped as soon as it touched the terminal.
    let on_terminal = terminal.stdin && terminal.stdout && terminal.in_front && !asks_for_print_mode(request);
    if on_terminal || !terminal.stdin || (terminal.in_front && reads_what_is_typed(request)) {
        parts.usual(Flag::Interactive, "standard input reaches the tool, whatever it is");
    }
    if on_terminal {
        parts.push(Flag::Terminal, "standard input and output are terminals", Origin::Host);
        parts.usual(Flag::DetachKeys, "the engine's default keys would swallow Ctrl-P");
    }
    parts.usual(Flag::PullNever, "a run never downloads; `ai image build` does");
    parts.usual(Flag::LogNone, "the engine would keep the whole terminal stream on disk");
    parts.push(Flag::Name(container.into()), "unique for each run", Origin::Default);
    parts.push(Flag::Hostname(format!("{}-dev-env", tool.name)), "stable: some tools derive encryption keys from it", Origin::Default);
    for (key, value) in [
        ("ai.session", session.to_string()),
        ("ai.tool", tool.name.clone()),
        ("ai.project", workspace.project.clone()),
        ("ai.owner", facts.user.uid.to_string()),
        ("ai.store", store_id(&facts.store)),
    ] {
        parts.usual(Flag::Label(key, value), "`ai ps`, `ai stop` and `ai gc` find the container by it");
    }
    if config.settings.keep.value {
        parts.push(Flag::Label("ai.keep", "1".into()), "kept after the run, as asked", config.settings.keep.origin.clone());
    }
}

/// Whether a tool without a terminal reads what is typed at one. Without us it would see a terminal there and not read it. A pipe
/// instead, into which nobody writes, makes claude wait for three seconds and `codex exec` for ever: measured, 2.1.330 and 0.169.0.
fn reads_what_is_typed(request: &Request) -> bool {
    request.tool.is_exec() || request.command.options().iter().any(|word| word == "-")
}

fn asks_for_print_mode(request: &Request) -> bool {
    let manifest = &request.tool.manifest;
    let is = |word: &OsString, known: &[String]| {
        let word = word.to_str().map(|word| word.split_once('=').filter(|_| word.starts_with("--")).map_or(word, |(flag, _)| flag));
        known.iter().any(|known| word == Some(known.as_str()))
    };
    request.command.options().first().is_some_and(|first| is(first, &manifest.print_commands))
        || request.command.options().iter().take_while(|word| *word != "--").any(|word| is(word, &manifest.print))
}

/// The flags that make files inside belong to the caller outside.
pub fn user_flags(user: &User, engine: &Engine) -> Vec<Flag> {
    let mut parts = Parts::default();
    who(user, engine, &mut parts);
    parts.0.into_iter().map(|part| part.flag).collect()
}

/// Which user the tool is, so that its files belong to the person who called it.
pub(super) fn who(user: &User, engine: &Engine, parts: &mut Parts) {
    let (uid, gid) = (user.uid, user.gid);
    match (engine.kind, engine.rootless) {
        (EngineKind::Podman, true) => {
            parts.push(Flag::KeepId, "rootless podman maps your user to itself this way", Origin::Host);
            parts.push(Flag::User { uid, gid }, "files belong to you", Origin::Host);
        }
        (_, true) => parts.push(Flag::User { uid: 0, gid: 0 }, "in a rootless engine, root in the container is you", Origin::Host),
        (_, false) => parts.push(Flag::User { uid, gid }, "files belong to you", Origin::Host),
    }
}

pub(super) fn hardening(config: &Config, tool: &Tool, parts: &mut Parts) {
    parts.usual(Flag::DropCapabilities, "no tool needs privileges of the kernel");
    parts.usual(Flag::NoNewPrivileges, "setuid programs gain nothing");
    parts.usual(Flag::NoCore, "a core dump would hold secrets");
    let label = &config.settings.label_disable;
    if label.value {
        parts.push(Flag::LabelDisable, "SELinux would keep the project out; nothing is relabelled", label.origin.clone());
    }
    let hardened = &config.settings.hardened;
    if hardened.value {
        parts.push(Flag::ReadOnlyRoot, "hardened", hardened.origin.clone());
        parts.push(
            Flag::Tmpfs { target: "/tmp".into(), exec: true },
            "hardened: programs need a place for temporary files",
            hardened.origin.clone(),
        );
    }
    if hardened.value || tool.manifest.image.is_some() || config.settings.image.value.is_some() {
        let reason = "a writable home, whatever the image has";
        parts.push(Flag::Tmpfs { target: HOME.into(), exec: true }, reason, hardened.origin.clone());
    }
}
