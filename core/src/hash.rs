//! Hashes that are the same for ever: keys in the database and shipped tables rest on them.

/// A hash that is the same for ever: FNV-1a, finished as in `SplitMix64` so that all bits depend on
/// all bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hash(u64);

impl Hash {
    pub(crate) const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// Takes in a part; parts do not run into each other.
    pub(crate) fn part(mut self, part: &str) -> Self {
        for byte in part.bytes().chain([0xff]) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        self
    }

    pub(crate) const fn finish(self) -> u64 {
        let mut hash = self.0;
        hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        hash ^ (hash >> 31)
    }
}

/// The hash of one folded value: by it frequent values are found.
pub(crate) fn hash(value: &str) -> u64 {
    Hash::new().part(value).finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_the_same_for_ever() {
        assert_eq!(
            Hash::new().part("email").part("ann@x.com").finish(),
            0xcb0e_7b82_806c_9cb8
        );
    }
}
