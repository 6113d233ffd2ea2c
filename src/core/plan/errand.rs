//! An errand: one question to a tool, in a container that sees nothing but the tool's login.

use std::collections::BTreeMap;
use std::ffi::OsString;

use crate::core::config::Origin;
use crate::core::container::{ContainerPath, HOME, SHARED, USER, container_name};
use crate::core::engine;
use crate::core::failure::Result;
use crate::core::plan::keys::{self, KeyPlan};
use crate::core::plan::mount::{Access, Mount};
use crate::core::plan::{
    Part, Parts, Plan, Request, account, admit, container, env, guard, hardening, image, image_reason, limits, login_volume, proxy, reach,
    scratch, secret, user,
};
use crate::core::planted;
use crate::core::policy::verdict::RunAsked;
use crate::core::store::Store;
use crate::core::store::seen::Seen;
use crate::core::tool::manifest::SecretDelivery;
use crate::core::workspace::Workspace;

/// Where the tool stands: a directory without a project.
const WORKDIR: &str = "/tmp";

/// Writes files (a path and its text, up to `--`) and makes links (a path and its target, up to `--`), then becomes the command.
pub(super) const PREPARE: &str = r#"while [ "$1" != -- ]; do mkdir -p "${1%/*}" && printf %s "$2" >"$1" || exit 78; shift 2; done; shift
while [ "$1" != -- ]; do mkdir -p "${1%/*}" && ln -s "$2" "$1" || exit 78; shift 2; done; shift; exec "$@""#;

impl Plan {
    /// Plans an errand of the request's tool: no workspace, no home of any project, no agent, nothing that was let in but variables.
    /// `files` are written into the tool's home, which is a temporary file system.
    ///
    /// # Errors
    /// Where a run of the tool would be refused for its engine, account, proxy or secrets.
    pub fn errand(request: &Request, files: &BTreeMap<String, String>) -> Result<Self> {
        let Request { tool, config, facts, session, .. } = request;
        if let Some(refusal) = engine::refusal(&facts.engine, config.settings.allowed()) {
            return Err(refusal);
        }
        let workspace = Workspace::unmounted(facts, ContainerPath::new(WORKDIR));
        if let Some(refusal) = planted::refusal(facts.named.iter().filter(|named| named.by != planted::AGENT), facts.writable.as_deref()) {
            return Err(refusal);
        }
        let image = image(tool, config);
        config.rules.judge(&RunAsked { tool: &tool.name, is_own: tool.is_own, image: &image, root: &workspace.root, config })?;
        account::check(tool, &facts.env, facts.home.as_deref(), &facts.store)?;
        proxy::check(request)?;
        // A file is for a program that reads it: the tool itself asks its environment.
        let mut secrets = secret::decide(tool, config, facts)?;
        let keys = keys::decide(request, &secrets)?;
        secrets.found.retain(|secret| secret.delivery == SecretDelivery::Env);
        // Nothing here signs in to anything but the tool's own maker.
        let guard = guard::decide(request, None, None, keys.as_ref())?;
        let name = container_name(&tool.name, &workspace.name, session);

        let mut parts = Parts::default();
        container::push(request, &name, &workspace, &mut parts);
        user::push(&facts.user, &facts.engine, &mut parts);
        hardening::push(config, &mut parts);
        let notes = limits::push(request, &mut parts);
        reach::network(request, &mut parts);
        env::push(request, &secrets.found, keys.as_ref(), None, &mut parts);
        admit::network(request, &mut parts)?;
        state(request, keys.as_ref(), &mut parts);
        guard::push(request, guard.as_ref(), &mut parts);
        scratch::push(request, &mut parts);
        scratch::home(request, &mut parts);
        parts.usual(Part::Workdir(workspace.workdir.as_os_str().to_owned()), "no project is there");
        let (mut command, _) = request.command.split(request)?;
        if let Some(keys) = &keys {
            command = keys.command(command);
        }
        Ok(Self {
            tool: tool.name.clone(),
            session: session.clone(),
            container: name,
            engine: facts.engine.clone(),
            beside: guard::prefix(request, guard.as_ref()),
            prefix: Vec::new(),
            parts: parts.0,
            image_reason: image_reason(tool, config),
            image_id: facts.pinned.clone(),
            spare: None,
            image,
            command: guard::behind(prepared(request, files, command), request, guard.as_ref()),
            guard,
            args: Vec::new(),
            workspace,
            authorities: request.authorities(),
            rules: config.rules.rules.iter().map(|rule| (rule.name.clone(), rule.origin.clone())).collect(),
            notes,
        })
    }
}

