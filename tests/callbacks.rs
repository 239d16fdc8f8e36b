//! Who hears of computed values.

mod support;

use std::sync::Mutex;

use chorde::prelude::*;
use support::{bounded, drained};

#[test]
fn on_value_hears_of_computations_only() {
    bounded(|| {
        store!(CACHE);
        static HEARD: Mutex<Vec<(u64, u64)>> = Mutex::new(Vec::new());
        #[cached(client = CACHE, ttl = 60)]
        fn tenfold(x: u64) -> u64 {
            10 * x
        }
        tenfold::on_value(|value, (x,)| HEARD.lock().unwrap().push((*value, *x)));
        tenfold::put(1, 10).unwrap();
        assert_eq!((tenfold(1), tenfold::refresh(1), tenfold(2), tenfold::bg(3)), (10, 10, 20, 30));
        assert_eq!((tenfold(2), tenfold::peek(3), tenfold::lazy(3)), (20, Some(30), Some(30)));
        assert_eq!((tenfold::future(4).wait().unwrap(), tenfold::uncached(5)), (40, 50));
        drained();
        assert_eq!(*HEARD.lock().unwrap(), [(10, 1), (20, 2), (30, 3), (40, 4)]);
        tenfold::bg_refresh(6).unwrap();
        drained();
        assert_eq!(HEARD.lock().unwrap().last(), Some(&(60, 6)));
    });
}

#[test]
fn on_value_of_an_asynchronous_function_gets_owned_arguments() {
    store!(CACHE);
    static HEARD: Mutex<Vec<(usize, Vec<String>, String)>> = Mutex::new(Vec::new());
    #[cached(client = CACHE, ttl = 60)]
    async fn length(words: &[String], more: &str) -> usize {
        words.len() + more.len()
    }
    length::on_value(|value, (words, more): &(Vec<String>, String)| {
        HEARD.lock().unwrap().push((*value, words.clone(), more.clone()));
    });
    assert_eq!(length(&["a".to_owned()], "bc").wait(), 3);
    assert_eq!(length(&["a".to_owned()], "bc").wait(), 3);
    assert_eq!(*HEARD.lock().unwrap(), [(3, vec!["a".to_owned()], "bc".to_owned())]);
}

#[test]
fn on_value_hears_nothing_of_errors_and_panics() {
    store!(CACHE);
    static HEARD: Mutex<Vec<u64>> = Mutex::new(Vec::new());
    #[cached(client = CACHE, ttl = 60)]
    fn picky(x: u64) -> Result<u64, String> {
        assert!(x != 1, "one");
        if x == 2 { Err("two".to_owned()) } else { Ok(x) }
    }
    picky::on_value(|value, _| HEARD.lock().unwrap().push(*value));
    assert!(std::panic::catch_unwind(|| picky(1)).is_err());
    assert!(picky(2).is_err());
    assert_eq!((picky(3), HEARD.lock().unwrap().clone()), (Ok(3), vec![3]));
}

#[test]
fn all_callbacks_are_called_and_their_panics_are_not_seen_by_the_caller() {
    store!(CACHE);
    static HEARD: Mutex<Vec<&str>> = Mutex::new(Vec::new());
    #[cached(client = CACHE, ttl = 60)]
    fn ticket(x: u64) -> u64 {
        x
    }
    ticket::on_value(|_, _| HEARD.lock().unwrap().push("first"));
    ticket::on_value(|_, _| panic!("in a callback"));
    ticket::on_value(|_, _| HEARD.lock().unwrap().push("last"));
    assert_eq!((ticket(1), ticket(1), ticket::peek(1)), (1, 1, Some(1)));
    assert_eq!(*HEARD.lock().unwrap(), ["first", "last"]);
    let stats = ticket::stats();
    assert_eq!((stats.panics, stats.computes, stats.compute_errors, stats.hits), (1, 1, 0, 1));
}

#[test]
fn a_callback_may_use_the_function() {
    bounded(|| {
        store!(CACHE);
        #[cached(client = CACHE, ttl = 60)]
        fn chain(x: u64) -> u64 {
            x
        }
        chain::on_value(|value, (x,)| {
            assert_eq!(chain::peek(*x), Some(*value), "stored before it is told");
            if *value < 5 {
                chain(value + 1);
            }
        });
        chain(0);
        assert_eq!((chain::peek(5), chain::peek(6), chain::stats().panics), (Some(5), None, 0));
    });
}

#[test]
fn on_value_hears_the_value_as_hits_show_it() {
    store!(CACHE);
    static HEARD: Mutex<Vec<f64>> = Mutex::new(Vec::new());
    #[cached(
        client = CACHE,
        ttl = 60,
        encode = |x: f64| x as i64,
        decode = |x: i64| x as f64,
        cache_if = |x: &f64| *x < 9.0
    )]
    fn rounded(x: f64) -> f64 {
        x
    }
    rounded::on_value(|value, _| HEARD.lock().unwrap().push(*value));
    assert_eq!((rounded(2.7), rounded(9.5)), (2.0, 9.0));
    assert_eq!(
        (HEARD.lock().unwrap().clone(), rounded::peek(2.7), rounded::peek(9.5)),
        (vec![2.0, 9.0], Some(2.0), None)
    );
}

#[test]
fn those_who_wait_do_not_repeat_the_event() {
    store!(CACHE);
    static HEARD: Mutex<Vec<u64>> = Mutex::new(Vec::new());
    #[cached(client = CACHE, ttl = 60)]
    async fn shared(x: u64) -> u64 {
        support::hand::pause().await;
        x
    }
    shared::on_value(|value, _| HEARD.lock().unwrap().push(*value));
    let mut calls: Vec<_> = (0..5).map(|_| support::hand::Hand::begun(shared(7))).collect();
    for call in &mut calls {
        assert_eq!(call.run(), Some(7));
    }
    assert_eq!(*HEARD.lock().unwrap(), [7]);
}
