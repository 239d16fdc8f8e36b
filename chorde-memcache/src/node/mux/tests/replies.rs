//! Who gets which reply, and what is done about replies that nobody can want.

use super::*;

#[tokio::test]
async fn each_caller_gets_the_reply_to_its_own_commands() {
    let (mux, mut peer) = Peer::greeted().await;
    let first = ask(&mux, "a");
    let both = mux.ask(&[get("b"), put("c", "value"), Command::Head { key: b"d" }], DEADLINE).unwrap();
    let (a, b) = (peer.opaque().await, peer.opaque().await);
    let c = peer.opaque().await;
    assert_eq!(peer.line().await, "value");
    let d = peer.opaque().await;
    peer.say([said(b"first", &a), said(b"second", &b), format!("HD O{c}\r\nEN O{d}\r\n").into_bytes()].concat()).await;
    assert_eq!(only(first.await), item(b"first"));
    assert_eq!(both.await.unwrap()[..], [item(b"second"), Reply::Done, Reply::Missing]);
}

#[tokio::test]
async fn an_empty_batch_has_no_replies() {
    let (mux, _peer) = Peer::greeted().await;
    assert!(mux.ask(&[], DEADLINE).unwrap().await.unwrap().is_empty());
}

#[tokio::test]
async fn the_connection_can_be_used_after_callers_were_dropped_at_any_point() {
    let (mux, mut peer) = Peer::greeted().await;
    for stage in 0..4 {
        let mut dropped = ask(&mux, "dropped");
        if stage == 0 {
            drop(dropped);
            let kept = ask(&mux, "kept");
            let line = peer.line().await;
            assert!(line.starts_with("mg kept "), "what nobody waits for is not sent: {line}");
            peer.say(said(b"kept", line.rsplit_once(" O").unwrap().1)).await;
            assert_eq!(only(kept.await), item(b"kept"));
            continue;
        }
        let opaque = peer.opaque().await;
        if stage == 1 {
            drop(dropped);
            peer.say(said(b"dropped", &opaque)).await;
        } else {
            let reply = said(b"dropped", &opaque);
            let cut = if stage == 2 { 5 } else { reply.len() - 4 };
            peer.say(&reply[..cut]).await;
            tokio::task::yield_now().await;
            assert!(Pin::new(&mut dropped).poll(&mut Context::from_waker(std::task::Waker::noop())).is_pending());
            drop(dropped);
            peer.say(&reply[cut..]).await;
        }
        let kept = ask(&mux, "kept");
        let opaque = peer.opaque().await;
        peer.say(said(b"kept", &opaque)).await;
        assert_eq!(only(kept.await), item(b"kept"));
    }
}

