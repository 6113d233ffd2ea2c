//! The init scripts: templates decide, the library in `shells/` acts.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::ValueKind;
use minijinja::{Environment, UndefinedBehavior, Value, context};

use crate::core::failure::{Failure, Kind, Result};
use crate::core::shell::Shell;
use crate::core::shell::any::{Misread, quote_for_any};
use crate::core::tool::EXEC;

/// What an init script is made of.
#[derive(Debug)]
pub struct Integration {
    /// Our own program, by absolute path: what is first on PATH later may be something else.
    pub exe: String,
    /// The arguments behind `init SHELL` that make this script again: empty, or with a blank at their front.
    pub args: String,
    /// What stands before each function's name.
    pub prefix: String,
    /// The directory of the files that this shell completes from without asking.
    pub known: String,
    /// The directory of the user's manifests, if what comes there later gets its function too.
    pub tools: String,
    pub functions: Vec<Function>,
    pub completions: bool,
}

/// A shell function: one call of a runner, with its subject before the user's words.
#[derive(Debug)]
pub struct Function {
    pub name: String,
    pub runner: Runner,
    pub subject: String,
}

/// The functions of the library that do the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Runner {
    /// Runs a tool.
    Tool,
    /// Runs the default tool.
    Default,
    /// Shows or sets the default tool.
    Mode,
    /// Passes a word on to the program.
    Word,
    /// The same, for a word that only says what replaced it.
    Retired,
}

impl Runner {
    fn name(self) -> &'static str {
        match self {
            Self::Tool => "__ai_run",
            Self::Default => "__ai_default",
            Self::Mode => "__ai_mode",
            Self::Word | Self::Retired => "__ai_word",
        }
    }
}

/// The files of one shell: its templates, and the library whose text they put in as it stands, made by `build.rs` without comments.
struct ShellTemplates {
    /// Reads what the others make, so that no alias and no other shell changes what it means.
    load: &'static str,
    init: &'static str,
    completions: &'static str,
    functions: &'static str,
    completer: &'static str,
    /// What zsh and bash need before they have the library.
    caller: &'static str,
    register: &'static str,
    look: &'static str,
}

/// Reads text of bash line by line without aliases.
const PLAIN_BASH: &str = include_str!("../../../templates/plain.bash");
/// The last line of what can be told to be all.
const WHOLE: &str = "\n# ai is whole\n";

macro_rules! files {
    ($shell:literal, $caller:literal) => {
        ShellTemplates {
            load: include_str!(concat!("../../../templates/load.", $shell)),
            init: include_str!(concat!("../../../templates/init.", $shell)),
            completions: include_str!(concat!("../../../templates/completions.", $shell)),
            functions: include_str!(concat!(env!("OUT_DIR"), "/shells/ai.", $shell)),
            completer: include_str!(concat!(env!("OUT_DIR"), "/shells/complete.", $shell)),
            caller: include_str!(concat!(env!("OUT_DIR"), "/shells/", $caller)),
            register: include_str!(concat!(env!("OUT_DIR"), "/shells/register.zsh")),
            look: include_str!(concat!(env!("OUT_DIR"), "/shells/look.bash")),
        }
    };
}

fn files(shell: Shell) -> ShellTemplates {
    match shell {
        Shell::Zsh => files!("zsh", "call.zsh"),
        Shell::Bash => files!("bash", "call.bash"),
        // It has all from the beginning.
        Shell::Fish => files!("fish", "ai.fish"),
    }
}

/// Returns the script for `shell`. Every value is quoted for it as it is written.
pub fn render(shell: Shell, integration: &Integration) -> Result<String> {
    render_as(shell, "init", integration)
}

/// Only what completes.
pub fn completions(shell: Shell, integration: &Integration) -> Result<String> {
    render_as(shell, "completions", integration)
}

