//! What those who wait may do about a computation, by what can be seen of it (PURE).

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::runtime::Handle;

use super::Phase;
use super::signs::Movable;
use crate::clock::nanos;

/// How long a computation that asked to be polled waits for its caller, while others wait for it.
pub(super) const GRACE: Duration = Duration::from_millis(20);

/// For how many leases those who wait leave a computation alone that is driven, and does not end: it may wait for one of them.
pub(super) const PATIENCE: u64 = 5;

/// How a flight is computed at present.
pub(super) enum Work {
    /// Not yet: its leader asks the client.
    Claim,
    /// On the leader's thread, since then, or since one of those who wait was last let compute beside it.
    Thread { since: u64 },
    /// By a future, since then or likewise.
    Future { since: u64, owned: Option<Owned>, probe: Probe },
}

/// A computation that can go on without its caller.
pub(super) struct Owned {
    pub(super) computation: Weak<dyn Movable>,
    /// Whether it does.
    pub(super) is_moved: bool,
}

/// How it is found out whether the runtime is driven to which a computation's sockets and timers belong.
pub(super) struct Probe {
    pub(super) runtime: Option<Handle>,
    /// When a task was sent there that has not run.
    pub(super) sent: Option<u64>,
    /// When one last ran.
    pub(super) answered: u64,
}

impl Work {
    /// Returns whether the background could drive it, in the place of its caller.
    pub(super) fn is_movable(&self) -> bool {
        matches!(self, Self::Future { owned: Some(Owned { is_moved: false, .. }), .. })
    }

    /// Returns the computation, wherever it is driven.
    pub(super) fn computation(&self) -> Option<Arc<dyn Movable>> {
        let Self::Future { owned: Some(owned), .. } = self else { return None };
        owned.computation.upgrade()
    }
}

/// What can be seen of a flight.
pub(super) struct Seen<'a> {
    pub(super) phase: Phase,
    pub(super) work: &'a Work,
    pub(super) is_polled: bool,
    /// When it was last polled.
    pub(super) polled: u64,
    /// Since when it asks to be polled.
    pub(super) woken: Option<u64>,
}

/// What to do now, and when to look again.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The flight is over.
    Rest,
    /// All is well, or too early to tell.
    Later(u64),
    /// It has no leader: the next of those who wait may be quicker to take the lead.
    Pass,
    /// Let one of those who wait compute beside it.
    Beside,
    /// Drive it in the background.
    Move,
    /// Find out whether its runtime is driven.
    Probe,
    /// Nobody drives it: start over without it.
    Overtake,
}

/// Judges a flight that somebody waits for.
pub(super) fn judge(seen: &Seen<'_>, now: u64, lease: u64) -> Verdict {
    match seen.phase {
        Phase::Landed => Verdict::Rest,
        Phase::Queued => Verdict::Later(now.saturating_add(lease)),
        Phase::Free => Verdict::Pass,
        Phase::Led | Phase::Storing => match seen.work {
            // A thread that computes cannot be interrupted, and may need the thread of one who waits.
            Work::Thread { since } if seen.phase == Phase::Led => by(*since, lease, now, Verdict::Beside),
            // It may ask for more in the midst of a poll, after which its caller does not come back.
            work if seen.is_polled => {
                let is_late = seen.woken.is_some() && work.is_movable();
                Verdict::Later(now.saturating_add(if is_late { nanos(GRACE).min(lease) } else { lease }))
            }
            Work::Claim | Work::Thread { .. } => by(seen.polled, lease, now, Verdict::Overtake),
            Work::Future { since, probe, .. } => match seen.woken {
                Some(at) if seen.work.is_movable() => by(at, nanos(GRACE).min(lease), now, Verdict::Move),
                Some(at) => by(at, lease, now, Verdict::Overtake),
                // The value is there, and a store is the client's affair, which has deadlines of its own.
                None if seen.phase == Phase::Storing => by(seen.polled, lease, now, Verdict::Overtake),
                None => judge_pending(seen.polled.max(probe.answered), *since, probe, now, lease),
            },
        },
    }
}

/// Judges a computation that waits for something.
fn judge_pending(alive: u64, since: u64, probe: &Probe, now: u64, lease: u64) -> Verdict {
    let half = lease / 2;
    if let Some(sent) = probe.sent {
        return by(sent, lease - half, now, Verdict::Overtake);
    }
    let beside = by(since, lease.saturating_mul(PATIENCE), now, Verdict::Beside);
    if probe.runtime.is_none() {
        return beside;
    }
    match (beside, by(alive, half, now, Verdict::Probe)) {
        (Verdict::Later(one), Verdict::Later(other)) => Verdict::Later(one.min(other)),
        (Verdict::Later(_), probe) => probe,
        (beside, _) => beside,
    }
}

