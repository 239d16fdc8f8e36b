//! Servers say what they should not: it is told apart from an answer, and nothing else is taken for one.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod support;

use std::io::{ErrorKind as Io, Result};
use std::time::{Duration, Instant};

use chorde_core::{CacheExt, Error, ErrorKind, Wait};
use chorde_memcache::testing::{FakeServer, Fault, MemcachedServer, Peer, Request};
use chorde_memcache::{Compression, MemcachedClient, Transport};
use support::relay::Relay;
use support::{AMPLE, LONG, builder, client, eventually, healed, millis, works};

const VALUE: &str = "what was stored";

/// What a server says instead of the true reply to a read.
type Lie = fn(&mut Peer<'_>, &Request, Vec<u8>) -> Result<()>;

fn replaced(reply: &[u8], from: &str, to: &str) -> Vec<u8> {
    let at = reply.windows(from.len()).position(|part| part == from.as_bytes()).unwrap();
    [&reply[..at], to.as_bytes(), &reply[at + from.len()..]].concat()
}

/// The opaque number of a request, as the reply repeats it.
fn opaque(request: &Request) -> String {
    format!(" O{}", request.flag('O').unwrap())
}

/// The end of the reply's first line.
fn line_end(reply: &[u8]) -> usize {
    reply.iter().position(|byte| *byte == b'\n').unwrap() + 1
}

/// Replaces the announced length, whatever it is.
fn with_length(reply: &[u8], length: &str) -> Vec<u8> {
    let line = String::from_utf8_lossy(&reply[..line_end(reply)]).into_owned();
    let words: Vec<&str> = line.split(' ').collect();
    let line = [&[words[0], length], &words[2..]].concat().join(" ");
    [line.as_bytes(), &reply[line_end(reply)..]].concat()
}

/// Lies that end the connection: nothing that comes after them can be trusted.
const NONSENSE: &[(&str, Lie)] = &[
    ("garbage", |peer, _, _| peer.send("%$?! 17 of these\r\n")),
    ("bytes that are no text", |peer, _, _| peer.send([0xff, 0, 0x80, b'\r', b'\n'])),
    ("an empty line", |peer, _, _| peer.send("\r\n")),
    ("a bare end of line", |peer, _, _| peer.send("HD\n")),
    ("a page of HTML", |peer, _, _| peer.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n<html>")),
    ("an endless line", |peer, _, _| {
        loop {
            peer.send([b'x'; 4096])?;
        }
    }),
    ("a negative length", |peer, _, reply| peer.send(with_length(&reply, "-1"))),
    ("a huge length", |peer, _, reply| peer.send(with_length(&reply, "18446744073709551615"))),
    ("a length beyond 64 bits", |peer, _, reply| peer.send(with_length(&reply, "99999999999999999999999"))),
    ("a length of 4 GB", |peer, _, reply| peer.send(with_length(&reply, "4294967295"))),
    ("no length", |peer, _, reply| peer.send(with_length(&reply, ""))),
    ("a value longer than announced", |peer, _, reply| peer.send(with_length(&reply, "3"))),
    ("a wrong end of the value", |peer, _, mut reply| {
        let end = reply.len() - 2;
        reply[end..].copy_from_slice(b"??");
        peer.send(reply)
    }),
    ("the answer to another request", |peer, request, reply| {
        peer.send(replaced(&reply, &opaque(request), &format!("{}9", opaque(request))))
    }),
    ("an answer without a number", |peer, request, reply| peer.send(replaced(&reply, &opaque(request), ""))),
    ("an answer that does not fit", |peer, request, _| peer.send(format!("NS{}\r\n", opaque(request)))),
    ("a reply of the classic protocol", |peer, request, _| {
        peer.send(format!("VALUE {} 0 2\r\nhi\r\nEND\r\n", request.word(1)))
    }),
    ("a flag twice", |peer, request, reply| {
        peer.send(replaced(&reply, &opaque(request), &format!(" f0 f0{}", opaque(request))))
    }),
    ("an item without its flags", |peer, request, _| peer.send(format!("VA 2{}\r\nhi\r\n", opaque(request)))),
    ("a number that cannot be", |peer, request, reply| {
        peer.send(replaced(&reply, &opaque(request), &format!(" s99999999999{}", opaque(request))))
    }),
    ("too many connections", |peer, _, _| peer.send("ERROR Too many open connections\r\n")),
];

/// Lies after which the connection goes on.
const COMPLAINTS: &[(&str, Lie)] = &[
    ("ERROR", |peer, _, _| peer.send("ERROR\r\n")),
    ("CLIENT_ERROR", |peer, _, _| peer.send("CLIENT_ERROR bad command line format\r\n")),
    ("SERVER_ERROR", |peer, _, _| peer.send("SERVER_ERROR out of memory writing get response\r\n")),
];

/// Has one read be answered by a lie; returns what it came to, once the client reads the truth again.
fn told(name: &str, lie: Lie) -> (Option<Error>, MemcachedClient) {
    let relay = Relay::start();
    let client = client([relay.address()]);
    client.put(&1, VALUE.to_owned(), LONG).wait().unwrap();
    relay.once("mg ", lie);
    let got = client.get::<String>(&1).wait();
    // One who is asked again at once may tell the truth.
    assert!(
        got.as_ref().is_ok_and(|got| got.as_deref().is_none_or(|got| got == VALUE)) || got.is_err(),
        "{name}: {got:?}"
    );
    assert_eq!(relay.left(), 0, "{name}");
    eventually(name, || client.get::<String>(&1).wait().is_ok_and(|got| got.as_deref() == Some(VALUE)));
    (got.err(), client)
}

#[test]
fn nonsense_is_no_value_and_is_over_at_once() {
    std::thread::scope(|scope| {
        for (name, lie) in NONSENSE {
            scope.spawn(move || {
                let (_, client) = told(name, *lie);
                let stats = client.stats();
                // A miss: the only server is out of use until it is tried again.
                assert_eq!((stats.failures, stats.outages, stats.recoveries), (1, 1, 1), "{name}: {stats:?}");
                assert_eq!((stats.damaged, stats.foreign, stats.timeouts), (0, 0, 0), "{name}: {stats:?}");
            });
        }
    });
}

#[test]
fn complaints_are_errors_with_what_the_server_said() {
    for (name, lie) in COMPLAINTS {
        let (error, client) = told(name, *lie);
        let stats = client.stats();
        assert_eq!(stats.failures, 1, "{name}: {stats:?}");
        if let Some(error) = error {
            assert_eq!(error.kind(), ErrorKind::Protocol, "{name}");
            assert!(error.to_string().contains(name), "{error}");
        }
    }
}

#[test]
fn a_value_that_is_shorter_than_announced_swallows_what_follows_and_is_no_value() {
    let relay = Relay::start();
    let client = builder([relay.address()]).deadline(millis(300)).build().unwrap();
    eventually("it is stored", || client.put(&1, VALUE.to_owned(), LONG).wait().is_ok());
    relay.once("mg ", |peer, _, reply| {
        let end = line_end(&reply);
        peer.send([&reply[..end], b"hi\r\n"].concat())
    });
    let got = client.get::<String>(&1).wait();
    assert!(got.is_err() || got.as_ref().is_ok_and(Option::is_none), "{got:?}");
    healed("a short value", || client.get::<String>(&1).wait().is_ok_and(|got| got.as_deref() == Some(VALUE)));
}

#[test]
fn replies_in_another_order_are_not_taken_for_one_another() {
    let relay = Relay::start();
    let client = client([relay.address()]);
    for key in 0..4_u64 {
        client.put(&key, key, LONG).wait().unwrap();
    }
    // The first answer is kept back and sent behind the second.
    relay.once("mg ", |peer, request, reply| {
        let next = peer.request()?;
        let own = opaque(request);
        let other = format!(" O{}", next.flag('O').unwrap());
        peer.send(replaced(&reply, &own, &other))?;
        peer.send(reply)
    });
    let got = client.get_multi::<u64>(&[0_u64, 1, 2, 3]).wait();
    if let Ok(got) = &got {
        assert!(got.iter().zip(0..).all(|(got, key)| got.is_none_or(|got| got == key)), "{got:?}");
    }
    eventually("they are read", || {
        client.get_multi::<u64>(&[0_u64, 1, 2, 3]).wait().is_ok_and(|got| got == [Some(0), Some(1), Some(2), Some(3)])
    });
}

#[test]
fn an_answer_to_no_question_ends_the_connection() {
    let relay = Relay::start();
    let client = client([relay.address()]);
    client.put(&1, VALUE.to_owned(), LONG).wait().unwrap();
    relay.once("mg ", |peer, _, reply| peer.send([&reply[..], &reply[..]].concat()));
    assert_eq!(client.get::<String>(&1).wait().unwrap().as_deref(), Some(VALUE));
    for _ in 0..10 {
        let got = client.get::<String>(&1).wait().unwrap_or_default();
        assert!(got.is_none_or(|got| got == VALUE));
    }
    healed("one answer too many", || works(&client));
}

#[test]
fn a_reply_cut_at_any_byte_is_no_value() {
    let relay = Relay::start();
    let client = client([relay.address()]);
    client.put(&1, VALUE.to_owned(), LONG).wait().unwrap();
    let mut cut = 0;
    loop {
        let (sender, told) = std::sync::mpsc::channel();
        relay.once("mg ", move |peer, _, reply| {
            sender.send(reply.len()).unwrap();
            peer.send(&reply[..cut.min(reply.len())])?;
            Err(Io::ConnectionAborted.into())
        });
        // A read is asked again where the connection ends.
        assert_eq!(client.get::<String>(&1).wait().unwrap().as_deref(), Some(VALUE), "after {cut} bytes");
        if cut >= told.recv().unwrap() {
            break;
        }
        cut += 1;
    }
    let stats = client.stats();
    assert_eq!((stats.failures, stats.outages), (0, 0), "{stats:?}");
    println!("cut after each of {cut} bytes: {} connections", stats.connections);
}

#[test]
fn a_reset_in_place_of_a_reply_is_asked_again() {
    let relay = Relay::start();
    let client = client([relay.address()]);
    client.put(&1, VALUE.to_owned(), LONG).wait().unwrap();
    relay.once("mg ", |peer, _, _| {
        peer.reset();
        Err(Io::ConnectionReset.into())
    });
    assert_eq!(client.get::<String>(&1).wait().unwrap().as_deref(), Some(VALUE));
    // So are writes that come to the same whether the first was carried out or not,
    relay.once("ms ", |peer, _, _| {
        peer.reset();
        Err(Io::ConnectionReset.into())
    });
    client.put(&1, "new".to_owned(), LONG).wait().unwrap();
    assert_eq!(client.get::<String>(&1).wait().unwrap().as_deref(), Some("new"));
    relay.once("md ", |peer, _, _| {
        peer.reset();
        Err(Io::ConnectionReset.into())
    });
    client.delete(&1).wait().unwrap();
    assert_eq!((client.get::<String>(&1).wait().unwrap(), client.stats().failures), (None, 0));
    // and no others: the second would find what the first has stored.
    relay.once("ms ", |peer, _, _| {
        peer.reset();
        Err(Io::ConnectionReset.into())
    });
    assert_eq!(client.add(&1, "new".to_owned(), LONG).wait().unwrap_err().kind(), ErrorKind::Unavailable);
    assert_eq!(client.stats().failures, 1);
    eventually("it works", || works(&client));
    // It was removed then, since nobody knows what it is.
    let got = client.get::<String>(&1).wait().unwrap();
    assert!(got.as_deref().is_none_or(|got| got == "new"), "{got:?}");
}

#[test]
fn who_answers_in_another_protocol_is_named() {
    for (fault, words) in [
        (Fault::Http, "HTTP"),
        (Fault::TlsAlert, "TLS"),
        (Fault::CloseAtOnce, "without a word"),
        (Fault::TooManyConnections, "out of connections"),
    ] {
        for transport in [Transport::Auto, Transport::Meta] {
            let server = FakeServer::canned("1.6.21", VALUE).unwrap();
            server.set_fault(fault);
            let client = builder([server.address()]).transport(transport).strict().build().unwrap();
            let error = client.get::<String>(&1).wait().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NoServers, "{error}");
            assert!(error.to_string().contains(words), "{fault:?}: {error}");
            assert!(error.to_string().contains(&server.address()), "{error}");
            assert_eq!((client.stats().failures, client.stats().outages), (1, 1));
            server.set_fault(None);
            healed(words, || client.put(&1, VALUE.to_owned(), LONG).wait().is_ok());
        }
    }
}

#[test]
fn nobody_listens_is_told_from_everything_else() {
    let server = MemcachedServer::start().unwrap();
    let address = server.address();
    server.kill();
    let client = builder([address.clone()]).strict().build().unwrap();
    let error = client.get::<String>(&1).wait().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoServers);
    let text = error.to_string();
    assert!(text.contains(&address) && text.contains("cannot connect") && text.contains("refused"), "{text}");
    // Where the client is not strict it is a miss.
    let client = support::client([address]);
    assert_eq!(client.get::<String>(&1).wait().unwrap(), None);
    assert_eq!((client.stats().failures, client.stats().unserved_reads, client.stats().misses), (1, 1, 1));
}

