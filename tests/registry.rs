//! The list of all cached functions.

mod support;

use chorde::prelude::*;
use support::hand::{Hand, pause};
use support::{info, secs};

fn is_listed(name: &str) -> bool {
    let here = "registry::a_function_is_listed_from_its_first_use_on";
    chorde::functions().iter().any(|info| info.name == format!("{here}::{name}"))
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
    #[cached(client = CACHE, ttl = 600, detach = false)]
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
    #[cached(client = CACHE, ttl = 60, result = false)]
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

#[test]
fn methods_are_listed_with_their_types() {
    store!(CACHE);
    struct A;
    struct B;
    trait Show {
        fn both(&self) -> u64;
    }
    impl A {
        #[cached(client = CACHE, ttl = 60, skip(self))]
        fn both(&self) -> u64 {
            1
        }
    }
    impl B {
        #[cached(client = CACHE, ttl = 60, skip(self))]
        fn both(&self) -> u64 {
            2
        }
    }
    impl Show for A {
        #[cached(client = CACHE, ttl = 60, skip(self), companions = false)]
        fn both(&self) -> u64 {
            3
        }
    }
    assert_eq!((A.both(), B.both(), B.both(), Show::both(&A)), (1, 2, 2, 3));
    let here = "registry::methods_are_listed_with_their_types";
    let hits = |name: String| {
        let found: Vec<_> = chorde::functions().into_iter().filter(|info| info.name == name).collect();
        assert_eq!(found.len(), 1, "{name}: {found:?}");
        (found[0].stats.computes, found[0].stats.hits)
    };
    assert_eq!(hits(format!("{here}::A::both")), (1, 0));
    assert_eq!(hits(format!("{here}::B::both")), (1, 1));
    assert_eq!(hits(format!("<{here}::A as {here}::Show>::both")), (1, 0));
    assert_eq!((A::both_stats().hits, B::both_stats().hits), (0, 1));
}

#[test]
fn generic_arguments_are_listed_with_what_was_counted_for_each() {
    store!(CACHE);
    #[cached(client = CACHE, ttl = 60)]
    fn sized<T>(x: u64) -> u64 {
        x + size_of::<T>() as u64
    }
    struct Page<T>(T);
    impl<T: Copy> Page<T> {
        #[cached(client = CACHE, ttl = 60, skip(self))]
        fn number(&self) -> usize {
            size_of_val(&self.0)
        }
    }
    sized::set_timing_bins(3, secs(3));
    assert_eq!((sized::<u8>(1), sized::<u8>(1), sized::<u16>(1)), (2, 2, 3));
    assert_eq!((Page(1_u8).number(), Page(1_u16).number(), Page(1_u16).number()), (1, 2, 2));
    let counted = |name: &str| {
        let of = |one: &chorde::InstanceInfo| (one.namespace.clone(), one.stats.computes, one.stats.hits);
        info(name).instances.iter().map(of).collect::<Vec<_>>()
    };
    let [small, large] = [sized::namespace::<u8>(), sized::namespace::<u16>()];
    assert_eq!(counted("sized"), [(small, 1, 1), (large, 1, 0)]);
    let [small, large] = [Page::<u8>::number_namespace(), Page::<u16>::number_namespace()];
    assert_eq!(counted("number"), [(small, 1, 0), (large, 1, 1)]);
    let total = sized::stats();
    assert_eq!((total.computes, total.hits, total.misses, total.compute_time.count()), (2, 1, 2, 2));
    assert_eq!(total.compute_time.histogram(), [2, 0, 0]);
    sized::reset_stats();
    sized::<u32>(1);
    assert_eq!((sized::stats().computes, sized::stats().compute_time.histogram()), (1, [1, 0, 0].as_slice()));
    assert_eq!(counted("sized").iter().map(|(_, computes, _)| *computes).collect::<Vec<_>>(), [0, 0, 1]);
}
