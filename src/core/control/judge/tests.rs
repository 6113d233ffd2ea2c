use super::*;
use crate::core::control::kinds::{ANY_IN_GIT, GIT_FILE, INCLUDED, NAMED};

struct Case<'a> {
    path: &'a str,
    kind: ControlKind,
    before: Standing<'a>,
    after: Standing<'a>,
}

impl Case<'_> {
    fn judged(&self, leads: Leads, git_directory: GitDirectory, allowed: &[&str]) -> Judgement {
        let (path, allowed) = (ControlPath::new(0, self.path), allowed.iter().map(|name| (*name).to_owned()).collect());
        judge(&ControlChange {
            path: &path,
            kind: self.kind,
            before: self.before,
            after: self.after,
            leads,
            git_directory,
            allowed: &allowed,
        })
    }
}

fn file(text: &str) -> Standing<'_> {
    Standing::File { bytes: text.as_bytes(), executable: false }
}

fn settings(before: &str, after: &str, allowed: &[&str]) -> Judgement {
    let case = Case { path: ".git/config", kind: INCLUDED, before: file(before), after: file(after) };
    case.judged(Leads::Inside, GitDirectory::There, allowed)
}

const OLD: &str =
    "[core]\n\tbare = false\n[remote \"origin\"]\n\turl = https://example.org/x\n[filter \"lfs\"]\n\tclean = git-lfs clean -- %f\n";

#[test]
fn ordinary_work_changes_settings_unseen() {
    for more in [
        "[branch \"main\"]\nremote = origin\nmerge = refs/heads/main\n",
        "[remote \"up\"]\nurl = git@example.org:x\nfetch = +refs/heads/*:refs/remotes/up/*\n[branch \"t\"]\nremote = up\n",
        "[user]\nname = A\n",
    ] {
        assert_eq!(settings(OLD, &format!("{OLD}{more}"), &[]), Judgement::Fine, "{more}");
    }
    // git writes the file anew, in another order of sections.
    assert_eq!(settings(OLD, "[filter \"lfs\"]\nclean = \"git-lfs clean -- %f\"\n[core]\nbare\n", &[]), Judgement::Fine);
}

#[test]
fn where_git_pushes_to_is_said_and_goes_back_with_what_runs() {
    let moved = OLD.replace("example.org", "evil.example");
    assert_eq!(settings(OLD, &moved, &[]), Judgement::Moved(vec!["remote.origin.url".into()]));
    assert_eq!(settings(OLD, &moved, &["remote.origin.url"]), Judgement::Fine);
    let Judgement::Rewrite { bytes, names } = settings(OLD, &format!("{moved}[core]\nfsmonitor = evil\n[user]\nname = A\n"), &[]) else {
        panic!()
    };
    assert_eq!(names, ["core.fsmonitor", "remote.origin.url"]);
    let Judgement::Rewrite { names, .. } = settings(OLD, &format!("{OLD}[remote]\npushDefault = x\n"), &[]) else { panic!() };
    assert_eq!(names, ["remote.pushdefault"], "once, though it runs and leads elsewhere");
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.contains("https://example.org/x") && !text.contains("evil") && text.contains("name = A"), "{text}");
}

// S1
#[test]
fn what_runs_goes_back_and_the_rest_stays() {
    let Judgement::Rewrite { bytes, names } = settings(OLD, &format!("{OLD}[user]\nname = A\n[core]\nfsmonitor = evil\n"), &[]) else {
        panic!()
    };
    assert_eq!(names, ["core.fsmonitor"]);
    let now = parse(&bytes).unwrap();
    assert!(now.iter().any(|setting| setting.name() == "user.name"));
    assert!(now.iter().any(|setting| setting.name() == "filter.lfs.clean"));
    assert!(!now.iter().any(|setting| setting.key == "fsmonitor"));
    // Nothing else changed: byte for byte as it was.
    let Judgement::Rewrite { bytes, .. } = settings(OLD, &format!("{OLD}[alias]\nx = !evil\n"), &[]) else { panic!() };
    assert_eq!(bytes, OLD.as_bytes());
}

