//! Which settings of git run nothing, however they are set: the list of what may change in `.git/config` unseen.
//!
//! A list of what is harmless, not of what is dangerous: git grows new ways to name a program every year, and a new name that is
//! missing here costs a person one word, not their machine.

use std::path::{Component, Path, PathBuf};

use crate::core::control::gitconfig::GitSetting;

/// Variables of sections without a subsection; `*` stands for all of them.
const PLAIN: &[(&str, &[&str])] = &[
    ("advice", &["*"]),
    ("author", &["email", "name"]),
    ("branch", &["autosetupmerge", "autosetuprebase", "sort"]),
    ("clean", &["requireforce"]),
    ("color", &["*"]),
    ("column", &["*"]),
    ("commit", &["cleanup", "gpgsign", "status", "verbose"]),
    ("committer", &["email", "name"]),
    (
        "core",
        &[
            "abbrev",
            "autocrlf",
            "bare",
            "bigfilethreshold",
            "checkstat",
            "commentchar",
            "commitgraph",
            "compression",
            "eol",
            "filemode",
            "ignorecase",
            "ignorestat",
            "logallrefupdates",
            "longpaths",
            "loosecompression",
            "multipackindex",
            "precomposeunicode",
            "preloadindex",
            "quotepath",
            "repositoryformatversion",
            "safecrlf",
            "sparsecheckout",
            "sparsecheckoutcone",
            "splitindex",
            "symlinks",
            "trustctime",
            "untrackedcache",
            "usereplacerefs",
            "whitespace",
        ],
    ),
    (
        "diff",
        &[
            "algorithm",
            "autorefreshindex",
            "colormoved",
            "colormovedws",
            "context",
            "dirstat",
            "ignoresubmodules",
            "indentheuristic",
            "interhunkcontext",
            "mnemonicprefix",
            "noprefix",
            "relative",
            "renamelimit",
            "renames",
            "statgraphwidth",
            "statnamewidth",
            "submodule",
            "suppressblankempty",
            "wserrorhighlight",
        ],
    ),
    ("extensions", &["compatobjectformat", "noop", "objectformat", "preciousobjects", "relativeworktrees", "worktreeconfig"]),
    ("feature", &["experimental", "manyfiles"]),
    ("fetch", &["fsckobjects", "output", "parallel", "prune", "prunetags", "recursesubmodules", "writecommitgraph"]),
    ("format", &["signoff"]),
    ("gc", &["auto", "autodetach", "autopacklimit"]),
    ("http", &["lowspeedlimit", "lowspeedtime", "maxrequests", "postbuffer", "version"]),
    ("i18n", &["commitencoding", "logoutputencoding"]),
    ("index", &["recordendofindexentries", "recordoffsettable", "skiphash", "sparse", "threads", "version"]),
    ("init", &["defaultbranch"]),
    (
        "lfs",
        &[
            "activitytimeout",
            "allowincompletepush",
            "concurrenttransfers",
            "dialtimeout",
            "locksverify",
            "repositoryformatversion",
            "skipdownloaderrors",
        ],
    ),
    ("log", &["abbrevcommit", "date", "decorate", "follow", "mailmap", "showroot"]),
    ("maintenance", &["auto", "autodetach", "strategy"]),
    (
        "merge",
        &["autostash", "branchdesc", "conflictstyle", "directoryrenames", "ff", "log", "renamelimit", "renames", "stat", "verbosity"],
    ),
    ("pack", &["depth", "threads", "window", "windowmemory", "writereverseindex"]),
    ("pull", &["autostash", "ff", "rebase"]),
    ("push", &["autosetupremote", "default", "followtags", "useforceifincludes"]),
    (
        "rebase",
        &["abbreviatecommands", "autosquash", "autostash", "forkpoint", "missingcommitscheck", "rebasemerges", "stat", "updaterefs"],
    ),
    ("rerere", &["autoupdate", "enabled"]),
    ("stash", &["showincludeuntracked", "showpatch", "showstat"]),
    (
        "status",
        &[
            "aheadbehind",
            "branch",
            "displaycommentprefix",
            "relativepaths",
            "renamelimit",
            "renames",
            "short",
            "showstash",
            "showuntrackedfiles",
        ],
    ),
    ("submodule", &["active", "fetchjobs", "propagatebranches", "recurse"]),
    ("tag", &["gpgsign", "sort"]),
    ("user", &["email", "name", "useconfigonly"]),
    ("worktree", &["guessremote", "userelativepaths"]),
];

