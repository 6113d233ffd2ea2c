//! A mirror of Docker Hub: a company's registry that has the images whose names say no registry.

/// What a mirror may look like, as a pattern of JSON Schema: a registry, and a path in it.
pub const MIRROR: &str = r"^(localhost|[A-Za-z0-9-]*[.:][A-Za-z0-9.:-]*)(/[a-z0-9._-]+)*$";

/// Fails for what no name of an image could begin with.
pub fn is_mirror(text: &str) -> Result<(), String> {
    let (registry, path) = text.split_once('/').map_or((text, None), |(registry, path)| (registry, Some(path)));
    let is_part = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte))
    };
    let is_sound = is_registry(registry)
        && registry.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".:-".contains(&byte))
        && path.is_none_or(|path| path.split('/').all(is_part));
    if is_sound { Ok(()) } else { Err(format!("`build.mirror`: `{text}` is no registry with a path, such as `registry.example/hub`")) }
}

/// Returns the name under which a mirror has an image of Docker Hub; `None` for one of another registry.
pub fn mirrored(mirror: &str, image: &str) -> Option<String> {
    let image = match image.split_once('/') {
        Some(("docker.io" | "index.docker.io", rest)) => rest,
        Some((first, _)) if is_registry(first) => return None,
        _ => image,
    };
    // Docker Hub's own images have no owner in their names, and one in their paths.
    let owner = if image.contains('/') { "" } else { "library/" };
    Some(format!("{mirror}/{owner}{image}"))
}

/// Returns whether an engine takes the first part of a name for a registry.
fn is_registry(part: &str) -> bool {
    part == "localhost" || part.contains(['.', ':'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mirror_has_what_names_no_other_registry() {
        for (image, expected) in [
            ("node:22-trixie-slim", Some("library/node:22-trixie-slim")),
            ("acme/node:1", Some("acme/node:1")),
            ("docker.io/acme/node:1", Some("acme/node:1")),
            ("docker.io/node:22", Some("library/node:22")),
            ("index.docker.io/library/node:22", Some("library/node:22")),
            ("ghcr.io/acme/node:1", None),
            ("localhost/node:1", None),
            ("localhost:5000/node:1", None),
        ] {
            assert_eq!(mirrored("registry.example/hub", image), expected.map(|path| format!("registry.example/hub/{path}")), "{image}");
        }
    }

    #[test]
    fn a_mirror_is_a_registry_with_a_path() {
        for mirror in ["registry.example", "localhost", "localhost:5000", "10.0.0.1:5000/a/b-c_d.e", "registry:5000/hub"] {
            assert_eq!(is_mirror(mirror), Ok(()), "{mirror}");
        }
        for odd in [
            "",
            "hub",
            "acme/hub",
            "https://registry.example",
            "registry.example/",
            "registry.example//hub",
            "registry.example/Hub",
            "a b.c",
            "x.y/$(id)",
        ] {
            assert!(is_mirror(odd).is_err(), "{odd}");
        }
    }
}
