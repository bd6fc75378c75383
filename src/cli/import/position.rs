//! The position of an import, in a small file beside the input.
//!
//! It is an optimisation: importing a row twice changes nothing. It must never skip a row. So it
//! advances only after acknowledgements, and names its import: the input (by its beginning; it may
//! have grown since), the target, the tenant, the source and the kind. Any other import refuses it.
//! A position counts bytes after decompression, so it holds for gzip too.

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::sources::files::Position;

/// How much of an input tells it from others.
const BEGINNING_BYTES: u64 = 64 * 1024;

/// The import that a position belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Owner {
    target: String,
    tenant: String,
    source: String,
    kind: String,
    /// Bytes of the input, as it is stored.
    bytes: u64,
    /// SHA-256 of its first bytes.
    beginning: String,
}

/// How far an import came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Saved {
    #[serde(flatten)]
    pub(super) position: Position,
    /// How long the file of refused rows was.
    pub(super) rejects_bytes: u64,
}

#[derive(Serialize, Deserialize)]
struct Content {
    owner: Owner,
    saved: Saved,
}

/// The file that keeps the position of an import.
pub(crate) struct PositionFile {
    path: PathBuf,
    owner: Owner,
    reported: bool,
}

impl Owner {
    /// The import of a file to (target, tenant, source, kind).
    pub(super) fn of(
        file: &Path,
        [target, tenant, source, kind]: [&str; 4],
    ) -> anyhow::Result<Self> {
        let bytes = fs::metadata(file)
            .with_context(|| file.display().to_string())?
            .len();
        Ok(Self {
            target: target.to_owned(),
            tenant: tenant.to_owned(),
            source: source.to_owned(),
            kind: kind.to_owned(),
            bytes,
            beginning: beginning(file, bytes).with_context(|| file.display().to_string())?,
        })
    }
}

impl Saved {
    const START: Self = Self {
        position: Position::START,
        rejects_bytes: 0,
    };
}

impl PositionFile {
    /// Where to begin: at the start, or where an import of the same was stopped.
    pub(super) fn open(
        path: PathBuf,
        owner: Owner,
        file: &Path,
        resume: bool,
    ) -> anyhow::Result<(Self, Saved)> {
        let saved = if resume {
            read(&path, &owner, file)?
        } else {
            Saved::START
        };
        Ok((
            Self {
                path,
                owner,
                reported: false,
            },
            saved,
        ))
    }

    /// Writes a position, whole or not at all. A failure is reported once: the import itself does
    /// not need the file.
    pub(super) fn save(&mut self, position: Position, rejects_bytes: u64) {
        let content = Content {
            owner: self.owner.clone(),
            saved: Saved {
                position,
                rejects_bytes,
            },
        };
        let mut new = self.path.as_os_str().to_owned();
        new.push(".new");
        let written = serde_json::to_vec(&content).map_err(std::io::Error::from);
        let written = written
            .and_then(|text| fs::write(&new, text))
            .and_then(|()| fs::rename(&new, &self.path));
        if let Err(error) = written
            && !std::mem::replace(&mut self.reported, true)
        {
            eprintln!(
                "warning: {}: {error}; this import cannot be resumed",
                self.path.display()
            );
        }
    }

    /// The import is done.
    pub(super) fn remove(self) {
        // One that cannot be removed names an end after which there is nothing.
        drop(fs::remove_file(&self.path));
    }
}

fn read(path: &Path, owner: &Owner, file: &Path) -> anyhow::Result<Saved> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Saved::START),
        Err(error) => return Err(error).with_context(|| path.display().to_string()),
    };
    let found: Content = serde_json::from_slice(&text).with_context(|| {
        format!(
            "{}: is not the position of an import; import without --resume",
            path.display()
        )
    })?;
    let before = beginning(file, found.owner.bytes).with_context(|| file.display().to_string())?;
    let same = Owner {
        bytes: owner.bytes,
        beginning: before,
        ..owner.clone()
    };
    let expected = Owner {
        bytes: owner.bytes,
        ..found.owner.clone()
    };
    if same != expected || owner.bytes < found.owner.bytes {
        bail!(
            "{}: belongs to another import (another file, target, tenant, source or kind); import without --resume",
            path.display()
        );
    }
    Ok(found.saved)
}

/// The hash of the first bytes of a file with this length.
fn beginning(file: &Path, bytes: u64) -> std::io::Result<String> {
    let mut head = Vec::new();
    File::open(file)?
        .take(BEGINNING_BYTES.min(bytes))
        .read_to_end(&mut head)?;
    Ok(BASE64_STANDARD.encode(Sha256::digest(&head)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Position = Position {
        offset: 7,
        lines: 2,
    };

    #[test]
    fn a_position_counts_for_the_same_import_only() {
        let dir = tempfile::tempdir().unwrap();
        let (file, at) = (
            dir.path().join("a.csv"),
            dir.path().join("a.csv.import.json"),
        );
        fs::write(&file, "id\n1\n2\n").unwrap();
        let import = ["sqlite://a.db", "default", "web", "customers"];
        let open = |import, resume| {
            PositionFile::open(at.clone(), Owner::of(&file, import).unwrap(), &file, resume)
        };
        let (mut position, saved) = open(import, true).unwrap();
        assert_eq!(saved, Saved::START);
        position.save(AT, 3);

        assert_eq!(
            open(import, true).unwrap().1,
            Saved {
                position: AT,
                rejects_bytes: 3
            }
        );
        assert_eq!(open(import, false).unwrap().1, Saved::START);
        assert!(open(["sqlite://b.db", "default", "web", "customers"], true).is_err());
        assert!(open(["sqlite://a.db", "default", "web", "orders"], true).is_err());

        fs::write(&file, "id\n1\n2\n3\n").unwrap();
        assert_eq!(
            open(import, true).unwrap().1.position,
            AT,
            "the same file, grown"
        );
        fs::write(&file, "id\n9\n2\n3\n").unwrap();
        assert!(open(import, true).is_err(), "another file");
        fs::write(&file, "id\n1\n").unwrap();
        assert!(open(import, true).is_err(), "a shorter file");
    }
}
