//! The bounds of background work. They are those of the process: these tests take turns.

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use chorde::background::{self, Limits, limits, set_limits};
use chorde::prelude::*;
use chorde::{ErrorKind, InprocClient, ManualClock};
use support::gate::Gate;
use support::hand::Hand;
use support::leasing::{Answer, Leasing};
use support::{Count, bounded, drained, info, millis, secs};

/// Sets the limits for one test.
fn limited(concurrency: usize, queue: usize) -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    drained();
    set_limits(Limits { concurrency, async_concurrency: concurrency, queue, ..Limits::default() });
    turn
}

#[test]
fn what_does_not_fit_is_refused_and_counted() {
    bounded(|| {
        // Half of this is for one function.
        let _turn = limited(4, 5);
        store!(CACHE, CLOCK);
        static GATE: Gate = Gate::new();
        #[cached(client = CACHE, ttl = 100, async_ttl = -50, ttl_spread = none)]
        fn crowded(x: u64) -> u64 {
            GATE.pass();
            100 + x
        }
        (0..10).for_each(|x| crowded::put(x, x).unwrap());
        CLOCK.advance(secs(50));
        // The callers notice nothing.
        (0..10).for_each(|x| assert_eq!(crowded(x), x));
        let stats = crowded::stats();
        assert_eq!((stats.due_hits, stats.background, stats.refused), (10, 5, 5));
        GATE.await_arrivals(2);
        assert_eq!((crowded::lazy(77), crowded::stats().refused), (None, 6));
        assert_eq!(crowded::bg_refresh(78).unwrap_err().kind(), ErrorKind::Overloaded);
        assert_eq!(crowded::stats().refused, 7);
        assert_eq!(chorde::drain(millis(1)).wait().unwrap_err().kind(), ErrorKind::Timeout);
        GATE.open();
        drained();
        let refreshed = (0..10).filter(|x| crowded::peek(*x) == Some(100 + x)).count();
        assert_eq!((refreshed, GATE.arrivals(), info("crowded").in_flight), (5, 5, 0));
        // What was refused may be tried again.
        (0..10).for_each(|x| _ = crowded(x));
        drained();
        (0..10).for_each(|x| _ = crowded(x));
        drained();
        assert_eq!((0..10).filter(|x| crowded::peek(*x) == Some(100 + x)).count(), 10);
    });
}

#[test]
fn a_refresh_that_waits_for_longer_than_its_lease_leaves_it_to_others() {
    bounded(|| {
        let _turn = limited(1, 10);
        store!(OTHER);
        static CLOCK: LazyLock<ManualClock> = LazyLock::new(ManualClock::new);
        static CLIENT: LazyLock<Leasing> = LazyLock::new(|| Leasing::new(support::timed(100, &CLOCK)));
        static GATE: Gate = Gate::new();
        #[cached(client = OTHER, ttl = 60)]
        fn busy() {
            GATE.pass();
        }
        #[cached(client = CLIENT, ttl = 600, async_ttl = -50, lease = 2, ttl_spread = none)]
        fn refreshed(x: u64) -> u64 {
            100 + x
        }
        (0..2).for_each(|x| refreshed::put(x, x).unwrap());
        CLOCK.advance(secs(50));
        busy::bg_refresh().unwrap();
        GATE.await_arrivals(1);
        // By the time that it is its turn, another process has taken the first claim for given up and has computed.
        CLIENT.plan([Answer::Due(5), Answer::Due(6), Answer::Won(0)]);
        assert_eq!(refreshed(0), 0);
        CLOCK.advance(millis(1500));
        assert_eq!(refreshed(1), 1);
        CLOCK.advance(millis(1000));
        GATE.open();
        drained();
        assert_eq!((CLIENT.released(), CLIENT.filled()), (vec![5], vec![6]));
        assert_eq!((refreshed::peek(0), refreshed::peek(1)), (Some(0), Some(101)));
    });
}

/// Counts how many are in it at once.
struct Crowd(AtomicUsize, AtomicUsize);

