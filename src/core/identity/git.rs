//! The person's own settings of git, as far as they mean something in a container: habits, identity, and the files that they name.
//!
//! Taken over is what is on a list of kinds; a key that names a program of the host never is. Where leaving something out would
//! change what a commit holds, git is made to fail instead.

use std::collections::{BTreeMap, BTreeSet};

use crate::core::container::GIT_HOST;
use crate::core::identity::GitConfigEntry;
use crate::core::identity::files::{DIRECTORIES, Delivery, FILES};
use crate::core::shell::Shell;

/// Sections of habits. Keys with a subsection are not meant; see [`is_habit`].
const SECTIONS: [&str; 37] = [
    "init",
    "pull",
    "push",
    "fetch",
    "merge",
    "rebase",
    "rerere",
    "format",
    "commit",
    "tag",
    "branch",
    "status",
    "log",
    "diff",
    "apply",
    "am",
    "blame",
    "color",
    "column",
    "advice",
    "checkout",
    "clone",
    "stash",
    "submodule",
    "switch",
    "worktree",
    "grep",
    "interactive",
    "i18n",
    "transfer",
    "index",
    "notes",
    "versionsort",
    "showbranch",
    "mailinfo",
    "feature",
    "revert",
];

/// Keys of these sections that name a program or a file.
const NO_HABITS: [&str; 12] = [
    "init.templatedir",
    "commit.template",
    "merge.tool",
    "merge.guitool",
    "diff.external",
    "diff.tool",
    "diff.guitool",
    "diff.orderfile",
    "blame.ignorerevsfile",
    "interactive.difffilter",
    "format.signaturefile",
    "format.outputdirectory",
];

/// Single keys of sections that are not taken as a whole.
const SINGLE: [&str; 23] = [
    "core.autocrlf",
    "core.eol",
    "core.safecrlf",
    "core.whitespace",
    "core.quotepath",
    "core.abbrev",
    "core.commentchar",
    "core.commentstring",
    "core.precomposeunicode",
    "core.protecthfs",
    "core.protectntfs",
    "core.logallrefupdates",
    "core.bigfilethreshold",
    "core.untrackedcache",
    "core.preloadindex",
    "core.checkroundtripencoding",
    "gpg.format",
    "gpg.mintrustlevel",
    "http.postbuffer",
    "http.version",
    "http.sslverify",
    "http.followredirects",
    "mailmap.blob",
];

/// `section.*.name`, by section and names.
const WITH_SUBSECTION: [(&str, &[&str]); 5] = [
    ("diff", &["xfuncname", "funcname", "wordregex", "binary", "algorithm"]),
    ("trailer", &["key", "where", "ifexists", "ifmissing"]),
    ("http", &["postbuffer", "version", "sslverify", "followredirects"]),
    ("protocol", &["allow"]),
    ("merge", &["name", "recursive"]),
];

/// What a person's settings become.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct GitSettings {
    /// Who the person is: for the file that `git config --global` reads.
    pub identity: Vec<(String, String)>,
    /// Everything else, as text of a file that is read before it.
    pub config: String,
    /// What a person should know before the run.
    pub notes: Vec<String>,
}

/// Returns the settings for a container. `delivered` says what became of the files that they name.
pub fn settings(entries: &[GitConfigEntry], delivered: &BTreeMap<&'static str, Delivery>, agent: bool) -> GitSettings {
    let mut settings = GitSettings::default();
    let own: Vec<&GitConfigEntry> = entries.iter().filter(|entry| entry.is_global()).collect();
    for entry in &own {
        match kind(entry) {
            KeyKind::Identity => {
                settings.identity.retain(|(key, _)| *key != entry.key);
                settings.identity.push((entry.key.clone(), entry.value.clone()));
            }
            KeyKind::Habit => set(&mut settings.config, &entry.key, &entry.value),
            KeyKind::Command(instead) => {
                set(&mut settings.config, &entry.key, if is_simple(&entry.value) { &entry.value } else { &instead });
            }
            KeyKind::Left => {}
        }
    }
    if own.iter().any(|entry| is_rewriting_url(&entry.key) && has_login(&entry.key)) {
        settings.notes.push("an `insteadOf` of your git settings holds a login, and stays out of the container".into());
    }
    // A filter that cannot run must stop git: without this, what it should have taken out or made small is stored as it is.
    for name in names(entries.iter(), "filter") {
        set(&mut settings.config, &format!("filter.{name}.required"), "true");
    }
    files(&own, delivered, &mut settings);
    signing(&own, delivered, agent, &mut settings);
    settings
}

