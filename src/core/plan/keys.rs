//! Keys that stay outside: the container has something in their place, and the helper puts them in on the way to their vendor.

use std::collections::BTreeMap;
use std::ffi::OsString;

use crate::core::config::value::KeysPlace;
use crate::core::config::{Config, Origin};
use crate::core::container::SHARED;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::guard::key::{KeyOrder, KeySource, LoginPlaces, PLACE, SENTINEL};
use crate::core::guard::order::PORT;
use crate::core::guard::peer::{Peer, PeerHost};
use crate::core::guard::rule::{EgressReach, EgressRule, EgressRules, EgressWord, RuleHost};
use crate::core::plan::errand::PREPARE;
use crate::core::plan::secret::{SecretSource, ToolSecrets};
use crate::core::plan::{Part, Parts, Request, has_login, proxy};
use crate::core::store::Store;
use crate::core::tool::keys::KeyWay;
use crate::core::tool::manifest::Manifest;
use crate::core::tool::{Purpose, Tool};

/// A key that stays outside of one run.
#[derive(Clone, Debug)]
pub(super) struct KeyPlan {
    pub order: KeyOrder,
    /// What the vendor is reached by, and by nothing else.
    pub rule: EgressRule,
    /// The program's variables in its place, its words, and its files.
    pub set: Vec<(String, String)>,
    args: Vec<OsString>,
    files: Vec<(String, String)>,
    /// What never enters the container.
    pub withheld: Vec<String>,
    /// The variable that says where the helper leads.
    pub base: Option<String>,
    pub origin: Origin,
}

/// Returns whether the keys of a tool stay outside. Its own login is what makes them, and has them.
pub fn stay_outside(tool: &Tool, config: &Config) -> bool {
    let Manifest { keys, secret, state, env, .. } = &tool.manifest;
    let has_login = state.as_ref().is_some_and(|state| !state.login.at.is_empty());
    let has_keys = has_login || !keys.from.is_empty() || !secret.is_empty() || env.pass.iter().any(|name| is_key(name));
    config.settings.keys.value == KeysPlace::Outside && tool.purpose != Purpose::Login && has_keys
}

/// Returns whether a variable of this name is a key.
fn is_key(name: &str) -> bool {
    ["_KEY", "_TOKEN", "_SECRET", "_PASSWORD"].iter().any(|end| name.ends_with(end))
}

/// Decides how the key of a run stays outside; `None` where it need not.
///
/// # Errors
/// Where it is to stay outside and cannot.
pub(super) fn decide(request: &Request, secrets: &ToolSecrets) -> Result<Option<KeyPlan>> {
    let Request { tool, config, facts, .. } = request;
    if !stay_outside(tool, config) {
        return Ok(None);
    }
    let (rules, origin) = (&tool.manifest.keys, &config.settings.keys.origin);
    let refused = |why: String, hint: &str| {
        let what = format!("cannot keep the key of {} outside of its container ({origin}): {why}", tool.name);
        Err(Failure::new(Kind::Config, what).hint(format!("{hint}AI_KEYS=inside, which lets the key in")))
    };
    if rules.from.is_empty() {
        return refused("its manifest does not say how (`[keys]`)".into(), "");
    }
    if !request.is_guarded() {
        return refused(format!("the network is `{}`", config.settings.network.value), "network = \"guard\", or ");
    }
    let is_there = |name: &&String| {
        config.admitted.sets(name)
            || config.admitted.given.iter().any(|(given, _)| given == *name)
            || tool.manifest.env.pass.contains(name) && facts.env.is_set(name)
    };
    let is_known = |name: &&String| rules.from.iter().any(|way| way.variable == **name);
    let others = tool.manifest.env.pass.iter().filter(|name| is_key(name) && !is_known(name));
    let found = rules.from.iter().find_map(|way| Some((way, source(way, request, secrets)?)));
    let is_ours = |name: &String| found.as_ref().is_some_and(|(way, _)| way.set.contains_key(name) || way.base.as_ref() == Some(name));
    if let Some(name) = rules.refuse.iter().chain(others).filter(|name| !is_ours(name)).find(is_there) {
        return refused(format!("{name} is set, which the helper cannot put in"), &format!("unset {name}, or "));
    }
    let kept = secrets.found.iter().find(|secret| tool.manifest.secret.contains_key(&secret.name));
    if let Some(secret) = kept {
        return refused(format!("its manifest does not say how {} stays outside", secret.name), "");
    }
    let Some((way, from)) = found else {
        let name = |way: &KeyWay| if way.variable.is_empty() { "the login".into() } else { format!("${}", way.variable) };
        let mut names: Vec<String> = rules.from.iter().map(name).collect();
        names.dedup();
        let has_way = rules.from.iter().any(|way| !way.login.is_empty());
        let login = if has_way { format!("ai login {}, or ", tool.name) } else { String::new() };
        if has_way && has_login(request) {
            let hint = format!("ai creds restore {} --last-good, or ai login {}, or ", tool.name, tool.name);
            return refused("its login holds no token, and there is no key".into(), &hint);
        }
        let other = if has_login(request) { "its login cannot stay outside, and " } else { "" };
        return refused(format!("{other}there is no key; looked at {}", names.join(", ")), &format!("export one, or {login}"));
    };
    let Some(openssl) = &facts.openssl else {
        return refused("`openssl` is not installed, which does TLS for it".into(), "install it, or ");
    };
    let (url, base_variable, paths) = rules.vendor(way);
    let is_given = |name: &String| config.admitted.given.iter().any(|(given, _)| given == name);
    if let Some(name) = base_variable.filter(|name| config.of_project.contains(name) && !is_given(name)) {
        let why = format!("the project says where it goes ({name}), and what runs in a container can write that");
        return refused(why, &format!("take it out of the project, or say it for this run (--env {name}=https://…), or "));
    }
    let url = leads_to(request, base_variable).unwrap_or_else(|| url.to_owned());
    let Some((peer, base)) = parsed(&url) else {
        return refused(format!("`{url}` is no plain https:// address"), "");
    };
    let rule = EgressRule { host: RuleHost::Exact(peer.host.clone()), port: None, private: false };
    let words = |text: &str| text.replace("{url}", &format!("http://127.0.0.1:{PORT}{PLACE}")).replace("{key}", SENTINEL);
    let pairs = |table: &BTreeMap<String, String>| table.iter().map(|(name, value)| (name.clone(), words(value))).collect::<Vec<_>>();
    let mut set = pairs(&way.set);
    set.extend(base_variable.map(|name| (name.clone(), words("{url}"))));
    Ok(Some(KeyPlan {
        order: KeyOrder {
            private: permits_private(config, &peer),
            peer: peer.to_string(),
            base,
            paths: paths.to_vec(),
            fields: rules
                .fields
                .iter()
                .chain(config.admitted.egress.fields.iter().map(|field| &field.value))
                .map(ToString::to_string)
                .collect(),
            query: rules.query.iter().map(ToString::to_string).collect(),
            header: way.header.clone(),
            name: if way.variable.is_empty() { "login".into() } else { way.variable.clone() },
            from,
            openssl: openssl.clone(),
            authorities: (!request.authorities().is_empty()).then(|| Store::new(&facts.state).user().join(proxy::AUTHORITIES)),
        },
        rule,
        set,
        args: way.args.iter().map(|word| words(word).into()).collect(),
        files: pairs(&way.files),
        withheld: rules.from.iter().map(|way| way.variable.clone()).filter(|name| !name.is_empty()).collect(),
        base: base_variable.cloned(),
        origin: origin.clone(),
    }))
}