struct Here(&'static Crowd);

impl Crowd {
    const fn new() -> Self {
        Self(AtomicUsize::new(0), AtomicUsize::new(0))
    }

    fn enter(&'static self) -> Here {
        self.1.fetch_max(self.0.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        Here(self)
    }

    fn most(&self) -> usize {
        self.1.load(Ordering::SeqCst)
    }
}

impl Drop for Here {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::SeqCst);
    }
}

#[test]
fn no_more_run_at_once_than_allowed() {
    bounded(|| {
        let _turn = limited(3, 1000);
        store!(CACHE);
        static PLAIN: Crowd = Crowd::new();
        static LATER: Crowd = Crowd::new();
        #[cached(client = CACHE, ttl = 60)]
        fn counted(_x: u64) {
            let _here = PLAIN.enter();
            std::thread::yield_now();
        }
        #[cached(client = CACHE, ttl = 60)]
        async fn counted_later(_x: u64) {
            let _here = LATER.enter();
            tokio::task::yield_now().await;
        }
        support::runtime().block_on(async {
            for x in 0..300 {
                counted::bg_refresh(x).unwrap();
                counted_later::bg_refresh(x).unwrap();
            }
            chorde::drain(support::PATIENCE).await.unwrap();
        });
        for most in [PLAIN.most(), LATER.most()] {
            assert!((1..=2).contains(&most), "{most}");
        }
        assert_eq!((counted::stats().computes, counted_later::stats().computes), (300, 300));
    });
}

#[test]
fn a_wider_limit_lets_in_what_is_queued() {
    bounded(|| {
        let _turn = limited(1, 10);
        store!(CACHE);
        static GATE: Gate = Gate::new();
        #[cached(client = CACHE, ttl = 60)]
        fn held(x: u64) -> u64 {
            GATE.pass();
            x
        }
        (0..4).for_each(|x| held::bg_refresh(x).unwrap());
        GATE.await_arrivals(1);
        assert_eq!(GATE.arrivals(), 1);
        set_limits(Limits { concurrency: 8, ..limits() });
        GATE.await_arrivals(4);
        GATE.open();
        drained();
    });
}

#[test]
fn a_concurrency_of_zero_counts_as_one() {
    bounded(|| {
        let _turn = limited(0, 10);
        store!(CACHE);
        #[cached(client = CACHE, ttl = 60)]
        fn lone() -> u64 {
            1
        }
        assert_eq!((limits().concurrency, lone::future().wait().unwrap()), (1, 1));
    });
}

#[test]
fn a_future_cancelled_before_its_start_never_runs() {
    bounded(|| {
        let _turn = limited(1, 10);
        store!(CACHE);
        static GATE: Gate = Gate::new();
        static RUNS: Count = Count::new();
        #[cached(client = CACHE, ttl = 60)]
        fn held() {
            GATE.pass();
        }
        #[cached(client = CACHE, ttl = 60)]
        fn ticket(x: u64) -> u64 {
            x + RUNS.up()
        }
        let running = held::future();
        GATE.await_arrivals(1);
        let waiting = [ticket::future(1), ticket::future_refresh(2)];
        assert_eq!((running.cancel(), waiting.each_ref().map(chorde::CacheFuture::cancel)), (false, [true; 2]));
        assert!(waiting.iter().all(|future| future.is_done() && !future.cancel()));
        GATE.open();
        drained();
        for future in waiting {
            assert_eq!(future.wait().unwrap_err().kind(), ErrorKind::Cancelled);
        }
        assert_eq!((running.wait().unwrap(), RUNS.get(), ticket::peek(1)), ((), 0, None));
    });
}

