//! Git inside is the person's git: a commit made there is the commit that the host would have made, or there is none.

use std::fs;

use crate::bed::{Bed, Image};
use crate::process::{Outcome, wait_for};
use crate::require::need;
use crate::sandbox::find_program;

/// A repository of somebody without root, with these global settings of git.
fn repository(settings: &str) -> Option<Bed> {
    let mut bed = Bed::new(Image::Tools)?;
    if rustix::process::getuid().is_root() && !bed.as_user(1000) {
        return None;
    }
    bed.write("home/.gitconfig", format!("[user]\n name = Jo\n email = jo@x\n{settings}"));
    bed.git_init();
    Some(bed)
}

/// What a line of the container's shell comes to.
fn inside(bed: &Bed, line: &str) -> Outcome {
    bed.ai(["exec", "--shell", line]).outcome()
}

#[track_caller]
fn prints(bed: &Bed, line: &str) -> String {
    let outcome = inside(bed, line);
    assert_eq!(outcome.code, 0, "{outcome:?}");
    outcome.out()
}

/// What a line of the host's shell prints.
#[track_caller]
fn outside(bed: &Bed, line: &str) -> String {
    bed.run("sh").args(["-c", line]).prints()
}

// SE-11: what the host ignores is not committed inside.
#[test]
fn ignored_files_stay_ignored() {
    let Some(bed) = repository("") else { return };
    bed.write("home/.config/git/ignore", ".envrc\n");
    bed.write("home/.config/git/attributes", "*.txt eol=crlf\n");
    bed.write(bed.project().join(".envrc"), "TOKEN=made-up\n");
    bed.write(bed.project().join("seen"), "x\n");
    let status = "git status --short; git check-attr eol a.txt";
    let expected = "?? seen\na.txt: eol: crlf\n";
    assert_eq!((prints(&bed, status), outside(&bed, status)), (expected.into(), expected.into()));
    // Named by a setting, and changed between two runs.
    bed.write("home/other", "seen\n");
    bed.write("home/.gitconfig", "[user]\n name = Jo\n email = jo@x\n[core]\n excludesFile = ~/other\n");
    assert_eq!(prints(&bed, "git status --short"), "?? .envrc\n");
    bed.write("home/other", "seen\n.envrc\n");
    assert_eq!(prints(&bed, "git status --short"), "");
    bed.nothing_left();
}

// SE-11: a setting of the repository delivers no file of the host.
#[test]
fn a_repository_cannot_have_a_file_brought() {
    let Some(bed) = repository("") else { return };
    let secret = bed.write("home/secret", "made-up-secret\n");
    outside(&bed, &format!("git config core.excludesFile {0}; git config commit.template {0}", secret.display()));
    assert!(!prints(&bed, "cat /ai/git/* /ai/git-host/*").contains("made-up-secret"));
}

// SE-11
#[test]
fn who_the_person_is_stands_where_agents_look() {
    let Some(bed) =
        repository("[alias]\n co = checkout\n evil = !evil\n[url \"git@h:\"]\n insteadOf = https://h/\n[format]\n signOff = true\n")
    else {
        return;
    };
    let ask = "git config --global user.name; git config alias.co; git config alias.evil; git ls-remote --get-url https://h/p; git config format.signoff";
    assert_eq!(prints(&bed, ask), "Jo\ncheckout\ngit@h:p\ntrue\n");
    // What a container chooses stays its own; the rest follows the host.
    prints(&bed, "git config --global user.email bot@x; git config --global a.b c");
    bed.write("home/.gitconfig", "[user]\n name = Ann\n email = ann@x\n");
    assert_eq!(
        prints(&bed, "git config --global user.name; git config user.email; git config a.b; git config alias.co || echo none"),
        "Ann\nbot@x\nc\nnone\n"
    );
    // It may be gone, or lead elsewhere.
    prints(&bed, "rm /ai/git/config; ln -s /etc/passwd /ai/git/config");
    assert_eq!(prints(&bed, "git config --global user.name"), "Ann\n");
    let refused = inside(&bed, "echo x >/ai/git-host/config");
    assert!(refused.code != 0, "{refused:?}");
}