/// Returns what the scripts of zsh and bash bring in when it is first needed: the library, and for zsh the directory `known` of the
/// files that it completes from.
pub fn library(shell: Shell, known: &str) -> Result<String> {
    let files = files(shell);
    match shell {
        Shell::Bash => Ok(without_aliases(files.functions)),
        Shell::Zsh | Shell::Fish => {
            let known = format!("\n\\builtin typeset -g __ai_known={}\n", shell.quote(known));
            Ok([files.functions, &*known, files.completer, WHOLE].concat())
        }
    }
}

fn render_as(shell: Shell, template: &str, integration: &Integration) -> Result<String> {
    let files = files(shell);
    let result = environment(shell).and_then(|mut environment| {
        environment.add_template("completions", files.completions)?;
        environment.add_template("init", files.init)?;
        environment.add_template("load", files.load)?;
        let script = environment.get_template(template)?.render(values(shell, template, integration, &files))?;
        let script = match shell {
            Shell::Zsh => in_one_line(&script),
            Shell::Bash => without_aliases(script.trim_end()),
            Shell::Fish => script,
        };
        let quoted = |text: String| Value::from_safe_string(text);
        environment.get_template("load")?.render(context! {
            script => quoted(quote_for_any(&script, shell)),
            pieces => quoted(Misread::Pieces.question(shell, &integration.exe, &integration.args)),
            other => quoted(Misread::Elsewhere.question(shell, &integration.exe, &integration.args)),
        })
    });
    result.map_err(|error| cannot_render(shell, error))
}

fn cannot_render(shell: Shell, error: minijinja::Error) -> Failure {
    Failure::new(Kind::General, format!("cannot render the script for {shell}")).because(error)
}

/// Returns what bash reads line by line without aliases, and what it makes of this script then.
fn without_aliases(script: &str) -> String {
    // It has one value: a parser of templates would take longer than all that it is for.
    PLAIN_BASH.replacen("@@script@@", script, 1)
}

/// The script as one line, which is one quoted word: `csh_junkie_quotes` allows no line's end in it.
fn in_one_line(script: &str) -> String {
    let mut text = String::with_capacity(script.len());
    for line in script.lines().filter(|line| !line.is_empty()) {
        text.push_str(line);
        let goes_on = ["{", "then", "do", "else", "||", "&&", ";"].iter().any(|end| line.ends_with(end));
        text.push_str(if goes_on { " " } else { "; " });
    }
    text
}

