//! The marked block in an rc file: how it gets in, and how it comes out without a trace. Pure; bytes that are not ours
//! stay as they are, whatever their encoding and line ends.

use crate::core::shell::Shell;

/// Begins the block's first line; what follows says how to undo it.
const BEGIN: &str = "# >>> ai >>>";
const END: &str = "# <<< ai <<<";
/// The file had no newline at its end, so one was added before the block.
const JOINED: &str = " (with the line break before it)";
/// There was no file.
const CREATED: &str = " (in a file of its own)";
/// Before a line of the user's that was turned off with consent.
const OFF: &str = "# turned off by ai install: ";

/// The line that loads the integration.
pub fn line(shell: Shell, exe: &str) -> String {
    let exe = shell.quote(exe);
    match shell {
        Shell::Zsh | Shell::Bash => format!("eval \"$({exe} init {shell})\""),
        Shell::Fish => format!("{exe} init fish | source"),
    }
}

/// The same for a file that other shells and scripts read too.
pub fn guarded_line(exe: &str) -> String {
    format!("if [ -n \"${{BASH_VERSION-}}\" ]; then case $- in *i*) {} ;; esac; fi", line(Shell::Bash, exe))
}

/// `old` with the block, which replaces an earlier one in its place; `None` stands for no file.
pub fn with_block(old: Option<&[u8]>, line: &str) -> Vec<u8> {
    let text = old.unwrap_or_default();
    if let Some(block) = find(text) {
        return [&text[..block.begin], render(line, block.how).as_bytes(), &text[block.end..]].concat();
    }
    let (how, gap) = match old {
        None => (CREATED, ""),
        Some(text) if !text.is_empty() && !text.ends_with(b"\n") => (JOINED, "\n"),
        Some(_) => ("", ""),
    };
    [text, gap.as_bytes(), render(line, how).as_bytes()].concat()
}

fn render(line: &str, how: &str) -> String {
    format!("{BEGIN}{how}\n{line}\n{END}\n")
}

/// `text` without the block and with turned-off lines on again; `None` if nothing of a file of our own is left.
pub fn without_block(text: &[u8]) -> Option<Vec<u8>> {
    let mut rest = text.to_vec();
    let mut created = false;
    while let Some(block) = find(&rest) {
        created |= block.how == CREATED;
        let joined = block.how == JOINED && block.end == rest.len() && rest[..block.begin].ends_with(b"\n");
        rest.drain(block.begin - usize::from(joined)..block.end);
    }
    let rest: Vec<u8> = lines(&rest).flat_map(|line| line.strip_prefix(OFF.as_bytes()).unwrap_or(line).to_vec()).collect();
    (!created || !rest.is_empty()).then_some(rest)
}

/// Whether the block is there.
pub fn has_block(text: &[u8]) -> bool {
    find(text).is_some()
}

/// The 1-based line of a block's beginning that no end belongs to: what is ours below it cannot be told.
pub fn unclosed(text: &[u8]) -> Option<usize> {
    let mut open = None;
    for (index, line) in lines(text).enumerate() {
        if line.starts_with(BEGIN.as_bytes()) {
            if open.is_some() {
                return open;
            }
            open = Some(index + 1);
        } else if line.trim_ascii_end() == END.as_bytes() {
            open = None;
        }
    }
    open
}

struct Block {
    begin: usize,
    end: usize,
    how: &'static str,
}

fn find(text: &[u8]) -> Option<Block> {
    let mut at = 0;
    let mut begin = None;
    for line in lines(text) {
        let bare = line.trim_ascii_end();
        if let Some(how) = bare.strip_prefix(BEGIN.as_bytes()) {
            begin = Some((at, [JOINED, CREATED].into_iter().find(|known| known.as_bytes() == how).unwrap_or("")));
        }
        at += line.len();
        if let (Some((begin, how)), true) = (begin, bare == END.as_bytes()) {
            return Some(Block { begin, end: at, how });
        }
    }
    None
}

/// Lines with their ends.
fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split_inclusive(|byte| *byte == b'\n')
}

/// A line of a file: its 1-based number and its text.
pub type Line = (usize, String);

