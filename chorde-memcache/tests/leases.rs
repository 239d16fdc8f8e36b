//! Claim, fill and release as two processes see them: of all who ask for a key, one computes.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod real;

use std::time::Instant;

use chorde_core::{CacheExt as _, ClaimOptions, Client, ManualClock, Token, Wait as _};
use chorde_memcache::testing::FakeServer;
use chorde_memcache::{MemcachedClient, Transport};
use real::{
    HOUR, Pair, Said, builder, claim, claim_due, claim_with, eventually, fill, get, key, pair, put, secs, servers,
    wire_keys,
};

on_both_transports! {
    of_two_who_miss_a_key_one_computes
    of_two_who_find_a_key_due_one_refreshes
    a_claim_that_is_given_back_is_won_by_the_next_who_asks
    a_refresh_that_is_given_back_leaves_the_value
    a_stale_value_survives_who_fails_to_compute_it
    what_is_written_meanwhile_stays
    what_is_removed_meanwhile_is_not_stored
    reading_does_not_disturb_who_computes
    reading_what_is_stale_leaves_the_computation_to_who_claims_it
    expiring_a_key_that_is_computed_lets_the_next_one_compute
    a_value_is_added_where_somebody_computes
    a_lease_lasts_as_long_as_it_was_asked_for
    a_computer_that_dies_is_replaced_when_its_lease_ends
    a_refresh_is_one_for_lives_of_more_than_a_month
    claims_of_callers_who_go_away_are_given_back
    many_who_claim_at_once_make_one_winner
    another_server_grants_while_the_own_one_is_away
}

fn of_two_who_miss_a_key_one_computes(transport: Transport) {
    let Pair { one, other, server: _server } = pair(transport);
    let key = key("cold");
    let token = claim(&one, &key).token();
    assert_eq!([claim(&other, &key), claim(&one, &key)], [Said::AbsentElsewhere, Said::AbsentElsewhere]);
    assert!(fill(&one, &key, token, "computed"));
    assert_eq!([claim(&other, &key), claim(&one, &key)], [(); 2].map(|()| Said::Fresh("computed".into())));
    let (mine, theirs) = (one.stats(), other.stats());
    assert_eq!((mine.claims_won, mine.claims_held, theirs.claims_won, theirs.claims_held), (1, 1, 0, 1));
    assert!(!fill(&one, &key, token, "late"), "a token is good for one store");
}

fn of_two_who_find_a_key_due_one_refreshes(transport: Transport) {
    let Pair { one, other, server: _server } = pair(transport);
    let key = key("due");
    put(&one, &key, "old");
    assert_eq!(claim(&one, &key), Said::Fresh("old".into()));
    let Said::Due(old, token) = claim_due(&one, &key) else { panic!("not due") };
    assert_eq!((&*old, claim_due(&other, &key)), ("old", Said::DueElsewhere("old".into())));
    assert_eq!(claim_due(&one, &key), Said::DueElsewhere("old".into()));
    // Whoever does not find it due is served.
    assert_eq!(claim(&other, &key), Said::Fresh("old".into()));
    assert!(fill(&one, &key, token, "new"));
    assert_eq!((claim(&other, &key), get(&one, &key)), (Said::Fresh("new".into()), Some("new".into())));
    assert!(claim_due(&other, &key).is_won(), "what was refreshed can be refreshed again");
}

fn a_claim_that_is_given_back_is_won_by_the_next_who_asks(transport: Transport) {
    let Pair { one, other, server: _server } = pair(transport);
    let key = key("given back");
    let token = claim(&one, &key).token();
    Client::<String>::release(&one, &key, token);
    let mut second = Said::AbsentElsewhere;
    eventually("the key is free", || {
        second = claim(&other, &key);
        second.is_won()
    });
    assert!(!fill(&one, &key, token, "of the one who gave it back"));
    // What was given back once cannot be given back for another.
    Client::<String>::release(&one, &key, token);
    assert_eq!((claim(&one, &key), get(&other, &key)), (Said::AbsentElsewhere, None));
    assert!(fill(&other, &key, second.token(), "of the next"));
    assert_eq!(get(&one, &key), Some("of the next".into()));
}