/// Variables of sections with a subsection. Those of a remote that say where it is are judged by value.
const PLAIN_OF_ONE: &[(&str, &[&str])] = &[
    ("branch", &["description", "github-pr-owner-number", "merge", "rebase", "vscode-merge-base"]),
    ("color", &["*"]),
    ("lfs", &["access", "locksverify"]),
    (
        "remote",
        &[
            "fetch",
            "followremotehead",
            "gh-resolved",
            "mirror",
            "prune",
            "prunetags",
            "push",
            "skipdefaultupdate",
            "skipfetchall",
            "tagopt",
        ],
    ),
    ("submodule", &["active", "branch", "fetchrecursesubmodules", "ignore", "shallow"]),
];

/// What decides about a value beside the setting itself.
#[derive(Clone, Debug, Default)]
pub struct Around<'a> {
    /// The remotes that are configured: a branch that names another one names a path.
    pub remotes: Vec<&'a [u8]>,
    /// The directory that the settings are in, below the project's root, if it is that of a submodule.
    pub module: Option<&'a Path>,
}

/// Says whether a setting can run nothing, and makes nothing run elsewhere.
pub fn is_plain(setting: &GitSetting, around: &Around) -> bool {
    if setting.value.as_deref().is_some_and(|value| value.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t')) {
        // Git prints it, and a terminal obeys it.
        return false;
    }
    let list = if setting.subsection.is_some() { PLAIN_OF_ONE } else { PLAIN };
    let keys = list.iter().find(|(section, _)| *section == setting.section).map_or(&[][..], |(_, keys)| keys);
    keys.iter().any(|key| *key == "*" || *key == setting.key) || is_plain_value(setting, around)
}

fn is_plain_value(setting: &GitSetting, around: &Around) -> bool {
    let Some(value) = setting.text() else { return false };
    let is_remote = |value: &str| value == "." || around.remotes.contains(&value.as_bytes());
    match (setting.section.as_str(), setting.subsection.is_some(), setting.key.as_str()) {
        ("remote", true, "url" | "pushurl") | ("submodule", true, "url") => is_far(value),
        ("branch", true, "remote" | "pushremote") | ("remote", false, "pushdefault") => is_remote(value),
        // A format of one's own may hold any control, spelled `%x1b`.
        ("format", false, "pretty") => PRETTY.contains(&value),
        // From a remote that has promised them, git fetches what is missing by itself, wherever that is.
        ("remote", true, "promisor") => is_off(value),
        // Words of git's own; anything else may name a program or a file.
        ("submodule", true, "update") => matches!(value, "checkout" | "rebase" | "merge" | "none"),
        ("core", false, "fsmonitor") => matches!(value, "true" | "false"),
        ("extensions", false, "refstorage") => matches!(value, "files" | "reftable"),
        ("core", false, "worktree") => around.module.is_some_and(|module| stays_inside(module, value)),
        _ => false,
    }
}

/// Git's own formats of a log.
const PRETTY: [&str; 8] = ["oneline", "short", "medium", "full", "fuller", "reference", "email", "raw"];

fn is_off(value: &str) -> bool {
    ["false", "no", "off", "0", ""].iter().any(|off| value.eq_ignore_ascii_case(off))
}

/// Says whether a URL leads to another machine: a repository of this one may have hooks, which a push runs.
fn is_far(url: &str) -> bool {
    if url.chars().any(char::is_control) || url.starts_with('-') {
        return false;
    }
    if let Some((scheme, rest)) = url.split_once("://") {
        return matches!(scheme, "https" | "http" | "ssh" | "git" | "git+ssh" | "ssh+git")
            && !rest.is_empty()
            && !rest.starts_with(['-', '/']);
    }
    // As scp spells it: a colon before any slash. Two colons name a helper of git's.
    url.split_once(':').is_some_and(|(host, path)| !host.is_empty() && !host.contains('/') && !path.starts_with(':'))
}

