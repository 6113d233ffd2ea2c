//! Where programs are looked for inside, if somebody else than the image says so.

use std::ffi::OsString;

use crate::core::admit::variable::reference;
use crate::core::failure::{Failure, Kind, Result};
use crate::core::image::is_ours;
use crate::core::plan::env::Variable;
use crate::core::plan::{Part, Parts, Request};

/// Where an image of ours has the tools, and what starts them.
const PROGRAMS: &[u8] = b"/usr/local/bin";

/// Fails where `PATH` is written as for a shell, and where it leads past the programs of an image of ours: nothing would start in it, and
/// the engine would say so in words of its own.
/// What other images have where, nobody knows beforehand.
pub(super) fn check(request: &Request, image: &str, parts: &Parts) -> Result<()> {
    let set = parts.0.iter().find_map(|known| match &known.part {
        Part::Variable(variable) if variable.name() == "PATH" => Some((variable, &known.origin)),
        _ => None,
    });
    let spelt = "PATH = \"/usr/local/bin:/usr/bin:/bin\" and what you add, spelt out: nothing in it is expanded";
    if let Some((Variable::Literal(_, value), origin)) = &set
        && let Some(name) = reference(value)
    {
        let cannot = format!("cannot run {}: PATH ({origin}) holds `${name}`, which stays these letters", request.tool.name);
        return Err(Failure::new(Kind::Config, cannot).hint(spelt));
    }
    let Some((variable, origin)) = set.filter(|_| is_ours(image)) else { return Ok(()) };
    let admitted = &request.config.admitted;
    let given = || admitted.given.iter().find(|(name, _)| name == "PATH").map(|(_, value)| value.clone());
    let value = match variable {
        Variable::Literal(_, value) => OsString::from(value),
        Variable::Inherited(_) => given().or_else(|| request.facts.env.text("PATH").map(OsString::from)).unwrap_or_default(),
    };
    if value.as_encoded_bytes().split(|byte| *byte == b':').any(|directory| directory.strip_suffix(b"/").unwrap_or(directory) == PROGRAMS) {
        return Ok(());
    }
    let cannot = format!("cannot run {}: PATH ({origin}) lacks `/usr/local/bin`, where {image} has its programs", request.tool.name);
    Err(Failure::new(Kind::Config, cannot).hint(spelt))
}
