//! The repository of a commit: what is staged, and the few things that are done to it, all by the person's own git.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use tempfile::TempPath;

use crate::core::commit::choice::Stage;
use crate::core::commit::prompt::SUBJECTS;
use crate::core::failure::{Failure, Kind, Result};
use crate::host::Host;
use crate::host::fs::look::Look;
use crate::host::fs::{own, tree};
use crate::host::machine::piped::{self, End};
use crate::host::machine::{git, process};

pub mod draft;
pub mod tree_state;

/// How long git may take for a change.
const PATIENCE: Duration = Duration::from_secs(30);
/// Largest change that is looked at, in bytes.
const LARGEST: usize = 256 << 20;

/// What would make git commit in another repository than the one that was looked at.
const ELSEWHERE: [&str; 6] =
    ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES"];

/// A repository with a work tree, as git finds it from the working directory.
pub struct Repository<'a> {
    host: &'a Host,
    git: PathBuf,
    cwd: PathBuf,
    /// The index that stands in for the repository's own until the commit is made.
    staged: Option<TempPath>,
}

/// What git knows of the place of a commit.
#[derive(Debug)]
pub struct CommitPlace {
    /// The commit that the new one follows; `None` on a branch that has none yet.
    pub head: Option<String>,
    /// `None` where no branch is checked out.
    pub branch: Option<String>,
    /// What git would say itself, in the middle of a merge.
    pub merging: Option<String>,
}

impl<'a> Repository<'a> {
    /// # Errors
    /// Where git is missing, or the working directory is in no work tree.
    pub fn here(host: &'a Host) -> Result<Self> {
        let missing = || Failure::new(Kind::NotFound, "cannot commit: git is not on PATH").hint("install git");
        let git = host.program("git").ok_or_else(missing)?;
        let nowhere = || Failure::new(Kind::General, "cannot commit: this is no git repository").hint("cd to one, or git init");
        let cwd = host.cwd().ok_or_else(nowhere)?.to_owned();
        let repository = Self { host, git, cwd, staged: None };
        match repository.read(&["rev-parse", "--is-inside-work-tree"]) {
            Ok(answer) if answer.trim_ascii() == b"true" => repository.refuse_elsewhere().map(|()| repository),
            Ok(_) => {
                Err(Failure::new(Kind::General, "cannot commit: this is git's own directory, not a work tree").hint("cd to the work tree"))
            }
            Err(failure) if failure.causes.iter().any(|cause| cause.contains("dubious ownership")) => Err(failure),
            Err(_) => Err(nowhere()),
        }
    }

    /// Fails where the repository says that its work tree is another directory: what is staged there is not what the person sees here.
    fn refuse_elsewhere(&self) -> Result<()> {
        let top = self.read(&["rev-parse", "--show-toplevel"])?;
        let top = PathBuf::from(OsStr::from_bytes(top.strip_suffix(b"\n").unwrap_or(&top)));
        if git::root(&self.cwd).is_none_or(|root| root == top) {
            return Ok(());
        }
        Err(Failure::new(Kind::Config, format!("cannot commit: this repository says that its work tree is `{}`", top.display()))
            .hint("git config --show-origin core.worktree"))
    }

    /// Git that reads, and runs nothing of the repository's.
    fn quiet(&self) -> Command {
        let mut command = process::quiet_git(self.git.as_os_str(), &self.cwd, &self.host.env);
        command.args(["-c", "core.quotePath=false"]);
        if let Some(index) = &self.staged {
            command.env("GIT_INDEX_FILE", index);
        }
        command
    }

    /// Git as the person would call it, hooks and all.
    fn own(&self) -> Command {
        let mut command = process::command(&self.git);
        command.current_dir(&self.cwd);
        for name in ELSEWHERE {
            command.env_remove(name);
        }
        if let Some(index) = &self.staged {
            command.env("GIT_INDEX_FILE", index);
        }
        command
    }

    fn read(&self, args: &[&str]) -> Result<Vec<u8>> {
        let mut command = self.quiet();
        command.args(args);
        let cannot = |why: String| Failure::new(Kind::General, format!("cannot commit: `git {}` {why}", args.first().unwrap_or(&"")));
        let piped = piped::run(command, Vec::new(), PATIENCE, LARGEST, None)?;
        match piped.end {
            End::Code(0) => Ok(piped.stdout),
            End::Code(code) => Err(cannot(format!("ended with {code}")).because(String::from_utf8_lossy(&piped.stderr))),
            End::TooMuch => Err(cannot(format!("prints more than {} MiB", LARGEST >> 20)).hint("git commit")),
            End::Late | End::Interrupted(_) => Err(cannot(format!("gives no answer in {} s", PATIENCE.as_secs())).hint("git status")),
        }
    }