fn a_refresh_that_is_given_back_leaves_the_value(transport: Transport) {
    let Pair { one, other, server: _server } = pair(transport);
    let key = key("given back");
    put(&one, &key, "good");
    let token = claim_due(&one, &key).token();
    Client::<String>::release(&one, &key, token);
    let mut second = Said::AbsentElsewhere;
    eventually("the refresh is free", || {
        second = claim_due(&other, &key);
        second.is_won()
    });
    assert!(matches!(&second, Said::Due(value, _) if value == "good"), "{second:?}");
    assert_eq!(get(&one, &key), Some("good".into()));
    assert!(!fill(&one, &key, token, "late"));
    assert!(fill(&other, &key, second.token(), "new"));
    assert_eq!(get(&one, &key), Some("new".into()));
}

fn a_stale_value_survives_who_fails_to_compute_it(transport: Transport) {
    let Pair { one, other, server: _server } = pair(transport);
    // One that lasts no longer than what is stale may.
    let (key, options) = (key("stale"), ClaimOptions::new(secs(10)));
    put(&one, &key, "old");
    assert!(one.expire(&key).wait().unwrap());
    let token = claim_with(&one, &key, options).token();
    Client::<String>::release(&one, &key, token);
    let mut second = Said::AbsentElsewhere;
    eventually("it is free", || {
        second = claim_with(&other, &key, options);
        second.is_won()
    });
    let shown = other.get_ttl::<String>(&key).wait().unwrap().unwrap();
    assert!(shown.is_stale() && shown.value == "old");
    assert!(!fill(&one, &key, token, "late") && fill(&other, &key, second.token(), "new"));
}

fn what_is_written_meanwhile_stays(transport: Transport) {
    let Pair { one, other, server: _server } = pair(transport);
    for is_refresh in [false, true] {
        let key = key(if is_refresh { "refreshed" } else { "computed" });
        if is_refresh {
            put(&one, &key, "old");
        }
        let token = claim_due(&one, &key).token();
        put(&other, &key, "written");
        assert!(!fill(&one, &key, token, "computed before"));
        assert_eq!(get(&one, &key), Some("written".into()));
        // Nor does giving back take it away.
        Client::<String>::release(&one, &key, token);
        assert_eq!((claim(&other, &key), claim(&one, &key)), (said_fresh("written"), said_fresh("written")));
    }
    assert_eq!(one.stats().superseded, 2);
}

fn said_fresh(value: &str) -> Said {
    Said::Fresh(value.into())
}

fn what_is_removed_meanwhile_is_not_stored(transport: Transport) {
    let Pair { one, other, server: _server } = pair(transport);
    for (name, is_refresh, is_deleted) in
        [("a", false, true), ("b", false, false), ("c", true, true), ("d", true, false)]
    {
        let key = key(name);
        if is_refresh {
            put(&one, &key, "old");
        }
        let token = claim_due(&one, &key).token();
        let was_valid = if is_deleted { other.delete(&key).wait() } else { other.expire(&key).wait() };
        assert_eq!(was_valid.unwrap(), is_refresh, "{name}");
        assert!(!fill(&one, &key, token, "outdated"), "{name}");
        assert_eq!((get(&one, &key), get(&other, &key)), (None, None), "{name}");
        // And the next who asks computes.
        let again = claim(&other, &key).token();
        assert!(fill(&other, &key, again, "new"), "{name}");
        assert_eq!(get(&one, &key), Some("new".into()));
    }
}

