//! Tells a person who looks elsewhere that a run has ended.

use std::io::{self, IsTerminal, Write};
use std::time::Duration;

use crate::core::notify::{self, Channel, RunNotice};
use crate::host::Host;
use crate::host::machine::{piped, process};

/// How long the desktop's program may take.
const PATIENCE: Duration = Duration::from_secs(2);
const MOST: usize = 1 << 16;

/// Tells it in the terminal's own way, else by the desktop, else by the bell. Where nobody sits nobody is told.
pub fn tell(host: &Host, notice: &RunNotice) {
    let is_set = |name: &str| host.env.text(name).is_some_and(|value| !value.is_empty());
    if !io::stderr().is_terminal() || is_set("CI") || host.env.text("TERM") == Some("dumb") {
        return;
    }
    let bytes = match notify::channel(&host.env, notice) {
        Channel::Terminal(bytes) => bytes,
        Channel::Desktop if is_told_by_desktop(host, notice) => return,
        Channel::Desktop => b"\x07".to_vec(),
    };
    // A terminal that is gone tells nobody.
    let _ = io::stderr().write_all(&bytes);
}

fn is_told_by_desktop(host: &Host, notice: &RunNotice) -> bool {
    let has_display = ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| host.env.text(name).is_some_and(|value| !value.is_empty()));
    let words: [&str; 4] = if cfg!(target_os = "macos") {
        ["osascript", "-e", "on run argv\ndisplay notification (item 2 of argv) with title (item 1 of argv)\nend run", "--"]
    } else if has_display {
        ["notify-send", "--app-name=ai", "--icon=utilities-terminal", "--"]
    } else {
        return false;
    };
    let Some(program) = host.program(words[0]) else { return false };
    let mut command = process::command(program);
    command.args(&words[1..]).args([&notice.title, &notice.body]);
    piped::run(command, Vec::new(), PATIENCE, MOST, None).is_ok_and(|piped| piped.end == piped::End::Code(0))
}