/// What a key is.
enum KeyKind {
    Identity,
    Habit,
    /// It names a command; this is what stands in for one that means something else in a container.
    Command(String),
    Left,
}

fn kind(entry: &GitConfigEntry) -> KeyKind {
    let (section, subsection, name) = split(&entry.key);
    match (section, subsection, name) {
        ("user", None, "name" | "email" | "useconfigonly") | ("author" | "committer", None, "name" | "email") => KeyKind::Identity,
        ("alias", None, _) if !entry.value.trim_start().starts_with('!') => KeyKind::Habit,
        ("gpg", Some("ssh"), "defaultkeycommand") if entry.value.split_whitespace().next() == Some("ssh-add") => KeyKind::Habit,
        ("filter", Some(driver), "clean" | "smudge" | "process") => KeyKind::Command(refusal("filter", driver, 1)),
        ("merge", Some(driver), "driver") => KeyKind::Command(refusal("merge driver", driver, 129)),
        _ if is_rewriting_url(&entry.key) && !has_login(&entry.key) => KeyKind::Habit,
        _ if is_habit(section, subsection, name, &entry.key) => KeyKind::Habit,
        _ => KeyKind::Left,
    }
}

fn is_habit(section: &str, subsection: Option<&str>, name: &str, key: &str) -> bool {
    match subsection {
        None => (SECTIONS.contains(&section) && !NO_HABITS.contains(&key)) || SINGLE.contains(&key),
        Some(_) => section == "color" || WITH_SUBSECTION.iter().any(|(known, names)| *known == section && names.contains(&name)),
    }
}

/// Section, subsection and name. A subsection may hold dots.
fn split(key: &str) -> (&str, Option<&str>, &str) {
    let (section, rest) = key.split_once('.').unwrap_or((key, ""));
    rest.rsplit_once('.').map_or((section, None, rest), |(subsection, name)| (section, Some(subsection), name))
}

/// Returns the subsections of a section.
fn names<'a>(entries: impl Iterator<Item = &'a GitConfigEntry>, section: &str) -> BTreeSet<&'a str> {
    entries.map(|entry| split(&entry.key)).filter(|(own, ..)| *own == section).filter_map(|(_, subsection, _)| subsection).collect()
}

fn is_rewriting_url(key: &str) -> bool {
    let (section, subsection, name) = split(key);
    section == "url" && subsection.is_some() && matches!(name, "insteadof" | "pushinsteadof")
}

/// Whether a `url.<base>.insteadOf` holds a password or a token. The user in front of an SSH host is none.
fn has_login(key: &str) -> bool {
    let base = split(key).1.unwrap_or_default();
    let Some((scheme, rest)) = base.split_once("://") else { return false };
    let user = rest.split('/').next().and_then(|authority| authority.rsplit_once('@')).map(|(user, _)| user);
    user.is_some_and(|user| user.contains(':') || !matches!(scheme, "ssh" | "git+ssh" | "ssh+git"))
}

/// Whether a shell runs one program for this, whose absence is a failure. The end of a pipe would hide it.
fn is_simple(command: &str) -> bool {
    !command.contains(['|', '&', ';', '<', '>', '(', ')', '$', '`', '\n'])
}

fn refusal(what: &str, name: &str, code: u8) -> String {
    let why = format!("ai: the {what} {name} of your git settings is more than one program, and does not come along");
    format!("echo {} >&2; exit {code}", Shell::Bash.quote(&why))
}