/// Asks in all ways that do not claim; returns whether any of them saw something valid.
fn seen(client: &MemcachedClient, key: &chorde_core::Key) -> bool {
    let got = client.get::<String>(key).wait().unwrap().is_some();
    let entry = client.get_ttl::<String>(key).wait().unwrap().is_some_and(|entry| !entry.is_stale());
    let several = client.get_multi::<String>(std::slice::from_ref(key)).wait().unwrap()[0].is_some();
    let contained = client.contains(key).wait().unwrap();
    let renewed = client.renew(key, HOUR).wait().unwrap();
    got || entry || several || contained || renewed
}

fn reading_does_not_disturb_who_computes(transport: Transport) {
    let Pair { one, other, server: _server } = pair(transport);
    let key = key("read while computed");
    let token = claim(&one, &key).token();
    assert!(!seen(&other, &key) && !seen(&one, &key));
    assert_eq!(claim(&other, &key), Said::AbsentElsewhere);
    assert!(fill(&one, &key, token, "computed"));
    let token = claim_due(&other, &key).token();
    assert!(other.get::<String>(&key).wait().unwrap().is_some() && one.contains(&key).wait().unwrap());
    assert!(one.get_ttl_multi::<String>(std::slice::from_ref(&key)).wait().unwrap()[0].is_some());
    assert!(!one.add(&key, "added".to_owned(), HOUR).wait().unwrap());
    assert!(fill(&other, &key, token, "refreshed"));
    assert_eq!(get(&one, &key), Some("refreshed".into()));
}

fn reading_what_is_stale_leaves_the_computation_to_who_claims_it(transport: Transport) {
    let Pair { one, other, server: _server } = pair(transport);
    let key = key("stale");
    put(&one, &key, "old");
    assert!(other.expire(&key).wait().unwrap());
    for client in [&one, &other, &one] {
        assert!(!seen(client, &key));
        let shown = client.get_ttl::<String>(&key).wait().unwrap().unwrap();
        assert!(shown.is_stale() && shown.value == "old");
    }
    assert!(!other.expire(&key).wait().unwrap(), "it is stale already");
    let token = claim(&one, &key).token();
    assert!(!seen(&other, &key) && !seen(&one, &key));
    assert_eq!([claim(&other, &key), claim(&one, &key)], [Said::AbsentElsewhere, Said::AbsentElsewhere]);
    assert!(fill(&one, &key, token, "new"));
    assert_eq!(get(&other, &key), Some("new".into()));
}

fn expiring_a_key_that_is_computed_lets_the_next_one_compute(transport: Transport) {
    let Pair { one, other, server: _server } = pair(transport);
    let key = key("expired");
    let first = claim(&one, &key).token();
    assert!(!other.expire(&key).wait().unwrap());
    let second = claim(&other, &key).token();
    assert!(!fill(&one, &key, first, "computed before"));
    assert_eq!((get(&other, &key), claim(&one, &key)), (None, Said::AbsentElsewhere));
    assert!(fill(&other, &key, second, "computed after"));
    assert_eq!(get(&one, &key), Some("computed after".into()));
}

fn a_value_is_added_where_somebody_computes(transport: Transport) {
    let Pair { one, other, server: _server } = pair(transport);
    let key = key("added");
    let token = claim(&one, &key).token();
    assert!(other.add(&key, "added".to_owned(), HOUR).wait().unwrap());
    assert!(!one.add(&key, "added again".to_owned(), HOUR).wait().unwrap());
    assert!(!fill(&one, &key, token, "computed"));
    assert_eq!(get(&one, &key), Some("added".into()));
    assert!(other.expire(&key).wait().unwrap());
    assert!(other.add(&key, "over what is stale".to_owned(), HOUR).wait().unwrap());
    assert_eq!(get(&one, &key), Some("over what is stale".into()));
}

