//! Completion: what the program answers, and the Tab key in the real shells.

use rexpect::session::PtySession;

use crate::sandbox::{Sandbox, find_program};
use crate::shells::Shell;
use crate::terminal::on_terminal;

/// The candidates at the end of `line`, whose words are separated by spaces.
fn answer(sandbox: &Sandbox, shell: Shell, line: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    let index = (words.len() - 1).to_string();
    sandbox.ai(["complete", "--shell", shell.name(), "--index", &index, "--"].iter().copied().chain(words)).prints()
}

#[track_caller]
fn offers(sandbox: &Sandbox, line: &str, expected: &[&str]) {
    let answer = answer(sandbox, Shell::Bash, line);
    let found: Vec<&str> = answer.lines().skip(1).collect();
    for word in expected {
        assert!(found.contains(word), "`{line}` does not offer {word}: {answer}");
    }
}

#[track_caller]
fn offers_exactly(sandbox: &Sandbox, line: &str, expected: &[&str]) {
    let answer = answer(sandbox, Shell::Bash, line);
    assert_eq!(answer.lines().collect::<Vec<_>>(), expected, "{line}");
}

/// What `ai image build` records of a tool.
const WORDS: &str = "\t--model\tWhich model\n\t--output-format\tHow\n--output-format\ttext\t\n--output-format\tjson\t\n\tmcp\tServers\nmcp\tadd\tAdd one\nmcp\t--scope\tWhere\n";

pub fn with_words() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("home/.docker-ai-config/completions/claude", WORDS);
    sandbox
}

// A-07
#[test]
fn our_own_words_and_values() {
    let sandbox = Sandbox::new();
    offers(&sandbox, "ai ", &["init", "resolve", "run", "exec", "install", "use", "help"]);
    offers_exactly(&sandbox, "ai unin", &["words", "uninstall"]);
    offers(&sandbox, "ai resolve ", &["claude", "gemini", "codex", "glm"]);
    offers(&sandbox, "ai resolve --format j", &["json"]);
    offers(&sandbox, "ai run --workspace ", &["adaptive", "named", "flat", "mirror"]);
    offers(&sandbox, "ai help exit", &["exit-codes"]);
    offers(&sandbox, "ai use ", &["claude", "glm"]);
    offers(&sandbox, "ai-mode g", &["gemini", "glm"]);
    offers(&sandbox, "aic --to", &["--tool"]);
    offers_exactly(&sandbox, "ai install --shims ", &["files"]);
    offers_exactly(&sandbox, "ai tools add --like ", &["words", "claude", "codex", "opencode", "qwen"]);
    offers(&sandbox, "ai tools add ", &["pi", "qwen", "local"]);
    offers_exactly(&sandbox, "ai help image ", &["words", "build", "update", "status", "prune", "save", "load", "sbom", "pin"]);
    offers_exactly(&sandbox, "ai help image build ", &["words"]);
    offers_exactly(&sandbox, "ai help man ", &["files"]);
    // What is a topic and a command is one word.
    offers_exactly(&sandbox, "ai help rou", &["words", "route"]);
    offers_exactly(&sandbox, "ai zzz ", &["words"]);
    let hidden = answer(&sandbox, Shell::Bash, "ai ");
    assert!(!hidden.contains("word\n") && !hidden.contains("complete\n"), "{hidden}");
}

// A-07
#[test]
fn a_tools_own_words() {
    let sandbox = with_words();
    for line in ["claude ", "x_claude ", "ai run claude ", "ai run --network none claude -- ", "ai-run ", "glm "] {
        offers_exactly(&sandbox, line, &["files", "mcp"]);
    }
    offers_exactly(&sandbox, "claude --", &["words", "--native", "--local", "--model", "--output-format"]);
    offers_exactly(&sandbox, "claude -p --", &["words", "--model", "--output-format"]);
    offers_exactly(&sandbox, "claude mcp ", &["files", "add"]);
    offers_exactly(&sandbox, "claude mcp --", &["words", "--scope"]);
    offers_exactly(&sandbox, "claude --output-format j", &["words", "json"]);
    offers_exactly(&sandbox, "claude --output-format = j", &["words", "json"]);
    offers_exactly(&sandbox, "claude -- --", &["files"]);
    offers_exactly(&sandbox, "ai exec ls --", &["files"]);
}

// A-08
#[test]
fn a_tool_in_the_configuration_completes_at_once() {
    let sandbox = Sandbox::new();
    sandbox.manifest("qwen", "about = 'Qwen'\ncommand = ['qwen']\ncomplete = ['--fast  Skip the slow parts', 'chat']\n");
    offers(&sandbox, "ai run qw", &["qwen"]);
    offers_exactly(&sandbox, "qwen --f", &["words", "--fast"]);
    assert!(answer(&sandbox, Shell::Fish, "qwen --f").contains("--fast\tSkip the slow parts\n"));
    for shell in Shell::all() {
        assert!(sandbox.ai(["init", shell.name()]).prints().contains("qwen"), "{shell:?}");
    }
}