#[tokio::test]
async fn a_reply_that_comes_byte_by_byte_is_a_reply() {
    let (mux, mut peer) = Peer::greeted().await;
    let pending = ask(&mux, "k");
    let opaque = peer.opaque().await;
    for byte in said(b"a\r\nb", &opaque) {
        peer.say([byte]).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(only(pending.await), item(b"a\r\nb"));
}

#[tokio::test]
async fn what_is_no_reply_to_the_front_of_the_line_ends_the_connection() {
    let long = format!("{}\r\n", "x".repeat(3000));
    let cases: [(&str, &str); 12] = [
        ("VA 1 f0 c1 t1 Offff\r\nx\r\n", "another command"),
        ("VA 1 f0 c1 t1\r\nx\r\n", "without the number"),
        ("HD f0 c1 t1 s1 O0\r\n", "does not fit"),
        ("NF O0\r\n", "does not fit"),
        ("garbage\r\n", "does not give"),
        ("\0\0\0\0\r\n", "does not give"),
        (&long, "without an end"),
        ("VA 67108865 f0 c1 t1 O0\r\n", "limit"),
        ("VA -1 f0 c1 t1 O0\r\n", "no number"),
        ("VA 1 f0 c1 t1 O0\r\nxyz", "longer"),
        ("EN O0\n", "CR LF"),
        ("EN O0 O0\r\n", "twice"),
    ];
    for (reply, why) in cases {
        let (mux, mut peer) = Peer::greeted().await;
        let pending = (ask(&mux, "a"), ask(&mux, "b"));
        peer.opaque().await;
        peer.opaque().await;
        peer.say(reply).await;
        assert_protocol(pending.0.await, why);
        assert_protocol(pending.1.await, why);
        assert!(mux.is_closed());
        assert!(matches!(mux.ask(&[get("c")], DEADLINE), Err(Failure::Closed { unsent: true, .. })));
        assert_eq!(peer.line().await, "", "the connection is closed");
    }
}

#[tokio::test]
async fn a_reply_to_nothing_ends_the_connection() {
    let (mux, mut peer) = Peer::greeted().await;
    let pending = ask(&mux, "a");
    let opaque = peer.opaque().await;
    peer.say(format!("EN O{opaque}\r\nEN O{opaque}\r\n")).await;
    assert_eq!(only(pending.await), Reply::Missing);
    closed(&mux).await;
}

#[tokio::test]
async fn a_rejected_command_fails_its_batch_alone() {
    let (mux, mut peer) = Peer::greeted().await;
    let batch = mux.ask(&[get("a"), get("b")], DEADLINE).unwrap();
    let next = ask(&mux, "c");
    let opaques = [peer.opaque().await, peer.opaque().await, peer.opaque().await];
    peer.say(format!("SERVER_ERROR out of order\r\nEN O{}\r\nEN O{}\r\n", opaques[1], opaques[2])).await;
    assert_protocol(batch.await, "out of order");
    assert_eq!(only(next.await), Reply::Missing);
    assert!(!mux.is_closed());
}

#[tokio::test]
async fn a_rejected_command_with_data_ends_the_connection() {
    let (mux, mut peer) = Peer::greeted().await;
    let pending = mux.ask(&[put("a", "data")], DEADLINE).unwrap();
    peer.opaque().await;
    peer.say("CLIENT_ERROR bad data chunk\r\n").await;
    assert_protocol(pending.await, "bad data chunk");
    assert!(mux.is_closed());
}

#[tokio::test]
async fn more_than_the_limits_is_refused_at_once() {
    let limits = Limits { waiting: 2, queued: 1000, ..Limits::default() };
    let (mux, mut peer) = Peer::new(64 * 1024, limits, ManualClock::new());
    peer.greet().await;
    assert_eq!(mux.ask(&[put("k", vec![0; 1000])], DEADLINE).unwrap_err(), Failure::Overloaded);
    for _ in 0..3 {
        let pending = mux.ask(&[get("a"), get("b")], DEADLINE).unwrap();
        assert_eq!(mux.ask(&[get("c")], DEADLINE).unwrap_err(), Failure::Overloaded);
        for _ in 0..2 {
            let opaque = peer.opaque().await;
            peer.say(format!("EN O{opaque}\r\n")).await;
        }
        assert_eq!(pending.await.unwrap()[..], [Reply::Missing, Reply::Missing]);
    }
}

#[tokio::test]
async fn keys_that_would_break_the_protocol_are_refused() {
    let (mux, _peer) = Peer::greeted().await;
    assert!(matches!(mux.ask(&[get("a"), get("b\r\nflush_all")], DEADLINE), Err(Failure::Protocol(_))));
}

#[tokio::test]
async fn a_peer_that_answers_before_it_reads_on_is_read_from_while_there_is_more_to_write() {
    let (mux, mut peer) = Peer::new(256, Limits::default(), ManualClock::new());
    peer.greet().await;
    let keys: Vec<_> = (0..500).map(|index| format!("key:{index:020}")).collect();
    let commands: Vec<_> = keys.iter().map(|key| get(key)).collect();
    let pending = mux.ask(&commands, DEADLINE).unwrap();
    let answering = async {
        for _ in &keys {
            let opaque = peer.opaque().await;
            peer.say(said(&[b'v'; 300], &opaque)).await;
        }
    };
    let (replies, ()) = tokio::join!(pending, answering);
    assert!(replies.unwrap().iter().all(|reply| *reply == item(&[b'v'; 300])));
}

#[tokio::test]
async fn large_data_arrives_whole_between_small_commands() {
    let (mux, mut peer) = Peer::new(1000, Limits::default(), ManualClock::new());
    peer.greet().await;
    let data = [b'x'; 100_000];
    let commands = [get("a"), put("b", data.to_vec()), put("c", "small"), put("d", data.to_vec()), get("e")];
    let pending = mux.ask(&commands, DEADLINE).unwrap();
    let answering = async {
        for command in &commands {
            let opaque = peer.opaque().await;
            if let Command::Store { data, .. } = command {
                assert!(peer.line().await.as_bytes() == data);
                peer.say(format!("HD O{opaque}\r\n")).await;
            } else {
                peer.say(said(&data, &opaque)).await;
            }
        }
    };
    let (replies, ()) = tokio::join!(pending, answering);
    assert_eq!(replies.unwrap()[..], [item(&data), Reply::Done, Reply::Done, Reply::Done, item(&data)]);
}
