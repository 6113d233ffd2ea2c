//! Plans against a world of values, so that whole syncs can be tried by the thousand.

mod laws;
mod settings;
mod trees;

use super::*;
use crate::core::sync::bound::Bound;
use crate::core::sync::{Brake, Direction, HostSync, Mode, Place};

/// Files by place and path; what a place has below `skills` is a tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct World {
    pub files: BTreeMap<Site, Vec<u8>>,
    pub bases: BTreeMap<Pair, Base>,
}

pub const PLACES: [Place; 3] = [Place::Host, Place::Hub, Place::Project];

fn rule(path: &str, class: Class) -> Rule {
    let keys = ["theme", "o.id"].map(str::to_owned);
    let number = |key: &String| (key.clone(), Bound::Number(0..=9));
    let words = Bound::Words(vec!["dark".into(), "light".into()]);
    let out = keys.iter().map(number).chain([("tone".to_owned(), words)]).collect();
    Rule { path: path.to_owned(), host: Some(format!(".tool/{path}")), keys: keys.into(), out, ..Rule::of(class) }
}

fn request(direction: Direction, host_sync: HostSync) -> SyncRequest {
    let rules = vec![
        rule("settings.json", Class::Json),
        rule("state.json", Class::Keys),
        rule("config.toml", Class::Toml),
        rule("history.jsonl", Class::Lines),
        rule("skills", Class::Tree),
    ];
    SyncRequest { rules, direction, host_sync, brake: Brake::On }
}

impl World {
    pub fn with(mut self, place: Place, path: &str, text: &str) -> World {
        let path = if place == Place::Host { format!(".tool/{path}") } else { path.to_owned() };
        self.files.insert(Site { place, path }, text.as_bytes().to_vec());
        self
    }

    pub fn text(&self, place: Place, path: &str) -> &str {
        let path = if place == Place::Host { format!(".tool/{path}") } else { path.to_owned() };
        self.files.get(&Site { place, path }).map_or("", |bytes| std::str::from_utf8(bytes).unwrap())
    }

    fn seen(&self, request: &SyncRequest) -> Gathered {
        let mut seen = Gathered { bases: self.bases.clone(), ..Gathered::default() };
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

    pub fn sync(&mut self, direction: Direction, host_sync: HostSync) -> SyncPlan {
        self.sync_with(&request(direction, host_sync))
    }

    pub fn sync_with(&mut self, request: &SyncRequest) -> SyncPlan {
        let plan = plan(request, &self.seen(request));
        for loss in plan.units.iter().flat_map(|unit| &unit.losses) {
            for pair in [Pair::HostHub, Pair::HubProject].into_iter().filter(|pair| loss.concerns(*pair)) {
                self.bases.entry(pair).or_default().lost.insert(loss.path.clone());
            }
        }
        for unit in &plan.units {
            for change in &unit.changes {
                if change.act == Act::Remove {
                    let removed = self.files.remove(&change.site);
                    assert_eq!(removed.map(|bytes| Hash::of(&bytes)), change.before);
                    continue;
                }
                let file = self.files.entry(change.site.clone()).or_default();
                let content = plan.content(change).unwrap();
                match change.act {
                    Act::Put { .. } => *file = content.to_vec(),
                    Act::Append { .. } => file.extend_from_slice(content),
                    Act::Remove => {}
                }
            }
            for agreement in &unit.agreements {
                self.bases.entry(agreement.pair).or_default().agree(agreement);
            }
        }
        plan
    }
}

#[test]
fn settings_go_from_the_host_through_the_hub_to_the_project_and_back_to_the_hub() {
    let mut world = World::default().with(Place::Host, "settings.json", r#"{"tone":"dark"}"#);
    world.sync(Direction::In, HostSync::Import);
    assert_eq!(world.text(Place::Project, "settings.json"), r#"{"tone":"dark"}"#);
    let mut world = world.with(Place::Project, "settings.json", r#"{"tone":"light"}"#);
    world.sync(Direction::Out, HostSync::Import);
    assert_eq!(world.text(Place::Hub, "settings.json"), r#"{"tone":"light"}"#);
    assert_eq!(world.text(Place::Host, "settings.json"), r#"{"tone":"dark"}"#);
    assert!(world.sync(Direction::In, HostSync::Import).is_settled());
    world.sync(Direction::Out, HostSync::Both);
    assert_eq!(world.text(Place::Host, "settings.json"), r#"{"tone":"light"}"#);
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
    assert_eq!(world.sync(Direction::In, HostSync::Import), SyncPlan::default());
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
        assert!(plan.notices.iter().all(|notice| matches!(notice.news, News::Torn { .. })) && plan.notices.len() == 2);
        assert_eq!(plan.copies.len(), if broken.is_empty() { 0 } else { 2 });
    }
}

#[test]
fn an_ambiguous_file_is_left_alone_on_either_side() {
    let twice = r#"{"a":1,"a":2}"#;
    for (place, host_sync) in PLACES.into_iter().flat_map(|place| [(place, HostSync::Import), (place, HostSync::Both)]) {
        let mut world = World::default().with(Place::Host, "settings.json", r#"{"a":0}"#);
        world.sync(Direction::In, host_sync);
        let mut world = world.with(Place::Host, "settings.json", r#"{"a":9}"#).with(place, "settings.json", twice);
        let plan = world.sync(Direction::In, host_sync);
        assert_eq!(world.text(place, "settings.json"), twice);
        // What is only read is read as its tool reads it.
        let is_read = place == Place::Host && host_sync == HostSync::Import;
        let expected = if is_read { News::Twice } else { News::Ambiguous };
        assert_eq!(plan.notices.iter().filter(|notice| notice.news == expected).count(), 1, "{place:?} {host_sync:?}");
        if is_read {
            assert_eq!(world.text(Place::Project, "settings.json"), r#"{"a":2}"#);
        }
    }
}

#[test]
fn settings_that_are_gone_on_the_host_are_neither_deleted_elsewhere_nor_made_again() {
    let mut world = World::default().with(Place::Host, "settings.json", r#"{"a":1,"theme":1}"#);
    world.sync(Direction::In, HostSync::Both);
    world.files.retain(|site, _| site.place == Place::Hub);
    world.sync(Direction::In, HostSync::Both);
    world.sync(Direction::Out, HostSync::Both);
    for place in [Place::Hub, Place::Project] {
        assert_eq!(world.text(place, "settings.json"), r#"{"a":1,"theme":1}"#);
    }
    assert_eq!(world.text(Place::Host, "settings.json"), "");
}

// Z-059
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
