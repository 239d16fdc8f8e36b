//! What holds of both placements, and how even they are.

use std::collections::HashSet;

use proptest::prelude::*;

use super::*;
use crate::server::Address;

fn server(name: &str, weight: u32) -> Server {
    Server::new(name, Address::Unix("/nowhere".into())).weight(weight)
}

/// Makes servers of weight 1 with the names of a fleet.
fn fleet(servers: usize) -> Vec<Server> {
    (1..=servers).map(|number| server(&format!("cache-{number}.internal:11211"), 1)).collect()
}

/// Makes keys as they are on the wire.
fn keys(count: usize) -> impl Iterator<Item = Vec<u8>> {
    (0..count).map(|number| format!("users/{:x}", number.wrapping_mul(0x9e37_79b9_7f4a_7c15)).into_bytes())
}

/// Counts the keys whose best server is each.
fn load(ring: &Ring, servers: usize, count: usize) -> Vec<usize> {
    let mut load = vec![0; servers];
    for key in keys(count) {
        load[ring.order(&key).next().unwrap()] += 1;
    }
    load
}

/// Returns by how much the fullest of equal servers is above the mean.
fn peak(placement: Placement, servers: usize, count: usize) -> f64 {
    let load = load(&Ring::new(&fleet(servers), placement), servers, count);
    *load.iter().max().unwrap() as f64 * servers as f64 / count as f64
}

const BOTH: [Placement; 2] = [Placement::Rendezvous, Placement::Ketama];

const GOLDEN_NAMES: [&str; 5] =
    ["cache-1:11211", "cache-2:11211", "cache-3:11211", "10.0.0.7:11212", "/run/memcached.sock"];
const GOLDEN_KEYS: [&str; 4] = ["users:aGVsbG8", "a", "", "prices/1f2e3d4c5b6a79880123456789abcdef"];

/// The orders of the golden keys, made by an implementation in Python that shares no code with this one.
fn golden(placement: Placement, weights: [u32; 5]) -> Vec<Vec<usize>> {
    let servers: Vec<_> = GOLDEN_NAMES.iter().zip(weights).map(|(name, weight)| server(name, weight)).collect();
    let ring = Ring::new(&servers, placement);
    GOLDEN_KEYS.map(|key| ring.order(key.as_bytes()).collect()).to_vec()
}

#[test]
fn rendezvous_is_pinned() {
    let even = [[0, 2, 3, 1, 4], [1, 2, 0, 3, 4], [1, 3, 4, 2, 0], [2, 1, 0, 3, 4]];
    let weighted = [[0, 3, 1, 2, 4], [1, 3, 2, 4, 0], [1, 3, 4, 2, 0], [1, 3, 2, 4, 0]];
    assert_eq!(golden(Placement::Rendezvous, [1; 5]), even);
    assert_eq!(golden(Placement::Rendezvous, [9; 5]), even);
    assert_eq!(golden(Placement::Rendezvous, [1, 2, 1, 4, 3]), weighted);
}

#[test]
fn ketama_is_pinned() {
    let even = [[1, 2, 0, 4, 3], [2, 3, 4, 0, 1], [1, 2, 4, 3, 0], [4, 2, 0, 3, 1]];
    let weighted = [[1, 3, 0, 4, 2], [2, 3, 4, 1, 0], [1, 2, 4, 3, 0], [4, 3, 0, 2, 1]];
    assert_eq!(golden(Placement::Ketama, [1; 5]), even);
    assert_eq!(golden(Placement::Ketama, [1, 2, 1, 4, 3]), weighted);
}

#[test]
fn rendezvous_loads_equal_servers_alike() {
    for (servers, count, bound) in [(3, 100_000, 1.01), (10, 100_000, 1.03), (50, 250_000, 1.08)] {
        let peak = peak(Placement::Rendezvous, servers, count);
        assert!(peak <= bound, "{servers} servers: {peak}");
    }
}

#[test]
fn ketama_loads_equal_servers_less_alike() {
    for (servers, bound) in [(3, 1.2), (10, 1.3), (50, 1.4)] {
        let peak = peak(Placement::Ketama, servers, 50_000);
        assert!(peak <= bound, "{servers} servers: {peak}");
    }
}

#[test]
fn rendezvous_keeps_weights() {
    let weights = [1, 2, 3, 4, 10];
    let servers: Vec<_> = weights.iter().map(|&weight| server(&format!("cache-{weight}:11211"), weight)).collect();
    let count = 400_000;
    let load = load(&Ring::new(&servers, Placement::Rendezvous), servers.len(), count);
    for (weight, keys) in weights.iter().zip(load) {
        let due = count as f64 * f64::from(*weight) / 20.0;
        let share = keys as f64 / due;
        assert!((share - 1.0).abs() <= 0.02, "weight {weight}: {share}");
    }
}

