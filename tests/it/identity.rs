//! Who the user is inside: git's identity for each project, SSH settings, and GitHub's token on request only.

use std::fs;

use crate::bed::{Bed, Image};
use crate::engine::Argv;
use crate::process::wait_for;
use crate::require::need;
use crate::sandbox::{Sandbox, find_program};

// H-07
#[test]
fn each_project_has_the_identity_that_the_host_gives_it() {
    let Some(bed) = Bed::new(Image::Tools) else { return };
    bed.git_init();
    let root = bed.root();
    bed.write(
        "home/.gitconfig",
        format!(
            "[user]\n name = \"Jo \\\"D\\\" X\"\n email = home@x\n[core]\n pager = evil\n[includeIf \"gitdir:{}/work/\"]\n path = work.inc\n",
            root.display()
        ),
    );
    bed.write("home/work.inc", "[user]\n email = work@x\n");
    let log = "git commit -q --allow-empty -m x && git log -1 --format='%an <%ae>'; git config --global a.b c && git config a.b; git config core.pager";
    let outcome = bed.ai(["exec", "--", "sh", "-c", log]).outcome();
    assert_eq!(outcome.out(), "Jo \"D\" X <work@x>\nc\n", "{}", outcome.err());
    let host = fs::read_to_string(bed.home().join(".gitconfig")).unwrap();
    assert!(!host.contains("[a]"));
    bed.write("home/work.inc", "[user]\n email = new@x\n");
    assert_eq!(bed.ai(["exec", "--", "git", "config", "user.email"]).prints(), "new@x\n");
    bed.nothing_left();
}

// H-05, H-06
#[test]
fn the_hosts_ssh_settings_parse_inside_and_name_no_private_key() {
    let Some(bed) = Bed::new(Image::Tools) else { return };
    bed.write("home/.ssh/id_work", "-----BEGIN OPENSSH PRIVATE KEY-----\nmade-up\n");
    bed.write("home/.ssh/id_work.pub", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHUMade+UpMade+UpMade+UpMade+UpMade+UpMade+ me\n");
    bed.write("home/.ssh/conf.d/a.conf", "Host inc\n\tPort 2222\n");
    let config = "# UseKeychain yes\r\nInclude conf.d/*.conf\r\nHost work\r\n  HostName=git.example\r\n  \"IdentityFile\" ~/.ssh/id_work\r\n  UseKeychain yes\r\n  AddKeysToAgent=yes\r\nMatch host lab\r\n  User \"me\"\r\n";
    bed.write("home/.ssh/config", config);
    let ask = |host: &str| bed.ai(["exec", "--", "ssh", "-G", host]).outcome().out();
    let work = ask("work");
    assert!(work.contains("hostname git.example\n") && work.contains("identityfile /ai/ssh/keys/"), "{work}");
    assert!(work.contains("userknownhostsfile /home/ai/.ssh/known_hosts /ai/ssh/known_hosts\n"), "{work}");
    assert!(ask("inc").contains("port 2222\n") && !work.contains("port 2222\n"));
    assert!(ask("lab").contains("user me\n"));
    let inside =
        bed.ai(["exec", "--", "sh", "-c", "cat ~/.ssh/* /ai/ssh/* /ai/ssh/keys/* 2>/dev/null; echo x >>~/.ssh/known_hosts"]).prints();
    assert!(!inside.contains("PRIVATE") && inside.contains("# not in a container: UseKeychain yes"), "{inside}");
    assert!(!bed.home().join(".ssh/known_hosts").exists());
    // BO-11: what one project came to know is of that project.
    assert_eq!(bed.ai(["exec", "--", "cat", "/home/ai/.ssh/known_hosts"]).prints(), "x\n");
    let other = bed.root().join("work/other");
    fs::create_dir(&other).unwrap();
    assert_eq!(bed.ai(["exec", "--", "sh", "-c", "cat ~/.ssh/known_hosts /ai/ssh/known_hosts 2>/dev/null; true"]).cwd(other).prints(), "");
    bed.nothing_left();
}

// H-01
#[test]
fn the_agents_keys_can_be_used_and_not_read() {
    let Some(mut bed) = Bed::new(Image::Tools) else { return };
    let Some(agent) = need("ssh-agent", find_program("ssh-agent")) else { return };
    for name in ["ssh-add", "ssh-keygen"] {
        bed.link(name, find_program(name).unwrap());
    }
    bed.link("ssh-agent", agent);
    let socket = bed.root().join("tmp/agent.sock");
    let mut agent = bed.run("ssh-agent").args(["-D", "-a"]).args([&socket]).spawn();
    wait_for("the agent", || socket.exists().then_some(()));
    bed.sandbox.set("SSH_AUTH_SOCK", &socket);
    let key = bed.home().join("key");
    bed.run("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-C", "made-up", "-f"]).args([&key]).prints();
    assert_eq!(bed.run("ssh-add").args([&key]).outcome().code, 0);
    let listed = bed.ai(["exec", "--", "ssh-add", "-l"]).prints();
    assert!(listed.contains("key (ED25519)") && !listed.contains("made-up"), "{listed}");
    let report = bed.ai(["doctor"]).outcome().out();
    assert!(report.contains("with 1 keys"), "{report}");
    agent.kill().unwrap();
    agent.wait().unwrap();
}

// H-08
#[test]
fn githubs_token_comes_along_on_request_and_never_in_a_vector() {
    let sandbox = Sandbox::new();
    sandbox.program("gh", "#!/bin/sh\n[ \"$*\" = 'auth token' ] && echo gho_made_up\n");
    assert!(!sandbox.plan(["claude"]).variables().contains_key("GH_TOKEN"));
    sandbox.ai(["run", "claude"]).env("AI_GH_TOKEN", "1").prints();
    let call = sandbox.the_run();
    assert_eq!(call.env.get(std::ffi::OsStr::new("GH_TOKEN")).unwrap(), "gho_made_up");
    let argv = Argv(call.argv);
    assert_eq!(argv.variables().get("GH_TOKEN"), Some(&None));
    assert!(!format!("{argv:?}").contains("gho_made_up"));
}
