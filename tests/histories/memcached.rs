//! A memcached server of the test's own: what two clients of it are answered could have come of one operation after the other.
//!
//! A clear is left out: who else uses the namespace sees it within a delay only.

use std::time::Duration;

use chorde::memcache::testing::MemcachedServer;
use chorde::{MemcachedClient, Wait};
use fastrand::Rng;

use crate::clients::judge;
use crate::recorder::record;
use crate::register::Op;

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
        let history: Vec<_> = history.iter().map(|timed| timed.map(|((_, op), answer)| (op, answer))).collect();
        judge(&history)
    });
}
