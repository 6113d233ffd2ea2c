//! Where in the container things are mounted: no two at one place, and a place for each in what it is mounted into. An engine would
//! end the run for the one, and make the other as root, in a directory of the person's.

use std::path::{Path, PathBuf};

use crate::core::facts::Facts;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::plan::admit::LET_IN;
use crate::core::plan::mount::{Mount, MountSource};
use crate::core::plan::{Part, Parts, Plan, Reasoned};
use crate::core::shell::Shell;

/// Returns what is at this very place.
pub(super) fn of<'a>(parts: &'a Parts, at: &Path) -> Option<&'a Reasoned> {
    parts.0.iter().find(|known| target(&known.part) == Some(at))
}

/// Returns whether nothing is at a place, nor inside of it.
pub(super) fn is_free(parts: &Parts, at: &Path) -> bool {
    !parts.0.iter().filter_map(|known| target(&known.part)).any(|known| known.starts_with(at))
}

/// Returns where a part is in the container, if it is at a place there.
fn target(part: &Part) -> Option<&Path> {
    match part {
        Part::Mount(mount) => Some(mount.target.as_path()),
        Part::Scratch { target, .. } => Some(Path::new(target)),
        Part::Volume { target, .. } => Some(target.as_path()),
        _ => None,
    }
}

/// Fails for what the person lets in at a place that is taken, or that has no room for what is mounted inside it.
pub(super) fn check(parts: &Parts, facts: &Facts) -> Result<()> {
    for (at, known) in parts.0.iter().enumerate() {
        let Part::Mount(mount) = &known.part else { continue };
        if known.reason != LET_IN {
            continue;
        }
        let place = mount.target.as_path();
        let cannot = |why: &str| {
            let source = mount.source.path().display();
            Failure::new(Kind::Config, format!("cannot mount `{source}` ({}) at `{}`: {why}", known.origin, place.display()))
        };
        if let Some(other) = parts.0.iter().enumerate().find(|(other, part)| *other != at && target(&part.part) == Some(place)) {
            let Reasoned { reason, origin, .. } = other.1;
            return Err(cannot(&format!("that place is taken: {reason} ({origin})")).hint("choose another place with `at`"));
        }
        for inner in parts.0.iter().filter_map(|known| target(&known.part)) {
            let Some(below) = below(inner, place).filter(|_| outer(&parts.0, inner).is_some_and(|outer| outer == mount)) else { continue };
            let source = mount.source.path().join(below);
            let is_itself = parts.0.iter().any(|known| matches!(&known.part, Part::Mount(known) if known.source.path() == source));
            if !is_itself && facts.is_known_to_be_absent(&source) {
                let source = Shell::Bash.quote(&source.to_string_lossy());
                return Err(cannot(&format!("`{}` is mounted inside it, where nothing is", inner.display()))
                    .hint(format!("mkdir -p {source}, or choose another place with `at`")));
            }
        }
    }
    Ok(())
}

/// Returns what is left of `inner` below `outer`, if it is below.
fn below<'a>(inner: &'a Path, outer: &Path) -> Option<&'a Path> {
    inner.strip_prefix(outer).ok().filter(|below| !below.as_os_str().is_empty())
}

/// Returns the innermost mount that a place is inside of, unless that place is in memory or in a volume.
fn outer<'a>(parts: &'a [Reasoned], place: &Path) -> Option<&'a Mount> {
    let around = parts.iter().filter_map(|known| target(&known.part).map(|target| (target, &known.part)));
    let innermost = around.filter(|(target, _)| below(place, target).is_some()).max_by_key(|(target, _)| target.components().count());
    innermost.and_then(|(_, part)| if let Part::Mount(mount) = part { Some(mount) } else { None })
}

impl Plan {
    /// Returns what must be there in the project for what is mounted inside of it, relative to its root, each with its mount.
    pub fn points(&self) -> Vec<(PathBuf, &Mount)> {
        let inner = self.parts.iter().filter_map(|known| if let Part::Mount(mount) = &known.part { Some(mount) } else { None });
        let point = |mount: &'_ Mount| {
            let into = outer(&self.parts, mount.target.as_path())?;
            let is_project = into.source.path() == self.workspace.root && matches!(into.source, MountSource::Workspace(_));
            let is_of_git = matches!(mount.source, MountSource::Workspace(_))
                || mount.target.as_path().components().any(|part| part.as_os_str() == ".git");
            below(mount.target.as_path(), into.target.as_path()).filter(|_| is_project && !is_of_git).map(Path::to_owned)
        };
        inner.filter_map(|mount| point(mount).map(|point| (point, mount))).collect()
    }
}
