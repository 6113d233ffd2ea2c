//! A login by the person's browser, begun inside: its page is opened, and what comes back arrives at the tool, and nothing else.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use crate::bed::{Bed, Image};
use crate::guard_life::wait_for;
use crate::guarded::guarded;
use crate::mock::Mock;
use crate::process::{HANG, finish};
use crate::sandbox::find_program;
use crate::shells::Shell;
use crate::terminal::on_terminal;

/// A bed with a desktop, whose browser notes what it is to open.
fn desktop(image: Image) -> Option<Bed> {
    let mut bed = guarded(image)?;
    bed.set("DISPLAY", ":9");
    bed.program("xdg-open", &format!("#!/bin/sh\necho \"$1\" >>'{}'\n", bed.root().join("tmp/opened").display()));
    Some(bed)
}

fn opened(bed: &Bed) -> String {
    fs::read_to_string(bed.root().join("tmp/opened")).unwrap_or_default()
}

/// What a browser is answered that asks the port for this.
fn browse(port: u16, target: &str, host: &str) -> String {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return "nobody".into() };
    stream.set_read_timeout(Some(HANG)).unwrap();
    write!(stream, "GET {target} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let status = text.split_whitespace().nth(1).unwrap_or("closed").to_owned();
    format!("{status} {}", text.rsplit("\r\n\r\n").next().unwrap_or_default().trim_end())
}

/// Plays a tool that logs in: a server on its loopback, and a page that comes back to it.
fn log_in(bed: &Bed) {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let page = |host: &str, port: u16| {
        format!("https://{host}/oauth/authorize?redirect_uri=http%3A%2F%2Flocalhost%3A{port}%2Fcallback&state=a%2Bb")
    };
    let script = format!(
        "mkdir /tmp/w; echo back >/tmp/w/callback; echo thanks >/tmp/w/success; httpd -p 127.0.0.1:{port} -h /tmp/w; \
         $BROWSER '{}'; echo $?; $BROWSER '{}'; echo $?; while [ ! -e go ]; do sleep 0.1; done; rm go",
        page("evil.com", port),
        page("claude.ai", port)
    );
    let run = bed.ai(["run", "claude", "sh", "-c", &script]).spawn();
    wait_for(|| opened(bed).ends_with('\n'));
    assert_eq!(opened(bed), format!("{}\n", page("claude.ai", port)));
    for (target, host) in [
        ("/other?state=a%2Bb", "localhost"),
        ("/callback?code=c&state=x", "localhost"),
        ("/callback?code=c", "localhost"),
        ("/callback?code=c&state=a%2Bb", "evil.com"),
        ("/success", "localhost"),
    ] {
        assert_eq!(browse(port, target, host), "404 ", "{target}");
    }
    assert_eq!(browse(port, "/callback?code=c&state=a%2Bb", "localhost"), "200 back");
    assert_eq!(browse(port, "/callback?code=c&state=a%2Bb", "localhost"), "404 ", "once");
    assert_eq!(browse(port, "/success", "127.0.0.1"), "200 thanks");
    wait_for(|| TcpStream::connect(("127.0.0.1", port)).is_err());
    bed.write("work/proj/go", "");
    let outcome = finish(run);
    assert_eq!((outcome.code, outcome.out().as_str()), (0, "1\n0\n"), "{}", outcome.err());
    assert!(outcome.err().contains("cannot open a page in your browser\n  a page of evil.com is not opened"), "{}", outcome.err());
    assert!(outcome.err().contains("ai: did not open 1 × a page of evil.com; hint: ai help network"), "{}", outcome.err());
    fs::remove_file(bed.root().join("tmp/opened")).unwrap();
}

// GU-01: test 9 of the twelve, on a guarded network and on a bridge.
#[test]
fn what_a_login_page_brings_back_arrives_inside_and_nothing_else() {
    let Some(mut bed) = desktop(Image::Busybox) else { return };
    log_in(&bed);
    bed.unset("AI_NETWORK");
    log_in(&bed);
    bed.nothing_left();
    // Without a desktop nothing inside is told of one.
    bed.unset("DISPLAY");
    assert_eq!(bed.ai(["run", "claude", "sh", "-c", "echo ${BROWSER-none}"]).prints(), "none\n");
}

// GU-01: the real Gemini CLI, which asks for a desktop and calls `xdg-open`.
#[test]
fn gemini_logs_in_by_the_persons_browser() {
    let Some(mut bed) = desktop(Image::Tools) else { return };
    let Some(_mock) = Mock::vendors(&mut bed.sandbox) else { return };
    bed.unset("GEMINI_API_KEY");
    bed.link("stty", find_program("stty").unwrap());
    let mut screen = on_terminal(bed.shell(Shell::Bash, "stty rows 40 cols 140; ai login gemini; echo code=$?"));
    screen.exp_string("Sign in with Google").unwrap();
    // Its questions, each with the answer that is wanted first; it passes over what is typed too soon.
    while !opened(&bed).ends_with('\n') {
        screen.send("\r").unwrap();
        screen.flush().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(300));
    }
    let page = opened(&bed);
    let value = |name: &str| page.split(['?', '&']).find_map(|pair| pair.strip_prefix(name)).unwrap().to_owned();
    let back = value("redirect_uri=http%3A%2F%2F127.0.0.1%3A");
    let (port, path) = back.split_once("%2F").unwrap();
    let target = format!("/{path}?code=made-up&state={}", value("state="));
    assert!(browse(port.parse().unwrap(), &target, "127.0.0.1").starts_with("301 "));
    screen.exp_string("Authentication succeeded").unwrap();
    while !bed.containers().is_empty() {
        screen.send("r").unwrap();
        screen.flush().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(300));
    }
    screen.exp_string("logged in to gemini").unwrap();
    screen.exp_string("code=0").unwrap();
    bed.nothing_left();
}