fn a_lease_lasts_as_long_as_it_was_asked_for(transport: Transport) {
    let Pair { one, other, server } = pair(transport);
    let options = ClaimOptions::new(secs(1));
    // Wherever in the second of the server it begins: that many claims after a tick.
    let begin = |turn: u64| {
        let key = key(&format!("lease {turn}"));
        server.await_ticks(1).unwrap();
        for number in 0..turn {
            claim_with(&one, &real::key(&format!("before {turn}: {number}")), options).token();
        }
        let start = Instant::now();
        claim_with(&one, &key, options).token();
        loop {
            let said = claim_with(&other, &key, options);
            if start.elapsed() >= secs(1) {
                break;
            }
            assert_eq!(said, Said::AbsentElsewhere, "after {:?}", start.elapsed());
        }
        eventually("the lease ends", || claim_with(&other, &key, options).is_won());
    };
    std::thread::scope(|scope| {
        [0, 1_000, 3_000].map(|turn| scope.spawn(move || begin(turn))).map(|it| it.join().unwrap())
    });
}

fn a_computer_that_dies_is_replaced_when_its_lease_ends(transport: Transport) {
    let Pair { one, other, server } = pair(transport);
    let key = key("dead");
    let options = ClaimOptions::new(secs(1));
    let dead = claim_with(&one, &key, options).token();
    server.await_ticks(3).unwrap();
    let token = claim_with(&other, &key, options).token();
    assert!(!fill(&one, &key, dead, "of the dead"));
    assert!(fill(&other, &key, token, "of the living"));
    assert_eq!(get(&one, &key), Some("of the living".into()));
}

fn a_refresh_is_one_for_lives_of_more_than_a_month(transport: Transport) {
    let Pair { one, other, server: _server } = pair(transport);
    for days in [29, 30, 31, 40, 400] {
        let key = key(&format!("{days} days"));
        let ttl = 24 * HOUR * days;
        one.put(&key, "old".to_owned(), ttl).wait().unwrap();
        let left = other.get_ttl::<String>(&key).wait().unwrap().unwrap().remaining();
        // More than a month is sent as a date, by a clock that is not the server's.
        assert!((left <= ttl || days >= 30) && left.abs_diff(ttl) < secs(120), "{days} days: {left:?}");
        let token = claim_due(&one, &key).token();
        assert_eq!(claim_due(&other, &key), Said::DueElsewhere("old".into()), "{days} days");
        assert!(one.fill(&key, token, "new".to_owned(), ttl).wait().unwrap());
        assert!(other.contains_for(&key, ttl - HOUR).wait().unwrap() && get(&other, &key) == Some("new".into()));
    }
}

/// Makes a stale value with so many seconds until the server removes it.
fn stale_for(pair: &Pair, key: &chorde_core::Key, seconds: u64) {
    put(&pair.one, key, "old");
    assert!(pair.one.expire(key).wait().unwrap());
    let [wire_key] = wire_keys(&pair.server).try_into().unwrap();
    assert!(pair.server.command(&format!("md {wire_key} I T{seconds}")).unwrap().starts_with("HD"));
}

#[test]
fn who_computes_a_stale_value_is_not_forgotten_with_it() {
    let pair = pair(Transport::Meta);
    let (key, options) = (key("stale"), ClaimOptions::new(secs(20)));
    stale_for(&pair, &key, 2);
    let token = claim_with(&pair.one, &key, options).token();
    pair.server.await_ticks(3).unwrap();
    assert_eq!(claim_with(&pair.other, &key, options), Said::AbsentElsewhere);
    assert!(pair.one.get_ttl::<String>(&key).wait().unwrap().is_some_and(|entry| entry.is_stale()));
    assert!(fill(&pair.one, &key, token, "new"));
    assert_eq!(get(&pair.other, &key), Some("new".into()));
}

#[test]
fn long_leases_outlive_stale_values() {
    let pair = pair(Transport::Meta);
    let key = key("stale");
    stale_for(&pair, &key, 2);
    // Longer than a stale value may be kept.
    let token = claim(&pair.one, &key).token();
    pair.server.await_ticks(3).unwrap();
    assert_eq!([claim(&pair.other, &key), claim(&pair.one, &key)], [(); 2].map(|()| Said::AbsentElsewhere));
    assert!(fill(&pair.one, &key, token, "new"));
    assert_eq!(get(&pair.other, &key), Some("new".into()));
}