/// Adds the keys that name files, with the place where the content is.
fn files(own: &[&GitConfigEntry], delivered: &BTreeMap<&'static str, Delivery>, settings: &mut GitSettings) {
    for file in FILES.iter().chain(&DIRECTORIES) {
        let value = own.iter().rfind(|entry| entry.key == file.key).map(|entry| entry.value.as_str());
        match (delivered.get(file.key), value) {
            (Some(Delivery::At(name)), _) => set(&mut settings.config, file.key, &format!("{GIT_HOST}/{name}")),
            (Some(Delivery::Failed(why)), _) => {
                settings.notes.push(format!("`{}` of your git settings does not come along: {why}", file.key));
            }
            // Relative to the project, so it is there.
            (None, Some(value)) if !value.starts_with(['/', '~', '%']) => set(&mut settings.config, file.key, value),
            (None, _) => {}
        }
    }
}

/// Signatures are made by the agent, with the public half of the key. A key that is not there makes git fail, as it should.
fn signing(own: &[&GitConfigEntry], delivered: &BTreeMap<&'static str, Delivery>, agent: bool, settings: &mut GitSettings) {
    let last = |key: &str| own.iter().rfind(|entry| entry.key == key).map(|entry| entry.value.as_str());
    let key = last("user.signingkey");
    let at = match delivered.get("user.signingkey") {
        Some(Delivery::At(name)) => Some(format!("{GIT_HOST}/{name}")),
        _ => key.map(str::to_owned),
    };
    settings.identity.extend(at.map(|key| ("user.signingkey".to_owned(), key)));
    let signs = ["commit.gpgsign", "tag.gpgsign"].iter().any(|key| last(key).is_some_and(is_true));
    let off = "hint: ai exec git config --global commit.gpgsign false, for this project";
    match (signs, last("gpg.format")) {
        (false, _) => {}
        (true, Some("ssh")) if !agent => {
            settings
                .notes
                .push("git signs by SSH here, and there is no agent to do it in the container: commits fail; hint: ssh-add".into());
        }
        (true, Some("ssh")) => {
            if let Some(Delivery::Failed(why)) = delivered.get("user.signingkey") {
                settings.notes.push(format!("git signs by SSH here, and commits fail in the container: {why}; {off}"));
            }
        }
        (true, format) => {
            let format = format.unwrap_or("openpgp");
            settings
                .notes
                .push(format!("git signs by {format} here, whose keys stay on this machine: commits fail in the container; {off}"));
        }
    }
}

fn is_true(value: &str) -> bool {
    matches!(value.to_ascii_lowercase().as_str(), "true" | "yes" | "on") || value.parse::<i64>().is_ok_and(|number| number != 0)
}

/// Adds a setting, quoted so that git reads back the same value.
pub(super) fn set(text: &mut String, key: &str, value: &str) {
    text.push_str(&line(key, value));
}

