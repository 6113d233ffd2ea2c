//! Lines of rc files that are known by what they do.

use crate::core::shell::Shell;
use crate::core::shell::block::lines;

/// A line of a file: its 1-based number and its text.
pub type NumberedLine = (usize, String);

/// Returns the lines that are no comments and that `wanted` finds.
fn code_lines(text: &[u8], wanted: impl Fn(&str) -> bool) -> Vec<NumberedLine> {
    let text = lines(text).map(|line| String::from_utf8_lossy(line).trim_end().to_owned());
    let is_code = |line: &str| !line.trim_start().starts_with('#');
    text.enumerate().filter(|(_, line)| is_code(line) && wanted(line)).map(|(index, line)| (index + 1, line)).collect()
}

/// Returns the lines that load the script which this program replaces.
pub fn old_lines(text: &[u8]) -> Vec<NumberedLine> {
    let is_old = |file: &str| {
        file == "docker-ai.zsh" || (file.starts_with("ai-assistant") && [".zsh", ".sh", ".bash"].iter().any(|end| file.ends_with(end)))
    };
    code_lines(text, |line| line.split(|c: char| c.is_whitespace() || "/\"';&|()[]".contains(c)).any(is_old))
}

/// Returns the lines that load the integration, from `ai install` or by hand.
pub fn loading_lines(text: &[u8], shell: Shell) -> Vec<NumberedLine> {
    let (calls, plugin) = ([format!(" init {shell}"), format!(" 'init' '{shell}'")], format!("/ai.plugin.{shell}"));
    let is_ours = |before: &str| {
        before
            .trim_end_matches(['\'', '"', '\\'])
            .strip_suffix("ai")
            .is_some_and(|rest| !rest.ends_with(|c: char| c.is_alphanumeric() || "-_".contains(c)))
    };
    let calls_us = |line: &str| calls.iter().any(|call| line.split_once(call.as_str()).is_some_and(|(before, _)| is_ours(before)));
    code_lines(text, |line| line.contains(&plugin) || calls_us(line))
}

/// Returns those of [`loading_lines`] that do nothing about a program that is gone: neither in themselves nor in the line behind them.
pub fn bare_lines(text: &[u8], shell: Shell) -> Vec<NumberedLine> {
    let next = |number: usize| lines(text).nth(number).map(|line| String::from_utf8_lossy(line).into_owned()).unwrap_or_default();
    let has_word = |line: &str| line.contains("||") || line.contains("; or ") || line.contains("/ai.plugin.");
    let is_bare = |(number, line): &NumberedLine| !has_word(line) && !next(*number).contains("__ai_bin");
    loading_lines(text, shell).into_iter().filter(is_bare).collect()
}

/// Returns the lines of zsh that start completion or a framework.
pub fn setup_lines(text: &[u8]) -> Vec<NumberedLine> {
    let is_framework = |line: &str| {
        ["oh-my-zsh.sh", "prezto", "zinit.zsh", "antigen.zsh"].iter().any(|name| line.contains(name))
            && [". ", "source "].iter().any(|word| line.contains(word))
    };
    // Not where it is only declared.
    let runs = |line: &str| line.split([';', '&', '|']).any(|command| command.split_whitespace().next() == Some("compinit"));
    code_lines(text, |line| is_framework(line) || runs(line))
}

/// Returns the lines that define an alias of this name.
pub fn alias_lines(text: &[u8], name: &str, shell: Shell) -> Vec<NumberedLine> {
    code_lines(text, |line| {
        let mut words = line.split_whitespace();
        let is_alias = words.next() == Some("alias");
        let defined = words.find(|word| !word.starts_with('-'));
        // Only in fish does `alias NAME TEXT` define anything.
        let is_defined = |word: &str| {
            if shell == Shell::Fish {
                word.split('=').next() == Some(name)
            } else {
                word.split_once('=').is_some_and(|(word, _)| word == name)
            }
        };
        is_alias && defined.is_some_and(is_defined)
    })
}

/// Whether this login file makes bash read `.bashrc`.
pub fn leads_to_bashrc(text: &[u8]) -> bool {
    lines(text).map(<[u8]>::trim_ascii_start).any(|line| {
        let line = String::from_utf8_lossy(line);
        !line.starts_with('#') && line.contains(".bashrc") && [". ", "source "].iter().any(|word| line.contains(word))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_known_by_what_they_do() {
        let numbers = |lines: Vec<NumberedLine>| lines.into_iter().map(|(number, _)| number).collect::<Vec<_>>();
        let zsh = b"# eval \"$(ai init zsh)\"\neval \"$(ai init zsh)\"\neval \"$(zoxide init zsh)\"\neval \"$('/a b/ai' init zsh --only claude)\"\n";
        assert_eq!(numbers(loading_lines(zsh, Shell::Zsh)), [2, 4]);
        assert_eq!(numbers(loading_lines(b"ai init fish | source\nsource x/ai.plugin.fish\n", Shell::Fish)), [1, 2]);
        let setup = b"autoload -Uz compinit\nautoload -Uz compinit && compinit\nsource $ZSH/oh-my-zsh.sh\ncompinit -u\n";
        assert_eq!(numbers(setup_lines(setup)), [2, 3, 4]);
        let aliases = b"alias claude='x'\nalias -g claude=x\nalias claude x\nalias c=claude\nalias c claude\n# alias claude=x\n";
        assert_eq!(numbers(alias_lines(aliases, "claude", Shell::Zsh)), [1, 2]);
        assert_eq!(numbers(alias_lines(aliases, "claude", Shell::Fish)), [1, 2, 3]);
    }

    #[test]
    fn login_files_that_read_bashrc_are_known() {
        for (text, expected) in [
            ("[ -f ~/.bashrc ] && . ~/.bashrc\n", true),
            ("  source \"$HOME/.bashrc\"\n", true),
            ("# . ~/.bashrc\n", false),
            ("export A=1\n", false),
        ] {
            assert_eq!(leads_to_bashrc(text.as_bytes()), expected, "{text}");
        }
    }
}