    fn text(&self, args: &[&str]) -> Option<String> {
        let printed = self.read(args).ok()?;
        let text = String::from_utf8_lossy(&printed).trim_end_matches(['\n', '\0']).to_owned();
        (!text.is_empty()).then_some(text)
    }

    pub fn standing(&self) -> CommitPlace {
        let merging = self.text(&["rev-parse", "--verify", "--quiet", "MERGE_HEAD"]).map(|_| {
            let path = self.path("MERGE_MSG");
            let text = path.and_then(|path| draft::text_of(&path)).unwrap_or_default();
            text.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join("\n")
        });
        CommitPlace {
            head: self.text(&["rev-parse", "--verify", "--quiet", "HEAD"]),
            branch: self.text(&["symbolic-ref", "--quiet", "--short", "HEAD"]),
            merging,
        }
    }

    /// A path of git's own directory.
    fn path(&self, name: &str) -> Option<PathBuf> {
        let printed = self.read(&["rev-parse", "--git-path", name]).ok()?;
        Some(self.cwd.join(OsStr::from_bytes(printed.strip_suffix(b"\n").unwrap_or(&printed))))
    }

    /// Names of files with conflicts.
    pub fn conflicts(&self) -> Result<Vec<String>> {
        // Three lines a file, each with its mode, content and stage before the name.
        let printed = self.read(&["ls-files", "--unmerged", "--full-name", "-z", "--", ":/"])?;
        let mut conflicts: Vec<String> = names(&printed).into_iter().filter_map(|line| Some(line.split_once('\t')?.1.to_owned())).collect();
        conflicts.dedup();
        Ok(conflicts)
    }

    /// The staged change as a patch.
    pub fn change(&self, standing: &CommitPlace) -> Result<Vec<u8>> {
        let nothing;
        let from = if let Some(head) = &standing.head {
            head
        } else {
            // The name of the empty tree, which depends on the repository's hash.
            nothing = self.text(&["hash-object", "-t", "tree", "/dev/null"]).unwrap_or_default();
            &nothing
        };
        let plain = ["--no-ext-diff", "--no-textconv", "--no-color", "--src-prefix=a/", "--dst-prefix=b/", "--submodule=short"];
        self.read(&[&["diff-index", "--cached", "--patch", "-M", "--ignore-submodules=dirty"][..], &plain, &[from, "--"]].concat())
    }

    /// Subjects of the last commits, the newest first.
    pub fn subjects(&self, standing: &CommitPlace) -> Vec<String> {
        let Some(head) = &standing.head else { return Vec::new() };
        let count = format!("--max-count={SUBJECTS}");
        self.text(&["log", &count, "--no-show-signature", "--format=%s", head])
            .map_or_else(Vec::new, |text| text.lines().map(str::to_owned).collect())
    }

    /// Returns what could be staged: files that changed, and new ones. No filter of the repository's runs.
    pub fn unstaged(&self) -> Result<(Vec<String>, Vec<String>)> {
        let keys = self.text(&["config", "--name-only", "--get-regexp", r"^filter\..*\.(clean|process|required)$"]).unwrap_or_default();
        let mut off: Vec<String> = Vec::new();
        for key in keys.lines() {
            off.extend(["-c".into(), format!("{key}={}", if key.ends_with(".required") { "false" } else { "" })]);
        }
        let off: Vec<&str> = off.iter().map(String::as_str).collect();
        let changed = self.read(&[&off[..], &["diff-files", "--name-only", "--ignore-submodules=dirty", "-z"]].concat())?;
        let new = self.read(&["ls-files", "--others", "--exclude-standard", "--directory", "--no-empty-directory", "-z", "--", ":/"])?;
        Ok((names(&changed), names(&new)))
    }

    /// Commits that the branch's upstream has not, the newest first.
    pub fn unpushed(&self) -> Vec<String> {
        let range = ["@{upstream}..HEAD", "--"];
        self.text(&["log", "--no-show-signature", "--format=%h %s", range[0], range[1]])
            .map_or_else(Vec::new, |text| text.lines().map(str::to_owned).collect())
    }

