//! The person's home has another path inside. What is let in from below it is there as `~` and `$HOME` spell it, too: settings and
//! scripts name it so more often than by its path.

use std::path::{Path, PathBuf};

use crate::core::container::{ContainerPath, HOME};
use crate::core::facts::Facts;
use crate::core::plan::admit::LET_IN;
use crate::core::plan::mount::Mount;
use crate::core::plan::{Part, Parts, places, state};

/// Mounts what is let in once more, by the home inside. What is there already counts more, and hides nothing.
pub(super) fn push(facts: &Facts, parts: &mut Parts) {
    let let_in = parts.0.iter().filter(|known| known.reason == LET_IN);
    let mounts =
        let_in.filter_map(|known| if let Part::Mount(mount) = &known.part { Some((mount.clone(), known.origin.clone())) } else { None });
    for (mount, origin) in mounts.collect::<Vec<_>>() {
        let Some(at) = by_home(mount.target.as_path(), facts).filter(|at| places::is_free(parts, at)) else { continue };
        let again = Mount { target: ContainerPath::new(at), ..mount };
        parts.push(Part::Mount(again), "let in by you, as `~` spells it inside", origin);
    }
}

/// Returns the path by which `~` of the container means what is at a path of the host.
fn by_home(path: &Path, facts: &Facts) -> Option<PathBuf> {
    let homes = [facts.home.clone(), state::written_home(&facts.env)];
    let below = homes.iter().flatten().find_map(|home| path.strip_prefix(home).ok())?;
    Some(Path::new(HOME).join(below)).filter(|at| at != path && !below.as_os_str().is_empty())
}
