//! Every pair of what can happen to a key, beside a call, through clients that answer at once and through one that does not.

use std::sync::Arc;

use crate::explore::{Scene, explore};
use crate::function_model::{Act, Function, play};
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
    ] {
        scenes.extend(each_setting(&more, &CLIENTS));
    }
    scenes
}

/// Plays acts through one kind of client, with time that runs if it is told so.
pub(crate) type Through = fn(&[Act], bool);

/// The kinds of clients that one process has.
const CLIENTS: [(&str, Through); 3] = [
    ("in process", |acts, time_runs| {
        let (client, clock) = inproc();
        play(&Function::new(client, clock), acts, time_runs);
    }),
    ("elsewhere", |acts, time_runs| {
        let (client, clock) = inproc();
        play(&Function::new(Pausing(client), clock), acts, time_runs);
    }),
    ("in two tiers", |acts, time_runs| {
        let (far, clock) = inproc();
        let client = TieredClient::new(inproc_by(&clock), Pausing(far));
        play(&Function::tiered(client, clock), acts, time_runs);
    }),
];

/// Plays the acts through each of these kinds of clients, with time that stands still and with time that runs.
pub(crate) fn each_setting(acts: &[Act], clients: &[(&str, Through)]) -> Vec<Scene> {
    let mut scenes = Vec::new();
    for time_runs in [false, true] {
        if !time_runs && acts.iter().any(|act| act.stalls()) {
            continue;
        }
        let time = if time_runs { "time runs" } else { "time stands still" };
        for &(client, through) in clients {
            let acts: Arc<[Act]> = acts.into();
            scenes.push(Scene::new(format!("{acts:?} {client}, {time}"), move || {
                let acts = Arc::clone(&acts);
                explore(move || through(&acts, time_runs));
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
