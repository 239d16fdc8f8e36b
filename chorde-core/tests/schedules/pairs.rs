//! Every pair of what can happen to a key, beside a call, through clients that answer at once and through one that does not.

use std::sync::Arc;

use crate::acts::{Act, Time};
use crate::explore::{Scene, explore};
use crate::function_model::{Function, play};
use crate::pausing::Pausing;
use crate::{Clock, InprocClient, ManualClock, TieredClient};

pub(crate) fn scenes() -> Vec<Scene> {
    let mut scenes = Vec::new();
    for (at, one) in Act::ALL.into_iter().enumerate() {
        for other in Act::ALL.into_iter().skip(at) {
            scenes.extend(each_setting(&[Act::Call, one, other], &CLIENTS));
        }
    }
    for more in [
        [Act::Refresh, Act::Refresh, Act::Await, Act::Put],
        [Act::Drop, Act::Panic, Act::Drop, Act::Await],
        [Act::Refresh, Act::Drop, Act::Refresh, Act::Drop],
        [Act::Stall, Act::Stall, Act::Refresh, Act::Await],
        [Act::Stall, Act::Drop, Act::Put, Act::Call],
        [Act::OwnDrop, Act::Drop, Act::OwnDrop, Act::Own],
        [Act::OwnLeave, Act::OwnLeave, Act::Fail, Act::Await],
        [Act::OwnStall, Act::Own, Act::Await, Act::Refresh],
        [Act::OwnDrop, Act::Put, Act::Own, Act::Clear],
        [Act::Fail, Act::Panic, Act::Own, Act::Await],
        [Act::Block, Act::Own, Act::Await, Act::Refresh],
        [Act::Block, Act::OwnDrop, Act::Put, Act::Call],
    ] {
        scenes.extend(each_setting(&more, &CLIENTS));
    }
    scenes
}

/// Plays acts through one kind of client, while time goes by as told.
pub(crate) type Through = fn(&[Act], Time);

/// The kinds of clients that one process has.
const CLIENTS: [(&str, Through); 3] = [
    ("in process", |acts, time| {
        let (client, clock) = inproc();
        play(&Function::new(client, clock), acts, time);
    }),
    ("elsewhere", |acts, time| {
        let (client, clock) = inproc();
        play(&Function::new(Pausing(client), clock), acts, time);
    }),
    ("in two tiers", |acts, time| {
        let (far, clock) = inproc();
        let client = TieredClient::new(inproc_by(&clock), Pausing(far));
        play(&Function::tiered(client, clock), acts, time);
    }),
];

/// Plays the acts through each of these kinds of clients, with each way of time that suits them.
pub(crate) fn each_setting(acts: &[Act], clients: &[(&str, Through)]) -> Vec<Scene> {
    let mut scenes = Vec::new();
    for time in Time::ALL.into_iter().filter(|time| time.suits(acts)) {
        let how = match time {
            Time::StandsStill => "time stands still",
            Time::Passes => "time passes",
            Time::Runs => "time runs",
        };
        for &(client, through) in clients {
            let acts: Arc<[Act]> = acts.into();
            scenes.push(Scene::new(format!("{acts:?} {client}, {how}"), move || {
                let acts = Arc::clone(&acts);
                explore(move || through(&acts, time));
            }));
        }
    }
    scenes
}

/// Makes a client whose time is one's own.
pub(crate) fn inproc() -> (InprocClient, ManualClock) {
    let clock = ManualClock::new();
    (inproc_by(&clock), clock)
}

/// Makes a client that goes by this clock.
pub(crate) fn inproc_by(clock: &ManualClock) -> InprocClient {
    let client = InprocClient::builder().capacity(8).clock(Clock::from(clock.clone())).build();
    client.expect("invariant: it has a capacity")
}
