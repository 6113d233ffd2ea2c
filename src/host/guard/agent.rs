//! The agent that a container sees: each request is judged before the real agent hears of it.

use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use crate::core::facts::SshAgent;
use crate::core::guard::agent::{AgentRules, AgentStep, FAILURE, LONGEST, is_success, keys_in};
use crate::core::guard::order::{AgentOrder, HostKeys};
use crate::host::Host;
use crate::host::fs::files::read_within;
use crate::host::fs::socket;
use crate::host::guard::desk::Desk;
use crate::host::machine::process;

/// The most bytes of a file of keys.
const LARGEST: u64 = 16 << 20;
/// The program that checks for itself to which host a login goes (OpenSSH 8.9, PROTOCOL.agent).
const TELLS_HOSTS: &str = "ssh-agent";
/// How long a person may take to confirm.
const PATIENCE: Duration = Duration::from_secs(120);

/// The real agent, and what a container may have of it.
#[derive(Debug)]
pub struct AgentDesk {
    socket: PathBuf,
    rules: AgentRules,
    /// Asks the person about each signature.
    confirm: Option<PathBuf>,
}

impl AgentDesk {
    /// # Errors
    /// Where a key that was chosen cannot be read, or nobody can ask the person: what was to be less must not become more.
    pub fn new(host: &Host, order: &AgentOrder) -> io::Result<Option<Self>> {
        let SshAgent::Socket(socket) = host.ssh_agent() else { return Ok(None) };
        let text = |path: &PathBuf| {
            let found = read_within(path, LARGEST)?.map(|(bytes, _)| String::from_utf8_lossy(&bytes).into_owned());
            found.ok_or_else(|| io::Error::from(ErrorKind::NotFound))
        };
        let mut rules = AgentRules { sign: order.sign.clone(), ..AgentRules::default() };
        if let Some(paths) = &order.keys {
            let keys = rules.keys.get_or_insert_default();
            for path in paths {
                let found = text(path).map(|text| keys_in(&text)).ok().filter(|found| !found.is_empty());
                keys.extend(found.ok_or_else(|| io::Error::other(format!("`{}` of [ssh] keys is no public key", path.display())))?);
            }
        }
        let is_strict = match order.hosts {
            HostKeys::Any => false,
            HostKeys::Known => true,
            HostKeys::Auto => socket::listener(&socket).is_some_and(|name| name == TELLS_HOSTS),
        };
        if is_strict {
            let own = host.home().map(|home| home.join(".ssh/known_hosts"));
            let files = own.into_iter().chain([PathBuf::from("/etc/ssh/ssh_known_hosts")]);
            rules.hosts = Some(files.filter_map(|path| text(&path).ok()).flat_map(|text| keys_in(&text)).collect());
        }
        let askpass = || host.env.text("SSH_ASKPASS").and_then(|program| host.program(program)).or_else(|| host.program("ssh-askpass"));
        let confirm = if order.confirm {
            Some(askpass().ok_or_else(|| io::Error::other("[ssh] confirm needs a program in SSH_ASKPASS"))?)
        } else {
            None
        };
        Ok(Some(Self { socket, rules, confirm }))
    }

    /// Serves one connection to its end.
    pub fn serve(&self, mut client: UnixStream, desk: &Desk) -> io::Result<()> {
        let mut agent = UnixStream::connect(&self.socket)?;
        let mut bound = Vec::new();
        while let Some(request) = read(&mut client)? {
            let answer = match self.rules.judge(&bound, &request) {
                AgentStep::List => self.rules.chosen(&ask(&mut agent, &request)?),
                AgentStep::Sign(_) if self.confirm.is_none() => ask(&mut agent, &request)?,
                AgentStep::Sign(what) if self.is_confirmed(&what) => ask(&mut agent, &request)?,
                AgentStep::Sign(what) => {
                    desk.note(|record| record.refuse(&format!("{what}, which you did not confirm")));
                    FAILURE.to_vec()
                }
                AgentStep::Bind(session) => {
                    let answer = ask(&mut agent, &request)?;
                    bound.extend(session.filter(|_| is_success(&answer)));
                    answer
                }
                AgentStep::Refuse(what) => {
                    desk.note(|record| record.refuse(&what));
                    FAILURE.to_vec()
                }
            };
            write(&mut client, &answer)?;
        }
        Ok(())
    }

    /// Asks as ssh itself does (ssh-add(1), `-c`): by the program that the desktop has for it.
    fn is_confirmed(&self, what: &str) -> bool {
        let Some(program) = &self.confirm else { return true };
        let mut command = process::command(program);
        command.arg(format!("Allow a container {what}?")).env("SSH_ASKPASS_PROMPT", "confirm");
        process::wait_within(command, PATIENCE).is_ok_and(|(status, ..)| status.success())
    }
}

/// Reads one message; `None` at the end.
fn read(from: &mut UnixStream) -> io::Result<Option<Vec<u8>>> {
    let mut size = [0; 4];
    match from.read_exact(&mut size) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    let length = u32::from_be_bytes(size) as usize;
    if length == 0 || length > LONGEST {
        return Err(ErrorKind::InvalidData.into());
    }
    let mut message = vec![0; length];
    from.read_exact(&mut message)?;
    Ok(Some(message))
}

fn write(to: &mut UnixStream, message: &[u8]) -> io::Result<()> {
    let size = u32::try_from(message.len()).map_err(io::Error::other)?;
    to.write_all(&[&size.to_be_bytes()[..], message].concat())
}

fn ask(agent: &mut UnixStream, request: &[u8]) -> io::Result<Vec<u8>> {
    write(agent, request)?;
    read(agent)?.ok_or_else(|| ErrorKind::UnexpectedEof.into())
}
