//! Clients that hold one value for a key: what they answer could have come of one operation after the other.

use std::time::Duration;

use chorde::{Client, InprocClient, NamespaceClient, Wait};
use fastrand::Rng;

use crate::checker::{Timed, order};
use crate::naps::{Drowsy, Sleepy, nap};
use crate::recorder::{ROOM, record};
use crate::register::{Answer, Held, Op, step};

/// Says what is wrong with a history of a key that held nothing at first.
pub(crate) fn judge(history: &[Timed<(Op, Answer)>]) -> Result<(), String> {
    order(history, &Held::Nothing, step).map(drop).ok_or_else(|| "no order explains it".to_owned())
}

fn check<C: Client<Sleepy>>(name: &str, client: &C) {
    let draw = |dice: &mut Rng, stamp: u64| dice.choice(Op::kinds(stamp)).unwrap();
    let perform = |key: u64, op: Op| op.perform::<Sleepy>(client, &Drowsy(key)).wait().unwrap();
    record(name, draw, perform, |_, history| judge(history));
}

#[test]
fn a_store_in_process_is_one_operation_after_the_other() {
    check("in process", &InprocClient::new(ROOM));
    check(
        "in process, exact LRU",
        &InprocClient::builder().capacity(ROOM).policy(chorde::inproc::Policy::lru()).build().unwrap(),
    );
}

#[test]
fn a_namespace_is_one_operation_after_the_other() {
    check("namespace", &NamespaceClient::new("histories", InprocClient::new(ROOM)).unwrap());
    let outer = NamespaceClient::new("outer", InprocClient::new(ROOM)).unwrap();
    check("namespace in a namespace", &NamespaceClient::new("inner", outer).unwrap());
}

#[test]
fn a_store_that_is_too_small_forgets_and_never_errs() {
    // Of 3 keys 2 fit: whatever is read was written to that key.
    let client = InprocClient::new(2);
    let ttl = Duration::from_secs(3600);
    let perform = |history: u64, stamp: u64| {
        let key = stamp % 3;
        nap();
        if stamp.is_multiple_of(2) {
            chorde::CacheExt::put(&client, &key, (history, key, stamp), ttl).wait().unwrap();
            None
        } else {
            chorde::CacheExt::get::<(u64, u64, u64)>(&client, &key).wait().unwrap()
        }
    };
    record(
        "too small",
        |_, stamp| stamp,
        perform,
        |_, history| {
            let is_mine =
                |(stamp, found): (u64, Option<(u64, u64, u64)>)| found.is_none_or(|(_, key, _)| key == stamp % 3);
            history
                .iter()
                .all(|timed| is_mine(timed.what))
                .then_some(())
                .ok_or_else(|| "another key's value".to_owned())
        },
    );
    assert!(client.stats().usage <= 2);
}
