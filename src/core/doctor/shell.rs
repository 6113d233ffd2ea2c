//! What a new interactive shell makes of the integration: whether it loads, and what stands in its way.

use std::path::{Path, PathBuf};

use crate::core::doctor::{Finding, Level};
use crate::core::shell::complaints::ShellComplaint;
use crate::core::shell::known_lines::{NumberedLine, alias_lines, loading_lines, old_lines, setup_lines};
use crate::core::shell::{Shell, rc_lines};
use crate::core::text::typed::typed;

mod gaps;

use gaps::{bare, broken, elsewhere, last, order, shadows, uncompleted};

/// What the host found out about one shell.
#[derive(Debug)]
pub struct ShellCheckup {
    pub shell: Shell,
    /// The files that shells of this kind read when they start, in their order, as far as they are there.
    pub files: Vec<(PathBuf, Vec<u8>)>,
    /// The file that every interactive one reads, whether or not it is there.
    pub rc: PathBuf,
    /// The functions that the integration has.
    pub names: Vec<String>,
    /// This program.
    pub exe: PathBuf,
    /// What a new shell said.
    pub answer: ShellAnswer,
    /// What one said that begins with a login.
    pub login: Option<ShellAnswer>,
    /// What one said on a terminal that can do little, if a file asks for that.
    pub dumb: Option<ShellAnswer>,
    /// What one said outside of tmux and its like, if a file asks for that.
    pub plain: Option<ShellAnswer>,
    pub program: Program,
    /// What is wrong with the text of the files.
    pub broken: Vec<ShellComplaint>,
    /// The last line of the files that is read where it does not load, and the same after a login.
    pub last: Option<(PathBuf, usize)>,
    pub last_of_login: Option<(PathBuf, usize)>,
}

/// What came of asking a new shell.
#[derive(Debug)]
pub struct ShellAnswer {
    /// What it knows at its first prompt; why it said nothing otherwise.
    pub state: Result<ShellState, String>,
    /// The program that it had become, if that is another one.
    pub became: Option<String>,
    /// Whether it neither answered nor ended.
    pub late: bool,
}

impl ShellAnswer {
    pub fn is_loaded(&self) -> bool {
        self.state.as_ref().is_ok_and(|state| state.program.is_some())
    }
}

/// What the program that the functions call is to this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    Same,
    Other,
    Gone,
}

/// What a new shell knows after it has read its files.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct ShellState {
    /// The program that the functions call; `None` if they are not loaded.
    pub program: Option<String>,
    /// Aliases of the functions' names, and what they stand for.
    pub aliases: Vec<(String, String)>,
    /// Functions of these names that are not ours.
    pub functions: Vec<String>,
    /// Names that are no function at all.
    pub missing: Vec<String>,
    /// Names that the shell took back, with a line.
    pub taken: Vec<String>,
    /// Whether zsh completes file names alone, for lack of compinit.
    pub is_uncompleted: bool,
}

/// Begins each line of the answer: rc files may print what they like around it.
const MARK: &str = "__ai_doctor ";

impl ShellState {
    /// Reads what `shells/doctor.*` writes, and what was shown before; `None` if the shell ended before it came to that.
    pub fn parse(text: &str, screen: &str) -> Option<Self> {
        let mut lines = text.lines().filter_map(|line| line.strip_prefix(MARK)).peekable();
        lines.peek()?;
        let back = |line: &str| Some(line.split_once("one that loads ai made ")?.1.split_once(' ')?.0.to_owned());
        let mut answer = Self { taken: screen.lines().filter_map(back).collect(), ..Self::default() };
        for line in lines {
            match line.split_once(' ') {
                Some(("program", path)) => answer.program = (!path.is_empty()).then(|| path.to_owned()),
                Some(("alias", alias)) => answer.aliases.extend(alias.split_once(' ').map(|(name, text)| (name.into(), text.into()))),
                Some(("function", name)) => answer.functions.push(name.into()),
                Some(("missing", name)) => answer.missing.push(name.into()),
                None if line == "uncompleted" => answer.is_uncompleted = true,
                _ => {}
            }
        }
        Some(answer)
    }
}

/// Returns everything that there is to say about this shell.
pub fn examine(checkup: &ShellCheckup) -> Vec<Finding> {
    let mut findings = vec![loaded(checkup)];
    findings.extend(broken(checkup));
    findings.extend(elsewhere(checkup));
    findings.extend(bare(checkup));
    findings.extend(later_setup(checkup));
    findings.extend(uncompleted(checkup));
    findings.extend(old_script(checkup));
    findings.extend(shadows(checkup));
    findings.extend(own_name(checkup));
    findings.extend(twice(checkup));
    findings.extend(program(checkup));
    findings
}

