//! Tokens that were verified: a signature costs more than a cached read.
//!
//! Bounded in number. An entry is good only as long as the issuer has the keys that verified it, so
//! a key that the issuer takes back takes its tokens with it; and the token's own end is looked at
//! each time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};

use super::Credential;

/// Maximum number of tokens in each half.
const HALF: usize = 8192;

/// Verified tokens by their hash. Two halves: when the new one is full, the old one goes, and what
/// is still used moves over.
#[derive(Default)]
pub(super) struct Verified(Mutex<Halves>);

type Half = HashMap<[u8; 32], Entry>;

#[derive(Default)]
struct Halves {
    new: Half,
    old: Half,
}

#[derive(Clone)]
struct Entry {
    keys: Keys,
    credential: Arc<Credential>,
}

/// The keys under which a token was verified: the issuer by its place, and their generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Keys {
    pub(super) issuer: usize,
    pub(super) generation: u64,
}

impl Verified {
    /// The credential of a token that was verified before, and the keys that verified it.
    pub(super) fn get(&self, token: &str) -> Option<(Keys, Arc<Credential>)> {
        let hash = hash(token);
        let mut halves = self.lock();
        if let Some(entry) = halves.new.get(&hash) {
            return Some((entry.keys, entry.credential.clone()));
        }
        let entry = halves.old.remove(&hash)?;
        let found = (entry.keys, entry.credential.clone());
        halves.put(hash, entry);
        Some(found)
    }

    /// Keeps a token that was verified under these keys.
    pub(super) fn keep(&self, token: &str, keys: Keys, credential: Arc<Credential>) {
        self.lock().put(hash(token), Entry { keys, credential });
    }

    fn lock(&self) -> MutexGuard<'_, Halves> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Halves {
    fn put(&mut self, hash: [u8; 32], entry: Entry) {
        if self.new.len() >= HALF {
            self.old = std::mem::take(&mut self.new);
        }
        self.new.insert(hash, entry);
    }
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}
