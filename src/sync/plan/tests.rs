//! Plans against a world of values, so that whole syncs can be tried by the thousand.

use proptest::prelude::*;

use super::*;
use crate::sync::{Brake, Direction, HostSync};

/// Files by place and path; what a place has below `skills` is a tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct World {
    files: BTreeMap<Site, Vec<u8>>,
    bases: BTreeMap<Pair, Base>,
}

const PLACES: [Place; 3] = [Place::Host, Place::Hub, Place::Project];

fn rule(path: &str, class: Class) -> Rule {
    let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Rule {
        path: path.to_owned(),
        host: Some(format!(".tool/{path}")),
        class,
        keys: own(&["theme", "o.id"]),
        executes: own(&["hooks", "o.cmd"]),
        seed: None,
    }
}

fn request(direction: Direction, host_sync: HostSync) -> Request {
    let rules = vec![
        rule("settings.json", Class::Json),
        rule("state.json", Class::Keys),
        rule("config.toml", Class::Toml),
        rule("history.jsonl", Class::Lines),
        rule("skills", Class::Tree),
    ];
    Request { rules, direction, host_sync, brake: Brake::On }
}

impl World {
    fn with(mut self, place: Place, path: &str, text: &str) -> World {
        let path = if place == Place::Host { format!(".tool/{path}") } else { path.to_owned() };
        self.files.insert(Site { place, path }, text.as_bytes().to_vec());
        self
    }

    fn text(&self, place: Place, path: &str) -> &str {
        let path = if place == Place::Host { format!(".tool/{path}") } else { path.to_owned() };
        self.files.get(&Site { place, path }).map_or("", |bytes| std::str::from_utf8(bytes).unwrap())
    }

    fn seen(&self, request: &Request) -> Seen {
        let mut seen = Seen { bases: self.bases.clone(), ..Seen::default() };
        let file = |bytes: &Vec<u8>| Reading::File { bytes: bytes.clone(), mode: Mode::Plain };
        for rule in &request.rules {
            for site in PLACES.into_iter().filter_map(|place| rule.site(place)) {
                if rule.class == Class::Tree {
                    let inside = self.files.iter().filter(|(file, _)| file.place == site.place);
                    let names = inside
                        .filter_map(|(at, bytes)| Some((at.path.strip_prefix(&site.path)?.strip_prefix('/')?.to_owned(), file(bytes))));
                    let names = names.collect();
                    seen.trees.insert(site, Ok(names));
                } else {
                    let reading = self.files.get(&site).map_or(Reading::Absent, file);
                    seen.files.insert(site, reading);
                }
            }
        }
        seen
    }

    fn sync(&mut self, direction: Direction, host_sync: HostSync) -> Plan {
        let request = request(direction, host_sync);
        let plan = plan(&request, &self.seen(&request));
        for unit in &plan.units {
            for change in &unit.changes {
                let file = self.files.entry(change.site.clone()).or_default();
                let content = plan.content(change).unwrap();
                match change.act {
                    Act::Put { .. } => *file = content.to_vec(),
                    Act::Append { .. } => file.extend_from_slice(content),
                    Act::Remove => unreachable!("a sync removes nothing"),
                }
            }
            for Agreement { pair, path, entry } in &unit.agreements {
                let files = &mut self.bases.entry(*pair).or_default().files;
                match entry {
                    Some(entry) => files.insert(path.clone(), entry.clone()),
                    None => files.remove(path),
                };
            }
        }
        plan
    }
}

