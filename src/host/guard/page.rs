//! Opens the page of a login in the person's browser, and brings what the browser says back into the container.
//!
//! The container connects to us and never the other way round: whoever opened the page keeps a connection waiting for what comes back.

use std::io::{self, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::retry_on_intr;

use crate::core::guard::head::{self, HeadRead, ProxyHead};
use crate::core::guard::page::{LONGEST, LoginPage};
use crate::core::guard::peer::{HostName, parse_port};
use crate::host::Host;
use crate::host::guard::desk::Desk;
use crate::host::guard::relay::{self, Duplex};
use crate::host::guard::tunnel::until;
use crate::host::machine::deadline::Deadline;
use crate::host::machine::process;

/// How long a person may take to log in, and how long the tool's own pages are shown afterwards.
const PATIENCE: Duration = Duration::from_secs(600);
const THANKS: Duration = Duration::from_secs(5);
/// Between two pages: nobody logs in faster, and a program that asks for many opens few.
const PACE: Duration = Duration::from_secs(2);
/// Pages of one run.
const MOST: u32 = 20;
/// How long the container has to connect for what came back.
const SLOWEST: Duration = Duration::from_secs(10);
/// How often a listener looks whether it is still wanted.
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 200_000_000 };

/// Where pages are opened.
#[derive(Debug)]
pub struct PageDesk {
    hosts: Vec<HostName>,
    /// What opens a page on this machine.
    opener: Option<PathBuf>,
    state: Mutex<PageState>,
    came: Condvar,
}

#[derive(Debug, Default)]
struct PageState {
    login: Option<PageWait>,
    /// When the next page may be opened, and how many were.
    next: Option<Deadline>,
    count: u32,
}

/// A login that the browser has not come back from, or has just now.
#[derive(Debug)]
struct PageWait {
    page: LoginPage,
    end: Deadline,
    /// Whether it came back: from then on there are only the tool's own pages.
    is_done: bool,
    /// Connections of the container's that wait for what comes back.
    back: Vec<UnixStream>,
}

