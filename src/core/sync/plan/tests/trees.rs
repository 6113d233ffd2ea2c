//! Commands, skills and instructions: what comes along, and what goes.

use crate::core::sync::plan::tests::{World, request};
use crate::core::sync::report::{News, Notice};
use crate::core::sync::{Brake, Direction, HostSync, Place, SyncRequest};

fn skills(count: usize) -> World {
    let names = (0..count).flat_map(|n| [format!("skills/{n}/SKILL.md"), format!("skills/{n}/more.md")]);
    names.fold(World::default(), |world, name| world.with(Place::Host, &name, "from the host"))
}

fn without(mut world: World, place: Place, below: &str) -> World {
    world.files.retain(|site, _| site.place != place || !site.path.contains(below));
    world
}

// SE-05, R3, R4
#[test]
fn what_the_person_deletes_or_renames_goes_at_once_in_every_project() {
    for count in [1, 3, 100] {
        let mut world = skills(count);
        world.sync(Direction::In, HostSync::Import);
        let mut other = world.clone();
        let mut world = without(world, Place::Host, "skills/0/").with(Place::Host, "skills/renamed/SKILL.md", "from the host");
        assert_eq!(world.sync(Direction::In, HostSync::Import).notices, [], "{count}");
        for place in [Place::Hub, Place::Project] {
            assert_eq!(world.text(place, "skills/0/SKILL.md"), "", "{count} {place}");
            assert_eq!(world.text(place, "skills/renamed/SKILL.md"), "from the host", "{count} {place}");
        }
        assert!(world.sync(Direction::In, HostSync::Import).is_settled());
        // Another project, whose own base still names it, meets the hub and the host as they are now.
        other.files.retain(|site, _| site.place == Place::Project);
        other
            .files
            .extend(world.files.iter().filter(|(site, _)| site.place != Place::Project).map(|(site, bytes)| (site.clone(), bytes.clone())));
        other.bases.insert(crate::core::sync::Pair::HostHub, world.bases[&crate::core::sync::Pair::HostHub].clone());
        other.sync(Direction::In, HostSync::Import);
        assert_eq!(other.text(Place::Project, "skills/0/SKILL.md"), "");
        // It comes back when it is there again.
        let mut world = world.with(Place::Host, "skills/0/SKILL.md", "back");
        world.sync(Direction::In, HostSync::Import);
        assert_eq!(world.text(Place::Project, "skills/0/SKILL.md"), "back");
    }
}

// SE-05
#[test]
fn what_somebody_changed_inside_stays() {
    let mut world = skills(3);
    world.sync(Direction::In, HostSync::Import);
    let mut world = without(world.with(Place::Project, "skills/0/SKILL.md", "mine"), Place::Host, "skills/0/");
    world.sync(Direction::In, HostSync::Import);
    assert_eq!(world.text(Place::Project, "skills/0/SKILL.md"), "mine");
    assert_eq!(world.text(Place::Project, "skills/0/more.md"), "");
    assert!(world.sync(Direction::In, HostSync::Import).is_settled());
}

// SE-05, Z-060
#[test]
fn the_brake_holds_back_deletions_alone_until_the_person_agrees() {
    let mut world = skills(8);
    world.sync(Direction::In, HostSync::Import);
    let mut world = (0..6).fold(world, |world, n| without(world, Place::Host, &format!("skills/{n}/")));
    world = world.with(Place::Host, "skills/7/SKILL.md", "edited").with(Place::Host, "skills/new.md", "new");
    for _ in 0..2 {
        let plan = world.sync(Direction::In, HostSync::Import);
        assert!(matches!(plan.notices[..], [Notice { news: News::Vanished { gone: 6, .. }, .. }]), "{:?}", plan.notices);
        let read = ["skills/0/SKILL.md", "skills/7/SKILL.md", "skills/new.md"].map(|path| world.text(Place::Project, path));
        assert_eq!(read, ["from the host", "edited", "new"]);
    }
    let released = SyncRequest { brake: Brake::Off, ..request(Direction::In, HostSync::Import) };
    assert_eq!(world.sync_with(&released).notices, []);
    assert_eq!(world.text(Place::Project, "skills/0/SKILL.md"), "");
    assert!(world.sync(Direction::In, HostSync::Import).is_settled());
}

// SE-07
#[test]
fn a_hub_that_lost_a_file_deletes_nothing() {
    let mut world = skills(3);
    world.sync(Direction::In, HostSync::Import);
    let mut lost = without(world.clone(), Place::Hub, "skills");
    lost.sync(Direction::In, HostSync::Off);
    assert_eq!(lost.text(Place::Project, "skills/0/SKILL.md"), "from the host");
    let mut lost = without(world, Place::Hub, "skills");
    lost.sync(Direction::In, HostSync::Import);
    assert_eq!(lost.text(Place::Hub, "skills/0/SKILL.md"), "from the host");
}
