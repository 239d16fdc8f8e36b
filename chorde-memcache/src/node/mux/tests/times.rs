//! Deadlines, by a clock that stands still.

use super::*;

const MS: Duration = Duration::from_millis(1);

#[tokio::test]
async fn a_server_that_never_answers_is_given_up() {
    let clock = ManualClock::new();
    let (mux, mut peer) = Peer::new(1000, Limits::default(), clock.clone());
    peer.greet().await;
    let pending = (ask(&mux, "a"), mux.ask(&[get("b")], DEADLINE * 9).unwrap());
    peer.opaque().await;
    clock.advance(DEADLINE - MS);
    tokio::task::yield_now().await;
    assert!(!mux.is_closed());
    clock.advance(MS);
    assert_eq!(pending.0.await, Err(Failure::Timeout));
    assert_eq!(pending.1.await, Err(Failure::Timeout), "what comes after a reply that is late is later still");
    assert!(mux.is_closed());
}

#[tokio::test]
async fn a_server_that_does_not_read_is_given_up_and_what_it_cannot_have_seen_is_unsent() {
    let clock = ManualClock::new();
    let (mux, mut peer) = Peer::new(100, Limits::default(), clock.clone());
    peer.greet().await;
    let large = mux.ask(&[put("a", vec![b'x'; 1000])], DEADLINE).unwrap();
    while peer.stream.read_u8().await.unwrap() != b'x' {}
    let same_time = ask(&mux, "b");
    let later = mux.ask(&[get("c")], DEADLINE * 2).unwrap();
    clock.advance(DEADLINE);
    assert_eq!(large.await, Err(Failure::Timeout));
    assert_eq!(same_time.await, Err(Failure::Timeout));
    assert!(matches!(later.await, Err(Failure::Closed { unsent: true, .. })));
    assert!(mux.is_closed());
}

#[tokio::test]
async fn a_batch_in_a_hurry_does_not_wait_for_those_before_it_nor_harm_them() {
    let clock = ManualClock::new();
    let (mux, mut peer) = Peer::new(1000, Limits::default(), clock.clone());
    peer.greet().await;
    let patient = ask(&mux, "a");
    let (a, hasty) = (peer.opaque().await, mux.ask(&[get("b")], MS).unwrap());
    let b = peer.opaque().await;
    clock.advance(MS);
    assert_eq!(hasty.await, Err(Failure::Timeout));
    peer.say(format!("EN O{a}\r\nEN O{b}\r\n")).await;
    assert_eq!(only(patient.await), Reply::Missing);
    let next = ask(&mux, "c");
    let opaque = peer.opaque().await;
    peer.say(said(b"c", &opaque)).await;
    assert_eq!(only(next.await), item(b"c"));
}

#[tokio::test]
async fn the_alarm_of_an_answered_batch_disturbs_nobody() {
    let clock = ManualClock::new();
    let (mux, mut peer) = Peer::new(1000, Limits::default(), clock.clone());
    peer.greet().await;
    for _ in 0..5 {
        let pending = ask(&mux, "a");
        let opaque = peer.opaque().await;
        clock.advance(DEADLINE - MS);
        peer.say(format!("EN O{opaque}\r\n")).await;
        assert_eq!(only(pending.await), Reply::Missing);
    }
    let late = ask(&mux, "b");
    peer.opaque().await;
    clock.advance(DEADLINE);
    assert_eq!(late.await, Err(Failure::Timeout));
}

#[tokio::test]
async fn while_the_connection_is_made_each_waits_as_long_as_it_wants_and_all_fail_when_that_takes_too_long() {
    let clock = ManualClock::new();
    let connect = std::future::pending::<Result<DuplexStream, Failure>>();
    let mux = Mux::over(&Handle::current(), connect, Limits::default(), clock.clone().into());
    let (long, short) = (mux.ask(&[get("a")], DEADLINE * 9).unwrap(), ask(&mux, "b"));
    tokio::task::yield_now().await;
    let shorter = mux.ask(&[get("c")], MS).unwrap();
    clock.advance(MS);
    assert_eq!(shorter.await, Err(Failure::Timeout));
    clock.advance(DEADLINE - MS);
    assert_eq!(short.await, Err(Failure::Timeout));
    assert!(!mux.is_closed());
    clock.advance(Limits::default().dial - DEADLINE);
    assert!(matches!(long.await, Err(Failure::Refused(_))));
    assert!(matches!(mux.ask(&[get("d")], DEADLINE), Err(Failure::Refused(_))));
}

#[tokio::test]
async fn what_waited_too_long_for_the_connection_is_not_sent_and_takes_no_room() {
    let clock = ManualClock::new();
    let limits = Limits { waiting: 1, ..Limits::default() };
    let (mux, mut peer) = Peer::new(1000, limits, clock.clone());
    let late = ask(&mux, "late");
    assert_eq!(peer.line().await, "version");
    clock.advance(DEADLINE);
    assert_eq!(late.await, Err(Failure::Timeout));
    let kept = ask(&mux, "kept");
    peer.say("VERSION 1.6.18\r\n").await;
    let line = peer.line().await;
    assert!(line.starts_with("mg kept "), "{line}");
    drop(kept);
}

#[tokio::test]
async fn a_deadline_may_be_as_long_as_it_likes() {
    let (mux, mut peer) = Peer::greeted().await;
    let pending = mux.ask(&[get("a")], Duration::MAX).unwrap();
    let opaque = peer.opaque().await;
    peer.say(format!("EN O{opaque}\r\n")).await;
    assert_eq!(only(pending.await), Reply::Missing);
}
