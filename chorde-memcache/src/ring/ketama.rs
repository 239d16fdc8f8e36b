//! The ring of libmemcached's weighted ketama. PURE.
//!
//! Each server has points on a circle of 2^32 places, and a key belongs to the first point at or after its own place. Which
//! points, is libmemcached's rule (`MEMCACHED_BEHAVIOR_KETAMA_WEIGHTED`), so that other clients find the same server:
//! a server's text is `host:port`, without the port where it is 11211; the MD5 digest of `text-0`, `text-1` and so on gives
//! four points each, read as little-endian numbers; there are 40 digests for a server of average weight. A key's place is
//! the first number of the digest of its text.

use md5::{Digest as _, Md5};
use smallvec::SmallVec;

use crate::ring::by_name;
use crate::server::Server;

/// Digests per server of average weight, four points each.
const DIGESTS: f32 = 40.0;

/// The circle.
#[derive(Debug)]
pub(crate) struct Ketama {
    /// Sorted by place.
    points: Box<[Point]>,
    /// How many servers there are.
    servers: usize,
}

#[derive(Clone, Copy, Debug)]
struct Point {
    place: u32,
    /// The place of its server in the list that the ring was made of.
    index: u32,
}

impl Ketama {
    pub(crate) fn new(servers: &[Server]) -> Self {
        let total: u64 = servers.iter().map(|server| u64::from(server.share())).sum();
        let mut points = Vec::with_capacity(servers.len() * DIGESTS as usize * 4);
        // Where points fall together, the name decides: the sort below keeps the order of equal places.
        for index in by_name(servers) {
            let server = &servers[index];
            let text = server.name().strip_suffix(":11211").unwrap_or(server.name());
            for number in 0..digests(server.share(), total, servers.len()) {
                let places = places(format!("{text}-{number}").as_bytes());
                points.extend(places.map(|place| Point { place, index: index as u32 }));
            }
        }
        points.sort_by_key(|point| point.place);
        Self { points: points.into(), servers: servers.len() }
    }

    pub(crate) fn order(&self, key: &[u8]) -> Order<'_> {
        let [place, ..] = places(key);
        let at = self.points.partition_point(|point| point.place < place);
        Order { ring: self, at, seen: SmallVec::new() }
    }
}

/// Returns how many digests a server has.
///
/// In single precision and in this sequence, as libmemcached reckons: the result is rounded down, so the last bit counts.
/// But never none, which would make a light server among heavy ones unreachable.
fn digests(share: u32, total: u64, servers: usize) -> u32 {
    let part = share as f32 / total as f32;
    let exact = part * (4.0 * DIGESTS) / 4.0 * servers as f32;
    let digests = (f64::from(exact) + 1e-10) as f32;
    (digests.floor() as u32).max(1)
}

/// Returns the four places that a text has on the circle.
fn places(text: &[u8]) -> [u32; 4] {
    let digest: [u8; 16] = Md5::digest(text).into();
    let (words, _) = digest.as_chunks::<4>();
    std::array::from_fn(|word| u32::from_le_bytes(words[word]))
}

/// Walks the circle clockwise and yields each server where it is met first.
#[derive(Clone, Debug)]
pub(crate) struct Order<'a> {
    ring: &'a Ketama,
    /// The point to look at next; one past the last stands for the first.
    at: usize,
    /// The servers that were yielded.
    seen: SmallVec<[u32; 8]>,
}

impl Iterator for Order<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        // Every server has a point, so that the walk finds one more as long as one is missing.
        while self.seen.len() < self.ring.servers {
            let point = self.ring.points.get(self.at).or_else(|| self.ring.points.first())?;
            self.at = if self.at < self.ring.points.len() { self.at + 1 } else { 1 };
            if !self.seen.contains(&point.index) {
                self.seen.push(point.index);
                return Some(point.index as usize);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_of_one_weight_have_forty_digests_each_or_what_single_precision_leaves_of_them() {
        for servers in 1..=60 {
            let digests = digests(7, 7 * servers as u64, servers);
            let rounded = matches!(servers, 25 | 47 | 50 | 55);
            assert_eq!(digests, if rounded { 39 } else { 40 }, "{servers}");
        }
    }

    #[test]
    fn the_digests_of_different_weights_are_rounded_down_as_libmemcached_does() {
        assert_eq!([1, 2].map(|share| digests(share, 3, 2)), [26, 53]);
        assert_eq!([1, 1, 4].map(|share| digests(share, 6, 3)), [20, 20, 80]);
        assert_eq!(digests(1, 10_001, 2), 1, "a light server keeps a digest");
    }

    #[test]
    fn a_place_is_read_from_the_low_end_of_the_digest() {
        // RFC 1321: MD5("abc") = 900150983cd24fb0d6963f7d28e17f72
        assert_eq!(places(b"abc"), [0x9850_0190, 0xb04f_d23c, 0x7d3f_96d6, 0x727f_e128]);
    }
}
