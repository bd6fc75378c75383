//! A SQLite database as a file: whose it is, and whether it still is the one that was opened.
//!
//! Two servers at one file would each serve a cache that knows nothing of the other's writes, and
//! by two names of one file (a hard link, a file mounted by itself) each would keep a write-ahead
//! log of its own and overwrite what the other has committed. So the **file** is locked, by device
//! and inode, whatever name leads to it. The choices:
//!
//! - A lock file beside it (`PATH.lock`) locks a name: a symbolic link, a hard link or a mount has
//!   another one, and whoever tidies it away unlocks a running server.
//! - A lock file in a fixed place, named by device and inode, is not shared by containers that
//!   share a volume.
//! - POSIX record locks on the database itself are SQLite's own: a process loses all of them as
//!   soon as it closes any descriptor of the file.
//! - `flock` on the database itself, which is what is done: it belongs to one open file, is let go
//!   when the process ends in whichever way, and on Linux has nothing to do with record locks.
//!   Elsewhere the two are one kind of lock, so there a file beside the database is locked.
//!
//! Closing that descriptor would drop SQLite's record locks within this process. So it is kept open
//! as long as the store, and a second store of the same process at the same file is refused before
//! it opens anything.
//!
//! **While it runs**, the file is looked at by its name: before and after each commit, and once a
//! second. The log (`PATH-wal`) is looked at too: what was committed since the last checkpoint is
//! in there and nowhere else.
//!
//! Refused at the start: a file with several hard links, and a file that is a mount of its own,
//! since the log goes by the name and would be missed under another one; and file systems that are
//! known to be on a network, where neither locks nor shared memory can be relied on.

use std::collections::HashSet;
use std::fs::{File, Metadata, OpenOptions, TryLockError};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, MutexGuard, OnceLock, PoisonError};

use crate::store::{Error, Result};

/// A file, whatever its names are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct FileId {
    device: u64,
    inode: u64,
}

impl FileId {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
        }
    }
}

/// The databases that this process has open.
static OPEN: LazyLock<Mutex<HashSet<FileId>>> = LazyLock::new(Mutex::default);

fn open() -> MutexGuard<'static, HashSet<FileId>> {
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The file of a database, locked for this process until it is dropped.
#[derive(Debug)]
pub(in crate::store::sql) struct DatabaseFile {
    /// As it was named.
    path: PathBuf,
    /// Without symbolic links: as SQLite opens it and names its log.
    resolved: PathBuf,
    id: FileId,
    log: OnceLock<FileId>,
    /// Holds the lock; on Linux it is the database itself. `None` once it is let go.
    lock: Mutex<Option<File>>,
}

