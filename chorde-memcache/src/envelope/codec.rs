//! Between values and payloads: postcard. The only part of the envelope that is compiled for each type of value.

use postcard::ser_flavors::Flavor;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Damage, Unsealable};

/// How much room a payload gets at first: most values need no more.
const FIRST: usize = 192;

/// Writes a value's payload behind `room` zeroes.
pub(super) fn encode<V: Serialize>(value: &V, room: usize, limit: usize) -> Result<Vec<u8>, Unsealable> {
    let mut bytes = Vec::with_capacity(room + FIRST.min(limit));
    bytes.resize(room, 0);
    postcard::serialize_with_flavor(value, Bounded { bytes, limit: room + limit }).map_err(|error| match error {
        postcard::Error::SerializeBufferFull => Unsealable::TooLarge { limit },
        error => Unsealable::Unserialisable(error),
    })
}

/// Reads a payload: all of it, or it is not one of this type.
pub(super) fn decode<V: DeserializeOwned>(bytes: &[u8]) -> Result<V, Damage> {
    match postcard::take_from_bytes(bytes) {
        Ok((value, [])) => Ok(value),
        _ => Err(Damage::Undecodable),
    }
}

/// Returns what stands for a type: a hash of its name.
///
/// The name is that of [`std::any::type_name`], which a type loses when it moves to another module, and may lose with
/// another compiler: what was stored before is then missed once.
pub(super) fn type_tag<V>() -> u32 {
    hash(std::any::type_name::<V>())
}

/// Hashes a text by multiplying eight bytes at a time with Knuth's multiplier of the 64-bit linear congruential
/// generator (The Art of Computer Programming, volume 2, 3.3.4): names are chosen by nobody who wants a collision.
fn hash(name: &str) -> u32 {
    let mut sum = name.len() as u64;
    for chunk in name.as_bytes().chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        sum = (sum ^ u64::from_le_bytes(word)).wrapping_mul(6_364_136_223_846_793_005);
        sum ^= sum >> 32;
    }
    sum as u32
}

/// Collects a payload up to a limit.
struct Bounded {
    bytes: Vec<u8>,
    /// How long the vector may become.
    limit: usize,
}

impl Bounded {
    /// Makes room for `more` bytes, twice what there was at least.
    #[cold]
    fn grow(&mut self, more: usize) -> postcard::Result<()> {
        let len = self.bytes.len();
        if more > self.limit - len {
            return Err(postcard::Error::SerializeBufferFull);
        }
        self.bytes.reserve_exact(more.max(len).min(self.limit - len));
        Ok(())
    }
}

// The limit is looked at where the vector is full, since it is never given more than that.
impl Flavor for Bounded {
    type Output = Vec<u8>;

    #[inline]
    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        if self.bytes.len() == self.bytes.capacity() {
            self.grow(1)?;
        }
        self.bytes.push(byte);
        Ok(())
    }

    #[inline]
    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        if bytes.len() > self.bytes.capacity() - self.bytes.len() {
            self.grow(bytes.len())?;
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<Vec<u8>> {
        if self.bytes.len() > self.limit {
            return Err(postcard::Error::SerializeBufferFull);
        }
        Ok(self.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn type_tags_are_pinned_and_differ() {
        assert_eq!(type_tag::<u64>(), 849_065_432);
        assert_eq!(type_tag::<String>(), 3_575_818_663);
        assert_ne!(type_tag::<u32>(), type_tag::<u64>());
        assert_ne!(type_tag::<Vec<u8>>(), type_tag::<Vec<i8>>());
        assert_ne!(hash("12345678"), hash("12345678\0"));
        assert_ne!(hash(""), hash("\0"));
    }

    #[test]
    fn a_payload_is_that_of_postcard_and_bounded() {
        for len in [0, 1, 5, 191, 192, 193, 1000, 100_000] {
            let value = (vec!['x'; len], "y".repeat(len));
            let expected = postcard::to_stdvec(&value).unwrap();
            let size = expected.len();
            let bytes = encode(&value, 60, size).unwrap();
            assert_eq!((&bytes[..60], &bytes[60..]), (&[0; 60][..], &expected[..]));
            assert!(bytes.capacity() <= (60 + size).max(60 + FIRST));
            assert_eq!(decode::<(Vec<char>, String)>(&bytes[60..]), Ok(value.clone()));
            assert!(matches!(encode(&value, 60, size - 1), Err(Unsealable::TooLarge { .. })), "{len}");
        }
    }

    #[test]
    fn what_is_left_over_or_missing_is_not_a_value() {
        assert_eq!(decode::<u32>(b"\x07"), Ok(7));
        assert_eq!(decode::<u32>(b"\x07\0"), Err(Damage::Undecodable));
        assert_eq!(decode::<u32>(b""), Err(Damage::Undecodable));
        assert_eq!(decode::<String>(b"\xff\xff\xff\xff\x0fx"), Err(Damage::Undecodable));
    }
}