#[test]
fn background_work_may_wait_for_other_background_work() {
    bounded(|| {
        let _turn = limited(1, 100);
        store!(CACHE);
        #[cached(client = CACHE, ttl = 60)]
        fn leaf(x: u64) -> u64 {
            x
        }
        #[cached(client = CACHE, ttl = 60)]
        async fn later_leaf(x: u64) -> u64 {
            x
        }
        #[cached(client = CACHE, ttl = 60)]
        fn tree(x: u64) -> u64 {
            if x == 0 {
                return 0;
            }
            let parts = [leaf::future(x), later_leaf::future(x), tree::future(x - 1)];
            parts.into_iter().map(|part| part.wait().unwrap()).sum()
        }
        tree::bg_refresh(5).unwrap();
        assert_eq!(tree::future(6).wait().unwrap(), 2 * 21);
        drained();
        assert_eq!(tree::peek(5), Some(2 * 15));
    });
}

#[test]
fn background_work_may_wait_for_a_flight_that_is_still_in_the_queue() {
    bounded(|| {
        let _turn = limited(1, 100);
        store!(CACHE);
        static GATE: Gate = Gate::new();
        #[cached(client = CACHE, ttl = 60)]
        fn leaf() -> u64 {
            7
        }
        #[cached(client = CACHE, ttl = 60)]
        fn root() -> u64 {
            GATE.pass();
            leaf()
        }
        root::bg_refresh().unwrap();
        GATE.await_arrivals(1);
        leaf::bg_refresh().unwrap();
        assert_eq!(leaf::lazy(), None);
        GATE.open();
        drained();
        assert_eq!((root::peek(), leaf::peek()), (Some(7), Some(7)));
    });
}

#[test]
fn a_claim_whose_refresh_is_refused_is_released() {
    bounded(|| {
        let _turn = limited(1, 0);
        static GATE: Gate = Gate::new();
        static CLIENT: LazyLock<Leasing> = LazyLock::new(|| Leasing::new(InprocClient::new(100)));
        #[cached(client = CLIENT, ttl = 600, async_ttl = -60)]
        fn due(x: u64) -> u64 {
            GATE.pass();
            x
        }
        (0..2).for_each(|x| due::put(x, 50).unwrap());
        CLIENT.plan([Answer::Due(1), Answer::Due(2)]);
        assert_eq!(due(0), 50);
        GATE.await_arrivals(1);
        assert_eq!((due(1), due::stats().refused, CLIENT.released()), (50, 1, vec![2]));
        GATE.open();
        drained();
        assert_eq!((CLIENT.filled(), CLIENT.released()), (vec![1], vec![2]));
    });
}

#[test]
fn a_refresh_in_the_background_says_whether_it_was_taken_on() {
    bounded(|| {
        let _turn = limited(1, 2);
        store!(CACHE);
        static GATE: Gate = Gate::new();
        #[cached(client = CACHE, ttl = 60)]
        fn plain(x: u64) -> u64 {
            GATE.pass();
            x
        }
        #[cached(client = CACHE, ttl = 60)]
        async fn later(x: u64) -> u64 {
            GATE.passed().await;
            x
        }
        #[cached(client = CACHE, ttl = 60)]
        fn generic<T: serde::Serialize + Send + 'static>(x: T) -> u64 {
            drop(x);
            GATE.pass();
            1
        }
        // One runs, one is queued, and that one once.
        let kind = |sent: chorde::Result<()>| sent.err().map(|error| error.kind());
        assert_eq!([0, 1, 1, 2, 3].map(|x| kind(plain::bg_refresh(x))), [None, None, None, OVER, OVER]);
        assert_eq!([0, 1, 1, 2, 3].map(|x| kind(later::bg_refresh(x))), [None, None, None, OVER, OVER]);
        assert_eq!([0, 1].map(|x: u8| kind(generic::bg_refresh(x))), [None, OVER]);
        let counts = |stats: chorde::Stats| (stats.background, stats.refused);
        assert_eq!(
            (counts(plain::stats()), counts(later::stats()), counts(generic::stats())),
            ((2, 2), (2, 2), (1, 1))
        );
        GATE.open();
        drained();
        assert_eq!(((0..4).filter_map(plain::peek).collect::<Vec<_>>(), later::peek(1).wait()), (vec![0, 1], Some(1)));
    });
}

