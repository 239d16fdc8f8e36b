//! Histories of one key under the checker: what clients answer could have come of one operation after the other.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use shuttle::future::block_on;
use shuttle::rand::{Rng, thread_rng};
use shuttle::thread;

use crate::checker::{Timed, order};
use crate::explore::{Scene, explore};
use crate::pairs::inproc;
use crate::register::{Answer, Held, Op, step};
use crate::{Client, ManualClock, NamespaceClient};

const THREADS: usize = 3;
const OPERATIONS: usize = 3;
const KEY: u64 = 1;

type Done = Timed<(Op, Answer)>;

/// What was done, by the standard library's primitives: to record changes no schedule.
#[derive(Default)]
struct Recorded {
    stamp: AtomicU64,
    done: Mutex<Vec<Done>>,
}

impl Recorded {
    fn stamp(&self) -> u64 {
        self.stamp.fetch_add(1, Ordering::SeqCst)
    }

    fn perform(&self, client: &impl Client<u64>, op: Op) {
        let start = self.stamp();
        let answer = block_on(op.perform::<u64>(client, &KEY)).expect("invariant: it does not fail");
        let done = Timed { what: (op, answer), start, end: self.stamp() };
        self.done.lock().expect("invariant: nothing panics under it").push(done);
    }
}

pub(crate) fn scenes() -> Vec<Scene> {
    vec![
        Scene::new("histories: a store in process", || {
            explore(|| {
                let (client, clock) = inproc();
                play(&client, &clock);
            });
        }),
        Scene::new("histories: a namespace", || {
            explore(|| {
                let (client, clock) = inproc();
                play(&NamespaceClient::new("histories", client).expect("invariant: it has a name"), &clock);
            });
        }),
    ]
}

fn play<C: Client<u64> + Clone + 'static>(client: &C, clock: &ManualClock) {
    let recorded = Arc::new(Recorded::default());
    let user = |number: usize| {
        let (client, clock, recorded) = (client.clone(), clock.clone(), Arc::clone(&recorded));
        thread::spawn(move || {
            for at in 0..OPERATIONS {
                // A little time goes by, which no life notices.
                clock.advance(Duration::from_nanos(1));
                let kinds = Op::kinds((number * OPERATIONS + at) as u64);
                recorded.perform(&client, kinds[thread_rng().gen_range(0..kinds.len())]);
            }
        })
    };
    let users: Vec<_> = (0..THREADS).map(user).collect();
    for user in users {
        user.join().expect("invariant: what panics fails the schedule");
    }
    clock.advance(Duration::from_nanos(1));
    recorded.perform(client, Op::GetTtl);
    let history = recorded.done.lock().expect("invariant: nothing panics under it");
    assert!(order(&history, &Held::Nothing, step).is_some(), "no order explains {history:#?}");
}