/// Returns what keeps the words of the tools from running their containers.
pub fn obstacles(checkup: &ShellCheckup) -> Vec<Finding> {
    let matters = |finding: &Finding| match &*finding.title {
        "integration" | "program" | "login" | "plain" => finding.level >= Level::Warning,
        title => title.starts_with("name ") && finding.level >= Level::Error,
    };
    examine(checkup).into_iter().filter(matters).collect()
}

/// Returns what the person should know although the words run their containers.
pub fn remarks(checkup: &ShellCheckup) -> Vec<Finding> {
    let matters = |finding: &Finding| ["terminal", "syntax"].contains(&&*finding.title) || finding.title.starts_with("name ");
    examine(checkup).into_iter().filter(|finding| matters(finding) && finding.level == Level::Warning).collect()
}

/// Returns an alias of our own name, such as those that frameworks have.
fn own_name(checkup: &ShellCheckup) -> Option<Finding> {
    let answer = checkup.answer.state.as_ref().ok()?;
    let what = match answer.aliases.iter().find(|(name, _)| name == "ai") {
        Some((_, text)) => format!("the alias `{text}`"),
        None if answer.functions.iter().any(|name| name == "ai") => "a function".to_owned(),
        None => return None,
    };
    let cause = format!("`ai` is {what} in a new {}, so that is what runs instead of this program", checkup.shell);
    Some(Finding::new(Level::Warning, "alias ai", cause).hint("type `command ai`, also in the line that loads; or remove that name"))
}

