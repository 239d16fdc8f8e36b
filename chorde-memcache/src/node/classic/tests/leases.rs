//! The lease that the classic commands do not have, between clients of one memcached.

use std::sync::Arc;

use super::server::Server;
use super::*;

#[tokio::test]
async fn the_first_to_claim_wins_and_what_it_stores_is_seen_by_the_others() {
    let server = Server::start(&[]);
    let (one, two) = (server.client(), server.client());
    let won = item(&one, claim(b"k")).await;
    assert!(won.won && !won.held && won.size == 0 && won.flags == 0 && won.data.is_empty() && won.cas > 0);
    assert!(won.left.is_some_and(|left| left <= 51));
    for command in [claim(b"k"), get(b"k"), Command::Refresh { key: b"k", refresh: 90, lease: 5 }] {
        let held = item(&two, command).await;
        assert!(held.held && !held.won && held.size == 0 && held.data.is_empty());
    }
    assert_eq!(ask(&one, store(b"k", b"data", How::Cas(won.cas))).await, Ok(Reply::Done));
    let fresh = item(&two, claim(b"k")).await;
    assert!(!fresh.held && !fresh.won && fresh.data == "data");
}

#[tokio::test]
async fn a_winner_whose_stub_was_deleted_cannot_store() {
    let server = Server::start(&[]);
    let (one, two) = (server.client(), server.client());
    let won = item(&one, claim(b"k")).await;
    assert_eq!(ask(&two, Command::Delete { key: b"k", cas: None }).await, Ok(Reply::Done));
    assert_eq!(ask(&one, store(b"k", b"old", How::Cas(won.cas))).await, Ok(Reply::Missing));
    assert!(item(&two, claim(b"k")).await.won);
    assert_eq!(ask(&one, store(b"k", b"old", How::Cas(won.cas))).await, Ok(Reply::Exists));
}

#[tokio::test]
async fn a_winner_who_gives_up_lets_the_next_win() {
    let server = Server::start(&[]);
    let (one, two) = (server.client(), server.client());
    let won = item(&one, claim(b"k")).await;
    assert!(item(&two, claim(b"k")).await.held);
    assert_eq!(ask(&one, Command::Delete { key: b"k", cas: Some(won.cas) }).await, Ok(Reply::Done));
    assert!(item(&two, claim(b"k")).await.won);
}

#[tokio::test]
async fn one_refreshes_a_due_item_and_the_others_have_it_as_it_is() {
    let server = Server::start(&[]);
    let (one, two) = (server.client(), server.client());
    let due = Command::Claim { key: b"k", lease: 50, refresh: 1000 };
    let peek = Command::Refresh { key: b"k", refresh: 1000, lease: 50 };
    assert_eq!(ask(&one, peek.clone()).await, Ok(Reply::Missing));
    assert_eq!(ask(&one, store(b"k", b"data", How::Set)).await, Ok(Reply::Done));
    let fresh = item(&one, claim(b"k")).await;
    assert!(!fresh.won && !fresh.held);
    let won = item(&one, due.clone()).await;
    assert!(won.won && !won.held && !won.stale && won.data == "data");
    let held = item(&two, due.clone()).await;
    assert!(held.held && !held.won && held.data == "data");
    let held = item(&two, peek.clone()).await;
    assert!(held.held && !held.won && held.data.is_empty() && held.size == 4);
    assert_eq!(ask(&one, store(b"k", b"next", How::Cas(won.cas))).await, Ok(Reply::Done));
    let won = item(&two, peek).await;
    assert!(won.won && won.data.is_empty(), "the right went with what was stored");
    assert!(item(&one, due).await.held);
}

#[tokio::test]
async fn whatever_replaces_an_item_takes_the_refresh_from_whoever_has_it() {
    let server = Server::start(&[]);
    let (one, two) = (server.client(), server.client());
    let due = Command::Claim { key: b"k", lease: 50, refresh: 1000 };
    let replacing = [
        store(b"k", b"data", How::Set),
        Command::MarkStale { key: b"k", life: None, cas: None },
        Command::Delete { key: b"k", cas: None },
    ];
    for command in replacing {
        assert_eq!(ask(&one, store(b"k", b"data", How::Set)).await, Ok(Reply::Done));
        let won = item(&one, due.clone()).await;
        assert!(won.won);
        assert_eq!(ask(&two, command).await, Ok(Reply::Done));
        assert!(item(&two, due.clone()).await.won);
        let late = ask(&one, store(b"k", b"late", How::Cas(won.cas))).await;
        assert_eq!(late, Ok(Reply::Exists));
    }
}