impl DatabaseFile {
    /// Locks the file of a database; makes an empty one if there is none.
    pub(super) fn claim(path: &Path) -> Result<Self> {
        let failed = |error: std::io::Error| Error::Open(format!("{}: {error}", path.display()));
        let mut open = open();
        // Looked at first: see above why a file that is open in this process must not be opened and
        // closed here.
        if std::fs::metadata(path).is_ok_and(|known| open.contains(&FileId::of(&known))) {
            return Err(taken());
        }
        let options = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .clone();
        let file = options.open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        let (resolved, id) = (path.canonicalize().map_err(failed)?, FileId::of(&metadata));
        refuse_unfit(path, &resolved, &metadata)?;
        let lock = if cfg!(target_os = "linux") {
            file
        } else {
            beside(&resolved).map_err(failed)?
        };
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(taken()),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        if let Some(gone) = difference(path, id) {
            return Err(Error::Open(format!("{}: the file {gone}", path.display())));
        }
        open.insert(id);
        drop(open);
        Ok(Self {
            path: path.to_owned(),
            resolved,
            id,
            log: OnceLock::new(),
            lock: Mutex::new(Some(lock)),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Option<File>> {
        self.lock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets others have the file. To be called when all connections are closed.
    pub(in crate::store::sql) fn release(&self) {
        let mut open = open();
        if self.lock().take().is_some() {
            open.remove(&self.id);
        }
    }

    /// As SQLite is to open it.
    pub(in crate::store::sql) fn resolved(&self) -> &Path {
        &self.resolved
    }

    /// Takes the log that is there for the one that is to stay.
    pub(super) fn remember_log(&self) {
        if let Ok(log) = std::fs::metadata(self.log_path()) {
            self.log.get_or_init(|| FileId::of(&log));
        }
    }

    /// Whether the database keeps no log beside it, as a copy by `VACUUM INTO` does. Source:
    /// SQLite, "Database File Format", bytes 18 and 19 of the header: 1 is for a rollback journal,
    /// 2 for a write-ahead log.
    pub(in crate::store::sql) fn is_without_log_mode(&self) -> bool {
        let mut header = [0; 20];
        // What is no database at all is told by SQLite.
        cfg!(target_os = "linux")
            && self
                .lock()
                .as_ref()
                .is_some_and(|file| file.read_exact_at(&mut header, 0).is_ok())
            && header.starts_with(b"SQLite format 3\0")
            && header[18] == 1
    }

    /// Whether there is a log with something in it.
    pub(in crate::store::sql) fn has_log(&self) -> bool {
        std::fs::metadata(self.log_path()).is_ok_and(|log| log.len() > 0)
    }

    fn log_path(&self) -> PathBuf {
        let mut path = self.resolved.clone().into_os_string();
        path.push("-wal");
        path.into()
    }

    /// Why the files under these names are not those that were opened; `None` if they are.
    pub(in crate::store::sql) fn gone(&self) -> Option<String> {
        if let Some(gone) = difference(&self.path, self.id) {
            return Some(format!("the database file {} {gone}", self.path.display()));
        }
        let path = self.log_path();
        let gone = self.log.get().and_then(|log| difference(&path, *log))?;
        Some(format!("the write-ahead log {} {gone}", path.display()))
    }

    /// Whether the file is in place and only its log is missing: nobody else can have begun another
    /// log then.
    pub(in crate::store::sql) fn is_only_without_log(&self) -> bool {
        let log = std::fs::symlink_metadata(self.log_path());
        difference(&self.path, self.id).is_none()
            && log.is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound)
    }
}

impl Drop for DatabaseFile {
    fn drop(&mut self) {
        self.release();
    }
}

/// What has become of a file; `None` if it is in its place. What cannot be looked at is not taken
/// for gone.
fn difference(path: &Path, expected: FileId) -> Option<&'static str> {
    match std::fs::metadata(path) {
        Ok(found) if FileId::of(&found) == expected => None,
        Ok(_) => Some("was replaced by another file while it was in use"),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Some("was deleted or moved away while it was in use")
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => {
            Some("has lost its directory")
        }
        Err(_) => None,
    }
}

fn taken() -> Error {
    Error::Open(
        "another process is using this database; use --server to ask that process".to_owned(),
    )
}

fn beside(resolved: &Path) -> std::io::Result<File> {
    let mut name = resolved.as_os_str().to_owned();
    name.push(".lock");
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&name)
}

/// Refuses what would lose data sooner or later.
fn refuse_unfit(path: &Path, resolved: &Path, metadata: &Metadata) -> Result<()> {
    let refused = |why: String| Err(Error::Open(format!("{}: {why}", path.display())));
    if !metadata.is_file() {
        return refused("is not a regular file".to_owned());
    }
    if metadata.nlink() > 1 {
        let links = metadata.nlink();
        return refused(format!(
            "the file has {links} hard links; SQLite keeps its log beside the name that it opened, so only 1 is allowed"
        ));
    }
    // Not there: not Linux, or a process that may not look at it.
    let Ok(mounts) = std::fs::read_to_string("/proc/self/mountinfo") else {
        return Ok(());
    };
    let Some(mount) = mount_of(&mounts, resolved) else {
        return Ok(());
    };
    if mount.point == resolved {
        return refused(
            "the file is a mount of its own; mount its directory, where SQLite keeps its log"
                .to_owned(),
        );
    }
    if is_on_a_network(&mount.kind) {
        return refused(format!(
            "the file system is {}, on a network; SQLite needs a local one (or use PostgreSQL)",
            mount.kind
        ));
    }
    Ok(())
}

/// A mounted file system.
#[derive(Debug, PartialEq, Eq)]
struct Mount {
    point: PathBuf,
    kind: String,
}

/// The mount that a path is on: the longest that it begins with, the last of these. Source:
/// proc(5), `mountinfo`.
fn mount_of(mountinfo: &str, path: &Path) -> Option<Mount> {
    let mounts = mountinfo.lines().filter_map(|line| {
        let (before, after) = line.split_once(" - ")?;
        let point = PathBuf::from(unescaped(before.split(' ').nth(4)?));
        Some(Mount {
            point,
            kind: after.split(' ').next()?.to_owned(),
        })
    });
    mounts
        .filter(|mount| path.starts_with(&mount.point))
        .max_by_key(|mount| mount.point.components().count())
}

/// Spaces, tabs, line ends and backslashes of a mount point are octal.
fn unescaped(text: &str) -> String {
    [
        ("\\040", " "),
        ("\\011", "\t"),
        ("\\012", "\n"),
        ("\\134", "\\"),
    ]
    .iter()
    .fold(text.to_owned(), |text, (code, character)| {
        text.replace(code, character)
    })
}

/// Kinds of file systems that are known to be on a network. Of FUSE only those whose name tells.
fn is_on_a_network(kind: &str) -> bool {
    const NETWORK: [&str; 16] = [
        "nfs",
        "nfs3",
        "nfs4",
        "cifs",
        "smb3",
        "smbfs",
        "afs",
        "ceph",
        "glusterfs",
        "lustre",
        "gfs2",
        "ocfs2",
        "beegfs",
        "fuse.sshfs",
        "fuse.glusterfs",
        "fuse.s3fs",
    ];
    NETWORK.contains(&kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(error: Result<DatabaseFile>) -> String {
        error
            .map(|file| format!("{file:?}"))
            .expect_err("refused")
            .to_string()
    }

    #[test]
    fn a_file_is_taken_by_whichever_name_it_is_asked_for() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("db");
        let claimed = DatabaseFile::claim(&path).expect("a new file");
        let link = dir.path().join("link");
        std::os::unix::fs::symlink(&path, &link).expect("a link");
        for name in [path.clone(), link.clone(), dir.path().join("./db")] {
            assert!(
                text(DatabaseFile::claim(&name)).contains("another process is using"),
                "{name:?}"
            );
        }
        drop(claimed);
        DatabaseFile::claim(&link).expect("by a symbolic link");
        std::fs::hard_link(&path, dir.path().join("hard")).expect("a link");
        assert!(text(DatabaseFile::claim(&path)).contains("has 2 hard links"));
        assert!(text(DatabaseFile::claim(dir.path())).contains("directory"));
    }

    #[test]
    fn what_becomes_of_the_files_is_seen() {
        let dir = tempfile::tempdir().expect("a directory");
        let (path, log, away) = (
            dir.path().join("db"),
            dir.path().join("db-wal"),
            dir.path().join("away"),
        );
        let claimed = DatabaseFile::claim(&path).expect("a new file");
        std::fs::write(&log, "").expect("a log");
        claimed.remember_log();
        assert_eq!(claimed.gone(), None);
        std::fs::rename(&path, &away).expect("moved");
        assert!(
            claimed
                .gone()
                .expect("seen")
                .contains("deleted or moved away")
        );
        std::fs::write(&path, "").expect("another file");
        assert!(claimed.gone().expect("seen").contains("replaced"));
        std::fs::rename(&away, &path).expect("moved back");
        assert_eq!(claimed.gone(), None);
        // As SQLite does: what is open keeps its number, which a new file would get otherwise.
        let held = std::fs::File::open(&log).expect("the log");
        std::fs::remove_file(&log).expect("removed");
        assert!(
            claimed.gone().expect("seen").contains("write-ahead log")
                && claimed.is_only_without_log()
        );
        std::fs::write(&log, "").expect("another log");
        assert!(claimed.gone().is_some() && !claimed.is_only_without_log());
        drop(held);
    }

    #[test]
    fn the_mount_of_a_path_is_the_nearest() {
        let mounts = "22 1 259:1 / / rw - ext4 /dev/root rw\n\
            31 22 0:40 / /data\\040base rw,relatime shared:1 - nfs4 host:/x rw\n\
            32 22 259:1 /x.db /srv/x.db rw - ext4 /dev/root rw\n";
        let kind = |path: &str| mount_of(mounts, Path::new(path)).expect("a mount");
        assert_eq!(kind("/data base/x.db").kind, "nfs4");
        assert_eq!(kind("/data/x.db").kind, "ext4");
        assert_eq!(kind("/srv/x.db").point, Path::new("/srv/x.db"));
        assert!(
            is_on_a_network("nfs4") && is_on_a_network("fuse.sshfs") && !is_on_a_network("overlay")
        );
    }
}