#[test]
fn a_value_that_its_refresher_renews_is_refreshed() {
    let Pair { one, other, server: _server } = pair(Transport::Meta);
    let key = key("renewed");
    put(&one, &key, "old");
    let token = claim_due(&one, &key).token();
    assert!(one.renew(&key, 2 * HOUR).wait().unwrap());
    assert_eq!(claim_due(&other, &key), Said::DueElsewhere("old".into()));
    assert!(fill(&one, &key, token, "new"));
    assert_eq!(get(&other, &key), Some("new".into()));
}

fn claims_of_callers_who_go_away_are_given_back(transport: Transport) {
    let Pair { one, other, server: _server } = pair(transport);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let old: Vec<_> = (0..60).map(|number| key(&format!("old {number}"))).collect();
    old.iter().for_each(|key| put(&one, key, "old"));
    let new = (0..60).map(|number| key(&format!("new {number}")));
    let mut kept = 0;
    for (number, key) in (0..).zip(old.into_iter().chain(new)) {
        // They go at all kinds of moments, the first at once.
        let patience = number % 60 * 20;
        let options = ClaimOptions::<String>::new(HOUR).refresh_below(2 * HOUR);
        let claim = runtime.block_on(async {
            let (client, key) = (one.clone(), key.clone());
            let claiming = tokio::spawn(async move { client.claim(&key, options).await });
            for _ in 0..patience {
                tokio::task::yield_now().await;
            }
            claiming.abort();
            claiming.await.ok()
        });
        if claim.is_some() {
            kept += 1;
        } else {
            eventually("it can be claimed", || claim_due(&other, &key).is_won());
        }
    }
    assert!(kept < 120, "nobody went away");
}

fn many_who_claim_at_once_make_one_winner(transport: Transport) {
    let servers = servers(1);
    let clients: Vec<_> = (0..5).map(|_| builder(&servers).transport(transport).build().unwrap()).collect();
    for round in 0..20 {
        let key = key(&format!("contended {round}"));
        if round % 3 > 0 {
            put(&clients[0], &key, "old");
        }
        if round % 3 > 1 {
            assert!(clients[0].expire(&key).wait().unwrap());
        }
        let said: Vec<Said> = std::thread::scope(|scope| {
            let claims: Vec<_> = clients
                .iter()
                .flat_map(|client| [client, client])
                .map(|client| scope.spawn(|| claim_due(client, &key)))
                .collect();
            claims.into_iter().map(|claim| claim.join().unwrap()).collect()
        });
        assert_eq!(said.iter().filter(|said| said.is_won()).count(), 1, "round {round}: {said:?}");
    }
}

fn another_server_grants_while_the_own_one_is_away(transport: Transport) {
    let servers = servers(2);
    let [one, other] = [(); 2].map(|()| {
        let builder = builder(&servers).transport(transport);
        builder.probe_pauses(secs(1) / 50..=secs(1) / 20).build().unwrap()
    });
    // One that the first server has.
    let mut keys = (0..).map(|number| key(&format!("key {number}")));
    let key = keys
        .find(|key| {
            put(&one, key, "old");
            let is_first = real::items(&servers[0]) > 0;
            one.delete(key).wait().unwrap();
            is_first
        })
        .unwrap();
    let at_home = claim(&one, &key).token();
    servers[0].kill();
    // Whoever was granted it by the server that is gone may store where nobody has claimed.
    let away = claim(&other, &key).token();
    assert_eq!(claim(&one, &key), Said::AbsentElsewhere);
    assert!(!fill(&one, &key, at_home, "of the first"));
    assert!(fill(&other, &key, away, "of the second"));
    assert_eq!((get(&one, &key), get(&other, &key)), (Some("of the second".into()), Some("of the second".into())));
    let due = claim_due(&one, &key).token();
    assert_eq!(claim_due(&other, &key), Said::DueElsewhere("of the second".into()));
    servers[0].restart().unwrap();
    eventually("it is back", || [&one, &other].iter().all(|client| client.stats().recoveries == 1));
    // Granted elsewhere, it is stored where nothing is.
    assert_eq!(get(&other, &key), None);
    assert!(fill(&one, &key, due, "of the third"));
    assert_eq!(get(&other, &key), Some("of the third".into()));
    let home = claim_due(&other, &key).token();
    assert!(fill(&other, &key, home, "of the fourth"));
    assert_eq!(get(&one, &key), Some("of the fourth".into()));
}