/// The lines that are no comments and that `wanted` finds.
fn code_lines(text: &[u8], wanted: impl Fn(&str) -> bool) -> Vec<Line> {
    let text = lines(text).map(|line| String::from_utf8_lossy(line).trim_end().to_owned());
    let is_code = |line: &str| !line.trim_start().starts_with('#');
    text.enumerate().filter(|(_, line)| is_code(line) && wanted(line)).map(|(index, line)| (index + 1, line)).collect()
}

/// The lines that load the script which this program replaces.
pub fn old_lines(text: &[u8]) -> Vec<Line> {
    let is_old = |file: &str| {
        file == "docker-ai.zsh" || (file.starts_with("ai-assistant") && [".zsh", ".sh", ".bash"].iter().any(|end| file.ends_with(end)))
    };
    code_lines(text, |line| line.split(|c: char| c.is_whitespace() || "/\"';&|()[]".contains(c)).any(is_old))
}

/// The lines that load the integration, from `ai install` or by hand.
pub fn loading_lines(text: &[u8], shell: Shell) -> Vec<Line> {
    let (call, plugin) = (format!(" init {shell}"), format!("/ai.plugin.{shell}"));
    let is_ours = |before: &str| {
        before
            .trim_end_matches(['\'', '"'])
            .strip_suffix("ai")
            .is_some_and(|rest| !rest.ends_with(|c: char| c.is_alphanumeric() || "-_".contains(c)))
    };
    code_lines(text, |line| line.contains(&plugin) || line.split_once(&call).is_some_and(|(before, _)| is_ours(before)))
}

/// The lines of zsh that start completion or a framework.
pub fn setup_lines(text: &[u8]) -> Vec<Line> {
    let is_framework = |line: &str| {
        ["oh-my-zsh.sh", "prezto", "zinit.zsh", "antigen.zsh"].iter().any(|name| line.contains(name))
            && [". ", "source "].iter().any(|word| line.contains(word))
    };
    // Not where it is only declared.
    let runs = |line: &str| line.split([';', '&', '|']).any(|command| command.split_whitespace().next() == Some("compinit"));
    code_lines(text, |line| is_framework(line) || runs(line))
}

/// The lines that define an alias of this name.
pub fn alias_lines(text: &[u8], name: &str) -> Vec<Line> {
    code_lines(text, |line| {
        let mut words = line.split_whitespace();
        let is_alias = words.next() == Some("alias");
        let defined = words.find(|word| !word.starts_with('-'));
        is_alias && defined.is_some_and(|word| word.split('=').next() == Some(name))
    })
}

/// `text` with the lines of these 1-based numbers as comments.
pub fn turned_off(text: &[u8], numbers: &[usize]) -> Vec<u8> {
    let off = |index: usize| if numbers.contains(&(index + 1)) { OFF.as_bytes() } else { b"" };
    lines(text).enumerate().flat_map(|(index, line)| [off(index), line].concat()).collect()
}

/// Whether this login file makes bash read `.bashrc`.
pub fn leads_to_bashrc(text: &[u8]) -> bool {
    lines(text).map(<[u8]>::trim_ascii_start).any(|line| {
        let line = String::from_utf8_lossy(line);
        !line.starts_with('#') && line.contains(".bashrc") && [". ", "source "].iter().any(|word| line.contains(word))
    })
}

