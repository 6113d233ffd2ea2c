//! From the words of a command line to its types.

use std::ffi::OsString;

use clap::{Args, Parser};

use crate::cli::{Cli, Command};
use crate::core::failure::{Failure, Kind};

/// Parses a command line. The user's words never pass through the parser's own idea of `--`: everything behind the
/// first one is taken off before, and put back verbatim.
pub fn parse(args: &[OsString]) -> Result<Cli, clap::Error> {
    let head = match args.get(1).and_then(|word| word.to_str()) {
        Some("resolve" | "run" | "env") => Some(1),
        Some("exec") => Some(0),
        _ => None,
    };
    let split = head.and_then(|head| Some((head, args.iter().position(|word| word == "--")?)));
    let Some((head, at)) = split else { return parse_words(args) };
    let (ours, theirs) = (&args[..at], &args[at + 1..]);
    if head == 1 && theirs.is_empty() && at == 2 {
        return parse_words(ours);
    }
    // A required word may stand behind the `--`; a placeholder keeps the parser content, and is taken out again.
    let words: Vec<OsString> = ours.iter().cloned().chain((head == 1).then(|| PLACEHOLDER.into())).collect();
    let mut cli = parse_words(&words)?;
    let head = if matches!(&cli.command, Command::Run(run) if run.auto) { 0 } else { head };
    let words = match &mut cli.command {
        Command::Resolve(resolve) => &mut resolve.words,
        Command::Run(run) => &mut run.words,
        Command::Env(env) => &mut env.words,
        Command::Exec(exec) => &mut exec.words,
        _ => return Ok(cli),
    };
    words.retain(|word| word != PLACEHOLDER);
    if words.len() > head {
        words.push("--".into());
    }
    words.extend(theirs.iter().cloned());
    Ok(cli)
}

/// Parses by itself what every shell start and every run calls: to describe all commands costs more than to do these. What such
/// a parser does not take goes to the whole one, which knows how to say it.
fn parse_words(args: &[OsString]) -> Result<Cli, clap::Error> {
    #[derive(Parser)]
    struct Only<A: Args> {
        #[command(flatten)]
        args: A,
    }
    fn only<A: Args>(args: &[OsString]) -> Option<A> {
        Only::try_parse_from(&args[1..]).ok().map(|only: Only<A>| only.args)
    }
    let command = match args.get(1).and_then(|word| word.to_str()) {
        Some("init") => only(args).map(Command::Init),
        Some("resolve") => only(args).map(Command::Resolve),
        Some("sync") => only(args).map(Command::Sync),
        Some("complete") => only(args).map(Command::Complete),
        Some("guard") => only(args).map(Command::Guard),
        Some("__guard") => only(args).map(Command::Helper),
        Some("forward") => only(args).map(Command::Forward),
        Some("go") => only(args).map(Command::Go),
        Some("gate") => only(args).map(Command::Gate),
        Some("at-gate") => only(args).map(Command::AtGate),
        _ => None,
    };
    command.map_or_else(|| Cli::try_parse_from(args), |command| Ok(Cli { command }))
}

/// Returns the tool's name and the user's words.
pub fn split(mut words: Vec<OsString>) -> Result<(String, Vec<OsString>), Failure> {
    let name = words.remove(0);
    match name.into_string() {
        Ok(name) => Ok((name, words)),
        Err(name) => Err(Failure::new(Kind::Usage, format!("cannot run `{}`: no tool has such a name", name.to_string_lossy()))),
    }
}

/// No argument can hold a NUL, so no user can have typed this.
const PLACEHOLDER: &str = "\0";

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[track_caller]
    fn check(line: &[&str], expected: &[&str]) {
        let args: Vec<OsString> = std::iter::once("ai").chain(line.iter().copied()).map(OsString::from).collect();
        let words = match parse(&args).unwrap().command {
            Command::Resolve(resolve) => resolve.words,
            Command::Run(run) => run.words,
            Command::Exec(exec) => exec.words,
            other => panic!("{other:?}"),
        };
        assert_eq!(words, expected);
    }

    // C-02, Z-014
    #[test]
    fn words_of_the_user_are_never_ours() {
        check(&["run", "claude"], &["claude"]);
        check(&["run", "claude", "--", "-p", "hi"], &["claude", "-p", "hi"]);
        check(&["run", "claude", "-p", "hi"], &["claude", "-p", "hi"]);
        check(&["run", "claude", "-p", "--", "hi"], &["claude", "-p", "--", "hi"]);
        check(&["run", "--", "claude", "--", "x", "--"], &["claude", "--", "x", "--"]);
        check(&["run", "--network", "none", "--", "claude", "--network", "x"], &["claude", "--network", "x"]);
        check(&["run", "claude", "--", "--", "--"], &["claude", "--", "--"]);
        check(&["resolve", "--shell", "zsh", "--", "claude", "", "--help"], &["claude", "", "--help"]);
        check(&["exec", "--", "ls", "--", "-x"], &["ls", "--", "-x"]);
        check(&["exec", "ls", "-la", "--", "x"], &["ls", "-la", "--", "x"]);
        check(&["exec"], &[]);
        check(&["run", "--auto", "--", "fix", "--", "it"], &["fix", "--", "it"]);
        check(&["run", "--auto", "fix", "--", "--auto"], &["fix", "--", "--auto"]);
        check(&["run", "claude", "--", "--auto"], &["claude", "--auto"]);
        check(&["run", "--auto"], &[]);
    }

    #[test]
    fn a_tool_is_required() {
        for line in [&["ai", "run"][..], &["ai", "run", "--"], &["ai", "resolve", "--network", "x"]] {
            let args: Vec<OsString> = line.iter().map(OsString::from).collect();
            assert!(parse(&args).is_err(), "{line:?}");
        }
    }
}
