//! All that may happen to a key.

use std::sync::Arc;
use std::task::{Context, Waker};

use shuttle::future::block_on;
use shuttle::rand::{Rng, thread_rng};
use shuttle::sync::{Condvar, Mutex};
use shuttle::thread;

use crate::background;
use crate::clock::{Time, nanos};
use crate::flight::{Kind, Role, write_directly};
use crate::world::{Ends, Expected, KEY, LEASE, Must, Step, World};

/// More steps than a call has that computes.
const STEPS: u32 = 6;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Act {
    /// A call of a plain function.
    Call,
    /// A call of an asynchronous function that computes in its caller's future.
    Await,
    /// One that computes by a future of its own.
    Own,
    Refresh,
    Alone,
    /// A call that is dropped before it has computed.
    AbortClaim,
    /// A call in its caller's future that is dropped at any of its steps.
    Abort,
    /// A call by a future of its own that is dropped at any of its steps.
    OwnDrop,
    /// The same of a function whose computations end with their last caller.
    OwnLeave,
    /// The same where the computation does not end: its waiters must leave.
    OwnNever,
    /// A call or refresh in its caller's future that is not polled any more after any of its steps.
    Stall,
    /// A call that leads, by a future of its own, and is not polled any more after any of its steps.
    OwnStall,
    /// A call of a plain function whose thread stands still until all others have gone home.
    Block,
    /// A call that fails with nothing to share, as with a panic; it may be dropped at any step.
    Fail,
    /// A call that fails with an error that those who wait can have.
    Share,
    Put,
    Clear,
    /// One who waits and loses patience.
    Leave,
    /// One who waits and is not polled any more.
    Doze,
    /// The end of the background's runtime.
    End,
}

impl Act {
    /// All beside which others come to an end.
    pub(crate) const ALL: [Self; 19] = [
        Self::Call,
        Self::Await,
        Self::Own,
        Self::Refresh,
        Self::Alone,
        Self::AbortClaim,
        Self::Abort,
        Self::OwnDrop,
        Self::OwnLeave,
        Self::Stall,
        Self::OwnStall,
        Self::Block,
        Self::Fail,
        Self::Share,
        Self::Put,
        Self::Clear,
        Self::Leave,
        Self::Doze,
        Self::End,
    ];

    /// Whether others wait for it up to the end of a lease.
    fn takes_a_lease(self) -> bool {
        matches!(self, Self::Stall | Self::Block | Self::Doze)
    }

    /// Whether it may drop a lead.
    fn aborts(self) -> bool {
        matches!(
            self,
            Self::AbortClaim
                | Self::Abort
                | Self::OwnLeave
                | Self::OwnNever
                | Self::OwnStall
                | Self::Leave
                | Self::Doze
                | Self::End
        )
    }

    fn writes(self) -> bool {
        matches!(self, Self::Put | Self::Clear)
    }

    /// Whether it computes whatever others do, and stores that.
    fn is_alone(self) -> bool {
        matches!(self, Self::Alone | Self::Fail)
    }

    /// Whether others may get nothing, or nothing that is stored.
    fn loses(self) -> bool {
        matches!(self, Self::End | Self::Share | Self::OwnNever)
    }

    /// Whether there is a value in the end, if nothing interferes.
    fn brings(self) -> bool {
        matches!(
            self,
            Self::Call | Self::Await | Self::Own | Self::Refresh | Self::Alone | Self::OwnDrop | Self::OwnStall
        )
    }
}

/// Opens when all have gone home who were not to wait.
#[derive(Default)]
struct Gate(Mutex<bool>, Condvar);

impl Gate {
    fn wait(&self) {
        drop(self.1.wait_while(self.0.lock().unwrap(), |is_open| !*is_open).unwrap());
    }

    fn open(&self) {
        *self.0.lock().unwrap() = true;
        self.1.notify_all();
    }
}

/// Whether the acts end while time goes by in that way.
pub(crate) fn end_without(acts: &[Act], time: Time) -> bool {
    // A write waits for a store that is not polled up to the end of a lease, and so does everybody for a caller that is not polled
    // where the background has ended.
    let may_last = acts.iter().any(|act| act.writes() || *act == Act::End);
    let stalls_owned = acts.contains(&Act::OwnStall);
    match time {
        Time::StandsStill => !stalls_owned && !acts.iter().any(|act| act.takes_a_lease()),
        Time::Passes => stalls_owned && !may_last && !acts.iter().any(|act| act.takes_a_lease()),
        Time::Runs => true,
    }
}

