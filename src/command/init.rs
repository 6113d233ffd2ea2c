//! `ai init`: the shell functions. Starts no process, touches no file.

use crate::core::failure::{Failure, Kind, Result};
use crate::core::shell::Shell;
use crate::core::shell::any::Misread;
use crate::core::shell::script::{self, Function, Integration, Runner};
use crate::core::tool::{self, default};
use crate::host::Host;
use crate::host::output;
use crate::host::store::places;
use clap::Args;

#[derive(Debug, Args)]
pub struct InitArgs {
    pub shell: Shell,
    /// Only these functions, separated by commas
    #[arg(long, value_delimiter = ',', value_name = "TOOL")]
    pub only: Vec<String>,
    /// Put this before each function's name
    #[arg(long, default_value = "", hide_default_value = true)]
    pub prefix: String,
    /// No completions
    #[arg(long)]
    pub no_completions: bool,
    /// Print what the script brings in when it is first needed
    #[arg(long, hide = true)]
    pub library: bool,
    /// Print what to do where the script could not be read
    #[arg(long, hide = true)]
    pub misread: Option<Misread>,
}

pub fn run(init: &InitArgs) -> Result<u8> {
    let host = Host::new()?;
    if init.library {
        let known = places::directory(&host, init.shell).into_os_string().into_string().unwrap_or_default();
        output::exact(script::library(init.shell, &known)?.as_bytes())?;
        return Ok(0);
    }
    if let Some(why) = tool::taken_prefix(&init.prefix) {
        let message = format!("cannot use the prefix `{}`: {why}", init.prefix);
        return Err(Failure::new(Kind::Usage, message).hint("another one, such as --prefix x_"));
    }
    if !init.prefix.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        || init.prefix.starts_with(|c: char| c.is_ascii_digit())
    {
        let message = format!("cannot use the prefix `{}`: it must begin a shell function's name", init.prefix);
        return Err(Failure::new(Kind::Usage, message).hint("letters, digits and underscores, such as --prefix x_"));
    }
    let mut functions = functions(&host);
    if let Some(unknown) = init.only.iter().find(|only| !functions.iter().any(|function| function.name == **only)) {
        let known: Vec<&str> = functions.iter().map(|function| function.name.as_str()).collect();
        return Err(Failure::new(
            Kind::Usage,
            format!("cannot print `{unknown}`: there is no such function; there are {}", known.join(", ")),
        ));
    }
    functions.retain(|function| init.only.is_empty() || init.only.contains(&function.name));
    for function in &mut functions {
        function.name.insert_str(0, &init.prefix);
        if !init.prefix.is_empty() && tool::is_taken(&function.name) {
            let message =
                format!("cannot use the prefix `{}`: `{}` is a word of a shell, of an engine or of ours", init.prefix, function.name);
            return Err(Failure::new(Kind::Usage, message).hint("another one, such as --prefix x_"));
        }
    }
    let all = integration(&host, init.shell, functions)?;
    if let Some(misread) = init.misread {
        output::exact(misread.answer(init.shell, &all.exe, &args(init)).as_bytes())?;
        return Ok(0);
    }
    // Whoever chose some wants no others.
    let tools = if init.only.is_empty() { all.tools } else { String::new() };
    let completions = !init.no_completions;
    let script = script::render(init.shell, &Integration { completions, tools, args: args(init), prefix: init.prefix.clone(), ..all })?;
    output::exact(script.as_bytes())?;
    Ok(0)
}

/// Returns what was typed behind `init SHELL`.
fn args(init: &InitArgs) -> String {
    let mut args = String::new();
    if !init.only.is_empty() {
        args += &format!(" --only {}", init.only.join(","));
    }
    if !init.prefix.is_empty() {
        args += &format!(" --prefix {}", init.prefix);
    }
    if init.no_completions {
        args += " --no-completions";
    }
    args
}

/// Returns every function that there is: the tools, then the words around them.
pub fn functions(host: &Host) -> Vec<Function> {
    let function = |name: &str, runner, subject: &str| Function { name: name.into(), runner, subject: subject.into() };
    let tools = host.tool_names().into_iter().map(|tool| function(&tool, Runner::Tool, &tool));
    let words = default::WORDS.into_iter().map(|(name, _)| match name {
        "gexec" => function(name, Runner::Tool, tool::EXEC),
        "ai-mode" => function(name, Runner::Mode, name),
        "ai-run" => function(name, Runner::Default, name),
        _ => function(name, Runner::Word, name),
    });
    let gone = default::RETIRED.into_iter().map(|(name, _)| function(name, Runner::Retired, name));
    tools.chain(words).chain(gone).collect()
}

/// Returns the integration of these functions, with completions.
pub fn integration(host: &Host, shell: Shell, functions: Vec<Function>) -> Result<Integration> {
    let exe = host.exe();
    let exe = exe
        .to_str()
        .ok_or_else(|| Failure::new(Kind::Config, format!("cannot name `{}` in a shell script: it is not UTF-8", exe.display())))?;
    // A store that no script can name has no files that it could complete from.
    let known = places::directory(host, shell).into_os_string().into_string().unwrap_or_default();
    let tools = host.store.tools().into_os_string().into_string().unwrap_or_default();
    Ok(Integration { exe: exe.into(), args: String::new(), prefix: String::new(), known, tools, functions, completions: true })
}
