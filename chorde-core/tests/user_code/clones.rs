//! A value's `Clone`.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::sync::{Condvar, LazyLock, Mutex};

use super::super::*;

thread_local! {
    /// What a clone on this thread does.
    static ACT: Cell<Option<fn(u64)>> = const { Cell::new(None) };
}

/// Owns nothing, and does something when it is cloned.
#[derive(Debug, PartialEq)]
struct Acting(u64);

impl Clone for Acting {
    fn clone(&self) -> Self {
        if let Some(act) = ACT.take() {
            act(self.0);
        }
        Self(self.0)
    }
}

/// The same, with something to drop.
#[derive(Clone, Debug, PartialEq)]
struct Owning(Acting, String);

static STORES: LazyLock<[InprocClient; 2]> = LazyLock::new(stores);

fn use_all(client: &InprocClient, key: u64) {
    let other = key + 100;
    client.put(&other, Acting(other), TTL).wait().unwrap();
    assert_eq!(client.get::<Acting>(&key).wait().unwrap(), Some(Acting(key)));
    client.put(&key, Acting(key), TTL).wait().unwrap();
    client.add(&other, 1_u64, TTL).wait().unwrap();
    client.delete(&other).wait().unwrap();
    client.clear().wait().unwrap();
    assert!(client.stats().usage <= 10);
}

#[test]
fn it_may_use_the_store_on_any_thread() {
    ends(|| {
        on_many_threads(|number| {
            for client in &*STORES {
                for round in 0..50 {
                    let key = 1000 + (number * 100 + round) as u64;
                    client.put(&key, Acting(key), TTL).wait().unwrap();
                    ACT.set(Some(|key| {
                        STORES.iter().for_each(|client| {
                            client.put(&key, Acting(key), TTL).wait().unwrap();
                            client.clear().wait().unwrap();
                        });
                    }));
                    let read = client.get::<Acting>(&key).wait().unwrap();
                    assert!(read.is_none_or(|read| read == Acting(key)), "another thread may have cleared");
                    client.put(&key, Owning(Acting(key), "x".into()), TTL).wait().unwrap();
                    client.get::<Owning>(&key).wait().unwrap();
                    ACT.set(None);
                }
            }
        });
        for client in &*STORES {
            client.put(&1_u64, Acting(1), TTL).wait().unwrap();
            ACT.set(Some(|key| {
                STORES.iter().for_each(|client| {
                    client.put(&key, Acting(key), TTL).wait().unwrap();
                    use_all(client, key);
                });
            }));
            assert_eq!(client.get::<Acting>(&1_u64).wait().unwrap(), Some(Acting(1)));
            assert!(ACT.take().is_none(), "it was cloned");
        }
    });
}

/// Where a clone waits until the test lets it go on.
static GATE: (Mutex<bool>, Condvar) = (Mutex::new(false), Condvar::new());
static ARRIVED: AtomicBool = AtomicBool::new(false);

fn wait_at_the_gate(_: u64) {
    ARRIVED.store(true, Ordering::SeqCst);
    let open = GATE.0.lock().unwrap();
    drop(GATE.1.wait_while(open, |open| !*open).unwrap());
}

#[test]
fn a_slow_one_holds_up_neither_writers_nor_readers() {
    ends(|| {
        for client in stores() {
            *GATE.0.lock().unwrap() = false;
            ARRIVED.store(false, Ordering::SeqCst);
            client.put(&1_u64, Acting(1), TTL).wait().unwrap();
            client.put(&2_u64, 2_u64, TTL).wait().unwrap();
            let slow = client.clone();
            let slow = std::thread::spawn(move || {
                ACT.set(Some(wait_at_the_gate));
                slow.get::<Acting>(&1_u64).wait().unwrap()
            });
            while !ARRIVED.load(Ordering::SeqCst) {
                std::thread::yield_now();
            }
            // If any of these waits for the clone, the test does not end.
            let (others, done) = (client.clone(), mpsc::channel());
            std::thread::spawn(move || {
                others.put(&1_u64, Acting(3), TTL).wait().unwrap();
                others.put(&3_u64, "text".to_owned(), TTL).wait().unwrap();
                done.0
                    .send((others.get::<Acting>(&1_u64).wait().unwrap(), others.get::<u64>(&2_u64).wait().unwrap()))
                    .unwrap();
            });
            assert_eq!(done.1.recv().unwrap(), (Some(Acting(3)), Some(2)));
            client.delete(&1_u64).wait().unwrap();
            *GATE.0.lock().unwrap() = true;
            GATE.1.notify_all();
            assert_eq!(slow.join().unwrap(), Some(Acting(1)), "what was held when it was read");
            check_account(&client, 0..5);
        }
    });
}

#[test]
fn a_panic_in_it_reaches_the_reader_alone() {
    ends(|| {
        for client in stores() {
            client.put(&1_u64, Owning(Acting(1), "x".into()), TTL).wait().unwrap();
            ACT.set(Some(|_| panic!("meant")));
            assert_eq!(said(|| drop(client.get::<Owning>(&1_u64).wait())), "meant");
            assert_eq!(client.get::<Owning>(&1_u64).wait().unwrap(), Some(Owning(Acting(1), "x".into())));
            client.put(&1_u64, Owning(Acting(2), "y".into()), TTL).wait().unwrap();
            check_account(&client, 0..5);
        }
    });
}
