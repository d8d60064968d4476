//! What a body consists of, and how it is recognised.

use serde::{Deserialize, Serialize};

/// A body of so many bytes, the same each time: lines of letters that go on from where the last
/// line has ended, so that no two places of a line's length look alike.
pub(super) fn body_of(size: usize) -> Vec<u8> {
    const LINE: usize = 64;
    let letter = |place: usize| match place % LINE {
        63 => b'\n',
        _ => b"abcdefghijklmnopqrstuvwxyz"[(place / LINE + place * 7) % 26],
    };
    (0..size).map(letter).collect()
}

/// What is known of a body: enough to tell it from another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Content {
    /// How many bytes there are.
    pub(super) length: u64,
    /// Their checksum.
    pub(super) checksum: u64,
}

impl Content {
    /// What a body contains.
    pub(super) fn of(body: &[u8]) -> Self {
        Content {
            length: body.len() as u64,
            checksum: fnv_1a(body),
        }
    }
}

/// The hash of Fowler, Noll and Vo, variant 1a, over words of 8 bytes, and over the bytes that are
/// left behind them. Byte by byte it would be a good part of what a download costs.
fn fnv_1a(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let words = words.iter().map(|word| u64::from_le_bytes(*word));
    let rest = rest.iter().map(|byte| u64::from(*byte));
    words
        .chain(rest)
        .fold(0xcbf2_9ce4_8422_2325, |hash, value| {
            (hash ^ value).wrapping_mul(0x0000_0100_0000_01b3)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values that its authors publish, of texts that have no words.
    #[test]
    fn the_checksum_of_a_short_text_is_fnv_1a() {
        assert_eq!(Content::of(b"").checksum, 0xcbf2_9ce4_8422_2325);
        assert_eq!(Content::of(b"a").checksum, 0xaf63_dc4c_8601_ec8c);
        assert_eq!(Content::of(b"foobar").checksum, 0x8594_4171_f739_67e8);
    }

    #[test]
    fn one_wrong_byte_changes_the_checksum_wherever_it_is() {
        let body = body_of(278);
        let right = Content::of(&body);
        for place in 0..body.len() {
            let mut wrong = body.clone();
            wrong[place] ^= 1;
            assert_ne!(Content::of(&wrong), right, "{place}");
        }
    }

    #[test]
    fn a_body_has_its_size_and_is_the_same_each_time() {
        for size in [0, 1, 278, 10_490] {
            assert_eq!(body_of(size).len(), size);
            assert_eq!(body_of(size), body_of(size));
        }
    }
}
