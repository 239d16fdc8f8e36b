//! One key of one client, and how its value is computed, stored and shared: as the engine does it.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use shuttle::future::{block_on, yield_now};
use shuttle::sync::Mutex;
use shuttle::thread;

use crate::client_id::ClientId;
use crate::clock::{Clock, nanos};
use crate::digest::Digest;
use crate::engine::computation;
use crate::flight::active::{Scope, idle};
use crate::flight::store::unless_overtaken;
use crate::flight::{Flight, FlightKey, Flights, Kind, Landed, Leader, Outcome, Role, Waiter};

pub(crate) const KEY: FlightKey = (ClientId(1), Digest(1));
pub(crate) const LEASE: Duration = Duration::from_secs(3600);

/// The stored value's origin: an increasing stamp of the computation that began it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Stored {
    Nothing,
    Computed { begun: u64 },
    Written { begun: u64 },
}

/// How a computation ends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Ends {
    Value,
    /// An error that those who wait can have.
    Shared,
    /// An error that they cannot have, or a panic.
    Failure,
    /// Only by being dropped.
    Never,
}

pub(crate) type Step<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Whether those who wait may get nothing of the flight that they joined.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Expected {
    pub(crate) start_over: bool,
    pub(crate) failed: bool,
    pub(crate) beside: bool,
}

/// The right to compute, as a call has it.
pub(crate) struct Lead {
    leader: Leader,
    /// Those who wait for the computation beside which this one is.
    beside: Option<Waiter>,
}

pub(crate) struct World {
    pub(crate) flights: Arc<Flights>,
    pub(crate) clock: Clock,
    expected: Expected,
    stored: Mutex<Stored>,
    /// By the standard library's primitives: to count changes no schedule.
    stamp: AtomicU64,
    running: AtomicU64,
    most: AtomicU64,
    /// How many computed beside one that did not end.
    beside: AtomicU64,
    /// Flights that landed with what was computed beside their leaders.
    landed_beside: Mutex<Vec<Arc<Flight>>>,
    /// When the latest write that is complete had begun.
    latest_write: Mutex<u64>,
    /// When the latest computation that was stored in time had begun.
    latest_stored: Mutex<u64>,
    /// Those who are not polled until all others have gone home.
    pub(crate) stalled: Mutex<Vec<Step<()>>>,
    pub(crate) dozing: Mutex<Vec<Step<()>>>,
}

/// A computation at work, up to its end or its being dropped.
struct Running<'a>(&'a AtomicU64);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl World {
    pub(crate) fn new(expected: Expected) -> Arc<Self> {
        Arc::new(Self {
            flights: Arc::default(),
            clock: Clock::new(),
            expected,
            stored: Mutex::new(Stored::Nothing),
            stamp: AtomicU64::new(1),
            running: AtomicU64::new(0),
            most: AtomicU64::new(0),
            beside: AtomicU64::new(0),
            landed_beside: Mutex::default(),
            latest_write: Mutex::new(0),
            latest_stored: Mutex::new(0),
            stalled: Mutex::default(),
            dozing: Mutex::default(),
        })
    }

    pub(crate) fn stamp(&self) -> u64 {
        self.stamp.fetch_add(1, Ordering::SeqCst)
    }

    pub(crate) fn join(&self, kind: Kind) -> Role {
        self.flights.join(KEY, kind, &self.clock)
    }

    /// Returns when the latest write that is complete had begun.
    pub(crate) fn written(&self) -> u64 {
        *self.latest_write.lock().unwrap()
    }

    pub(crate) fn write<W: Future<Output = ()>>(&self, supersede: impl FnOnce() -> W, puts: bool) {
        let begun = self.stamp();
        block_on(supersede());
        *self.stored.lock().unwrap() = if puts { Stored::Written { begun } } else { Stored::Nothing };
        let mut latest = self.latest_write.lock().unwrap();
        *latest = latest.max(begun);
    }

    fn begin(&self) -> (u64, Running<'_>) {
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(running, Ordering::SeqCst);
        (self.stamp(), Running(&self.running))
    }

    /// Waits for its turn to compute, or for what another has computed.
    pub(crate) async fn lead(&self, kind: Kind) -> Result<Lead, u64> {
        loop {
            let waiter = match self.join(kind) {
                Role::Lead(leader) => return Ok(Lead { leader, beside: None }),
                Role::Recurse => unreachable!("nothing recurses here"),
                Role::Wait(waiter) => waiter,
            };
            self.flights.watch(&waiter, LEASE);
            let beside = match waiter.wait().await {
                Outcome::Lead(leader) => return Ok(Lead { leader, beside: None }),
                Outcome::Landed(landing) => {
                    let (Landed::Value(cargo, _) | Landed::Error(cargo)) = landing.landed().unwrap();
                    return Err(*cargo.downcast_ref().unwrap());
                }
                Outcome::StartOver => {
                    assert!(self.expected.start_over, "one who waited got nothing");
                    continue;
                }
                Outcome::Failed => {
                    assert!(self.expected.failed, "a waiter got a failure that nobody had");
                    None
                }
                Outcome::Beside(waiter) => {
                    assert!(self.expected.beside, "one who waited computes beside the leader");
                    self.beside.fetch_add(1, Ordering::SeqCst);
                    Some(waiter)
                }
            };
            return Ok(Lead { leader: self.flights.lead_alone(KEY, &self.clock), beside });
        }
    }

