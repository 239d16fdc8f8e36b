//! The list of all cached functions.

mod support;

use chorde::prelude::*;
use support::hand::{Hand, pause};
use support::{info, secs};

fn is_listed(name: &str) -> bool {
    chorde::functions().iter().any(|info| info.name == format!("registry::{name}"))
}

#[test]
fn a_function_is_listed_from_its_first_use_on() {
    store!(CACHE);
    #[cached(client = CACHE, ttl = 90)]
    fn used(x: u64) -> u64 {
        x
    }
    #[cached(client = CACHE, ttl = secs(5), namespace = "looked at")]
    fn looked_at(x: u64) -> u64 {
        x
    }
    #[cached(client = CACHE, ttl = 1.5, namespace = none)]
    fn asked(x: u64) -> u64 {
        x
    }
    assert!(!is_listed("used") && !is_listed("looked_at"));
    assert_eq!((used(1), used(1)), (1, 1));
    looked_at::peek(1);
    let asked = asked::callkey(1).map(|_| info("asked")).unwrap();
    assert!(is_listed("used") && is_listed("looked_at"));
    let (used_info, looked_info) = (info("used"), info("looked_at"));
    assert_eq!((used_info.namespace, used_info.ttl), (used::namespace(), Some(secs(90))));
    assert_eq!((used_info.stats, used_info.in_flight, used_info.oldest), (used::stats(), 0, None));
    assert_eq!((looked_info.namespace.as_str(), looked_info.ttl), ("looked at", None));
    assert_eq!((asked.namespace.as_str(), asked.ttl), ("", Some(support::millis(1500))));
}

#[test]
fn computations_under_way_are_shown_with_their_age() {
    store!(CACHE, CLOCK);
    #[cached(client = CACHE, ttl = 600)]
    async fn slow(x: u64) -> u64 {
        pause().await;
        x
    }
    let shown = || {
        let info = info("slow");
        (info.in_flight, info.oldest)
    };
    let mut first = Hand::begun(slow(1));
    CLOCK.advance(secs(3));
    let second = Hand::begun(slow(2));
    assert_eq!(shown(), (2, Some(secs(3))));
    CLOCK.advance(secs(2));
    assert_eq!(shown(), (2, Some(secs(5))));
    assert_eq!((first.run(), shown()), (Some(1), (1, Some(secs(2)))));
    drop(second);
    assert_eq!(shown(), (0, None));
}

#[test]
fn a_generic_function_and_a_method_are_listed_once() {
    store!(CACHE);
    #[cached(client = CACHE, ttl = 60)]
    fn generic<T: serde::Serialize + Clone + Send + Sync + 'static>(x: T) -> T {
        x
    }
    struct Type;
    impl Type {
        #[cached(client = CACHE, ttl = 60, skip(self))]
        fn method(&self) -> u64 {
            1
        }
    }
    assert_eq!((generic(1_u8), generic("a"), Type.method()), (1, "a", 1));
    assert_eq!((info("generic").stats.computes, info("method").stats.computes), (2, 1));
}