impl PageDesk {
    /// Returns the desk of a run whose tool logs in at these hosts.
    pub fn new(host: &Host, hosts: &[String]) -> Self {
        let own = host.env.text("BROWSER").and_then(|names| names.split(':').next());
        let opener = own.filter(|name| !name.contains([' ', '%'])).and_then(|name| host.program(name));
        Self {
            hosts: hosts.iter().filter_map(|name| HostName::new(name.as_bytes()).ok()).collect(),
            opener: opener.or_else(|| host.program("xdg-open")),
            state: Mutex::default(),
            came: Condvar::new(),
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, PageState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Serves one connection of the container's: a page to open, or one that waits for what comes back.
pub fn serve(mut stream: UnixStream, desk: &Arc<Desk>) -> io::Result<()> {
    let Some(pages) = &desk.pages else { return Ok(()) };
    let mut bytes = Vec::new();
    let line = until(&mut stream, &mut bytes, |bytes| {
        let end = bytes.iter().position(|byte| *byte == b'\n');
        end.map(|end| bytes[..end].to_vec()).or_else(|| (bytes.len() > LONGEST + 16).then(Vec::new))
    })?;
    let line = line.unwrap_or_default();
    if let Some(port) = line.strip_prefix(b"BACK ").and_then(parse_port) {
        let mut state = pages.state();
        // One waits at a time, and a spare; what nobody asked for is closed.
        if let Some(login) = state.login.as_mut().filter(|login| login.page.port == port && login.back.len() < 2) {
            login.back.push(stream);
            pages.came.notify_all();
        }
        return Ok(());
    }
    let answer = match line.strip_prefix(b"OPEN ").map(|url| open(pages, url, desk)) {
        Some(Ok(port)) => format!("OK {port}\n"),
        Some(Err(why)) => format!("NO {why}\n"),
        None => "NO such request\n".into(),
    };
    stream.write_all(answer.as_bytes())
}

fn open(pages: &PageDesk, url: &[u8], desk: &Arc<Desk>) -> Result<u16, String> {
    let page = LoginPage::parse(url, &pages.hosts).map_err(|refusal| {
        desk.note(|record| record.leave_shut(&refusal));
        format!("{} is not opened", refusal.words())
    })?;
    let opener = pages.opener.as_ref().ok_or("nothing on your machine opens pages (xdg-open)")?;
    let port = page.port;
    let mut state = pages.state();
    if state.count == MOST || state.next.is_some_and(|next| !next.is_over()) {
        return Err("too many pages".into());
    }
    state.count += 1;
    state.next = Some(Deadline::after(PACE));
    // Who asks again while the first still waits has given that one up.
    let is_listening = state.login.as_ref().is_some_and(|login| login.page.port == port);
    let listener = if is_listening { None } else { Some(listen(port)?) };
    state.login = Some(PageWait { page, end: Deadline::after(PATIENCE), is_done: false, back: Vec::new() });
    drop(state);
    if let Some(listener) = listener {
        let desk = Arc::clone(desk);
        std::thread::spawn(move || wait(&listener, port, &desk));
    }
    let mut command = process::command(opener);
    command.arg(String::from_utf8_lossy(url).as_ref()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut browser = command.spawn().map_err(|error| format!("`{}` did not start: {error}", opener.display()))?;
    std::thread::spawn(move || browser.wait());
    desk.note(|record| record.opened += 1);
    Ok(port)
}

fn listen(port: u16) -> Result<TcpListener, String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).and_then(|listener| {
        listener.set_nonblocking(relay::NONBLOCKING)?;
        Ok(listener)
    });
    listener.map_err(|error| format!("port {port} of your machine, to which the page comes back, cannot be used: {error}"))
}

/// Waits for the browser, until the login is done, given up, or replaced by one with another port.
fn wait(listener: &TcpListener, port: u16, desk: &Arc<Desk>) {
    let Some(pages) = &desk.pages else { return };
    loop {
        {
            let mut state = pages.state();
            match &state.login {
                Some(login) if login.page.port == port && !login.end.is_over() => {}
                Some(login) if login.page.port != port => return,
                _ => {
                    state.login = None;
                    return;
                }
            }
        }
        let mut ready = [PollFd::new(listener, PollFlags::IN)];
        let _ = retry_on_intr(|| poll(&mut ready, Some(&LOOK)));
        if let Ok((stream, _)) = listener.accept() {
            let desk = Arc::clone(desk);
            std::thread::spawn(move || {
                // A browser that goes away in the middle comes again, or gives up.
                let _ = bring_back(stream, port, &desk);
            });
        }
    }
}

/// Serves one request of a browser.
fn bring_back(mut browser: TcpStream, port: u16, desk: &Desk) -> io::Result<()> {
    let Some(pages) = &desk.pages else { return Ok(()) };
    browser.set_nonblocking(!relay::NONBLOCKING)?;
    browser.set_write_timeout(Some(SLOWEST))?;
    let mut bytes = Vec::new();
    let read = until(&mut browser, &mut bytes, |bytes| match head::parse(bytes) {
        HeadRead::More => None,
        HeadRead::Bad => Some(None),
        HeadRead::Whole(head) => Some(Some(head)),
    })?;
    let head = read.flatten().filter(|head| judge(pages, port, head));
    let Some((head, mut inside)) = head.and_then(|head| Some((head, take(pages, port)?))) else {
        browser.write_all(b"HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")?;
        browser.end(std::net::Shutdown::Both);
        return Ok(());
    };
    inside.write_all(b"GO\n")?;
    // One request and no more, whatever the browser would like to send behind it.
    inside.write_all(&head.for_server(&format!("localhost:{port}"), &head.target))?;
    inside.set_read_timeout(None)?;
    browser.set_write_timeout(None)?;
    relay::forward(&mut inside, &mut browser);
    browser.end(std::net::Shutdown::Both);
    Ok(())
}

/// Returns whether a request is the one that the login waits for, and takes note of that; or one for a page behind it.
fn judge(pages: &PageDesk, port: u16, head: &ProxyHead) -> bool {
    let mut state = pages.state();
    let Some(login) = state.login.as_mut().filter(|login| login.page.port == port) else { return false };
    if login.is_done {
        return login.page.is_followed_by(head);
    }
    login.is_done = login.page.is_answered_by(head);
    if login.is_done {
        login.end = Deadline::after(THANKS);
    }
    login.is_done
}

/// Takes a connection that waits in the container.
fn take(pages: &PageDesk, port: u16) -> Option<UnixStream> {
    let end = Deadline::after(SLOWEST);
    let mut state = pages.state();
    loop {
        let login = state.login.as_mut().filter(|login| login.page.port == port)?;
        if let Some(stream) = login.back.pop() {
            return Some(stream);
        }
        if end.is_over() {
            return None;
        }
        (state, _) = pages.came.wait_timeout(state, end.left()).unwrap_or_else(PoisonError::into_inner);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting() -> PageDesk {
        let url = b"https://claude.ai/o?redirect_uri=http%3A%2F%2Flocalhost%3A41234%2Fcallback&state=s";
        let hosts = vec![HostName::new(b"claude.ai").unwrap()];
        let page = LoginPage::parse(url, &hosts).unwrap();
        let login = PageWait { page, end: Deadline::after(PATIENCE), is_done: false, back: Vec::new() };
        let state = PageState { login: Some(login), ..PageState::default() };
        PageDesk { hosts, opener: None, state: Mutex::new(state), came: Condvar::new() }
    }

    fn asks(target: &str) -> ProxyHead {
        match head::parse(format!("GET {target} HTTP/1.1\r\nHost: localhost:41234\r\n\r\n").as_bytes()) {
            HeadRead::Whole(head) => head,
            other => panic!("{other:?}"),
        }
    }

    // GU-01: what a page brings back is taken once, by the port that waits for it; the tool's own pages are seen behind it alone.
    #[test]
    fn a_login_comes_back_once() {
        let (pages, back) = (waiting(), asks("/callback?code=c&state=s"));
        for (port, target) in [(41234, "/success"), (41234, "/callback?code=c&state=x"), (41235, "/callback?code=c&state=s")] {
            assert!(!judge(&pages, port, &asks(target)), "{target}");
        }
        assert!(judge(&pages, 41234, &back));
        assert!(!judge(&pages, 41234, &back), "once");
        assert!(judge(&pages, 41234, &asks("/success")));
        assert!(pages.state().login.as_ref().is_some_and(|login| login.end.left() <= THANKS));
    }

    // GU-01: nobody else of the network comes to it.
    #[test]
    fn a_page_comes_back_to_this_machine_alone() {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        assert_eq!(listen(port).unwrap().local_addr().unwrap().ip(), Ipv4Addr::LOCALHOST);
    }
}