/// Returns where a key is, if it is there: a secret of the manifest or of the person, a variable that the manifest passes, or the login.
fn source(way: &KeyWay, request: &Request, secrets: &ToolSecrets) -> Option<KeySource> {
    if !way.login.is_empty() {
        let at = LoginPlaces { token: way.login.clone(), also: way.also.clone() };
        let login = KeySource::Login { tool: request.tool.name.clone(), at };
        return request.facts.tokens.contains(&way.login).then_some(login);
    }
    let name = &way.variable;
    let secret = secrets.outside.iter().find(|secret| secret.name == *name).map(|secret| secret.place.clone());
    let is_passed = request.tool.manifest.env.pass.contains(name) && request.facts.env.text(name).is_some();
    secret.or_else(|| is_passed.then(|| SecretSource::Env(name.clone()))).map(KeySource::Secret)
}

/// Returns the vendor's address, where the program's own variable says one.
fn leads_to(request: &Request, base: Option<&String>) -> Option<String> {
    let (Request { tool, config, facts, .. }, base) = (request, base?);
    let given = config.admitted.given.iter().find(|(name, _)| name == base).map(|(_, value)| value.to_string_lossy().into_owned());
    let set = || config.admitted.literals().into_iter().find(|(name, _)| name == base).map(|(_, value)| value.value.clone());
    let passed = || facts.env.text(base).filter(|_| tool.manifest.env.pass.contains(base)).map(str::to_owned);
    given.or_else(set).or_else(|| tool.manifest.env.set.get(base).cloned()).or_else(passed)
}

/// Returns the host and port of an address, and the path before all others there.
fn parsed(url: &str) -> Option<(Peer, String)> {
    let rest = url.strip_prefix("https://")?.trim_end_matches('/');
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let peer = Peer::parse(authority.as_bytes(), Some(443)).ok().filter(|peer| matches!(peer.host, PeerHost::Name(_)))?;
    let is_plain = path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte)) && !path.contains("..");
    is_plain.then(|| (peer, path.to_owned()))
}

/// Returns whether the person let this host have an address that is not public.
fn permits_private(config: &Config, peer: &Peer) -> bool {
    let words = config.admitted.egress.allow.iter();
    let allow = words.filter_map(|word| if let EgressWord::Rule(rule) = &word.value { Some(rule.clone()) } else { None }).collect();
    EgressRules { allow, ..EgressRules::default() }.judge(peer) == Ok(EgressReach::Any)
}

impl KeyPlan {
    /// Returns the program's command with its words, behind what writes the files that stand in for those of the login.
    pub fn command(&self, mut command: Vec<OsString>) -> Vec<OsString> {
        command.extend(self.args.iter().cloned());
        if self.files.is_empty() {
            return command;
        }
        let files = self.files.iter().flat_map(|(path, text)| [path.into(), text.into()]);
        ["sh", "-c", PREPARE, "sh"]
            .map(OsString::from)
            .into_iter()
            .chain(files)
            .chain(["--", "--"].map(OsString::from))
            .chain(command)
            .collect()
    }
}

/// Adds what stands in the place of the login's directory: a program may write there, and nothing of it is kept.
pub(super) fn no_login(parts: &mut Parts, origin: &Origin) {
    let scratch = Part::Scratch { target: SHARED.into(), exec: false, size: 1 << 20 };
    parts.push(scratch, "in place of the login, which stays outside", origin.clone());
}
