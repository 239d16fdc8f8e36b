//! An eviction policy of the user's, which is called under a lock.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock};

use chorde_core::inproc::{EvictionPolicy, Marks, Node};

use super::super::*;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Call {
    Insert,
    Update,
    Remove,
    Victim,
    Touch,
}

/// First in, first out, but for what `act` does when it is called.
struct Acting<F> {
    order: VecDeque<Node>,
    act: F,
}

impl<F> std::fmt::Debug for Acting<F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Acting")
    }
}

impl<F: Fn(Call) + Send + Sync + 'static> EvictionPolicy for Acting<F> {
    fn insert(&mut self, node: Node, _hash: u64, _weight: u64) {
        (self.act)(Call::Insert);
        self.order.push_back(node);
    }
    fn update(&mut self, _node: Node, _weight: u64) {
        (self.act)(Call::Update);
    }
    fn remove(&mut self, node: Node) {
        (self.act)(Call::Remove);
        self.order.retain(|held| *held != node);
    }
    fn victim(&mut self, _marks: &mut Marks) -> Option<Node> {
        (self.act)(Call::Victim);
        self.order.pop_front()
    }
    fn wants_touch(&self) -> bool {
        true
    }
    fn touch(&mut self, _node: Node) {
        (self.act)(Call::Touch);
    }
}

fn store(act: impl Fn(Call) + Clone + Send + Sync + 'static) -> InprocClient {
    let policy = Policy::custom(move |_| Acting { order: VecDeque::new(), act: act.clone() });
    InprocClient::builder().capacity(10).policy(policy).build().unwrap()
}

/// Does all that calls each method of a policy.
fn use_all(client: &InprocClient, text: &str) {
    for key in 0..12_u64 {
        client.put(&key, text.to_owned(), TTL).wait().unwrap();
    }
    client.put(&11_u64, text.to_owned(), TTL).wait().unwrap();
    client.get::<String>(&11_u64).wait().unwrap();
    client.delete(&11_u64).wait().unwrap();
}

#[test]
fn a_panic_in_it_reaches_the_caller_and_leaves_a_store_that_works() {
    ends(|| {
        for call in [Call::Insert, Call::Update, Call::Remove, Call::Victim, Call::Touch] {
            let armed = Arc::new(AtomicU32::new(0));
            let seen = armed.clone();
            let client = store(move |now| {
                if now == call && seen.load(Ordering::SeqCst) > 0 {
                    seen.fetch_sub(1, Ordering::SeqCst);
                    panic!("meant");
                }
            });
            // Long texts are not plain.
            for text in ["short", &"long".repeat(1000)] {
                use_all(&client, text);
                armed.store(1, Ordering::SeqCst);
                assert_eq!(said(|| use_all(&client, text)), "meant", "{call:?}");
                assert_eq!(armed.load(Ordering::SeqCst), 0);
                let held = (0..12_u64).filter(|key| client.contains(key).wait().unwrap()).count() as u64;
                assert_eq!((client.stats().usage, client.stats().entries), (held, held), "{call:?}");
                use_all(&client, text);
                assert_eq!(client.stats().usage, 9, "{call:?}");
                client.clear().wait().unwrap();
                assert_eq!((client.stats().usage, client.stats().entries), (0, 0));
            }
        }
    });
}

#[test]
fn a_hit_is_served_whatever_the_policy_does_with_it() {
    ends(|| {
        let client = store(|call| assert_ne!(call, Call::Touch, "meant"));
        let (plain, shared) = (7_u64, vec![7_u64]);
        client.put(&1_u64, plain, TTL).wait().unwrap();
        client.put(&2_u64, shared.clone(), TTL).wait().unwrap();
        let mut hits = 0;
        while let Some(read) = client.get::<Vec<u64>>(&2_u64).wait().unwrap() {
            assert_eq!(read, shared);
            assert!(client.get::<u64>(&1_u64).wait().unwrap().is_none_or(|read| read == plain));
            hits += 1;
        }
        assert!(hits > 1, "the first panic empties the store");
        assert_eq!((client.stats().usage, client.stats().entries), (0, 0));
    });
}

#[test]
fn one_that_always_panics_keeps_the_store_bounded_and_right() {
    ends(|| {
        let client = store(|call| assert_ne!(call, Call::Insert, "meant"));
        for key in 0..100_u64 {
            assert!(said(|| drop(client.put(&key, key, TTL).wait())).contains("meant"));
            assert_eq!((client.stats().usage, client.stats().entries), (0, 0));
        }
        assert_eq!(client.get::<u64>(&1_u64).wait().unwrap(), None);
    });
}

static SELF: LazyLock<InprocClient> = LazyLock::new(|| {
    store(|call| match call {
        Call::Insert => drop(SELF.get::<u64>(&1_u64).wait()),
        Call::Victim => drop(SELF.put(&1_u64, 1_u64, TTL).wait()),
        _ => drop(SELF.stats()),
    })
});

static ONE: LazyLock<InprocClient> = LazyLock::new(|| store(|_| OTHER.clear().wait().unwrap()));
static OTHER: LazyLock<InprocClient> = LazyLock::new(|| store(|_| ONE.clear().wait().unwrap()));

#[test]
fn one_that_uses_a_store_panics_with_the_reason_on_any_thread() {
    ends(|| {
        // Made before it is used by what it is made with.
        LazyLock::force(&SELF);
        LazyLock::force(&ONE);
        LazyLock::force(&OTHER);
        on_many_threads(|number| {
            for client in [&*SELF, &*ONE, &*OTHER] {
                let reason = said(|| drop(client.put(&(number as u64), 1_u64, TTL).wait()));
                assert!(reason.contains("eviction policy uses an in-process cache"), "{reason}");
            }
        });
        for client in [&*SELF, &*ONE, &*OTHER] {
            assert_eq!((client.stats().usage, client.stats().entries), (0, 0));
        }
    });
}

/// Answers with what nobody gave it.
#[derive(Debug)]
struct Wrong(Option<Node>);

impl EvictionPolicy for Wrong {
    fn insert(&mut self, _node: Node, _hash: u64, _weight: u64) {}
    fn update(&mut self, _node: Node, _weight: u64) {}
    fn remove(&mut self, _node: Node) {}
    fn victim(&mut self, _marks: &mut Marks) -> Option<Node> {
        self.0
    }
}

#[test]
fn wrong_answers_neither_lift_the_bound_nor_spoil_the_account() {
    ends(|| {
        for answer in [None, Some(7), Some(Node::MAX), Some(1_000_000)] {
            let policy = Policy::custom(move |_| Wrong(answer));
            let client = InprocClient::builder().capacity(10).policy(policy).build().unwrap();
            for key in 0..100_u64 {
                let _ = catch_unwind(AssertUnwindSafe(|| client.put(&key, key, TTL).wait()));
                let held = (0..100_u64).filter(|key| client.contains(key).wait().unwrap()).count() as u64;
                assert_eq!((client.stats().usage, client.stats().entries), (held, held));
                assert!(held <= 10, "{answer:?}");
            }
        }
    });
}
