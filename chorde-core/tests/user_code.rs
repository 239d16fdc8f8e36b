//! What users bring to the in-process store may take long, panic, or use the store: nobody hangs, nothing aborts, and the
//! account stays right, on every thread.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod user_code {
    mod clones;
    mod drops;
    mod others;
    mod policies;
}

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Barrier, mpsc};
use std::time::Duration;

use chorde_core::inproc::Policy;
use chorde_core::{CacheExt, InprocClient, Wait};

const TTL: Duration = Duration::from_secs(600);
/// More than the threads which the store keeps something of its own for.
const THREADS: usize = 20;

/// A store for ten entries under each policy that reads in a way of its own.
fn stores() -> [InprocClient; 2] {
    [Policy::adaptive(), Policy::lru()]
        .map(|policy| InprocClient::builder().capacity(10).policy(policy).build().unwrap())
}

/// Runs a test on a thread of its own, and fails if it does not end.
fn ends(test: impl FnOnce() + Send + 'static) {
    let (done, wait) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        test();
        let _ = done.send(());
    });
    if wait.recv_timeout(Duration::from_secs(20)) == Err(mpsc::RecvTimeoutError::Timeout) {
        panic!("somebody hangs");
    }
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

/// Runs a test on many threads at the same time, each of which lives until all are done.
fn on_many_threads(test: impl Fn(usize) + Sync) {
    let all = Barrier::new(THREADS);
    std::thread::scope(|scope| {
        for number in 0..THREADS {
            let (all, test) = (&all, &test);
            scope.spawn(move || {
                // From here on this thread is known to the store.
                InprocClient::new(1).get::<u64>(&1).wait().unwrap();
                all.wait();
                let result = catch_unwind(AssertUnwindSafe(|| test(number)));
                all.wait();
                if let Err(panic) = result {
                    std::panic::resume_unwind(panic);
                }
            });
        }
    });
}

/// What a panic said.
fn said(test: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(test)).unwrap_err();
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default()
}

/// Compares the account with what can be read.
fn check_account(client: &InprocClient, keys: std::ops::Range<u64>) {
    let held = keys.filter(|key| client.contains(key).wait().unwrap()).count() as u64;
    let stats = client.stats();
    assert_eq!((stats.usage, stats.entries), (held, held));
    client.clear().wait().unwrap();
    assert_eq!((client.stats().usage, client.stats().entries), (0, 0));
}

#[test]
fn a_copied_type_of_the_users_lies_inline_if_the_client_is_told() {
    #[derive(Clone, Copy, Debug, PartialEq)]
    struct Price(u64, u32);
    let client = InprocClient::builder().capacity(100).inline::<Price>().build().unwrap();
    client.put(&1, Price(5, 6), Duration::from_secs(60)).wait().unwrap();
    client.put(&2, "text".to_owned(), Duration::from_secs(60)).wait().unwrap();
    assert_eq!(client.get::<Price>(&1).wait().unwrap(), Some(Price(5, 6)));
    assert_eq!(client.get::<String>(&2).wait().unwrap().as_deref(), Some("text"));
    // One key has one value, of whatever type and however it is held.
    client.put(&1, "price".to_owned(), Duration::from_secs(60)).wait().unwrap();
    assert_eq!(client.get::<Price>(&1).wait().unwrap(), None);
    assert!(client.delete(&1).wait().unwrap());
    assert_eq!(client.stats().entries, 1);
}
