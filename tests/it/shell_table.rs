//! Tables of `docs/shells.md` that tests fill, and hold what they find against. `AI_WRITE_SETUPS=DIRECTORY` writes the column of each
//! shell there, for `tests/shells-matrix`.

use std::fs;
use std::path::Path;

use crate::sandbox::Sandbox;
use crate::shells::Shell;

/// What came of `claude hello` in a shell that showed this, as a cell of a table.
pub fn verdict(sandbox: &Sandbox, said: &str) -> String {
    let runs = sandbox.calls().iter().filter(|call| call.argv.last().is_some_and(|word| word == "hello")).count();
    let says = said.lines().any(|line| line.contains("ai: ") && line.contains("claude"));
    match (runs, says, said.contains("\nthe host program")) {
        (1, false, false) => "container".into(),
        (1, true, false) => "container, and a line".into(),
        (0, true, false) => "a line that says why not".into(),
        _ => format!("**host** {said}"),
    }
}

/// The cells of this shell in a table of `docs/shells.md`, by row.
fn documented(table: &str, shell: Shell) -> Vec<(String, String)> {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/shells.md")).unwrap();
    let head = format!("| {table} |");
    let rows = page.lines().skip_while(|line| !line.starts_with(&head)).skip(2).take_while(|line| line.starts_with('|'));
    let column = 2 + [Shell::Zsh, Shell::Bash, Shell::Fish].iter().position(|other| *other == shell).unwrap();
    let field = |row: &str, at: usize| row.split('|').nth(at).unwrap_or_default().trim().to_owned();
    rows.map(|row| (field(row, 1), field(row, column))).collect()
}

/// Holds the cells of one shell against a table of the documentation, or writes them for one.
#[track_caller]
pub fn hold(table: &str, shell: Shell, cells: Vec<(String, String)>) {
    if let Some(directory) = std::env::var_os("AI_WRITE_SETUPS") {
        let rows: String = cells.iter().map(|(what, cell)| format!("{what}|{cell}\n")).collect();
        fs::write(Path::new(&directory).join(format!("{table}.{}", shell.name())), rows).unwrap();
    }
    assert!(cells.iter().all(|(_, cell)| !cell.contains("**")), "{shell:?}: {cells:#?}");
    if std::env::var_os("AI_WRITE_SETUPS").is_none() {
        assert_eq!(cells, documented(table, shell), "{shell:?}; tests/shells-matrix writes the table");
    }
}
