//! A key's `Serialize`, and weighers.

use std::sync::LazyLock;

use serde::{Serialize, Serializer};

use super::super::*;

static STORE: LazyLock<InprocClient> = LazyLock::new(|| {
    InprocClient::builder()
        .capacity(100)
        .weigher(|_, value: &i32| {
            STORE.put(&0, 1_u64, TTL).wait().unwrap();
            STORE.get::<i32>(&1).wait().unwrap();
            assert!(*value >= 0, "meant");
            1
        })
        .build()
        .unwrap()
});

/// A key that reads and writes the store when it is looked at.
struct Reentrant(i32);

impl Serialize for Reentrant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        STORE.put(&self.0, self.0, TTL).wait().unwrap();
        STORE.get::<i32>(&self.0).wait().unwrap();
        assert!(self.0 >= 0, "meant");
        (self.0 + 1000).serialize(serializer)
    }
}

#[test]
fn keys_and_weighers_may_use_the_store_and_panic_on_any_thread() {
    ends(|| {
        on_many_threads(|number| {
            let key = number as i32;
            for _ in 0..20 {
                STORE.put(&Reentrant(key), 7, TTL).wait().unwrap();
                STORE.get::<i32>(&Reentrant(key)).wait().unwrap();
                assert_eq!(said(|| drop(STORE.put(&key, -1, TTL).wait())), "meant");
                assert_eq!(said(|| drop(STORE.put(&Reentrant(-1), 1, TTL).wait())), "meant");
            }
        });
        let stats = STORE.stats();
        assert_eq!(stats.usage, stats.entries);
        STORE.clear().wait().unwrap();
        assert_eq!((STORE.stats().usage, STORE.stats().entries), (0, 0));
    });
}

#[test]
fn a_weigher_and_a_drop_that_both_panic_do_not_abort() {
    #[derive(Clone)]
    struct Evil;
    impl Drop for Evil {
        fn drop(&mut self) {
            std::panic::resume_unwind(Box::new("meant"));
        }
    }
    ends(|| {
        let weigh = |_: &chorde_core::Key, _: &Evil| panic!("too much");
        let client = InprocClient::builder().capacity(10).weigher(weigh).build().unwrap();
        assert_eq!(said(|| drop(client.put(&1, Evil, TTL).wait())), "too much");
        assert_eq!((client.stats().usage, client.stats().entries), (0, 0));
    });
}
