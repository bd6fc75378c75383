//! Numbers that look random and are a function of what they are for, on every machine.

/// A sequence of numbers (`SplitMix64`; Steele, Lea, Flood: Fast Splittable Pseudorandom Number
/// Generators, 2014).
pub(super) struct Random(u64);

impl Random {
    /// The sequence for one thing.
    pub(super) fn of(what: &str, number: u64) -> Self {
        let seed = what.bytes().fold(0x1d_87_2b_41, |seed: u64, byte| {
            seed.wrapping_mul(31) ^ u64::from(byte)
        });
        let mut random = Self(
            seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ number.wrapping_mul(0xd134_2543_de82_ef95),
        );
        random.next();
        random
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Less than a bound.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        // The bias is less than one in 2^32 for the bounds here.
        self.next() % bound.max(1)
    }

    /// True so many times in a hundred.
    pub(super) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of a few, each as often as any other.
    pub(super) fn of_few<'a>(&mut self, few: &[&'a str]) -> &'a str {
        few[usize::try_from(self.below(few.len() as u64)).unwrap_or(0)]
    }
}
