//! `ai init`: the shell functions. Starts no process, touches no file.

use crate::cli::Init;
use crate::failure::{Failure, Kind, Result};
use crate::host::Host;
use crate::output;
use crate::shell::script::{self, Function, Integration};

pub fn run(init: &Init) -> Result<u8> {
    let host = Host::new()?;
    if !init.prefix.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        || init.prefix.starts_with(|c: char| c.is_ascii_digit())
    {
        let message = format!("cannot use the prefix `{}`: it must begin a shell function's name", init.prefix);
        return Err(Failure::new(Kind::Usage, message).hint("letters, digits and underscores, such as --prefix x_"));
    }
    let mut functions: Vec<Function> = host.tool_names().into_iter().map(|tool| Function { name: tool.clone(), tool }).collect();
    functions.push(Function { name: "gexec".into(), tool: crate::tool::EXEC.into() });
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
    }
    let exe = host.exe();
    let exe = exe
        .to_str()
        .ok_or_else(|| Failure::new(Kind::Config, format!("cannot name `{}` in a shell script: it is not UTF-8", exe.display())))?;
    let script = script::render(init.shell, &Integration { exe: exe.into(), functions })?;
    output::data(script.as_bytes())?;
    Ok(0)
}