    /// Stages for this commit alone: in a copy of the index, which becomes the index once the commit is made.
    pub fn stage(&mut self, stage: Stage) -> Result<bool> {
        let failed = |error: io::Error| Failure::new(Kind::General, "cannot copy the index").because(error);
        let copy = tempfile::Builder::new().prefix("ai-index-").tempfile().map_err(failed)?;
        let copy = copy.into_temp_path();
        let copied = self.index().map_or(Err(io::ErrorKind::NotFound.into()), |index| {
            // Read first: a copy with an older time than its content makes git look closer, never less.
            let written = index.look()?.modified()?;
            // A repository may have made it anything.
            let mode = 0o600;
            tree::copy_file(&index, Path::new(""), &copy, mode)?;
            own::open(&copy)?.set_modified(written)
        });
        match copied {
            // Git makes one where there is none, and takes an empty file for a broken one.
            Err(error) if error.kind() == io::ErrorKind::NotFound => own::remove(&copy).map_err(failed)?,
            copied => copied.map_err(failed)?,
        }
        self.staged = Some(copy);
        let mut command = self.own();
        command.arg("add").args(stage.words());
        Ok(process::foreground(command)? == 0)
    }

    fn index(&self) -> Option<PathBuf> {
        self.path("index")
    }

    /// Commits what is staged with the message in a file, byte for byte, and the person's hooks. The value is git's exit code.
    pub fn commit(&mut self, message: &Path) -> Result<u8> {
        let mut command = self.own();
        command.args(["commit", "--cleanup=verbatim", "-F"]).arg(message);
        let code = process::foreground(command)?;
        if let (0, Some(staged)) = (code, self.staged.take()) {
            let real = self.index();
            real.map_or(Ok(()), |real| take_over(&staged, &real)).map_err(|error| {
                Failure::new(Kind::General, "cannot bring the index up to date; the commit is made").because(error).hint("git reset")
            })?;
        }
        Ok(code)
    }

    /// Pushes the branch to its upstream, or to the only remote there is.
    pub fn push(&self, standing: &CommitPlace) -> Result<u8> {
        let mut command = self.own();
        command.arg("push");
        let has_upstream = self.text(&["rev-parse", "--verify", "--quiet", "@{upstream}"]).is_some();
        let remotes = self.text(&["remote"]).unwrap_or_default();
        if let ([remote], true) = (remotes.lines().collect::<Vec<_>>().as_slice(), !has_upstream && standing.branch.is_some()) {
            command.args(["--set-upstream", remote, "HEAD"]);
        }
        process::foreground(command)
    }

    /// Opens a file in the editor that git would open. The value is its exit code.
    pub fn edit(&self, file: &Path) -> Result<u8> {
        let mut ask = self.own();
        let printed = ask.args(["var", "GIT_EDITOR"]).output().map_err(|error| process::not_started(OsStr::new("git"), &error))?.stdout;
        let editor = OsString::from(OsStr::from_bytes(printed.trim_ascii_end()));
        if editor.is_empty() {
            return Err(Failure::new(Kind::NotFound, "cannot edit: git knows no editor").hint("export EDITOR=…"));
        }
        // As git itself does it: the setting is a line for the shell.
        let mut line = editor;
        line.push(" \"$@\"");
        let mut command = process::command("sh");
        command.current_dir(&self.cwd).arg("-c").arg(line).arg("editor").arg(file);
        process::foreground(command)
    }
}

/// Makes one index another's successor, under git's own lock.
///
/// It keeps its time: git looks into a file only where its time is not before the index's, and a copy that claims to be younger than what
/// it says would hide a change of the same second and length (git's `Documentation/technical/racy-git.txt`).
fn take_over(staged: &Path, real: &Path) -> io::Result<()> {
    let mut name = real.as_os_str().to_owned();
    name.push(".lock");
    let lock = PathBuf::from(name);
    let mut file = own::create_new(&lock)?;
    let mut index = own::open(staged)?;
    let mut copy = || {
        io::copy(&mut index, &mut file)?;
        file.flush()?;
        file.set_modified(index.metadata()?.modified()?)?;
        own::rename(&lock, real)
    };
    let copied = copy();
    if copied.is_err() {
        // The first error is the one to tell.
        let _ = own::remove(&lock);
    }
    copied
}

fn names(printed: &[u8]) -> Vec<String> {
    let names = printed.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    let mut names: Vec<String> = names.map(|name| String::from_utf8_lossy(name).into_owned()).collect();
    names.dedup();
    names
}
