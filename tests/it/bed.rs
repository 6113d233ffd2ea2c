//! A sandbox on a real engine; `tests/bed/up` makes the images and says where they are.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::{env, fs};

use crate::process::finish;
use crate::require::need;
use crate::sandbox::{Sandbox, find_program};

/// An image of the bed, by the variable that names it.
#[derive(Clone, Copy, Debug)]
pub enum Image {
    /// Every tool is a stub that becomes the command in its arguments.
    Busybox,
    /// The real tools.
    Tools,
}

/// A sandbox with an engine of the machine's.
pub struct Bed {
    pub sandbox: Sandbox,
    /// The engine's program on the sandbox's PATH.
    pub engine: &'static str,
}

impl std::ops::Deref for Bed {
    type Target = Sandbox;

    fn deref(&self) -> &Sandbox {
        &self.sandbox
    }
}

impl std::ops::DerefMut for Bed {
    fn deref_mut(&mut self) -> &mut Sandbox {
        &mut self.sandbox
    }
}

impl Bed {
    #[track_caller]
    pub fn new(image: Image) -> Option<Self> {
        let variable = match image {
            Image::Busybox => "AI_BED_BUSYBOX",
            Image::Tools => "AI_BED_TOOLS",
        };
        let image = need("docker", env::var(variable).ok())?;
        let mut sandbox = Sandbox::new();
        sandbox.link("docker", find_program("docker").unwrap());
        sandbox.set("AI_IMAGE", image);
        // What is the default, said aloud: no run is told about it.
        sandbox.set("AI_READ_ONLY_ROOT", "1");
        match env::var("DOCKER_HOST") {
            Ok(host) => sandbox.set("DOCKER_HOST", host),
            Err(_) => sandbox.unset("DOCKER_HOST"),
        }
        Some(Self { sandbox, engine: "docker" })
    }

    /// The busybox image on a podman of the machine's own.
    #[track_caller]
    pub fn podman() -> Option<Self> {
        let mut bed = Self::new(Image::Busybox)?;
        let podman = need("podman", env::var("AI_BED_PODMAN").ok())?;
        bed.program("podman", &format!("#!/bin/sh\nPATH=/usr/sbin:/usr/bin:/sbin:/bin exec {podman} \"$@\"\n"));
        bed.set("AI_ENGINE", "podman");
        bed.engine = "podman";
        Some(bed)
    }

    /// The busybox image on an engine without root, `docker` or `podman`, and everything done by the user who owns it.
    #[track_caller]
    pub fn rootless(engine: &'static str) -> Option<Self> {
        let mut bed = Self::new(Image::Busybox)?;
        let home = need("rootless", env::var("AI_BED_ROOTLESS").ok())?;
        let (uid, gid) = owner(&home);
        if !bed.sandbox.as_user(uid, gid) {
            return None;
        }
        bed.set("DOCKER_HOST", format!("unix://{home}/run/docker.sock"));
        bed.set("AI_ENGINE", engine);
        if engine == "podman" {
            // Its images and namespaces belong to the home that it is called with.
            let path = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin";
            bed.program("podman", &format!("#!/bin/sh\nHOME={home} XDG_RUNTIME_DIR={home}/run PATH={path} exec podman \"$@\"\n"));
        }
        bed.engine = engine;
        Some(bed)
    }

    /// As [`Sandbox::as_user`], with the right to use the engine.
    #[track_caller]
    pub fn as_user(&mut self, id: u32) -> bool {
        let socket = env::var("DOCKER_HOST").unwrap_or_default();
        let socket = fs::metadata(socket.strip_prefix("unix://").unwrap_or("/var/run/docker.sock")).unwrap();
        self.sandbox.as_user(id, socket.gid())
    }

    /// The engine's client, called beside the program under test.
    pub fn docker(&self, args: &[&str]) -> String {
        self.run(self.engine).args(args).prints()
    }

    /// Names of the containers of this sandbox's project, running or not.
    pub fn containers(&self) -> Vec<String> {
        let project = self.plan(["exec", "true"]).values("--label");
        let project = project.iter().find(|label| label.starts_with("ai.project=")).unwrap();
        let names = self.docker(&["ps", "--all", "--format", "{{.Names}}", "--filter", &format!("label={project}")]);
        names.lines().map(str::to_owned).collect()
    }

    /// Asserts that neither a container nor a lease nor a temporary file of the run is left.
    #[track_caller]
    pub fn nothing_left(&self) {
        assert_eq!(self.containers(), Vec::<String>::new());
        let entries = |directory| fs::read_dir(directory).into_iter().flatten().map(|entry| entry.unwrap().path());
        // Shells and tools leave files of their own in the temporary directory.
        let ours = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().starts_with("ai-");
        let of_store = |name: &str| entries(self.store().join(name));
        let left: Vec<PathBuf> =
            of_store("sessions").chain(of_store("guard")).chain(entries(self.root().join("tmp")).filter(ours)).collect();
        assert_eq!(left, Vec::<PathBuf>::new());
    }
}

impl Drop for Bed {
    /// What a failed test left running.
    fn drop(&mut self) {
        if std::thread::panicking() {
            for name in self.containers() {
                let removal: Child = self.run(self.engine).args(["rm", "--force", &name]).spawn();
                let _ = finish(removal);
            }
        }
    }
}

/// The owner of a file.
pub fn owner(path: impl AsRef<Path>) -> (u32, u32) {
    let metadata = fs::symlink_metadata(path).unwrap();
    (metadata.uid(), metadata.gid())
}