#[test]
fn an_old_server_is_refused_where_meta_commands_are_demanded() {
    for (version, is_fake) in [("1.4.15", true), ("1.6.17", false)] {
        let server = if is_fake { FakeServer::old().unwrap() } else { FakeServer::canned("1.6.17", VALUE).unwrap() };
        let client = builder([server.address()]).transport(Transport::Meta).build().unwrap();
        let error = client.get::<String>(&1).wait().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol);
        let text = error.to_string();
        assert!(text.contains(version) && text.contains("Transport::Auto"), "{text}");
        // It works, only not so: it stays in use, and each operation says so.
        assert_eq!((client.stats().outages, client.stats().failures), (0, 1));
        assert_eq!(client.put(&1, 1, LONG).wait().unwrap_err().kind(), ErrorKind::Protocol);
    }
}

#[test]
fn a_server_of_another_version_in_the_same_place_is_noticed() {
    let server = MemcachedServer::start().unwrap();
    let (new, old) = (server.address(), FakeServer::old().unwrap());
    let told = support::told::Told::of(vec![support::told::at("cache", &server)]);
    let client = MemcachedClient::builder().source(told.clone()).checksum_key("tests").deadline(AMPLE).build().unwrap();
    assert!(works(&client));
    let at = |address: &str| {
        let address = chorde_memcache::Address::Tcp(address.parse().unwrap());
        vec![chorde_memcache::Server::new("cache", address)]
    };
    told.tell(at(&old.address()));
    eventually("the old one is asked", || works(&client) && !old.commands().is_empty());
    told.tell(at(&new));
    let sets = || server.stats().unwrap()["cmd_set"].parse::<u64>().unwrap();
    let before = sets();
    eventually("the new one is asked", || works(&client) && sets() > before);
    // In the commands that it has: one who speaks only those finds what was stored.
    let other = builder([new]).transport(Transport::Meta).build().unwrap();
    client.put(&7, VALUE.to_owned(), LONG).wait().unwrap();
    assert_eq!(other.get::<String>(&7).wait().unwrap().as_deref(), Some(VALUE));
}

