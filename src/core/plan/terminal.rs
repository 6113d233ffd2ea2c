//! Which standard streams the container gets: `-i` and `-t`.

use std::ffi::OsString;

use crate::core::config::Origin;
use crate::core::plan::{Part, Parts, Request};

/// Adds standard input and the terminal, as the streams of the caller and the words of the person want it.
pub(super) fn push(request: &Request, parts: &mut Parts) {
    let terminal = request.terminal;
    // A job in the background would be stopped as soon as it touched the terminal.
    let on_terminal = terminal.stdin && terminal.stdout && terminal.in_front && !asks_for_print_mode(request);
    if on_terminal || !terminal.stdin || (terminal.in_front && keeps_input_open(request)) {
        parts.usual(Part::Input, "standard input reaches the tool, whatever it is");
    }
    if on_terminal {
        parts.push(Part::Terminal, "you are at a terminal, in front of it, and asked for no print mode", Origin::Host);
        parts.usual(Part::NoDetachKeys, "the engine's default keys would swallow Ctrl-P");
    }
}

/// Returns whether to keep standard input open where it is a terminal but the tool gets none. Only for commands that read it: an open,
/// silent input delays claude by 3 s and hangs `codex exec` (measured, 2.1.330 and 0.169.0).
fn keeps_input_open(request: &Request) -> bool {
    request.tool.is_exec() || request.command.options().iter().any(|word| word == "-")
}

fn asks_for_print_mode(request: &Request) -> bool {
    let manifest = &request.tool.manifest;
    let is = |word: &OsString, known: &[String]| {
        let word = word.to_str().map(|word| word.split_once('=').filter(|_| word.starts_with("--")).map_or(word, |(flag, _)| flag));
        known.iter().any(|known| word == Some(known.as_str()))
    };
    request.command.options().first().is_some_and(|first| is(first, &manifest.print_commands))
        || request.command.options().iter().take_while(|word| *word != "--").any(|word| is(word, &manifest.print))
}
