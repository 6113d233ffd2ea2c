//! What a tool leaves of the terminal: the next prompt is as the last one was.

use std::process::Command;

use crate::process::wait_for;
use crate::require::need;
use crate::sandbox::{Sandbox, find_program};
use crate::shells::Shell;
use crate::terminal::on_terminal;

/// Alternate screen, mouse, hidden cursor, pasting, keypad, a scroll region, colours, a title, and two questions that nobody reads.
const DIRT: &str =
    r"printf '\033[?1049h\033[?1003h\033[?1006h\033[?25l\033[?2004h\033=\033[?1h\033[2;4r\033[41m\033]0;LEFT\007\033[6n\033[c'; sleep 0.5";

/// A terminal of tmux's own, with a server of its own that ends with it.
struct Tmux {
    program: std::path::PathBuf,
    socket: std::path::PathBuf,
}

impl Tmux {
    fn run(&self, args: &[&str]) -> String {
        let output = Command::new(&self.program).arg("-S").arg(&self.socket).args(args).output().unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn start(sandbox: &Sandbox, shell: Shell) -> Option<Self> {
        let program = need("tmux", find_program("tmux"))?;
        let tmux = Self { program, socket: sandbox.root().join("tmux") };
        let line = sandbox.run(shell.name()).args(shell.plain()).args(["-i"]).env("TERM", "tmux-256color").env("PS1", "$ ").command();
        let mut command = Command::new(&tmux.program);
        command.arg("-S").arg(&tmux.socket).args(["-f", "/dev/null", "new-session", "-d", "-x", "100", "-y", "30"]);
        command.env_clear().envs(line.get_envs().filter_map(|(name, value)| Some((name, value?)))).current_dir(sandbox.project());
        assert!(command.arg(line.get_program()).args(line.get_args()).status().unwrap().success());
        Some(tmux)
    }

    fn type_line(&self, line: &str) {
        self.run(&["send-keys", "-l", line]);
        self.run(&["send-keys", "Enter"]);
    }

    fn screen(&self) -> String {
        self.run(&["capture-pane", "-p"])
    }

    fn state(&self) -> (String, String) {
        let state = "#{alternate_on} #{mouse_any_flag}#{mouse_all_flag}#{mouse_sgr_flag} #{cursor_flag} #{keypad_flag}#{keypad_cursor_flag} #{scroll_region_upper}-#{scroll_region_lower}|#{pane_title}";
        let shown = self.run(&["display-message", "-p", state]);
        let (state, title) = shown.trim().split_once('|').unwrap();
        (state.to_owned(), title.to_owned())
    }
}

impl Drop for Tmux {
    fn drop(&mut self) {
        let _ = Command::new(&self.program).arg("-S").arg(&self.socket).arg("kill-server").output();
    }
}

// BO-15, Z-081
#[test]
fn the_prompt_is_clean_after_a_tool_that_left_the_terminal_dirty() {
    for shell in Shell::all() {
        let mut sandbox = Sandbox::new();
        sandbox.set("FAKE_ENGINE_DO", DIRT);
        let Some(tmux) = Tmux::start(&sandbox, shell) else { return };
        tmux.type_line(&format!("{}; echo loa''ded", shell.load("")));
        wait_for("the functions", || (tmux.screen().contains("\nloaded") || tmux.screen().starts_with("loaded")).then_some(()));
        for words in ["claude", "ai run claude"] {
            let before = tmux.state();
            tmux.type_line(&format!("{words}; read answer </dev/null; sleep 0.2; echo do''ne"));
            wait_for("the end of the run", || (tmux.screen().lines().any(|line| line == "done")).then_some(()));
            // The functions leave the title to the shell, whose prompt sets it where anybody wants one; fish always does.
            let (now, title) = tmux.state();
            assert_eq!(
                (&now, title == before.1 || words == "claude" || shell == Shell::Fish),
                (&before.0, true),
                "{shell:?} {words}: {title}"
            );
            let screen = tmux.screen();
            assert!(!screen.contains("[1;1R") && !screen.contains("[?1;2c") && !screen.contains("R^["), "{shell:?} {words}: {screen}");
            tmux.type_line(r"printf '\033[H\033[2J'");
            wait_for("a clear screen", || (!tmux.screen().contains("done")).then_some(()));
        }
    }
}

// BO-15
#[test]
fn only_a_terminal_is_put_right() {
    let mut sandbox = Sandbox::new();
    sandbox.set("FAKE_ENGINE_DO", "echo out");
    for script in ["claude | cat", "ai run claude | cat", "x=$(claude); printf '%s\\n' \"$x\""] {
        let mut terminal = on_terminal(sandbox.shell(Shell::Bash, &format!("{script}; echo e''nd")));
        let printed = terminal.exp_string("end").unwrap();
        assert!(printed.contains("out") && !printed.contains("[?1049l") && !printed.contains('\u{1b}'), "{script}: {printed:?}");
    }
    let outcome = sandbox.ai(["run", "claude"]).outcome();
    assert_eq!((outcome.out().as_str(), outcome.err().as_str()), ("out\n", ""));
}
