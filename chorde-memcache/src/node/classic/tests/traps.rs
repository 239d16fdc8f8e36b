//! What a server does that is no good memcached, or a caller who goes away.

use std::sync::Arc;

use chorde_core::{Clock, ManualClock};
use tokio::task::JoinHandle;

use super::fake::{Fake, Peer};
use super::*;
use crate::node::classic::Limits;

/// The prefix of an item that ends a hundred seconds after the fake's time.
const PREFIX: &[u8; 8] = b"\x65\x53\xf1\x64\0\0\0\0";

fn spawn(classic: &Arc<Classic>, command: Command<'static>) -> JoinHandle<Result<Reply, Failure>> {
    let classic = classic.clone();
    tokio::spawn(async move { ask(&classic, command).await })
}

async fn fake() -> (Fake, Arc<Classic>) {
    let fake = Fake::start().await;
    let classic = Arc::new(fake.client(Clock::system(), Limits::default()));
    (fake, classic)
}

/// Answers with an item of three bytes.
async fn give(peer: &mut Peer, key: &str, data: &str) {
    let head = format!("VALUE {key} 0 11 77\r\n");
    peer.say(&[head.as_bytes(), PREFIX, data.as_bytes(), b"\r\nEND\r\n"].concat()).await;
}

fn is_data(reply: Result<Reply, Failure>, data: &str) -> bool {
    matches!(reply, Ok(Reply::Item(item)) if item.data == data && item.cas == 77 && item.left.is_some_and(|left| left <= 100))
}

/// Waits until so many connections are idle.
async fn idle(classic: &Classic, count: usize) {
    while classic.pool.idle.lock().unwrap().len() < count {
        tokio::task::yield_now().await;
    }
}

/// Waits until what the other side of the idle connection did has come here.
async fn noticed(classic: &Classic) {
    while classic.pool.idle.lock().unwrap()[0].1.is_quiet() {
        tokio::task::yield_now().await;
    }
}

/// Checks that the connection was closed, and that the next question is asked on another one and answered.
async fn heals(fake: &Fake, classic: &Arc<Classic>, spoilt: Peer) {
    spoilt.rest().await;
    replaced(fake, classic).await;
}

/// Checks that the next question is asked on another connection and answered.
async fn replaced(fake: &Fake, classic: &Arc<Classic>) {
    let asked = spawn(classic, get(b"next"));
    let mut peer = fake.greet().await;
    peer.hear("gets next\r\n").await;
    give(&mut peer, "next", "abc").await;
    assert!(is_data(asked.await.unwrap(), "abc"));
}

#[tokio::test]
async fn a_caller_who_is_dropped_leaves_no_answer_for_the_next() {
    let (fake, classic) = fake().await;
    let dropped = spawn(&classic, get(b"one"));
    let mut peer = fake.greet().await;
    peer.hear("gets one\r\n").await;
    dropped.abort();
    assert!(dropped.await.unwrap_err().is_cancelled());
    peer.say(b"VALUE one 0 11 77\r\n").await;
    // The first connection is still busy.
    let asked = spawn(&classic, get(b"two"));
    let mut other = fake.greet().await;
    other.hear("gets two\r\n").await;
    give(&mut other, "two", "222").await;
    assert!(is_data(asked.await.unwrap(), "222"));
    // Its answer belongs to nobody: it is read to its end, and the connection is used again.
    peer.say(&[&PREFIX[..], b"111\r\nEND\r\n"].concat()).await;
    idle(&classic, 2).await;
    let asked = spawn(&classic, get(b"three"));
    peer.hear("gets three\r\n").await;
    give(&mut peer, "three", "333").await;
    assert!(is_data(asked.await.unwrap(), "333"));
}

#[tokio::test]
async fn what_a_dropped_caller_wins_is_given_back() {
    let (fake, classic) = fake().await;
    let dropped = spawn(&classic, claim(b"k"));
    let mut peer = fake.greet().await;
    peer.hear("gets k\r\n").await;
    peer.say(b"END\r\n").await;
    peer.hear("add k 0 50 8\r\n").await;
    let stub = peer.hear_some(8).await;
    peer.hear("\r\n").await;
    dropped.abort();
    assert!(dropped.await.unwrap_err().is_cancelled());
    peer.say(b"STORED\r\n").await;
    peer.hear("gets k\r\n").await;
    peer.say(&[b"VALUE k 0 8 5\r\n", &stub[..], b"\r\nEND\r\n"].concat()).await;
    peer.hear("cas k 0 2592001 0 5\r\n\r\n").await;
    peer.say(b"STORED\r\n").await;
    idle(&classic, 1).await;

    let won = Command::Claim { key: b"k", lease: 50, refresh: 1000 };
    let dropped = spawn(&classic, won);
    peer.hear("gets k\r\n").await;
    give(&mut peer, "k", "old").await;
    peer.hear("add k~ 0 50 1\r\n1\r\n").await;
    dropped.abort();
    assert!(dropped.await.unwrap_err().is_cancelled());
    peer.say(b"STORED\r\n").await;
    peer.hear("gets k\r\n").await;
    give(&mut peer, "k", "old").await;
    peer.hear("delete k~ noreply\r\n").await;
}

