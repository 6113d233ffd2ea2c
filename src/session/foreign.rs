//! What is installed in the project for another machine: offered a directory of its own inside, in one line, once a project.

use std::path::Path;

use crate::core::admit::foreign::{ENVIRONMENTS, PACKAGES, SCOPES, refusal_of_environment, system_of};
use crate::core::container::ContainerPath;
use crate::core::doctor::{Finding, Level};
use crate::core::plan::Plan;
use crate::core::store::Store;
use crate::core::sync::Reading;
use crate::core::workspace::Workspace;
use crate::host::fs::slot::slot;
use crate::host::fs::{self, Absent, files};
use crate::host::output;
use crate::session::context::Context;

/// Most names of a scope that are looked at, and bytes of a `pyvenv.cfg`.
const MOST: usize = 64;
const LARGEST: u64 = 4096;

/// Something in the project that does not work in its container.
struct Foreign {
    path: &'static str,
    why: String,
}

impl Foreign {
    fn cause(&self) -> String {
        format!("`{}` does not work in the container: {}", self.path, self.why)
    }

    fn hint(&self) -> String {
        format!("ai config allow overlay {} --project gives the container one of its own", self.path)
    }
}

/// Says what a session that begins will not be able to use, unless it was said.
pub fn offer(context: &Context, plan: &Plan, state: &Store) {
    let has_own = |path: &str| plan.points().iter().any(|(point, _)| point == Path::new(path));
    let found: Vec<Foreign> = look(&plan.workspace.root, &plan.workspace.target).into_iter().filter(|found| !has_own(found.path)).collect();
    if found.is_empty() {
        return;
    }
    let causes: Vec<String> = found.iter().map(Foreign::cause).collect();
    let record = state.own(&plan.workspace.project).join("foreign");
    if files::read_text(&record).ok().flatten().is_some_and(|before| before == causes.join("\n")) {
        return;
    }
    for found in &found {
        output::note(&format!("{}; hint: {}", found.cause(), found.hint()));
    }
    // Saying it twice does no harm.
    let _ = files::write_private(&context.host.store.own(&plan.workspace.project).join("foreign"), causes.join("\n").as_bytes());
}

/// Returns a finding for each, every time.
pub fn findings(context: &Context, workspace: &Workspace) -> Vec<Finding> {
    let has_own = |path: &str| context.config.admitted.overlay.iter().any(|overlay| overlay.value.path() == path);
    let found = look(&workspace.root, &workspace.target).into_iter().filter(|found| !has_own(found.path));
    found.map(|found| Finding::new(Level::Note, "project", found.cause()).hint(found.hint())).collect()
}

fn look(root: &Path, target: &ContainerPath) -> Vec<Foreign> {
    let mut found = Vec::new();
    if let Some(system) = packages(root) {
        found.push(Foreign { path: PACKAGES, why: format!("it was installed on {system}") });
    }
    for path in ENVIRONMENTS {
        let slot = slot(root, &Path::new(path).join("pyvenv.cfg"), Absent::Leave).ok().flatten();
        let Some(Ok(Reading::File { bytes, .. })) = slot.map(|slot| slot.read(LARGEST)) else { continue };
        if let Some(why) = refusal_of_environment(&String::from_utf8_lossy(&bytes), target.join(path).as_path()) {
            found.push(Foreign { path, why });
        }
    }
    found
}

fn packages(root: &Path) -> Option<&'static str> {
    // Most projects have none, and are not asked twelve times.
    fs::enter(root, Path::new(PACKAGES), Absent::Leave).ok()??;
    SCOPES.iter().find_map(|scope| {
        let below = Path::new(PACKAGES).join(scope);
        let dir = fs::enter(root, &below, Absent::Leave).ok()??;
        let names = fs::some_names(&dir, &below, MOST).ok()?;
        system_of(&names.into_iter().filter_map(|name| name.into_string().ok()).collect::<Vec<_>>())
    })
}
