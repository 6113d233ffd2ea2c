//! The init scripts: templates decide, the library in `shells/` acts.

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, UndefinedBehavior, Value, context};

use super::Shell;
use crate::failure::{Failure, Kind, Result};

/// What an init script is made of.
#[derive(Debug)]
pub struct Integration {
    /// Our own program, by absolute path: what is first on PATH later may be something else.
    pub exe: String,
    pub functions: Vec<Function>,
}

/// A shell function that runs a tool.
#[derive(Debug)]
pub struct Function {
    pub name: String,
    pub tool: String,
}

/// The script for `shell`. Every value is quoted for it as it is written.
pub fn render(shell: Shell, integration: &Integration) -> Result<String> {
    let (template, library, text) = match shell {
        Shell::Zsh => (include_str!("../../templates/init.zsh"), "ai.zsh", include_str!("../../shells/ai.zsh")),
        Shell::Bash => (include_str!("../../templates/init.bash"), "ai.bash", include_str!("../../shells/ai.bash")),
        Shell::Fish => (include_str!("../../templates/init.fish"), "ai.fish", include_str!("../../shells/ai.fish")),
    };
    let result = environment(shell).and_then(|mut environment| {
        environment.add_template(library, text)?;
        environment.add_template("init", template)?;
        environment.get_template("init")?.render(values(integration))
    });
    result.map_err(|error| Failure::new(Kind::General, format!("cannot render the script for {shell}")).because(error))
}

/// The names that templates know.
fn values(integration: &Integration) -> Value {
    let function = |function: &Function| context! { name => &*function.name, tool => &*function.tool };
    context! { exe => &*integration.exe, functions => integration.functions.iter().map(function).collect::<Vec<_>>() }
}

fn environment(shell: Shell) -> std::result::Result<Environment<'static>, minijinja::Error> {
    // No filters, tests or functions: the templates use none, and to register them costs as much as to render.
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
        let quoted = shell.quote(&value.to_string());
        out.write_str(&quoted).map_err(minijinja::Error::from)
    });
    Ok(environment)
}
