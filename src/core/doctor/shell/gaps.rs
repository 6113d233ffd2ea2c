//! Where the words run no container although a new shell loads them: files that end early, lines without a fallback.

use std::path::{Path, PathBuf};

use super::{ShellAnswer, ShellCheckup, places, shadows_in};
use crate::core::doctor::{Finding, Level};
use crate::core::shell::Shell;
use crate::core::shell::block::lines;
use crate::core::shell::complaints::ShellComplaint;
use crate::core::shell::known_lines::{NumberedLine, bare_lines};

/// Returns where the reading stops, in words, if that is before the end of the file.
pub(super) fn last(place: Option<&(PathBuf, usize)>, checkup: &ShellCheckup) -> Option<String> {
    let (path, number) = place?;
    let (_, text) = checkup.files.iter().find(|(file, _)| file == path)?;
    let line = lines(text).nth(number - 1).map(|line| String::from_utf8_lossy(line).trim().to_owned())?;
    Some(format!("the last line that is read is {}:{number} (`{line}`)", path.display()))
}

/// Returns what compares as lines of the files are read: file, then line.
pub(super) fn order(checkup: &ShellCheckup, path: &Path, number: usize) -> (Option<usize>, usize) {
    (checkup.files.iter().position(|(file, _)| file == path), number)
}

/// Returns what the shell cannot read in its files.
pub(super) fn broken(checkup: &ShellCheckup) -> Vec<Finding> {
    let fine = checkup.answer.is_loaded();
    let found = checkup.broken.iter().map(|complaint| {
        let ShellComplaint { path, line, what } = complaint;
        let cause = format!("{}:{line}: {what}", path.display());
        let level = if fine && checkup.shell != Shell::Fish && !what.contains("conflict") { Level::Note } else { Level::Warning };
        Finding::new(level, "syntax", cause).hint("mend that line: what is behind it may not be read")
    });
    found.collect()
}

/// Returns where else the words run no container: after a login, outside of tmux, on a terminal that can do little.
pub(super) fn elsewhere(checkup: &ShellCheckup) -> Vec<Finding> {
    let ShellCheckup { shell, .. } = checkup;
    let unloaded = |answer: &Option<ShellAnswer>| checkup.answer.is_loaded() && answer.as_ref().is_some_and(|answer| !answer.is_loaded());
    let mut findings = Vec::new();
    if unloaded(&checkup.login) {
        let last = last(checkup.last_of_login.as_ref(), checkup).map_or_else(String::new, |last| format!(": {last}"));
        let cause = format!("a {shell} that begins with a login does not load it{last}");
        let hint = format!("put what `ai install {shell}` wrote above that line, too, or have it read `{}`", checkup.rc.display());
        findings.push(Finding::new(Level::Warning, "login", cause).hint(hint));
    }
    if unloaded(&checkup.plain) {
        let lines = places(checkup, |text| ["TMUX", "STY", "ZELLIJ"].iter().flat_map(|name| lines_with(text, name)).collect());
        let lines = lines.map(|(path, (number, _))| format!("{}:{number}", path.display())).collect::<Vec<_>>().join(", ");
        let cause = format!("a new {shell} in no window of tmux or its like does not load it ({lines})");
        findings.push(Finding::new(Level::Warning, "plain", cause).hint("move the block of ai above that line"));
    }
    if unloaded(&checkup.dumb) {
        let lines = places(checkup, |text| lines_with(text, "dumb")).map(|(path, (number, _))| format!("{}:{number}", path.display()));
        let cause = format!("where TERM is `dumb`, as in Emacs, a new {shell} does not load it ({})", lines.collect::<Vec<_>>().join(", "));
        findings.push(Finding::new(Level::Warning, "terminal", cause).hint("move the block of ai above that line; or ai install --shims"));
    }
    findings
}

/// Says that Tab offers nothing of ours, where it offers nothing of anybody.
pub(super) fn uncompleted(checkup: &ShellCheckup) -> Option<Finding> {
    checkup.answer.state.as_ref().ok().filter(|answer| answer.program.is_some() && answer.is_uncompleted)?;
    let line = format!("autoload -Uz compinit && compinit, in {}", checkup.rc.display());
    Some(Finding::new(Level::Note, "completion", "a new zsh completes nothing but files: nobody has started its completion").hint(line))
}

/// Returns what is said of our names in a new shell, and what wins over them in one that starts in another way.
pub(super) fn shadows(checkup: &ShellCheckup) -> Vec<Finding> {
    let mut findings = shadows_in(checkup, &checkup.answer);
    for (answer, way) in [(&checkup.login, "begins with a login"), (&checkup.plain, "is in no window of tmux or its like")] {
        let wins = answer.iter().flat_map(|answer| shadows_in(checkup, answer)).filter(|finding| finding.level >= Level::Warning);
        for mut finding in wins.collect::<Vec<_>>() {
            if findings.iter().any(|known| known.title == finding.title && known.level >= finding.level) {
                continue;
            }
            finding.cause = format!("in a {} that {way}: {}", checkup.shell, finding.cause);
            findings.retain(|known| known.title != finding.title);
            findings.push(finding);
        }
    }
    findings
}

fn lines_with(text: &[u8], word: &str) -> Vec<NumberedLine> {
    let all = lines(text).map(|line| String::from_utf8_lossy(line).into_owned()).enumerate();
    all.filter(|(_, line)| line.contains(word) && !line.trim_start().starts_with('#')).map(|(index, line)| (index + 1, line)).collect()
}

/// Returns the lines that load it and have no word for the day when the program is gone.
pub(super) fn bare(checkup: &ShellCheckup) -> Vec<Finding> {
    let found = places(checkup, |text| bare_lines(text, checkup.shell)).map(|(path, (number, _))| {
        let cause =
            format!("{}:{number} loads it, but says nothing once the program is gone: then the tools run on the host", path.display());
        Finding::new(Level::Warning, "bare line", cause).hint(format!("ai install {}, which puts a block in its place", checkup.shell))
    });
    found.collect()
}