/// Returns one setting under a header of its own.
pub(super) fn line(key: &str, value: &str) -> String {
    let escape = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
    let (section, subsection, name) = split(key);
    let header = subsection.map_or_else(|| section.to_owned(), |subsection| format!("{section} \"{}\"", escape(subsection)));
    let value = escape(value).replace('\n', "\\n").replace('\t', "\\t").replace('\u{8}', "\\b");
    format!("[{header}]\n\t{name} = \"{value}\"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(scope: &str, settings: &[(&str, &str)]) -> Vec<GitConfigEntry> {
        let entry = |(key, value): &(&str, &str)| GitConfigEntry {
            scope: scope.into(),
            origin: "file:/h/.gitconfig".into(),
            key: (*key).into(),
            value: (*value).into(),
        };
        settings.iter().map(entry).collect()
    }

    /// What one setting of the person becomes.
    #[track_caller]
    fn check(key: &str, value: &str, expected: &str) {
        assert_eq!(settings(&entries("global", &[(key, value)]), &BTreeMap::new(), true).config, expected, "{key}");
    }

    // SE-11
    #[test]
    fn habits_come_along_and_nothing_that_names_a_program_or_a_secret() {
        check("pull.rebase", "true", "[pull]\n\trebase = \"true\"\n");
        check("alias.co", "checkout -b \"x\\y\"", "[alias]\n\tco = \"checkout -b \\\"x\\\\y\\\"\"\n");
        check("url.git@h:.insteadof", "https://h/", "[url \"git@h:\"]\n\tinsteadof = \"https://h/\"\n");
        check("url.ssh://git@h/.insteadof", "https://h/", "[url \"ssh://git@h/\"]\n\tinsteadof = \"https://h/\"\n");
        check("color.diff.meta", "blue", "[color \"diff\"]\n\tmeta = \"blue\"\n");
        for (key, value) in [
            ("alias.x", " !evil"),
            ("core.pager", "delta"),
            ("core.sshcommand", "ssh -i x"),
            ("core.fsmonitor", "evil"),
            ("diff.external", "difft"),
            ("diff.x.textconv", "evil"),
            ("interactive.difffilter", "delta"),
            ("credential.helper", "store"),
            ("gpg.program", "/opt/gpg"),
            ("gpg.ssh.defaultkeycommand", "op key"),
            ("http.extraheader", "Authorization: x"),
            ("http.proxy", "http://u:p@h"),
            ("url.https://token@h/.insteadof", "https://h/"),
            ("url.https://u:p@h/.insteadof", "https://h/"),
            ("include.path", "x"),
            ("submodule.x.update", "!evil"),
        ] {
            check(key, value, "");
        }
    }

    // SE-11
    #[test]
    fn a_filter_runs_or_stops_git() {
        let required = "[filter \"f\"]\n\trequired = \"true\"\n";
        check("filter.f.clean", "sed s/a/b/ %f", &format!("[filter \"f\"]\n\tclean = \"sed s/a/b/ %f\"\n{required}"));
        for command in ["a | b", "$HOME/bin/x", "a; true", "`x`", "a\nb", "a && b"] {
            let text = settings(&entries("global", &[("filter.f.clean", command)]), &BTreeMap::new(), true).config;
            assert!(text.contains("exit 1\"\n") && !text.contains(command) && text.ends_with(required), "{text}");
        }
        // The repository's own command comes with the repository.
        let local = settings(&entries("local", &[("filter.f.clean", "x"), ("pull.rebase", "true")]), &BTreeMap::new(), true);
        assert_eq!(local.config, required);
        check("merge.ours.driver", "true", "[merge \"ours\"]\n\tdriver = \"true\"\n");
    }

    // SE-11
    #[test]
    fn files_stand_where_their_content_is() {
        let named = entries("global", &[("core.excludesfile", "~/ig"), ("core.hookspath", ".hooks"), ("commit.template", "~/gone")]);
        let delivered = BTreeMap::from([
            ("core.excludesfile", Delivery::At("ignore".into())),
            ("core.attributesfile", Delivery::Failed("it is a FIFO".into())),
        ]);
        let settings = settings(&named, &delivered, true);
        assert_eq!(settings.config, "[core]\n\texcludesfile = \"/ai/git-host/ignore\"\n[core]\n\thookspath = \".hooks\"\n");
        assert_eq!(settings.notes, ["`core.attributesfile` of your git settings does not come along: it is a FIFO"]);
    }

    // SE-11
    #[test]
    fn signing_is_kept_and_what_keeps_it_from_working_is_said() {
        let check = |format: Option<&str>, key: Option<Delivery>, agent: bool, note: Option<&str>| {
            let mut own = entries("global", &[("commit.gpgsign", "true"), ("user.signingkey", "~/.ssh/id")]);
            own.extend(format.map(|format| entries("global", &[("gpg.format", format)]).remove(0)));
            let settings = settings(&own, &key.map(|key| ("user.signingkey", key)).into_iter().collect(), agent);
            assert!(settings.config.contains("gpgsign = \"true\""));
            let said = settings.notes.join("\n");
            assert!(note.map_or(said.is_empty(), |note| said.contains(note)), "{said}");
            settings.identity
        };
        let at = || Some(Delivery::At("signing-key.pub".into()));
        let identity = check(Some("ssh"), at(), true, None);
        assert_eq!(identity, [("user.signingkey".to_owned(), "/ai/git-host/signing-key.pub".to_owned())]);
        check(Some("ssh"), at(), false, Some("no agent"));
        check(Some("ssh"), Some(Delivery::Failed("gone".into())), true, Some("gone"));
        check(None, None, true, Some("by openpgp"));
        check(Some("x509"), None, true, Some("by x509"));
    }
}
