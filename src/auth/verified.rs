//! Tokens that were verified: a signature costs more than a cached read.
//!
//! Bounded in number. An entry is good only as long as the issuer has the keys that verified it, so
//! a key that the issuer takes back takes its tokens with it; and the token's own end is looked at
//! each time.

use std::sync::Arc;

use moka::future::Cache;
use sha2::{Digest, Sha256};

use super::Credential;

/// Maximum number of tokens.
const MAX_TOKENS: u64 = 16_384;

/// Verified tokens by their hash.
pub(super) struct Verified(Cache<[u8; 32], (Keys, Arc<Credential>)>);

/// The keys under which a token was verified: the issuer by its place, and their generation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Keys {
    pub(super) issuer: usize,
    pub(super) generation: u64,
}

impl Default for Verified {
    fn default() -> Self {
        Self(Cache::new(MAX_TOKENS))
    }
}

impl Verified {
    /// The credential of a token that was verified before, and the keys that verified it.
    pub(super) async fn get(&self, token: &str) -> Option<(Keys, Arc<Credential>)> {
        self.0.get(&hash(token)).await
    }

    /// Keeps a token that was verified under these keys.
    pub(super) async fn keep(&self, token: &str, keys: Keys, credential: Arc<Credential>) {
        self.0.insert(hash(token), (keys, credential)).await;
    }
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}
