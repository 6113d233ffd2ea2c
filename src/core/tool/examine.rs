//! What is wrong with a manifest, all of it at once, before a run finds it.

use serde::Serialize;

use crate::core::config::table::meant;
use crate::core::failure::Result;
use crate::core::text::visible::toml_complaint;
use crate::core::tool::doubts::{Doubt, doubts};
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

/// Most mistakes of one manifest that keep it from being read.
const MOST: usize = 20;

/// Returns what is wrong with the manifest of a tool; `text` knows those of the others.
pub fn examine(name: &str, source: &ManifestText, text: impl Fn(&str) -> Result<Option<ManifestText>>) -> Vec<Complaint> {
    let mut found = Vec::new();
    let mut add = |line: usize, fatal: bool, what: String, hint: &str| {
        found.push(Complaint { file: source.origin.clone(), line, fatal, what, hint: hint.into() });
    };
    if !is_valid_name(name) {
        let why = if reserved::is_reserved(name) { "is a word of a shell, an engine or ours" } else { "is no name of a tool" };
        add(1, true, format!("`{name}` {why}"), "lower-case letters, digits, - and _, at most 32, a letter first: rename the file");
    } else if built_in(name).is_some_and(|ours| ours.origin != source.origin) {
        add(1, false, format!("it takes the place of the built-in `{name}`"), "a profile of it, under another name, keeps both");
    }
    if reserved::is_everyday(name) {
        let what = format!("in every new shell, and in its prompt, `{name}` is this tool and no more the program of that name");
        add(1, false, what, "another name: rename the file");
    }
    let mut text_left = source.text().to_owned();
    for _ in 0..MOST {
        let Err(error) = toml::from_str::<Manifest>(&text_left) else { break };
        let line = error.span().map_or(1, |span| line_at(&text_left, span.start));
        let meant = misplaced(error.message(), source.text(), line).or_else(|| meant(error.message()));
        // What is missing once it is gone would be said of the rest.
        let is_alone = error.message().starts_with("unknown field") && meant.is_none();
        let hint = meant.or_else(|| words(error.message())).unwrap_or_else(|| "ai help tools".into());
        add(line, true, first_line(&toml_complaint(&error), error.message()), &hint);
        match without(&text_left, line).filter(|_| is_alone) {
            Some(rest) => text_left = rest,
            None => break,
        }
    }
    if toml::from_str::<Manifest>(&text_left).is_err() {
        return found;
    }
    let left = ManifestText::own(&text_left, source.origin.clone());
    let source = if source.text() == text_left { source } else { &left };
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
            let hint = failure.hint.as_deref().unwrap_or("ai help tools").to_owned();
            add(line_of(source.text(), &what), true, what, &hint);
            return found;
        }
    };
    for Doubt { fatal, what, hint } in doubts(&tool.manifest) {
        add(line_of(source.text(), &what), fatal, what, hint);
    }
    found.sort_by_key(|complaint| complaint.line);
    found
}

/// Returns the text without the key that stands alone on a line, so that what is wrong behind it is found, too; `None` where the line is no
/// such thing.
fn without(text: &str, line: usize) -> Option<String> {
    let mut lines: Vec<&str> = text.split('\n').collect();
    let wrong = lines.get_mut(line.checked_sub(1)?)?;
    let is_key = wrong.contains('=') && !wrong.trim_start().starts_with(['#', '[']);
    *wrong = if is_key { "" } else { return None };
    Some(lines.join("\n"))
}

/// Returns what to do about a key of the tool itself that stands below the head of a table, and so is taken for one of that.
fn misplaced(complaint: &str, text: &str, line: usize) -> Option<String> {
    let key = complaint.strip_prefix("unknown field `")?.split('`').next()?;
    let head = text.lines().take(line).filter(|line| line.trim_start().starts_with('[')).last()?;
    let alone = toml::from_str::<Manifest>(&format!("{key} = 1"));
    let is_own = alone.map_or_else(|error| !error.message().starts_with("unknown field"), |_| true);
    is_own.then(|| format!("it is a key of the tool itself and belongs above the first [table]; here it is in {}", head.trim()))
}

