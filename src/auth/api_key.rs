//! The form of an API key: `cpk_ID_SECRET`.
//!
//! The prefix lets scanners find keys that were published by mistake. The id is public: by it a key
//! is found, logged and revoked. The secret is 256 random bits, so a plain hash keeps it: there is
//! nothing to guess that a slow hash would protect, and a slow one would cost each call.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use tokio_rustls::rustls::crypto::{GetRandomFailed, aws_lc_rs};

use super::Failure;
use crate::store::HASH_BYTES;

const PREFIX: &str = "cpk_";
const ID_BYTES: usize = 8;
const SECRET_BYTES: usize = 32;

/// An API key as a caller shows it.
pub struct ApiKey {
    /// Its public part.
    pub id: String,
    secret: [u8; SECRET_BYTES],
}

impl ApiKey {
    /// A new key, from the operating system's generator.
    ///
    /// # Errors
    /// The generator fails.
    pub fn random() -> Result<Self, GetRandomFailed> {
        let random = aws_lc_rs::default_provider().secure_random;
        let (mut id, mut secret) = ([0; ID_BYTES], [0; SECRET_BYTES]);
        random.fill(&mut id)?;
        random.fill(&mut secret)?;
        Ok(Self {
            id: format!("{:016x}", u64::from_be_bytes(id)),
            secret,
        })
    }

    /// Reads a key; `None` where it is no key at all, but perhaps a token.
    pub(super) fn parse(text: &str) -> Option<Result<Self, Failure>> {
        let rest = text.strip_prefix(PREFIX)?;
        Some(Self::parts(rest).ok_or(Failure::Malformed))
    }

    fn parts(rest: &str) -> Option<Self> {
        let (id, secret) = rest.split_once('_')?;
        let is_id = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if id.len() != 2 * ID_BYTES || !id.bytes().all(is_id) {
            return None;
        }
        let secret = URL_SAFE_NO_PAD.decode(secret).ok()?;
        Some(Self {
            id: id.to_owned(),
            secret: secret.try_into().ok()?,
        })
    }

    /// The hash that is stored.
    #[must_use]
    pub fn hash(&self) -> [u8; HASH_BYTES] {
        Sha256::digest(self.secret).into()
    }

    /// Whether this is the key of a hash, in a time that tells nothing about it.
    pub(super) fn is_of(&self, hash: &[u8; HASH_BYTES]) -> bool {
        self.hash().ct_eq(hash).into()
    }

    /// The key itself: for the one to whom it is given, once.
    #[must_use]
    pub fn expose(&self) -> String {
        let secret = URL_SAFE_NO_PAD.encode(self.secret);
        format!("{PREFIX}{}_{secret}", self.id)
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ApiKey({}, …)", self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_it_was_shown_and_shows_no_secret_otherwise() {
        let key = ApiKey::random().expect("random bytes");
        let shown = key.expose();
        let read = ApiKey::parse(&shown).expect("a key").expect("well formed");
        assert_eq!((&read.id, read.hash()), (&key.id, key.hash()));
        assert!(read.is_of(&key.hash()));
        assert!(!read.is_of(&ApiKey::random().expect("random bytes").hash()));
        assert!(!shown.is_empty() && !format!("{key:?}").contains(&shown[22..]));
    }

    #[test]
    fn what_only_begins_like_a_key_is_malformed() {
        let shown = ApiKey::random().expect("random bytes").expose();
        for wrong in [
            "cpk_".to_owned(),
            shown[..shown.len() - 1].to_owned(),
            format!("{shown}A"),
            shown.to_uppercase().replacen("CPK_", "cpk_", 1),
            shown.replacen('_', "-", 2).replacen("cpk-", "cpk_", 1),
        ] {
            let read = ApiKey::parse(&wrong).expect("it begins like one");
            assert_eq!(read.err(), Some(Failure::Malformed), "{wrong}");
        }
        assert!(ApiKey::parse("eyJhbGciOiJub25lIn0.e30.").is_none());
    }
}