#[test]
fn a_server_without_memory_refuses_and_goes_on() {
    let server = MemcachedServer::builder().args(["-m", "2", "-M", "-I", "512k"]).start().unwrap();
    let client = builder([server.address()]).item_size(512 << 10).compression(Compression::off()).build().unwrap();
    let value: Vec<u8> = (0..300_000).map(|_| fastrand::u8(..)).collect();
    let mut refused = None;
    for key in 0..200 {
        match client.put(&key, value.clone(), LONG).wait() {
            Ok(()) => assert_eq!(client.get::<Vec<u8>>(&key).wait().unwrap().as_ref(), Some(&value)),
            Err(error) => {
                refused = Some((key, error));
                break;
            }
        }
    }
    let (key, error) = refused.unwrap();
    assert_eq!(error.kind(), ErrorKind::Value);
    assert!(error.to_string().contains("-m"), "{error}");
    assert_eq!(client.get::<Vec<u8>>(&key).wait().unwrap(), None);
    assert!(client.stats().too_large >= 1);
    assert_eq!((client.stats().failures, client.stats().outages), (0, 0));
    client.delete(&0).wait().unwrap();
    eventually("there is room again", || client.put(&0, value.clone(), LONG).wait().is_ok());
}

#[test]
fn a_value_that_the_server_takes_for_too_large_leaves_no_older_one() {
    let server = MemcachedServer::builder().args(["-I", "512k", "-m", "64"]).start().unwrap();
    let client = builder([server.address()]).compression(Compression::off()).build().unwrap();
    client.put(&1, b"old".to_vec(), LONG).wait().unwrap();
    let large: Vec<u8> = (0..700_000).map(|_| fastrand::u8(..)).collect();
    let error = client.put(&1, large, LONG).wait().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Value);
    assert!(error.to_string().contains("item_size"), "{error}");
    assert_eq!(client.get::<Vec<u8>>(&1).wait().unwrap(), None);
    assert_eq!((client.stats().too_large, client.stats().outages), (1, 0));
    assert!(works(&client));
}

