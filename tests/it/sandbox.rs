//! A temporary home, a project, and a PATH with nothing on it but what a test needs.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, lchown, symlink};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::process::Run;
use crate::require::need;

/// The program under test.
pub const AI: &str = env!("CARGO_BIN_EXE_ai");

/// What our shell functions, the recording engine and the tests' own scripts call.
const PROGRAMS: [&str; 32] = [
    "basename", "bash", "cat", "chmod", "cp", "date", "dirname", "env", "false", "find", "fish", "git", "grep", "head", "id", "ls",
    "mkdir", "mv", "od", "pwd", "rm", "sed", "seq", "sh", "sleep", "sort", "stat", "touch", "tr", "true", "wc", "zsh",
];

/// Every tool and profile that is built in, and the program that it runs.
pub const TOOLS: [(&str, &str); 4] = [("claude", "claude"), ("gemini", "gemini"), ("codex", "codex"), ("glm", "claude")];

/// Returns the names of [`TOOLS`].
pub fn tools() -> impl Iterator<Item = &'static str> {
    TOOLS.into_iter().map(|(name, _)| name)
}

/// Returns those that log in by themselves; a profile has a token.
pub fn tools_with_login() -> impl Iterator<Item = &'static str> {
    TOOLS.into_iter().filter(|(name, program)| name == program).map(|(name, _)| name)
}

pub struct Sandbox {
    directory: TempDir,
    /// The project, and the working directory unless a command says otherwise.
    project: PathBuf,
    env: BTreeMap<OsString, OsString>,
    /// Words before every program: who it is run as.
    wrapper: Vec<OsString>,
    /// The program under test.
    program: PathBuf,
    /// Who owns what is written from now on, where that is not us.
    user: Option<u32>,
}

impl Sandbox {
    /// With a recording engine and no repository.
    pub fn new() -> Self {
        Self::with_project("proj")
    }

