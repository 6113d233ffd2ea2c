//! What a run hides where there is already more than is looked at one by one: the host runs it all the same.

use crate::control::{End, hostile, is_run_by, run, script, shows_plants};
use crate::hostile::stopped;
use crate::sandbox::Sandbox;

/// A project that is full, what a run does to it, what is said of that, and what the person does next.
struct Full {
    project: &'static str,
    act: &'static str,
    said: &'static str,
    work: &'static str,
}

const COMMIT: &str = "git commit -q --allow-empty -m more";

const FULL: &[Full] = &[
    Full { project: "git config core.hooksPath .", act: "cp $EVIL post-commit", said: "post-commit", work: COMMIT },
    Full {
        project: "git config core.hooksPath ./x/..",
        act: "cp $EVIL reference-transaction",
        said: "reference-transaction",
        work: COMMIT,
    },
    Full {
        project: "mkdir -p tools; touch $(seq -f tools/t%g 300); git config core.hooksPath tools",
        act: "cp $EVIL tools/post-commit",
        said: "tools/post-commit",
        work: COMMIT,
    },
    Full {
        project: "mkdir -p tools; touch $(seq -f tools/t%g 12000); git config core.hooksPath tools",
        act: "cp $EVIL tools/post-commit",
        said: "tools",
        work: COMMIT,
    },
    Full {
        project: "mkdir -p tools; touch $(seq -f tools/t%g 12000); cp /bin/true tools/post-commit; git config core.hooksPath tools",
        act: "cat $EVIL >tools/post-commit",
        said: "tools",
        work: COMMIT,
    },
    Full {
        project: "(echo '#!/bin/sh'; echo true; seq -f '# %g' 200000) >.git/hooks/post-commit; chmod +x .git/hooks/post-commit",
        act: "(cat $EVIL; seq -f '# %g' 200000) >.git/hooks/post-commit",
        said: ".git/hooks/post-commit",
        work: COMMIT,
    },
    Full {
        project: "for f in $(seq 300); do printf '[filter \"f%s\"]\\nclean = ./tools/f%s\\n' $f $f; done >.gitconfig; git config include.path ../.gitconfig; \
            git config core.hooksPath zz",
        act: "mkdir zz; cp $EVIL zz/post-commit",
        said: "zz/post-commit",
        work: COMMIT,
    },
    Full {
        project: "for m in $(seq 9); do mkdir -p .git/modules/m$m/hooks; touch .git/modules/m$m/HEAD; \
            touch $(seq -f .git/modules/m$m/hooks/h%g 2500); done; git init -q n; \
            printf '#!/bin/sh\\n' >n/.git/hooks/post-commit; chmod +x n/.git/hooks/post-commit",
        act: "cat $EVIL >n/.git/hooks/post-commit",
        said: "n/.git/hooks/post-commit",
        work: "git -C n commit -q --allow-empty -m more",
    },
];

fn full(project: &str) -> Sandbox {
    let sandbox = hostile();
    script(&sandbox, &format!("set -e; {project}")).succeeds();
    sandbox
}

// BO-12
#[test]
fn where_there_is_more_than_is_looked_at_nothing_new_is_run() {
    for Full { project, act, said, work } in FULL {
        if shows_plants() {
            let sandbox = full(project);
            script(&sandbox, act).succeeds();
            assert!(is_run_by(&sandbox, work), "{act} is no plant");
        }
        let mut sandbox = full(project);
        let err = run(&mut sandbox, act, End::Tool).err();
        assert!(!is_run_by(&sandbox, work), "{project}; {act}: {err}");
        assert!(err.contains(said), "{project}; {act}: {err}");
    }
    stopped("a program among more than is looked at one by one", FULL.len(), "what cannot be compared by content is known by its change");
}

// BO-12: what is full and stays as it was is not spoken of.
#[test]
fn what_is_full_and_stays_as_it_was_stays() {
    for Full { project, work, .. } in FULL {
        let mut sandbox = full(project);
        assert_eq!(run(&mut sandbox, "echo x >new; git add new; git commit -q --no-verify -m new", End::Tool).err(), "", "{project}");
        assert!(!is_run_by(&sandbox, work), "{project}");
    }
}

// BO-12: a script that reads in another, and so on, and one that reads in many.
#[test]
fn the_last_of_many_scripts_is_looked_at() {
    let chain = "echo '. ./s1.sh' >.envrc; for s in $(seq 20); do echo \". ./s$((s + 1)).sh\" >s$s.sh; done; echo true >s21.sh";
    let many = "seq -f '. ./s%g.sh' 400 >.envrc; echo true >s400.sh";
    for (project, last) in [(chain, "s21.sh"), (many, "s400.sh")] {
        let mut sandbox = full(project);
        sandbox.program("direnv", "#!/bin/sh\n");
        let err = run(&mut sandbox, &format!("cat $EVIL >{last}"), End::Tool).err();
        assert!(err.contains(last), "{last}: {err}");
        assert_eq!(std::fs::read_to_string(sandbox.project().join(last)).unwrap(), "true\n");
    }
}

// BO-12: a file by which a prompt runs a program, among more names than are listed.
#[test]
fn a_file_of_the_root_is_found_among_any_number_of_names() {
    for name in [".tool-versions", "rust-toolchain", ".hg/hgrc", ".jj/repo/config.toml", ".sl/config"] {
        let mut sandbox = hostile();
        let act = format!("touch $(seq -f a%g 8000); sleep 0.2; mkdir -p $(dirname {name}); echo 'node path:./x' >{name}");
        let err = run(&mut sandbox, &act, End::Tool).err();
        assert!(err.contains(name), "{act}: {err}");
        assert!(!sandbox.project().join(name).exists());
    }
}