#[test]
fn a_setting_in_disguise_is_found() {
    for more in [
        "[CORE]\nFSMonitor = evil",
        "[core] fsmonitor = evil",
        "[core]\r\nfsmonitor = evil\r\n",
        "[core]\nfs\\\nmonitor = evil",
        "[core]\nfsmonitor = ev\\\nil",
        "[core]\neditor = x ; fsmonitor\n[core]\tfsmonitor=evil",
        "[filter.x]\nclean = evil",
        "[filter \"a\\\"]b\"]\nclean = evil",
        "[include]\npath = ../evil",
        "[includeIf \"gitdir:**\"]\npath = ../evil",
        "[core]\nbare = \"false\nfsmonitor = evil",
        "[core]\nfsmonitor = evil\u{0}",
        "garbage",
    ] {
        assert!(!matches!(settings(OLD, &format!("{OLD}{more}\n"), &[]), Judgement::Fine), "{more}");
    }
    assert!(!matches!(settings(OLD, &format!("\u{feff}{OLD}[core]\nfsmonitor = evil\n"), &[]), Judgement::Fine));
}

#[test]
fn taking_away_or_turning_round_what_runs_is_a_change_too() {
    assert!(matches!(settings(OLD, "[core]\nbare = false\n", &[]), Judgement::Rewrite { .. }));
    let two = |a: &str, b: &str| format!("[credential]\nhelper = {a}\nhelper = {b}\n");
    assert!(matches!(settings(&two("x", "y"), &two("y", "x"), &[]), Judgement::Rewrite { .. }));
}

#[test]
fn what_is_allowed_stays() {
    let after = format!("{OLD}[core]\nhooksPath = .husky/_\n");
    assert_eq!(settings(OLD, &after, &["core.hookspath"]), Judgement::Fine);
    assert_eq!(settings(OLD, &after, &["*"]), Judgement::Report);
}

#[test]
fn a_new_repository_keeps_what_runs_nothing() {
    let case = Case { path: "new/.git/config", kind: INCLUDED, before: Standing::Absent, after: file(OLD) };
    let Judgement::Rewrite { bytes, names } = case.judged(Leads::Inside, GitDirectory::There, &[]) else { panic!() };
    assert_eq!((names, parse(&bytes).unwrap().len()), (vec!["filter.lfs.clean".to_owned()], 2));
}

#[test]
fn a_person_s_word_brings_in_what_ran() {
    let path = ControlPath::new(0, ".git/config");
    let bytes = accept_settings(&path, b"[user]\nname = B\n", format!("{OLD}[user]\nname = A\n").as_bytes()).unwrap();
    let names: Vec<String> = parse(&bytes).unwrap().iter().map(GitSetting::name).collect();
    assert_eq!(names, ["user.name", "filter.lfs.clean"]);
}

// Z-019, Z-021, Z-022
#[test]
fn other_files_go_back_whole() {
    let hook = |before, after| Case { path: ".git/hooks/x", kind: NAMED, before, after };
    for (before, after) in [
        (Standing::Absent, file("evil")),
        (file("mine"), file("evil")),
        (file("mine"), Standing::Absent),
        (file("mine"), Standing::Link),
        (Standing::Absent, Standing::Strange),
        (file("mine"), Standing::File { bytes: b"mine", executable: true }),
    ] {
        assert_eq!(hook(before, after).judged(Leads::Inside, GitDirectory::There, &[]), Judgement::Back, "{before:?} {after:?}");
    }
    // With the whole repository.
    assert_eq!(hook(file("mine"), Standing::Absent).judged(Leads::Inside, GitDirectory::Gone, &[]), Judgement::Fine);
    assert_eq!(hook(Standing::Absent, file("x")).judged(Leads::Inside, GitDirectory::There, &["*"]), Judgement::Report);
}

