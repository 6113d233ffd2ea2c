//! How a person's shell can be set up, as the table of `docs/shells.md`: does the word `claude` run the container, or is it said why not?

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use crate::frameworks::block;
use crate::install::rc;
use crate::sandbox::Sandbox;
use crate::setups::link_program;
use crate::shell_table::{hold, verdict};
use crate::shells::Shell;
use crate::terminal::on_terminal;

/// What a shell of a person reads, in the words of zsh and bash, then of fish; `None` where the shell has no such thing.
#[derive(Clone, Copy)]
struct Setup {
    what: &'static str,
    before: &'static str,
    behind: &'static str,
    /// The same for fish.
    fish: Option<(&'static str, &'static str)>,
    only: &'static [Shell],
    /// What is there before `ai install`; without it and without a text before, the file is as `ai install` makes a new one.
    prepare: Option<fn(&Sandbox, Shell)>,
    spoil: fn(&Sandbox, Shell),
    args: &'static [&'static str],
}

const ALL: &[Shell] = &[Shell::Zsh, Shell::Bash, Shell::Fish];

const PLAIN: Setup =
    Setup { what: "nothing else", before: "", behind: "", fish: None, only: ALL, prepare: None, spoil: |_, _| {}, args: &[] };

const fn lines(what: &'static str, before: &'static str, behind: &'static str) -> Setup {
    Setup { what, before, behind, ..PLAIN }
}

const fn of(only: &'static [Shell], what: &'static str, before: &'static str, behind: &'static str) -> Setup {
    Setup { what, before, behind, only, ..PLAIN }
}

impl Setup {
    const fn fish(self, before: &'static str, behind: &'static str) -> Self {
        Self { fish: Some((before, behind)), ..self }
    }
}