    /// Calls a plain function, whose thread does something in the midst; returns when its value was begun.
    pub(crate) fn call_here(&self, kind: Kind, ends: Ends, midst: impl FnOnce()) -> u64 {
        let mut lead = match idle(|| block_on(self.lead(kind))) {
            Ok(lead) => lead,
            Err(begun) => return begun,
        };
        lead.leader.began_at(self.clock.now());
        lead.leader.computes_here();
        let _scope = Scope::enter_thread(lead.leader.flight());
        let (begun, running) = self.begin();
        thread::yield_now();
        midst();
        thread::yield_now();
        drop(running);
        idle(|| block_on(self.settle(lead, begun, ends)));
        begun
    }

    /// Calls an asynchronous function that computes in its caller's future.
    pub(crate) async fn call_in_place(&self, kind: Kind, ends: Ends) -> u64 {
        match self.lead(kind).await {
            Err(begun) => begun,
            Ok(lead) => {
                lead.leader.flight().computes_by_future(lead.leader.since(), None, None);
                let flight = Arc::clone(lead.leader.flight());
                let mut compute = pin!(self.compute(lead, ends));
                poll_fn(|cx| flight.step(cx, |cx| compute.as_mut().poll(cx))).await
            }
        }
    }

    /// Calls an asynchronous function that computes by a future of its own.
    pub(crate) async fn call_owned(self: &Arc<Self>, kind: Kind, ends: Ends, detach: bool) -> u64 {
        match self.lead(kind).await {
            Err(begun) => begun,
            Ok(Lead { leader, beside }) => {
                let this = Arc::clone(self);
                let own = |leader| -> Step<u64> {
                    let lead = Lead { leader, beside };
                    Box::pin(async move { this.compute(lead, ends).await })
                };
                computation::begin(leader, detach, own).await
            }
        }
    }

    /// Computes by a future of its own for the leader of a flight.
    pub(crate) fn led_owned(self: &Arc<Self>, leader: Leader) -> Step<()> {
        let this = Arc::clone(self);
        let own = |leader| -> Step<u64> {
            let lead = Lead { leader, beside: None };
            Box::pin(async move { this.compute(lead, Ends::Value).await })
        };
        let driving = computation::begin(leader, true, own);
        Box::pin(async move { _ = driving.await })
    }

    async fn compute(&self, lead: Lead, ends: Ends) -> u64 {
        let (begun, running) = self.begin();
        yield_now().await;
        if ends == Ends::Never {
            std::future::pending::<()>().await;
        }
        yield_now().await;
        drop(running);
        self.settle(lead, begun, ends).await;
        begun
    }

    /// Stores in two steps, if it may, and lands.
    async fn settle(&self, Lead { leader, beside }: Lead, begun: u64, ends: Ends) {
        if ends == Ends::Failure {
            return leader.fail();
        }
        let land = || match ends {
            Ends::Shared => Landed::Error(Arc::new(begun)),
            _ => Landed::Value(Arc::new(begun), None),
        };
        if ends == Ends::Value {
            leader.flight().seen(self.clock.now());
            self.store(&leader, begun).await;
            if let Some(waiter) = beside {
                let flight = waiter.flight();
                flight.land_beside(|| {
                    self.landed_beside.lock().unwrap().push(Arc::clone(flight));
                    land()
                });
            }
        }
        leader.land(land);
    }

    async fn store(&self, leader: &Leader, begun: u64) {
        let was_overtaken = leader.is_overtaken();
        let landed_beside = self.landed_beside.lock().unwrap().iter().any(|other| Arc::ptr_eq(other, leader.flight()));
        if !leader.begin_store() {
            return;
        }
        assert!(!was_overtaken, "one who was overtaken may store");
        assert!(!landed_beside, "a leader may store although another caller has computed beside it");
        let store = async {
            yield_now().await;
            *self.stored.lock().unwrap() = Stored::Computed { begun };
            yield_now().await;
        };
        unless_overtaken(leader, store).await;
        if leader.is_overtaken() {
            *self.stored.lock().unwrap() = Stored::Nothing;
        } else {
            let mut latest = self.latest_stored.lock().unwrap();
            *latest = latest.max(begun);
        }
    }

    /// What must hold when everybody has gone home.
    pub(crate) fn check(&self, must: &Must) {
        assert_eq!(self.flights.summary().0, 0, "no flight is left");
        assert_eq!(self.running.load(Ordering::SeqCst), 0, "no computation is left");
        let written = self.written();
        let stored = *self.stored.lock().unwrap();
        if let Stored::Computed { begun } = stored {
            assert!(begun > written, "a computation undid a later write");
            // Those who compute beside others store whenever they are ready.
            if must.store_in_order && self.beside.load(Ordering::SeqCst) == 0 {
                assert!(begun >= *self.latest_stored.lock().unwrap(), "a computation undid a later one");
            }
        }
        if must.hold {
            assert!(matches!(stored, Stored::Computed { .. }), "what was computed is held");
        }
        if must.compute_one_by_one {
            assert!(self.most.load(Ordering::SeqCst) <= 1, "two computed at the same time");
        }
    }
}

/// What must hold in the end, beside what always must.
#[derive(Debug)]
pub(crate) struct Must {
    pub(crate) store_in_order: bool,
    pub(crate) hold: bool,
    pub(crate) compute_one_by_one: bool,
}