/// Lines of all files of the shell, with their files.
fn places<'a>(
    checkup: &'a ShellCheckup,
    find: impl Fn(&[u8]) -> Vec<NumberedLine> + 'a,
) -> impl Iterator<Item = (&'a Path, NumberedLine)> + 'a {
    checkup.files.iter().flat_map(move |(path, text)| find(text).into_iter().map(move |line| (path.as_path(), line)))
}

fn loaded(checkup: &ShellCheckup) -> Finding {
    let ShellCheckup { shell, rc, .. } = checkup;
    let line = places(checkup, |text| loading_lines(text, *shell)).next().map(|(path, (number, _))| (path, number));
    let finding = |level, cause| Finding::new(level, "integration", cause);
    let install = format!("ai install {shell}");
    if let Some(other) = &checkup.answer.became {
        let cause = format!("a new {shell} goes over to `{other}`");
        let other = Shell::ALL.into_iter().find(|shell| other.trim_start_matches('-').starts_with(shell.name()));
        return match (checkup.answer.is_loaded(), other) {
            (true, _) => finding(Level::Ok, format!("{cause}, which loads it")),
            (false, Some(other)) => finding(Level::Warning, format!("{cause}, which does not load it")).hint(format!("ai install {other}")),
            (false, None) => finding(Level::Warning, cause).hint("set the words up where that program reads them, or: ai install --shims"),
        };
    }
    let last = last(checkup.last.as_ref(), checkup).map_or_else(String::new, |last| format!("; {last}"));
    match (&checkup.answer.state, line) {
        (Err(why), _) => finding(Level::Warning, format!("{why}{last}")).hint(format!("{shell} -i -c true, and see what it does")),
        (Ok(ShellState { program: Some(_), .. }), Some((path, number))) => {
            finding(Level::Ok, format!("{}:{number} loads it", path.display()))
        }
        (Ok(ShellState { program: Some(_), .. }), None) => {
            finding(Level::Ok, format!("something else than a line in `{}` loads it, such as a plugin manager", rc.display()))
        }
        (Ok(_), None) => finding(Level::Warning, format!("`{}` has no line that loads it", rc.display())).hint(install),
        (Ok(_), Some((path, number))) if path == rc => {
            finding(Level::Warning, format!("{}:{number} should load it, and does not{last}", path.display()))
                .hint(format!("{shell} -i -c true, and see what it says; the line may be behind a condition or an early end of the file"))
        }
        (Ok(_), Some((path, number))) => {
            let cause = format!("{}:{number} would load it, but not every interactive {shell} reads that file", path.display());
            finding(Level::Warning, cause).hint(install)
        }
    }
}

/// Finds what is loaded after our line, which may define aliases of the same names; completion waits for the first prompt by itself.
fn later_setup(checkup: &ShellCheckup) -> Option<Finding> {
    if checkup.shell != Shell::Zsh {
        return None;
    }
    let (path, text) = checkup.files.iter().find(|(path, _)| *path == checkup.rc)?;
    let (ours, _) = loading_lines(text, checkup.shell).into_iter().next()?;
    let (number, setup) = setup_lines(text).into_iter().find(|(number, _)| *number > ours)?;
    let cause = format!("{}:{ours} comes before line {number} ({}), which may define the same names", path.display(), setup.trim());
    Some(Finding::new(Level::Note, "order", cause).hint("move the line of ai to the end of the file"))
}

fn old_script(checkup: &ShellCheckup) -> Vec<Finding> {
    let found = places(checkup, old_lines).map(|(path, (number, line))| {
        let cause = format!("{}:{number} still loads the script that this program replaces: {}", path.display(), line.trim());
        Finding::new(Level::Warning, "old script", cause).hint(format!("ai install {} turns it off, or remove the line", checkup.shell))
    });
    found.collect()
}

/// Aliases and functions of our names: those that win, and those that the integration took out of the way.
fn shadows_in(checkup: &ShellCheckup, answer: &ShellAnswer) -> Vec<Finding> {
    let Ok(answer @ ShellState { program: Some(_), .. }) = &answer.state else { return Vec::new() };
    // Whoever chose names may well have something else under the others.
    let chosen = places(checkup, |text| loading_lines(text, checkup.shell))
        .any(|(_, (_, line))| rc_lines::args(&line, checkup.shell).is_some_and(|args| args.contains("--")));
    let wins = if chosen { Level::Note } else { Level::Error };
    // With its place in the order in which the files are read.
    let found = |name: &str| {
        let last = places(checkup, |text| alias_lines(text, name, checkup.shell)).last();
        last.map(|(path, (number, _))| (order(checkup, path, number), format!("{}:{number}", path.display())))
    };
    let place = |name: &str| found(name).map(|(_, place)| place);
    let loading = places(checkup, |text| loading_lines(text, checkup.shell)).map(|(path, (number, _))| order(checkup, path, number)).last();
    let is_before = |name: &str| found(name).map(|(order, _)| order) < loading;
    let title = |name: &str| format!("name {name}");
    let mut findings = Vec::new();
    for name in &checkup.names {
        let place = place(name);
        let at = place.as_ref().map_or_else(String::new, |place| format!(" ({place})"));
        if let Some((_, text)) = answer.aliases.iter().find(|(alias, _)| alias == name) {
            findings.push(if text.split_whitespace().next() == Some(name) {
                Finding::new(Level::Note, title(name), format!("the alias `{text}`{at} adds words to the function"))
            } else {
                Finding::new(wins, title(name), format!("the alias `{text}`{at} wins over the function, without a container"))
                    .hint(format!("{REMOVE}, or use other names: ai init {} --prefix x_", checkup.shell))
            });
        } else if answer.functions.contains(name) {
            findings.push(
                Finding::new(wins, title(name), format!("another function{at} replaces ours"))
                    .hint(format!("{REMOVE}; `type {name}` shows it")),
            );
        } else if answer.missing.contains(name) && !chosen && !is_hyphenated(name) {
            findings.push(
                Finding::new(wins, title(name), format!("it is no function in a new {}, although ai is loaded there", checkup.shell))
                    .hint("look behind the line that loads ai for what takes functions away"),
            );
        } else if answer.taken.contains(name) {
            let cause =
                format!("a line{at} behind the one that loads ai gives it another meaning, which each new {} takes back", checkup.shell);
            findings.push(Finding::new(Level::Warning, title(name), cause).hint(REMOVE));
        } else if let Some(place) = place.filter(|_| is_before(name)) {
            findings.push(Finding::new(
                Level::Note,
                title(name),
                format!("the alias at {place} is not in use: the function took its place"),
            ));
        }
    }
    findings
}

const REMOVE: &str = "remove it, or put it before the line that loads ai";

/// A POSIX bash has no functions of such names.
fn is_hyphenated(name: &str) -> bool {
    name.contains('-')
}

/// Another line that loads it costs each shell its time.
fn twice(checkup: &ShellCheckup) -> Option<Finding> {
    let lines: Vec<String> = places(checkup, |text| loading_lines(text, checkup.shell))
        .map(|(path, (number, _))| format!("{}:{number}", path.display()))
        .collect();
    let guarded = checkup.shell == Shell::Bash && lines.len() == 2 && !lines[1].contains(".bashrc");
    (lines.len() > 1 && !guarded).then(|| {
        Finding::new(Level::Note, "loaded twice", format!("each of these lines loads it: {}", lines.join(", ")))
            .hint(format!("keep one of them; ai install {} makes one of several blocks", checkup.shell))
    })
}

fn program(checkup: &ShellCheckup) -> Option<Finding> {
    let loaded = checkup.answer.state.as_ref().ok()?.program.as_ref()?;
    let exe = checkup.exe.display();
    let finding = |level, cause| Finding::new(level, "program", cause);
    Some(match checkup.program {
        Program::Same => finding(Level::Ok, loaded.clone()),
        Program::Other => finding(Level::Warning, format!("the functions call `{loaded}`, and this is `{exe}`"))
            .hint(format!("ai install {}", checkup.shell)),
        Program::Gone => finding(Level::Error, format!("the functions call `{loaded}`, which is gone; this is `{exe}`")).hint(format!(
            "{} install {}, then start a new shell",
            typed(&exe.to_string()),
            checkup.shell
        )),
    })
}