#[test]
fn git_s_own_pointers_pass() {
    let check = |path, before, after, leads, expected| {
        let case = Case { path, kind: GIT_FILE, before, after };
        assert_eq!(case.judged(leads, GitDirectory::There, &[]), expected, "{path} {before:?} {after:?}");
    };
    let (absent, directory) = (Standing::Absent, Standing::Directory);
    check(".git/worktrees/w/commondir", absent, file("../..\n"), Leads::Inside, Judgement::Fine);
    check(".git/worktrees/w/commondir", absent, file("../../../evil\n"), Leads::Inside, Judgement::Back);
    check(".git/worktrees/w/commondir", file("../..\n"), file("../../../evil\n"), Leads::Inside, Judgement::Back);
    check(".git/commondir", absent, file("../..\n"), Leads::Inside, Judgement::Back);
    check("sub/.git", absent, file("gitdir: ../.git/modules/sub"), Leads::Inside, Judgement::Fine);
    check("sub/.git", absent, file("gitdir: /elsewhere"), Leads::Outside, Judgement::Back);
    check("sub/.git", file("gitdir: ../.git/modules/sub"), file("gitdir: ../evil"), Leads::Inside, Judgement::Back);
    check("sub/.git", file("x"), absent, Leads::Inside, Judgement::Fine);
    check(".git", absent, directory, Leads::Inside, Judgement::Fine);
    check(".git", directory, absent, Leads::Inside, Judgement::Fine);
    check(".git", directory, file("gitdir: evil"), Leads::Inside, Judgement::Back);
    check(".git", directory, Standing::Link, Leads::Inside, Judgement::Back);
    check(".git", file("gitdir: ../x"), directory, Leads::Inside, Judgement::Back);
    check(".git", absent, Standing::Link, Leads::Inside, Judgement::Back);
}

#[test]
fn a_rebase_that_would_run_something_is_shown() {
    let check = |before, after, expected| {
        let case = Case { path: "t", kind: ControlKind { tier: Tier::Opens, reads: Reads::Todo }, before, after };
        assert_eq!(case.judged(Leads::Inside, GitDirectory::There, &[]), expected);
    };
    check(Standing::Absent, file("pick abc\nexec evil\n"), Judgement::Report);
    check(Standing::Absent, file("pick abc\n  x evil\n"), Judgement::Report);
    check(Standing::Absent, file("pick abc\n"), Judgement::Fine);
    check(file("exec make\npick abc"), file("exec make"), Judgement::Fine);
    check(file("exec make"), Standing::Absent, Judgement::Fine);
}

#[test]
fn a_link_in_git_s_directory_goes_and_what_it_became_stays() {
    let judged = |before, after| {
        let case = Case { path: ".git/logs/HEAD", kind: ANY_IN_GIT, before, after };
        case.judged(Leads::Inside, GitDirectory::There, &[])
    };
    for before in [Standing::Absent, Standing::Link, file("x")] {
        assert_eq!(judged(before, Standing::Link), Judgement::Back);
        assert_eq!(judged(before, Standing::Strange), Judgement::Back);
        for after in [Standing::Absent, Standing::Directory, file("y")] {
            assert_eq!(judged(before, after), Judgement::Fine);
        }
    }
}

#[test]
fn a_work_tree_behind_a_link_is_none() {
    let (before, after) = ("[core]\nworktree = ../../../sub\n", "[core]\nworktree = ../../../link\n");
    let case = Case { path: ".git/modules/sub/config", kind: INCLUDED, before: file(before), after: file(after) };
    assert_eq!(case.judged(Leads::Inside, GitDirectory::There, &[]), Judgement::Fine);
    let Judgement::Rewrite { bytes, names } = case.judged(Leads::Outside, GitDirectory::There, &[]) else { panic!() };
    assert_eq!((bytes, names), (before.into(), vec!["core.worktree".to_owned()]));
}