#[test]
fn a_server_that_does_not_read_is_given_up() {
    let server = MemcachedServer::start().unwrap();
    let client = builder([server.address()])
        .deadline(millis(1000))
        .compression(Compression::off())
        .max_waiting(100)
        .build()
        .unwrap();
    let value: Vec<u8> = (0..200_000).map(|_| fastrand::u8(..)).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let (first, large) = (client.clone(), value.clone());
    runtime.block_on(async { tokio::spawn(async move { first.put(&0, large, LONG).await }).await.unwrap() }).unwrap();
    server.pause().unwrap();
    let began = Instant::now();
    let kinds = runtime.block_on(async {
        let puts: Vec<_> = (0..200_u64)
            .map(|key| {
                let (client, value) = (client.clone(), value.clone());
                tokio::spawn(async move { client.put(&key, value, LONG).await })
            })
            .collect();
        let mut kinds = Vec::new();
        for put in puts {
            // Once the server is out of use, writes are dropped.
            kinds.extend(put.await.unwrap().map_err(|error| error.kind()).err());
        }
        kinds
    });
    let stats = client.stats();
    println!("nothing is read: {} failed in {} ms", kinds.len(), began.elapsed().as_millis());
    assert!(stats.refused > 0 && kinds.contains(&ErrorKind::Overloaded), "{stats:?}");
    assert!(kinds.contains(&ErrorKind::Unavailable), "{kinds:?}");
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    server.resume().unwrap();
    healed("nothing was read", || works(&client));
}