/// The names that templates know.
fn values(shell: Shell, template: &str, integration: &Integration, files: &ShellTemplates) -> Value {
    // Parsed as a template, the library would take longer than all the rest.
    let as_it_stands = |text: &str| Value::from_safe_string(text.to_owned());
    let function = |function: &Function| {
        context! {
            name => &*function.name,
            runner => function.runner.name(),
            subject => &*function.subject,
            alone => function.runner == Runner::Tool,
        }
    };
    let for_a = |of: Shell, is_one: &dyn Fn(&Function) -> bool| -> Vec<Value> {
        integration.functions.iter().filter(|one| shell == of && is_one(one)).map(function).collect()
    };
    // What a POSIX shell takes as a function's name.
    let is_plain = |function: &Function| !function.name.contains('-');
    let is_run = |function: &Function| function.runner == Runner::Tool;
    // What is run like any other command completes like it.
    let (like_sudo, own): (Vec<&Function>, Vec<&Function>) =
        integration.functions.iter().filter(|function| function.runner != Runner::Retired).partition(|function| function.subject == EXEC);
    let names = |functions: Vec<&Function>| functions.into_iter().map(|function| function.name.clone()).collect::<Vec<_>>();
    let is_word = |function: &&Function| function.runner != Runner::Tool;
    let words: Vec<&Function> = integration.functions.iter().filter(is_word).collect();
    // Those that would run a tool on the host if they were something else.
    let is_held = |function: &&Function| function.runner == Runner::Tool && function.subject != EXEC;
    let held: Vec<&Function> = integration.functions.iter().filter(is_held).collect();
    let prefix = &*integration.prefix;
    let runs = integration.functions.iter().filter(|function| function.runner == Runner::Tool).collect();
    let (own, like_sudo) = (names(own), names(like_sudo));
    let registered: Vec<String> = std::iter::once("ai".to_owned()).chain(own.iter().cloned()).chain(like_sudo.iter().cloned()).collect();
    context! {
        prefix => prefix,
        // Within a word: it holds nothing that would need quotes.
        bare_prefix => Value::from_safe_string(prefix.to_owned()),
        // All of them, as a pattern of zsh's.
        pattern => format!("({})", integration.functions.iter().map(|function| &*function.name).collect::<Vec<_>>().join("|")),
        names => integration.functions.iter().map(|function| function.name.clone()).collect::<Vec<_>>(),
        // Where a name is looked for, between blanks.
        listed => format!(" ai {} ", own.join(" ")),
        words => names(words),
        library => as_it_stands(files.functions),
        completer => as_it_stands(files.completer),
        caller => as_it_stands(files.caller),
        register => as_it_stands(files.register),
        look => as_it_stands(files.look),
        runs => names(runs),
        // What a function of zsh is called, without the prefix; and what it runs.
        subject => Value::from_safe_string(if prefix.is_empty() { "\"$0\"".to_owned() } else { format!("\"${{0#{prefix}}}\"") }),
        run => Value::from_safe_string(if prefix.is_empty() {
            format!("\"${{0/#%gexec/{EXEC}}}\"")
        } else {
            format!("\"${{${{0#{prefix}}}/#%gexec/{EXEC}}}\"")
        }),
        subjects => held.iter().map(|function| function.subject.clone()).collect::<Vec<_>>(),
        held => names(held),
        files => Value::from_safe_string(match &*integration.tools {
            "" => String::new(),
            tools => format!(" {}/*.toml(N:t:r)", shell.quote(tools)),
        }),
        standalone => template == "completions",
        // It stands in each function, so it is quoted once.
        exe => Value::from_safe_string(shell.quote_in_a_line(&integration.exe)),
        known => &*integration.known,
        tools => &*integration.tools,
        functions => for_a(Shell::Fish, &|_| true),
        plain_runs => for_a(Shell::Bash, &|one| is_plain(one) && is_run(one)),
        plain_words => for_a(Shell::Bash, &|one| is_plain(one) && !is_run(one)),
        dashed => for_a(Shell::Bash, &|one| !is_plain(one)),
        dashed_runs => for_a(Shell::Bash, &|one| !is_plain(one) && is_run(one)),
        dashed_words => for_a(Shell::Bash, &|one| !is_plain(one) && !is_run(one)),
        completions => integration.completions,
        completed => own,
        precommands => like_sudo,
        registered,
    }
}

fn environment(shell: Shell) -> std::result::Result<Environment<'static>, minijinja::Error> {
    // Without the built-in filters and tests: no template uses them, and registering them takes longer than the rest.
    let mut environment = Environment::empty();
    environment.set_syntax(
        SyntaxConfig::builder()
            .block_delimiters("#<%", "%>")
            .variable_delimiters("@@", "@@")
            .comment_delimiters("#<#", "#>")
            .line_statement_prefix("#% ")
            .keep_trailing_newline(true)
            .build()?,
    );
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_formatter(move |out, _, value| {
        let text = value.as_str().unwrap_or_default();
        let quoted = |text: &str| shell.quote_in_a_line(text);
        let written = match value.kind() {
            // A list is words with blanks between them.
            ValueKind::Seq => {
                let words: Vec<String> = value.try_iter()?.map(|word| quoted(word.as_str().unwrap_or_default())).collect();
                out.write_str(&words.join(" "))
            }
            _ if value.is_safe() => out.write_str(text),
            _ => out.write_str(&quoted(text)),
        };
        written.map_err(minijinja::Error::from)
    });
    Ok(environment)
}