/// The classic transport keeps the right to refresh on the server, for as long as the lease lasts.
#[test]
fn a_refresher_that_dies_is_replaced_by_the_server() {
    let Pair { one, other, server } = pair(Transport::Classic);
    let (key, options) = (key("dead"), ClaimOptions::new(secs(1)).refresh_below(2 * HOUR));
    put(&one, &key, "old");
    let dead = claim_with(&one, &key, options).token();
    assert_eq!(claim_with(&other, &key, options), Said::DueElsewhere("old".into()));
    server.await_ticks(3).unwrap();
    let token = claim_with(&other, &key, options).token();
    assert!(fill(&other, &key, token, "of the living") && !fill(&one, &key, dead, "of the dead"));
    assert_eq!(get(&one, &key), Some("of the living".into()));
}

/// With the meta commands, who refreshes has the right up to the end of the item, unless somebody takes it away.
#[test]
fn a_refresher_that_dies_is_replaced_by_who_has_watched_it_for_a_lease() {
    let (servers, clock) = (servers(1), ManualClock::new());
    let [one, other] = [(); 2].map(|()| builder(&servers).clock(clock.clone()).build().unwrap());
    let key = key("dead");
    put(&one, &key, "old");
    let dead = claim_due(&one, &key).token();
    let still = Said::DueElsewhere("old".into());
    assert_eq!(claim_due(&other, &key), still);
    clock.advance(HOUR);
    assert_eq!(claim_due(&other, &key), still, "not before the lease is over");
    clock.advance(secs(2));
    let Said::Due(value, token) = claim_due(&other, &key) else { panic!("not repaired") };
    assert_eq!((&*value, other.stats().claims_repaired), ("old", 1));
    assert_eq!(claim_due(&one, &key), still);
    assert!(!fill(&one, &key, dead, "of the dead"));
    assert!(fill(&other, &key, token, "of the living"));
    assert_eq!((get(&one, &key), one.stats().claims_repaired), (Some("of the living".into()), 0));

    // The same where the value has become stale.
    assert!(one.expire(&key).wait().unwrap());
    let options = ClaimOptions::new(secs(20));
    let dead = claim_with(&one, &key, options).token();
    assert_eq!(claim_with(&other, &key, options), Said::AbsentElsewhere);
    clock.advance(secs(22));
    let token = claim_with(&other, &key, options).token();
    assert!(!fill(&one, &key, dead, "of the dead") && fill(&other, &key, token, "of the living"));
}

#[test]
fn a_server_that_grants_nothing_lets_everybody_compute() {
    let server = FakeServer::start(|peer| {
        loop {
            let request = peer.request()?;
            match request.word(0) {
                "version" => peer.send("VERSION 1.6.18\r\n")?,
                "mg" => peer.send(format!("EN O{}\r\n", request.flag('O').unwrap_or_default()))?,
                _ => peer.send("SERVER_ERROR out of memory\r\n")?,
            }
        }
    })
    .unwrap();
    let client = MemcachedClient::builder().servers([server.address()]).checksum_key("tests").build().unwrap();
    assert_eq!(claim(&client, &key("unheld")), Said::Absent(Token::default()));
}