    /// As [`Sandbox::new`], for a project of this name.
    pub fn with_project(name: impl AsRef<OsStr>) -> Self {
        let directory = tempfile::Builder::new().prefix("ai-it-").tempdir().unwrap();
        let root = directory.path().canonicalize().unwrap();
        let project = root.join("work").join(name.as_ref());
        for path in ["home", "bin", "engine", "tmp"].iter().map(|name| root.join(name)).chain([project.clone()]) {
            fs::create_dir_all(path).unwrap();
        }
        let mut sandbox = Self { directory, project, env: BTreeMap::new(), wrapper: Vec::new(), program: AI.into(), user: None };
        sandbox.link("ai", AI);
        sandbox.link("docker", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bed/fake-docker"));
        for program in PROGRAMS {
            if let Some(path) = find_program(program) {
                sandbox.link(program, path);
            }
        }
        sandbox.set("HOME", root.join("home"));
        sandbox.set("PATH", root.join("bin"));
        sandbox.set("TMPDIR", root.join("tmp"));
        sandbox.set("FAKE_ENGINE", root.join("engine"));
        // Whatever battery the machine has that the tests run on.
        sandbox.set("SYSFS_PATH", root.join("sys"));
        // Not a socket, so nobody asks it; the recording engine does not care.
        sandbox.set("DOCKER_HOST", "tcp://127.0.0.1:1");
        sandbox.set("LANG", "C.UTF-8");
        // A machine may have certificate authorities of its own, which every plan would name.
        sandbox.set("AI_CA", "off");
        sandbox.set("TZ", "Etc/UTC");
        sandbox.set("TERM", "xterm-256color");
        sandbox
    }

    pub fn root(&self) -> PathBuf {
        self.directory.path().canonicalize().unwrap()
    }

    pub fn home(&self) -> PathBuf {
        self.root().join("home")
    }

    pub fn project(&self) -> &Path {
        &self.project
    }

    pub fn store(&self) -> PathBuf {
        self.home().join(".docker-ai-config")
    }

    /// Sets a variable for every command of this sandbox.
    pub fn set(&mut self, name: &str, value: impl AsRef<OsStr>) {
        self.env.insert(name.into(), value.as_ref().to_owned());
    }

    pub fn unset(&mut self, name: &str) {
        self.env.remove(OsStr::new(name));
    }

    /// The variables of every command, for what is not started by [`Sandbox::run`].
    pub fn env(&self) -> impl Iterator<Item = (&OsString, &OsString)> {
        self.env.iter()
    }

    /// Puts `program` on PATH as `name`, in place of what was there.
    pub fn link(&self, name: &str, program: impl AsRef<Path>) {
        self.without(name);
        symlink(program, self.root().join("bin").join(name)).unwrap();
    }

    /// Takes a program off PATH.
    pub fn without(&self, name: &str) {
        let _ = fs::remove_file(self.root().join("bin").join(name));
    }

    /// Writes a file below the root of the sandbox, making its parents.
    pub fn write(&self, path: impl AsRef<Path>, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.root().join(path);
        let missing: Vec<&Path> = path.ancestors().take_while(|path| path.symlink_metadata().is_err()).collect();
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        for made in missing.iter().filter(|_| self.user.is_some()) {
            lchown(made, self.user, self.user).unwrap();
        }
        path
    }

    /// Writes an executable script.
    pub fn script(&self, path: impl AsRef<Path>, text: &str) -> PathBuf {
        let path = self.write(path, text);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// Writes an executable script and puts it on PATH.
    pub fn program(&self, name: &str, text: &str) {
        self.link(name, self.script(Path::new("programs").join(name), text));
    }

    /// Writes the user's `config.toml`.
    pub fn config(&self, text: &str) {
        self.write("home/.docker-ai-config/config.toml", text);
    }

    /// Writes the user's manifest of a tool.
    pub fn manifest(&self, name: &str, text: &str) {
        self.write(format!("home/.docker-ai-config/tools/{name}.toml"), text);
    }

    /// Makes the project a git repository.
    pub fn git_init(&self) {
        self.run("git").args(["init", "--quiet"]).prints();
    }

    /// Puts another build of the program under test in its place.
    pub fn use_program(&mut self, program: PathBuf) {
        let own = self.root().join("ai");
        if self.user.is_some() {
            fs::copy(&program, own).unwrap();
        } else {
            self.link("ai", &program);
        }
        self.program = program;
    }

    /// A program from the sandbox's PATH, in the project.
    pub fn run(&self, program: impl AsRef<OsStr>) -> Run {
        let path = self.root().join("bin").join(program.as_ref()).into_os_string();
        let words: Vec<&OsString> = self.wrapper.iter().chain([&path]).collect();
        let run = Run::new(words[0], &self.root()).args(&words[1..]).cwd(&self.project);
        self.env.iter().fold(run, |run, (name, value)| run.env(name, value))
    }

    /// Gives everything to a user without root, who runs all later programs and belongs to `group`; false, with a word on
    /// stderr, where that takes more rights than the tests have.
    #[track_caller]
    pub fn as_user(&mut self, id: u32, group: u32) -> bool {
        let setpriv = find_program("setpriv").filter(|_| rustix::process::getuid().is_root());
        let Some(setpriv) = need("root", setpriv) else { return false };
        // That user may not be able to enter the directory that the program was built in.
        let program = self.root().join("ai");
        fs::copy(&self.program, &program).unwrap();
        self.link("ai", &program);
        let options = [format!("--reuid={id}"), format!("--regid={id}"), format!("--groups={group}")];
        self.wrapper = std::iter::once(setpriv.into_os_string()).chain(options.into_iter().map(OsString::from)).collect();
        for path in tree(&self.root()).into_keys().chain([self.root()]) {
            lchown(path, Some(id), Some(id)).unwrap();
        }
        self.user = Some(id);
        true
    }

    /// Runs `script` as root before every program, where `/etc` can be changed and nobody else sees it.
    pub fn with_etc(&mut self, script: &str) {
        self.over("/etc", script);
    }

    /// As [`Sandbox::with_etc`], for `/dev`.
    pub fn with_dev(&mut self, script: &str) {
        self.over("/dev", script);
    }

    /// Every program sees `directory` through a layer of its own, in which `script` ran.
    fn over(&mut self, directory: &str, script: &str) {
        let layer = self.root().join(format!("layer{}", directory.replace('/', "-")));
        fs::create_dir_all(&layer).unwrap();
        let layer = layer.display();
        let mount = format!(
            "mount -t tmpfs layer '{layer}' && mkdir '{layer}/up' '{layer}/work' \
             && mount -t overlay layer -o 'lowerdir={directory},upperdir={layer}/up,workdir={layer}/work' {directory}"
        );
        let line = format!("(PATH=/usr/sbin:/usr/bin:/sbin:/bin; {mount} && {script}) || exit 99; exec \"$@\"");
        let words = ["/usr/bin/unshare", "--mount", "--", "/bin/sh", "-c", &line, "sh"].map(OsString::from);
        self.wrapper.splice(0..0, words);
    }

    /// Puts the user of [`Sandbox::as_user`] into one more group.
    pub fn also_in(&mut self, group: u32) {
        let groups = self.wrapper.iter_mut().find(|word| word.to_string_lossy().starts_with("--groups=")).unwrap();
        groups.push(format!(",{group}"));
    }

    /// The program under test.
    pub fn ai<W: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = W>) -> Run {
        self.run("ai").args(args)
    }
}

/// Where the machine has this program.
pub fn find_program(name: &str) -> Option<PathBuf> {
    which::which(name).ok()
}

/// Every file below `root` with its mode and content: equal before and after means that nothing was touched.
pub fn tree(root: &Path) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
    let mut files = BTreeMap::new();
    let mut directories = vec![root.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            let metadata = path.symlink_metadata().unwrap();
            let content = match metadata.file_type() {
                kind if kind.is_dir() => Vec::new(),
                kind if kind.is_symlink() => fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes(),
                kind if kind.is_file() => fs::read(&path).unwrap(),
                _ => Vec::new(),
            };
            if metadata.is_dir() {
                directories.push(path.clone());
            }
            files.insert(path, (metadata.mode(), content));
        }
    }
    files
}
