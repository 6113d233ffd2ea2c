//! Control files while a run lasts: what the host would run at its next prompt is put back at once, and ordinary work goes on.

use std::fs;

use serde_json::Value;

use crate::control::{PLANTS, hostile, is_run};
use crate::guard_life::wait_for;
use crate::hostile;
use crate::process::finish;
use crate::require::need;
use crate::sandbox::find_program;

// BO-12, Z-019: a prompt in another terminal, with the run still there.
#[test]
fn what_a_tool_plants_is_put_back_while_it_runs() {
    let step = if hostile::tries(1, 2) == 1 { 5 } else { 1 };
    for plant in PLANTS.iter().step_by(step) {
        let mut sandbox = hostile();
        let act = format!("({}) >/dev/null 2>&1; touch planted; while [ ! -e go ]; do sleep 0.05; done; exit 7", plant.plant);
        sandbox.set("FAKE_ENGINE_DO", act);
        let run = sandbox.ai(["run", "claude"]).spawn();
        wait_for(|| sandbox.project().join("planted").exists());
        wait_for(|| !is_run(&sandbox));
        fs::write(sandbox.project().join("go"), "").unwrap();
        let outcome = finish(run);
        let said = outcome.err();
        assert_eq!(outcome.code, 7, "{}: {said}", plant.name);
        assert!(said.contains("put back what this run changed") || said.contains("set aside what this run left"), "{}: {said}", plant.name);
    }
}

// BO-12: said once with everything else, kept for `ai changes`, and no flood of it fills the disk.
#[test]
fn what_is_planted_again_and_again_is_said_once() {
    let mut sandbox = hostile();
    let tries = hostile::tries(25, 400);
    let again = "h=.git/hooks/post-checkout; (cat \"$EVIL\"; echo $i) >h; chmod +x h; mv h $h; n=0; \
                 while [ -e $h ] && [ $n -lt 200 ]; do sleep 0.02; n=$((n + 1)); done; [ -e $h ] && touch stays";
    sandbox.set("FAKE_ENGINE_DO", format!("for i in $(seq {tries}); do {again}; done; exit 0"));
    let outcome = sandbox.ai(["run", "claude"]).outcome();
    let said = outcome.err();
    assert!(!sandbox.project().join("stays").exists());
    assert_eq!(said.matches(".git/hooks/post-checkout").count(), 1, "{said}");
    assert!(
        said.contains("ai: warning: set aside what this run left for your machine to run: .git/hooks/post-checkout; hint: ai changes"),
        "{said}"
    );
    let log = fs::read_to_string(sandbox.store().join("log/events.jsonl")).unwrap();
    let run = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).rfind(|line| line["event"] == "run").unwrap();
    assert_eq!(run["put_back"], tries);
    let listed = sandbox.ai(["changes"]).outcome().out();
    assert_eq!(listed.matches("post-checkout").count(), 4, "{listed}");
    hostile::stopped("a hook, planted again and again while the run lasts", tries, "put back each time before the next; four are kept");
}

// BO-12: git's own ways to write what it needs in several steps.
#[test]
fn ordinary_work_is_left_alone_while_it_lasts() {
    let mut sandbox = hostile();
    let work = "set -e; exec >log 2>&1; p() { sleep 0.15; }; git config user.name Jo; p; git branch topic; git worktree add wt topic; p; \
                git remote add there https://git.example.com/x.git; p; git init -q new; p; cd new; git commit -q --allow-empty -m x; p; \
                git checkout -q -b y; cd ..; git -C wt commit -q --allow-empty -m x; p; git stash list; git gc -q; p; git status; \
                git -C wt status; git worktree remove wt; touch done; exit 0";
    sandbox.set("FAKE_ENGINE_DO", work);
    let outcome = sandbox.ai(["run", "claude"]).outcome();
    let log = fs::read_to_string(sandbox.project().join("log")).unwrap();
    assert!(sandbox.project().join("done").exists(), "{log}\n{}", outcome.err());
    assert!(!outcome.err().contains("put back") && !outcome.err().contains("set aside"), "{}", outcome.err());
    assert!(sandbox.run("git").args(["config", "user.name"]).prints() == "Jo\n");
    assert!(sandbox.run("git").args(["remote"]).prints() == "there\n");
}

