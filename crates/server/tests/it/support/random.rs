//! A little generator: the same numbers from the same seed, so that a failure can be seen again.

/// Numbers from a seed, by xorshift.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    pub fn from_seed(seed: u64) -> Self {
        let mut random = Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        // The first numbers of neighbouring seeds are alike.
        for _ in 0..16 {
            random.number();
        }
        random
    }

    /// Another row of numbers for each `purpose`.
    pub fn for_purpose(seed: u64, purpose: &str) -> Self {
        let mixed = purpose.bytes().fold(seed, |mixed, byte| {
            (mixed ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
        });
        Self::from_seed(mixed)
    }

    pub fn number(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// From 0 to 1.
    pub fn share(&mut self) -> f64 {
        f64::from(u32::try_from(self.number() >> 32).unwrap()) / f64::from(u32::MAX)
    }

    /// From 0 to `end`, without it.
    pub fn below(&mut self, end: u32) -> u32 {
        u32::try_from((self.number() >> 32) % u64::from(end)).unwrap()
    }
}