/// The change from `old` to `new` as `diff -u` prints it. Both differ in one place only.
pub fn diff(path: &str, old: &[u8], new: &[u8]) -> String {
    let (a, b): (Vec<&[u8]>, Vec<&[u8]>) = (lines(old).collect(), lines(new).collect());
    let head = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    let tail = a[head..].iter().rev().zip(b[head..].iter().rev()).take_while(|(a, b)| a == b).count();
    let from = head.saturating_sub(3);
    let after = tail.min(3);
    let (a_end, b_end) = (a.len() - tail, b.len() - tail);
    let mut text = format!("--- {path}\n+++ {path}\n@@ -{},{} +{},{} @@\n", from + 1, a_end + after - from, from + 1, b_end + after - from);
    let mut put = |mark: char, lines: &[&[u8]]| {
        for line in lines {
            text.push(mark);
            text.push_str(&String::from_utf8_lossy(line));
            if !line.ends_with(b"\n") {
                text.push_str("\n\\ No newline at end of file\n");
            }
        }
    };
    put(' ', &a[from..head]);
    put('-', &a[head..a_end]);
    put('+', &b[head..b_end]);
    put(' ', &a[a_end..a_end + after]);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(old: Option<&str>) {
        let line = line(Shell::Zsh, "/opt/it's/ai");
        let new = with_block(old.map(str::as_bytes), &line);
        assert_eq!(with_block(Some(&new), &line), new, "twice is once");
        assert_eq!(without_block(&new).as_deref(), old.map(str::as_bytes), "and back");
        let other = with_block(Some(&new), "eval other");
        assert_eq!(without_block(&other).as_deref(), old.map(str::as_bytes), "also after an update");
    }

    // R-T04
    #[test]
    fn what_went_in_comes_out_byte_for_byte() {
        for old in [None, Some(""), Some("\n"), Some("a\n"), Some("a"), Some("a\r\nb\r\n"), Some("a\r\nb"), Some("a\n\n\n")] {
            check(old);
        }
    }

    #[test]
    fn lines_around_the_block_stay() {
        let new = with_block(Some(b"a"), "x");
        let edited = [&new[..], b"later\n"].concat();
        assert_eq!(without_block(&edited).unwrap(), b"a\nlater\n");
    }

    #[test]
    fn the_old_script_is_turned_off_and_on_again() {
        let old = b"a\n  source ~/src/ai-assistant.zsh\r\n# source ai-assistant.zsh\nb".as_slice();
        let found = old_lines(old);
        assert_eq!(found, [(2, "  source ~/src/ai-assistant.zsh".to_owned())]);
        let new = turned_off(old, &[2]);
        assert!(old_lines(&new).is_empty());
        assert_eq!(without_block(&with_block(Some(&new), "x")).unwrap(), old);
    }

    #[test]
    fn lines_are_known_by_what_they_do() {
        let numbers = |lines: Vec<Line>| lines.into_iter().map(|(number, _)| number).collect::<Vec<_>>();
        let zsh = b"# eval \"$(ai init zsh)\"\neval \"$(ai init zsh)\"\neval \"$(zoxide init zsh)\"\neval \"$('/a b/ai' init zsh --only claude)\"\n";
        assert_eq!(numbers(loading_lines(zsh, Shell::Zsh)), [2, 4]);
        assert_eq!(numbers(loading_lines(b"ai init fish | source\nsource x/ai.plugin.fish\n", Shell::Fish)), [1, 2]);
        let setup = b"autoload -Uz compinit\nautoload -Uz compinit && compinit\nsource $ZSH/oh-my-zsh.sh\ncompinit -u\n";
        assert_eq!(numbers(setup_lines(setup)), [2, 3, 4]);
        let aliases = b"alias claude='x'\nalias -g claude=x\nalias claude x\nalias c=claude\nalias c claude\n# alias claude=x\n";
        assert_eq!(numbers(alias_lines(aliases, "claude")), [1, 2, 3]);
    }

    #[test]
    fn half_a_block_is_no_block() {
        let text = b"# >>> ai >>>\neval\n";
        assert!(!has_block(text));
        assert_eq!(without_block(text).unwrap(), text);
        assert_eq!(unclosed(text), Some(1));
        assert_eq!(unclosed(b"a\n# >>> ai >>> (in a file of its own)\nx\n# >>> ai >>>\nx\n# <<< ai <<<\n"), Some(2));
        assert_eq!(unclosed(b"# <<< ai <<<\n# >>> ai >>>\nx\n# <<< ai <<<\r\n"), None);
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

    #[test]
    fn a_diff_shows_the_place() {
        let text = diff("rc", b"1\n2\n3\n4\n5", b"1\n2\n3\n4\n5\nx\n");
        assert_eq!(text, "--- rc\n+++ rc\n@@ -2,4 +2,5 @@\n 2\n 3\n 4\n-5\n\\ No newline at end of file\n+5\n+x\n");
    }
}
