//! What is wrong with a manifest, all of it at once, before a run finds it.

use serde::Serialize;

use crate::core::config::table::meant;
use crate::core::failure::Result;
use crate::core::image::shared_tools;
use crate::core::text::visible::toml_complaint;
use crate::core::tool::manifest::{Manifest, ManifestText};
use crate::core::tool::{Tool, built_in, is_valid_name, reserved};

/// Something that is wrong, or may not be meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Complaint {
    pub file: String,
    /// 1-based.
    pub line: usize,
    /// Whether no run can use the manifest because of it.
    pub fatal: bool,
    pub what: String,
    pub hint: String,
}

/// Returns what is wrong with the manifest of a tool; `text` knows those of the others.
pub fn examine(name: &str, source: &ManifestText, text: impl Fn(&str) -> Result<Option<ManifestText>>) -> Vec<Complaint> {
    let mut found = Vec::new();
    let mut add = |line: usize, fatal: bool, what: String, hint: &str| {
        found.push(Complaint { file: source.origin.clone(), line, fatal, what, hint: hint.into() });
    };
    if !is_valid_name(name) {
        let why = if reserved::is_reserved(name) { "is a word of a shell, an engine or ours" } else { "is no name of a tool" };
        add(1, true, format!("`{name}` {why}"), "lower-case letters, digits, - and _, at most 32, a letter first: rename the file");
    } else if built_in(name).is_some() {
        add(1, false, format!("it takes the place of the built-in `{name}`"), "a profile of it, under another name, keeps both");
    }
    if let Err(error) = toml::from_str::<Manifest>(&source.text) {
        let line = error.span().map_or(1, |span| line_at(&source.text, span.start));
        let hint = meant(error.message()).unwrap_or_else(|| "ai help tools".into());
        add(line, true, first_line(&toml_complaint(&error), error.message()), &hint);
        return found;
    }
    let own = Manifest::parse(source);
    let tool = match own
        .and_then(|_| Tool::load(name_or(name), |asked| if asked == name_or(name) { Ok(Some(source.clone())) } else { text(asked) }))
    {
        Ok(Some(tool)) => tool,
        Ok(None) => return found,
        Err(failure) => {
            let said = failure.to_string();
            let said = said.lines().next().unwrap_or_default();
            let what = said.split_once(": ").map_or(said, |(_, why)| why).to_owned();
            add(line_of(&source.text, &what), true, what, "ai help tools");
            return found;
        }
    };
    let manifest = &tool.manifest;
    if manifest.command.is_empty() {
        add(1, true, "there is no `command`, and no `profile_of` that has one".into(), "command = [\"NAME\"]");
    }
    let program = manifest.command.first().map(String::as_str).unwrap_or_default();
    let is_shared = shared_tools().iter().any(|(tool, _)| *tool == program);
    if !program.is_empty() && !is_shared && manifest.install.is_none() && manifest.image.is_none() {
        let what = format!("nothing installs `{program}`: the shared image has claude, gemini and codex");
        add(line_of(&source.text, "`command`"), false, what, "[install], or image = \"NAME\"");
    }
    for (table, names) in [("env.pass", manifest.env.pass.iter().collect::<Vec<_>>()), ("env.set", manifest.env.set.keys().collect())] {
        for odd in names.into_iter().filter(|name| !is_variable(name)) {
            let what = format!("`{table}`: `{odd}` is no name of a variable");
            add(line_of(&source.text, &what), true, what, "letters, digits and _, no digit first");
        }
    }
    if let Some(state) = &manifest.state {
        if state.home.env.as_deref() == Some("HOME") {
            let what = "`state.home.env`: `HOME` is the same for every program and stays as it is".to_owned();
            add(line_of(&source.text, "`HOME`"), true, what, "a variable that the program alone reads; or XDG_… in `env.set`");
        }
        if !state.login.at.is_empty() && state.login.files.is_empty() {
            let what = "`state.login` names no `files`: `ai login` and `ai creds` do not know whether there is a login".to_owned();
            add(line_of(&source.text, "`login`"), false, what, "files = [\"auth.json\"]");
        }
        for link in state.links.values().filter(|to| !to.starts_with("/ai/") && !to.starts_with("/home/ai/")) {
            let what = format!("`state.links`: `{link}` leads out of what is mounted");
            add(line_of(&source.text, &what), true, what, "a path below /ai/shared or /home/ai");
        }
    }
    found
}

