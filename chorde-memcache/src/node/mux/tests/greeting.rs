//! What is found at the other end.

use tokio::net::TcpListener;

use super::*;

/// Connects to a peer that says this; returns how the commands left meanwhile fail.
async fn failure(says: &[u8]) -> Failure {
    let (mux, mut peer) = Peer::new(4000, Limits::default(), ManualClock::new());
    let pending = (ask(&mux, "a"), ask(&mux, "b"));
    assert_eq!(peer.line().await, "version");
    peer.say(says).await;
    drop(peer);
    let failure = pending.0.await.unwrap_err();
    assert_eq!(pending.1.await.unwrap_err(), failure);
    assert_eq!(mux.ask(&[get("c")], DEADLINE).unwrap_err(), failure);
    failure
}

#[tokio::test]
async fn whatever_is_no_memcached_is_called_what_it_looks_like() {
    let cases: [(&[u8], &str); 9] = [
        (b"\x15\x03\x01\x00\x02\x02\x46", "TLS"),
        (b"HTTP/1.1 400 Bad Request\r\n", "HTTP"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "SSH"),
        (b"-ERR unknown command 'version'\r\n", "Redis"),
        (b"220 mail ESMTP\r\n", "mail"),
        (b"", "without a word"),
        (b"CLIENT_ERROR unauthenticated\r\n", "password"),
        (b"SERVER_ERROR no backend here\r\n", "no backend here"),
        (b"VERSION 1.6.18\r\nEN\r\n", "more than the version"),
    ];
    for (says, like) in cases {
        let failure = failure(says).await;
        assert!(matches!(&failure, Failure::Protocol(said) if said.contains(like)), "{failure:?} for {like}");
    }
    let endless = failure(&[b'x'; 3000]).await;
    assert!(matches!(endless, Failure::Protocol(_)));
}

#[tokio::test]
async fn versions_before_the_meta_commands_are_told_apart() {
    for old in ["1.4.25", "1.5.22", "1.6.17", "1", "0.9.9", "twemproxy-0.5.0"] {
        assert_eq!(failure(format!("VERSION {old}\r\n").as_bytes()).await, Failure::NoMeta(old.into()));
    }
    assert!(matches!(failure(b"ERROR\r\n").await, Failure::NoMeta(_)));
    for new in ["1.6.18", "1.6.22-amzn", "1.6.18_3_gdeadbeef", "1.7", "1.10.0", "2"] {
        let (mux, mut peer) = Peer::new(4000, Limits::default(), ManualClock::new());
        let pending = ask(&mux, "a");
        assert_eq!(peer.line().await, "version");
        peer.say(format!("VERSION {new}\r\n")).await;
        let opaque = peer.opaque().await;
        peer.say(format!("EN O{opaque}\r\n")).await;
        assert_eq!(only(pending.await), Reply::Missing);
    }
}

#[tokio::test]
async fn a_server_without_room_for_more_connections_says_so() {
    assert_eq!(failure(b"ERROR Too many open connections\r\n").await, Failure::TooManyConnections);
}

#[tokio::test]
async fn nobody_listening_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = Address::Tcp(listener.local_addr().unwrap());
    drop(listener);
    for address in [address, Address::Unix("/nonexistent/socket".into())] {
        let mux = Mux::spawn(&Handle::current(), address.into(), Limits::default(), Clock::system());
        let pending = ask(&mux, "a");
        assert!(matches!(pending.await, Err(Failure::Refused(_))));
        assert!(mux.is_closed());
    }
}

#[tokio::test]
async fn a_thousand_callers_share_the_one_connection_that_is_being_made() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = Address::Tcp(listener.local_addr().unwrap());
    let mux = Mux::spawn(&Handle::current(), address.into(), Limits::default(), Clock::system());
    let keys: Vec<_> = (0..1000).map(|index| format!("key{index}")).collect();
    let pending: Vec<_> = keys.iter().map(|key| mux.ask(&[get(key)], Duration::from_secs(60)).unwrap()).collect();
    let (mut stream, _) = listener.accept().await.unwrap();
    let (near, far) = tokio::io::duplex(1000);
    let mut peer = Peer { stream: far, input: Vec::new() };
    tokio::spawn(async move {
        let mut near = near;
        tokio::io::copy_bidirectional(&mut near, &mut stream).await.ok();
    });
    peer.greet().await;
    for _ in &keys {
        let opaque = peer.opaque().await;
        peer.say(said(opaque.as_bytes(), &opaque)).await;
    }
    for (index, pending) in pending.into_iter().enumerate() {
        assert_eq!(only(pending.await), item(format!("{index:x}").as_bytes()));
    }
}
