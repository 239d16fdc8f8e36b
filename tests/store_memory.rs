//! A capacity in bytes bounds the memory that a store takes, whatever is put in.

#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use std::time::Duration;

use allocation_counter::measure;
use chorde::prelude::*;
use chorde::{InprocClient, Value};

const CAPACITY: u64 = 1 << 20;

/// Returns how many bytes a store takes that was written to four times as often as it has room, and how many at most.
fn bytes<V: Value>(client: &InprocClient, value: impl Fn(u64) -> V) -> (u64, u64) {
    let fill = measure(|| {
        let mut key = 0_u64;
        while client.stats().evicted == 0 || key < 4 * client.stats().entries {
            for _ in 0..1000 {
                client.put(&key, value(key), Duration::from_secs(600)).wait().unwrap();
                key += 1;
            }
        }
    });
    (fill.bytes_current.cast_unsigned(), fill.bytes_max)
}

fn store() -> InprocClient {
    InprocClient::builder()
        .capacity_bytes(CAPACITY)
        .weigher(|_, text: &String| text.capacity() as u32)
        .weigher(|_, user: &User| user.name.capacity() as u32)
        .build()
        .unwrap()
}

#[derive(Clone)]
struct User {
    name: String,
    #[expect(dead_code, reason = "takes room")]
    numbers: [u64; 8],
}

#[test]
fn entries_of_all_kinds_take_about_what_they_count() {
    let user = |key: u64| User { name: format!("{key:0>40}"), numbers: [key; 8] };
    let kinds: [(&str, (u64, u64)); 6] = [
        ("numbers", bytes(&store(), |key| key)),
        ("nothing", bytes(&store(), |_| ())),
        ("empty texts", bytes(&store(), |_| String::new())),
        ("texts", bytes(&store(), |key| format!("{key:0>500}"))),
        ("long texts", bytes(&store(), |key| format!("{key:0>5000}"))),
        ("structs", bytes(&store(), user)),
    ];
    for (kind, (held, most)) in kinds {
        println!("{kind}: {held} bytes held, {most} at most, of {CAPACITY}");
        assert!(held < CAPACITY / 8 * 10, "{kind}: {held} bytes are held");
        assert!(most < CAPACITY / 2 * 4, "{kind}: {most} bytes were held at a time");
        assert!(held > CAPACITY / 4, "{kind}: much of the room is left, {held}");
    }
}