// BO-12: a machine that cannot watch says so, and compares at the end as ever.
#[test]
fn what_cannot_be_watched_is_compared_at_the_end() {
    let Some(unshare) = need("rootless", find_program("unshare")) else { return };
    for (limit, said) in
        [("max_inotify_instances", "fs.inotify.max_user_instances"), ("max_inotify_watches", "fs.inotify.max_user_watches")]
    {
        let mut sandbox = hostile();
        sandbox.link("unshare", &unshare);
        sandbox.set("FAKE_ENGINE_DO", "cp \"$EVIL\" .git/hooks/post-checkout; chmod +x .git/hooks/post-checkout; sleep 0.3; exit 7");
        let line = format!(
            "echo 1 >/proc/sys/user/{limit} && [ {limit} = max_inotify_watches ] || echo 0 >/proc/sys/user/{limit}; exec ai run claude"
        );
        let outcome = sandbox.run("unshare").args(["--user", "--map-root-user", "sh", "-c", &line]).outcome();
        let err = outcome.err();
        assert_eq!(outcome.code, 7, "{err}");
        assert!(err.contains(&format!("compared at the end alone: {said} is used up")), "{err}");
        assert!(err.contains("set aside what this run left for your machine to run: .git/hooks/post-checkout"), "{err}");
        assert!(!is_run(&sandbox));
    }
}

// BO-12: a file that is taken away while it is still being written is kept as its writer left it, closed or not.
#[test]
fn what_is_still_being_written_is_kept_whole() {
    let evil = "\n[core]\n\tfsmonitor = first\n";
    let more = "[alias]\n\tlast = !evil\n";
    for (name, is_there, first, rest) in [
        (".git/hooks/post-checkout", false, "#!/bin/sh\nfirst\n", "last\n"),
        (".git/hooks/pre-commit", true, "#!/bin/sh\nfirst\n", "last\n"),
        (".git/config", true, evil, more),
    ] {
        for closes in [true, false] {
            let mut sandbox = hostile();
            if name.ends_with("pre-commit") {
                sandbox.script(sandbox.project().join(name), "#!/bin/sh\nexit 0\n");
            }
            let file = sandbox.project().join(name);
            let before = fs::read(&file).ok();
            assert_eq!(before.is_some(), is_there);
            let close = if closes { "exec 3>&-" } else { "true" };
            let act = format!(
                "exec 3>>{name}; echo \"$FIRST\" >&3; touch planted; while [ ! -e on ]; do sleep 0.02; done; echo \"$REST\" >&3; {close}; \
                 touch done; while [ ! -e go ]; do sleep 0.02; done; exit 0"
            );
            sandbox.set("FIRST", first);
            sandbox.set("REST", rest);
            sandbox.set("FAKE_ENGINE_DO", act);
            let run = sandbox.ai(["run", "claude"]).spawn();
            wait_for(|| sandbox.project().join("planted").exists());
            wait_for(|| fs::read(&file).ok() == before);
            let shown = |word: &str| sandbox.ai(["changes"]).outcome().out().contains(word);
            wait_for(|| shown("first"));
            assert!(!shown("last"));
            fs::write(sandbox.project().join("on"), "").unwrap();
            wait_for(|| sandbox.project().join("done").exists());
            if closes {
                // At once, not only when the run ends; and of the step before it, nothing stays.
                wait_for(|| shown("last"));
                let project = fs::read_dir(sandbox.store().join("control")).unwrap().next().unwrap().unwrap();
                for kept in fs::read_dir(project.path().join("objects")).unwrap() {
                    let kept = fs::read_to_string(kept.unwrap().path()).unwrap();
                    assert!(!kept.contains("first") || kept.contains("last"), "{kept}");
                }
            }
            fs::write(sandbox.project().join("go"), "").unwrap();
            let said = finish(run).err();
            assert!(shown("first") && shown("last"), "{name}: {said}\n{}", sandbox.ai(["changes"]).outcome().out());
            assert_eq!(sandbox.ai(["changes", "accept"]).outcome().code, 0);
            let accepted = fs::read_to_string(&file).unwrap();
            assert!(accepted.contains("first") && accepted.contains("last"), "{accepted}");
        }
    }
}
