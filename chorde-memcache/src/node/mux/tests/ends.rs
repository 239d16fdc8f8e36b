//! How connections end, and who hears of it.

use super::*;

#[tokio::test]
async fn a_connection_that_the_server_closes_while_idle_is_known_to_be_closed() {
    let (mux, peer) = Peer::greeted().await;
    drop(peer);
    closed(&mux).await;
    let failure = mux.ask(&[get("a")], DEADLINE).unwrap_err();
    assert!(matches!(failure, Failure::Closed { unsent: true, .. }), "{failure:?}");
}

#[tokio::test]
async fn a_connection_cut_in_the_middle_of_a_reply_fails_all_but_what_was_answered() {
    let (mux, mut peer) = Peer::greeted().await;
    let pending = (ask(&mux, "a"), ask(&mux, "b"), ask(&mux, "c"));
    let (a, b) = (peer.opaque().await, peer.opaque().await);
    peer.say([said(b"whole", &a), said(b"cut", &b)[..9].to_vec()].concat()).await;
    drop(peer);
    assert_eq!(only(pending.0.await), item(b"whole"));
    for failed in [pending.1.await, pending.2.await] {
        assert!(matches!(failed, Err(Failure::Closed { unsent: false, .. })), "{failed:?}");
    }
}

#[tokio::test]
async fn what_was_not_sent_is_told_apart_from_what_was() {
    let (mux, mut peer) = Peer::new(64, Limits::default(), ManualClock::new());
    peer.greet().await;
    let commands = vec![get("first"); 20];
    let sent = mux.ask(&commands, DEADLINE).unwrap();
    let unsent = (ask(&mux, "second"), ask(&mux, "third"));
    assert!(peer.line().await.starts_with("mg first"));
    let too_late = ask(&mux, "fourth");
    drop(peer);
    assert!(matches!(sent.await, Err(Failure::Closed { unsent: false, .. })));
    for failed in [unsent.0.await, unsent.1.await, too_late.await] {
        assert!(matches!(failed, Err(Failure::Closed { unsent: true, .. })), "{failed:?}");
    }
}

#[test]
fn callers_elsewhere_hear_that_the_runtime_of_the_connection_is_gone() {
    let here = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for answered in [false, true] {
        let there = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (near, far) = tokio::io::duplex(1000);
        let mux = Mux::over(there.handle(), async { Ok(near) }, Limits::default(), ManualClock::new().into());
        let mut peer = Peer { stream: far, input: Vec::new() };
        if answered {
            there.block_on(peer.greet());
        }
        let pending = ask(&mux, "a");
        if answered {
            there.block_on(peer.opaque());
        }
        drop(there);
        let failure = here.block_on(pending).unwrap_err();
        assert!(matches!(failure, Failure::Closed { unsent, .. } if unsent != answered), "{failure:?}");
        assert!(mux.is_closed());
    }
}

#[test]
fn a_connection_on_a_runtime_that_is_shut_down_is_closed_from_the_start() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let handle = runtime.handle().clone();
    drop(runtime);
    let address = Address::Tcp(([127, 0, 0, 1], 1).into());
    let mux = Mux::spawn(&handle, address.into(), Limits::default(), Clock::system());
    assert!(mux.is_closed());
    assert!(matches!(mux.ask(&[get("a")], DEADLINE), Err(Failure::Closed { unsent: true, .. })));
}

#[tokio::test]
async fn the_task_ends_when_nobody_holds_the_connection_and_all_is_answered() {
    let (mux, mut peer) = Peer::greeted().await;
    let pending = ask(&mux, "a");
    let opaque = peer.opaque().await;
    drop(mux);
    tokio::task::yield_now().await;
    peer.say(said(b"a", &opaque)).await;
    assert_eq!(only(pending.await), item(b"a"));
    assert_eq!(peer.line().await, "", "the end of the connection");

    let (mux, mut peer) = Peer::greeted().await;
    drop(mux);
    assert_eq!(peer.line().await, "");

    let (mux, mut peer) = Peer::new(1000, Limits::default(), ManualClock::new());
    assert_eq!(peer.line().await, "version");
    drop(mux);
    assert_eq!(peer.line().await, "", "also while it is greeted");
}

#[tokio::test]
async fn an_answer_is_handed_out_once() {
    let (mux, mut peer) = Peer::greeted().await;
    let mut pending = ask(&mux, "a");
    let opaque = peer.opaque().await;
    peer.say(said(b"a", &opaque)).await;
    assert_eq!(only((&mut pending).await), item(b"a"));
    assert!(matches!(pending.await, Err(Failure::Closed { .. })));
}