// SE-11: a filter runs as on the host, or nothing is stored.
#[test]
fn a_filter_runs_or_nothing_is_committed() {
    let scrub = "[filter \"scrub\"]\n clean = sed s/SECRET/xxx/\n[filter \"gone\"]\n clean = /opt/none/strip\n[filter \"pipe\"]\n clean = \"none | cat\"\n";
    let Some(bed) = repository(scrub) else { return };
    bed.write(bed.project().join(".gitattributes"), "*.nb filter=scrub\n*.gone filter=gone\n*.pipe filter=pipe\n*.own filter=own\n");
    outside(&bed, "git config filter.own.clean no-such-program");
    assert_eq!(prints(&bed, "echo a SECRET >a.nb; git add a.nb; git cat-file -p :a.nb"), "a xxx\n");
    for (kind, why) in [("gone", "/opt/none/strip"), ("pipe", "ai: the filter pipe"), ("own", "no-such-program")] {
        let outcome = inside(&bed, &format!("echo a SECRET >a.{kind}; git add a.{kind}"));
        assert!(outcome.code != 0 && outcome.err().contains(why), "{kind}: {outcome:?}");
        assert_eq!(prints(&bed, &format!("git ls-files a.{kind}")), "", "{kind}");
    }
}

// SE-11: large files become pointers, and those that are there stay as they are.
#[test]
fn large_files_are_stored_as_pointers() {
    let lfs = "[filter \"lfs\"]\n clean = git-lfs clean -- %f\n smudge = git-lfs smudge -- %f\n process = git-lfs filter-process\n required = true\n";
    let Some(bed) = repository(lfs) else { return };
    bed.write(bed.project().join(".gitattributes"), "*.bin filter=lfs diff=lfs merge=lfs -text\n");
    let made = prints(&bed, "head -c 300000 /dev/urandom >a.bin; git add -A; git commit -qm asset; git cat-file -p HEAD:a.bin");
    assert!(made.starts_with("version https://git-lfs.github.com/spec/v1\n") && made.ends_with("size 300000\n"), "{made}");
    assert_eq!(prints(&bed, "touch a.bin; git status --short"), "");
    // An image without the program stores nothing.
    let gone = "mkdir /tmp/bin; for p in git sh; do ln -s $(command -v $p) /tmp/bin; done; cp a.bin b.bin; PATH=/tmp/bin; git add b.bin";
    let outcome = inside(&bed, gone);
    assert!(outcome.code != 0 && outcome.err().contains("git-lfs"), "{outcome:?}");
    assert_eq!(prints(&bed, "git ls-files b.bin"), "");
}

// NE-09
#[test]
fn the_image_has_what_assistants_call() {
    let Some(bed) = repository("") else { return };
    let programs = "bzip2 cc curl file g++ gh git git-lfs gpg jq less make nano node npm patch pip3 ps python3 rg rsync sqlite3 ssh \
                    tar unzip uv uvx wget xz zip";
    assert_eq!(prints(&bed, &format!("for p in {programs}; do command -v $p >/dev/null || echo $p; done")), "");
    let python = "python3 -m venv .venv && .venv/bin/python -c 'print(6 * 7)'";
    let compiler = "printf 'int puts(const char *); int main(void) { return puts(\"built\") < 0; }' >x.c && make -s x && ./x";
    assert_eq!(prints(&bed, &format!("{python} && {compiler} && echo $EDITOR")), "42\nbuilt\nnano\n");
    // SE-13: what is made beside the project would be gone.
    let beside = inside(&bed, "mkdir ../beside");
    assert!(beside.code != 0 && beside.err().contains("Read-only file system"), "{beside:?}");
}

// N-05: for whoever runs it, with nothing writable but what the run brings.
#[test]
fn the_programs_of_the_image_run_for_every_user() {
    for user in [None, Some(1000), Some(54_321)] {
        let Some(mut bed) = Bed::new(Image::Tools) else { return };
        if user.is_some_and(|user| !bed.as_user(user)) {
            return;
        }
        bed.set("AI_HARDENED", "1");
        let script = "for p in node npm git git-lfs gh rg jq python3 claude gemini codex; do \
            $p --version >/tmp/said 2>&1 && grep -q '[0-9]' /tmp/said && echo $p; done; ssh -V 2>&1 | cut -c1-7; locale charmap; id -u";
        let outcome = bed.ai(["exec", "--", "sh", "-c", script]).outcome();
        let programs = "node npm git git-lfs gh rg jq python3 claude gemini codex OpenSSH UTF-8";
        let expected = format!("{} {}\n", programs, user.unwrap_or(0)).replace(' ', "\n");
        assert_eq!(outcome.out(), expected, "{user:?}: {outcome:?}");
    }
}