#[test]
fn ketama_follows_weights() {
    let servers = [server("light:11211", 1), server("heavy:11211", 3)];
    let load = load(&Ring::new(&servers, Placement::Ketama), 2, 50_000);
    let ratio = load[1] as f64 / load[0] as f64;
    assert!((2.2..4.0).contains(&ratio), "{ratio}");
}

#[test]
fn only_the_keys_of_a_server_that_goes_move_and_they_go_to_the_next_of_their_order() {
    for placement in BOTH {
        let before = fleet(10);
        let gone = 6;
        let after: Vec<_> = before.iter().enumerate().filter(|(at, _)| *at != gone).map(|(_, s)| s.clone()).collect();
        let (old, new) = (Ring::new(&before, placement), Ring::new(&after, placement));
        for key in keys(20_000) {
            let survivors = old.order(&key).filter(|&index| index != gone);
            let names: Vec<_> = survivors.map(|index| before[index].name()).collect();
            let now: Vec<_> = new.order(&key).map(|index| after[index].name()).collect();
            assert_eq!(names, now, "{placement:?}");
        }
    }
}

#[test]
fn a_server_that_comes_takes_its_share_and_nothing_else_moves() {
    for (placement, tolerance) in [(Placement::Rendezvous, 0.03), (Placement::Ketama, 0.25)] {
        let count = 100_000;
        let after = fleet(10);
        let (old, new) = (Ring::new(&after[..9], placement), Ring::new(&after, placement));
        let mut moved = 0;
        for key in keys(count) {
            let (then, now) = (old.order(&key).next().unwrap(), new.order(&key).next().unwrap());
            assert!(then == now || now == 9, "{placement:?}");
            moved += usize::from(then != now);
        }
        let share = moved as f64 * 10.0 / count as f64;
        assert!((share - 1.0).abs() <= tolerance, "{placement:?}: {share}");
    }
}

#[test]
fn a_ring_of_none_or_one_is_a_ring() {
    for placement in BOTH {
        assert_eq!(Ring::new(&[], placement).order(b"key").next(), None);
        assert_eq!(Ring::new(&fleet(1), placement).order(b"key").collect::<Vec<_>>(), [0]);
    }
}

#[test]
fn a_heavier_server_only_gains_keys() {
    let mut servers = fleet(5);
    let old = Ring::new(&servers, Placement::Rendezvous);
    servers[2] = servers[2].clone().weight(2);
    let new = Ring::new(&servers, Placement::Rendezvous);
    for key in keys(20_000) {
        let (then, now) = (old.order(&key).next().unwrap(), new.order(&key).next().unwrap());
        assert!(then == now || now == 2);
    }
}

prop_compose! {
    /// Servers with distinct names and any weights.
    fn servers()(named in prop::collection::btree_map("[a-z0-9.:/-]{1,20}", 1_u32..1000, 1..30)) -> Vec<Server> {
        named.iter().map(|(name, weight)| server(name, *weight)).collect()
    }
}

proptest! {
    #[test]
    fn an_order_lists_each_server_once(servers in servers(), key in any::<Vec<u8>>()) {
        for placement in BOTH {
            let ring = Ring::new(&servers, placement);
            let order: Vec<_> = ring.order(&key).collect();
            let distinct: HashSet<_> = order.iter().copied().collect();
            prop_assert_eq!(order.len(), servers.len());
            prop_assert_eq!(distinct.len(), servers.len());
        }
    }

    #[test]
    fn an_order_does_not_depend_on_the_sequence_of_the_servers(
        (given, shuffled) in servers().prop_flat_map(|given| (Just(given.clone()), Just(given).prop_shuffle())),
        key in any::<Vec<u8>>(),
    ) {
        for placement in BOTH {
            let names = |servers: &[Server]| -> Vec<String> {
                Ring::new(servers, placement).order(&key).map(|index| servers[index].name().to_owned()).collect()
            };
            prop_assert_eq!(names(&given), names(&shuffled));
        }
    }

    #[test]
    fn rendezvous_without_one_server_keeps_the_order_of_the_others(
        servers in servers(), gone in any::<prop::sample::Index>(), key in any::<Vec<u8>>(),
    ) {
        let gone = gone.index(servers.len());
        let mut fewer = servers.clone();
        fewer.remove(gone);
        let order = |servers: &[Server]| -> Vec<String> {
            Ring::new(servers, Placement::Rendezvous).order(&key).map(|index| servers[index].name().to_owned()).collect()
        };
        let mut expected = order(&servers);
        expected.retain(|name| name != servers[gone].name());
        // Lots of evenly weighted servers are compared at full length, others at 52 bits: equal but for rare ties.
        prop_assert_eq!(expected, order(&fewer));
    }
}
