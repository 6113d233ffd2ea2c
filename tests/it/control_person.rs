//! What the host runs from a project by the person's own settings: hooks by a path below it, settings and scripts that are read in from
//! it, directories of it on PATH, a home that leads into it, directories that are mounted beside it.

use crate::control::{End, hostile, run, script, shows_plants};
use crate::hostile::stopped;
use crate::sandbox::Sandbox;

/// What a person has, what a run does, what the person does next, and what is said.
struct Own {
    has: &'static str,
    act: &'static str,
    next: &'static str,
    said: &'static str,
}

const OWN: &[Own] = &[
    Own { has: "mkdir -p .venv/bin", act: "cp $EVIL .venv/bin/git", next: "PATH=$PWD/.venv/bin:$PATH; git status", said: ".venv/bin/git" },
    Own {
        has: "true",
        act: "mkdir -p .venv/bin; cp $EVIL .venv/bin/git",
        next: "PATH=$PWD/.venv/bin:$PATH; git status",
        said: ".venv/bin/git",
    },
    Own {
        has: "git config --global core.hooksPath gh; mkdir gh; touch gh/post-checkout",
        act: "cp $EVIL gh/post-checkout; chmod +x gh/post-checkout",
        next: "git checkout other",
        said: "gh/post-checkout",
    },
    Own {
        has: "git config --global core.hooksPath gh",
        act: "mkdir gh; cp $EVIL gh/post-checkout; chmod +x gh/post-checkout",
        next: "git checkout other",
        said: "gh/post-checkout",
    },
    Own {
        has: "git config -f team.inc user.name x; git config --global include.path $PWD/team.inc",
        act: "git config -f team.inc core.fsmonitor $EVIL; git config -f team.inc user.name y",
        next: "git status",
        said: "team.inc (core.fsmonitor)",
    },
    Own {
        has: "git config -f gitconfig user.name x; ln -s $PWD/gitconfig ~/.gitconfig",
        act: "git config -f gitconfig core.fsmonitor $EVIL",
        next: "git status",
        said: "gitconfig (core.fsmonitor)",
    },
    Own {
        has: "mkdir -p ~/.config/git; git config -f ~/.config/git/config include.path ~/more; git config -f ~/more include.path $PWD/deep",
        act: "git config -f deep core.fsmonitor $EVIL",
        next: "git status",
        said: "deep (core.fsmonitor)",
    },
    Own { has: "echo '. ./env.sh' >.envrc; echo true >env.sh", act: "echo $EVIL >>env.sh", next: ". ./.envrc", said: "env.sh" },
    Own { has: "echo '. ./a.sh' >.envrc; echo '. ./b.sh' >a.sh", act: "echo $EVIL >b.sh", next: ". ./.envrc", said: "b.sh" },
    Own { has: "echo 'use flake' >.envrc", act: "echo $EVIL >flake.nix", next: "test ! -e flake.nix || . ./flake.nix", said: "flake.nix" },
    Own { has: "mkdir leaf", act: "echo $EVIL >leaf/mise.toml", next: "test ! -e leaf/mise.toml || $EVIL", said: "leaf/mise.toml" },
    Own {
        has: "true",
        act: "echo $EVIL >.mise.ci.local.toml",
        next: "test ! -e .mise.ci.local.toml || $EVIL",
        said: ".mise.ci.local.toml",
    },
    Own { has: "true", act: "mkdir .sl; echo $EVIL >.sl/config", next: "test ! -e .sl/config || $EVIL", said: ".sl/config" },
    Own { has: "mkdir leaf", act: "mkdir h; touch h/hgrc; ln -s ../h leaf/.hg", next: "test ! -e leaf/.hg || $EVIL", said: "leaf/.hg" },
    Own { has: "true", act: "mkdir .jj; echo ../evil >.jj/repo", next: "test ! -e .jj/repo || $EVIL", said: ".jj/repo" },
    Own {
        has: "echo 'nodejs 20.1.0' >.tool-versions",
        act: "echo \"nodejs path:$PWD/evil\" >.tool-versions",
        next: "grep -v path: .tool-versions || $EVIL",
        said: "put back what this run changed and your machine would have run: .tool-versions",
    },
    Own {
        has: "true",
        act: "printf '[toolchain]\npath = \"/x\"\n' >rust-toolchain.toml",
        next: "test ! -e rust-toolchain.toml || $EVIL",
        said: "rust-toolchain.toml",
    },
    Own {
        has: "git init -q ../lib",
        act: "git -C ../lib config core.fsmonitor $EVIL; cp $EVIL ../lib/.git/hooks/post-checkout",
        next: "cd ../lib; git status; git commit -q --allow-empty -m x; git checkout -b b",
        said: "work/lib/.git/config (core.fsmonitor)",
    },
];

fn person(has: &str) -> Sandbox {
    let mut sandbox = hostile();
    for program in ["direnv", "mise", "hg"] {
        sandbox.program(program, "#!/bin/sh\n");
    }
    std::fs::create_dir(sandbox.root().join("work/lib")).unwrap();
    sandbox.config(&format!("mounts = [{{ path = \"{}\", write = true }}]\n", sandbox.root().join("work/lib").display()));
    script(&sandbox, has).succeeds();
    if has.contains(".venv") || has == "true" {
        // After the program of ours, so that nothing else changes.
        let path = format!("{}:{}", sandbox.root().join("bin").display(), sandbox.project().join(".venv/bin").display());
        sandbox.set("PATH", path);
    }
    sandbox
}

fn is_run(sandbox: &Sandbox, next: &str) -> bool {
    let _ = std::fs::remove_file(sandbox.root().join("canary"));
    let _ = script(sandbox, &format!("({next}) >/dev/null 2>&1 </dev/null")).outcome();
    sandbox.root().join("canary").exists()
}

// BO-12
#[test]
fn what_the_persons_own_settings_run_from_a_project_is_not_of_a_runs_choice() {
    for (index, Own { has, act, next, said }) in OWN.iter().enumerate() {
        if shows_plants() {
            let sandbox = person(has);
            assert!(!is_run(&sandbox, next), "{act}: before");
            script(&sandbox, act).succeeds();
            assert!(is_run(&sandbox, next), "{act} is no plant");
        }
        let mut sandbox = person(has);
        let end = if index % 4 == 3 { End::RunKilled } else { End::Tool };
        let err = run(&mut sandbox, act, end).err();
        assert!(err.contains(said), "{act}: {err}");
        assert!(!is_run(&sandbox, next), "{act}, {end:?}: {err}");
        sandbox.set("FAKE_ENGINE_DO", "exit 0");
        assert_eq!(sandbox.ai(["run", "claude"]).outcome().err(), "", "{act}: said once");
    }
    stopped("what the person's settings, PATH, mounts and scripts of direnv run from a project", OWN.len(), "control files compared");
}

// BO-12: a version is a version, and a shell's own file in a project is the person's work: both stay, and are shown.
#[test]
fn work_on_versions_and_on_files_of_the_home_stays_and_is_shown() {
    let mut sandbox = person("echo 'nodejs 20.1.0' >.tool-versions; echo true >zshrc; ln -s $PWD/zshrc ~/.zshrc");
    let err = run(&mut sandbox, "echo 'nodejs 22.1.0' >.tool-versions; echo ls >>zshrc; echo 'python 3.12' >leaf", End::Tool).err();
    assert!(err.contains("when you open the project, commit or start a tool there: .tool-versions, zshrc"), "{err}");
    assert_eq!(script(&sandbox, "cat .tool-versions zshrc").prints(), "nodejs 22.1.0\ntrue\nls\n");
}