#[tokio::test]
async fn a_caller_who_is_dropped_in_the_queue_asks_nothing() {
    let fake = Fake::start().await;
    let limits = Limits { connections: 1, waiting: 1, ..Limits::default() };
    let classic = Arc::new(fake.client(Clock::system(), limits));
    let first = spawn(&classic, get(b"one"));
    let mut peer = fake.greet().await;
    peer.hear("gets one\r\n").await;
    let dropped = spawn(&classic, get(b"two"));
    while classic.pool.asked.load(std::sync::atomic::Ordering::Relaxed) < 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(ask(&classic, get(b"three")).await, Err(Failure::Overloaded));
    dropped.abort();
    assert!(dropped.await.unwrap_err().is_cancelled());
    give(&mut peer, "one", "111").await;
    assert!(is_data(first.await.unwrap(), "111"));
    let asked = spawn(&classic, get(b"four"));
    peer.hear("gets four\r\n").await;
    give(&mut peer, "four", "444").await;
    assert!(is_data(asked.await.unwrap(), "444"));
}

#[tokio::test]
async fn a_connection_that_was_closed_or_spoken_on_while_idle_is_replaced() {
    let (fake, classic) = fake().await;
    for spoken in [&b""[..], b"END\r\n"] {
        let asked = spawn(&classic, get(b"one"));
        let mut peer = fake.greet().await;
        peer.hear("gets one\r\n").await;
        give(&mut peer, "one", "111").await;
        assert!(is_data(asked.await.unwrap(), "111"));
        // Dropping it closes it.
        let peer = if spoken.is_empty() {
            drop(peer);
            None
        } else {
            peer.say(spoken).await;
            Some(peer)
        };
        noticed(&classic).await;
        replaced(&fake, &classic).await;
        if let Some(peer) = peer {
            peer.rest().await;
        }
        classic.pool.idle.lock().unwrap().clear();
    }
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up_at_the_deadline() {
    let fake = Fake::start().await;
    let manual = ManualClock::new();
    let classic = Arc::new(fake.client(Clock::from(manual.clone()), Limits::default()));
    // While it is greeted.
    let asked = spawn(&classic, get(b"one"));
    let mut peer = fake.accept().await;
    peer.hear("version\r\nstats\r\n").await;
    manual.advance(PATIENCE);
    assert_eq!(asked.await.unwrap(), Err(Failure::Timeout));
    assert_eq!(peer.rest().await, "");
    // While it is asked.
    let asked = spawn(&classic, get(b"one"));
    let mut peer = fake.greet().await;
    peer.hear("gets one\r\n").await;
    peer.say(b"VALUE one 0 11 77\r\n").await;
    manual.advance(PATIENCE);
    assert_eq!(asked.await.unwrap(), Err(Failure::Timeout));
    heals(&fake, &classic, peer).await;
}

#[tokio::test]
async fn an_answer_that_is_cut_is_no_answer() {
    let (fake, classic) = fake().await;
    let whole = [b"VALUE one 0 11 77\r\n", &PREFIX[..], b"111\r\nEND\r\n"].concat();
    for length in 0..whole.len() {
        let asked = spawn(&classic, get(b"one"));
        let mut peer = fake.greet().await;
        peer.hear("gets one\r\n").await;
        peer.say(&whole[..length]).await;
        drop(peer);
        let failure = asked.await.unwrap();
        assert!(matches!(failure, Err(Failure::Closed { unsent: false, .. })), "{length}: {failure:?}");
    }
}

#[tokio::test]
async fn answers_that_do_not_fit_spoil_the_connection_and_nothing_else() {
    let (fake, classic) = fake().await;
    let endless = vec![b'x'; 5000];
    for answer in [
        &b"VALUE one 0 99999999999 77\r\n"[..],
        b"VALUE one 0 8388609 77\r\n",
        b"VALUE one 0 18446744073709551615 77\r\n",
        b"VALUE one 0 -1 77\r\n",
        b"VALUE two 0 3 77\r\nabc\r\nEND\r\n",
        b"VALUE one 0 3\r\nabc\r\nEND\r\n",
        b"VALUE one 0 3 77\r\nabcd\r\nEND\r\n",
        b"VALUE one 0 3 77\r\nabc\r\nVALUE two 0 3 77\r\nabc\r\nEND\r\n",
        b"VALUE one 0 3 77\nabc\nEND\n",
        b"END\r\nEND\r\n",
        b"END\r\n\0",
        b"ERROR\r\n",
        b"CLIENT_ERROR no\r\n",
        b"SERVER_ERROR busy\r\n",
        b"STORED\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"\xff\xfe\r\n",
        b"\r\n",
        &endless,
    ] {
        let asked = spawn(&classic, get(b"one"));
        let mut peer = fake.greet().await;
        peer.hear("gets one\r\n").await;
        peer.say(answer).await;
        let failure = asked.await.unwrap();
        assert!(matches!(failure, Err(Failure::Protocol(_))), "{}: {failure:?}", answer.escape_ascii());
        heals(&fake, &classic, peer).await;
        classic.pool.idle.lock().unwrap().clear();
    }
}

#[tokio::test]
async fn answers_to_other_commands_are_not_taken_for_success() {
    let (fake, classic) = fake().await;
    for answer in [&b"NOT_FOUND\r\n"[..], b"OK\r\n", b"ERROR\r\n", b"END\r\n", b"SERVER_ERROR proxy: no backend\r\n"] {
        let asked = spawn(&classic, Command::PutNumber { key: b"n", number: 12 });
        let mut peer = fake.greet().await;
        peer.hear("add n 0 0 2\r\n12\r\n").await;
        peer.say(answer).await;
        assert!(matches!(asked.await.unwrap(), Err(Failure::Protocol(_))));
        peer.rest().await;
    }
}

#[tokio::test]
async fn storing_is_done_when_the_server_shows_that_it_has_the_item() {
    let fake = Fake::start().await;
    let classic = Arc::new(fake.client(Clock::from(ManualClock::new()), Limits::default()));
    let asked = spawn(&classic, store(b"k", b"abc", How::Set));
    let mut peer = fake.greet().await;
    peer.hear("set k 0 100 11 noreply\r\n").await;
    let rest = &b"abc\r\ndelete k~ noreply\r\nincr k 0\r\n"[..];
    peer.hear_bytes(&[b"eS\xf1\x64\0\0\0\x07", rest].concat()).await;
    assert!(!asked.is_finished());
    peer.say(b"CLIENT_ERROR cannot increment or decrement non-numeric value\r\n").await;
    assert_eq!(asked.await.unwrap(), Ok(Reply::Done));
}

#[tokio::test]
async fn the_right_to_refresh_what_was_replaced_is_gone_before_that_is_told() {
    let fake = Fake::start().await;
    let classic = Arc::new(fake.client(Clock::from(ManualClock::new()), Limits::default()));
    let mut peer = None;
    for (how, line) in [(How::Add, "add k 0 100 11\r\n"), (How::Cas(5), "cas k 0 100 11 5\r\n")] {
        let asked = spawn(&classic, store(b"k", b"abc", how));
        let mut at = match peer.take() {
            Some(peer) => peer,
            None => fake.greet().await,
        };
        at.hear(line).await;
        at.hear_bytes(b"eS\xf1\x64\0\0\0\x07abc\r\n").await;
        at.say(b"STORED\r\n").await;
        at.hear("delete k~ noreply\r\nversion\r\n").await;
        assert!(!asked.is_finished());
        at.say(b"VERSION 1.4.15\r\n").await;
        assert_eq!(asked.await.unwrap(), Ok(Reply::Done));
        idle(&classic, 1).await;
        peer = Some(at);
    }
}

#[tokio::test]
async fn strangers_are_told_from_memcached_before_any_command() {
    let (fake, classic) = fake().await;
    let protocol =
        |why: &'static str| move |failure: &Failure| matches!(failure, Failure::Protocol(said) if said.contains(why));
    type Fits<'a> = &'a dyn Fn(&Failure) -> bool;
    let cases: [(&[u8], Fits<'_>); 8] = [
        (b"HTTP/1.1 400 Bad Request\r\n", &protocol("HTTP")),
        (b"-ERR unknown command\r\n", &protocol("Redis")),
        (b"\x15\x03\x03\0\x02", &protocol("TLS")),
        (b"ERROR\r\n", &protocol("ERROR")),
        (b"VERSION 1.4.15\r\nSTAT time 1\r\nnonsense\r\n", &protocol("nonsense")),
        (b"VERSION 1.4.15\r\nSTAT time 1\r\nEND\r\nmore", &protocol("more")),
        (b"ERROR Too many open connections\r\n", &|failure| *failure == Failure::TooManyConnections),
        (b"", &|failure| matches!(failure, Failure::Refused(_))),
    ];
    for (said, fits) in cases {
        let asked = spawn(&classic, get(b"one"));
        let mut peer = fake.accept().await;
        peer.hear("version\r\nstats\r\n").await;
        peer.say(said).await;
        drop(peer);
        let failure = asked.await.unwrap().unwrap_err();
        assert!(fits(&failure), "{}: {failure:?}", said.escape_ascii());
    }
}

#[tokio::test]
async fn nobody_there_is_told_as_that() {
    let (fake, classic) = fake().await;
    drop(fake);
    assert!(matches!(ask(&classic, get(b"one")).await, Err(Failure::Refused(_))));
}

#[tokio::test]
async fn a_server_that_does_not_tell_its_time_is_used_with_our_own() {
    let (fake, classic) = fake().await;
    let asked = spawn(&classic, get(b"one"));
    let mut peer = fake.accept().await;
    peer.hear("version\r\nstats\r\n").await;
    peer.say(b"VERSION 0.5.0\r\nERROR\r\n").await;
    peer.hear("gets one\r\n").await;
    peer.say(b"END\r\n").await;
    assert_eq!(asked.await.unwrap(), Ok(Reply::Missing));
    // One that closes the connection instead is not asked again.
    drop(peer);
    noticed(&classic).await;
    for first in [true, false] {
        let asked = spawn(&classic, get(b"one"));
        if first {
            let mut peer = fake.accept().await;
            peer.hear("version\r\nstats\r\n").await;
            peer.say(b"VERSION 0.5.0\r\n").await;
        }
        let mut peer = fake.accept().await;
        peer.hear("version\r\n").await;
        peer.say(b"VERSION 0.5.0\r\n").await;
        peer.hear("gets one\r\n").await;
        peer.say(b"END\r\n").await;
        assert_eq!(asked.await.unwrap(), Ok(Reply::Missing));
        drop(peer);
        noticed(&classic).await;
    }
}

#[tokio::test]
async fn what_is_left_goes_by_the_clock_of_the_server_which_is_asked_again_after_an_hour() {
    let fake = Fake::start().await;
    let manual = ManualClock::new();
    let classic = Arc::new(fake.client(Clock::from(manual.clone()), Limits::default()));
    let mut peer = None;
    for (passed, left) in [(0, 100), (30, 70), (10, 60), (3560, 100)] {
        manual.advance(Duration::from_secs(passed));
        let asked = spawn(&classic, get(b"one"));
        let mut at = match peer.take().filter(|_| passed < 100) {
            Some(peer) => peer,
            None => fake.greet().await,
        };
        at.hear("gets one\r\n").await;
        give(&mut at, "one", "111").await;
        assert!(matches!(asked.await.unwrap(), Ok(Reply::Item(item)) if item.left == Some(left)));
        peer = Some(at);
    }
}

#[tokio::test]
async fn what_was_marked_as_past_its_life_is_so_for_those_who_take_the_time_to_be_less() {
    let fake = Fake::start().await;
    let classic = Arc::new(fake.client(Clock::from(ManualClock::new()), Limits::default()));
    let mut peer = None;
    for (left, stale, shown) in [(30, true, 30), (31, true, 30), (35, true, 30), (36, true, 36), (31, false, 31)] {
        let asked = spawn(&classic, get(b"k"));
        let mut at = match peer.take() {
            Some(peer) => peer,
            None => fake.greet().await,
        };
        at.hear("gets k\r\n").await;
        let end = (1_700_000_000 + left) | (u32::from(stale) << 31);
        at.say(&[b"VALUE k 0 11 77\r\n", &end.to_be_bytes()[..], b"\0\0\0\0abc\r\nEND\r\n"].concat()).await;
        let reply = asked.await.unwrap();
        assert!(
            matches!(&reply, Ok(Reply::Item(item)) if item.left == Some(shown) && item.stale == stale),
            "{reply:?}"
        );
        idle(&classic, 1).await;
        peer = Some(at);
    }
}

#[tokio::test]
async fn a_runtime_that_ended_takes_its_connections_with_it() {
    let (fake, classic) = fake().await;
    let runtime = || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    for _ in 0..2 {
        let home = runtime();
        let handle = home.handle().clone();
        let asked = {
            let classic = classic.clone();
            tokio::spawn(async move { classic.ask(&handle, &[get(b"one")], PATIENCE)?.await })
        };
        let mut peer = fake.greet().await;
        peer.hear("gets one\r\n").await;
        peer.say(b"END\r\n").await;
        assert_eq!(asked.await.unwrap().unwrap()[0], Reply::Missing);
        home.shutdown_background();
    }
    let home = runtime();
    let handle = home.handle().clone();
    home.shutdown_background();
    assert!(matches!(classic.ask(&handle, &[get(b"one")], PATIENCE).unwrap().await, Err(Failure::Closed { .. })));
}
