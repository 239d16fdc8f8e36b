//! How a store holds a value: in the table itself where copying it runs no code of the user's, else behind a count.
//!
//! What happens under a shard's lock must be short, must not panic and must not use the store. A plain value is copied
//! there. Of any other, a reference is counted there, and the user's `Clone` runs once the lock is released; so does the
//! user's `Drop`, always. Such values all lie in one table, whatever their types.

use std::any::{Any, TypeId};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::plain_types::is_plain;
use crate::client::Value;

/// A value of any type, shared with those who are about to copy it. A type of our own, for users may cache such an `Arc` too.
#[derive(Clone)]
pub(super) struct Shared(Arc<dyn Any + Send + Sync>);

impl Shared {
    /// Returns whether the value is of type `V`.
    pub(super) fn is<V: Value>(&self) -> bool {
        self.0.is::<V>()
    }
}

/// Values of more bytes are not held in a table, which would have to move them whenever it grows.
const LARGEST: usize = 1024;

/// Texts and buffers up to this many bytes are copied under the lock: that takes no longer than to allocate the copy.
const LONGEST: usize = 2048;

/// A value on its way into the store, or out of it.
pub(super) enum Held<V> {
    /// Is copied under the lock.
    Plain(V),
    /// Is copied by those who read it.
    Shared(Shared),
}

impl<V: Value> Held<V> {
    /// Chooses how to hold a value, of a type that is `Copy` or of which that is not known.
    pub(super) fn new(value: V, is_copy: bool) -> Self {
        let is_trusted = || is_copy || is_plain(std::any::type_name::<V>()) || is_short(&value);
        if is_word::<V>() || size_of::<V>() <= LARGEST && is_trusted() {
            Self::Plain(value)
        } else {
            Self::Shared(Shared(Arc::new(value)))
        }
    }

    /// Returns the value, or its copy; no lock may be held.
    pub(super) fn into_value(self) -> V {
        match self {
            Self::Plain(value) => value,
            Self::Shared(shared) => copy_of(shared),
        }
    }
}

/// Returns whether a type is one of the plainest, of which the compiler knows when it compiles the caller.
#[cfg_attr(not(debug_assertions), inline(always))]
fn is_word<V: Value>() -> bool {
    macro_rules! any_of { ($($word:ty),*) => { $(TypeId::of::<V>() == TypeId::of::<$word>())||* } }
    any_of!(u32, u64, usize, i32, i64, f64, bool, &'static str)
}

/// Returns whether a value is a text or a buffer of the standard library, and short.
fn is_short<V: Value>(value: &V) -> bool {
    let value: &dyn Any = value;
    if let Some(text) = value.downcast_ref::<String>() {
        text.len() <= LONGEST
    } else if let Some(bytes) = value.downcast_ref::<Vec<u8>>() {
        bytes.len() <= LONGEST
    } else if let Some(text) = value.downcast_ref::<Box<str>>() {
        text.len() <= LONGEST
    } else {
        false
    }
}

/// Copies a shared value by the user's `Clone`; no lock may be held. The value may have left the store meanwhile: then it ends
/// here.
pub(super) fn copy_of<V: Value>(shared: Shared) -> V {
    let last = Last(Some(shared));
    let value = last.0.as_ref().and_then(|shared| shared.0.downcast_ref::<V>());
    value.expect("invariant: a value was found by its type").clone()
}

/// A reference that may be the last one, and that is dropped while a panic of the value's `Clone` unwinds.
struct Last(Option<Shared>);

impl Drop for Last {
    fn drop(&mut self) {
        discard(self.0.take());
    }
}

/// Drops what has left the store. A panic of the user's `Drop` ends here, after the panic hook has reported it: it belongs
/// to none of those who use the store, and a second one would abort the process.
pub(super) fn discard<T>(value: T) {
    if !std::mem::needs_drop::<T>() {
        return;
    }
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(value))) {
        // It may be a value whose own `Drop` panics.
        std::mem::forget(panic);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_plain_held<V: Value>(value: V) -> bool {
        matches!(Held::new(value, false), Held::Plain(_))
    }

    #[test]
    fn values_lie_in_the_table_where_copying_them_is_short_and_runs_no_foreign_code() {
        #[derive(Clone, Copy)]
        struct Mine;
        assert!(is_plain_held(1_u64) && is_plain_held(Arc::new(Mine)) && is_plain_held("text"));
        assert!(is_plain_held("x".repeat(LONGEST)) && is_plain_held(vec![1_u8; LONGEST]));
        assert!(!is_plain_held("x".repeat(LONGEST + 1)) && !is_plain_held(vec![1_u8; LONGEST + 1]));
        assert!(is_plain_held([0_u8; LARGEST]) && !is_plain_held([0_u8; LARGEST + 1]));
        assert!(matches!(Held::new(Mine, true), Held::Plain(_)));
        assert!(matches!(Held::new([Mine; LARGEST], true), Held::Plain(_)), "of no size");
        assert!(!is_plain_held(Mine) && !is_plain_held(vec![Mine]) && !is_plain_held(Some(Mine)));
    }

    #[test]
    fn a_panic_in_a_drop_stays_here() {
        struct Evil;
        impl Drop for Evil {
            fn drop(&mut self) {
                std::panic::resume_unwind(Box::new(()));
            }
        }
        discard([Evil]);
        discard(Some(Evil));
    }
}
