//! A tool's login on disk: the store's, the host's, and the backups, which no container can see.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::core::container::SHARED;
use crate::core::login::backup::{self, About, By, Why, Worth};
use crate::core::login::{Login, Validity, any};
use crate::core::store::Store;
use crate::core::text::digest::sha256;
use crate::core::tool::Tool;
use crate::host::Host;
use crate::host::engine::volume::Volume;
use crate::host::fs::files::{private_dir, read_own, tighten};
use crate::host::fs::lock::{self, Lock, LockError};
use crate::host::fs::own;
use crate::host::fs::slot::{Slot, slot};
use crate::host::fs::{self, Absent, FileError};
use crate::host::store::login::files::{ABOUT, BackupFiles, matching, read, read_backup, write_backup};

mod files;

/// A credential file as it is on disk.
#[derive(Debug)]
pub struct CredentialFile {
    pub path: PathBuf,
    pub login: Login,
    /// Permission bits.
    pub mode: u32,
}

/// Where the logins of one tool are.
#[derive(Debug)]
pub struct LoginStore {
    store: PathBuf,
    tool: PathBuf,
    /// Below `tool`.
    login: PathBuf,
    names: Vec<String>,
    /// Whether only tokens of a known shape are a login.
    tokens_only: bool,
    /// Where the host's own program keeps its login.
    host: Option<PathBuf>,
    /// What sessions use instead of the store's directory.
    volume: Option<Volume>,
}

impl LoginStore {
    /// `None` for a tool that has no login of its own.
    pub fn of(tool: &Tool, host: &Host, store: &Store) -> Option<Self> {
        let state = tool.manifest.state.as_ref()?;
        let below = state.login.at.strip_prefix(SHARED)?.trim_start_matches('/');
        if state.login.files.is_empty() || !tool.manifest.secret.is_empty() {
            return None;
        }
        let (directory, login) = (store.tool(&tool.name), Path::new("shared").join(below));
        let names = state.login.files.iter().flat_map(|name| matching(&directory, &login, name)).collect();
        Some(Self {
            store: store.root().to_owned(),
            tool: directory,
            login,
            names,
            tokens_only: state.login.tokens_only,
            host: state.login.host.as_ref().and_then(|path| Some(host.home()?.join(path))),
            volume: None,
        })
    }

    /// Returns what renews a login holds, one at a time over all sessions; it is let go with the value. It is beside the backups: the
    /// login's own directory is in containers, which could hold it as long as they like.
    pub fn turn(&self, wait: Duration) -> Result<Lock, LockError> {
        lock::acquire(&self.backups_dir(), wait)
    }

    /// Returns the same login where sessions use it: in a volume, if there is one. Backups stay in the store.
    #[must_use]
    pub fn with(self, volume: Option<Volume>) -> Self {
        Self { volume, ..self }
    }

    /// Reads a credential document of this tool.
    pub fn read(&self, bytes: &[u8]) -> Login {
        if self.tokens_only { Login::read(bytes) } else { any::read(bytes) }
    }

    /// Whether a document is what a tool leaves that nobody logged in to: no login, and nothing wrong.
    pub fn is_blank(&self, login: &Login) -> bool {
        !self.tokens_only && login.validity == Validity::Empty
    }

