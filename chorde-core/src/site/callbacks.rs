//! What users want to be told, or to say, about one function: by type, for the call site itself has none.

use std::any::Any;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use crate::key::Key;

/// Hears of computed values and their arguments.
pub(crate) type OnValue<V, O> = Box<dyn Fn(&V, &O) + Send + Sync>;
/// Hears of promotions.
pub(crate) type OnPromote<V> = Box<dyn Fn(&Key, &V, Duration) + Send + Sync>;
/// Stands in for a value that is being computed.
pub(crate) type Placeholder<V, O> = Box<dyn Fn(&O) -> V + Send + Sync>;

/// Callbacks of one kind, of any type.
#[derive(Default)]
pub(crate) struct Callbacks {
    /// Whether there are any; keeps the lock out of the way of those who have none.
    any: AtomicBool,
    all: RwLock<Vec<Arc<dyn Any + Send + Sync>>>,
}

impl Callbacks {
    pub(crate) fn add<F: Send + Sync + 'static>(&self, callback: F) {
        self.all.write().unwrap_or_else(PoisonError::into_inner).push(Arc::new(callback));
        self.any.store(true, Ordering::Release);
    }

    /// Puts a callback in the place of all others.
    pub(crate) fn set<F: Send + Sync + 'static>(&self, callback: F) {
        let mut all = self.all.write().unwrap_or_else(PoisonError::into_inner);
        all.retain(|other| !other.is::<F>());
        all.push(Arc::new(callback));
        self.any.store(true, Ordering::Release);
    }

    pub(crate) fn any(&self) -> bool {
        self.any.load(Ordering::Acquire)
    }

    /// Calls `each` with all callbacks of one type, without a lock; returns how many panicked.
    pub(crate) fn each<F: 'static>(&self, mut each: impl FnMut(&F)) -> usize {
        self.each_of_any(&mut |callback| {
            if let Some(callback) = callback.downcast_ref::<F>() {
                each(callback);
            }
        })
    }

    /// Does the same whatever the type; compiled once, for it is part of every function's miss.
    fn each_of_any(&self, each: &mut dyn FnMut(&(dyn Any + Send + Sync))) -> usize {
        if !self.any() {
            return 0;
        }
        let all = self.all.read().unwrap_or_else(PoisonError::into_inner).clone();
        let mut panicked = 0;
        for callback in &all {
            if catch_unwind(AssertUnwindSafe(|| each(&**callback))).is_err() {
                panicked += 1;
            }
        }
        panicked
    }
}

impl fmt::Debug for Callbacks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callbacks").field("any", &self.any()).finish_non_exhaustive()
    }
}