fn setups() -> Vec<Setup> {
    let host = "alias claude=/usr/bin/false\n";
    vec![
        PLAIN,
        lines("an alias of `claude` to another program, before our lines", host, ""),
        lines("the same behind them", "", host),
        lines("an alias that adds words, before", "alias claude='claude --verbose'\n", ""),
        lines("the same behind", "", "alias claude='claude --verbose'\n"),
        lines("a function named `claude`, before", "claude() { command claude \"$@\"; }\n", "")
            .fish("function claude; command claude $argv; end\n", ""),
        lines("the same behind", "", "function claude { command claude \"$@\"; }\n")
            .fish("", "function claude; command claude $argv; end\n"),
        lines("our function is taken away behind", "", "unset -f claude\n").fish("", "functions --erase claude\n"),
        of(&[Shell::Zsh], "a global alias of `claude` behind", "", "alias -g claude=/usr/bin/false\n"),
        of(&[Shell::Zsh], "global aliases of `--help`, `-h`, `in`, `help`", HELP, ""),
        of(&[Shell::Zsh], "the same behind", "", HELP),
        lines("a framework's alias named `ai`", "alias ai='echo apt install'\n", ""),
        lines("a framework that loads behind, with hooks and aliases of its own", "", FRAMEWORK)
            .fish("", "alias ll='ls -l'\nalias ai='echo apt'\n"),
        lines("hooks at the prompt, before", HOOKS, "").fish("function mine --on-event fish_prompt; true; end\n", ""),
        of(
            &[Shell::Bash],
            "`PROMPT_COMMAND` is set anew behind, and an alias",
            "",
            "alias claude=/usr/bin/false\nPROMPT_COMMAND='true mine'\n",
        ),
        of(
            &[Shell::Zsh],
            "`precmd_functions` is set anew behind, and an alias",
            "",
            "alias claude=/usr/bin/false\nprecmd_functions=(true)\n",
        ),
        of(
            &[Shell::Zsh],
            "every list of hooks but one is set anew behind, and an alias",
            "",
            "alias claude=/usr/bin/false\nprecmd_functions=() preexec_functions=() chpwd_functions=()\n",
        ),
        Setup { prepare: Some(set_anew), ..of(&[Shell::Zsh, Shell::Bash], "all of them are, and an alias", "", "") },
        lines("a hook that defines an alias at each prompt", "", EACH)
            .fish("", "function each --on-event fish_prompt; alias claude=/usr/bin/false; end\n"),
        Setup {
            prepare: Some(|sandbox, shell| {
                drop(
                    sandbox.write(
                        file(sandbox, shell),
                        "[ \"$TERM\" = dumb ] && return 0\n"
                            .replace(" && return", if shell == Shell::Fish { "; and exit" } else { " && return" }),
                    ),
                )
            }),
            ..lines("the rc file ends early where `TERM` is `dumb`", "", "")
        },
        lines("vi keys", "set -o vi\n", "").fish("set -g fish_key_bindings fish_vi_key_bindings\n", ""),
        of(&[Shell::Zsh, Shell::Bash], "`set -u`, `set -o pipefail`, `set -o noclobber`", "set -u -o pipefail -o noclobber\n", ""),
        of(&[Shell::Zsh], "`emulate sh`, `ksh_arrays`, `sh_word_split`", "emulate sh; setopt ksh_arrays sh_word_split\n", ""),
        of(&[Shell::Zsh], "`emulate csh`", "emulate csh\n", ""),
        of(&[Shell::Bash], "`set -o posix`", "set -o posix\n", ""),
        of(&[Shell::Bash], "`POSIXLY_CORRECT` in the rc file", "export POSIXLY_CORRECT=1\n", ""),
        Setup { args: &["-l"], prepare: Some(profile), ..lines("a login shell", "", "") },
        Setup {
            args: &["-l"],
            prepare: Some(|sandbox, shell| {
                profile(sandbox, shell);
                let path = fs::read_to_string(sandbox.home().join(".profile")).unwrap();
                sandbox.write("home/.bash_profile", format!("{path}return 0\n. ~/.bashrc\n"));
            }),
            ..of(&[Shell::Bash], "a login shell whose file ends early", "", "")
        },
        Setup {
            args: &["-l"],
            prepare: Some(|sandbox, _| {
                sandbox.write("home/.zprofile", "ZDOTDIR=$HOME/later\n");
                sandbox.write("home/later/.zshrc", "true\n");
            }),
            ..of(&[Shell::Zsh], "a login shell, and `ZDOTDIR` in `.zprofile`", "", "")
        },
        Setup {
            prepare: Some(|sandbox, shell| drop(sandbox.write(file(sandbox, shell), b"# \xff\xfe no text, and no line end"))),
            ..lines("the rc file is not UTF-8, and its last line has no end", "", "")
        },
        Setup {
            prepare: Some(|sandbox, shell| drop(sandbox.write(file(sandbox, shell), "# a long line of the rc file\n".repeat(40_000)))),
            ..lines("the rc file has 1 MB", "", "")
        },
        Setup { prepare: Some(moved), ..of(&[Shell::Zsh, Shell::Fish], "`ZDOTDIR` in `.zshenv`; fish's snippets in `conf.d`", "", "") },
        Setup { prepare: Some(linked), ..lines("the rc file is a link into a repository", "", "") },
        Setup {
            prepare: Some(|sandbox, shell| drop(sandbox.write(file(sandbox, shell), "# mine\r\n"))),
            ..lines("the rc file has the line ends of Windows", "", "")
        },
        Setup { prepare: Some(twice), ..lines("the block is there twice, after a merge", "", "") },
        Setup { spoil: |sandbox, _| fs::remove_file(program(sandbox)).unwrap(), ..lines("the program is gone", "", "") },
        Setup { spoil: |sandbox, _| broken(sandbox, "#!/bin/sh\nexit 1\n"), ..lines("the program fails", "", "") },
        Setup {
            spoil: |sandbox, _| broken(sandbox, "#!/nonexistent/interpreter\n"),
            ..lines("the program is for another machine", "", "")
        },
        Setup { prepare: Some(read_only), ..lines("the rc file is read-only, or a link into `/nix/store`", "", "") },
        lines("the rc file ends before our lines: `return`, `exit`", "return 0\n", "").fish("exit 0\n", ""),
        lines("the rc file has an `if` that does not end", "if true; then\n", "").fish("if true\n", ""),
        lines("the rc file goes over to another program", "exec true\n", ""),
        of(
            &[Shell::Bash],
            "the rc file goes over to another shell, but not for a command",
            "[ -z \"$BASH_EXECUTION_STRING\" ] && exec zsh -i\n",
            "",
        ),
        lines("git left a conflict in the rc file", "<<<<<<< HEAD\ntrue\n=======\n>>>>>>> theirs\n", ""),
    ]
}

const HELP: &str = "alias -g -- --help='--help 2>&1 | cat'\nalias -g -- -h='-h 2>&1 | cat'\nalias -g in=x\nalias -g help=x\n";
const FRAMEWORK: &str =
    "alias ll='ls -l'\nalias ai='echo apt'\nmine() { true; }\nprecmd_functions+=(mine)\nPROMPT_COMMAND=\"mine;${PROMPT_COMMAND-}\"\n";
const HOOKS: &str = "mine() { true; }\nprecmd_functions+=(mine)\nPROMPT_COMMAND=mine\n";

const EACH: &str = "each() { alias claude=/usr/bin/false; }\nprecmd_functions=(each $precmd_functions)\nPROMPT_COMMAND=each\n";

/// The file that this shell reads in this sandbox.
pub fn file(sandbox: &Sandbox, shell: Shell) -> PathBuf {
    sandbox.home().join(rc(shell))
}

/// Our program: in the home, as it would be on a machine of a person.
fn program(sandbox: &Sandbox) -> PathBuf {
    sandbox.home().join("bin/ai")
}

fn broken(sandbox: &Sandbox, text: &str) {
    fs::remove_file(program(sandbox)).unwrap();
    sandbox.script("home/bin/ai", text);
}

fn moved(sandbox: &Sandbox, shell: Shell) {
    if shell == Shell::Zsh {
        sandbox.write("home/.zshenv", "ZDOTDIR=$HOME/.config/zsh\n");
        fs::create_dir_all(sandbox.home().join(".config/zsh")).unwrap();
    } else {
        sandbox.write("home/.config/fish/conf.d/mine.fish", "alias claude=/usr/bin/false\n");
    }
}