/// Says whether `value`, seen from `directory` below the root, is a relative path that stays below it and out of `.git`.
fn stays_inside(directory: &Path, value: &str) -> bool {
    let mut path: PathBuf = directory.to_owned();
    for part in Path::new(value).components() {
        match part {
            Component::Normal(part) => path.push(part),
            Component::CurDir => {}
            Component::ParentDir if path.pop() => {}
            _ => return false,
        }
    }
    !path.as_os_str().is_empty() && !path.components().any(|part| part.as_os_str().eq_ignore_ascii_case(".git"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::control::gitconfig::parse;

    fn check(text: &str, plain: bool) {
        let settings = parse(text.as_bytes()).unwrap();
        let around = Around { remotes: vec![b"origin"], module: Some(Path::new(".git/modules/sub")) };
        assert!(settings.iter().all(|setting| is_plain(setting, &around) == plain), "{text}: {settings:?}");
        assert!(!settings.is_empty());
    }

    #[test]
    fn what_ordinary_work_sets_is_plain() {
        check("[user]\nname = A\nemail = a@b\n[author]\nname=x", true);
        check("[remote \"up\"]\nurl = https://example.org/x.git\nfetch = +refs/heads/*:refs/remotes/up/*", true);
        check("[remote \"up\"]\nurl = git@example.org:a/b\npushurl = ssh://git@example.org:22/a", true);
        check("[branch \"topic\"]\nremote = origin\nmerge = refs/heads/topic\nrebase", true);
        check("[branch \"topic\"]\nremote = .\n[push]\nautoSetupRemote", true);
        check("[core]\nrepositoryformatversion = 0\nfilemode\nbare = false\nlogallrefupdates = true\nfsmonitor = false", true);
        check("[core]\nworktree = ../../../sub", true);
        check("[submodule \"sub\"]\nactive = true\nurl = https://example.org/x\nupdate = rebase", true);
    }

    // S1: everything that names a program, or where programs are taken from.
    #[test]
    fn what_names_a_program_is_not() {
        for key in [
            "core.fsmonitor",
            "core.hooksPath",
            "core.sshCommand",
            "core.pager",
            "core.editor",
            "core.askPass",
            "core.gitProxy",
            "core.alternateRefsCommand",
            "core.attributesFile",
            "core.excludesFile",
            "sequence.editor",
            "diff.external",
            "credential.helper",
            "gpg.program",
            "include.path",
            "uploadpack.packObjectsHook",
            "protocol.allow",
            "http.proxy",
            "http.sslCert",
            "interactive.diffFilter",
            "web.browser",
            "instaweb.httpd",
            "sendemail.toCmd",
            "ssh.variant",
            "gc.recentObjectsHook",
            "trailer.x",
            "init.templateDir",
            "lfs.url",
            "remote.pushDefault",
            "status.submoduleSummary",
            "commit.template",
            "user.signingKey",
            "mailmap.file",
            "core.worktree",
            "extensions.refStorage",
            "imap.tunnel",
            "merge.tool",
            "help.browser",
            "core.sharedRepository",
        ] {
            let (section, name) = key.split_once('.').unwrap();
            check(&format!("[{section}]\n{name} = /bin/evil"), false);
        }
        for (section, name) in [
            ("filter", "clean"),
            ("filter", "smudge"),
            ("filter", "process"),
            ("diff", "command"),
            ("diff", "textconv"),
            ("merge", "driver"),
            ("includeIf", "path"),
            ("url", "insteadOf"),
            ("url", "pushInsteadOf"),
            ("gpg", "program"),
            ("gpg", "defaultKeyCommand"),
            ("remote", "vcs"),
            ("remote", "uploadpack"),
            ("remote", "receivepack"),
            ("remote", "proxy"),
            ("difftool", "cmd"),
            ("mergetool", "path"),
            ("browser", "cmd"),
            ("man", "cmd"),
            ("pager", "x"),
            ("credential", "helper"),
            ("tar", "command"),
            ("trailer", "command"),
            ("guitool", "cmd"),
            ("protocol", "allow"),
            ("hook", "command"),
            ("lfs", "path"),
            ("http", "proxy"),
            ("branch", "mergeOptions"),
            ("submodule", "update"),
            ("alias", "command"),
        ] {
            check(&format!("[{section} \"ext\"]\n{name} = /bin/evil"), false);
        }
        check("[alias]\nst = status\nx = !evil", false);
        check("[remote \"x\"]\npromisor\n[extensions]\npartialClone = origin\n[remote \"y\"]\npromisor = true", false);
        check("[remote \"origin\"]\npartialCloneFilter = blob:none", false);
    }

    // BO-14: what git prints is obeyed by the terminal.
    #[test]
    fn what_a_terminal_would_obey_is_not() {
        check("[format]\npretty = %x1b]0;x%x07%s", false);
        check("[user]\nname = \"a\x1b]0;x\x07\"\n[log]\ndate = \"format:\x1b[2J\"", false);
        check("[format]\npretty = oneline\n[user]\nname = \"a\tb\"\n[log]\ndate = iso", true);
    }

    #[test]
    fn a_remote_on_this_machine_is_not() {
        for url in [
            "./evil.git",
            "/tmp/evil",
            "file:///tmp/evil",
            "../x",
            "evil",
            "ext::sh -c evil",
            "ssh://-oProxyCommand=evil/x",
            "foo::bar",
            "-x:y",
            "x/y:z",
            "",
        ] {
            check(&format!("[remote \"o\"]\nurl = \"{url}\""), false);
            check(&format!("[branch \"o\"]\nremote = \"{url}\""), false);
        }
        check("[remote \"o\"]\nurl", false);
    }

    #[test]
    fn a_submodule_has_its_tree_in_the_project() {
        for value in ["/home/u", "../../../../x", "../../..", "../../hooks", "../../../.GIT/hooks"] {
            check(&format!("[core]\nworktree = {value}"), false);
        }
    }
}
