//! What an image's name stands for: what was built or pinned is run, and nothing else under that name.

use std::process::id;

use crate::bed::{Bed, Image};
use crate::process::Run;
use crate::require::need;
use crate::sandbox::{AI, find_program};

/// A bed whose image goes by a name of the test's own.
struct Named {
    bed: Bed,
    name: String,
    original: String,
}

impl Named {
    fn new(bed: Bed, what: &str) -> Self {
        let original = std::env::var("AI_BED_BUSYBOX").unwrap();
        let mut named = Self { bed, name: format!("ai-bed/{what}-{}:1", id()), original };
        let name = named.name.clone();
        named.bed.set("AI_IMAGE", &name);
        named.tag(&named.original, &name);
        named
    }

    fn tag(&self, from: &str, to: &str) {
        self.bed.docker(&["tag", from, to]);
    }

    /// Makes the name stand for another image, which has a file more.
    fn move_it(&self) {
        let (container, moved) = (self.name.replace(['/', ':'], "-"), self.moved());
        let args = ["run", "--name", &container, "--network", "none", "--log-driver", "none", &self.original, "touch", "/moved"];
        self.bed.docker(&args);
        assert_eq!(self.bed.run(self.bed.engine).args(["commit", &container, &moved]).outcome().code, 0);
        self.bed.docker(&["rm", &container]);
        self.tag(&moved, &self.name);
    }

    fn moved(&self) -> String {
        format!("{}-moved", self.name)
    }

    fn ran(&self) -> (i32, String, String) {
        let outcome = self.bed.ai(["run", "claude", "sh", "-c", "[ -e /moved ] && echo moved || echo original"]).outcome();
        (outcome.code, outcome.out(), outcome.err())
    }
}

impl Drop for Named {
    fn drop(&mut self) {
        let _ = self.bed.run(self.bed.engine).args(["rmi", "--force", &self.name, &self.moved()]).outcome();
    }
}

#[track_caller]
fn succeeds(run: Run) {
    let outcome = run.outcome();
    assert_eq!(outcome.code, 0, "{}", outcome.err());
}

/// The life of a pin.
#[track_caller]
fn check(named: &Named) {
    let runs = |expected: &str| assert_eq!(named.ran(), (0, format!("{expected}\n"), String::new()));
    runs("original");
    succeeds(named.bed.ai(["image", "pin"]));
    runs("original");
    named.move_it();
    // Nothing else is run under its name, and nobody had to ask.
    runs("original");
    let doctor = named.bed.ai(["doctor"]).outcome();
    assert!(doctor.code == 2 && doctor.out().contains("error    image: "), "{}", doctor.out());
    assert!(named.bed.ai(["image", "status"]).outcome().err().contains("its name stands for"));
    succeeds(named.bed.ai(["image", "pin"]));
    runs("moved");
    named.tag(&named.original, &named.name);
    runs("moved");
    named.bed.docker(&["rmi", "--force", &named.moved()]);
    let (code, out, err) = named.ran();
    assert!(
        (code, out.as_str()) == (125, "") && err.contains("its name stands for") && err.contains("hint: ai image pin accepts it as it is"),
        "{err}"
    );
    succeeds(named.bed.ai(["image", "pin", "--off"]));
    runs("original");
    named.bed.nothing_left();
}

// Z-080
#[test]
fn what_a_name_was_moved_to_is_not_run_until_it_is_accepted() {
    let Some(bed) = Bed::new(Image::Busybox) else { return };
    check(&Named::new(bed, "pinned"));
}

// Z-080
#[test]
fn what_a_name_was_moved_to_is_not_run_on_podman_either() {
    let Some(bed) = Bed::podman() else { return };
    let mut named = Named::new(bed, "pinned-podman");
    check(&named);
    // N-05: an image of ours goes by a file from podman to podman, and to docker, which takes names to the letter.
    let name = format!("ai-made:podman-{}", id());
    named.tag(&named.original, &name);
    named.bed.set("AI_IMAGE", &name);
    let file = named.bed.root().join("image.tar");
    succeeds(named.bed.ai(["image", "save"]).args([&file]));
    named.bed.docker(&["rmi", &name]);
    let load = || named.bed.ai(["image", "load"]).args([&file]);
    assert!(load().succeeds().err().contains(&format!("loaded {name} (")));
    assert_eq!(named.ran(), (0, "original\n".into(), String::new()));
    let loaded = load().env("AI_ENGINE", "docker").outcome();
    let spelled = format!("localhost/{name}");
    let left = named.bed.run("docker").args(["rmi", &spelled]).outcome();
    named.bed.run("docker").args(["rmi", &name]).succeeds();
    assert!(loaded.code == 0 && loaded.err().contains(&format!("loaded {name} (")) && left.code != 0, "{}", loaded.err());
    named.bed.docker(&["rmi", &name]);
}

// Z-080, M-04: nobody has to pin what the program built itself.
#[test]
fn what_was_built_is_pinned() {
    let Some(bed) = Bed::new(Image::Busybox) else { return };
    let named = Named::new(bed, "built");
    let docker = find_program("docker").unwrap();
    let script = "#!/bin/sh\nif [ \"$1\" = build ]; then cat >/dev/null; exit 0; fi\nexec DOCKER \"$@\"\n";
    named.bed.program("docker", &script.replace("DOCKER", docker.to_str().unwrap()));
    succeeds(named.bed.ai(["image", "build"]));
    assert_eq!(named.ran().1, "original\n");
    named.move_it();
    assert_eq!(named.ran().1, "original\n");
    succeeds(named.bed.ai(["image", "build"]));
    assert_eq!(named.ran().1, "moved\n");
    asks_nothing_but_whether_it_answers(&named);
}

