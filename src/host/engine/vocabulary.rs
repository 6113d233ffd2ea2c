//! Learns the words of the tools, for completion, from the `--help` of the programs in an image.

use std::ffi::OsString;

use crate::core::complete::help_text;
use crate::core::complete::vocabulary::Vocabulary;
use crate::core::engine::kind::Engine;
use crate::core::facts::Facts;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::image::{TOOL_IMAGE, installed_tool};
use crate::core::plan::{Part, Variable, tools_image};
use crate::core::render;
use crate::core::shell::Shell;
use crate::core::tool::Tool;
use crate::host::fs::files;
use crate::host::machine::process;
use crate::host::store::{image, places};
use crate::host::{self, Host, output};

/// Records the options and sub-commands of each tool that `image` holds.
pub fn learn(host: &Host, facts: &Facts, image: &str) -> Result<()> {
    if facts.engine.program.is_none() {
        return Err(Failure::new(Kind::Unavailable, "cannot learn the tools' options: no engine"));
    }
    if let Err(error) = image::remember_programs(&host.store, image, programs(&facts.engine, image)?) {
        output::warn(&format!("cannot remember the programs of {image}: {error}"));
    }
    for name in host.tool_names() {
        let Ok(Some(tool)) = Tool::load(&name, |name| host.manifest(name)) else { continue };
        let own = tools_image(&tool);
        let is_elsewhere = own != image && (own != TOOL_IMAGE || installed_tool(image).is_some());
        if tool.base != tool.name || is_elsewhere {
            continue;
        }
        if host::terminal().stderr {
            output::note(&format!("asking {name} for its options"));
        }
        let vocabulary = ask(&facts.engine, image, &tool)?;
        if vocabulary.is_empty() {
            output::note(&format!("{name} says nothing about its options; hint: list them in its manifest, as `complete`"));
            continue;
        }
        let path = host.store.vocabulary(&name);
        let saved =
            path.parent().map_or(Ok(()), files::private_dir).and_then(|()| files::write_private(&path, vocabulary.print().as_bytes()));
        saved.map_err(|error| Failure::new(Kind::General, format!("cannot write `{}`", path.display())).because(error))?;
    }
    // Shells that are open ask again.
    for shell in Shell::ALL {
        places::forget(host, shell);
    }
    Ok(())
}

/// Returns the names of the programs in an image.
fn programs(engine: &Engine, image: &str) -> Result<Vec<String>> {
    let script = "IFS=:; for directory in $PATH; do ls -1 \"$directory\" 2>/dev/null; done; :";
    let stdout = run(engine, image, &["-c", script].map(OsString::from), "the image for its programs")?;
    let mut names: Vec<String> = String::from_utf8_lossy(&stdout).lines().map(str::to_owned).collect();
    names.sort_unstable();
    names.dedup();
    Ok(names)
}

/// Asks a tool in a container for its help, then once more for that of its sub-commands.
fn ask(engine: &Engine, image: &str, tool: &Tool) -> Result<Vocabulary> {
    let program = tool.manifest.command.first().map_or("", String::as_str);
    let program = program.rsplit('/').next().unwrap_or(program);
    let mut vocabulary = Vocabulary::default();
    let mut contexts = vec![String::new()];
    for _ in 0..2 {
        for (context, text) in help_of(engine, image, tool, &contexts)? {
            vocabulary.extend(help_text::read(program, &context, &text));
        }
        contexts = vocabulary.commands().into_iter().filter(|command| command != "help").collect();
        if contexts.is_empty() {
            break;
        }
    }
    Ok(vocabulary)
}

/// Prints the help of each context behind a line that names it. A tool that waits for something is not waited for.
const SCRIPT: &str = r#"contexts=$1; shift
newline='
'
IFS=$newline
for context in $contexts; do
    printf '\036%s\n' "$context"
    IFS=' '
    timeout 30 "$@" ${context#-} --help </dev/null 2>/dev/null
    IFS=$newline
done
:"#;

fn help_of(engine: &Engine, image: &str, tool: &Tool, contexts: &[String]) -> Result<Vec<(String, String)>> {
    // A leading `-` stands for no context, since an empty line would be lost.
    let contexts: Vec<String> = contexts.iter().map(|context| format!("-{context}")).collect();
    let joined = contexts.join("\n");
    let mut command: Vec<OsString> = ["-c", SCRIPT, "sh", &joined].map(OsString::from).into();
    command.extend(tool.manifest.command.iter().map(OsString::from));
    let stdout = run(engine, image, &command, &format!("{} for its options", tool.name))?;
    let text = String::from_utf8_lossy(&stdout);
    let parts = text.split('\u{1e}').filter_map(|part| part.split_once('\n'));
    Ok(parts.map(|(context, text)| (context.trim_start_matches('-').to_owned(), text.to_owned())).collect())
}

/// Runs a shell in a container that reaches nothing, and returns what it printed.
fn run(engine: &Engine, image: &str, command: &[OsString], whom: &str) -> Result<Vec<u8>> {
    let home = Variable::Literal("HOME".into(), "/tmp".into());
    let parts = [
        Part::Program("sh"),
        Part::Ephemeral,
        Part::Reaper,
        Part::Network("none".into()),
        Part::NoDownload,
        Part::NoLog,
        Part::Variable(home),
    ];
    let args = render::container(parts.iter(), image, command, engine.kind);
    let (status, stdout, stderr) = process::output(&render::program(engine), &args)?;
    if status.success() {
        return Ok(stdout);
    }
    Err(Failure::new(Kind::Unavailable, format!("cannot ask {whom}")).because(String::from_utf8_lossy(&stderr)).hint("ai image status"))
}
