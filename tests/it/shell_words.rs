//! What becomes of our words beside lines of the person's, and of what these lines are.

use std::fs;

use crate::sandbox::Sandbox;
use crate::shell_setups::file;
use crate::shells::Shell;
use crate::terminal::on_terminal;

/// A shell that reads its files and is typed into; all that it shows.
fn typed(sandbox: &Sandbox, shell: Shell, words: &[&str]) -> String {
    let mut terminal = on_terminal(sandbox.run(shell.name()).args(["-i"]).env("TERM", "dumb"));
    for line in words.iter().chain(&["exit"]) {
        terminal.send_line(line).unwrap();
    }
    terminal.exp_eof().unwrap()
}

// SH-01, SH-04: what leads to us in another way is the person's wish and stays.
#[test]
fn what_a_person_made_of_our_words_stays_if_it_runs_the_container() {
    let posix = [
        "alias claude='X=1 claude'",
        "alias claude=gemini",
        "alias claude='\\claude --model opus'",
        "claude() { ai run claude -- \"$@\"; }",
        "alias claude='time claude'",
    ];
    let fish = ["function claude; ai run claude -- $argv; end", "function claude; gemini $argv; __ai_run; end"];
    for shell in Shell::all() {
        for behind in if shell == Shell::Fish { &fish[..] } else { &posix[..] } {
            let sandbox = Sandbox::new();
            sandbox.write(file(&sandbox, shell), format!("{}\n{behind}\n", shell.load("")));
            let said = typed(&sandbox, shell, &["claude hello"]);
            assert!(!said.contains("a line behind"), "{shell:?} {behind}: {said}");
            assert_eq!(sandbox.calls().last().unwrap().argv.last().unwrap(), "hello", "{shell:?} {behind}: {said}");
        }
    }
}

// SH-01: names that the person did not ask for are not ours, those with a prefix are.
#[test]
fn only_words_that_were_asked_for_are_taken_back() {
    for shell in Shell::all() {
        let sandbox = Sandbox::new();
        let behind = "alias claude='echo mine'\nalias x_gemini='echo mine'\n";
        sandbox.write(file(&sandbox, shell), format!("{}\n{behind}", shell.load("--prefix x_ --only gemini")));
        let said = typed(&sandbox, shell, &["claude hello", "x_gemini hello"]);
        assert!(said.contains("mine hello") && said.matches("a line behind").count() == 1, "{shell:?}: {said}");
        let argv = sandbox.the_run().argv;
        assert!(argv.last().unwrap() == "hello" && argv.iter().any(|word| word == "gemini"), "{shell:?}: {argv:?}");
    }
}

// Z-090: the look before each prompt leaves nothing but itself behind.
#[test]
fn the_look_at_each_prompt_leaves_nothing_else_behind() {
    for shell in Shell::all().into_iter().filter(|shell| *shell != Shell::Fish) {
        for before in
            ["", "PROMPT_COMMAND='true a'; precmd_functions=(true)\n", "PROMPT_COMMAND=('true a' 'true b')\n", "readonly PROMPT_COMMAND=\n"]
        {
            let sandbox = Sandbox::new();
            // Into a file: on the terminal, an answer can stand in the line of the prompt or of what is typed ahead.
            let shown = "echo \"<${PROMPT_COMMAND[*]-} $?>\" >> said; echo \"<${precmd_functions[*]-}>\" >> said";
            sandbox.write(file(&sandbox, shell), before);
            let _ = typed(&sandbox, shell, &["false", shown]);
            sandbox.write(file(&sandbox, shell), format!("{before}{}\n", shell.load("--no-completions")));
            let loaded = typed(&sandbox, shell, &["false", shown]);
            let said = fs::read_to_string(sandbox.project().join("said")).unwrap();
            let said: Vec<_> = said.lines().map(|line| line.replace(" __ai_look", "").replace("__ai_look", "")).collect();
            assert!(said.len() == 4 && said[..2] == said[2..], "{shell:?} {before}: {said:?} {loaded}");
            assert!(!loaded.contains("readonly variable"), "{shell:?} {before}: {loaded}");
        }
    }
}
