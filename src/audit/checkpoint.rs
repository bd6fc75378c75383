//! Checkpoints and the keys that sign them.
//!
//! A checkpoint is a note that an Ed25519 key has signed (c2sp.org/tlog-checkpoint,
//! c2sp.org/signed-note): the name of the log, its size, its tree hash, and the signature. A server
//! without a key writes the first three alone; they show damage to a log, and no forgery.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use profile_core::records::TenantId;
use rand_core::OsRng;
use signed_note::{
    Note, NoteError, Signer as _, StandardSigner, StandardVerifier, Verifier, VerifierList,
    generate_key,
};
use tlog_tiles::{Checkpoint as Text, Hash};
use uuid::Uuid;

use super::LeafHash;

/// The state of a log at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The name of the log: that of its database and tenant.
    pub origin: String,
    /// How many entries it had.
    pub size: u64,
    /// Its tree hash.
    pub hash: LeafHash,
    /// Whether a key that counts has signed it.
    pub is_signed: bool,
}

/// A checkpoint that cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// It is no checkpoint.
    #[error("it is no checkpoint")]
    Malformed,
    /// No key that counts has signed it.
    #[error("no key that is known has signed it")]
    Unsigned,
    /// A signature by a key that counts is wrong.
    #[error("its signature is wrong")]
    WrongSignature,
}

/// A file of keys that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// It cannot be read.
    #[error("{path}: {error}")]
    Unreadable {
        /// The path of the file.
        path: String,
        /// The error of the system.
        error: std::io::Error,
    },
    /// A line is no key.
    #[error("{path}, line {line}: no key; `customer-profile audit new-key` makes one")]
    Malformed {
        /// The path of the file.
        path: String,
        /// The number of the line, from 1.
        line: usize,
    },
    /// It has no private key, and a server would sign nothing.
    #[error("{path}: no private key; whoever verifies needs the public one alone, a server both")]
    NoPrivate {
        /// The path of the file.
        path: String,
    },
    /// It has two private keys, or a private one without its public one.
    #[error("{path}: expected one private key at most, and its public key with it")]
    Unpaired {
        /// The path of the file.
        path: String,
    },
}

/// The key that signs checkpoints, and the public keys whose signatures count.
#[derive(Default)]
pub struct Keys {
    signer: Option<StandardSigner>,
    public: Vec<StandardVerifier>,
}

impl Keys {
    /// Reads a file of keys, one a line: at most one private key, which signs; public keys, also
    /// those of former private keys. Empty lines and lines with `#` are skipped.
    ///
    /// # Errors
    /// It cannot be read, or is no such file.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        let name = || path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| KeyError::Unreadable {
            path: name(),
            error,
        })?;
        let mut keys = Self::default();
        let lines = text.lines().map(str::trim).enumerate();
        for (before, line) in lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
            let malformed = || KeyError::Malformed {
                path: name(),
                line: before + 1,
            };
            if line.starts_with("PRIVATE+KEY+") {
                let signer = StandardSigner::new(line).map_err(|_| malformed())?;
                if keys.signer.replace(signer).is_some() {
                    return Err(KeyError::Unpaired { path: name() });
                }
            } else {
                keys.public
                    .push(StandardVerifier::new(line).map_err(|_| malformed())?);
            }
        }
        let is_paired = keys.signer.as_ref().is_none_or(|signer| {
            let same = |key: &StandardVerifier| key.key_id() == signer.key_id();
            keys.public.iter().any(same)
        });
        if is_paired {
            Ok(keys)
        } else {
            Err(KeyError::Unpaired { path: name() })
        }
    }

    /// The same of a file that must have a private key.
    ///
    /// # Errors
    /// Those of [`read`](Self::read), or it has none.
    pub fn read_private(path: &Path) -> Result<Self, KeyError> {
        let keys = Self::read(path)?;
        if keys.signs() {
            return Ok(keys);
        }
        let path = path.display().to_string();
        Err(KeyError::NoPrivate { path })
    }

    /// Whether it has a key that signs.
    #[must_use]
    pub fn signs(&self) -> bool {
        self.signer.is_some()
    }

    /// The text of a checkpoint.
    pub(super) fn seal(&self, origin: &str, size: u64, hash: LeafHash) -> String {
        let text = format!("{origin}\n{size}\n{}\n", STANDARD.encode(hash));
        let Some(signer) = &self.signer else {
            return text;
        };
        let note = Note::new(text.as_bytes(), &[]).and_then(|mut note| {
            note.add_sigs(&[signer])?;
            Ok(note.to_bytes())
        });
        // The name of a log has no character that a note cannot have.
        note.map_or(text, |note| String::from_utf8_lossy(&note).into_owned())
    }

    /// Reads a checkpoint. Where there are public keys, one of them must have signed it.
    ///
    /// # Errors
    /// It is none, or is not signed so.
    pub fn open(&self, text: &str) -> Result<Checkpoint, CheckpointError> {
        let note = Note::from_bytes(text.as_bytes());
        let said = match &note {
            Ok(note) => note.text(),
            Err(_) => text.as_bytes(),
        };
        let read = Text::from_bytes(said).map_err(|_| CheckpointError::Malformed)?;
        let known = self.public.iter().cloned();
        let known = known
            .map(|key| Box::new(key) as Box<dyn Verifier>)
            .collect();
        let is_signed = match (note, self.public.is_empty()) {
            (_, true) => false,
            (Err(_), false) => return Err(CheckpointError::Unsigned),
            (Ok(note), false) => match note.verify(&VerifierList::new(known)) {
                Ok(_) => true,
                Err(NoteError::InvalidSignature { .. }) => {
                    return Err(CheckpointError::WrongSignature);
                }
                Err(_) => return Err(CheckpointError::Unsigned),
            },
        };
        let Hash(hash) = *read.hash();
        Ok(Checkpoint {
            origin: read.origin().to_owned(),
            size: read.size(),
            hash,
            is_signed,
        })
    }
}

