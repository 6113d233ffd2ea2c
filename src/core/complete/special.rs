//! Where what the parser would offer is not what may stand there.

use crate::core::complete::{Candidate, Candidates, CommandLine, MachineValue};
use crate::core::tool::local::LOCAL_TOOLS;
use crate::core::tool::more_names;

/// Returns the answer to these lines; `None` for all others.
pub fn answer(line: &CommandLine, command: &clap::Command) -> Option<Candidates> {
    let before = line.words.get(1..line.current).filter(|before| !before.is_empty())?;
    let Some(sub) = command.find_subcommand(&before[0]) else { return Some(Candidates::default()) };
    let [_, of @ .., last] = before else { return None };
    if sub.get_name() == "help" {
        // Each word names a command of the one before it; `man` is followed by a directory.
        let files = of.is_empty() && last == "man";
        let found = before[1..].iter().try_fold(command, |command, name| command.find_subcommand(name));
        let below = found.into_iter().flat_map(clap::Command::get_subcommands).filter(|command| !command.is_hide_set());
        let about = |command: &clap::Command| command.get_about().map(ToString::to_string).unwrap_or_default();
        let candidates = below.map(|command| Candidate::new(command.get_name(), about(command))).collect();
        return Some(Candidates { candidates, files, once: false });
    }
    let behind: Vec<&str> = before.iter().map(String::as_str).collect();
    if matches!(behind[..], ["tools", "add"] | ["tools", "add", .., "--like"]) {
        return tools_add(line, last);
    }
    // A path that an option may have, but need not: the parser would offer what else may stand there too.
    let option = sub.get_arguments().find(|arg| arg.get_long().is_some_and(|long| last.strip_prefix("--") == Some(long)))?;
    (MachineValue::of(option) == Some(MachineValue::File) && option.get_action().takes_values())
        .then(|| Candidates { files: true, ..Candidates::default() })
}

/// Returns what `ai tools add` adds, and whom a model can be given to; options are the parser's.
fn tools_add(line: &CommandLine, last: &str) -> Option<Candidates> {
    if line.words.get(line.current).is_some_and(|word| word.starts_with('-')) {
        return None;
    }
    let named = |name: &str| Candidate::new(name, "");
    Some(match last {
        "--like" => Candidates { candidates: LOCAL_TOOLS.into_iter().map(named).collect(), ..Candidates::default() },
        _ => {
            let local = Candidate::new("local", "a model of your own server, for a tool that you have");
            Candidates { candidates: more_names().map(named).chain([local]).collect(), files: true, once: false }
        }
    })
}
