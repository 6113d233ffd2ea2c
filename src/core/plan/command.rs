//! What runs in the container: a tool with the person's words, or a command of the person's own.

use std::ffi::OsString;

use super::{Request, has_login};
use crate::core::failure::{Failure, Kind, Result};
use crate::core::tool::Tool;

/// What a run is to do, as it was typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunCommand {
    /// The tool's own program with these words.
    Tool(Vec<OsString>),
    /// A program with its arguments.
    Words(Vec<OsString>),
    /// One line for the container's shell.
    Line(OsString),
    /// A shell to type into.
    Shell,
}

impl RunCommand {
    /// Returns what words behind a tool's name mean. Behind `exec` they are a command: `--shell LINE` is a line for the shell, a
    /// leading `--` ends what is ours.
    ///
    /// # Errors
    /// `--shell` without exactly one word behind it, and what [`RunCommand::bare`] refuses.
    pub fn of(tool: &Tool, mut words: Vec<OsString>) -> Result<Self> {
        if !tool.is_exec() {
            return Ok(Self::Tool(words));
        }
        match words.first() {
            Some(first) if first == "--" => {
                words.remove(0);
                Ok(Self::words(words))
            }
            Some(first) if first == "--shell" => match <[OsString; 2]>::try_from(words) {
                Ok([_, line]) => Ok(Self::Line(line)),
                Err(_) => Err(usage("--shell takes one word, the command line")),
            },
            _ => Self::bare(words),
        }
    }

    /// Returns the command that `words` are: a program with its arguments, or a shell where there is none.
    fn words(words: Vec<OsString>) -> Self {
        if words.is_empty() { Self::Shell } else { Self::Words(words) }
    }

    /// Returns the command that words are which no `--` ends ours before.
    ///
    /// # Errors
    /// Where the first looks like an option: one that is misspelt would be run as a program.
    pub fn bare(words: Vec<OsString>) -> Result<Self> {
        match words.first() {
            Some(first) if first.as_encoded_bytes().starts_with(b"-") => {
                let why = format!("there is no option `{}`", first.to_string_lossy());
                Err(usage(&why).hint("ai help exec; the options stand before the command"))
            }
            _ => Ok(Self::words(words)),
        }
    }

    /// Returns a command that stands for any other, for what must be decided before the words are known.
    pub fn placeholder(tool: &Tool) -> Self {
        if tool.is_exec() { Self::Words(vec!["true".into()]) } else { Self::Tool(Vec::new()) }
    }

    /// Returns the words behind the tool's name that mean this.
    pub fn typed(&self) -> Vec<OsString> {
        match self {
            Self::Tool(words) => words.clone(),
            Self::Words(words) => std::iter::once("--".into()).chain(words.iter().cloned()).collect(),
            Self::Line(line) => vec!["--shell".into(), line.clone()],
            Self::Shell => Vec::new(),
        }
    }

    /// Returns the words of the person that the tool will read as its own options; none for a command of theirs.
    pub(super) fn options(&self) -> &[OsString] {
        match self {
            Self::Tool(words) => words,
            Self::Words(_) | Self::Line(_) | Self::Shell => &[],
        }
    }

    /// Returns the first words in the container, and the person's words behind them.
    pub(super) fn split(&self, request: &Request) -> Result<(Vec<OsString>, Vec<OsString>)> {
        let (command, words) = self.words_inside(request)?;
        Ok((under_umask(request.facts.user.umask, command), words))
    }

    fn words_inside(&self, request: &Request) -> Result<(Vec<OsString>, Vec<OsString>)> {
        let shell = |line: OsString| vec!["sh".into(), "-c".into(), line];
        match self {
            Self::Tool(words) => Ok((program(request), words.clone())),
            Self::Words(words) => Ok((words.clone(), Vec::new())),
            Self::Line(line) => Ok((shell(line.clone()), Vec::new())),
            Self::Shell if request.terminal.stdin && request.terminal.stdout => Ok((shell(INTERACTIVE_SHELL.into()), Vec::new())),
            Self::Shell => Err(usage("there is no command, and no terminal for a shell")),
        }
    }
}

/// bash where the image has it, since people type into it.
const INTERACTIVE_SHELL: &str = "command -v bash >/dev/null && exec bash; exec sh";

/// Engines begin with this.
const USUAL_UMASK: u32 = 0o022;

/// Returns a command under the person's umask, where that is another than the engine's: files of a group stay the group's.
fn under_umask(umask: u32, command: Vec<OsString>) -> Vec<OsString> {
    if umask == USUAL_UMASK {
        return command;
    }
    let line = format!("umask {umask:03o}; exec \"$@\"");
    ["sh".into(), "-c".into(), line.into(), "sh".into()].into_iter().chain(command).collect()
}

