//! What frameworks, plugins and terminals do to a shell, in small: does the word `claude` still run the container, or is it said why not?
//! Each row is a model of what the named ones do: hooks, traps, wrappers of commands, files that are read in another's place.

use std::fs;
use std::path::Path;

use crate::install::rc;
use crate::process::Run;
use crate::sandbox::Sandbox;
use crate::setups::link_program;
use crate::shell_setups::file;
use crate::shell_table::{hold, verdict};
use crate::shells::Shell;
use crate::terminal::on_terminal;

struct Row {
    what: &'static str,
    /// Before and behind our lines, in each shell that has such a thing.
    zsh: Option<(&'static str, &'static str)>,
    bash: Option<(&'static str, &'static str)>,
    fish: Option<(&'static str, &'static str)>,
    typed: &'static [&'static str],
    /// How a terminal starts the shell.
    start: fn(&Sandbox, Shell, Run) -> Run,
}

const ROW: Row = Row { what: "", zsh: None, bash: None, fish: None, typed: &["claude hello"], start: |_, _, run| run.args(["-i"]) };

/// oh-my-zsh, direnv, starship, mise, zoxide, thefuck, conda: aliases, options, hooks at the front of each list, `hash -r`.
const ZSH_HOOKS: &str = "setopt extended_glob prompt_subst auto_cd interactive_comments share_history
alias -g ...='../..' _='sudo ' md='mkdir -p' ai='sudo apt install'
mine() { trap -- '' SIGINT; eval ''; trap - SIGINT; }; theirs() { true }
precmd_functions=(mine $precmd_functions); chpwd_functions=(mine $chpwd_functions); preexec_functions=(theirs $preexec_functions)
precmd() { true }; preexec() { true }; chpwd() { true }
conda() { hash -r }; TRAPUSR1() { true }; fuck() { eval \"$(true)\" }; bindkey -e; zle -N zle-line-init theirs
";
/// bash-it, oh-my-bash, direnv, starship, mise, conda; bash-preexec takes the DEBUG trap and sets `PROMPT_COMMAND` at the first prompt.
const BASH_HOOKS: &str = "shopt -s extglob nullglob expand_aliases checkwinsize histappend cdspell
alias ..='cd ..' ai='sudo apt install'
mine() { trap -- '' SIGINT; eval ''; trap - SIGINT; }; cd() { builtin cd \"$@\"; }; conda() { hash -r; }
__bp_preexec() { true; }; __bp_precmd() { true; }
__bp_install() { PROMPT_COMMAND=\"__bp_precmd;${PROMPT_COMMAND//__bp_install/:}\"; trap '__bp_preexec \"$_\"' DEBUG; }
PROMPT_COMMAND=\"__bp_install${PROMPT_COMMAND:+;$PROMPT_COMMAND}\"; PROMPT_COMMAND=(mine \"${PROMPT_COMMAND[@]}\"); PS0='$(true)'
";
/// Fisher, oh-my-fish, starship, direnv, zoxide.
const FISH_HOOKS: &str = "function fish_prompt; echo '> '; end
function mine --on-event fish_prompt --on-variable PWD --on-event fish_preexec; true; end
function cd; builtin cd $argv; end
abbr -a md mkdir; alias ll 'ls -l'; set -g fish_greeting
";

fn rows() -> Vec<Row> {
    vec![
        Row {
            what: "hooks, traps, aliases and options of prompts, direnv, mise, conda, bash-preexec, before",
            zsh: Some((ZSH_HOOKS, "")),
            bash: Some((BASH_HOOKS, "")),
            fish: Some((FISH_HOOKS, "")),
            ..ROW
        },
        Row { what: "the same behind", zsh: Some(("", ZSH_HOOKS)), bash: Some(("", BASH_HOOKS)), fish: Some(("", FISH_HOOKS)), ..ROW },
        Row {
            what: "lazy loading of node: a function for each program that npm installed, before",
            zsh: Some(("node claude() { unset -f node claude; \"$0\" \"$@\"; }\n", "")),
            bash: Some(("claude() { unset -f node claude; claude \"$@\"; }\n", "")),
            fish: Some(("function claude; functions -e claude; claude $argv; end\n", "")),
            ..ROW
        },
        Row {
            what: "the same, and the first `node` takes the functions away",
            zsh: Some(("", "node() { unset -f node claude; }\n")),
            bash: Some(("", "node() { unset -f node claude; }\n")),
            fish: Some(("", "function node; functions -e node claude; end\n")),
            typed: &["node", "claude hello"],
            ..ROW
        },
        Row {
            what: "a hook of the directory that defines a function, as in project files",
            zsh: Some(("", "mine() { claude() { command claude \"$@\" }; }\nchpwd_functions+=(mine)\n")),
            bash: Some(("", "cd() { builtin cd \"$@\"; claude() { command claude \"$@\"; }; }\n")),
            fish: Some(("", "function mine --on-variable PWD; function claude; command claude $argv; end; end\n")),
            typed: &["cd sub", "claude hello"],
            ..ROW
        },
        Row {
            what: "the same in one line: `cd sub && claude`",
            zsh: Some(("", "chpwd() { claude() { command claude \"$@\" }; }\n")),
            fish: Some(("function mine --on-variable PWD; function claude; command claude $argv; end; end\n", "")),
            typed: &["cd sub && claude hello"],
            ..ROW
        },
        Row {
            what: "plugins that load while the first line is typed (zinit's turbo, zsh-defer)",
            zsh: Some(("", "mine() { alias claude=/usr/bin/false }\nzle -N zle-line-init mine\n")),
            ..ROW
        },
        Row {
            what: "instant prompt: output goes into a file until the first prompt",
            zsh: Some((
                "exec {mine}>&1 >$HOME/output 2>&1\nback() { exec >&$mine 2>&1 {mine}>&-; precmd_functions=(${precmd_functions:#back}) }\nprecmd_functions=(back $precmd_functions)\n",
                "",
            )),
            ..ROW
        },
        Row {
            what: "a function named `claude` that is read-only, before",
            bash: Some(("claude() { command claude \"$@\"; }\nreadonly -f claude\n", "")),
            ..ROW
        },
        Row { what: "ours is made read-only, and an alias", bash: Some(("", "readonly -f claude\nalias claude=/usr/bin/false\n")), ..ROW },
        Row {
            what: "all aliases are taken away, all commands forgotten, behind",
            zsh: Some(("alias claude=/usr/bin/false\n", "unalias -m '*'; hash -r\n")),
            bash: Some(("alias claude=/usr/bin/false\n", "unalias -a; hash -r\n")),
            ..ROW
        },
        Row {
            what: "`set -e`, `set -u`, `pipefail`",
            zsh: Some(("set -eu -o pipefail\n", "")),
            bash: Some(("set -eu -o pipefail\n", "")),
            ..ROW
        },
        Row { what: "`failglob`, `nullglob`, `extglob`", bash: Some(("shopt -s failglob extglob\n", "shopt -s nullglob\n")), ..ROW },
        Row {
            what: "`failglob`, and the program is gone",
            bash: Some(("shopt -s failglob\n", "")),
            start: |sandbox, _, run| {
                fs::remove_file(sandbox.home().join("bin/ai")).unwrap();
                run.args(["-i"])
            },
            ..ROW
        },
        Row { what: "global aliases of `local`, `return`, `if`, `--`, `do`, before and behind", zsh: Some((GLOBAL, GLOBAL)), ..ROW },
        Row {
            what: "a terminal with files of its own in place of the person's (VS Code, JetBrains, kitty, iTerm2)",
            zsh: Some(("", "")),
            bash: Some(("", "")),
            fish: Some(("", "")),
            start: injected,
            ..ROW
        },
        Row {
            what: "a terminal that starts a POSIX bash and turns it (kitty, Ghostty)",
            bash: Some(("", "")),
            start: |sandbox, _, run| {
                let env = sandbox.write(
                    "home/env",
                    "set +o posix\nunset ENV\n. ~/.bashrc\nPROMPT_COMMAND=\"true${PROMPT_COMMAND:+;$PROMPT_COMMAND}\"\n",
                );
                run.args(["--posix", "-i"]).env("ENV", env)
            },
            ..ROW
        },
    ]
}

const GLOBAL: &str = "alias -g local=x 'return=x' if=x -- --=x do=x\n";

/// As editors do it: a directory of theirs for zsh, a file of theirs for bash, a command for fish; each reads the person's files, then
/// puts hooks of its own around.
fn injected(sandbox: &Sandbox, shell: Shell, run: Run) -> Run {
    match shell {
        Shell::Zsh => {
            let env = "MINE=$ZDOTDIR; ZDOTDIR=$USER_ZDOTDIR; [[ ! -f $ZDOTDIR/.zshenv ]] || . $ZDOTDIR/.zshenv; ZDOTDIR=$MINE\n";
            sandbox.write("editor/.zshenv", env);
            let rc = "ZDOTDIR=$USER_ZDOTDIR\n. $ZDOTDIR/.zshrc\nmine() { true }\nprecmd_functions=($precmd_functions mine)\npreexec_functions=($preexec_functions mine)\n";
            let directory = sandbox.write("editor/.zshrc", rc);
            run.args(["-i"]).env("ZDOTDIR", directory.parent().unwrap()).env("USER_ZDOTDIR", sandbox.home())
        }
        Shell::Bash => {
            let text = ". ~/.bashrc\nmine=${PROMPT_COMMAND:-}\nhook() { local code=$?; (exit $code); eval \"$mine\"; }\nPROMPT_COMMAND=hook\ntrap 'true' DEBUG\n";
            let file = sandbox.write("editor/init.bash", text);
            run.args(["--init-file".as_ref(), file.as_os_str(), "-i".as_ref()])
        }
        Shell::Fish => run.args(["--init-command", "function mine --on-event fish_prompt; true; end", "-i"]),
    }
}

/// The block that `ai install` writes, which is the same in every home.
pub fn block(shell: Shell) -> String {
    let sandbox = Sandbox::new();
    fs::create_dir_all(sandbox.home().join("bin")).unwrap();
    link_program(&sandbox.home().join("bin/ai"));
    let program = sandbox.home().join("bin/ai");
    let installed = sandbox.run("env").args([program.as_os_str(), "install".as_ref(), shell.name().as_ref()]).outcome();
    assert_eq!(installed.code, 0, "{installed:?}");
    fs::read_to_string(file(&sandbox, shell)).unwrap()
}

fn cell(row: &Row, shell: Shell, block: &str) -> Option<String> {
    let (before, behind) = match shell {
        Shell::Zsh => row.zsh,
        Shell::Bash => row.bash,
        Shell::Fish => row.fish,
    }?;
    let sandbox = Sandbox::new();
    sandbox.program("claude", "#!/bin/sh\necho 'the host program'\n");
    fs::create_dir_all(sandbox.home().join("bin")).unwrap();
    link_program(&sandbox.home().join("bin/ai"));
    sandbox.without("ai");
    fs::create_dir_all(sandbox.project().join("sub")).unwrap();
    sandbox.write(Path::new("home").join(rc(shell)), format!("{before}{block}{behind}"));
    let mut terminal = on_terminal((row.start)(&sandbox, shell, sandbox.run(shell.name())).env("TERM", "dumb"));
    for line in row.typed.iter().chain(&["exit"]) {
        terminal.send_line(line).unwrap();
    }
    Some(verdict(&sandbox, &terminal.exp_eof().unwrap()))
}

fn column(shell: Shell) {
    if Shell::all().contains(&shell) {
        let block = block(shell);
        let cells = rows().iter().map(|row| (row.what.to_owned(), cell(row, shell, &block).unwrap_or_else(|| "–".into()))).collect();
        hold("with this around", shell, cells);
    }
}

// SH-01, SH-04
#[test]
fn zsh_runs_the_container_beside_what_frameworks_do() {
    column(Shell::Zsh);
}

// SH-01
#[test]
fn bash_runs_the_container_beside_what_frameworks_do() {
    column(Shell::Bash);
}

// SH-01
#[test]
fn fish_runs_the_container_beside_what_frameworks_do() {
    column(Shell::Fish);
}