#[test]
fn a_server_out_of_connections_is_used_when_it_has_some() {
    let server = MemcachedServer::builder().args(["-c", "32"]).start().unwrap();
    let address = server.address();
    let mut others: Vec<_> = (0..60).map(|_| std::net::TcpStream::connect(&address).unwrap()).collect();
    let client = builder([address]).deadline(millis(300)).build().unwrap();
    // Refused or left without an answer, by the version.
    for _ in 0..5 {
        assert!(client.get::<String>(&1).wait().unwrap_or_default().is_none());
    }
    assert!(client.stats().failures >= 1, "{:?}", client.stats());
    others.clear();
    healed("out of connections", || works(&client));
}

#[test]
fn classic_nonsense_is_no_value_either() {
    for fault in [
        Fault::Garbage,
        Fault::NegativeLength,
        Fault::HugeLength,
        Fault::ShortValue,
        Fault::BadTerminator,
        Fault::OtherRequest,
        Fault::EndlessLine,
        Fault::Cut(9),
        Fault::Reset,
        Fault::Silence,
    ] {
        let server = FakeServer::old().unwrap();
        let client = builder([server.address()]).deadline(millis(400)).build().unwrap();
        eventually("it is stored", || client.put(&1, VALUE.to_owned(), LONG).wait().is_ok());
        server.set_fault(fault);
        let got = client.get::<String>(&1).wait();
        assert!(got.is_err() || got.as_ref().is_ok_and(Option::is_none), "{fault:?}: {got:?}");
        assert!(client.stats().failures + client.stats().timeouts >= 1, "{fault:?}: {:?}", client.stats());
        server.set_fault(None);
        eventually("it is read", || client.get::<String>(&1).wait().is_ok_and(|got| got.as_deref() == Some(VALUE)));
    }
}