/// The login, who the user is, and a home that ends with the container.
fn state(request: &Request, keys: Option<&KeyPlan>, parts: &mut Parts) {
    let Request { tool, facts, .. } = request;
    let store = Store::new(&facts.state);
    let mut read = |place: Seen, target: &str, reason: &'static str| {
        parts.usual(Part::Mount(Mount::bind(store.fixed(place), ContainerPath::new(target), Access::ReadOnly)), reason);
    };
    read(Seen::Passwd, "/etc/passwd", "programs ask for the user's name");
    read(Seen::Group, "/etc/group", "the user's group has a name");
    read(Seen::User, USER, "who the user is");
    if tool.manifest.state.is_none() {
        return;
    }
    if let Some(keys) = keys {
        return keys::no_login(parts, &keys.origin);
    }
    let (reason, origin) = ("the tool's login, and nothing else of yours", Origin::Manifest(tool.name.clone()));
    let target = ContainerPath::new(SHARED);
    let part = if facts.engine.locks_fail() {
        Part::Volume { name: login_volume(&tool.name), target }
    } else {
        Part::Mount(Mount::bind(store.fixed(Seen::Shared(&tool.name)), target, Access::ReadWrite))
    };
    parts.push(part, reason, origin);
}

/// Returns the command behind what fills the tool's home.
fn prepared(request: &Request, files: &BTreeMap<String, String>, command: Vec<OsString>) -> Vec<OsString> {
    let home = request.tool.manifest.state.as_ref().map_or(HOME, |state| &state.home.at);
    let links = request.tool.manifest.state.iter().flat_map(|state| &state.links);
    let pairs = |pairs: Vec<(&String, &String)>| -> Vec<OsString> {
        pairs.into_iter().flat_map(|(path, value)| [format!("{home}/{path}").into(), value.clone().into()]).chain(["--".into()]).collect()
    };
    let mut words: Vec<OsString> = ["sh", "-c", PREPARE, "sh"].map(OsString::from).to_vec();
    words.extend(pairs(files.iter().collect()));
    words.extend(pairs(links.collect()));
    words.extend(command);
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::config::Config;
    use crate::core::facts::Terminal;
    use crate::core::plan::RunCommand;
    use crate::core::plan::tests::sources::{facts, plain};
    use crate::core::tool::{self, Tool};

    fn plan(name: &str) -> Plan {
        let mut tool = Tool::load(name, |name| Ok(tool::built_in(name))).unwrap().unwrap().at_commit(None).unwrap();
        tool.manifest.secret.clear();
        let terminal = Terminal { stdin: false, stdout: false, stderr: false, in_front: false };
        let (config, facts) = (Config::default(), facts(plain(), ""));
        let session = "0123456789ab".parse().unwrap();
        let request = Request { tool: &tool, config: &config, facts: &facts, session, command: RunCommand::Tool(Vec::new()), terminal };
        Plan::errand(&request, &tool.manifest.commit.clone().unwrap().files).unwrap()
    }

    // J-05: no tool can touch the project, and no file of it is read.
    #[test]
    fn nothing_is_mounted_but_the_login_and_who_the_user_is() {
        for name in tool::built_in_names() {
            let plan = plan(name);
            let mounts = plan.parts.iter().filter_map(|reasoned| match &reasoned.part {
                Part::Mount(mount) => Some((mount.target.as_path().to_str().unwrap(), mount.access)),
                _ => None,
            });
            let (read, write) = (Access::ReadOnly, Access::ReadWrite);
            let expected = [("/etc/passwd", read), ("/etc/group", read), ("/ai/user", read), ("/ai/shared", write)];
            assert_eq!(mounts.collect::<Vec<_>>(), expected, "{name}");
            let has = |part: &Part| plan.parts.iter().any(|reasoned| reasoned.part == *part);
            let homes = plan.parts.iter().filter(|known| matches!(&known.part, Part::Scratch { target, .. } if target == HOME));
            assert!(homes.count() == 1 && has(&Part::Workdir("/tmp".into())), "{name}");
            assert!(has(&Part::Input) && !has(&Part::Terminal) && has(&Part::Ephemeral), "{name}");
            let words: usize = plan.command.iter().map(|word| word.len()).sum();
            assert!(words < 4096, "{name}: {words}");
        }
    }

    #[test]
    fn files_and_links_are_made_before_the_program() {
        let words: Vec<String> = plan("codex").command.into_iter().map(|word| word.into_string().unwrap()).collect();
        let at = |word: &str| words.iter().position(|known| known == word).unwrap_or_else(|| panic!("no {word} in {words:?}"));
        assert!(at("/home/ai/.codex/instructions.md") < at("/home/ai/.codex/auth.json"));
        assert_eq!(words[at("/home/ai/.codex/auth.json") + 1], "/ai/shared/login/auth.json");
        assert!(at("/home/ai/.codex/auth.json") < at("codex"));
        assert!(words.iter().any(|word| word == "model_instructions_file=\"/home/ai/.codex/instructions.md\""));
    }
}