const OVER: Option<ErrorKind> = Some(ErrorKind::Overloaded);

#[test]
fn plain_and_asynchronous_refreshes_and_futures_have_limits_of_their_own() {
    bounded(|| {
        let _turn = limited(1, 0);
        store!(CACHE);
        static GATE: Gate = Gate::new();
        #[cached(client = CACHE, ttl = 60)]
        fn plain(x: u64) -> u64 {
            GATE.pass();
            x
        }
        #[cached(client = CACHE, ttl = 60)]
        async fn later(x: u64) -> u64 {
            GATE.passed().await;
            x
        }
        plain::bg_refresh(0).unwrap();
        later::bg_refresh(0).unwrap();
        let taken = plain::future(1);
        GATE.await_arrivals(3);
        let refused = plain::future(2);
        assert!(plain::bg_refresh(3).is_err() && later::bg_refresh(3).is_err());
        assert_eq!((refused.is_done(), refused.wait().unwrap_err().kind()), (true, ErrorKind::Overloaded));
        // The future of an asynchronous function is the call itself.
        let unbounded: Vec<_> = (10..20).map(later::future).collect();
        GATE.await_arrivals(13);
        GATE.open();
        assert_eq!(taken.wait().unwrap(), 1);
        assert_eq!(unbounded.into_iter().map(|future| future.wait().unwrap()).sum::<u64>(), 145);
        drained();
    });
}

#[test]
fn refreshes_of_one_function_leave_room_for_those_of_others() {
    bounded(|| {
        let _turn = limited(8, 8);
        store!(CACHE);
        static GATE: Gate = Gate::new();
        #[cached(client = CACHE, ttl = 60)]
        async fn crowds(x: u64) -> u64 {
            GATE.passed().await;
            x
        }
        #[cached(client = CACHE, ttl = 60)]
        async fn comes_late(x: u64) -> u64 {
            x
        }
        let taken = (0..100).filter(|x| crowds::bg_refresh(*x).is_ok()).count();
        assert_eq!(taken, 8);
        GATE.await_arrivals(4);
        comes_late::bg_refresh(1).unwrap();
        support::eventually("it is refreshed", || comes_late::peek(1).wait() == Some(1));
        assert_eq!(GATE.arrivals(), 4);
        GATE.open();
        drained();
    });
}

#[test]
fn the_length_of_the_queue_and_the_time_spent_in_it_can_be_read() {
    bounded(|| {
        let _turn = limited(1, 3);
        store!(CACHE);
        static GATE: Gate = Gate::new();
        #[cached(client = CACHE, ttl = 60)]
        async fn queued(x: u64) -> u64 {
            GATE.passed().await;
            x
        }
        #[cached(client = CACHE, ttl = 60)]
        fn blocking() {
            GATE.pass();
        }
        let before = background::stats();
        assert_eq!(
            (before.unfinished, before.async_refreshes.queued, before.async_refreshes.oldest_queued),
            (0, 0, None)
        );
        let refused = (0..5).filter(|x| queued::bg_refresh(*x).is_err()).count();
        blocking::bg_refresh().unwrap();
        GATE.await_arrivals(2);
        let during = background::stats();
        let (refreshes, past) = (during.async_refreshes, before.async_refreshes);
        assert_eq!((refreshes.running, refreshes.queued, refused, during.unfinished), (1, 2, 2, 4));
        assert_eq!((refreshes.started - past.started, refreshes.refused - past.refused), (1, 2));
        assert_eq!((during.refreshes.running, during.refreshes.queued, during.waiting), (1, 0, 0));
        assert!(during.threads >= 1 && during.idle_threads < during.threads, "{during:?}");
        let waited = refreshes.oldest_queued.unwrap();
        support::eventually("time passes in the queue", || {
            background::stats().async_refreshes.oldest_queued > Some(waited)
        });
        GATE.open();
        drained();
        let after = background::stats().async_refreshes;
        assert_eq!((after.running, after.queued, after.oldest_queued, after.started), (0, 0, None, past.started + 3));
        assert!(after.longest_queue_time >= waited && after.queue_time >= past.queue_time + 2 * waited, "{after:?}");
    });
}