#[test]
fn a_session_that_runs_is_offered() {
    let sandbox = Sandbox::new();
    let session = sandbox.ai(["sync", "in", "claude"]).prints();
    offers(&sandbox, "ai sync out ", &[session.trim()]);
    assert!(answer(&sandbox, Shell::Zsh, "ai sync out ").starts_with("words once\n"));
    offers(&sandbox, "ai stop ai-cl", &[&format!("ai-claude-proj-{}", session.trim())]);
}

#[test]
fn what_the_store_holds_is_offered() {
    let sandbox = Sandbox::new();
    sandbox.ai(["run", "claude"]).prints();
    let login = r#"{"claudeAiOauth":{"accessToken":"a","refreshToken":"r","expiresAt":1}}"#;
    sandbox.write("home/.docker-ai-config/global_state/claude/shared/login/.credentials.json", login);
    sandbox.ai(["creds", "backup", "claude"]).succeeds();
    offers(&sandbox, "ai creds restore claude ", &["0001-good"]);
    let projects = answer(&sandbox, Shell::Bash, "ai project adopt p");
    assert!(projects.starts_with("words once\nproj-"), "{projects}");
}

/// A place is asked about once, unless its answer is another one in a minute.
#[test]
fn a_shell_does_not_ask_twice() {
    if !Shell::all().contains(&Shell::Bash) {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.program("recorder", &format!("#!/bin/sh\necho >>'{}/asked'\nexec ai \"$@\"\n", sandbox.root().display()));
    let mut script = "__ai_bin=$(type -P recorder)\nset -u\n".to_owned();
    for line in
        ["ai resolve --format j", "ai resolve --format s", "ai sync out ''", "ai sync out ''", "claude --na", "ai resolve --format ''"]
    {
        let last = line.split(' ').count() - 1;
        script += &format!("COMP_WORDS=({line}); COMP_CWORD={last}; __ai_complete; echo \"${{COMPREPLY[*]-}}\"\n");
    }
    assert_eq!(
        sandbox.shell(Shell::Bash, &script).prints(),
        "json\nshell\n--code --dry-run --help\n--code --dry-run --help\n--native\nshell argv0 lines json\n"
    );
    assert_eq!(std::fs::read_to_string(sandbox.root().join("asked")).unwrap().lines().count(), 4);
}

#[test]
fn whatever_is_on_the_line_there_is_no_noise() {
    let sandbox = with_words();
    sandbox.manifest("broken", "nonsense = [");
    for line in
        ["", "ai \u{1b}[31m", "ai 'unfinished", "ai --nonsense ", "claude \"$(x) ", "broken ", "nobody ", "ai run broken ", "ai run -- "]
    {
        for shell in Shell::all() {
            let text = answer(&sandbox, shell, line);
            assert!(text.starts_with("files\n") || text.starts_with("words\n"), "{line}: {text}");
        }
    }
}

/// Characters that mean something to the shell's own completion.
#[test]
fn descriptions_do_not_leave_their_place() {
    let sandbox = Sandbox::new();
    sandbox.write("home/.docker-ai-config/completions/claude", "\t--a:b\tone: two\u{1b}[31m\n");
    assert_eq!(answer(&sandbox, Shell::Zsh, "claude --a"), "words\n--a\\:b:one: two [31m\n");
    assert_eq!(answer(&sandbox, Shell::Fish, "claude --a"), "words\n--a:b\tone: two [31m\n");
}

/// An interactive shell whose prompt can be waited for.
pub fn prompt(sandbox: &Sandbox, shell: Shell, lines: &[&str]) -> PtySession {
    // Without echo, readline shows nothing of what is typed; without a size, zsh has no room for its editor.
    sandbox.link("stty", find_program("stty").unwrap());
    let start = format!("stty echo rows 40 cols 120; exec {} {} -i", shell.name(), shell.plain().join(" "));
    let mut terminal = on_terminal(sandbox.run("sh").args(["-c", &start]).env("INPUTRC", "/dev/null"));
    // An interactive shell ignores SIGTERM; whoever drops the session would wait for it for ever.
    terminal.process_mut().set_kill_timeout(Some(200));
    let set = shell.text("PS1='p''ro>'", "function fish_prompt; echo -n 'p''ro>'; end");
    for line in std::iter::once(&set).chain(lines) {
        terminal.send_line(line).unwrap();
        terminal.exp_string("pro>").unwrap();
    }
    // A shell may draw its prompt more than once; behind an answer, the next one is the last.
    terminal.send_line("echo re''ady").unwrap();
    terminal.exp_string("ready").unwrap();
    terminal.exp_string("pro>").unwrap();
    terminal
}

/// Presses Tab behind `typed` and waits for `expected` on the line.
#[track_caller]
pub fn tab(terminal: &mut PtySession, typed: &str, expected: &str) {
    terminal.send(&format!("{typed}\t")).unwrap();
    terminal.flush().unwrap();
    terminal.exp_string(expected).unwrap_or_else(|error| panic!("`{typed}`: {error}"));
    terminal.send_control('u').unwrap();
}

pub const COMPINIT: &str = "autoload -Uz compinit; compinit -u -D";

// A-07, Z-096
#[test]
fn the_tab_key_completes() {
    for shell in Shell::all() {
        let sandbox = with_words();
        let load = shell.load("");
        let orders: &[&[&str]] = match shell {
            Shell::Zsh => &[&[COMPINIT, &load], &[&load, COMPINIT], &[COMPINIT, &load, COMPINIT]],
            Shell::Bash | Shell::Fish => &[&[&load]],
        };
        for lines in orders {
            let mut terminal = prompt(&sandbox, shell, lines);
            tab(&mut terminal, "ai unin", "stall");
            tab(&mut terminal, "claude --nat", "ive");
            tab(&mut terminal, "claude --output-format js", "on");
            tab(&mut terminal, "ai run --engine=po", "dman");
            tab(&mut terminal, "ai-mode gem", "ini");
        }
    }
}

// Z-096
#[test]
fn without_compinit_or_completions_the_tab_key_is_silent() {
    let cases = [(Shell::Zsh, ""), (Shell::Zsh, "--no-completions"), (Shell::Bash, "--no-completions"), (Shell::Fish, "--no-completions")];
    for (shell, args) in cases.into_iter().filter(|(shell, _)| Shell::all().contains(shell)) {
        let sandbox = with_words();
        let mut terminal = prompt(&sandbox, shell, &[&shell.load(args)]);
        terminal.send("ai unin\t\t").unwrap();
        terminal.send_control('u').unwrap();
        terminal.send_line("echo st''ill here").unwrap();
        let said = terminal.exp_string("still here").unwrap();
        assert!(!said.contains("ninstall") && !said.contains("rror"), "{shell:?} {args}: {said}");
    }
}

#[test]
fn completions_come_by_themselves_too() {
    for shell in Shell::all() {
        let sandbox = Sandbox::new();
        let load = shell.text("eval \"$(ai completions SHELL)\"", "ai completions fish | source").replace("SHELL", shell.name());
        assert_eq!(sandbox.bare(shell, &format!("{load}\ntype claude 2>/dev/null || true")).outcome().err(), "", "{shell:?}");
        let lines: &[&str] = if shell == Shell::Zsh { &[COMPINIT, &load] } else { &[&load] };
        tab(&mut prompt(&sandbox, shell, lines), "ai unin", "stall");
    }
}

// SH-01 (shells.md 1, 8)
#[test]
fn fish_completes_files_as_it_does_for_other_commands() {
    if !Shell::all().contains(&Shell::Fish) {
        return;
    }
    let sandbox = Sandbox::new();
    sandbox.write("work/proj/my dir/some file", "");
    sandbox.write("home/.documents/x", "");
    for words in ["~/.doc", "$HOME/.doc", "my\\ dir/s", "\"my d", "'my d", "./m", "mcp ~/.d"] {
        let of = |command: &str| sandbox.shell(Shell::Fish, &format!("complete -C '{command} {}'", words.replace('\'', "\\'"))).prints();
        let (ours, theirs) = (of("claude"), of("ls"));
        assert!(!theirs.is_empty() && theirs.lines().all(|line| ours.contains(line)), "{words}: {ours} {theirs}");
    }
}

// SH-01 (shells.md 1, 21, 22)
#[test]
fn bash_completes_names_and_words_as_the_person_set_them() {
    if !Shell::all().contains(&Shell::Bash) {
        return;
    }
    let sandbox = with_words();
    let press = |before: &str, line: &str| {
        let last = line.split(' ').count() - 1;
        let script = format!("{before}\nCOMP_WORDS=({line}); COMP_CWORD={last}; __ai_complete; echo \"${{COMPREPLY[*]-}}\"");
        sandbox.shell(Shell::Bash, &script).prints()
    };
    assert_eq!(press("", "ai resolve --format=j"), "--format=json\n");
    assert_eq!(press("", "ai resolve --format = j"), "json\n");
    assert_eq!(press("", "claude --output-format=js"), "--output-format=json\n");
    assert_eq!(press("alias c=claude", "c --mo"), "--model\n");
    assert_eq!(press("alias c='env X=1 claude -p'", "c --mo"), "--model\n");
    assert_eq!(press("c() { claude \"$@\"; }", "c --mo"), "--model\n");
    assert_eq!(press("", "nobody --mo"), "\n");
}

// SH-01 (shells.md 1, 21)
#[test]
fn zsh_knows_our_names_as_soon_as_it_has_loaded_them() {
    if Shell::all().contains(&Shell::Zsh) {
        let sandbox = with_words();
        // As when the rc file is read once more, after the library has come.
        let load = Shell::Zsh.load("");
        let lines = format!("{COMPINIT}; {load}; compdef c=claude; claude --native --version; {load}");
        let mut terminal = prompt(&sandbox, Shell::Zsh, &[&lines, "c() { claude \"$@\" }"]);
        tab(&mut terminal, "c --output-format js", "on");
    }
}