/// Returns a name under which a file with an impossible name can be looked at all the same.
fn name_or(name: &str) -> &str {
    if is_valid_name(name) { name } else { "x" }
}

/// Returns the parser's own words; where it has none, the first line of the drawing.
fn first_line(drawing: &str, message: &str) -> String {
    let message = message.split(", expected one of").next().unwrap_or(message);
    if message.is_empty() { drawing.lines().next().unwrap_or_default().to_owned() } else { message.to_owned() }
}

fn line_at(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

/// Returns the line on which the last thing stands that `what` names in backticks and the text has.
fn line_of(text: &str, what: &str) -> usize {
    let names = what.split('`').skip(1).step_by(2).collect::<Vec<_>>();
    let lines = || text.lines().enumerate();
    let of = |name: &&str| {
        let key = name.rsplit('.').next().unwrap_or(name);
        lines().find(|(_, line)| line.contains(*name)).or_else(|| lines().find(|(_, line)| line.trim_start().starts_with(key)))
    };
    names.iter().rev().find_map(of).map_or(1, |(line, _)| line + 1)
}

fn is_variable(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, text: &str, expected: &[(usize, bool, &str)]) {
        let found = examine(name, &ManifestText::own(text, "x.toml"), |name| Ok(built_in(name)));
        let said: Vec<_> = found.iter().map(|complaint| (complaint.line, complaint.fatal, complaint.what.as_str())).collect();
        assert_eq!(said.len(), expected.len(), "{said:?}");
        for ((line, fatal, what), (at, is_fatal, part)) in said.iter().zip(expected) {
            assert!((line, fatal) == (at, is_fatal) && what.contains(part), "{said:?}");
        }
        assert!(found.iter().all(|complaint| !complaint.hint.is_empty()));
    }

    const FINE: &str = "command = ['mine']\n[install]\nnpm = 'x@1.0.0'\n";

    // TO-05
    #[test]
    fn every_mistake_has_its_line() {
        check("mine", FINE, &[]);
        check("cd", FINE, &[(1, true, "`cd` is a word of a shell")]);
        check("Mine", FINE, &[(1, true, "no name of a tool")]);
        check("claude", FINE, &[(1, false, "takes the place of the built-in `claude`")]);
        check("mine", "about = 'x'\ncomand = ['x']\n", &[(2, true, "unknown field `comand`")]);
        check("mine", "about = 'x'\ncommand = 'x'\n", &[(2, true, "invalid type")]);
        check("mine", "about = \n", &[(1, true, "")]);
        check("mine", "about = 'x'\n", &[(1, true, "no `command`")]);
        check("mine", "about = 'x'\ncommand = ['mine']\n", &[(2, false, "nothing installs `mine`")]);
        check("mine", "command = ['claude']\n", &[]);
        check("mine", "about = 'x'\nprofile_of = 'claud'\n", &[(2, true, "`claud`")]);
        check("mine", "profile_of = 'claude'\n", &[]);
        check("mine", "command = ['mine']\n[install]\napt = ['a']\nnpm = 'x@latest'\n", &[(4, true, "x@latest")]);
        check("mine", "command = ['mine']\nimage = 'a:1'\n[install]\nnpm = 'x@1.0.0'\n", &[(3, true, "one image")]);
        check("mine", &format!("{FINE}[state]\nhome = {{ at = '/etc' }}\n"), &[(5, true, "not below `/home/ai/`")]);
        check("mine", &format!("{FINE}[state]\nhome = {{ at = '/home/ai/.x', env = 'HOME' }}\n"), &[(5, true, "HOME")]);
        check(
            "mine",
            &format!("{FINE}[state]\nhome = {{ at = '/home/ai/.x' }}\nlogin = {{ at = '/ai/shared/login' }}\n"),
            &[(6, false, "no `files`")],
        );
        check(
            "mine",
            &format!("{FINE}[state]\nhome = {{ at = '/home/ai/.x' }}\nlinks = {{ a = '/etc/passwd' }}\n"),
            &[(6, true, "leads out")],
        );
        check("mine", &format!("{FINE}[env]\npass = ['A B']\n[env.set]\n'1X' = 'y'\n"), &[(5, true, "`A B`"), (7, true, "`1X`")]);
    }
}
