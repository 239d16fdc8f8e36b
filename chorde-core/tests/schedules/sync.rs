//! Stands for the crate's `sync`: the same names, by the model checker's primitives.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{LockResult, PoisonError};
use std::time::Duration;

use shuttle::rand::Rng;

pub(crate) use shuttle::future::block_on;
pub(crate) use shuttle::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
pub(crate) use shuttle::sync::{Mutex, MutexGuard};

pub(crate) mod thread {
    /// Starts tasks of the checker's, for which no run waits: its threads would have to end.
    pub(crate) struct Builder;

    impl Builder {
        pub(crate) fn new() -> Self {
            Self
        }

        pub(crate) fn name(self, _name: String) -> Self {
            self
        }

        pub(crate) fn stack_size(self, _size: usize) -> Self {
            self
        }

        pub(crate) fn spawn(self, run: impl FnOnce() + Send + 'static) -> std::io::Result<()> {
            drop(shuttle::future::spawn(async move { run() }));
            Ok(())
        }
    }
}

/// As few as show what two are: each costs the checker time.
pub(crate) const fn spread(_locks: usize) -> usize {
    2
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn pause(_rounds: u32) {
    shuttle::thread::yield_now();
}

/// A static that is recreated for each run.
macro_rules! global {
    ($(#[$doc:meta])* static $name:ident: $type:ty = $make:expr;) => {
        shuttle::lazy_static! { $(#[$doc])* static ref $name: $type = $make; }
    };
}
pub(crate) use global;

/// The checker has none: set is what its own flag says, and between the two others may come.
#[derive(Debug)]
pub(crate) struct OnceLock<T> {
    is_set: AtomicBool,
    setting: Mutex<()>,
    value: std::sync::OnceLock<T>,
}

impl<T> OnceLock<T> {
    pub(crate) const fn new() -> Self {
        Self { is_set: AtomicBool::new(false), setting: Mutex::new(()), value: std::sync::OnceLock::new() }
    }

    pub(crate) fn get(&self) -> Option<&T> {
        if self.is_set.load(Ordering::Acquire) { self.value.get() } else { None }
    }

    pub(crate) fn set(&self, value: T) -> Result<(), T> {
        let _turn = lock(&self.setting);
        self.value.set(value)?;
        self.is_set.store(true, Ordering::Release);
        Ok(())
    }

    pub(crate) fn get_or_init(&self, make: impl FnOnce() -> T) -> &T {
        if let Some(value) = self.get() {
            return value;
        }
        let _turn = lock(&self.setting);
        let value = self.value.get_or_init(make);
        self.is_set.store(true, Ordering::Release);
        value
    }
}

impl<T> Default for OnceLock<T> {
    fn default() -> Self {
        Self::new()
    }
}

/// One lock in the place of several.
#[derive(Debug)]
pub(crate) struct Table<K, V, S = RandomState>(Mutex<HashMap<K, V, S>>);

impl<K: Eq + Hash, V, S: BuildHasher + Clone + Default> Table<K, V, S> {
    pub(crate) fn spread(_locks: usize) -> Self {
        Self::default()
    }

    pub(crate) fn get<Q>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
        V: Clone,
    {
        lock(&self.0).get(key).cloned()
    }

    pub(crate) fn change<R>(&self, key: K, make: impl FnOnce() -> V, change: impl FnOnce(&mut V) -> R) -> R {
        change(lock(&self.0).entry(key).or_insert_with(make))
    }

    pub(crate) fn remove_if(&self, key: &K, is_meant: impl FnOnce(&V) -> bool) -> Option<V> {
        let mut all = lock(&self.0);
        if all.get(key).is_some_and(is_meant) { all.remove(key) } else { None }
    }

    pub(crate) fn retain(&self, mut is_kept: impl FnMut(&K, &mut V) -> bool) {
        lock(&self.0).retain(|key, value| is_kept(key, value));
    }

    pub(crate) fn len(&self) -> usize {
        lock(&self.0).len()
    }
}

impl<K: Eq + Hash, V, S: BuildHasher + Clone + Default> Default for Table<K, V, S> {
    fn default() -> Self {
        Self(Mutex::new(HashMap::with_hasher(S::default())))
    }
}

/// The checker's never times out; this one may, at any time.
pub(crate) struct Condvar(shuttle::sync::Condvar);

pub(crate) struct TimedOut(bool);

impl TimedOut {
    pub(crate) fn timed_out(&self) -> bool {
        self.0
    }
}

impl Condvar {
    pub(crate) const fn new() -> Self {
        Self(shuttle::sync::Condvar::new())
    }

    pub(crate) fn notify_one(&self) {
        self.0.notify_one();
    }

    /// Ends at once with the time over, or waits to be notified, whereupon the time may be over too.
    pub(crate) fn wait_timeout<'a, T>(
        &self,
        guard: MutexGuard<'a, T>,
        _longest: Duration,
    ) -> LockResult<(MutexGuard<'a, T>, TimedOut)> {
        if shuttle::rand::thread_rng().gen_ratio(1, 3) {
            return Ok((guard, TimedOut(true)));
        }
        let guard = self.0.wait(guard).unwrap_or_else(PoisonError::into_inner);
        Ok((guard, TimedOut(shuttle::rand::thread_rng().gen_ratio(1, 3))))
    }
}
