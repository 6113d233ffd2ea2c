//! The SSH agent of a guarded run, on a real agent and real servers: chosen keys, known hosts, git's signatures, and nothing else.

use std::fs;
use std::net::TcpListener;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::bed::{Bed, Image};
use crate::guard_life::{helper, wait_for};
use crate::guarded::guarded;
use crate::process::finish;
use crate::require::need;
use crate::sandbox::find_program;

/// A process that ends when it is dropped.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn run(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{program} {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn key(directory: &Path, name: &str) -> PathBuf {
    let path = directory.join(name);
    run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-C", &format!("me@{name}.secret"), "-f", path.to_str().unwrap()]);
    path
}

/// A server that lets these keys in, with a key of its own, and says its name.
fn sshd(directory: &Path, name: &str, keys: &Path) -> (Server, u16) {
    let host = key(directory, name);
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let config = directory.join(format!("{name}.conf"));
    let text = format!(
        "Port {port}\nListenAddress 127.0.0.1\nHostKey {}\nAuthorizedKeysFile {}\nStrictModes no\nUsePAM no\nPidFile none\n\
         PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\nForceCommand echo in-{name}\n",
        host.display(),
        keys.display()
    );
    fs::write(&config, text).unwrap();
    let child = Command::new("/usr/sbin/sshd").args(["-D", "-e", "-f"]).arg(config).stderr(Stdio::null()).spawn().unwrap();
    wait_for(|| std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
    (Server(child), port)
}

/// An agent with two keys, `a` and `b`.
fn agent(bed: &mut Bed) -> Server {
    let socket = bed.root().join("tmp/agent");
    let agent = Command::new("ssh-agent").arg("-D").arg("-a").arg(&socket).stdout(Stdio::null()).spawn().unwrap();
    let agent = Server(agent);
    wait_for(|| socket.exists());
    let directory = bed.home().join(".ssh");
    fs::create_dir_all(&directory).unwrap();
    for name in ["a", "b"] {
        let path = key(&directory, name);
        assert!(Command::new("ssh-add").arg("-q").arg(path).env("SSH_AUTH_SOCK", &socket).status().unwrap().success());
    }
    bed.set("SSH_AUTH_SOCK", &socket);
    agent
}

/// Listens at a socket as a program that is no ssh-agent, and passes on what comes there.
fn pass_on(at: &Path, to: PathBuf) {
    let listener = UnixListener::bind(at).unwrap();
    std::thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let agent = UnixStream::connect(&to).unwrap();
            let copy = |mut from: UnixStream, mut to: UnixStream| {
                std::thread::spawn(move || {
                    let _ = std::io::copy(&mut from, &mut to);
                    let _ = to.shutdown(std::net::Shutdown::Write);
                })
            };
            copy(client.try_clone().unwrap(), agent.try_clone().unwrap());
            copy(agent, client);
        }
    });
}

#[track_caller]
fn world() -> Option<(Bed, Server)> {
    let mut bed = guarded(Image::Tools)?;
    need("sshd", Some("/usr/sbin/sshd").filter(|path| Path::new(path).exists()).and(find_program("ssh-agent")))?;
    let is_root = rustix::process::getuid().is_root();
    need("root", is_root.then(|| fs::create_dir_all("/run/sshd").unwrap()))?;
    let agent = agent(&mut bed);
    Some((bed, agent))
}

fn shell(bed: &Bed, line: &str) -> (String, String) {
    let outcome = bed.ai(["exec", "--shell", line]).outcome();
    (outcome.out(), outcome.err())
}

