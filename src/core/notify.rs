//! How a person who looks elsewhere is told that a long run has ended: by a sequence that their terminal shows as a notification, by the
//! desktop, or by the bell.

use crate::core::facts::Env;

/// What is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunNotice {
    pub title: String,
    pub body: String,
}

impl RunNotice {
    /// Returns what is said of a run that took so many seconds.
    pub fn of_run(tool: &str, project: &str, code: u8, took: u64) -> Self {
        let how = if code == 0 { "done".to_owned() } else { format!("ended with {code}") };
        // Ids are a name with eight digits.
        let name = project.rsplit_once('-').map_or(project, |(name, _)| name);
        Self { title: plain(&format!("{tool}: {how}")), body: plain(&format!("{name}, after {}", spoken(took))) }
    }
}

/// How the terminal in front of the person says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speech {
    /// kitty's own, with a title and a body: OSC 99.
    Kitty,
    /// urxvt's, with a title and a body: OSC 777. Ghostty, WezTerm, foot, VTE.
    Urxvt,
    /// iTerm2's, one text: OSC 9.
    Iterm,
}

/// How it is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Channel {
    /// By bytes for the terminal.
    Terminal(Vec<u8>),
    /// By a program of the desktop, or the bell where there is none.
    Desktop,
}

/// Longest part of what is said, in characters.
const LONGEST: usize = 120;

/// Returns how the terminal that these variables speak of says it.
pub fn channel(env: &Env, notice: &RunNotice) -> Channel {
    let Some(speech) = speech(env) else { return Channel::Desktop };
    let RunNotice { title, body } = notice;
    let sequence = match speech {
        Speech::Kitty => format!("\x1b]99;i=ai:d=0;{title}\x1b\\\x1b]99;i=ai:d=1:p=body;{body}\x1b\\"),
        Speech::Urxvt => format!("\x1b]777;notify;{};{body}\x1b\\", title.replace(';', ",")),
        // A text that begins with `4;` would be a progress bar.
        Speech::Iterm => format!("\x1b]9;{title}, {body}\x1b\\"),
    };
    if env.text("TMUX").is_none_or(str::is_empty) {
        return Channel::Terminal(sequence.into_bytes());
    }
    // tmux hands on what is wrapped, if `allow-passthrough` lets it, and marks the window of one that rang in any case.
    let wrapped: String =
        sequence.split_inclusive("\x1b\\").map(|one| format!("\x1bPtmux;{}\x1b\\", one.replace('\x1b', "\x1b\x1b"))).collect();
    Channel::Terminal(format!("{wrapped}\x07").into_bytes())
}

/// Returns what a terminal understands by what it says of itself; below tmux, what is left of that.
fn speech(env: &Env) -> Option<Speech> {
    let is = |name: &str, begin: &str| env.text(name).is_some_and(|value| value.to_ascii_lowercase().starts_with(begin));
    let is_set = |name: &str| env.text(name).is_some_and(|value| !value.is_empty());
    let is_kitty = is("TERM", "xterm-kitty") || is_set("KITTY_WINDOW_ID");
    let is_ghostty = is("TERM_PROGRAM", "ghostty") || is("TERM", "xterm-ghostty") || is_set("GHOSTTY_RESOURCES_DIR");
    let is_wezterm = is("TERM_PROGRAM", "wezterm") || is_set("WEZTERM_PANE");
    let is_iterm = is("TERM_PROGRAM", "iterm") || is("LC_TERMINAL", "iterm") || is("TERM_PROGRAM", "warpterminal");
    // One that was started in another has its variables too; VTE's counts least, since it is handed on the most.
    [
        (is_kitty, Speech::Kitty),
        (is_ghostty || is_wezterm || is("TERM", "foot"), Speech::Urxvt),
        (is_iterm, Speech::Iterm),
        (is_set("VTE_VERSION"), Speech::Urxvt),
    ]
    .into_iter()
    .find_map(|(is, speech)| is.then_some(speech))
}