    /// `volume` or `store`.
    pub fn kind(&self) -> &'static str {
        if self.volume.is_some() { "volume" } else { "store" }
    }

    /// Returns the file that holds the tokens: the manifest's first.
    pub fn main(&self) -> &str {
        &self.names[0]
    }

    pub fn names(&self) -> &[String] {
        &self.names
    }

    pub fn directory(&self) -> PathBuf {
        self.tool.join(&self.login)
    }

    /// Returns where the host's own program keeps its login.
    pub fn host_directory(&self) -> Option<&Path> {
        self.host.as_deref()
    }

    /// Returns a file of the login. A tool could put a link to `~/.ssh` where its login was: no name below its directory is ever resolved
    /// through one.
    fn slot(&self, name: &str, absent: Absent) -> Result<Option<Slot>, FileError> {
        slot(&self.tool, &self.login.join(name), absent)
    }

    /// Returns the store's login.
    pub fn look(&self) -> io::Result<Option<CredentialFile>> {
        if let Some(volume) = &self.volume {
            let path = Path::new(&format!("{}:{}", volume.name, volume.at)).join(self.main());
            let content = volume.read(&self.names[..1])?.remove(self.main());
            // Nobody but root gets to a volume of the engine's.
            let found = content.map(|bytes| CredentialFile { path, login: self.read(&bytes), mode: 0o600 });
            return Ok(found.filter(|found| !self.is_blank(&found.login)));
        }
        let content = read(self.slot(self.main(), Absent::Leave)?)?;
        let found =
            content.map(|(bytes, mode)| CredentialFile { path: self.directory().join(self.main()), login: self.read(&bytes), mode });
        Ok(found.filter(|found| !self.is_blank(&found.login)))
    }

    /// Returns a credential file of the person's own, which may be a link.
    pub fn look_at(&self, path: &Path) -> io::Result<Option<CredentialFile>> {
        let Some((bytes, mode)) = read_own(path)? else { return Ok(None) };
        let found = CredentialFile { path: path.to_owned(), login: self.read(&bytes), mode };
        Ok(Some(found).filter(|found| !self.is_blank(&found.login)))
    }

    /// Returns all files of the login that are there.
    pub fn files(&self) -> io::Result<BackupFiles> {
        if let Some(volume) = &self.volume {
            return volume.read(&self.names);
        }
        let mut files = BackupFiles::new();
        for name in &self.names {
            if let Some((bytes, _)) = read(self.slot(name, Absent::Leave)?)? {
                files.insert(name.clone(), bytes);
            }
        }
        Ok(files)
    }

    /// Makes the login consist of `files`: what is in none of them goes.
    pub fn replace(&self, files: &BackupFiles) -> io::Result<()> {
        if let Some(volume) = &self.volume {
            return self.names.iter().try_for_each(|name| volume.write(name, files.get(name).map(Vec::as_slice)));
        }
        fs::enter(&self.tool, &self.login, Absent::Make)?;
        self.tighten()?;
        for name in &self.names {
            let slot = self.slot(name, Absent::Make)?.ok_or(io::ErrorKind::NotFound)?;
            match files.get(name) {
                Some(bytes) => slot.write(bytes)?,
                None => slot.delete()?,
            }
        }
        Ok(())
    }

    fn tighten(&self) -> io::Result<()> {
        let tool = self.tool.strip_prefix(&self.store).unwrap_or(&self.tool);
        tighten(&self.store, &tool.join(&self.login))
    }

    fn backups_dir(&self) -> PathBuf {
        self.tool.join("backups")
    }

    /// Returns the backups that can be read, oldest first.
    pub fn backups(&self) -> io::Result<Vec<About>> {
        let path = self.backups_dir();
        let Some(directory) = fs::enter(&path, Path::new(""), Absent::Leave)? else { return Ok(Vec::new()) };
        let about = |name: std::ffi::OsString| {
            let (bytes, _) = read(slot(&path, &Path::new(&name).join(ABOUT), Absent::Leave).ok()?).ok()??;
            let about: About = serde_json::from_slice(&bytes).ok()?;
            (name == about.name().as_str()).then_some(about)
        };
        let mut backups: Vec<About> = fs::names(&directory, &path)?.into_iter().filter_map(about).collect();
        backups.sort_unstable_by_key(|about| about.number);
        Ok(backups)
    }

    /// Keeps the store's login if it is good and new; the backup's name if one was made.
    ///
    /// # Errors
    /// Where it cannot be kept, and where runs left too many new ones lately: then the older ones stay.
    pub fn keep_good(&self, by: By) -> io::Result<Option<String>> {
        let files = self.files()?;
        let Some(main) = files.get(self.main()) else { return Ok(None) };
        let login = self.read(main);
        let kept = self.backups()?;
        match backup::worth(&login, by, &kept, crate::host::now()) {
            Worth::New => {}
            Worth::No => return Ok(None),
            Worth::Flood => return Err(io::Error::other("runs left many new ones today; those from before stay")),
        }
        match self.keep(&files, Why::Good, by, &kept) {
            // A session that ended in the same moment was quicker.
            Err(error) if matches!(error.kind(), io::ErrorKind::DirectoryNotEmpty | io::ErrorKind::AlreadyExists) => Ok(None),
            kept => kept.map(Some),
        }
    }

    /// Keeps what is in the store now, whatever it is; `None` if nothing is.
    pub fn snapshot(&self) -> io::Result<Option<String>> {
        let files = self.files()?;
        if files.is_empty() {
            return Ok(None);
        }
        self.keep(&files, Why::Before, By::Person, &self.backups()?).map(Some)
    }

    /// Writes a backup beside the others, then drops those that are too many. A backup is there as a whole or not at all.
    pub fn keep(&self, files: &BackupFiles, why: Why, by: By, kept: &[About]) -> io::Result<String> {
        let login = files.get(self.main()).map_or_else(|| self.read(b""), |main| self.read(main));
        let about = About {
            number: backup::next_number(kept),
            why,
            by,
            fingerprint: login.fingerprint,
            account: login.account,
            taken: crate::host::now(),
            files: files.iter().map(|(name, bytes)| (name.clone(), sha256(bytes))).collect(),
        };
        let directory = self.backups_dir();
        private_dir(&directory)?;
        self.tighten()?;
        write_backup(&directory, &about, files)?;
        let mut all = kept.to_vec();
        all.push(about.clone());
        for name in backup::prunable(&all, about.taken) {
            match own::remove_tree(directory.join(name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        Ok(about.name())
    }

    /// Returns a backup's files, if they are what they were: each present, each with its hash.
    pub fn open_backup(&self, about: &About) -> io::Result<BackupFiles> {
        let directory = self.backups_dir().join(about.name());
        read_backup(&directory, about)
    }

    /// Copies a backup to a directory of the person's choice and reads it back.
    pub fn copy_backup(&self, about: &About, to: &Path) -> io::Result<PathBuf> {
        let files = self.open_backup(about)?;
        let target = to.join(about.name());
        if read_backup(&target, about).is_ok_and(|there| there == files) {
            return Ok(target);
        }
        write_backup(to, about, &files)?;
        if read_backup(&target, about)? == files {
            return Ok(target);
        }
        Err(io::Error::new(io::ErrorKind::InvalidData, "the copy reads back differently"))
    }
}
