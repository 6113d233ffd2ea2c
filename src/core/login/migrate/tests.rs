use super::*;

fn file(origin: OldLayout, below: &str, worth: FileWorth, modified: i64) -> File {
    let from = Path::new(match origin {
        OldLayout::Gemini => "/h/.docker-gemini-config",
        OldLayout::Store => "/h/.docker-ai-config",
        OldLayout::Project(..) => "/p/.ai-state",
    })
    .join(below);
    let sha256 = format!("{from:?}");
    File { origin, from, below: below.into(), worth, sha256, mode: 0o644, modified }
}

fn there(store: &[(&str, File)], path: &Path) -> Option<File> {
    store.iter().find(|(place, _)| Path::new(place) == path).map(|(_, file)| file.clone())
}

/// `(action, place)` of each file.
fn check(files: &[File], store: &[(&str, File)], expected: &[(Action, &str)]) {
    let steps = plan(files, |path| there(store, path), &BTreeMap::new());
    let got: Vec<_> = steps.iter().map(|step| (step.action, step.to.as_ref().map_or("", |to| to.to_str().unwrap()))).collect();
    assert_eq!(got, expected);
    assert!(steps.iter().all(|step| step.mode == 0o600), "G-16");
}

// G-01, G-02
#[test]
fn each_file_has_its_place_or_the_archive() {
    use Action::{Archive, Copy, Skip};
    let good = |origin: OldLayout, below: &str| file(origin, below, FileWorth::Good, 1);
    check(
        &[
            file(OldLayout::Gemini, "oauth_creds.json", FileWorth::Login(Some(5)), 1),
            good(OldLayout::Gemini, "settings.json"),
            good(OldLayout::Gemini, "state/a/b"),
            good(OldLayout::Store, "gh_config/hosts.yml"),
            good(OldLayout::Store, "global_state/claude_config/CLAUDE.md"),
            good(OldLayout::Store, ".claude.json"),
            file(OldLayout::Gemini, "link", FileWorth::Special, 1),
        ],
        &[],
        &[
            (Copy, "global_state/gemini/shared/login/oauth_creds.json"),
            (Copy, "global_state/gemini/hub/settings.json"),
            (Archive, "global_state/migrated/docker-gemini-config/state/a/b"),
            (Copy, "global_state/gh/hosts.yml"),
            (Copy, "global_state/claude/hub/CLAUDE.md"),
            (Copy, "global_state/claude/hub/.claude.json"),
            (Skip, ""),
        ],
    );
}

// G-03
#[test]
fn the_login_that_ends_last_wins_whatever_the_clock_of_the_files_says() {
    let place = "global_state/gemini/shared/login/oauth_creds.json";
    let login = |origin, end, modified| file(origin, "oauth_creds.json", FileWorth::Login(end), modified);
    let archived = "global_state/migrated/docker-gemini-config/oauth_creds.json";
    let ours = |end| [(place, login(OldLayout::Store, end, 0))];
    check(&[login(OldLayout::Gemini, Some(9), 99)], &ours(Some(10)), &[(Action::Archive, archived)]);
    check(&[login(OldLayout::Gemini, Some(11), 0)], &ours(Some(10)), &[(Action::Copy, place)]);
    check(
        &[login(OldLayout::Gemini, Some(5), 99), login(OldLayout::Store, Some(6), 1)],
        &[],
        &[(Action::Archive, archived), (Action::Copy, place)],
    );
    let bad = file(OldLayout::Gemini, "oauth_creds.json", FileWorth::Bad("torn".into()), 99);
    check(&[bad, login(OldLayout::Store, None, 1)], &[], &[(Action::Archive, archived), (Action::Copy, place)]);
}

#[test]
fn settings_of_the_store_stay_and_a_broken_one_makes_room() {
    let settings = |origin, modified| file(origin, "settings.json", FileWorth::Good, modified);
    let place = "global_state/gemini/hub/settings.json";
    let archived = "global_state/migrated/docker-gemini-config/settings.json";
    check(&[settings(OldLayout::Gemini, 9)], &[(place, settings(OldLayout::Store, 1))], &[(Action::Archive, archived)]);
    let broken = file(OldLayout::Store, "settings.json", FileWorth::Bad("no JSON".into()), 1);
    check(&[settings(OldLayout::Gemini, 9)], &[(place, broken)], &[(Action::Copy, place)]);
    check(
        &[settings(OldLayout::Gemini, 9), settings(OldLayout::Store, 8)],
        &[],
        &[(Action::Copy, place), (Action::Archive, "global_state/migrated/docker-ai-config/settings.json")],
    );
}

//
#[test]
fn a_repository_cannot_bring_a_login_or_settings_for_all_projects() {
    let project = |name: &str| OldLayout::Project("p-1".into(), name.into());
    check(
        &[
            file(project(".gemini-state"), "oauth_creds.json", FileWorth::Login(Some(9)), 1),
            file(project(".gemini-state"), "tmp/x/chat.json", FileWorth::Good, 1),
            file(project(".ai-state"), "claude/settings.json", FileWorth::Good, 1),
            file(project(".ai-state"), "config.yml", FileWorth::Good, 1),
        ],
        &[],
        &[
            (Action::Archive, "global_state/migrated/projects/p-1/gemini-state/oauth_creds.json"),
            (Action::Copy, "global_state/gemini/projects/p-1/home/tmp/x/chat.json"),
            (Action::Copy, "global_state/claude/projects/p-1/home/settings.json"),
            (Action::Archive, "global_state/migrated/projects/p-1/ai-state/config.yml"),
        ],
    );
}

// G-05
#[test]
fn what_was_done_is_not_done_again_unless_it_changed() {
    let settings = file(OldLayout::Gemini, "settings.json", FileWorth::Good, 1);
    let done = |sha256: &str| BTreeMap::from([(settings.from.clone(), sha256.to_owned())]);
    assert!(plan(std::slice::from_ref(&settings), |_| None, &done(&settings.sha256)).is_empty());
    assert_eq!(plan(std::slice::from_ref(&settings), |_| None, &done("other")).len(), 1);
}
