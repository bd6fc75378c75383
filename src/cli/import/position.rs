//! The position of an import, in a small file beside the input.
//!
//! It is an optimisation: importing a row twice changes nothing. It must never skip a row. So it
//! advances only after acknowledgements, and names its import: the target, the tenant, the source,
//! the kind and how the file is read. It has the hash of all bytes before it, so a file that has
//! changed there is refused, and one that has only grown goes on. A position counts bytes after
//! decompression, so it holds for gzip too.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use serde::{Deserialize, Serialize};

use crate::sources::files::Position;

/// The import that a position belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Owner {
    target: String,
    tenant: String,
    source: String,
    kind: String,
    /// Declarations of the file.
    reading: String,
}

/// A place between two rows, with what is before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    position: Position,
    digest: [u8; 32],
}

/// How far an import came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Saved {
    #[serde(flatten)]
    pub(super) position: Position,
    /// SHA-256 of all bytes before the position, in Base64; empty at the beginning.
    digest: String,
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
    /// The import to (target, tenant, source, kind) of a file that is read in this way.
    pub(super) fn new([target, tenant, source, kind]: [&str; 4], reading: String) -> Self {
        Self {
            target: target.to_owned(),
            tenant: tenant.to_owned(),
            source: source.to_owned(),
            kind: kind.to_owned(),
            reading,
        }
    }
}

impl Place {
    /// A place, and the hash of all bytes before it.
    pub(super) fn new(position: Position, digest: [u8; 32]) -> Self {
        Self { position, digest }
    }
}

impl Saved {
    fn start() -> Self {
        Self {
            position: Position::START,
            digest: String::new(),
            rejects_bytes: 0,
        }
    }

    /// Whether a file with this hash of the bytes before the position is the one that was read.
    pub(super) fn fits(&self, digest: [u8; 32]) -> bool {
        self.position == Position::START || self.digest == BASE64_STANDARD.encode(digest)
    }
}

impl PositionFile {
    /// Where to begin: at the start, or where an import of the same was stopped.
    pub(super) fn open(path: PathBuf, owner: Owner, resume: bool) -> anyhow::Result<(Self, Saved)> {
        let saved = if resume {
            read(&path, &owner)?
        } else {
            Saved::start()
        };
        let file = Self {
            path,
            owner,
            reported: false,
        };
        Ok((file, saved))
    }

    /// Writes a place, whole or not at all. A failure is reported once: the import itself does not
    /// need the file.
    pub(super) fn save(&mut self, place: Place, rejects_bytes: u64) {
        let content = Content {
            owner: self.owner.clone(),
            saved: Saved {
                position: place.position,
                digest: BASE64_STANDARD.encode(place.digest),
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

fn read(path: &Path, owner: &Owner) -> anyhow::Result<Saved> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Saved::start()),
        Err(error) => return Err(error).with_context(|| path.display().to_string()),
    };
    let found: Content = serde_json::from_slice(&text).with_context(|| {
        format!(
            "{}: is not the position of an import; import without --resume",
            path.display()
        )
    })?;
    if found.owner != *owner {
        bail!(
            "{}: belongs to another import (another target, tenant, source, kind or way to read the file); import without --resume",
            path.display()
        );
    }
    Ok(found.saved)
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
        let at = dir.path().join("a.csv.import.json");
        let import = ["sqlite://a.db", "default", "web", "customers"];
        let open = |import, reading: &str, resume| {
            PositionFile::open(at.clone(), Owner::new(import, reading.to_owned()), resume)
        };
        let (mut position, saved) = open(import, "", true).unwrap();
        assert_eq!(saved, Saved::start());
        assert!(saved.fits([1; 32]), "nothing was read yet");
        position.save(Place::new(AT, [7; 32]), 3);

        let saved = open(import, "", true).unwrap().1;
        assert_eq!((saved.position, saved.rejects_bytes), (AT, 3));
        assert!(saved.fits([7; 32]) && !saved.fits([8; 32]), "another file");
        assert_eq!(open(import, "", false).unwrap().1, Saved::start());
        assert!(
            open(import, "utf-16le", true).is_err(),
            "read in another way"
        );
        let other_target = ["sqlite://b.db", "default", "web", "customers"];
        let other_kind = ["sqlite://a.db", "default", "web", "orders"];
        assert!(open(other_target, "", true).is_err());
        assert!(open(other_kind, "", true).is_err());
    }
}
