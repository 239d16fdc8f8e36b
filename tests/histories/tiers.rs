//! Two tiers: as long as writes run, the values before and after may be seen; once they have ended, the near tier holds
//! nothing that is older than what the far one holds.

use chorde::{CacheExt, InprocClient, TieredClient, Wait};
use fastrand::Rng;

use crate::checker::{Timed, order};
use crate::naps::{Drowsy, Sleepy};
use crate::recorder::{ROOM, record};
use crate::register::{Answer, Held, Op, step};

type Tiers = TieredClient<InprocClient, InprocClient>;

#[test]
fn tiers_agree_once_all_has_ended() {
    let tiers = TieredClient::new(InprocClient::new(ROOM), InprocClient::new(ROOM));
    let draw = |dice: &mut Rng, stamp: u64| dice.choice(Op::kinds(stamp)).unwrap();
    let perform = |key: u64, op: Op| op.perform::<Sleepy>(&tiers, &Drowsy(key)).wait().unwrap();
    record("tiers", draw, perform, |key, history| judge(&tiers, key, history));
}

fn judge(tiers: &Tiers, key: u64, history: &[Timed<(Op, Answer)>]) -> Result<(), String> {
    let (near, far) = (held(tiers.near(), key), held(tiers.far(), key));
    if let (Held::Valid(near), far) = (near, far)
        && far != Held::Valid(near)
    {
        return Err(format!("{near} is near, and {far:?} far"));
    }
    if let Some(wrong) = history.iter().find(|timed| !may_be_seen(history, timed)) {
        return Err(format!("{wrong:?} was never so"));
    }
    // The far tier is what decides: reads are none of its business, nor is what a removal found anywhere.
    let mut decided: Vec<Timed<(Op, Answer)>> =
        history.iter().filter(|timed| timed.what.0.changes()).cloned().collect();
    for timed in &mut decided {
        if matches!(timed.what.0, Op::Delete | Op::Expire | Op::Renew) {
            timed.what.1 = Answer::Any;
        }
    }
    let quiet = |op, answer| Timed { what: (op, answer), start: u64::MAX - 1, end: u64::MAX };
    decided.push(quiet(Op::GetTtl, Answer::Entry(far)));
    if order(&decided, &Held::Nothing, step).is_none() {
        return Err(format!("no order of the writes leaves {far:?} far"));
    }
    // The next one who reads gets just that.
    let read = tiers.get::<Sleepy>(&key).wait().unwrap().map(u64::from);
    let expected = if let Held::Valid(value) = far { Some(value) } else { None };
    if read == expected { Ok(()) } else { Err(format!("{read:?} is read, and {far:?} is far")) }
}

/// Returns whether what a read gave was written by something that had begun by then.
fn may_be_seen(history: &[Timed<(Op, Answer)>], read: &Timed<(Op, Answer)>) -> bool {
    let (Answer::Value(Some(value)) | Answer::Entry(Held::Valid(value) | Held::Stale(value))) = read.what.1 else {
        return true;
    };
    let wrote = |op: Op| op == Op::Put(value) || op == Op::Add(value);
    history.iter().any(|write| wrote(write.what.0) && write.start < read.end && write.what.1 != Answer::Flag(false))
}

fn held(client: &InprocClient, key: u64) -> Held {
    match client.get_ttl::<Sleepy>(&key).wait().unwrap() {
        None => Held::Nothing,
        Some(entry) if entry.is_stale() => Held::Stale(entry.value.into()),
        Some(entry) => Held::Valid(entry.value.into()),
    }
}