/// Returns the verdict if so much time has passed since then, or when it will have.
fn by(since: u64, patience: u64, now: u64, verdict: Verdict) -> Verdict {
    let at = since.saturating_add(patience);
    if now >= at { verdict } else { Verdict::Later(at) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: u64 = 10_000_000_000;
    const START: u64 = 100 * LEASE;

    struct Nothing;

    impl Movable for Nothing {
        fn move_on(self: std::sync::Arc<Self>) {}
        fn nobody_waits(self: std::sync::Arc<Self>) {}
    }

    fn future(can_move: bool, runtime: Option<Handle>) -> Work {
        let owned = can_move.then(|| Owned { computation: Weak::<Nothing>::new(), is_moved: false });
        Work::Future { since: START, owned, probe: Probe { runtime, sent: None, answered: 0 } }
    }

    fn at(work: &Work, phase: Phase, woken: Option<u64>, after: u64) -> Verdict {
        judge(&Seen { phase, work, is_polled: false, polled: START, woken }, START + after, LEASE)
    }

    #[test]
    fn a_thread_is_never_overtaken_and_one_computes_beside_it_after_each_lease() {
        let work = Work::Thread { since: START };
        assert_eq!(at(&work, Phase::Led, None, LEASE - 1), Verdict::Later(START + LEASE));
        assert_eq!(at(&work, Phase::Led, None, LEASE), Verdict::Beside);
    }

    #[test]
    fn a_future_that_waits_for_an_answer_is_left_alone() {
        for can_move in [false, true] {
            let work = future(can_move, None);
            assert_eq!(at(&work, Phase::Led, None, 4 * LEASE), Verdict::Later(START + PATIENCE * LEASE));
            assert_eq!(at(&work, Phase::Led, None, PATIENCE * LEASE), Verdict::Beside);
        }
    }

    #[test]
    fn a_future_that_asks_to_be_polled_and_is_not_moves_or_is_overtaken() {
        let grace = nanos(GRACE);
        let owned = future(true, None);
        assert_eq!(at(&owned, Phase::Led, Some(START + 5), grace + 4), Verdict::Later(START + 5 + grace));
        assert_eq!(at(&owned, Phase::Led, Some(START + 5), grace + 5), Verdict::Move);
        let in_place = future(false, None);
        assert_eq!(at(&in_place, Phase::Storing, Some(START + 5), LEASE), Verdict::Later(START + 5 + LEASE));
        assert_eq!(at(&in_place, Phase::Storing, Some(START + 5), LEASE + 5), Verdict::Overtake);
        assert_eq!(at(&in_place, Phase::Storing, None, LEASE), Verdict::Overtake, "a store that does not end");
    }

    #[test]
    fn a_runtime_is_probed_after_half_a_lease_and_given_up_after_a_whole_one() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime without drivers");
        let mut work = future(true, Some(runtime.handle().clone()));
        assert_eq!(at(&work, Phase::Led, None, LEASE / 2 - 1), Verdict::Later(START + LEASE / 2));
        assert_eq!(at(&work, Phase::Led, None, LEASE / 2), Verdict::Probe);
        let Work::Future { probe, .. } = &mut work else { unreachable!("it is one") };
        probe.sent = Some(START + LEASE / 2);
        assert_eq!(at(&work, Phase::Led, None, LEASE - 1), Verdict::Later(START + LEASE));
        assert_eq!(at(&work, Phase::Led, None, LEASE), Verdict::Overtake);
        let Work::Future { probe, .. } = &mut work else { unreachable!("it is one") };
        (probe.sent, probe.answered) = (None, START + LEASE);
        assert_eq!(at(&work, Phase::Led, None, LEASE), Verdict::Later(START + LEASE + LEASE / 2));
        assert_eq!(at(&work, Phase::Led, None, PATIENCE * LEASE), Verdict::Beside, "though a probe is due as well");
    }

    #[test]
    fn what_is_polled_or_lined_up_is_left_alone() {
        let work = future(true, None);
        let seen = |phase| Seen { phase, work: &work, is_polled: true, polled: START, woken: None };
        assert_eq!(judge(&seen(Phase::Led), START + 5 * LEASE, LEASE), Verdict::Later(START + 6 * LEASE));
        let asks = Seen { woken: Some(START), ..seen(Phase::Led) };
        assert_eq!(judge(&asks, START + LEASE, LEASE), Verdict::Later(START + LEASE + nanos(GRACE)));
        assert_eq!(judge(&seen(Phase::Queued), START + LEASE, LEASE), Verdict::Later(START + 2 * LEASE));
        assert_eq!(judge(&seen(Phase::Free), START, LEASE), Verdict::Pass);
        assert_eq!(judge(&seen(Phase::Landed), START, LEASE), Verdict::Rest);
    }
}