#[test]
fn threads_have_names_and_the_stack_that_is_set() {
    bounded(|| {
        let _turn = limited(2, 10);
        store!(CACHE);
        /// Goes down the stack by that many bytes.
        fn descend(bytes: usize, from: usize) -> u64 {
            let buffer = std::hint::black_box([0_u8; 1024]);
            let here = std::ptr::from_ref(&buffer).addr();
            if from.abs_diff(here) > bytes { 0 } else { descend(bytes, from) + 1 + u64::from(buffer[bytes % 1024]) }
        }
        #[cached(client = CACHE, ttl = 60)]
        fn parsed(bytes: usize) -> (u64, String) {
            let top = 0_u8;
            let levels = descend(bytes, std::ptr::from_ref(&top).addr());
            (levels, std::thread::current().name().unwrap_or_default().to_owned())
        }
        // As the main thread has it, and more than a thread of the standard library's.
        if cfg!(target_pointer_width = "64") {
            assert_eq!(limits().stack_size, 8 << 20);
            parsed::bg_refresh(7 << 20).unwrap();
            drained();
        }
        set_limits(Limits { stack_size: 64 << 20, ..limits() });
        for _ in 0..3 {
            parsed::bg_refresh(50 << 20).unwrap();
            assert!(parsed::future_refresh(60 << 20).wait().unwrap().0 > 1000);
            drained();
        }
        let (levels, thread) = parsed::peek(50 << 20).unwrap();
        assert!(levels > 1000 && thread.starts_with("chorde-background-"), "{levels} {thread}");
    });
}

#[test]
fn warming_waits_for_room_instead_of_being_refused() {
    bounded(|| {
        let _turn = limited(1, 1);
        store!(CACHE);
        static GATE: Gate = Gate::new();
        #[cached(client = CACHE, ttl = 100)]
        fn occupant(x: u64) -> u64 {
            GATE.pass();
            x
        }
        #[cached(client = CACHE, ttl = 100)]
        fn warmed(x: u64) -> u64 {
            x
        }
        let occupants = [0, 1].map(occupant::future);
        GATE.await_arrivals(1);
        assert_eq!(warmed::future(99).wait().unwrap_err().kind(), ErrorKind::Overloaded);
        let refused = chorde::background::stats().futures.refused;
        let mut warm = Hand::begun(warmed::warm(0..50).concurrency(8));
        assert!(warm.run().is_none(), "there is no room");
        GATE.open();
        let report = warm.awaited();
        assert_eq!((report.computed, report.failed, warmed::peek(49)), (50, 0, Some(49)));
        assert_eq!(occupants.map(|future| future.wait().unwrap()), [0, 1]);
        assert_eq!((chorde::background::stats().futures.refused, warmed::stats().refused), (refused, 0));
        drained();
    });
}

#[test]
fn a_warming_that_is_dropped_while_it_waits_for_room_leaves_the_room_to_others() {
    bounded(|| {
        let _turn = limited(1, 1);
        store!(CACHE);
        static GATE: Gate = Gate::new();
        #[cached(client = CACHE, ttl = 100)]
        fn first(x: u64) -> u64 {
            GATE.pass();
            x
        }
        #[cached(client = CACHE, ttl = 100)]
        fn second(x: u64) -> u64 {
            x
        }
        let occupants = [0, 1].map(first::future);
        GATE.await_arrivals(1);
        let (dropped, kept) = (Hand::begun(second::warm(0..9)), Hand::begun(second::warm(10..19)));
        drop(dropped);
        GATE.open();
        assert_eq!(kept.awaited().computed, 9);
        assert_eq!((occupants.map(|future| future.wait().unwrap()), second::peek(0)), ([0, 1], None));
        drained();
    });
}
