//! Explains exit codes 125 to 127 and 137, which the engine or the kernel gave.

use crate::core::engine::kind::EngineKind;

/// What is known about a run that ended.
#[derive(Debug)]
pub struct Ending<'a> {
    pub code: u8,
    /// First word of the command in the container.
    pub program: &'a str,
    pub image: &'a str,
    pub engine: EngineKind,
    /// Memory limit in bytes.
    pub memory: Option<u64>,
    /// What the engine remembers of the container; `None` where it could not be asked.
    pub history: Option<&'a [String]>,
}

/// What engines end with that did not start a container.
pub const REFUSED: u8 = 125;

/// 128 and the signal that nobody survives.
pub const KILLED: u8 = 137;

/// Returns the exit codes that are worth a question to the engine.
pub fn is_worth_explaining(code: u8) -> bool {
    matches!(code, 125..=127 | KILLED)
}

/// Returns one sentence and a hint; nothing where the code is the tool's own business.
pub fn explain(ending: &Ending) -> Option<(String, String)> {
    let Ending { code, program, image, engine, memory, history } = *ending;
    let happened = |word: &str| history.map(|history| history.iter().any(|event| event == word));
    let started = happened("start");
    if matches!(code, 126 | 127) && history.is_some_and(<[String]>::is_empty) {
        // The engine was never asked; the shell has said why.
        return None;
    }
    match code {
        125 if started == Some(true) => None,
        125 if history.is_none() => Some((
            format!("the engine does not answer any more (125; the line of `{}` above says why)", engine.program()),
            "ai doctor".into(),
        )),
        125 => Some((
            format!("the engine refused to start the container (125, its own code; the line of `{}` above says why)", engine.program()),
            "ai doctor".into(),
        )),
        126 => Some((
            format!("`{program}` could not be executed in {image} (126)"),
            format!("ai exec --shell 'ls -l \"$(command -v {program})\"'"),
        )),
        127 => Some((format!("{image} has no program `{program}`, or it ended with 127 itself"), "ai image status; ai image build".into())),
        KILLED if happened("oom") == Some(true) => Some((
            format!("out of memory: the kernel ended the tool at its limit{} (137)", limit(memory)),
            "give it more: AI_MEMORY=8g, or `memory` in config.toml".into(),
        )),
        // podman has no word for it, and a limit is the usual reason.
        KILLED if memory.is_some() && (!engine.traits().tells_oom || history.is_none()) => Some((
            format!("the tool was killed (137): by `ai stop` or somebody else, or probably by its memory limit{}", limit(memory)),
            "give it more: AI_MEMORY=8g, or `memory` in config.toml".into(),
        )),
        _ => None,
    }
}

fn limit(memory: Option<u64>) -> String {
    memory.map_or_else(String::new, |bytes| format!(" of {} MiB", bytes >> 20))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(code: u8, memory: Option<u64>, history: Option<&[&str]>, expected: Option<&str>) {
        let history: Option<Vec<String>> = history.map(|history| history.iter().map(|event| (*event).into()).collect());
        let ending = Ending { code, program: "claude", image: "i", engine: EngineKind::Docker, memory, history: history.as_deref() };
        let text = explain(&ending).map(|(text, _)| text);
        match (text, expected) {
            (Some(text), Some(expected)) => assert!(text.contains(expected), "{text}"),
            (text, expected) => assert_eq!(text.as_deref(), expected),
        }
    }

    // Z-072
    #[test]
    fn the_memory_limit_is_named_when_it_struck() {
        check(137, Some(64 << 20), Some(&["start", "oom", "die"]), Some("out of memory: the kernel ended the tool at its limit of 64 MiB"));
        check(137, Some(64 << 20), None, Some("probably by its memory limit of 64 MiB"));
        check(137, Some(64 << 20), Some(&["start", "die"]), None);
        check(137, None, Some(&["start", "die"]), None);
    }

    #[test]
    fn codes_of_the_engine_are_told_from_the_tools_own() {
        check(125, None, Some(&["create", "destroy"]), Some("refused to start"));
        check(125, None, None, Some("does not answer any more"));
        check(125, None, Some(&["create", "start", "die"]), None);
        check(127, None, Some(&["start"]), Some("no program `claude`"));
        check(126, None, Some(&[]), None);
        check(1, None, None, None);
        check(42, Some(1), Some(&["oom"]), None);
    }
}
