//! Who the person is beside a number: groups, name, time zone, as a container can use them.

/// Groups that grant power over the machine, not access to files of a project. The engine's is left out by its number, too.
const POWER: [&str; 16] = [
    "root",
    "docker",
    "podman",
    "lxd",
    "incus",
    "incus-admin",
    "libvirt",
    "kvm",
    "wheel",
    "sudo",
    "admin",
    "adm",
    "disk",
    "shadow",
    "kmem",
    "systemd-journal",
];

/// No more are named: engines take them one by one.
const MOST_GROUPS: usize = 256;

/// A group of the person, with its name where the machine has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    pub id: u32,
    pub name: Option<String>,
}

/// Returns the groups by which a person may reach files of a project: all that were `listed`, but the `primary` one, those of power,
/// and that of the engine's socket. `known` is the text of `/etc/group`.
pub fn groups(listed: &[u32], primary: u32, of_engine: Option<u32>, known: &str) -> Vec<Group> {
    let name = |id: u32| {
        let lines = known.lines().filter_map(|line| line.split_once(':'));
        lines.filter(|(_, rest)| rest.split(':').nth(1).is_some_and(|own| own.parse() == Ok(id))).map(|(name, _)| name.to_owned()).next()
    };
    let mut ids: Vec<u32> = listed.iter().copied().filter(|id| *id != 0 && *id != primary && Some(*id) != of_engine).collect();
    ids.sort_unstable();
    ids.dedup();
    let groups = ids.into_iter().map(|id| Group { id, name: name(id) });
    groups.filter(|group| group.name.as_deref().is_none_or(|name| !POWER.contains(&name))).take(MOST_GROUPS).collect()
}

/// Whether a name can stand in `passwd` or `group` as it is.
pub fn is_plain(name: &str) -> bool {
    let starts = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    starts && name.len() <= 32 && name.chars().all(|character| character.is_ascii_alphanumeric() || matches!(character, '_' | '-' | '.'))
}

/// Returns the name that the person has in a container: their own, unless it is nobody's or somebody else's there.
pub fn name(uid: u32, variable: Option<&str>) -> String {
    match variable {
        _ if uid == 0 => "root".into(),
        Some(name) if is_plain(name) && !matches!(name, "root" | "nobody") => name.into(),
        _ => "ai".into(),
    }
}

/// What `TZ` says.
#[derive(Debug, PartialEq, Eq)]
pub enum Zone<'a> {
    /// A name of the database, or a rule: it means the same everywhere.
    Said(&'a str),
    /// A file of the machine.
    File(&'a str),
}

/// Returns what a value of `TZ` means, in every spelling that libc takes (tzset(3)). Empty is UTC.
pub fn zone(value: &str) -> Zone<'_> {
    let value = value.strip_prefix(':').unwrap_or(value);
    match value {
        "" => Zone::Said("UTC"),
        path if path.starts_with('/') => in_database(path).map_or(Zone::File(path), Zone::Said),
        name => Zone::Said(name),
    }
}

/// Returns the name that a path of the database stands for.
pub fn in_database(path: &str) -> Option<&str> {
    let (_, name) = path.rsplit_once("/zoneinfo/")?;
    let name = name.strip_prefix("posix/").unwrap_or(name);
    (!name.is_empty() && !name.starts_with("right/") && !name.contains("..")).then_some(name)
}

/// Returns the rule at the end of a file of the database, which holds from its last change on (RFC 8536, 3.3).
pub fn rule(file: &[u8]) -> Option<&str> {
    let body = file.strip_prefix(b"TZif")?.strip_suffix(b"\n")?;
    let start = body.iter().rposition(|byte| *byte == b'\n')?;
    std::str::from_utf8(&body[start + 1..]).ok().filter(|rule| !rule.is_empty() && rule.is_ascii())
}

#[cfg(test)]
mod tests {
    use super::*;

    // SE-17
    #[test]
    fn groups_for_files_come_along_and_those_of_power_do_not() {
        let known = "root:x:0:\nwheel:x:10:jo\ndocker:x:998:jo\nwww-data:x:33:jo\nteam:x:4242:jo\n";
        let found = groups(&[1000, 0, 10, 998, 997, 4242, 33, 4242, 70000], 1000, Some(997), known);
        let group = |id, name: Option<&str>| Group { id, name: name.map(str::to_owned) };
        assert_eq!(found, [group(33, Some("www-data")), group(4242, Some("team")), group(70000, None)]);
    }

    // SE-17
    #[test]
    fn a_name_is_the_persons_own_or_ours() {
        for (uid, variable, expected) in
            [(1000, Some("jo"), "jo"), (1000, Some("jo:x"), "ai"), (1000, Some("root"), "ai"), (1000, None, "ai"), (0, Some("jo"), "root")]
        {
            assert_eq!(name(uid, variable), expected);
        }
    }

    // SE-17
    #[test]
    fn a_time_zone_in_every_spelling() {
        for (value, expected) in [
            ("Europe/Berlin", Zone::Said("Europe/Berlin")),
            (":Europe/Berlin", Zone::Said("Europe/Berlin")),
            ("CET-1CEST,M3.5.0,M10.5.0/3", Zone::Said("CET-1CEST,M3.5.0,M10.5.0/3")),
            ("<+0330>-3:30", Zone::Said("<+0330>-3:30")),
            ("/usr/share/zoneinfo/Asia/Tokyo", Zone::Said("Asia/Tokyo")),
            (":/usr/share/zoneinfo/posix/Asia/Tokyo", Zone::Said("Asia/Tokyo")),
            (":/etc/localtime", Zone::File("/etc/localtime")),
            ("/usr/share/zoneinfo/right/UTC", Zone::File("/usr/share/zoneinfo/right/UTC")),
            ("", Zone::Said("UTC")),
        ] {
            assert_eq!(zone(value), expected, "{value}");
        }
        assert_eq!(rule(b"TZif2..\n\x00\nCET-1CEST,M3.5.0,M10.5.0/3\n"), Some("CET-1CEST,M3.5.0,M10.5.0/3"));
        assert_eq!((rule(b"TZif\n\n"), rule(b"other\nx\n")), (None, None));
    }
}
