//! Paths of the host among the person's words: what is not there in the container is named before the run.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use crate::core::admit::path::refusal;
use crate::core::plan::command::RunCommand;
use crate::core::plan::{Part, Parts, Request, admit};
use crate::core::shell::Shell;
use crate::core::workspace::Workspace;

impl RunCommand {
    /// Returns the words that may be paths of the host: what follows one of `options`, and what begins as an absolute path does.
    pub fn paths(&self, options: &[String]) -> Vec<OsString> {
        let words = self.options();
        let mut paths = Vec::new();
        for (at, word) in words.iter().enumerate() {
            let before = at.checked_sub(1).and_then(|at| words[at].to_str());
            if before.is_some_and(|before| options.iter().any(|option| option == before)) {
                paths.push(word.clone());
            } else if let Some(value) = value_of(word, options) {
                paths.push(value);
            } else if word.as_bytes().starts_with(b"/") || word.as_bytes().starts_with(b"~/") {
                paths.push(word.clone());
            }
        }
        paths
    }
}

/// Returns the value of `--option=value`.
fn value_of(word: &OsStr, options: &[String]) -> Option<OsString> {
    let (option, value) = word.to_str()?.split_once('=')?;
    options.iter().any(|known| known == option).then(|| value.into())
}

/// Names each path that is on the host and not in the container, with what would let it in.
pub(super) fn notes(request: &Request, workspace: &Workspace, parts: &Parts) -> Vec<String> {
    let bases = admit::bases(request, &workspace.root);
    let mut notes = Vec::new();
    for word in request.command.paths(&request.tool.manifest.path_options) {
        let Some(path) = bases.of_word(&word) else { continue };
        let Some(thing) = request.facts.look(&path) else { continue };
        let is_in = |path: &Path, mount: &Path| path.starts_with(mount);
        let is_let_in = parts.0.iter().any(|known| match &known.part {
            Part::Mount(mount) => is_in(&path, mount.target.as_path()) && is_in(&thing.real, mount.source.path()),
            _ => false,
        });
        let is_relative = !Path::new(&word).is_absolute() && !word.as_bytes().starts_with(b"~/");
        let is_never = refusal(&thing.real, request.facts).is_some();
        if is_let_in || is_never || (is_relative && thing.real.starts_with(&workspace.root)) {
            continue;
        }
        let (word, path) = (word.to_string_lossy(), Shell::Bash.quote(&path.to_string_lossy()));
        let note = if thing.real.starts_with(&workspace.root) {
            let inside = workspace.target.as_path().join(thing.real.strip_prefix(&workspace.root).unwrap_or(Path::new("")));
            format!("`{word}` is at `{}` in the container", inside.display())
        } else {
            format!("`{word}` is not in the container; hint: AI_MOUNTS={path}, or ai run --mount {path} {}", request.tool.name)
        };
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
    notes
}
