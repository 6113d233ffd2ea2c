//! What a project's tool writes into the person's instructions, and what lost where both sides changed a file.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use crate::sandbox::Sandbox;

/// A run, after which the project's home is there.
fn run(sandbox: &Sandbox) -> (PathBuf, String) {
    let outcome = sandbox.ai(["run", "claude", "x"]).outcome();
    assert_eq!(outcome.code, 0, "{}", outcome.err());
    let projects = sandbox.store().join("global_state/claude/projects");
    (fs::read_dir(projects).unwrap().next().unwrap().unwrap().path().join("home"), outcome.err())
}

// SE-10
#[test]
fn notes_stay_while_the_person_changes_the_rest() {
    let sandbox = Sandbox::new();
    let host = sandbox.write("home/.claude/CLAUDE.md", "be brief\n");
    let (home, _) = run(&sandbox);
    let inside = home.join("CLAUDE.md");
    fs::write(&inside, "be brief\n- use tabs\n").unwrap();
    for (text, expected) in [
        ("be brief\nbe kind\n", "be brief\nbe kind\n- use tabs\n"),
        ("be kind", "be kind\n- use tabs\n"),
        ("be kind", "be kind\n- use tabs\n"),
        ("", "- use tabs\n"),
    ] {
        fs::write(&host, text).unwrap();
        let (_, said) = run(&sandbox);
        assert_eq!((fs::read_to_string(&inside).unwrap().as_str(), said.as_str()), (expected, ""), "{text:?}");
    }
    assert_eq!(fs::read_to_string(host).unwrap(), "", "a project never writes what is the person's");
}

// SE-10
#[test]
fn what_lost_is_found_by_a_command() {
    let sandbox = Sandbox::new();
    let host = sandbox.write("home/.claude/CLAUDE.md", "one\ntwo\n");
    let (home, _) = run(&sandbox);
    assert_eq!(sandbox.ai(["sync", "conflicts"]).prints(), "");
    fs::write(home.join("CLAUDE.md"), "zero\none\ntwo\n").unwrap();
    fs::write(&host, "other\n").unwrap();
    let (_, said) = run(&sandbox);
    assert!(said.contains("CLAUDE.md"), "{said}");
    let listed = sandbox.ai(["sync", "conflicts", "claude"]).prints();
    assert!(listed.contains("CLAUDE.md (project)") && listed.contains("conflict"), "{listed}");
    let rows: Value = serde_json::from_str(&sandbox.ai(["sync", "conflicts", "--json"]).prints()).unwrap();
    let copy = rows[0]["copy"].as_str().unwrap();
    assert_eq!(fs::read_to_string(copy).unwrap(), "zero\none\ntwo\n");
    assert_eq!(sandbox.ai(["sync", "conflicts", "codex"]).prints(), "");
}

// SE-10: notes are offered, and taken by a word of the person's; then every project has them.
#[test]
fn notes_are_taken_into_the_persons_own_file_by_a_word() {
    let sandbox = Sandbox::new();
    let host = sandbox.write("home/.claude/CLAUDE.md", "be brief");
    let (home, _) = run(&sandbox);
    assert_eq!(sandbox.ai(["sync", "notes", "claude"]).prints(), "");
    sandbox.ai(["sync", "notes", "--take", "claude"]).outcome().refused(1, &["claude added none to your instructions"]);
    fs::write(home.join("CLAUDE.md"), "be brief\n\n- use tabs\n- \u{1b}[31mred\n").unwrap();
    let shown = sandbox.ai(["sync", "notes", "claude"]).outcome();
    assert!(shown.out().contains(".claude/CLAUDE.md` (host)\n  | - use tabs\n") && !shown.out().contains('\u{1b}'), "{}", shown.out());
    assert!(shown.err().contains("ai sync notes --take claude"), "{}", shown.err());
    assert_eq!(fs::read_to_string(&host).unwrap(), "be brief", "who looks writes nothing");
    let rows: Value = serde_json::from_str(&sandbox.ai(["sync", "notes", "claude", "--json"]).prints()).unwrap();
    assert_eq!(rows[0]["text"], "- use tabs\n- \u{1b}[31mred\n");
    assert_eq!(sandbox.ai(["sync", "notes", "claude", "OTHER.md"]).prints(), "");
    let said = sandbox.ai(["sync", "notes", "--take", "claude", "CLAUDE.md"]).outcome();
    assert!(said.code == 0 && said.err().contains("ai sync undo claude"), "{}", said.err());
    assert_eq!(fs::read_to_string(&host).unwrap(), "be brief\n- use tabs\n- \u{1b}[31mred\n");
    assert_eq!(sandbox.ai(["sync", "notes", "claude"]).prints(), "");
    let (_, said) = run(&sandbox);
    assert_eq!(said, "");
    let other = sandbox.root().join("work/other");
    fs::create_dir_all(&other).unwrap();
    sandbox.ai(["run", "claude", "x"]).cwd(&other).prints();
    let copies = fs::read_dir(sandbox.store().join("global_state/claude/projects")).unwrap();
    let have = |path: PathBuf| fs::read_to_string(path.join("home/CLAUDE.md")).unwrap().contains("- use tabs\n");
    assert_eq!(copies.filter(|copy| have(copy.as_ref().unwrap().path())).count(), 2);
}

// SE-10: what lost to the person's own change is offered as well, the lines that their file has not.
#[test]
fn what_lost_is_taken_by_the_same_word_and_nothing_of_it_twice() {
    let sandbox = Sandbox::new();
    let host = sandbox.write("home/.claude/CLAUDE.md", "one\ntwo\n");
    let (home, _) = run(&sandbox);
    fs::write(home.join("CLAUDE.md"), "zero\none\ntwo\n").unwrap();
    fs::write(&host, "one\nother\n").unwrap();
    let (_, said) = run(&sandbox);
    assert!(said.contains("hint: ai sync conflicts claude"), "{said}");
    sandbox.ai(["sync", "notes", "--take", "claude"]).succeeds();
    assert_eq!(fs::read_to_string(&host).unwrap(), "one\nother\nzero\ntwo\n");
    assert_eq!(sandbox.ai(["sync", "notes", "claude"]).prints(), "");
    sandbox.ai(["sync", "undo", "claude"]).succeeds();
    assert_eq!(fs::read_to_string(&host).unwrap(), "one\nother\n");
}

// SE-05: the word that the note names does what it says.
#[test]
fn much_that_was_deleted_goes_once_the_person_says_so() {
    let sandbox = Sandbox::new();
    for name in ["a", "b", "c", "d", "e", "f"] {
        sandbox.write(format!("home/.claude/skills/{name}/SKILL.md"), name);
    }
    let (home, _) = run(&sandbox);
    for name in ["a", "b", "c", "d", "e"] {
        fs::remove_dir_all(sandbox.home().join(".claude/skills").join(name)).unwrap();
    }
    sandbox.write("home/.claude/skills/new/SKILL.md", "new");
    let (_, said) = run(&sandbox);
    assert!(said.contains("ai sync accept claude"), "{said}");
    let skill = |name: &str| home.join("skills").join(name).join("SKILL.md").exists();
    assert!(skill("a") && skill("new"));
    let told = sandbox.ai(["sync", "accept", "claude"]).outcome();
    assert_eq!(told.code, 0, "{}", told.err());
    assert!(!skill("a") && !skill("e") && skill("f") && skill("new"));
    assert_eq!(run(&sandbox).1, "");
}