fn act(world: &Arc<World>, gate: &Gate, act: Act) {
    let fresh = |call: &dyn Fn() -> u64| {
        let written = world.written();
        assert!(call() > written, "a call got a value from before a write that was complete when it came");
    };
    match act {
        Act::Call => fresh(&|| world.call_here(Kind::Join, Ends::Value, || ())),
        Act::Await => fresh(&|| block_on(world.call_in_place(Kind::Join, Ends::Value))),
        Act::Own => fresh(&|| block_on(world.call_owned(Kind::Join, Ends::Value, true))),
        Act::Block => fresh(&|| world.call_here(Kind::Join, Ends::Value, || gate.wait())),
        Act::Fail => fail(world, Ends::Failure, &fresh),
        Act::Share => fail(world, Ends::Shared, &fresh),
        Act::Refresh => {
            let asked = world.stamp();
            let begun = match thread_rng().gen_range(0..3) {
                0 => world.call_here(Kind::Next, Ends::Value, || ()),
                1 => block_on(world.call_in_place(Kind::Next, Ends::Value)),
                _ => block_on(world.call_owned(Kind::Next, Ends::Value, true)),
            };
            assert!(begun > asked, "a refresh gives a value that was begun after it was asked for");
        }
        Act::Alone => drop(block_on(world.call_in_place(Kind::Alone, Ends::Value))),
        Act::AbortClaim => {
            if let Role::Lead(leader) = world.join(Kind::Join) {
                thread::yield_now();
                drop(leader);
            }
        }
        Act::Abort => drop(some_steps(in_place_by_chance(world))),
        Act::OwnDrop => drop(some_steps(owned(world, true))),
        Act::OwnLeave => drop(some_steps(owned(world, false))),
        Act::OwnNever => {
            let this = Arc::clone(world);
            drop(some_steps(Box::pin(async move { _ = this.call_owned(Kind::Join, Ends::Never, false).await })));
        }
        Act::Stall => world.stalled.lock().unwrap().extend(some_steps(in_place_by_chance(world))),
        Act::OwnStall => {
            if let Role::Lead(leader) = world.join(Kind::Join) {
                // A call takes its first step as it begins to lead.
                let rest = take(thread_rng().gen_range(1..=STEPS), world.led_owned(leader));
                world.stalled.lock().unwrap().extend(rest);
            }
        }
        Act::Leave => {
            let waiting = wait_a_little(world);
            thread::yield_now();
            drop(waiting);
        }
        Act::Doze => {
            let waiting = wait_a_little(world);
            world.dozing.lock().unwrap().extend(waiting);
        }
        Act::Put => world.write(|| write_directly(KEY).1.within(&world.clock, LEASE), true),
        Act::Clear => world.write(|| world.flights.supersede_all(KEY.0).within(&world.clock, LEASE), false),
        Act::End => background::end(),
    }
}

fn fail(world: &Arc<World>, ends: Ends, fresh: &dyn Fn(&dyn Fn() -> u64)) {
    match thread_rng().gen_range(0..4) {
        0 => fresh(&|| world.call_here(Kind::Join, ends, || ())),
        1 => fresh(&|| block_on(world.call_in_place(Kind::Join, ends))),
        2 => fresh(&|| block_on(world.call_owned(Kind::Join, ends, true))),
        _ => {
            let this = Arc::clone(world);
            drop(some_steps(Box::pin(async move { _ = this.call_owned(Kind::Join, ends, true).await })));
        }
    }
}

fn in_place_by_chance(world: &Arc<World>) -> Step<()> {
    let kind = if thread_rng().gen_ratio(1, 3) { Kind::Next } else { Kind::Join };
    let world = Arc::clone(world);
    Box::pin(async move { _ = world.call_in_place(kind, Ends::Value).await })
}

fn owned(world: &Arc<World>, detach: bool) -> Step<()> {
    let kind = if thread_rng().gen_ratio(1, 3) { Kind::Next } else { Kind::Join };
    let world = Arc::clone(world);
    Box::pin(async move { _ = world.call_owned(kind, Ends::Value, detach).await })
}

/// Takes up to so many steps; returns the future unless it has ended.
fn some_steps(future: Step<()>) -> Option<Step<()>> {
    take(thread_rng().gen_range(0..=STEPS), future)
}

fn take(steps: u32, mut future: Step<()>) -> Option<Step<()>> {
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..steps {
        if future.as_mut().poll(&mut context).is_ready() {
            return None;
        }
        thread::yield_now();
    }
    Some(future)
}

/// Waits for one poll.
fn wait_a_little(world: &Arc<World>) -> Option<Step<()>> {
    let Role::Wait(waiter) = world.join(Kind::Join) else { return None };
    let mut waiting: Step<()> = Box::pin(async move { drop(waiter.wait().await) });
    let mut context = Context::from_waker(Waker::noop());
    waiting.as_mut().poll(&mut context).is_pending().then_some(waiting)
}

/// Polls again, or drops, those who were not polled for so long.
fn resume(world: &World) {
    drop(std::mem::take(&mut *world.dozing.lock().unwrap()));
    let stalled = std::mem::take(&mut *world.stalled.lock().unwrap());
    for stalled in stalled {
        if thread_rng().gen_ratio(1, 2) {
            block_on(stalled);
        }
    }
}

/// Does all of these at the same time.
pub(crate) fn play(acts: &[Act], time: Time) {
    let any = |is: fn(Act) -> bool| acts.iter().any(|act| is(*act));
    let runs = time == Time::Runs;
    let fails = acts.contains(&Act::Fail);
    let world = World::new(Expected { start_over: runs || any(Act::aborts), failed: fails, beside: runs });
    let gate = Arc::new(Gate::default());
    let spawn = |one: Act| {
        let (world, gate) = (Arc::clone(&world), Arc::clone(&gate));
        (one == Act::Block, thread::spawn(move || act(&world, &gate, one)))
    };
    let threads: Vec<_> = acts.iter().copied().map(spawn).collect();
    let clock = world.clock.clone();
    let end = if runs { u64::MAX } else { nanos(LEASE) - 1 };
    let running = (time != Time::StandsStill).then(|| thread::spawn(move || clock.run(end)));
    let (blocked, free): (Vec<_>, Vec<_>) = threads.into_iter().partition(|(is_blocked, _)| *is_blocked);
    free.into_iter().for_each(|(_, thread)| thread.join().unwrap());
    gate.open();
    blocked.into_iter().for_each(|(_, thread)| thread.join().unwrap());
    resume(&world);
    background::drain();
    world.clock.stop();
    if let Some(running) = running {
        running.join().unwrap();
    }
    // An alarm may have moved a computation at the last moment.
    background::drain();
    let is_calm = !runs && !any(Act::writes);
    world.check(&Must {
        // Those who compute alone store whenever they are ready.
        store_in_order: !any(Act::is_alone),
        hold: is_calm && any(Act::brings) && !any(Act::loses),
        compute_one_by_one: is_calm && !any(Act::is_alone),
    });
}
