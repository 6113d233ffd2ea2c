//! Reads pictures from the person's clipboard for a container that may have them, and asks for one from inside.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::core::container::SOCKETS;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::guard::clipboard::{CLIPBOARD, ClipboardPace, ClipboardQuestion, LARGEST, PNG, is_picture};
use crate::core::text::visible::visible;
use crate::host::guard::desk::Desk;
use crate::host::guard::tunnel::until;
use crate::host::machine::piped::{self, End, Piped};
use crate::host::machine::process;
use crate::host::{Host, now};

/// How long the program of the desktop may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The clipboard of the person's desktop.
#[derive(Debug)]
pub struct ClipboardDesk {
    /// What reads it here, with its words for each question.
    reader: Option<(PathBuf, [&'static [&'static str]; 2])>,
    pace: Mutex<ClipboardPace>,
}

impl ClipboardDesk {
    pub fn new(host: &Host) -> Self {
        let wayland = || Some((host.program("wl-paste")?, [&["--list-types"][..], &["--type", PNG]]));
        let x11 = || {
            let words: [&[&str]; 2] = [&["-selection", "clipboard", "-t", "TARGETS", "-o"], &["-selection", "clipboard", "-t", PNG, "-o"]];
            Some((host.program("xclip")?, words))
        };
        let on_wayland = host.env.is_set("WAYLAND_DISPLAY").then(wayland).flatten();
        Self { reader: on_wayland.or_else(|| host.env.is_set("DISPLAY").then(x11).flatten()), pace: Mutex::default() }
    }

    /// Returns what is answered: the one type, if it is there, or a picture.
    fn read(&self, question: ClipboardQuestion) -> std::result::Result<Vec<u8>, String> {
        let (program, words) = self.reader.as_ref().ok_or("nothing on your machine reads its clipboard (wl-paste, xclip)")?;
        if !self.pace.lock().unwrap_or_else(PoisonError::into_inner).admits(now()) {
            return Err("too many questions in a second".into());
        }
        let mut command = process::command(program);
        command.args(words[usize::from(question == ClipboardQuestion::Picture)]);
        let read = piped::run(command, Vec::new(), PATIENCE, LARGEST, None).map_err(|failure| failure.message)?;
        let Piped { end: End::Code(0), stdout, .. } = read else { return Err("there is no picture".into()) };
        match question {
            ClipboardQuestion::Picture if is_picture(&stdout) => Ok(stdout),
            ClipboardQuestion::Types if stdout.split(|byte| *byte == b'\n').any(|line| line == PNG.as_bytes()) => {
                Ok(format!("{PNG}\n").into_bytes())
            }
            _ => Err("there is no picture".into()),
        }
    }
}

/// Serves one question of the container's.
pub fn serve(mut stream: UnixStream, desk: &Arc<Desk>) -> io::Result<()> {
    let Some(clipboard) = &desk.clipboard else { return Ok(()) };
    let mut bytes = Vec::new();
    let line = until(&mut stream, &mut bytes, |bytes| {
        let end = bytes.iter().position(|byte| *byte == b'\n');
        end.map(|end| bytes[..end].to_vec()).or_else(|| (bytes.len() > 16).then(Vec::new))
    })?;
    let Some(question) = ClipboardQuestion::of_line(&line.unwrap_or_default()) else { return stream.write_all(b"NO such question\n") };
    match clipboard.read(question) {
        Ok(answer) => {
            if question == ClipboardQuestion::Picture {
                desk.note(|record| record.pictures += 1);
            }
            stream.write_all(b"OK\n")?;
            stream.write_all(&answer)
        }
        Err(why) => stream.write_all(format!("NO {why}\n").as_bytes()),
    }
}

/// Is `xclip` or `wl-paste` in the container: prints what the clipboard has of what is asked for.
///
/// # Errors
/// Where it has no picture, and for all other questions.
pub fn paste(words: &[std::ffi::OsString]) -> Result<Vec<u8>> {
    let failed = |why: String| Failure::new(Kind::General, "cannot paste: only pictures come from the clipboard").because(why);
    let question = ClipboardQuestion::of_words(words).ok_or_else(|| failed("this asks for something else".into()))?;
    let ask = || -> io::Result<Vec<u8>> {
        let mut stream = UnixStream::connect(Path::new(SOCKETS).join(CLIPBOARD))?;
        stream.write_all(format!("{}\n", question.line()).as_bytes())?;
        let mut answer = Vec::new();
        stream.take(LARGEST as u64 + 16).read_to_end(&mut answer)?;
        Ok(answer)
    };
    let answer = ask().map_err(|error| failed(error.to_string()))?;
    match answer.strip_prefix(b"OK\n") {
        Some(picture) => Ok(picture.to_vec()),
        None => Err(failed(visible(String::from_utf8_lossy(&answer).trim_start_matches("NO ").trim_end()).into_owned())),
    }
}