// SE-11: hooks, templates and messages of the person.
#[test]
fn the_persons_hooks_and_templates_are_used() {
    let Some(bed) = repository("") else { return };
    let settings = "[core]\n hooksPath = ~/hooks\n[init]\n templateDir = ~/template\n[commit]\n template = ~/message\n";
    bed.write("home/.gitconfig", format!("[user]\n name = Jo\n email = jo@x\n{settings}"));
    bed.script("home/hooks/pre-commit", "#!/bin/sh\n. \"$(dirname \"$0\")/lib/say\"\n! git diff --cached | grep -q FORBIDDEN\n");
    bed.write("home/hooks/lib/say", "echo the hook of the person\n");
    bed.script("home/template/hooks/commit-msg", "#!/bin/sh\n");
    bed.write("home/message", "Why:\n");
    let commit = |text: &str| inside(&bed, &format!("echo {text} >x; git add x; git commit -m x 2>&1"));
    assert!(commit("fine").out().contains("the hook of the person"));
    assert_ne!(commit("FORBIDDEN").code, 0);
    assert_eq!(prints(&bed, "git reset -q --hard; GIT_EDITOR=cat git commit --allow-empty 2>/dev/null | head -n 1 || true"), "Why:\n");
    assert_eq!(prints(&bed, "cd /tmp && git init -q new && ls new/.git/hooks"), "commit-msg\n");
    // What is too large stops a commit, and says so.
    for name in 0..300 {
        bed.write(format!("home/hooks/{name}"), "x");
    }
    let outcome = commit("fine again");
    assert!(outcome.code != 0 && outcome.out().contains("ai: your hooks in"), "{outcome:?}");
    // None at all are no reason to run those of the repository.
    fs::remove_dir_all(bed.home().join("hooks")).unwrap();
    bed.script(bed.project().join(".git/hooks/pre-commit"), "#!/bin/sh\nexit 1\n");
    assert_eq!(commit("once more").code, 0);
}

// SE-11
#[test]
fn commits_are_signed_by_the_agent() {
    let settings = "[gpg]\n format = ssh\n[commit]\n gpgSign = true\n[gpg \"ssh\"]\n allowedSignersFile = ~/signers\n";
    let Some(mut bed) = repository(settings) else { return };
    let Some(agent) = need("ssh-agent", find_program("ssh-agent")) else { return };
    for name in ["ssh-add", "ssh-keygen"] {
        bed.link(name, find_program(name).unwrap());
    }
    bed.link("ssh-agent", agent);
    let key = bed.home().join(".ssh/id");
    bed.write("home/.ssh/config", "");
    bed.run("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-C", "made-up", "-f"]).args([&key]).prints();
    let public = fs::read_to_string(key.with_extension("pub")).unwrap();
    bed.write("home/signers", format!("jo@x {public}"));
    bed.write("home/.gitconfig", format!("[user]\n name = Jo\n email = jo@x\n signingKey = ~/.ssh/id\n{settings}"));
    let without = inside(&bed, "git commit -q --allow-empty -m unsigned");
    assert!(without.code != 0 && without.err().contains("hint: ssh-add"), "{without:?}");
    let socket = bed.root().join("tmp/agent.sock");
    let mut agent = bed.run("ssh-agent").args(["-D", "-a"]).args([&socket]).spawn();
    wait_for("the agent", || socket.exists().then_some(()));
    bed.sandbox.set("SSH_AUTH_SOCK", &socket);
    assert_eq!(bed.run("ssh-add").args([&key]).outcome().code, 0);
    let log = "git log -1 --format=%G?";
    let signed = inside(&bed, &format!("git commit -q --allow-empty -m signed && {log}; cat /ai/git-host/*"));
    agent.kill().unwrap();
    agent.wait().unwrap();
    assert!(signed.code == 0 && signed.out().starts_with("G\n") && !signed.out().contains("PRIVATE"), "{signed:?}");
    assert_eq!(outside(&bed, log), "G\n");
}

// SE-11: said once for a project, and loud at the commit.
#[test]
fn what_cannot_be_signed_is_said_once() {
    let Some(bed) = repository("[commit]\n gpgSign = true\n") else { return };
    let first = inside(&bed, "git commit -q --allow-empty -m x");
    assert!(first.code != 0 && first.err().contains("git signs by openpgp here"), "{first:?}");
    let second = inside(&bed, "git config --global commit.gpgsign false; git commit -q --allow-empty -m x");
    assert!(second.code == 0 && !second.err().contains("openpgp"), "{second:?}");
}
