//! What users want to be told, or to say, about one function: by type, for the call site itself has none.

use std::any::Any;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use crate::key::Key;
use crate::user_code::{ENDLESS, Nested, shielded, tell};

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
        let (replaced, kept) = std::mem::take(&mut *all).into_iter().partition::<Vec<_>, _>(|other| other.is::<F>());
        *all = kept;
        all.push(Arc::new(callback));
        drop(all);
        self.any.store(true, Ordering::Release);
        // What they hold is the user's, and may call the function: not under the lock.
        drop(replaced);
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
        let Some(_nested) = Nested::begin() else {
            tell!(error, "{ENDLESS}");
            return 1;
        };
        let all = self.all.read().unwrap_or_else(PoisonError::into_inner).clone();
        let mut panicked = 0;
        for callback in &all {
            if shielded(|| each(&**callback)).is_none() {
                panicked += 1;
            }
        }
        // One of them may have been replaced meanwhile, and ends here.
        shielded(|| drop(all));
        panicked
    }
}

impl fmt::Debug for Callbacks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callbacks").field("any", &self.any()).finish_non_exhaustive()
    }
}