// GU-01, Z-079
#[test]
fn keys_are_listed_without_what_they_say_and_nothing_changes_them() {
    let Some((bed, _agent)) = world() else { return };
    let (listed, _) = shell(&bed, "ssh-add -l | cut -d ' ' -f 3-");
    assert_eq!(listed, "key (ED25519)\nkey (ED25519)\n");
    bed.config("[ssh]\nkeys = ['~/.ssh/a.pub']\n");
    let (listed, said) = shell(&bed, "ssh-add -L");
    let own = fs::read_to_string(bed.home().join(".ssh/a.pub")).unwrap();
    assert_eq!((listed.trim(), said.as_str()), (own.replace("me@a.secret", "key").trim(), ""));
    let change = "ssh-keygen -q -t ed25519 -N '' -f /tmp/new; ssh-add /tmp/new; ssh-add -D; ssh-add -x </dev/null; true";
    let (_, said) = shell(&bed, change);
    assert!(said.contains("ai: the SSH agent refused") && said.contains("× to remove keys") && said.contains("× to add a key"), "{said}");
    let still = run("sh", &["-c", &format!("SSH_AUTH_SOCK={} ssh-add -l", bed.root().join("tmp/agent").display())]);
    assert_eq!(still.lines().count(), 2);
    bed.config("[ssh]\nkeys = ['~/.ssh/missing.pub']\n");
    let outcome = bed.ai(["exec", "true"]).outcome();
    assert!(outcome.code == 125 && outcome.err().contains("missing.pub` of [ssh] keys is no public key"), "{}", outcome.err());
    bed.nothing_left();
}

// GU-01, GU-02: test 8 of the twelve.
#[test]
fn logins_are_signed_for_hosts_that_the_person_knows() {
    let Some((mut bed, _agent)) = world() else { return };
    let directory = bed.root().join("sshd");
    fs::create_dir(&directory).unwrap();
    let keys = directory.join("authorized");
    fs::write(&keys, fs::read(bed.home().join(".ssh/a.pub")).unwrap()).unwrap();
    let (_known, known) = sshd(&directory, "known", &keys);
    let (_other, other) = sshd(&directory, "other", &keys);
    let host_key = fs::read_to_string(directory.join("known.pub")).unwrap();
    bed.write("home/.ssh/known_hosts", format!("[host.docker.internal]:{known} {host_key}"));
    bed.set("AI_ALLOW", format!("host.docker.internal:{known} host.docker.internal:{other}"));
    let ssh = |port: u16| format!("ssh -o BatchMode=yes -o StrictHostKeyChecking=no -p {port} root@host.docker.internal true 2>&1");
    let (out, said) = shell(&bed, &ssh(known));
    assert!(out.ends_with("in-known\n") && !said.contains("refused"), "{out}{said}");
    let (out, said) = shell(&bed, &ssh(other));
    assert!(out.contains("Permission denied") && !out.contains("in-other"), "{out}");
    assert!(said.contains("× a login to a host that is not in your known_hosts"), "{said}");
    // What the container adds to the project's own list is not the person's.
    let add = format!("ssh-keyscan -p {other} host.docker.internal >>~/.ssh/known_hosts 2>/dev/null; {}", ssh(other));
    assert!(shell(&bed, &add).0.contains("Permission denied"));
    bed.config("[ssh]\nhosts = 'any'\n");
    assert!(shell(&bed, &ssh(other)).0.ends_with("in-other\n"));
    // Another program at the socket cannot be asked to tell hosts apart.
    let between = bed.root().join("tmp/between");
    pass_on(&between, bed.root().join("tmp/agent"));
    bed.set("SSH_AUTH_SOCK", &between);
    bed.config("");
    assert!(shell(&bed, &ssh(other)).0.ends_with("in-other\n"));
    bed.config("[ssh]\nhosts = 'known'\n");
    assert!(shell(&bed, &ssh(other)).0.contains("Permission denied"));
    bed.config("[ssh]\nkeys = ['~/.ssh/b.pub']\n");
    assert!(shell(&bed, &ssh(known)).0.contains("Permission denied"));
    bed.nothing_left();
}