/// The system's own file gives a login shell a PATH without our engine.
fn profile(sandbox: &Sandbox, _: Shell) {
    sandbox.write("home/.profile", format!("PATH='{}':$PATH\n", sandbox.root().join("bin").display()));
}

fn linked(sandbox: &Sandbox, shell: Shell) {
    let target = sandbox.write("home/dotfiles/rc", "# mine\n");
    fs::create_dir_all(file(sandbox, shell).parent().unwrap()).unwrap();
    symlink(target, file(sandbox, shell)).unwrap();
}

fn set_anew(sandbox: &Sandbox, shell: Shell) {
    sandbox.run("env").args([program(sandbox).as_os_str(), "install".as_ref(), shell.name().as_ref()]).succeeds();
    let text = fs::read_to_string(file(sandbox, shell)).unwrap();
    let hooks =
        if shell == Shell::Zsh { "precmd_functions=() preexec_functions=() zshaddhistory_functions=()" } else { "unset PROMPT_COMMAND" };
    sandbox.write(file(sandbox, shell), format!("{text}alias claude=/usr/bin/false\n{hooks}\n"));
}

fn twice(sandbox: &Sandbox, shell: Shell) {
    let block = format!("# >>> ai >>>\n{}\n# <<< ai <<<\n", shell.load(""));
    sandbox.write(file(sandbox, shell), format!("{block}true\n{block}"));
}

fn read_only(sandbox: &Sandbox, shell: Shell) {
    let path = sandbox.write(file(sandbox, shell), "# managed\n");
    fs::set_permissions(path, fs::Permissions::from_mode(0o444)).unwrap();
}

/// Runs `ai install`; returns the cell of the table where it fails and says why.
fn install(sandbox: &Sandbox, shell: Shell) -> Option<String> {
    let installed = sandbox.run("env").args([program(sandbox).as_os_str(), "install".as_ref(), shell.name().as_ref()]).outcome();
    let told = installed.err();
    let says = ["it does not work yet", "cannot change"].iter().any(|word| told.contains(word)) && !told.contains("it works in the next");
    match (installed.code, says) {
        (0, _) => None,
        (_, true) => Some("`ai install` fails and says why".into()),
        (_, false) => Some(format!("**`ai install` says** {told}")),
    }
}

/// What came of `claude hello` at a prompt, as a cell of the table; `block` is what `ai install` writes into a new file.
fn cell(setup: Setup, shell: Shell, block: &str) -> String {
    let sandbox = Sandbox::new();
    sandbox.program("claude", "#!/bin/sh\necho 'the host program'\n");
    fs::create_dir_all(sandbox.home().join("bin")).unwrap();
    link_program(&program(&sandbox));
    sandbox.without("ai");
    let (before, behind) = match setup.fish.filter(|_| shell == Shell::Fish) {
        Some(texts) => texts,
        None => (setup.before, setup.behind),
    };
    if before.is_empty() && setup.prepare.is_none() {
        sandbox.write(file(&sandbox, shell), block);
    } else {
        if !before.is_empty() {
            sandbox.write(file(&sandbox, shell), before);
        }
        if let Some(prepare) = setup.prepare {
            prepare(&sandbox, shell);
        }
        if let Some(failure) = install(&sandbox, shell) {
            return failure;
        }
    }
    if !behind.is_empty() {
        let text = fs::read_to_string(file(&sandbox, shell)).unwrap();
        sandbox.write(file(&sandbox, shell), text + behind);
    }
    (setup.spoil)(&sandbox, shell);
    let path = format!("{}:{}", sandbox.home().join("bin").display(), sandbox.root().join("bin").display());
    let run = sandbox.run(shell.name()).args(setup.args).args(["-i"]).env("TERM", "dumb").env("PATH", path);
    let mut terminal = on_terminal(run);
    terminal.send_line("claude hello").unwrap();
    terminal.send_line("exit").unwrap();
    let said = terminal.exp_eof().unwrap();
    verdict(&sandbox, &said)
}

/// Tries each set-up in one shell and holds the column against the documentation.
fn column(shell: Shell) {
    if Shell::all().contains(&shell) {
        let block = block(shell);
        let cell = |setup: Setup| if setup.only.contains(&shell) { cell(setup, shell, &block) } else { "–".into() };
        hold("set up like this", shell, setups().into_iter().map(|setup| (setup.what.to_owned(), cell(setup))).collect());
    }
}

// SH-01, SH-02, SH-04, SH-05, Z-095
#[test]
fn zsh_runs_the_container_or_says_why_not() {
    column(Shell::Zsh);
}

// SH-01, SH-02, SH-04, Z-095
#[test]
fn bash_runs_the_container_or_says_why_not() {
    column(Shell::Bash);
}

// SH-01, SH-02, SH-04, Z-095
#[test]
fn fish_runs_the_container_or_says_why_not() {
    column(Shell::Fish);
}