/// Returns the words that a key takes, of which the complaint says that it has none.
fn words(complaint: &str) -> Option<String> {
    let known = complaint.strip_prefix("unknown variant ")?.split_once(", expected ")?.1;
    Some(format!("{} fits", known.replace('`', "")))
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
        let quoted = ['"', '\''].map(|mark| format!("{mark}{name}{mark}"));
        lines()
            .find(|(_, line)| quoted.iter().any(|quoted| line.contains(quoted)))
            .or_else(|| lines().find(|(_, line)| line.contains(*name)))
            .or_else(|| lines().find(|(_, line)| line.trim_start().starts_with(key)))
    };
    names.iter().rev().find_map(of).map_or(1, |(line, _)| line + 1)
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

    #[test]
    fn a_key_that_nobody_knows_hides_nothing() {
        let text = "command = ['mine']\nzzz = 1\n[install]\nnpm = 'x@1.0.0'\n[env]\nyyy = 2\n[env.set]\nHOME = '/x'\n";
        let expected = [(2, true, "unknown field `zzz`"), (6, true, "unknown field `yyy`"), (8, false, "`HOME` speaks of this machine")];
        check("mine", text, &expected);
    }

    const FINE: &str = "command = ['mine']\n[install]\nnpm = 'x@1.0.0'\n";

    /// Behind a manifest that is fine: line, whether it is fatal, what is said, and what to do.
    const MORE: &[(&str, usize, bool, &str, &str)] = &[
        ("[[sync]]\npath = 'a'\nclass = 'jsn'\n", 6, true, "unknown variant `jsn`", "one of json, toml"),
        ("[[sync]]\npath = 'a'\n", 4, true, "missing field `class`", "ai help tools"),
        ("[[sync]]\npath = 'a'\nhost = '../x'\nclass = 'tree'\n", 6, true, "`../x` is not a plain relative path", "ai help"),
        ("[[sync]]\npath = 'a.json'\nclass = 'json'\nseed = '{'\n", 5, true, "`seed` of `a.json` is no document", "as the tool reads it"),
        ("[[sync]]\npath = 'a.toml'\nclass = 'toml'\nseed = '= 1'\n", 5, true, "`seed` of `a.toml` is no document", "as the tool"),
        ("[[sync]]\npath = 'a.json'\nclass = 'keys'\n", 6, false, "nothing of it flows", "keys = "),
        ("[[sync]]\npath = 'a'\nclass = 'tree'\nkeys = ['a']\n", 5, false, "`keys` of `a` mean nothing", "class = "),
        ("[[sync]]\npath = 'a'\nclass = 'tree'\nlogin_keys = ['a']\n", 5, false, "`login_keys` of `a` mean nothing", "class = "),
        ("[[sync]]\npath = 'a'\nclass = 'json'\nexecutes = ['a']\n", 5, false, "says nothing any more", "`out`"),
        (
            "[[sync]]\npath = 'a'\nclass = 'json'\n[[sync]]\npath = 'a'\nclass = 'tree'\n",
            5,
            false,
            "two rules of `sync` are for `a`",
            "one",
        ),
        ("login = ['mine', 'login']\n", 4, true, "unknown field `login`", "belongs above the first [table]; here it is in [install]"),
        ("[secret.KEY]\n", 4, true, "`secret.KEY` does not say where", "env = "),
        ("[secret.'A B']\nenv = ['X']\n", 4, true, "`A B` is no name of a variable", "[secret.NAME]"),
        ("[secret.KEY]\nfile = '../../x'\n", 5, true, "`../../x` is not a plain relative path", "ai help tools"),
        ("[env.set]\nHOME = '/x'\n", 5, false, "`HOME` speaks of this machine", "leave it out"),
        ("[env]\npass = ['PATH']\n", 5, false, "`PATH` speaks of this machine", "leave it out"),
        ("[limits]\nmemory = '1m'\n", 5, true, "`1m` is less than a container can have", "4g"),
        ("[egress]\nmodel = ['https://x.com/']\n", 5, true, "a host and a port, no URL", "ai help tools"),
        ("[state]\nhome = { at = '/home/ai/.x', env = 'A-B' }\n", 5, true, "`A-B` is no name of a variable", "letters"),
        ("[state]\nhome = { at = '/home/ai/.x' }\nbefore = 'x'\n", 6, false, "`state.login` names none", "login = "),
        ("[state]\nhome = { at = '/home/ai/.x' }\nshared = ['a']\nprivate = ['a']\n", 6, true, "`a` is in `shared`, too", "shared by all"),
        ("[transcripts]\nat = 'x'\nformat = 'pi'\n", 6, true, "unknown variant `pi`", "claude"),
    ];

    // TO-05
    #[test]
    fn every_mistake_has_its_line() {
        check("mine", FINE, &[]);
        check("cd", FINE, &[(1, true, "`cd` is a word of a shell")]);
        check("git", FINE, &[(1, false, "`git` is this tool")]);
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
        for name in ["HOME", "PATH", "LD_PRELOAD"] {
            check("mine", &format!("{FINE}[state]\nhome = {{ at = '/home/ai/.x', env = '{name}' }}\n"), &[(5, true, name)]);
        }
        check("mine", &format!("{FINE}[[sync]]\npath = 'a'\nclass = 'tree'\nhost = '.ssh'\n"), &[(7, true, "your keys are there")]);
        check("mine", &format!("{FINE}[state]\nhome = {{ at = '/home/ai/.ssh' }}\n"), &[(5, true, "known hosts")]);
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
        for (more, line, fatal, what, hint) in MORE {
            let text = format!("{FINE}{more}");
            check("mine", &text, &[(*line, *fatal, what)]);
            let found = examine("mine", &ManifestText::own(&text, "x.toml"), |name| Ok(built_in(name)));
            assert!(found[0].hint.contains(hint), "{found:?}");
        }
        let key = format!("{}{}", "ghp_", "x7Qm2Lr9Tz4Vb8Nc1Kd6Wf3Hj5Pg0YsXu2Ae");
        check("mine", &format!("{FINE}[env.set]\nX = '{key}'\n"), &[(5, false, "the value of `X` looks like a key")]);
        check("mine", "profile_of = 'glm'\n", &[(1, true, "`glm` is a profile itself")]);
        check("mine", "command = ['']\nimage = 'a/B:1'\n", &[(1, true, "an empty word"), (2, true, "has capitals")]);
        check("mine", &format!("{FINE}[env]\npass = ['A B']\n[env.set]\n'1X' = 'y'\n"), &[(5, true, "`A B`"), (7, true, "`1X`")]);
    }
}
