use super::*;
use crate::functions::STALL;

const NAMED: usize = 0;
const NAMED_AHEAD: usize = 1;
const NAMED_TIERS: usize = 4;
const LOCAL: usize = 6;
const START: u64 = 1_000 * SECOND;

fn fault(scope: Scope, kind: &'static str, (from, to): (u64, u64)) -> Window {
    Window { scope, kind, from: START + from, to: Some(START + to), hangs: kind == "pause" }
}

fn value(function: usize, begun: u64, done: u64) -> Stamped {
    Stamped { function, key: 1, serial: Some(1), worker: 2, begun: START + begun, done: START + done }
}

fn sight(what: What, value: Stamped, from: u64) -> Sight {
    let function = value.function;
    Sight { worker: 3, what, function, key: 1, value: Some(value), from: START + from, to: START + from + MILLIS }
}

fn change(how: How, worker: u16, (from, to): (u64, u64)) -> Change {
    let key = (how != How::Clear).then_some(1);
    Change { worker, function: NAMED, key, how, from: START + from, to: START + to, is_done: true }
}

fn computed(worker: u16, begun: u64) -> Computed {
    Computed { worker, begun: START + begun, is_refused: false }
}

/// What is said of something seen, with these faults.
fn judged(sight: Sight, faults: &[Window]) -> usize {
    let mut judge = Judge::default();
    faults.iter().for_each(|fault| judge.windows.open(*fault));
    judge.saw(sight);
    judge.settle(START + 100 * SECOND).len()
}

#[test]
fn a_value_past_its_ttl_is_a_violation_unless_its_store_hung() {
    let old = |age| sight(What::Old(0), value(NAMED, 0, 0), age);
    assert_eq!(judged(old(5 * SECOND + STORE + LATE_TICK), &[]), 0);
    assert_eq!(judged(old(5 * SECOND + STORE + LATE_TICK + 1), &[]), 1);
    let pause = fault(Scope::Named, "pause", (100 * MILLIS, 4 * SECOND));
    assert_eq!(judged(old(10 * SECOND), &[pause]), 0);
    assert_eq!(judged(old(11 * SECOND + MILLIS), &[pause]), 1);
    // Other faults delay a store by its deadline at most, and those of others not at all.
    assert_eq!(judged(old(10 * SECOND), &[Window { kind: "kill", hangs: false, ..pause }]), 1);
    assert_eq!(judged(old(10 * SECOND), &[Window { scope: Scope::Cluster, ..pause }]), 1);
    // Nor does one that began when the value was stored.
    assert_eq!(judged(old(10 * SECOND), &[fault(Scope::Named, "pause", (SECOND, 4 * SECOND))]), 1);
}

#[test]
fn a_local_value_is_excused_by_a_stall_of_its_own_process_alone() {
    let old = |age| sight(What::Old(0), value(LOCAL, 0, 0), age);
    assert_eq!(judged(old(3 * SECOND), &[]), 1);
    assert_eq!(judged(old(3 * SECOND), &[fault(Scope::Process(3), windows::STALL, (0, SECOND))]), 0);
    assert_eq!(judged(old(3 * SECOND), &[fault(Scope::Process(2), windows::STALL, (0, SECOND))]), 1);
    assert_eq!(judged(old(3 * SECOND), &[fault(Scope::Named, "pause", (0, SECOND))]), 1);
}

#[test]
fn a_value_of_another_key_or_a_failed_call_is_never_excused() {
    let pause = fault(Scope::Named, "pause", (0, 10 * SECOND));
    assert_eq!(judged(sight(What::Key, value(NAMED, 0, 0), SECOND), &[pause]), 1);
    assert_eq!(judged(sight(What::Failed("no".into()), value(NAMED, 0, 0), SECOND), &[pause]), 1);
}

