//! A memcached server of the test's own: what two clients of it are answered could have come of one operation after the other.
//!
//! Two things are not as in process. A clear is left out: who else uses the namespace sees it within a delay only. And a
//! removal looks and removes in one round trip, but in two commands: where a write of another client comes between them, what
//! it says of the entry is that of before.

use std::time::Duration;

use chorde::memcache::testing::MemcachedServer;
use chorde::{MemcachedClient, Wait};
use fastrand::Rng;

use crate::checker::Timed;
use crate::clients::judge;
use crate::recorder::{overlap, record};
use crate::register::{Answer, Op};

/// Longer than a busy machine takes for anything.
const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn a_server_is_one_operation_after_the_other() {
    let server = MemcachedServer::start().unwrap();
    let client = || {
        let builder = MemcachedClient::builder().servers([server.address()]).checksum_key("histories");
        builder.deadline(PATIENCE).build().unwrap()
    };
    let clients = [client(), client()];
    let draw = |dice: &mut Rng, stamp: u64| {
        let kinds: Vec<Op> = Op::kinds(stamp).into_iter().filter(|op| *op != Op::Clear).collect();
        (dice.bool(), dice.choice(kinds).unwrap())
    };
    let perform =
        |key: u64, (which, op): (bool, Op)| op.perform::<u64>(&clients[usize::from(which)], &key).wait().unwrap();
    record("memcached", draw, perform, |_, history| {
        let mut history: Vec<_> = history.iter().map(|timed| timed.map(|((_, op), answer)| (op, answer))).collect();
        forgive_removals(&mut history);
        judge(&history)
    });
}

/// Takes any answer of a removal that overlaps with another change.
fn forgive_removals(history: &mut [Timed<(Op, Answer)>]) {
    for at in 0..history.len() {
        let removal = &history[at];
        let comes_between = |other: &Timed<(Op, Answer)>| other.what.0.changes() && overlap(removal, other);
        if removal.what.0 == Op::Delete && history.iter().any(comes_between) {
            history[at].what.1 = Answer::Any;
        }
    }
}
