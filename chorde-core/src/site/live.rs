//! The call site as a static, and the state behind it.

use std::any::Any;
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::callbacks::{Callbacks, OnPromote, OnValue, Placeholder};
use super::description::Description;
use super::instance::{Instance, Instances, Tag};
use crate::clock::Clock;
use crate::flight::{FlightKey, Flights};
use crate::key::Key;
use crate::namespace::Namespace;
use crate::stats::Stats;
use crate::sync::{AtomicBool, Mutex, MutexGuard, OnceLock, Ordering, lock};

/// Stands for one cached function; a static in the code of `#[cached]`.
pub struct Site {
    description: Description,
    live: OnceLock<Live>,
}

/// What there is of a function once it has been used; what its instances do not share is in [`Instance`].
pub(crate) struct Live {
    pub(crate) description: &'static Description,
    /// The namespace of all its instances, of which no other call site has an equal one, unless the user named it.
    pub(crate) namespace: Option<Namespace>,
    pub(crate) flights: Arc<Flights>,
    pub(crate) on_value: Callbacks,
    pub(crate) on_promote: Callbacks,
    pub(crate) placeholder: Callbacks,
    /// Copies the arguments of a call: a `fn(&O) -> Option<O>`, known once somebody wants to be told them.
    pub(crate) copier: OnceLock<Box<dyn Any + Send + Sync>>,
    pub(crate) instances: Instances,
    /// Background jobs that were sent and are not over, by key, forced ones apart.
    sent: Mutex<HashSet<(FlightKey, bool)>>,
    /// The clock of the client that was used last, by which the ages of flights are told.
    clock: Mutex<Option<Clock>>,
    init: Init,
}

impl Site {
    /// Creates the site of a function that was not used yet.
    #[must_use]
    pub const fn new(description: Description) -> Self {
        Self { description, live: OnceLock::new() }
    }

    /// Returns the instance of the function for these generic arguments, after `init` has run.
    #[inline]
    pub(crate) fn instance(&'static self, tag: &[Tag]) -> &'static Instance {
        let live = match self.live.get() {
            Some(live) if live.init.is_done() => live,
            _ => self.open(),
        };
        live.instances.get(tag, live)
    }

    #[cold]
    fn open(&'static self) -> &'static Live {
        let live = self.state();
        live.init.run(self.description.init);
        live
    }

    /// Returns the state, whether or not `init` has run.
    fn state(&'static self) -> &'static Live {
        self.live.get_or_init(|| {
            super::registry::register(self);
            Live {
                description: &self.description,
                namespace: self.description.namespace(),
                flights: Arc::default(),
                on_value: Callbacks::default(),
                on_promote: Callbacks::default(),
                placeholder: Callbacks::default(),
                copier: OnceLock::new(),
                instances: Instances::default(),
                sent: Mutex::default(),
                clock: Mutex::default(),
                init: Init::default(),
            }
        })
    }

    /// Keeps how arguments are copied for those who are going to be told them.
    pub(crate) fn copies<O: Clone + 'static>(&'static self) {
        let copy: fn(&O) -> Option<O> = |args| Some(args.clone());
        self.state().copier.get_or_init(|| Box::new(copy));
    }

    /// Returns the state if the function has been used.
    pub(crate) fn live_if_used(&self) -> Option<&Live> {
        self.live.get()
    }

    /// Returns what the function has counted.
    #[must_use]
    pub fn stats(&'static self) -> Stats {
        self.state().instances.stats()
    }

    /// Sets all counts to zero.
    pub fn reset_stats(&'static self) {
        self.state().instances.reset_stats();
    }

    /// Chooses the bins of the histogram of computation times, and empties it.
    pub fn set_timing_bins(&'static self, bins: usize, up_to: Duration) {
        self.state().instances.set_timing_bins(bins, up_to);
    }

    /// Calls `hear` after each successful computation.
    pub fn on_value<V: 'static, O: 'static>(&'static self, hear: impl Fn(&V, &O) + Send + Sync + 'static) {
        self.state().on_value.add::<OnValue<V, O>>(Box::new(hear));
    }

    /// Calls `hear` when an entry is copied to a nearer tier.
    pub fn on_promote<V: 'static>(&'static self, hear: impl Fn(&Key, &V, Duration) + Send + Sync + 'static) {
        self.state().on_promote.add::<OnPromote<V>>(Box::new(hear));
    }

    /// Lets `stand_in` answer for those who would wait for the first computation of a key.
    pub fn placeholder<V: 'static, O: 'static>(&'static self, stand_in: impl Fn(&O) -> V + Send + Sync + 'static) {
        self.state().placeholder.set::<Placeholder<V, O>>(Box::new(stand_in));
    }
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Site").field("description", &self.description).finish_non_exhaustive()
    }
}

impl Live {
    /// Notes that a background job for a key is on its way, unless one is already.
    pub(crate) fn hold(&'static self, key: FlightKey, is_forced: bool) -> Option<Hold> {
        let is_new = self.lock_sent().insert((key, is_forced));
        // Lazily: a hold that is dropped lets the next job in.
        is_new.then(|| Hold { live: self, key: (key, is_forced) })
    }

    fn lock_sent(&self) -> MutexGuard<'_, HashSet<(FlightKey, bool)>> {
        lock(&self.sent)
    }

    /// Keeps the clock by which flights are told their age.
    pub(crate) fn keep_clock(&self, clock: &Clock) {
        let mut kept = lock(&self.clock);
        kept.get_or_insert_with(|| clock.clone());
    }

    /// Returns how many computations are under way, and the age of the oldest.
    pub(crate) fn in_flight(&self) -> (usize, Option<Duration>) {
        let (count, began) = self.flights.summary();
        let clock = lock(&self.clock);
        let age =
            |began: u64| Duration::from_nanos(clock.as_ref().map_or(0, |clock| clock.now().saturating_sub(began)));
        (count, began.map(age))
    }
}

/// Keeps other background jobs for a key from being sent, until dropped.
pub(crate) struct Hold {
    live: &'static Live,
    key: (FlightKey, bool),
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.live.lock_sent().remove(&self.key);
    }
}

impl fmt::Debug for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hold")
    }
}

/// Runs the user's `init` once. Calls of the function from within it go ahead; all others wait for its end.
#[derive(Default)]
struct Init {
    done: AtomicBool,
    running: Mutex<()>,
}

thread_local! {
    /// The sites whose `init` runs on this thread.
    static RUNNING: std::cell::RefCell<Vec<*const Init>> = const { std::cell::RefCell::new(Vec::new()) };
}

impl Init {
    #[inline]
    fn is_done(&self) -> bool {
        self.done.load(Ordering::Acquire)
    }

    fn run(&self, init: Option<fn()>) {
        let Some(init) = init else { return self.done.store(true, Ordering::Release) };
        let this: *const Self = self;
        if RUNNING.with_borrow(|running| running.contains(&this)) {
            return;
        }
        let _turn = lock(&self.running);
        if self.is_done() {
            return;
        }
        struct Leave;
        impl Drop for Leave {
            fn drop(&mut self) {
                RUNNING.with_borrow_mut(Vec::pop);
            }
        }
        RUNNING.with_borrow_mut(|running| running.push(this));
        let _leave = Leave;
        // If it panics, the caller sees that and the next call tries again.
        init();
        self.done.store(true, Ordering::Release);
    }
}
