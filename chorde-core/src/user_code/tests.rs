//! Tests of calls of what users wrote; apart, as `tests/flights.rs` compiles the module for a model checker.

use std::fmt;
use std::panic::panic_any;

use crate::user_code::*;

/// Panics again when it is dropped.
struct Twice(u32);

impl Drop for Twice {
    fn drop(&mut self) {
        if self.0 > 0 && !std::thread::panicking() {
            panic_any(Twice(self.0 - 1));
        }
    }
}

#[test]
fn a_panic_whose_message_panics_ends_here() {
    assert_eq!(shielded(|| 7), Some(7));
    for times in 0..3 {
        assert_eq!(shielded(|| panic_any(Twice(times))), None::<()>);
    }
}

#[test]
fn calls_within_calls_have_an_end() {
    fn depth() -> u32 {
        Nested::begin().map_or(0, |_nested| 1 + depth())
    }
    assert_eq!((depth(), depth()), (DEEPEST, DEEPEST));
    assert!(shielded(|| std::iter::repeat_with(Nested::mapping).take(100).collect::<Vec<_>>()).is_none());
    assert_eq!(depth(), DEEPEST);
}

#[test]
fn what_is_told_while_a_logger_runs_is_left_out() {
    let mut told = 0;
    telling(|| {
        told += 1;
        telling(|| told += 10);
        telling(|| panic!("unreachable"));
    });
    telling(|| panic!("in a logger"));
    telling(|| told += 100);
    assert_eq!(told, 101);
}

#[test]
fn a_long_text_is_cut_between_two_letters() {
    let text = told(&"ä".repeat(10_000));
    assert!(text.len() <= LONGEST + '…'.len_utf8() && text.ends_with("ä…"));
    assert_eq!(told(&Some(7)), "Some(7)");
}

#[test]
fn what_panics_is_told_by_its_text() {
    struct Wild;
    impl fmt::Debug for Wild {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("no words")
        }
    }
    assert_eq!(told(&Wild), "an error whose `Debug` panicked");
    assert_eq!(told_by_panic(&"static"), "static");
    assert_eq!(told_by_panic(&"owned".to_owned()), "owned");
    assert_eq!(told_by_panic(&7_u8), "a panic without a text");
}
