//! Who is waited for, for how long, and what is computed beside those who do not end.

use super::*;

#[test]
fn beside_a_thread_that_does_not_end_one_computes_after_each_lease() {
    let (field, first, second) = (Field::new(), Arc::default(), Arc::default());
    let blocked = field.lead_by_thread();
    let (mut one, mut two) = (field.wait(Kind::Join), field.wait(Kind::Join));
    assert!(poll(&mut one, &first).is_pending() && poll(&mut two, &second).is_pending());
    field.manual.advance(LEASE - Duration::from_nanos(1));
    assert_eq!((first.count(), second.count()), (0, 0));
    field.manual.advance(Duration::from_nanos(1));
    assert_eq!((first.count(), second.count()), (1, 0));
    let Poll::Ready(Outcome::Beside(_one)) = poll(&mut one, &first) else { panic!("the first computes beside it") };
    assert!(poll(&mut two, &second).is_pending());
    field.manual.advance(LEASE);
    assert!(matches!(poll(&mut two, &second), Poll::Ready(Outcome::Beside(_))));
    assert!(!blocked.is_overtaken());
}

#[test]
fn the_shortest_lease_keeps_no_timer_busy() {
    let (field, wakes) = (Field::new(), Arc::default());
    let _blocked = field.lead_by_thread();
    let mut waiting = field.wait_for(Kind::Join, Duration::from_nanos(1));
    assert!(poll(&mut waiting, &wakes).is_pending());
    field.manual.advance(Duration::from_micros(999));
    assert_eq!(wakes.count(), 0);
    field.manual.advance(Duration::from_micros(1));
    assert!(matches!(poll(&mut waiting, &wakes), Poll::Ready(Outcome::Beside(_))));
}

#[test]
fn what_is_computed_beside_a_thread_is_for_all_and_the_thread_stores_nothing() {
    let (field, wakes) = (Field::new(), Arc::default());
    let blocked = field.lead_by_thread();
    let (mut one, mut two) = (field.wait(Kind::Join), field.wait(Kind::Join));
    assert!(poll(&mut one, &wakes).is_pending() && poll(&mut two, &wakes).is_pending());
    field.manual.advance(LEASE);
    let Poll::Ready(Outcome::Beside(waiter)) = poll(&mut one, &wakes) else { panic!("the first computes beside it") };
    waiter.flight().land_beside(|| computed(2));
    assert_eq!((value(poll(&mut two, &wakes)), field.count()), (2, 0));
    assert!(!blocked.begin_store(), "its value is the older one");
    blocked.land(|| computed(1));
    assert_eq!(field.count(), 0);
}

#[test]
fn what_is_computed_beside_a_thread_comes_too_late_once_that_has_landed_or_stores() {
    for stores in [false, true] {
        let (field, wakes) = (Field::new(), Arc::default());
        let blocked = field.lead_by_thread();
        let (mut one, mut two) = (field.wait(Kind::Join), field.wait(Kind::Join));
        assert!(poll(&mut one, &wakes).is_pending() && poll(&mut two, &wakes).is_pending());
        field.manual.advance(LEASE);
        let Poll::Ready(Outcome::Beside(waiter)) = poll(&mut one, &wakes) else { panic!("it computes beside it") };
        assert!(blocked.begin_store());
        let leader = if stores {
            Some(blocked)
        } else {
            blocked.land(|| computed(1));
            None
        };
        waiter.flight().land_beside(|| computed(2));
        leader.into_iter().for_each(|leader| leader.land(|| computed(1)));
        assert_eq!((value(poll(&mut two, &wakes)), field.count()), (1, 0));
    }
}

#[test]
fn one_who_was_to_compute_beside_a_thread_and_leaves_passes_it_on() {
    let (field, first, second) = (Field::new(), Arc::default(), Arc::default());
    let _blocked = field.lead_by_thread();
    let (mut one, mut two) = (field.wait(Kind::Join), field.wait(Kind::Join));
    assert!(poll(&mut one, &first).is_pending() && poll(&mut two, &second).is_pending());
    field.manual.advance(LEASE);
    drop(one);
    assert_eq!((first.count(), second.count()), (1, 1));
    assert!(matches!(poll(&mut two, &second), Poll::Ready(Outcome::Beside(_))));
}

#[test]
fn a_refresh_begins_beside_a_thread_that_does_not_end() {
    let (field, wakes) = (Field::new(), Arc::default());
    let blocked = field.lead_by_thread();
    let mut refresh = field.wait(Kind::Next);
    assert!(poll(&mut refresh, &wakes).is_pending());
    field.manual.advance(LEASE);
    let Poll::Ready(Outcome::Lead(next)) = poll(&mut refresh, &wakes) else { panic!("it waits for the thread") };
    assert!(!blocked.begin_store() && next.begin_store());
    next.land(|| computed(2));
    blocked.land(|| computed(1));
    assert_eq!(field.count(), 0);
}

#[test]
fn a_future_that_waits_is_left_alone_for_five_leases() {
    let (field, wakes) = (Field::new(), Arc::default());
    let leader = field.lead_in_place();
    let mut waiting = field.wait(Kind::Join);
    step(&leader, false);
    assert!(poll(&mut waiting, &wakes).is_pending());
    field.manual.advance(LEASE * 5 - Duration::from_nanos(1));
    assert_eq!(wakes.count(), 0);
    field.manual.advance(LEASE);
    let Poll::Ready(Outcome::Beside(waiter)) = poll(&mut waiting, &wakes) else { panic!("it computes beside it") };
    waiter.flight().land_beside(|| computed(2));
    assert!(!leader.begin_store());
}