/// Makes a private key and its public key, under a name without spaces and plus signs.
#[must_use]
pub fn new_keys(name: &str) -> (String, String) {
    generate_key(&mut OsRng, name)
}

/// The name of the log of a tenant.
#[must_use]
pub fn origin(store: Uuid, tenant: &TenantId) -> String {
    format!("customer-profile/{store}/{}", tenant.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(content: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        file
    }

    fn keys(content: &str) -> Keys {
        Keys::read(file(content).path()).unwrap()
    }

    #[test]
    fn a_checkpoint_counts_only_with_a_signature_of_a_known_key() {
        let (private, public) = new_keys("audit.example.com");
        let (_, other) = new_keys("audit.example.com");
        let signing = keys(&format!("# ours\n{private}\n\n{public}\n"));
        assert!(signing.signs());
        let text = signing.seal("log/a", 7, [9; 32]);
        let checkpoint = Checkpoint {
            origin: "log/a".to_owned(),
            size: 7,
            hash: [9; 32],
            is_signed: true,
        };
        assert_eq!(signing.open(&text), Ok(checkpoint.clone()));
        // After the key was changed: the former public key stays.
        let rotated = keys(&format!("{other}\n{public}"));
        assert_eq!(rotated.open(&text), Ok(checkpoint.clone()));
        assert_eq!(keys(&other).open(&text), Err(CheckpointError::Unsigned));
        let forged = text.replacen("\n7\n", "\n6\n", 1);
        assert_eq!(signing.open(&forged), Err(CheckpointError::WrongSignature));
        let bare = Keys::default().seal("log/a", 7, [9; 32]);
        assert_eq!(signing.open(&bare), Err(CheckpointError::Unsigned));
        let unsigned = Checkpoint {
            is_signed: false,
            ..checkpoint
        };
        assert_eq!(Keys::default().open(&bare), Ok(unsigned.clone()));
        assert_eq!(Keys::default().open(&text), Ok(unsigned));
        for wrong in ["", "log/a\n7\n", "log/a\n07\nAAAA\n", "\n\n\n"] {
            assert_eq!(Keys::default().open(wrong), Err(CheckpointError::Malformed));
        }
    }

    #[test]
    fn a_file_of_keys_says_what_is_wrong_with_it() {
        let (private, public) = new_keys("a");
        let told = |content: &str| Keys::read(file(content).path()).err().unwrap().to_string();
        assert!(told(&private).contains("its public key"));
        assert!(told(&format!("{private}\n{public}\n{private}")).contains("one private key"));
        assert!(told(&format!("{public}\nnonsense")).contains("line 2: no key"));
        let verifying = file(&public);
        let refused = Keys::read_private(verifying.path()).err().unwrap();
        assert!(refused.to_string().contains("no private key"), "{refused}");
        let missing = Keys::read(Path::new("/nowhere/key")).err().unwrap();
        assert!(
            missing.to_string().starts_with("/nowhere/key: "),
            "{missing}"
        );
    }
}
