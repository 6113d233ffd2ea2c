//! What a run hides from who looks at control files by how much there is, how deep it is, and how git comes to it all the same.

use crate::control::{End, hostile, is_run_by, run, script, shows_plants};
use crate::hostile::stopped;
use crate::sandbox::Sandbox;

/// A file of the person's beside the project.
fn with_outside() -> Sandbox {
    let mut sandbox = hostile();
    sandbox.write("outside/rc", "mine\n");
    let file = sandbox.root().join("outside/rc");
    sandbox.set("OUT", file);
    sandbox
}

// BO-12: a link to a file of the home, behind more names than git makes, or in a branch of many parts. `git commit` writes to it what
// the run says.
#[test]
fn a_link_is_found_however_much_there_is_and_however_deep_it_is() {
    let deep = |parts: usize| vec!["p"; parts].join("/");
    let link = |log: &str| format!("rm -f .git/logs/{log}; ln -s \"$OUT\" .git/logs/{log}; git config user.name 'x $(touch /tmp/x) y'");
    let junk = |at: &str| format!("mkdir -p {at}; (cd {at} && touch $(seq -f AAA%g 20000)) && {}", link("HEAD"));
    let branch = |parts: usize| format!("git checkout -q -b {0}; {1}", deep(parts), link(&format!("refs/heads/{}", deep(parts))));
    let plants = [junk(".git"), junk(".git/AA"), junk(".git/logs/refs"), branch(16), branch(60), branch(150)];
    for plant in &plants {
        if shows_plants() {
            let sandbox = with_outside();
            script(&sandbox, plant).succeeds();
            script(&sandbox, "git commit -q --allow-empty -m two").succeeds();
            assert_ne!(std::fs::read_to_string(sandbox.root().join("outside/rc")).unwrap(), "mine\n", "{plant} is no plant");
        }
        let mut sandbox = with_outside();
        let said = run(&mut sandbox, plant, End::Tool).err();
        let _ = script(&sandbox, "git commit -q --allow-empty -m two").outcome();
        assert_eq!(std::fs::read_to_string(sandbox.root().join("outside/rc")).unwrap(), "mine\n", "{plant}: {said}");
        assert!(said.contains("set aside what this run left"), "{plant}: {said}");
    }
    stopped("a link that git writes through, behind 20,000 names or a hundred levels", plants.len(), "all of git's own is looked through");
}

/// A project of more directories than are looked through, with one of 600 beside which the run works.
fn large(format: &str) -> Sandbox {
    let sandbox = hostile();
    let make = format!(
        "set -e; rm -rf .git; git init -q --object-format={format}; mkdir -p $(seq -f lib/d%g/in 600); \
         git add .; git commit -qm one; git branch other"
    );
    script(&sandbox, &make).succeeds();
    sandbox
}

// BO-12: `git status` goes into each repository that the index names, wherever it is.
#[test]
fn a_repository_that_the_index_names_is_looked_at_wherever_it_is() {
    let nested = "mkdir -p lib/d599/a/b; git init -q --object-format=$(git rev-parse --show-object-format) lib/d599/a/b/n; \
        git -C lib/d599/a/b/n commit -q --allow-empty -m x; ";
    let named = "git update-index --add --cacheinfo 160000,$(git -C lib/d599/a/b/n rev-parse HEAD),lib/d599/a/b/n; ";
    let evil = "git -C lib/d599/a/b/n config core.fsmonitor $EVIL; ";
    let twice = "mkdir -p lib/d599/a/b/n/deep; git clone -q lib/d599/a/b/n lib/d599/a/b/n/deep/m; \
        git -C lib/d599/a/b/n update-index --add --cacheinfo 160000,$(git -C lib/d599/a/b/n rev-parse HEAD),deep/m; \
        git -C lib/d599/a/b/n/deep/m config core.fsmonitor $EVIL; ";
    let plants = [
        ("sha1", format!("{nested}{named}{evil}")),
        ("sha256", format!("{nested}{named}{evil}")),
        ("sha1", format!("{nested}{named}git update-index --index-version 4; {evil}")),
        ("sha1", format!("{nested}{named}git update-index --split-index; {evil}")),
        ("sha1", format!("{nested}git update-index --split-index; {named}{evil}")),
        ("sha1", format!("{nested}{named}{twice}")),
    ];
    for (format, plant) in &plants {
        if shows_plants() {
            let sandbox = large(format);
            script(&sandbox, plant).succeeds();
            assert!(is_run_by(&sandbox, "git status"), "{plant} is no plant");
        }
        let mut sandbox = large(format);
        let said = run(&mut sandbox, plant, End::Tool).err();
        assert!(!is_run_by(&sandbox, "git status"), "{plant}: {said}");
        assert!(said.contains("core.fsmonitor"), "{plant}: {said}");
    }
    stopped("a repository with programs in its settings, named by the index, deep in a large project", plants.len(), "the index is read");
}

// BO-12: one that was named before the run is compared with what it was; ordinary work in it passes.
#[test]
fn a_submodule_deep_in_a_large_project_is_compared() {
    for (act, is_said) in [
        ("git -C lib/d599/a/b/n config core.fsmonitor $EVIL", true),
        ("mv lib/d599/a/b/n x; git init -q lib/d599/a/b/n; git -C lib/d599/a/b/n config core.fsmonitor $EVIL", true),
        ("cp $EVIL lib/d599/a/b/n/.git/hooks/post-index-change", true),
        (
            "echo x >lib/d599/a/b/n/new; git -C lib/d599/a/b/n add .; git -C lib/d599/a/b/n commit -qm y; git -C lib/d599/a/b/n config user.name Jo",
            false,
        ),
    ] {
        let mut sandbox = large("sha1");
        script(
            &sandbox,
            "mkdir -p lib/d599/a/b; git init -q lib/d599/a/b/n; git -C lib/d599/a/b/n commit -q --allow-empty -m x; \
             git -C lib/d599/a/b/n config core.pager cat; git add lib 2>/dev/null; git commit -qm two",
        )
        .succeeds();
        let said = run(&mut sandbox, act, End::Tool).err();
        assert!(!is_run_by(&sandbox, "git status; git diff"), "{act}: {said}");
        assert_eq!(said.contains("lib/d599/a/b/n/.git"), is_said, "{act}: {said}");
        assert_eq!(script(&sandbox, "git -C lib/d599/a/b/n config core.pager").prints(), "cat\n", "{act}");
    }
}

// BO-12: directories of git's that mean nothing take no room from those that were there.
#[test]
fn directories_that_mean_nothing_hide_no_hook_of_a_submodule() {
    for act in [
        "mkdir -p $(seq -f .git/worktrees/w%g 2001)",
        "mkdir -p $(seq -f .git/modules/a%g 2001); touch $(seq -f .git/modules/a%g/HEAD 2001)",
    ] {
        let mut sandbox = hostile();
        script(
            &sandbox,
            "git init -q s; git -C s commit -q --allow-empty -m x; mkdir .git/modules; mv s/.git .git/modules/s; \
             echo 'gitdir: ../.git/modules/s' >s/.git; git add s 2>/dev/null; git commit -qm two",
        )
        .succeeds();
        let said = run(&mut sandbox, &format!("{act} && sleep 0.5 && cp $EVIL .git/modules/s/hooks/post-commit"), End::Tool).err();
        assert!(!is_run_by(&sandbox, "git -C s commit --allow-empty -m y"), "{act}: {said}");
        assert!(said.contains(".git/modules/s/hooks/post-commit"), "{act}: {said}");
    }
}