#[test]
fn settings_go_from_the_host_through_the_hub_to_the_project_and_back_to_the_hub() {
    let mut world = World::default().with(Place::Host, "settings.json", r#"{"theme":"dark"}"#);
    world.sync(Direction::In, HostSync::Import);
    assert_eq!(world.text(Place::Project, "settings.json"), r#"{"theme":"dark"}"#);
    let mut world = world.with(Place::Project, "settings.json", r#"{"theme":"light"}"#);
    world.sync(Direction::Out, HostSync::Import);
    assert_eq!(world.text(Place::Hub, "settings.json"), r#"{"theme":"light"}"#);
    assert_eq!(world.text(Place::Host, "settings.json"), r#"{"theme":"dark"}"#);
    assert!(world.sync(Direction::In, HostSync::Import).is_settled());
    world.sync(Direction::Out, HostSync::Both);
    assert_eq!(world.text(Place::Host, "settings.json"), r#"{"theme":"light"}"#);
}

#[test]
fn what_runs_programs_never_leaves_a_project() {
    let planted = r#"{"theme":"x","hooks":{"evil":1},"o":{"cmd":"rm","id":7}}"#;
    let mut world = World::default().with(Place::Project, "settings.json", planted).with(Place::Project, "skills/s.md", "evil");
    world.sync(Direction::Out, HostSync::Both);
    world.sync(Direction::In, HostSync::Both);
    world.sync(Direction::Out, HostSync::Both);
    for place in [Place::Hub, Place::Host] {
        assert_eq!(world.text(place, "settings.json"), "{\n  \"theme\": \"x\",\n  \"o\": {\"id\": 7}\n}\n");
        assert_eq!(world.text(place, "skills/s.md"), "");
    }
    assert_eq!(world.text(Place::Project, "settings.json"), planted);
}

#[test]
fn a_conflict_keeps_the_loser_and_is_told_once() {
    let mut world = World::default().with(Place::Host, "settings.json", r#"{"a":1}"#);
    world.sync(Direction::In, HostSync::Import);
    let mut world = world.with(Place::Host, "settings.json", r#"{"a":2}"#).with(Place::Project, "settings.json", r#"{"a":3}"#);
    let plan = world.sync(Direction::In, HostSync::Import);
    assert_eq!(world.text(Place::Project, "settings.json"), r#"{"a":2}"#);
    assert_eq!(plan.notices.len(), 1);
    assert_eq!(plan.notices[0].news, News::Conflict(vec!["a".into()]));
    assert_eq!(plan.copies[0].bytes, br#"{"a":3}"#);
    assert_eq!(world.sync(Direction::In, HostSync::Import), Plan::default());
}

#[test]
fn a_broken_file_is_no_source_no_deletion_and_gets_repaired() {
    for broken in ["", "{", "{}{}", "[1]", "\u{0}\u{0}"] {
        let mut world = World::default().with(Place::Host, "settings.json", r#"{"a":1}"#);
        world.sync(Direction::In, HostSync::Import);
        let mut world = world.with(Place::Host, "settings.json", broken).with(Place::Project, "settings.json", broken);
        let plan = world.sync(Direction::In, HostSync::Import);
        assert_eq!(world.text(Place::Hub, "settings.json"), r#"{"a":1}"#, "{broken}");
        assert_eq!(world.text(Place::Project, "settings.json"), r#"{"a":1}"#, "{broken}");
        assert_eq!(world.text(Place::Host, "settings.json"), broken);
        assert!(plan.notices.iter().all(|notice| notice.news == News::Broken) && plan.notices.len() == 2);
        assert_eq!(plan.copies.len(), if broken.is_empty() { 0 } else { 2 });
    }
}

#[test]
fn an_ambiguous_file_is_left_alone_on_either_side() {
    let twice = r#"{"a":1,"a":2}"#;
    for place in PLACES {
        let mut world = World::default().with(Place::Host, "settings.json", r#"{"a":0}"#);
        world.sync(Direction::In, HostSync::Import);
        let mut world = world.with(Place::Host, "settings.json", r#"{"a":9}"#).with(place, "settings.json", twice);
        let plan = world.sync(Direction::In, HostSync::Import);
        assert_eq!(world.text(place, "settings.json"), twice);
        assert_eq!(plan.notices.iter().filter(|notice| notice.news == News::Ambiguous).count(), 1);
    }
}

#[test]
fn a_deletion_does_not_travel_and_the_hosts_own_is_respected() {
    let mut world = World::default().with(Place::Host, "skills/a.md", "a").with(Place::Host, "settings.json", r#"{"a":1}"#);
    world.sync(Direction::In, HostSync::Both);
    world.files.retain(|site, _| site.place == Place::Hub);
    world.sync(Direction::In, HostSync::Both);
    world.sync(Direction::Out, HostSync::Both);
    for (path, text) in [("skills/a.md", "a"), ("settings.json", r#"{"a":1}"#)] {
        assert_eq!(world.text(Place::Project, path), text);
        assert_eq!(world.text(Place::Hub, path), text);
    }
    assert_eq!(world.text(Place::Host, "settings.json"), "");
}

#[test]
fn z_060_a_tree_that_vanishes_stops_its_sync_until_the_user_agrees() {
    let mut world = World::default();
    for n in 0..8 {
        world = world.with(Place::Host, &format!("skills/{n}.md"), "x");
    }
    world.sync(Direction::In, HostSync::Import);
    world.files.retain(|site, _| site.place != Place::Host);
    let mut world = world.with(Place::Host, "skills/new.md", "x");
    let plan = world.sync(Direction::In, HostSync::Import);
    assert_eq!(plan.notices.len(), 1);
    assert_eq!(plan.notices[0].news, News::Vanished { gone: 8, of: 8 });
    assert_eq!(world.text(Place::Hub, "skills/new.md"), "");
    let released = Request { brake: Brake::Off, ..request(Direction::In, HostSync::Import) };
    assert!(plan_changes(&released, &world).contains(&"skills/new.md".to_owned()));
}

#[test]
fn z_059_names_that_differ_by_case_do_not_overwrite_each_other() {
    let mut world = World::default().with(Place::Host, "skills/Readme.md", "A").with(Place::Project, "skills/readme.md", "b");
    let plan = world.sync(Direction::In, HostSync::Import);
    assert_eq!(world.text(Place::Project, "skills/readme.md"), "b");
    assert!(plan.notices.is_empty() || plan.notices.iter().all(|notice| notice.news == News::CaseClash));
    let mut world = World::default().with(Place::Host, "skills/readme.md", "a").with(Place::Project, "skills/Readme.md", "B");
    let plan = world.sync(Direction::In, HostSync::Import);
    assert_eq!(world.text(Place::Project, "skills/Readme.md"), "B");
    assert_eq!(world.text(Place::Project, "skills/readme.md"), "");
    assert_eq!(plan.notices[0].news, News::CaseClash);
}

#[test]
fn a_seed_is_what_a_new_project_begins_with() {
    let mut request = request(Direction::In, HostSync::Import);
    request.rules[0].seed = Some("{\"store\":\"file\"}\n".into());
    let check = |world: World, expected: &str| {
        let plan = plan(&request, &world.seen(&request));
        let project = plan.changes().find(|change| change.site.place == Place::Project);
        let content = project.and_then(|change| plan.content(change)).unwrap_or_default();
        assert_eq!(std::str::from_utf8(content).unwrap(), expected);
    };
    check(World::default(), "{\"store\":\"file\"}\n");
    check(
        World::default().with(Place::Hub, "settings.json", r#"{"a":1}"#),
        "{\n  \"store\":\"file\"}\n".replace("{\n  ", "{").replace('}', ",\"a\":1}").as_str(),
    );
    check(World::default().with(Place::Project, "settings.json", "{}"), "");
}

fn plan_changes(request: &Request, world: &World) -> Vec<String> {
    plan(request, &world.seen(request)).changes().map(|change| change.site.path.clone()).collect()
}

fn json() -> impl Strategy<Value = String> {
    let value = prop_oneof![Just("1"), Just("2"), Just(r#"{"id":1}"#), Just(r#"{"id":2,"cmd":"x"}"#)];
    let object = prop::collection::btree_map(prop_oneof![Just("theme"), Just("o"), Just("hooks"), Just("k")], value, 0..4);
    let text = object.prop_map(|map| format!("{{{}}}", map.iter().map(|(k, v)| format!("\"{k}\":{v}")).collect::<Vec<_>>().join(",")));
    prop_oneof![8 => text, 1 => Just(String::new()), 1 => Just("{ torn".to_owned()), 1 => Just(r#"{"a":1,"a":2}"#.to_owned())]
}

fn edit() -> impl Strategy<Value = (Place, String, Option<String>)> {
    let toml = prop_oneof![Just("theme = 1\n"), Just("theme = 2 # c\n[o]\nid = 1\n"), Just("hooks.x = 1\n"), Just("= broken")];
    let content = prop_oneof![
        json().prop_map(|text| ("settings.json", text)),
        json().prop_map(|text| ("state.json", text)),
        toml.prop_map(|text| ("config.toml", text.to_owned())),
        "[ab\n]{0,8}".prop_map(|text| ("history.jsonl", text)),
        "[ab]".prop_map(|text| ("skills/a.md", text)),
        "[ab]".prop_map(|text| ("skills/b/c.md", text)),
    ];
    (prop::sample::select(PLACES.to_vec()), content, prop::bool::weighted(0.9))
        .prop_map(|(place, (path, text), keep)| (place, path.to_owned(), keep.then_some(text)))
}

/// What the hub would run.
fn executing(world: &World) -> [Option<serde_json::Value>; 2] {
    let settings: serde_json::Value = serde_json::from_str(world.text(Place::Hub, "settings.json")).unwrap_or_default();
    ["/hooks", "/o/cmd"].map(|path| settings.pointer(path).cloned())
}

type Edit = (Place, String, Option<String>);

fn history() -> impl Strategy<Value = Vec<(Vec<Edit>, Direction, HostSync)>> {
    let direction = prop_oneof![Just(Direction::In), Just(Direction::Out)];
    let host = prop_oneof![2 => Just(HostSync::Import), 2 => Just(HostSync::Both), 1 => Just(HostSync::Off)];
    prop::collection::vec((prop::collection::vec(edit(), 0..6), direction, host), 1..5)
}

proptest! {
    #[test]
    fn laws_of_whole_syncs(history in history()) {
        let mut world = World::default();
        for (edits, direction, host) in history {
            for (place, path, text) in edits {
                match text {
                    Some(text) => world = world.with(place, &path, &text),
                    None => { world.files.retain(|site, _| site.place != place || !site.path.ends_with(&path)); }
                }
            }
            let before = world.clone();
            let plan = world.sync(direction, host);
            // sync . sync = sync
            let once = world.clone();
            let again = world.sync(direction, host);
            prop_assert!(again.is_settled(), "{:?} then {:?}", plan.units, again.units);
            prop_assert_eq!(&once, &world);
            // Only what was read is replaced, and the host only if it takes part.
            for change in plan.changes() {
                let found = before.files.get(&change.site).map(|bytes| Hash::of(bytes));
                prop_assert_eq!(&change.before, &found);
                prop_assert!(change.site.place != Place::Host || host == HostSync::Both);
            }
            // No file and no complete line vanishes.
            for (site, bytes) in &before.files {
                let now = world.files.get(site).unwrap();
                if site.path.contains("history") {
                    prop_assert!(now.starts_with(bytes));
                }
            }
            // What runs programs reaches the hub from the host only.
            if direction == Direction::Out {
                prop_assert_eq!(executing(&before), executing(&world));
            }
        }
    }
}