/// Returns the tool's own program, behind what its manifest says must be done first where there is a login.
fn program(request: &Request) -> Vec<OsString> {
    let settings = &request.config.settings;
    let reports = request.tool.manifest.telemetry.as_ref().zip(settings.telemetry.value.as_ref());
    let reports = reports.map_or_else(Vec::new, |(rules, collector)| rules.words(collector, &settings.network.value));
    let manifest = &request.tool.manifest;
    let command = manifest.command.iter().cloned().chain(reports).chain(manifest.args.iter().cloned()).map(OsString::from);
    let Some(state) = &request.tool.manifest.state else { return command.collect() };
    let before = if request.tool.logs_in_at_home() {
        vec!["sh", "-c", AT_HOME, "sh", &state.home.at, &state.login.at].into_iter().map(OsString::from).collect()
    } else {
        let before = state.before.as_ref().filter(|_| has_login(request));
        before.map_or_else(Vec::new, |line| vec!["sh".into(), "-c".into(), format!("{line}; exec \"$@\"").into(), "sh".into()])
    };
    before.into_iter().chain(relaunched(request, command.collect())).collect()
}

/// Returns the program under what starts it again where it ends with the code by which it asks for that: at a terminal, where a person
/// chose something that holds from its start on. Where it was to log in, and has, it has done its work.
fn relaunched(request: &Request, command: Vec<OsString>) -> Vec<OsString> {
    let Some(code) = request.tool.manifest.relaunch.filter(|_| request.terminal.stdin && request.terminal.stdout) else { return command };
    let login = request.tool.manifest.state.as_ref().filter(|_| request.tool.logs_in_at_home()).map(|state| &state.login);
    let login = login.and_then(|login| Some(format!("{}/{}", login.at, login.files.first()?))).unwrap_or_default();
    let line = RELAUNCH.replace("{code}", &code.to_string()).replace("{login}", &login);
    ["sh".into(), "-c".into(), line.into(), "sh".into()].into_iter().chain(command).collect()
}

/// In perl, which images of ours have: a shell would end by Ctrl-C where its program does not, and pass no signal on.
const RELAUNCH: &str = r#"command -v perl >/dev/null || exec "$@"
exec perl -e '
    my $job;
    $SIG{TERM} = sub { kill "TERM", $job if $job };
    $SIG{$_} = sub {} for qw(HUP INT QUIT);
    sub seen { join " ", (stat "{login}")[1, 7, 9] }
    my $before = seen();
    while (1) {
        $job = fork // die "cannot fork: $!
";
        if (!$job) { exec { $ARGV[0] } @ARGV; print STDERR "$ARGV[0]: $!
"; exit($! == 2 ? 127 : 126) }
        1 while waitpid($job, 0) != $job && $! == 4;
        next if $? == {code} << 8 && seen() eq $before;
        exit($? & 127 ? 128 + ($? & 127) : $? >> 8);
    }' "$@""#;

/// Makes the home a link to the login's directory, inside: on the host, that directory is one that containers can replace, and so is
/// never mounted by itself.
const AT_HOME: &str = r#"mkdir -p "${1%/*}" && rm -rf "$1" && ln -s "$2" "$1" && shift 2 && exec "$@""#;

fn usage(why: &str) -> Failure {
    Failure::new(Kind::Usage, format!("cannot run a command in the container: {why}"))
        .hint("gexec CMD ARGS…, or gexec --shell 'CMD | CMD', or gexec alone on a terminal")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::tool::{self, Tool};

    #[track_caller]
    fn check(words: &[&str], expected: Option<RunCommand>) {
        let exec = Tool::load(tool::EXEC, |name| Ok(tool::built_in(name))).unwrap().unwrap();
        let words = words.iter().map(OsString::from).collect();
        assert_eq!(RunCommand::of(&exec, words).ok(), expected);
    }

    #[test]
    fn words_behind_exec_are_a_command() {
        let words = |words: &[&str]| Some(RunCommand::Words(words.iter().map(OsString::from).collect()));
        check(&[], Some(RunCommand::Shell));
        check(&["ls", "-l"], words(&["ls", "-l"]));
        check(&["--", "ls"], words(&["ls"]));
        check(&["--", "--shell", "id"], words(&["--shell", "id"]));
        check(&["--"], Some(RunCommand::Shell));
        check(&["--shell", "id | wc"], Some(RunCommand::Line("id | wc".into())));
        check(&["--shell"], None);
        check(&["--cache", "npm", "--", "true"], None);
        check(&["--shell", "a", "b"], None);
    }
}
