//! What was installed in a project for another machine than the container: the packages of node, the environments of python.

use std::path::Path;

/// Where such things are, relative to the root of a project.
pub const PACKAGES: &str = "node_modules";
pub const ENVIRONMENTS: [&str; 2] = [".venv", "venv"];

/// Scopes of packages that have one package for each platform, named after it; npm installs the one of its own machine.
pub const SCOPES: [&str; 12] =
    ["@esbuild", "@rollup", "@swc", "@next", "@img", "@parcel", "@biomejs", "@tailwindcss", "@unrs", "@oxc-parser", "@nx", "@ast-grep"];

/// The platforms that such names speak of, beside Linux, and what people call them.
const PLATFORMS: [(&str, &str); 4] = [("darwin", "macOS"), ("win32", "Windows"), ("android", "Android"), ("freebsd", "FreeBSD")];

/// Returns the system for which the packages of a scope were installed, if none of a family is for Linux.
pub fn system_of(names: &[String]) -> Option<&'static str> {
    let family = |name: &str, word: &str| name.split_once(word).map(|(before, _)| before.to_owned());
    let has_linux = |wanted: &str| names.iter().any(|name| family(name, "linux").is_some_and(|known| known == wanted));
    names.iter().find_map(|name| {
        let (family, system) = PLATFORMS.iter().find_map(|(word, system)| Some((family(name, word)?, *system)))?;
        (!has_linux(&family)).then_some(system)
    })
}

/// Directories of the image in which a python may be.
const PYTHONS: [&str; 3] = ["/usr/bin", "/usr/local/bin", "/bin"];

/// Returns why an environment of python does not work in the container, where it is at `inside`; `text` is its `pyvenv.cfg`.
pub fn refusal_of_environment(text: &str, inside: &Path) -> Option<String> {
    let value = |key: &str| {
        let pairs = text.lines().filter_map(|line| line.split_once('='));
        pairs.map(|(name, value)| (name.trim(), value.trim())).find(|(name, _)| *name == key).map(|(_, value)| value)
    };
    let home = value("home")?;
    if !PYTHONS.contains(&home) {
        return Some(format!("its python is in `{home}`"));
    }
    // Its scripts begin with the path of its python.
    let made = Path::new(value("command")?.rsplit(' ').next()?);
    (made.is_absolute() && made != inside).then(|| format!("it was made at `{}`", made.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    // NE-01
    #[test]
    fn packages_say_for_which_system_they_are() {
        let check = |names: &[&str], expected: Option<&str>| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(system_of(&names), expected, "{names:?}");
        };
        check(&["darwin-arm64"], Some("macOS"));
        check(&["rollup-win32-x64-msvc"], Some("Windows"));
        check(&["darwin-arm64", "linux-arm64"], None);
        check(&["core-darwin-arm64", "cli-linux-x64"], Some("macOS"));
        check(&["linux-x64"], None);
        check(&["plugin-node-resolve", "pluginutils"], None);
        check(&[], None);
    }

    #[test]
    fn an_environment_needs_its_python_and_its_place() {
        let check = |text: &str, expected: Option<&str>| {
            let found = refusal_of_environment(text, Path::new("/workspace/p/.venv"));
            assert_eq!(found.is_some(), expected.is_some(), "{text}: {found:?}");
            assert!(expected.is_none_or(|part| found.unwrap().contains(part)), "{text}");
        };
        check("home = /opt/homebrew/opt/python@3.12/bin\n", Some("/opt/homebrew"));
        check("home = /home/me/.local/share/uv/python/cpython-3.12/bin\nuv = 0.5\n", Some("uv/python"));
        check("home = /usr/bin\ncommand = /usr/bin/python3 -m venv /home/me/p/.venv\n", Some("made at `/home/me/p/.venv`"));
        check("home = /usr/bin\ncommand = /usr/bin/python3 -m venv /workspace/p/.venv\n", None);
        check("home = /usr/bin\nuv = 0.5\n", None);
        check("", None);
        check("home\n=\n", None);
    }
}
