//! Choices that are the same on every machine, for ever: a small generator of our own.
//!
//! A dependency may change its algorithm in a minor version, and seeds in old reports would mean other cases.
//! The generator is xoshiro256** (Blackman and Vigna, "Scrambled Linear Pseudorandom Number Generators",
//! 2021), its state filled by SplitMix64 as its authors advise.
//!
//! A case has several streams, one a [`Purpose`], so that a change to how modules are shaped does not change
//! what is called with which arguments. [`values`] draws arguments and results.

pub mod values;

/// What a stream of choices is for. The numbers are part of what a seed means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// Which generator makes the case.
    Generator = 1,
    /// What its modules look like.
    Module = 2,
    /// How they are rewritten afterwards.
    Rewrite = 3,
    /// Hosts, actions, arguments and limits.
    Plan = 4,
    /// Which switches the lanes have.
    Lanes = 5,
    /// What the host does.
    Hosts = 6,
    /// How its modules are damaged.
    Mutation = 7,
    /// Whether the model runs it.
    Model = 8,
}

/// The seed that everything about one case of a campaign derives from.
pub fn case_seed(seed: u64, index: u64) -> u64 {
    let mut state = seed;
    let campaign = split_mix(&mut state);
    let mut state = campaign ^ index;
    split_mix(&mut state)
}

/// One step of SplitMix64.
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// An endless sequence of choices.
#[derive(Clone, Debug)]
pub struct Stream {
    state: [u64; 4],
}

impl Stream {
    /// The stream of that case for that purpose.
    pub fn new(case_seed: u64, purpose: Purpose) -> Stream {
        let mut state = case_seed.wrapping_add((purpose as u64).wrapping_mul(0xd1b5_4a32_d192_ed03));
        Stream { state: std::array::from_fn(|_| split_mix(&mut state)) }
    }

    /// 64 random bits.
    pub fn u64(&mut self) -> u64 {
        let [a, b, c, d] = &mut self.state;
        let output = b.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let shifted = *b << 17;
        *c ^= *a;
        *d ^= *b;
        *b ^= *c;
        *a ^= *d;
        *c ^= shifted;
        *d = d.rotate_left(45);
        output
    }

    /// 32 random bits.
    pub fn u32(&mut self) -> u32 {
        (self.u64() >> 32) as u32
    }

    /// A number less than `bound`, which is not 0. The bias is less than `bound` in 2^64.
    pub fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "there is no number below zero to choose");
        ((u128::from(self.u64()) * u128::from(bound)) >> 64) as u64
    }

    /// A number of the range, both ends included.
    pub fn between(&mut self, low: usize, high: usize) -> usize {
        assert!(low <= high, "a range has its low end first");
        low + self.below((high - low) as u64 + 1) as usize
    }

    /// True in so many of a hundred cases.
    pub fn percent(&mut self, percent: u32) -> bool {
        self.below(100) < u64::from(percent)
    }

    /// One of the choices, which are not empty.
    pub fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len() as u64) as usize]
    }

    /// One of the rows, as often as its weight says; some weight is not 0.
    pub fn weighted<'a, T>(&mut self, rows: &'a [T], weight: impl Fn(&T) -> u32) -> &'a T {
        let total: u64 = rows.iter().map(|row| u64::from(weight(row))).sum();
        let mut left = self.below(total);
        for row in rows {
            let weight = u64::from(weight(row));
            if left < weight {
                return row;
            }
            left -= weight;
        }
        unreachable!("a number below the total falls into some row")
    }

    /// Fills the buffer with random bytes.
    pub fn fill(&mut self, buffer: &mut [u8]) {
        for chunk in buffer.chunks_mut(8) {
            let bytes = self.u64().to_le_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn split_mix_gives_its_authors_published_sequence() {
        let mut state = 1234567;
        let first: [u64; 3] = std::array::from_fn(|_| split_mix(&mut state));
        assert_eq!(first, [6457827717110365317, 3203168211198807973, 9817491932198370423]);
    }

    #[test]
    fn xoshiro_gives_its_reference_sequence() {
        let mut stream = Stream { state: [1, 2, 3, 4] };
        let first: [u64; 4] = std::array::from_fn(|_| stream.u64());
        assert_eq!(first, [11520, 0, 1509978240, 1215971899390074240]);
    }

    #[test]
    fn neighbouring_cases_and_purposes_have_unrelated_streams() {
        let mut firsts = std::collections::HashSet::new();
        for index in 0..1000 {
            for purpose in [Purpose::Generator, Purpose::Module, Purpose::Rewrite, Purpose::Plan] {
                firsts.insert(Stream::new(case_seed(7, index), purpose).u64());
            }
        }
        assert_eq!(firsts.len(), 4000);
    }

    #[test]
    fn weights_are_kept() {
        let mut stream = Stream::new(0, Purpose::Plan);
        let mut counts = [0; 3];
        for _ in 0..6000 {
            counts[stream.weighted(&[(0, 1), (1, 0), (2, 2)], |row| row.1).0] += 1;
        }
        assert_eq!(counts[1], 0);
        assert!((1800..2200).contains(&counts[0]), "{counts:?}");
    }
}