// GU-01, Z-079: without a guarded network, too; a helper that dies takes the agent along and nothing else.
#[test]
fn the_agent_is_filtered_on_every_network() {
    let Some((mut bed, _agent)) = world() else { return };
    bed.unset("AI_NETWORK");
    bed.sandbox.use_program(crate::sandbox::AI.into());
    let (out, said) = shell(&bed, "ssh-add -l | cut -d ' ' -f 3-; ls /ai/sock; ssh-add -D; cat /proc/net/route | wc -l");
    assert!(out.starts_with("key (ED25519)\nkey (ED25519)\nagent\n") && !out.ends_with("\n1\n"), "{out}");
    assert!(said.contains("ai: the SSH agent refused 2 × to remove keys; hint: ai help network"), "{said}");
    bed.config("[ssh]\nkeys = ['~/.ssh/missing.pub']\n");
    let (out, said) = shell(&bed, "ssh-add -l; echo went on");
    assert!(out.ends_with("went on\n") && said.contains("there is no SSH agent in the container: `"), "{out}{said}");
    assert!(said.contains("missing.pub` of [ssh] keys is no public key; hint: ai doctor"), "{said}");
    bed.config("");
    let run =
        bed.ai(["exec", "--shell", "touch begun; while [ ! -e go ]; do sleep 0.1; done; ssh-add -l >/dev/null 2>&1; echo $?"]).spawn();
    wait_for(|| bed.project().join("begun").exists());
    let pid = rustix::process::Pid::from_raw(helper(&bed).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    wait_for(|| helper(&bed).is_none());
    bed.write("work/proj/go", "");
    let outcome = finish(run);
    assert_eq!((outcome.code, outcome.out().as_str()), (0, "2\n"));
    assert!(outcome.err().contains("was killed; without it there is no SSH agent in the container"), "{}", outcome.err());
    bed.nothing_left();
}

// GU-01: commits can be signed, other files cannot.
#[test]
fn files_are_signed_for_git_alone() {
    let Some((bed, _agent)) = world() else { return };
    fs::copy(bed.home().join(".ssh/a.pub"), bed.project().join("a.pub")).unwrap();
    let sign = |namespace: &str| shell(&bed, &format!("echo x >f; rm -f f.sig; ssh-keygen -Y sign -n {namespace} -f a.pub f; ls f.sig"));
    assert_eq!(sign("git").0, "f.sig\n");
    let (out, said) = sign("file");
    assert!(out.is_empty() && said.contains("the SSH agent refused 1 × a signature for `file`"), "{out}{said}");
    let commit = "git init -q r; cd r; git -c gpg.format=ssh -c user.signingkey=../a.pub -c user.name=a -c user.email=a@b commit -q -S --allow-empty -m x && git cat-file commit HEAD | grep -c 'SSH SIG'";
    assert!(shell(&bed, commit).0.ends_with("2\n"));
    bed.nothing_left();
}

// GU-02: `confirm` asks on the desktop, once for each signature.
#[test]
fn a_signature_can_be_made_to_wait_for_the_person() {
    let Some((mut bed, _agent)) = world() else { return };
    fs::copy(bed.home().join(".ssh/a.pub"), bed.project().join("a.pub")).unwrap();
    bed.config("[ssh]\nconfirm = true\n");
    let asked = bed.root().join("tmp/asked-person");
    bed.program("ask", &format!("#!/bin/sh\necho \"$SSH_ASKPASS_PROMPT $1\" >>'{0}'\n[ ! -e '{0}.no' ]\n", asked.display()));
    bed.set("SSH_ASKPASS", "ask");
    let sign = || shell(&bed, "echo x >f; rm -f f.sig; ssh-keygen -Y sign -n git -f a.pub f; ls f.sig");
    assert_eq!(sign().0, "f.sig\n");
    fs::write(format!("{}.no", asked.display()), "").unwrap();
    assert!(sign().1.contains("a signature for git, which you did not confirm"));
    assert_eq!(fs::read_to_string(asked).unwrap(), "confirm Allow a container a signature for git?\n".repeat(2));
    bed.nothing_left();
}
