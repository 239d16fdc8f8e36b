//! How a hit grows with how much there is: entries, namespaces that were cleared, cached functions.
//!
//! A plain `HashMap` of as many entries shows what the processor's caches make of any table. For value types see the part
//! `store`, for the length of keys the part `lengths`.

use std::collections::HashMap;
use std::sync::LazyLock;

use chorde::prelude::*;
use chorde::{InprocClient, NamespaceClient, cached};

use crate::measure::{Outcome, Row, Wanted, nanos, row};
use crate::store::subjects::TTL;

const CALLS: usize = 500_000;
const ROUNDS: usize = 5;

/// Draws a key from a turn, so that neighbours in time are none in the table.
fn key(turn: usize, of: u64) -> u64 {
    (turn as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) % of
}

fn of_entries<'a>(entries: u64) -> [Row<'a>; 2] {
    let client = InprocClient::new(entries + entries / 4);
    (0..entries).for_each(|key| client.put(&key, key, TTL).wait().expect("a valid key"));
    let plain: HashMap<u64, u64> = (0..entries).map(|key| (key, key)).collect();
    let get = move |turn| client.get::<u64>(&key(turn, entries)).wait().ok().flatten().unwrap_or(0);
    [
        row(format!("{entries} entries"), move || vec![nanos(1, CALLS, &get)]),
        row(format!("{entries} entries, HashMap"), move || {
            vec![nanos(1, CALLS, &|turn| plain.get(&key(turn, entries)).copied().unwrap_or(0))]
        }),
    ]
}

/// A function of its own for each number of cleared namespaces, since clears are a client's.
macro_rules! of_clears {
    ($($clears:literal)*) => {
        vec![$({
            static CLIENT: LazyLock<InprocClient> = LazyLock::new(|| InprocClient::new(1_000));
            #[cached(client = CLIENT, ttl = 3600)]
            fn beside(key: u64) -> u64 {
                key
            }
            for tenant in 0..$clears {
                let tenant = NamespaceClient::new(format!("tenant {tenant}"), &*CLIENT).expect("a name");
                tenant.clear().wait().expect("a client in process");
            }
            row(concat!(stringify!($clears), " other namespaces cleared"), || {
                vec![nanos(1, CALLS, &|turn| beside(turn as u64 % 100))]
            })
        }),*]
    };
}

static SHARED: LazyLock<InprocClient> = LazyLock::new(|| InprocClient::new(10_000));

/// A thousand cached functions.
mod functions {
    use super::{SHARED, cached};

    macro_rules! hundreds {
        ($($name:ident)*) => {$(pub mod $name {
            use super::{SHARED, cached};
            tens! { a b c d e f g h i j }
            pub const ALL: [[fn(u64) -> u64; 10]; 10] =
                [a::ALL, b::ALL, c::ALL, d::ALL, e::ALL, f::ALL, g::ALL, h::ALL, i::ALL, j::ALL];
        })*};
    }
    macro_rules! tens {
        ($($name:ident)*) => {$(pub mod $name {
            use super::{SHARED, cached};
            ones! { a b c d e f g h i j }
            pub const ALL: [fn(u64) -> u64; 10] = [a, b, c, d, e, f, g, h, i, j];
        })*};
    }
    macro_rules! ones {
        ($($name:ident)*) => {$(
            #[cached(client = SHARED, ttl = 3600)]
            pub fn $name(key: u64) -> u64 {
                key
            }
        )*};
    }
    hundreds! { a b c d e f g h i j }
    pub fn all() -> Vec<fn(u64) -> u64> {
        [a::ALL, b::ALL, c::ALL, d::ALL, e::ALL, f::ALL, g::ALL, h::ALL, i::ALL, j::ALL].concat().concat()
    }
}

fn of_functions<'a>(count: usize) -> Row<'a> {
    let all = functions::all();
    row(format!("{count} cached functions in turn"), move || {
        vec![nanos(1, CALLS, &|turn| all[turn % count]((turn % 7) as u64))]
    })
}

/// Measures all of them.
pub fn run(wanted: &Wanted) -> Outcome {
    let mut rows: Vec<Row<'_>> =
        [1_000, 10_000, 100_000, 1_000_000, 10_000_000].into_iter().flat_map(of_entries).collect();
    rows.extend(of_clears!(0 1 1_000 50_000));
    rows.extend([1, 10, 100, 1_000].map(of_functions));
    wanted.table("How a hit grows, ns", &["1 thread"], ROUNDS, rows);
    Ok(())
}
