//! A message for a commit, from a tool that sees the prompt and nothing else.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::core::commit::answer::{self, NoMessage};
use crate::core::failure::{Failure, Kind, Result};
use crate::host::machine::interrupt::Interrupt;
use crate::host::machine::piped::{End, Piped};
use crate::session::context::Context;
use crate::session::errand::{self, Errand};

/// What came of asking.
#[derive(Debug)]
pub enum Suggestion {
    Message(String),
    /// The person ended it with this signal.
    Interrupted(u8),
}

/// Makes a context that of its tool's commit messages.
///
/// # Errors
/// Where the tool's manifest does not say how it writes one.
pub fn for_commits(mut context: Context) -> Result<Context> {
    let model = context.config.settings.commit_model.value.clone();
    let unable = || {
        Failure::new(Kind::Config, format!("cannot commit with {}: its manifest has no `[commit]`", context.tool.name))
            .hint("another tool: ai commit --tool claude")
    };
    context.tool = context.tool.at_commit(model.as_deref()).ok_or_else(unable)?;
    // No token of another account than the tool's own.
    context.config.settings.gh_token.value = false;
    context.config.admitted.publish.clear();
    context.config.settings.keep.value = false;
    Ok(context)
}

/// Asks the tool of a context from [`for_commits`].
pub fn suggest(context: &Context, prompt: &str, interrupt: &Interrupt) -> Result<Suggestion> {
    let rules = context.tool.manifest.commit.as_ref();
    let nothing = BTreeMap::new();
    let patience = Duration::from_secs(context.config.settings.commit_deadline.value.into());
    let errand = Errand { files: rules.map_or(&nothing, |rules| &rules.files), input: prompt, patience, interrupt };
    let Piped { end, stdout, stderr } = errand::run(context, &errand)?;
    let name = &context.tool.name;
    let cannot = |why: String| Failure::new(Kind::General, format!("cannot get a message from {name}: {why}"));
    let said = |failure: Failure, text: &str| {
        let text = if text.trim().is_empty() { String::from_utf8_lossy(&stderr).into_owned() } else { text.to_owned() };
        let failure = if text.trim().is_empty() { failure } else { failure.because(last_lines(&text)) };
        failure.hint(format!("try it: {name}; a login: ai login {name}"))
    };
    match end {
        End::Interrupted(signal) => return Ok(Suggestion::Interrupted(signal)),
        End::Late => {
            let failure = cannot(format!("no answer in {} s", patience.as_secs()));
            return Err(Failure { kind: Kind::Unavailable, ..failure }.hint("commit_deadline, or AI_COMMIT_DEADLINE, makes it longer"));
        }
        End::TooMuch => return Err(cannot("it printed too much".into())),
        End::Code(_) => {}
    }
    let message = answer::message(rules.and_then(|rules| rules.answer.as_ref()), &stdout);
    match (message, end) {
        (Ok(message), End::Code(0)) => Ok(Suggestion::Message(message)),
        (Err(NoMessage::Failed(text)), _) => Err(said(cannot("it answered with an error".into()), &text)),
        (_, End::Code(code)) if code > 0 => Err(said(cannot(format!("it ended with {code}")), &String::from_utf8_lossy(&stdout))),
        (Err(why), _) => Err(said(cannot(why.to_string()), "")),
        (Ok(_), _) => Err(cannot("it did not end by itself".into())),
    }
}

/// Returns as much of what a program said as somebody reads.
fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.trim().lines().collect();
    let short = |line: &&str| line.chars().take(300).collect::<String>();
    lines.iter().skip(lines.len().saturating_sub(8)).map(short).collect::<Vec<_>>().join("\n")
}
