//! Whether a container's terminal has the size of ours, and follows it.

use std::io::Read;
use std::os::unix::ffi::OsStringExt;
use std::process::Stdio;

use rustix::fs::OFlags;
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::core::engine::proof::{ProbeOutcome, ProbeVerdict};
use crate::core::failure::Result;
use crate::core::plan::Part;
use crate::host::doctor::prove::{Bench, holds, of, wait_for};
use crate::host::fs::own;
use crate::host::machine::process;

/// Prints the size as soon as it is known, and again when it has changed. Engines may learn the first one late.
const SCRIPT: &str = "command -v stty >/dev/null || exit 99
size() { i=0; while [ $i -lt 50 ]; do [ \"$(stty size 2>/dev/null)\" = \"$1\" ] && break; sleep 0.1; i=$((i+1)); done; stty size; }
size '31 97'; touch sized; size '43 132'";

pub(super) fn sizes(bench: &Bench) -> Vec<ProbeOutcome> {
    let seen = show(bench);
    let verdict = |expected: &'static str| match &seen {
        Ok(text) if text.is_empty() => Ok((ProbeVerdict::Unknown, "the image has no stty".to_owned())),
        Ok(text) => Ok((holds(text.contains(expected)), text.split_whitespace().collect::<Vec<_>>().join(" "))),
        Err(failure) => Ok((ProbeVerdict::Fails, failure.to_string())),
    };
    vec![of("terminal-size", verdict("31 97")), of("terminal-resize", verdict("43 132"))]
}

fn show(bench: &Bench) -> Result<String> {
    let io = |error: rustix::io::Errno| std::io::Error::from(error);
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).map_err(io)?;
    grantpt(&ours).map_err(io)?;
    unlockpt(&ours).map_err(io)?;
    let name = std::ffi::OsString::from_vec(ptsname(&ours, Vec::new()).map_err(io)?.into_bytes());
    let theirs = own::open_to_write(name, OFlags::NOCTTY)?;
    let size = |rows, columns| Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(&ours, size(31, 97)).map_err(io)?;
    let mut child = process::command(bench.engine())
        .args(bench.argv(&[Part::Terminal], SCRIPT))
        .stdin(Stdio::from(theirs.try_clone()?))
        .stdout(Stdio::from(theirs.try_clone()?))
        .stderr(Stdio::from(theirs))
        .spawn()?;
    let mut file = std::fs::File::from(ours.try_clone()?);
    let reader = std::thread::spawn(move || {
        let mut text = Vec::new();
        let mut buffer = [0; 4096];
        // The other side's last end is closed with an error on Linux, and without one elsewhere.
        while let Ok(length @ 1..) = file.read(&mut buffer) {
            text.extend_from_slice(&buffer[..length]);
        }
        text
    });
    if wait_for(&bench.directory.join("sized")) {
        tcsetwinsize(&ours, size(43, 132)).map_err(io)?;
        kill_process(Pid::from_child(&child), Signal::WINCH).map_err(io)?;
    }
    child.wait()?;
    let text = reader.join().map_err(|_| std::io::Error::other("the terminal was lost"))?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}