/// A run of a pinned image, in one process and as the functions do it, puts one question to the engine, and none for an image.
#[track_caller]
fn asks_nothing_but_whether_it_answers(named: &Named) {
    let Some(strace) = need("strace", find_program("strace")) else { return };
    named.bed.link("strace", strace);
    let log = named.bed.root().join("calls");
    let traced = |words: &[&str]| {
        let run = named.bed.run("strace").args(["-f", "-qq", "-e", "trace=connect,sendto,execve", "-o"]).args([&log]);
        let out = run.args([AI]).args(words).prints();
        let log = std::fs::read_to_string(&log).unwrap();
        let ours = log.split_whitespace().next().unwrap().to_owned();
        let count = |what: &str| log.lines().filter(|line| line.starts_with(&ours) && line.contains(what)).count();
        let docker = log.lines().filter(|line| line.contains("execve(") && line.contains("/docker\"")).count();
        (out, [count("docker.sock"), count("GET /_ping"), docker])
    };
    let (out, asked) = traced(&["run", "claude", "echo", "hello"]);
    assert_eq!((out.as_str(), asked[..2].as_ref()), ("hello\n", [1, 1].as_ref()));
    let (session, asked) = traced(&["sync", "in", "claude"]);
    assert_eq!(asked, [1, 1, 0]);
    assert_eq!(traced(&["resolve", "--session", session.trim(), "claude"]).1, [0, 0, 0]);
    assert_eq!(traced(&["sync", "out", session.trim()]).1, [0, 0, 0]);
}

// Z-080
#[test]
fn an_image_by_its_digest_is_that_image() {
    let Some(bed) = Bed::new(Image::Busybox) else { return };
    let mut named = Named::new(bed, "digest");
    let digest = named.bed.docker(&["image", "inspect", "--format", "{{.Id}}", &named.name]).trim().to_owned();
    named.bed.set("AI_IMAGE", &digest);
    named.move_it();
    assert_eq!(named.ran().1, "original\n");
    let other = format!("ai-bed/none@sha256:{}", "0".repeat(64));
    named.bed.set("AI_IMAGE", &other);
    let (code, _, err) = named.ran();
    assert!(code == 69 && err.contains(&format!("docker pull {other}")), "{err}");
    named.bed.ai(["image", "build"]).outcome().refused(2, &["a digest names what is there already"]);
}

// N-05: an image goes by a file to a machine without a network, and nothing else comes with it.
#[test]
fn an_image_is_saved_and_loaded_by_what_it_is() {
    let Some(bed) = Bed::new(Image::Busybox) else { return };
    let mut named = Named::new(bed, "saved");
    let name = format!("ai-made:saved-{}", id());
    let stranger = std::mem::replace(&mut named.name, name.clone());
    named.tag(&named.original.clone(), &name);
    named.bed.set("AI_IMAGE", &name);
    let file = named.bed.root().join("image.tar");
    let said = named.bed.ai(["image", "save"]).args([&file]).succeeds().err();
    assert!(said.contains(&format!("saved {name} (")) && said.contains("ai image load"), "{said}");
    named.bed.ai(["image", "save"]).args([&file]).outcome().refused(2, &["it is there already"]);
    named.bed.docker(&["rmi", &name]);
    named.bed.ai(["run", "claude", "true"]).outcome().refused(69, &["is not there"]);
    let said = named.bed.ai(["image", "load"]).args([&file]).succeeds().err();
    assert!(said.contains(&format!("loaded {name} (")), "{said}");
    assert_eq!(named.ran().1, "original\n");
    // It is pinned as what was loaded.
    assert!(named.bed.ai(["image", "status", "--json"]).prints().contains("\"pinned\": \"sha256:"));
    named.bed.ai(["image", "sbom"]).outcome().refused(69, &["has no bill of materials"]);
    // What brings another name, what is no archive, and what is cut off.
    let other = named.bed.root().join("other.tar");
    named.bed.docker(&["save", "--output", other.to_str().unwrap(), &name, &stranger]);
    named
        .bed
        .ai(["image", "load"])
        .args([&other])
        .outcome()
        .refused(77, &[&format!("it brings {stranger}"), "no image of `ai image build`"]);
    let cut = named.bed.write("cut.tar", &std::fs::read(&file).unwrap()[..4096]);
    named.bed.ai(["image", "load"]).args([&cut]).outcome().refused(2, &["it is no archive of an image"]);
    named.bed.ai(["image", "load", "absent"]).outcome().refused(2, &["cannot load `absent`"]);
    // An image of a person's own is given to the engine by its client.
    named.bed.set("AI_IMAGE", &stranger);
    let own = named.bed.root().join("own.tar");
    let said = named.bed.ai(["image", "save"]).args([&own]).succeeds().err();
    assert!(said.contains(&format!("on the other machine: docker load -i {}", own.display())), "{said}");
    named.bed.ai(["image", "save", "-"]).outcome().refused(2, &["it needs a file"]);
    named.bed.docker(&["rmi", &stranger]);
    named.bed.nothing_left();
}
