//! The call site as a static, and the state behind it.

use std::any::Any;
use std::cell::Cell;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::callbacks::{Callbacks, OnPromote, OnValue, Placeholder};
use super::description::Description;
use super::instance::{Instance, Tag};
use super::instances::Instances;
use crate::client_id::ClientId;
use crate::flight::{FlightKey, Flights};
use crate::key::Key;
use crate::namespace::Namespace;
use crate::process;
use crate::stats::Stats;
use crate::sync::{AtomicBool, AtomicU64, Mutex, OnceLock, Ordering, Table, lock};

/// Over how many locks the background jobs of one function are spread.
const LOCKS: usize = 4;

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
    sent: Table<(FlightKey, bool), Sent>,
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
                sent: Table::spread(LOCKS),
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
    /// Notes that a background job for a key is sent at `now`, unless there is one that can be relied upon: it is
    /// queued, or has begun less than its lease ago.
    pub(crate) fn hold(&'static self, key: FlightKey, is_forced: bool, now: u64) -> Option<Hold> {
        let (key, is_first) = ((key, is_forced), Cell::new(false));
        let until = Arc::new(AtomicU64::new(0));
        let sent = || Sent { until: Arc::clone(&until), process: process::id() };
        let first = || {
            is_first.set(true);
            sent()
        };
        let is_held = self.sent.change(key, first, |earlier| {
            let is_held = is_first.get() || !earlier.is_reliable(now);
            if is_held && !is_first.get() {
                *earlier = sent();
            }
            is_held
        });
        is_held.then_some(Hold { live: self, key, until })
    }

    /// Forgets the job of a key that has begun: what it computes is older than a write, and will not be stored.
    pub(crate) fn forget_begun(&self, key: FlightKey) {
        self.sent.remove_if(&(key, false), Sent::has_begun);
    }

    /// Does the same for all keys of a client.
    pub(crate) fn forget_all_begun(&self, client: ClientId) {
        self.sent.retain(|(key, is_forced), sent| *is_forced || key.0 != client || !sent.has_begun());
    }
}

/// A background job that was sent and is not over.
struct Sent {
    /// When others may be sent although this one is not over; zero until it has begun.
    until: Arc<AtomicU64>,
    /// The process that sent it: the job does not exist in one that was forked later.
    process: u32,
}

impl Sent {
    fn has_begun(&self) -> bool {
        self.until.load(Ordering::SeqCst) != 0
    }

    fn is_reliable(&self, now: u64) -> bool {
        let until = self.until.load(Ordering::SeqCst);
        (until == 0 || now < until) && self.process == process::id()
    }
}

/// Keeps other background jobs for a key from being sent: until dropped, or up to the end of its lease.
pub(crate) struct Hold {
    live: &'static Live,
    key: (FlightKey, bool),
    until: Arc<AtomicU64>,
}

impl Hold {
    /// Returns where the job enters when its lease ends, once it begins.
    pub(crate) fn until(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.until)
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        // It may be another one's by now.
        self.live.sent.remove_if(&self.key, |sent| Arc::ptr_eq(&sent.until, &self.until));
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
        // On a thread that ends, the list may be gone, and nothing of the kind runs.
        if RUNNING.try_with(|running| running.borrow().contains(&this)).unwrap_or(false) {
            return;
        }
        let _turn = lock(&self.running);
        if self.is_done() {
            return;
        }
        struct Leave;
        impl Drop for Leave {
            fn drop(&mut self) {
                let _ = RUNNING.try_with(|running| running.borrow_mut().pop());
            }
        }
        let _ = RUNNING.try_with(|running| running.borrow_mut().push(this));
        let _leave = Leave;
        // If it panics, the caller sees that and the next call tries again.
        init();
        self.done.store(true, Ordering::Release);
    }
}