#[test]
fn a_computation_is_told_that_nobody_waits_when_another_has_computed_beside_it() {
    let (field, wakes) = (Field::new(), Arc::default());
    let (leader, told) = field.lead_owned();
    let (mut one, mut two) = (field.wait(Kind::Join), field.wait(Kind::Join));
    step(&leader, false);
    assert!(poll(&mut one, &wakes).is_pending() && poll(&mut two, &wakes).is_pending());
    field.manual.advance(LEASE * 5);
    let Poll::Ready(Outcome::Beside(waiter)) = poll(&mut one, &wakes) else { panic!("it computes beside it") };
    assert!(leader.flight().is_awaited() && told.deserted.load(Ordering::SeqCst) == 0);
    waiter.flight().land_beside(|| computed(2));
    assert!(!leader.flight().is_awaited() && told.deserted.load(Ordering::SeqCst) == 1);
}

#[test]
fn a_future_in_its_callers_that_asks_and_is_not_polled_is_overtaken_after_a_lease() {
    let (field, wakes) = (Field::new(), Arc::default());
    let leader = field.lead_in_place();
    step(&leader, true);
    let mut waiting = field.wait(Kind::Join);
    assert!(poll(&mut waiting, &wakes).is_pending());
    field.manual.advance(LEASE - Duration::from_nanos(1));
    assert_eq!(wakes.count(), 0);
    field.manual.advance(Duration::from_nanos(1));
    assert!(matches!(poll(&mut waiting, &wakes), Poll::Ready(Outcome::StartOver)) && leader.is_overtaken());
}

#[test]
fn a_computation_that_asks_and_is_not_polled_moves_after_its_grace() {
    // Whether it asks before somebody waits, or afterwards.
    for asks_first in [true, false] {
        let field = Field::new();
        let (leader, told) = field.lead_owned();
        step(&leader, asks_first);
        let _waiting = field.wait(Kind::Join);
        if !asks_first {
            step(&leader, true);
        }
        field.manual.advance(GRACE - Duration::from_nanos(1));
        assert_eq!(told.moves(), 0);
        field.manual.advance(Duration::from_nanos(1));
        assert_eq!(told.moves(), 1);
    }
}

#[test]
fn nobody_moves_what_nobody_waits_for_or_what_does_not_ask() {
    let field = Field::new();
    let (leader, told) = field.lead_owned();
    step(&leader, true);
    field.manual.advance(LEASE);
    assert_eq!(told.moves(), 0, "nobody waits");
    step(&leader, false);
    let _waiting = field.wait(Kind::Join);
    field.manual.advance(LEASE);
    assert_eq!(told.moves(), 0, "it waits for something");
}

#[test]
fn a_computation_whose_caller_was_late_once_has_its_grace_again() {
    let field = Field::new();
    let (leader, told) = field.lead_owned();
    let _waiting = field.wait(Kind::Join);
    step(&leader, true);
    field.manual.advance(GRACE / 2);
    step(&leader, true);
    field.manual.advance(GRACE / 2);
    assert_eq!(told.moves(), 0, "it was polled half its grace ago");
    field.manual.advance(GRACE / 2);
    assert_eq!(told.moves(), 1);
}

#[test]
fn a_computation_that_asks_in_the_midst_of_a_long_poll_has_its_grace_from_the_end_of_that() {
    let field = Field::new();
    let (leader, told) = field.lead_owned();
    let mut waiting = None;
    let step = leader.flight().step(&Context::from_waker(Waker::noop()), |cx| {
        cx.waker().wake_by_ref();
        waiting = std::thread::scope(|scope| scope.spawn(|| Some(field.wait(Kind::Join))).join().unwrap());
        field.manual.advance(GRACE * 3);
        assert_eq!(told.moves(), 0, "it is being polled");
        Poll::<()>::Pending
    });
    assert!(step.is_pending() && told.moves() == 0);
    field.manual.advance(GRACE);
    assert_eq!(told.moves(), 1);
}

#[test]
fn a_refresh_behind_a_computation_that_is_not_polled_moves_it_too() {
    let (field, wakes) = (Field::new(), Arc::default());
    let (leader, told) = field.lead_owned();
    let mut refresh = field.wait(Kind::Next);
    assert!(poll(&mut refresh, &wakes).is_pending());
    step(&leader, true);
    field.manual.advance(GRACE);
    assert_eq!(told.moves(), 1);
}

#[test]
fn a_computation_that_the_background_does_not_poll_is_overtaken_a_lease_after_it_moved() {
    // Whether it asked to be polled, or its caller was dropped while it waited.
    for asks in [true, false] {
        let (field, wakes) = (Field::new(), Arc::default());
        let (leader, told) = field.lead_owned();
        let mut waiting = field.wait(Kind::Join);
        assert!(poll(&mut waiting, &wakes).is_pending());
        step(&leader, asks);
        field.manual.advance(GRACE);
        assert_eq!(told.moves(), usize::from(asks));
        leader.flight().moved();
        field.manual.advance(LEASE - Duration::from_nanos(1));
        assert!(!leader.is_overtaken(), "the background has as much time as anybody");
        field.manual.advance(Duration::from_nanos(1));
        assert!(leader.is_overtaken(), "nobody drives it");
        assert!(matches!(poll(&mut waiting, &wakes), Poll::Ready(Outcome::StartOver)));
    }
}