/// Returns text without whatever could end a sequence or begin one.
fn plain(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(LONGEST).collect()
}

fn spoken(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        _ => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}

/// Reads a length of time in seconds, such as `30s`, `2m`, `1h` or `90`.
pub fn parse_span(text: &str) -> Result<u64, String> {
    let (number, unit) = text.split_at(text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len()));
    let factor = match unit {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => 0,
    };
    let seconds = number.parse::<u64>().ok().filter(|_| factor > 0).and_then(|number| number.checked_mul(factor));
    seconds.ok_or_else(|| format!("`{text}` is no time such as 30s, 2m or 1h"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice() -> RunNotice {
        RunNotice::of_run("claude", "my;proj-01234567", 0, 95)
    }

    #[track_caller]
    fn check(env: &[(&str, &str)], expected: Option<&str>) {
        let env = env.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        let expected = expected.map_or(Channel::Desktop, |bytes| Channel::Terminal(bytes.into()));
        assert_eq!(channel(&env, &notice()), expected);
    }

    #[test]
    fn each_terminal_is_spoken_to_in_its_own_way() {
        let kitty = "\x1b]99;i=ai:d=0;claude: done\x1b\\\x1b]99;i=ai:d=1:p=body;my;proj, after 1 min\x1b\\";
        let urxvt = "\x1b]777;notify;claude: done;my;proj, after 1 min\x1b\\";
        let iterm = "\x1b]9;claude: done, my;proj, after 1 min\x1b\\";
        for (name, value, expected) in [
            ("TERM", "xterm-kitty", kitty),
            ("KITTY_WINDOW_ID", "1", kitty),
            ("TERM_PROGRAM", "ghostty", urxvt),
            ("TERM", "xterm-ghostty", urxvt),
            ("TERM_PROGRAM", "WezTerm", urxvt),
            ("TERM", "foot-extra", urxvt),
            ("VTE_VERSION", "7600", urxvt),
            ("TERM_PROGRAM", "iTerm.app", iterm),
            ("LC_TERMINAL", "iTerm2", iterm),
            ("TERM_PROGRAM", "WarpTerminal", iterm),
        ] {
            check(&[(name, value)], Some(expected));
        }
        for (name, value) in
            [("TERM", "xterm-256color"), ("TERM_PROGRAM", "Apple_Terminal"), ("VTE_VERSION", ""), ("TERM_PROGRAM", "vscode")]
        {
            check(&[(name, value)], None);
        }
    }

    #[test]
    fn tmux_hands_on_what_is_wrapped_and_rings() {
        let tmux = [("TMUX", "/tmp/tmux-0/default,1,0"), ("TERM", "tmux-256color")];
        check(
            &[tmux[0], tmux[1], ("LC_TERMINAL", "iTerm2")],
            Some("\x1bPtmux;\x1b\x1b]9;claude: done, my;proj, after 1 min\x1b\x1b\\\x1b\\\x07"),
        );
        check(&tmux, None);
    }

    #[test]
    fn nothing_in_a_name_ends_the_sequence() {
        let notice = RunNotice::of_run("x", "a\x1b\\\x07\u{9c}\n]0;t-01234567", 3, 3700);
        assert_eq!((notice.title.as_str(), notice.body.as_str()), ("x: ended with 3", "a\\]0;t, after 1 h 1 min"));
        assert_eq!(RunNotice::of_run("x", &"n".repeat(999), 0, 0).body.len(), LONGEST);
    }

    #[test]
    fn a_span_has_a_unit() {
        for (text, seconds) in [("30s", 30), ("90", 90), ("2m", 120), ("1h", 3600), ("0", 0)] {
            assert_eq!(parse_span(text), Ok(seconds));
        }
        for text in ["", "s", "-1", "1d", "1.5m", "30 s", "99999999999999999999h", "18446744073709551615h"] {
            assert!(parse_span(text).is_err(), "{text}");
        }
    }
}