#[tokio::test]
async fn a_stale_item_is_there_for_all_and_to_be_computed_by_one() {
    let server = Server::start(&[]);
    let (one, two) = (server.client(), server.client());
    let mark = |life, cas| Command::MarkStale { key: b"k", life, cas };
    assert_eq!(ask(&one, mark(None, None)).await, Ok(Reply::Missing));
    assert_eq!(ask(&one, store(b"k", b"data", How::Set)).await, Ok(Reply::Done));
    let before = item(&one, get(b"k")).await;
    assert_eq!(ask(&one, mark(None, Some(before.cas + 1))).await, Ok(Reply::Exists));
    assert_eq!(ask(&one, mark(None, Some(before.cas))).await, Ok(Reply::Done));
    let marked = item(&one, get(b"k")).await;
    assert!(marked.stale && marked.cas != before.cas && marked.flags == 7 && marked.data == "data");
    assert!(marked.left.is_some_and(|left| left > 80));
    // Stale it is, however much is left.
    let never_due = Command::Claim { key: b"k", lease: 50, refresh: 0 };
    let won = item(&one, never_due.clone()).await;
    assert!(won.won && won.stale && won.data == "data");
    let held = item(&two, never_due.clone()).await;
    assert!(held.held && held.stale && held.data == "data");
    assert_eq!(ask(&two, mark(Some(Life(20)), None)).await, Ok(Reply::Done));
    assert!(item(&two, get(b"k")).await.left.is_some_and(|left| left <= 21));
    assert!(item(&two, never_due).await.won);
    assert_eq!(ask(&one, store(b"k", b"late", How::Cas(won.cas))).await, Ok(Reply::Exists));
    assert_eq!(ask(&two, store(b"k", b"next", How::Set)).await, Ok(Reply::Done));
    assert!(!item(&one, get(b"k")).await.stale);
}

#[tokio::test]
async fn a_stub_marked_as_stale_is_won_again_and_not_by_its_first_winner() {
    let server = Server::start(&[]);
    let (one, two) = (server.client(), server.client());
    let lost = item(&one, claim(b"k")).await;
    assert_eq!(ask(&two, Command::MarkStale { key: b"k", life: None, cas: Some(lost.cas) }).await, Ok(Reply::Done));
    let won = item(&two, claim(b"k")).await;
    assert!(won.won && won.size == 0);
    assert!(item(&one, claim(b"k")).await.held);
    assert_eq!(ask(&one, store(b"k", b"late", How::Cas(lost.cas))).await, Ok(Reply::Exists));
    assert_eq!(ask(&two, store(b"k", b"data", How::Cas(won.cas))).await, Ok(Reply::Done));
}

#[tokio::test]
async fn a_lease_ends_by_itself() {
    let server = Server::start(&[]);
    let (one, two) = (server.client(), server.client());
    let short = Command::Claim { key: b"k", lease: 1, refresh: 0 };
    assert!(item(&one, short.clone()).await.won);
    // The server's own clock has to go on.
    let ended = async { while !item(&two, short.clone()).await.won {} };
    tokio::time::timeout(PATIENCE, ended).await.unwrap();
}

/// Has fifty tasks ask the same thing at once; returns what they were told.
async fn at_once(server: &Server, command: Command<'static>) -> Vec<Result<Reply, Failure>> {
    let clients = [Arc::new(server.client()), Arc::new(server.client())];
    let barrier = Arc::new(tokio::sync::Barrier::new(50));
    let tasks: Vec<_> = (0..50)
        .map(|at| {
            let (classic, barrier, command) = (clients[at % 2].clone(), barrier.clone(), command.clone());
            tokio::spawn(async move {
                barrier.wait().await;
                ask(&classic, command).await
            })
        })
        .collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    answers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_fifty_at_once_one_adds_one_swaps_one_claims_and_one_refreshes() {
    let server = Server::start(&[]);
    let done = |answers: &[_]| answers.iter().filter(|answer| **answer == Ok(Reply::Done)).count();
    let won =
        |answers: &[_]| answers.iter().filter(|answer| matches!(answer, Ok(Reply::Item(item)) if item.won)).count();
    let added = at_once(&server, store(b"k", b"data", How::Add)).await;
    assert_eq!(done(&added), 1);
    assert!(added.iter().all(|answer| matches!(answer, Ok(Reply::Done | Reply::Exists))));
    let cas = item(&server.client(), get(b"k")).await.cas;
    let swapped = at_once(&server, store(b"k", b"next", How::Cas(cas))).await;
    assert_eq!(done(&swapped), 1);
    assert!(swapped.iter().all(|answer| matches!(answer, Ok(Reply::Done | Reply::Exists))));
    let claimed = at_once(&server, claim(b"other")).await;
    assert_eq!(won(&claimed), 1);
    assert!(claimed.iter().all(|answer| matches!(answer, Ok(Reply::Item(item)) if item.won != item.held)));
    let refreshed = at_once(&server, Command::Claim { key: b"k", lease: 50, refresh: 1000 }).await;
    assert_eq!(won(&refreshed), 1);
    assert!(refreshed.iter().all(|answer| matches!(answer, Ok(Reply::Item(item)) if item.data == "next")));
    let touched = at_once(&server, Command::Touch { key: b"k", life: Life(500) }).await;
    assert!(touched.iter().all(|answer| matches!(answer, Ok(Reply::Item(item)) if item.left > Some(400))));
}