#[test]
fn a_value_from_before_a_change_is_excused_by_what_parts_processes_since_it_was_computed() {
    let changed = change(How::Invalidate, 3, (2 * SECOND, 2 * SECOND + MILLIS));
    let before = |how| sight(What::Before(how), value(NAMED, SECOND, SECOND + MILLIS), 3 * SECOND);
    assert_eq!(judged(before(changed), &[]), 1);
    assert_eq!(judged(before(changed), &[fault(Scope::Named, "kill", (2 * SECOND, 3 * SECOND))]), 0);
    assert_eq!(judged(before(changed), &[fault(Scope::Cluster, "kill", (2 * SECOND, 3 * SECOND))]), 1);
    assert_eq!(judged(before(changed), &[fault(Scope::Process(1), windows::KILL, (2 * SECOND, 3 * SECOND))]), 1);
    assert_eq!(judged(before(changed), &[fault(Scope::Named, "kill", (4 * SECOND, 5 * SECOND))]), 1);
    // A process that stood still may show what it had in hand; what others are shown must not come from it.
    assert_eq!(judged(before(changed), &[fault(Scope::Process(3), "pause worker", (2 * SECOND, 3 * SECOND))]), 0);
    assert_eq!(judged(before(changed), &[fault(Scope::Process(2), "pause worker", (2 * SECOND, 3 * SECOND))]), 1);
    assert_eq!(judged(before(changed), &[fault(Scope::Process(2), windows::STALL, (2 * SECOND, 3 * SECOND))]), 1);
}

#[test]
fn a_value_from_before_a_change_is_excused_while_processes_hear_of_a_clear() {
    let invalidated = change(How::Invalidate, 3, (10_500 * MILLIS, 10_501 * MILLIS));
    let seen = |cleared: u64| {
        let mut judge = Judge::default();
        judge.changed(change(How::Clear, 1, (cleared, cleared + MILLIS)));
        judge.saw(sight(What::Before(invalidated), value(NAMED, 10 * SECOND, 10 * SECOND), 11 * SECOND));
        judge.settle(START + 12 * SECOND).len()
    };
    assert_eq!([7, 8, 11, 12].map(|second| seen(second * SECOND)), [1, 0, 0, 1]);
}

#[test]
fn trouble_that_nobody_made_is_counted() {
    let mut judge = Judge::default();
    judge.windows.open(fault(Scope::Named, "kill", (0, SECOND)));
    judge.troubled(3, Scope::Named, START + 2 * SECOND, START + 3 * SECOND);
    assert_eq!(judge.counts.unexplained, 0);
    judge.troubled(3, Scope::Cluster, START + 2 * SECOND, START + 3 * SECOND);
    judge.troubled(3, Scope::Named, START + 20 * SECOND, START + 21 * SECOND);
    assert_eq!(judge.counts.unexplained, 2);
    judge.windows.open(fault(Scope::Process(3), "pause worker", (30 * SECOND, 50 * SECOND)));
    judge.troubled(2, Scope::Named, START + 30 * SECOND, START + 31 * SECOND);
    assert_eq!(judge.counts.unexplained, 3);
    judge.troubled(3, Scope::Named, START + 40 * SECOND, START + 41 * SECOND);
    assert_eq!(judge.counts.unexplained, 3);
}

#[test]
fn who_waited_for_a_computation_in_another_process_may_be_given_its_value() {
    let value = value(NAMED, SECOND, 3 * SECOND);
    let by = |worker| What::Before(change(How::Put, worker, (2 * SECOND, 2 * SECOND + MILLIS)));
    assert_eq!(judged(sight(by(1), value.clone(), 3 * SECOND), &[]), 0);
    assert_eq!(judged(sight(by(1), value.clone(), 4 * SECOND + MILLIS), &[]), 1);
    // Who changed it himself does not wait for what began before.
    assert_eq!(judged(sight(by(3), value, 3 * SECOND), &[]), 1);
}

#[test]
fn a_call_may_take_long_only_while_its_process_stalls() {
    let slow = |time| sight(What::Slow(time), value(NAMED, 0, 0), SECOND);
    assert_eq!(judged(slow(LONG_CALL), &[]), 0);
    assert_eq!(judged(slow(LONG_CALL + SECOND), &[]), 1);
    assert_eq!(judged(slow(LONG_CALL + SECOND), &[fault(Scope::Process(3), windows::STALL, (SECOND, 2 * SECOND))]), 0);
}

/// What is said of two computations, with these faults and changes.
fn again(function: usize, gap: u64, faults: &[Window], changes: &[Change]) -> (usize, Counts) {
    let mut judge = Judge::default();
    faults.iter().for_each(|fault| judge.windows.open(*fault));
    changes.iter().for_each(|change| judge.changed(*change));
    judge.computed(function, 1, computed(1, gap));
    judge.computed(function, 1, computed(if function == LOCAL { 1 } else { 2 }, 0));
    (judge.settle(START + 100 * SECOND).len(), judge.counts)
}

