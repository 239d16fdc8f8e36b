//! A value's `Drop`.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

use super::super::*;

static STORES: LazyLock<[InprocClient; 2]> = LazyLock::new(stores);

/// Uses the stores when it is dropped.
#[derive(Clone)]
struct Reentrant(u64);

impl Drop for Reentrant {
    fn drop(&mut self) {
        for client in &*STORES {
            client.get::<u64>(&self.0).wait().unwrap();
            client.put(&(self.0 + 1), self.0, TTL).wait().unwrap();
            client.delete(&self.0).wait().unwrap();
        }
    }
}

#[test]
fn it_may_use_the_store_on_any_thread() {
    ends(|| {
        on_many_threads(|number| {
            for client in &*STORES {
                for round in 0..20 {
                    let key = (number * 3 + round) as u64 % 30;
                    client.put(&key, Reentrant(key), TTL).wait().unwrap();
                    client.put(&key, Arc::new(Reentrant(key)), TTL).wait().unwrap();
                    client.add(&key, Reentrant(key), TTL).wait().unwrap();
                    client.get::<Reentrant>(&key).wait().unwrap();
                }
                client.clear().wait().unwrap();
            }
        });
        for client in &*STORES {
            client.clear().wait().unwrap();
            client.clear().wait().unwrap();
            check_account(client, 0..50);
        }
    });
}

/// Panics when it is dropped, and counts that.
struct Evil(Arc<AtomicU64>);

impl Clone for Evil {
    fn clone(&self) -> Self {
        panic!("meant: a value that is never copied");
    }
}

impl Drop for Evil {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
        std::panic::resume_unwind(Box::new("meant"));
    }
}

#[test]
fn panics_in_it_end_there_and_every_value_is_dropped_once() {
    ends(|| {
        for client in stores() {
            let dropped = Arc::new(AtomicU64::new(0));
            let put = |key: u64| client.put(&key, Evil(dropped.clone()), TTL).wait().unwrap();
            let put_counted = |key: u64| client.put(&key, Arc::new(Evil(dropped.clone())), TTL).wait().unwrap();
            // Replaced, by the same type and by another.
            put(1);
            put(1);
            put_counted(1);
            put(1);
            assert_eq!(dropped.load(Ordering::SeqCst), 3);
            assert!(!client.add(&1_u64, Evil(dropped.clone()), TTL).wait().unwrap());
            assert!(client.delete(&1_u64).wait().unwrap());
            assert_eq!(dropped.load(Ordering::SeqCst), 5);
            // Evicted.
            (0..30).for_each(put);
            assert_eq!((client.stats().entries, dropped.load(Ordering::SeqCst)), (10, 25));
            (30..60).for_each(put_counted);
            assert_eq!((client.stats().usage, dropped.load(Ordering::SeqCst)), (10, 55));
            client.clear().wait().unwrap();
            assert_eq!((client.stats().usage, dropped.load(Ordering::SeqCst)), (0, 65));
            // Dropped with the store, while a panic unwinds.
            (0..5).for_each(put);
            (5..10).for_each(put_counted);
            let owned = client.clone();
            drop(client);
            let unwinding = said(move || {
                let _owned = owned;
                panic!("another");
            });
            assert_eq!((unwinding.as_str(), dropped.load(Ordering::SeqCst)), ("another", 75));
        }
    });
}

#[test]
fn values_that_leave_while_a_panic_unwinds_do_no_harm() {
    struct Writes(InprocClient, Arc<AtomicU64>);
    impl Drop for Writes {
        fn drop(&mut self) {
            (0..30_u64).for_each(|key| self.0.put(&key, Evil(self.1.clone()), TTL).wait().unwrap());
            self.0.clear().wait().unwrap();
        }
    }
    ends(|| {
        for client in stores() {
            let dropped = Arc::new(AtomicU64::new(0));
            let writes = Writes(client.clone(), dropped.clone());
            let unwinding = said(move || {
                let _writes = writes;
                panic!("meant");
            });
            assert_eq!((unwinding.as_str(), dropped.load(Ordering::SeqCst)), ("meant", 30));
            check_account(&client, 0..30);
        }
    });
}
