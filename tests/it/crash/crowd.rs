//! Many processes at once, killed at random, beside tools that go on writing (F-06, Z-056).

use std::io::Write;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::world::{World, lost};
use super::{Counts, every, print_table};

const HOMES: [&str; 4] = ["home", "home-b", "home-c", "home-d"];

/// Numbers that look random and are the same every time.
struct Dice(u64);

#[test]
fn f_06_a_crowd_that_is_killed_at_random_leaves_whole_files_and_every_line() {
    let world = World::diverged();
    let before = world.state();
    let live = AtomicBool::new(true);
    let rounds = 40 / every(4);
    let (mut counts, appended) = std::thread::scope(|scope| {
        let tool = scope.spawn(|| append_lines(&world.path("home/history.jsonl"), &live));
        let workers: Vec<_> = (0..3)
            .map(|seed| {
                scope.spawn({
                    let world = &world;
                    move || crowd(world, seed, rounds)
                })
            })
            .collect();
        let mut counts = Counts::default();
        for worker in workers {
            counts += worker.join().unwrap();
        }
        live.store(false, Ordering::Relaxed);
        (counts, tool.join().unwrap())
    });
    for home in HOMES {
        for direction in ["out", "in", "out"] {
            assert!(world.command("sync", direction, "import", home).output().unwrap().status.success());
        }
    }
    counts.torn += torn_json(&world);
    counts.lost += lost(&before, &world.state()).len();
    let home = std::fs::read_to_string(world.path("home/history.jsonl")).unwrap();
    let hub = std::fs::read_to_string(world.path("hub/history.jsonl")).unwrap();
    for n in 0..appended {
        let written = format!("{{\"live\":{n}}}");
        counts.lost += usize::from(!home.lines().any(|found| found == written) || !hub.lines().any(|found| found == written));
    }
    print_table(&format!("crowd, {appended} live lines"), &[("killed at random".to_owned(), counts)]);
}

fn crowd(world: &World, seed: u64, rounds: usize) -> Counts {
    let mut dice = Dice(seed + 1);
    let mut counts = Counts::default();
    for round in 0..rounds {
        let home = HOMES[dice.below(HOMES.len())];
        if home != "home" && dice.below(2) == 0 {
            // A tool that saves its settings, in a home whose contents nobody counts: a new file, renamed over the old one.
            let new = world.path(&format!("{home}/settings-{seed}.new"));
            std::fs::create_dir_all(world.path(home)).unwrap();
            std::fs::write(&new, format!("{{\"n\":1e400,\"k{seed}\":{round}}}")).unwrap();
            std::fs::rename(&new, world.path(&format!("{home}/settings.json"))).unwrap();
        }
        let direction = ["in", "out"][dice.below(2)];
        let mut child = world.command("sync", direction, "import", home).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_micros(dice.below(30_000) as u64));
        child.kill().unwrap();
        counts.faults += 1;
        counts.deaths += usize::from(!child.wait().unwrap().success());
        counts.torn += torn_json(world);
    }
    counts
}

/// Appends as the tools do, until told to stop; how many lines.
fn append_lines(path: &Path, live: &AtomicBool) -> usize {
    let mut written = 0;
    while live.load(Ordering::Relaxed) {
        // Opened each time: a tool that keeps a file open is no different for one that is never replaced.
        let mut file = std::fs::OpenOptions::new().append(true).open(path).unwrap();
        file.write_all(format!("{{\"live\":{written}}}\n").as_bytes()).unwrap();
        written += 1;
        std::thread::sleep(Duration::from_millis(2));
    }
    written
}

fn torn_json(world: &World) -> usize {
    let places = HOMES.iter().chain(&["hub", "host/.claude"]);
    let files = places.flat_map(|place| ["settings.json"].map(|name| world.path(&format!("{place}/{name}"))));
    let torn = |path: &Path| std::fs::read(path).is_ok_and(|bytes| serde_json::from_slice::<serde::de::IgnoredAny>(&bytes).is_err());
    files.filter(|path| torn(path)).count()
}

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}