#[test]
fn a_key_that_is_computed_again_too_soon_is_a_violation_unless_a_fault_or_a_change_is_the_reason() {
    assert_eq!(again(NAMED, 2700 * MILLIS, &[], &[]).0, 0);
    assert_eq!(again(NAMED, 2699 * MILLIS, &[], &[]).0, 1);
    assert_eq!(again(LOCAL, 1700 * MILLIS, &[fault(Scope::Named, "kill", (0, SECOND))], &[]).0, 1);
    let (violations, counts) = again(NAMED, SECOND, &[fault(Scope::Named, "flush", (0, 0))], &[]);
    assert_eq!((violations, counts.extra, counts.judged), (0, 1, 1));
    assert_eq!(again(NAMED, SECOND, &[fault(Scope::Cluster, "flush", (0, 0))], &[]).0, 1);
    let (violations, counts) = again(NAMED, SECOND, &[], &[change(How::Expire, 3, (0, MILLIS))]);
    assert_eq!((violations, counts.judged), (0, 0));
    assert_eq!(again(NAMED_TIERS, SECOND, &[], &[change(How::Expire, 3, (0, MILLIS))]).0, 1);
    assert_eq!(again(NAMED, SECOND, &[], &[change(How::Expire, 3, (2 * SECOND, 2 * SECOND))]).0, 1);
}

#[test]
fn a_change_between_a_claim_and_its_computation_is_a_reason() {
    let before = |ago| Change { from: START - ago, to: START - ago, ..change(How::Expire, 3, (0, 0)) };
    assert_eq!(again(NAMED, 20 * MILLIS, &[], &[before(STALL)]).0, 0);
    assert_eq!(again(NAMED, 20 * MILLIS, &[], &[before(STALL + MILLIS)]).0, 1);
    let ahead = |ago| Change { function: NAMED_AHEAD, ..before(ago) };
    assert_eq!(again(NAMED_AHEAD, 20 * MILLIS, &[], &[ahead(2 * SECOND + STALL)]).0, 0);
    assert_eq!(again(NAMED_AHEAD, 20 * MILLIS, &[], &[ahead(2 * SECOND + STALL + MILLIS)]).0, 1);
}

#[test]
fn each_process_computes_for_itself_what_is_local() {
    let mut judge = Judge::default();
    judge.computed(LOCAL, 1, computed(1, 0));
    judge.computed(LOCAL, 1, computed(2, MILLIS));
    assert!(judge.settle(START).is_empty());
    judge.computed(LOCAL, 1, computed(2, SECOND));
    assert_eq!(judge.settle(START).len(), 1, "what was settled before is compared as well");
}

#[test]
fn nothing_is_computed_too_soon_after_an_error() {
    let mut judge = Judge::default();
    judge.computed(NAMED, 1, Computed { is_refused: true, ..computed(1, 0) });
    judge.computed(NAMED, 1, computed(2, MILLIS));
    assert!(judge.settle(START).is_empty());
}

#[test]
fn who_rests_has_nothing_under_way_and_all_servers_in_use() {
    let nodes = ["a".to_owned(), "b".to_owned()];
    let well = Resting { is_drained: true, cluster: vec!["b".into(), "a".into()], ..Resting::default() };
    assert!(unrest(&well, &nodes).is_empty());
    let unwell = [
        Resting { busy: 1, ..well.clone() },
        Resting { is_drained: false, ..well.clone() },
        Resting { in_flight: 1, ..well.clone() },
        Resting { lost: vec!["c".into()], ..well.clone() },
        Resting { cluster: vec!["a".into()], ..well },
    ];
    assert!(unwell.iter().all(|resting| unrest(resting, &nodes).len() == 1));
}

#[test]
fn changes_are_seen_at_once_or_later_or_not_before_a_copy_ends() {
    let seen = |function: usize, how, worker| seen_from(&FUNCTIONS[function], &change(how, 1, (0, MILLIS)), worker);
    let at_once = Some(START + MILLIS);
    assert_eq!(seen(NAMED, How::Put, 1), at_once);
    assert_eq!(seen(NAMED, How::Put, 2), at_once);
    assert_eq!(seen(NAMED_TIERS, How::Put, 1), at_once);
    assert_eq!(seen(NAMED_TIERS, How::Put, 2), None);
    assert_eq!(seen(NAMED_TIERS, How::Clear, 2), Some(START + MILLIS + 2 * SECOND));
    assert_eq!(seen(LOCAL, How::Clear, 1), at_once);
    assert_eq!(seen(LOCAL, How::Clear, 2), None);
}
