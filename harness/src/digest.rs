//! A fast hash for state: what two observations are compared by before they are spelled out.
//!
//! It must be quick on pages of memory and the same on every machine; it need not withstand an
//! adversary. The core is the folded 64 x 64 -> 128 bit multiplication (as in W. Yi's wyhash).

/// Odd constants without structure: the fractional digits of square roots of primes.
const KEYS: [u64; 4] =
    [0x6a09_e667_f3bc_c909, 0xbb67_ae85_84ca_a73b, 0x3c6e_f372_fe94_f82b, 0xa54f_f53a_5f1d_36f1];

/// A running digest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Digest(u64);

impl Default for Digest {
    fn default() -> Digest {
        Digest(KEYS[3])
    }
}

fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product as u64) ^ (product >> 64) as u64
}

impl Digest {
    /// Takes in a number.
    #[inline]
    pub fn u64(&mut self, value: u64) {
        self.0 = fold(self.0 ^ value, KEYS[0]) ^ KEYS[1].wrapping_add(value);
    }

    /// Takes in bytes and their count.
    pub fn bytes(&mut self, bytes: &[u8]) {
        let word = |bytes: &[u8]| u64::from_le_bytes(bytes.try_into().expect("eight bytes"));
        let mut lanes = [0, 1, 2, 3].map(|lane: usize| self.0.wrapping_add(KEYS[lane]));
        let mut blocks = bytes.chunks_exact(64);
        for block in &mut blocks {
            for (lane, part) in lanes.iter_mut().zip(block.chunks_exact(16)) {
                *lane = fold(*lane ^ word(&part[..8]), KEYS[1] ^ word(&part[8..])) ^ *lane;
            }
        }
        for lane in &lanes {
            self.u64(*lane);
        }
        for part in blocks.remainder().chunks(8) {
            let mut rest = [0; 8];
            rest[..part.len()].copy_from_slice(part);
            self.u64(u64::from_le_bytes(rest));
        }
        self.u64(bytes.len() as u64);
    }

    /// Takes in a text.
    pub fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// The digest of all that was taken in.
    pub fn finish(&self) -> u64 {
        fold(self.0 ^ KEYS[2], KEYS[1])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(bytes: &[u8]) -> u64 {
        let mut digest = Digest::default();
        digest.bytes(bytes);
        digest.finish()
    }

    #[test]
    fn every_single_bit_of_a_page_counts() {
        let mut page = vec![0u8; 4096];
        let zero = of(&page);
        let mut seen = std::collections::HashSet::from([zero]);
        for bit in 0..4096 * 8 {
            page[bit / 8] ^= 1 << (bit % 8);
            assert!(seen.insert(of(&page)), "bit {bit} gives a digest seen before");
            page[bit / 8] ^= 1 << (bit % 8);
        }
    }

    #[test]
    fn order_and_length_count() {
        assert_ne!(of(&[1, 0]), of(&[1]));
        assert_ne!(of(&[1, 2]), of(&[2, 1]));
        let mut swapped = vec![1u8; 64];
        swapped.extend(vec![2u8; 64]);
        let mut other = vec![2u8; 64];
        other.extend(vec![1u8; 64]);
        assert_ne!(of(&swapped), of(&other));
    }
}
