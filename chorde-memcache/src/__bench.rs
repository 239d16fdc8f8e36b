//! What the benchmarks need to see of the inside. No part of the interface.
#![allow(missing_docs, missing_debug_implementations, reason = "for the benchmarks of this crate only")]

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::envelope::{CompressOptions, Sealer, SealerOptions};
use crate::wire_key::WireKey;

pub struct Envelope {
    sealer: Sealer,
    key: WireKey,
}

impl Envelope {
    #[must_use]
    pub fn new(level: Option<i32>, above: usize) -> Self {
        let compress = CompressOptions { level, above, dictionary: None };
        let options = SealerOptions { keys: vec![b"testing".to_vec()], compress, ..SealerOptions::default() };
        Self { sealer: Sealer::new(options).expect("these options can work"), key: wire_key(b"key") }
    }

    pub fn seal<V: Serialize>(&self, value: &V) -> (Bytes, Vec<Bytes>) {
        let sealed = self.sealer.seal(&self.key, value, 300).expect("the value can be sealed");
        (sealed.head, sealed.tail)
    }

    pub fn open<V: DeserializeOwned>(&self, (head, tail): &(Bytes, Vec<Bytes>)) -> V {
        let opened = match self.sealer.pages(head).expect("the head is ours") {
            None => self.sealer.open(&self.key, head),
            Some(_) => self.sealer.open_joined(&self.key, head, tail),
        };
        opened.expect("the value is ours").value
    }
}

/// Makes a wire key; returns its routing hash.
#[must_use]
pub fn route(key: &[u8]) -> u64 {
    wire_key(key).hash()
}

fn wire_key(key: &[u8]) -> WireKey {
    WireKey::new([("prod", 3), ("app::prices::load#0123456789abcdef", 0)], key)
}
