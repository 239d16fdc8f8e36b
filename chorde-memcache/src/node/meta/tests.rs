use bytes::{Bytes, BytesMut};
use proptest::prelude::*;

use super::*;
use crate::command::{Failure, Item, Life, Reply};
use crate::life::RELATIVE;

const LIMIT: u32 = 1 << 20;

fn encoded(command: &Command<'_>) -> String {
    let mut outgoing = Outgoing::default();
    outgoing.push(command, 0xbeef, 1_700_000_000);
    assert_eq!(outgoing.len(), outgoing.to_vec().len());
    assert!(outgoing.len() <= check(command).unwrap());
    String::from_utf8(outgoing.to_vec()).unwrap()
}

fn store(data: &'static [u8], flags: u32, life: u32, how: How) -> Command<'static> {
    Command::Store { key: b"k", data: Bytes::from_static(data), flags, life: Life(life), how }
}

#[test]
fn commands_are_written_as_the_server_wants_them() {
    let key = b"k".as_slice();
    let cases = [
        (Command::Get { key }, "mg k v f c t Obeef\r\n"),
        (Command::Head { key }, "mg k f c t s Obeef\r\n"),
        (Command::Claim { key, lease: 30, refresh: 60 }, "mg k N30 R60 v f c t Obeef\r\n"),
        (Command::Refresh { key, refresh: 60, lease: 30 }, "mg k R60 f c t s Obeef\r\n"),
        (store(b"abc", 0, 60, How::Set), "ms k 3 T60 Obeef\r\nabc\r\n"),
        (store(b"", u32::MAX, 60, How::Add), "ms k 0 T60 F4294967295 ME Obeef\r\n\r\n"),
        (store(b"abc", 7, 60, How::Cas(u64::MAX)), "ms k 3 T60 F7 C18446744073709551615 Obeef\r\nabc\r\n"),
        (Command::Touch { key, life: Life(60) }, "mg k T60 f c t s Obeef\r\n"),
        (Command::Delete { key, cas: None }, "md k Obeef\r\n"),
        (Command::Delete { key, cas: Some(0) }, "md k C0 Obeef\r\n"),
        (Command::MarkStale { key, life: None, cas: None }, "md k I Obeef\r\n"),
        (Command::MarkStale { key, life: Some(Life(60)), cas: Some(9) }, "md k I T60 C9 Obeef\r\n"),
        (Command::Count { key, initial: u64::MAX }, "ma k N0 J18446744073709551615 D1 v Obeef\r\n"),
        (Command::Number { key }, "mg k v Obeef\r\n"),
        (Command::PutNumber { key, number: 120 }, "ms k 3 T0 Obeef\r\n120\r\n"),
    ];
    for (command, expected) in cases {
        assert_eq!(encoded(&command), expected);
    }
}

#[test]
fn lives_beyond_thirty_days_are_dated() {
    assert!(is_dated(&store(b"", 0, RELATIVE + 1, How::Set)) && !is_dated(&store(b"", 0, RELATIVE, How::Set)));
}

#[test]
fn keys_that_would_break_the_protocol_are_not_sent() {
    for key in [&b""[..], b"a b", b"a\r\nflush_all", b"a\0", b"\x7f", &[b'k'; 251]] {
        assert!(matches!(check(&Command::Get { key }), Err(Failure::Protocol(_))));
    }
    check(&Command::Get { key: &[b'k'; 250] }).unwrap();
}

/// Decodes one reply that is there as a whole.
fn decoded(kind: Kind, reply: &[u8]) -> Result<Answer, Failure> {
    let mut decoder = Decoder::new(LIMIT);
    let answer = decoder.next(kind, 0x1f, &mut BytesMut::from(reply))?;
    Ok(answer.expect("a whole reply"))
}

fn item(reply: &[u8], kind: Kind) -> Item {
    match decoded(kind, reply) {
        Ok(Answer::Reply(Reply::Item(item))) => item,
        other => panic!("{other:?}"),
    }
}

#[test]
fn items_come_with_all_that_was_asked_for() {
    let found = item(b"VA 3 f7 c2 t100 O1f\r\nabc\r\n", Kind::Data);
    let expected =
        Item { data: Bytes::from_static(b"abc"), size: 3, flags: 7, cas: 2, left: Some(100), ..Item::default() };
    assert_eq!(found, expected);
    let head = item(b"HD f4294967295 c18446744073709551615 t-1 s9 O1f Z X\r\n", Kind::Head);
    let expected = Item { size: 9, flags: u32::MAX, cas: u64::MAX, held: true, stale: true, ..Item::default() };
    assert_eq!(head, expected);
    let stub = item(b"VA 0 f0 c1 t30 O1f W\r\n\r\n", Kind::Data);
    assert_eq!(stub, Item { cas: 1, left: Some(30), won: true, ..Item::default() });
    assert_eq!(item(b"HD f1 c1 t1 s1 O1f y7 \r\n", Kind::Head).flags, 1, "flags to come are passed over");
}

#[test]
fn replies_fit_their_commands_or_are_refused() {
    use Kind::{Add, Change, Data, Head, Number, Set, Swap};
    let kinds = [Data, Head, Number, Set, Add, Swap, Change];
    let fits: [(&str, Reply, &[Kind]); 5] = [
        ("EN", Reply::Missing, &[Data, Head, Number]),
        ("NF", Reply::Missing, &[Number, Swap, Change]),
        ("HD", Reply::Done, &[Set, Add, Swap, Change]),
        ("NS", Reply::Exists, &[Add]),
        ("EX", Reply::Exists, &[Swap, Change]),
    ];
    for (code, reply, fitting) in fits {
        for kind in kinds {
            let answer = decoded(kind, format!("{code} O1f\r\n").as_bytes());
            if fitting.contains(&kind) {
                assert_eq!(answer, Ok(Answer::Reply(reply.clone())), "{code} to {kind:?}");
            } else {
                assert!(matches!(answer, Err(Failure::Protocol(_))), "{code} to {kind:?}: {answer:?}");
            }
        }
    }
    for kind in [Head, Set, Add, Swap, Change] {
        assert!(matches!(decoded(kind, b"VA 1 f0 c1 t1 s1 O1f\r\nx\r\n"), Err(Failure::Protocol(_))));
    }
}

#[test]
fn numbers_are_digits_with_spaces_behind() {
    let number = |data: &str| decoded(Kind::Number, format!("VA {} O1f\r\n{data}\r\n", data.len()).as_bytes()).unwrap();
    assert_eq!(number("0"), Answer::Reply(Reply::Number(0)));
    assert_eq!(number("18446744073709551615"), Answer::Reply(Reply::Number(u64::MAX)));
    assert_eq!(number("17   "), Answer::Reply(Reply::Number(17)));
    for none in ["", " 1", "-1", "1x", "18446744073709551616", "1 1"] {
        assert!(matches!(number(none), Answer::Rejected(_)), "{none:?}");
    }
}

#[test]
fn what_is_malformed_is_refused_and_the_failure_says_how() {
    let cases: [(&[u8], &str); 22] = [
        (b"HD f0 c1 t1 s1 O1e\r\n", "another command"),
        (b"EN O1e\r\n", "another command"),
        (b"EN\r\n", "without the number"),
        (b"EN O\r\n", "another command"),
        (b"EN O11f00000001f\r\n", "another command"),
        (b"HD f0 t1 s1 O1f\r\n", "flag that was asked for"),
        (b"HD f0 c1 t1 O1f\r\n", "flag that was asked for"),
        (b"HD f0 c1 t1 s1 s1 O1f\r\n", "twice"),
        (b"HD f0 c1 t1 s1 O1f O1f\r\n", "twice"),
        (b"HD f4294967296 c1 t1 s1 O1f\r\n", "number that cannot be"),
        (b"HD f0 c t1 s1 O1f\r\n", "number that cannot be"),
        (b"HD f0 c1 t-2 s1 O1f\r\n", "number that cannot be"),
        (b"HD f0 c1 t1 s1x O1f\r\n", "cannot be read"),
        (b"HD f0 c1 t1 s1 O1f Wx\r\n", "cannot be read"),
        (b"HD\tO1f\r\n", "memcached does not give"),
        (b"HDX O1f\r\n", "memcached does not give"),
        (b"MN\r\n", "does not fit"),
        (b"\r\n", "memcached does not give"),
        (b"\n", "CR LF"),
        (b"EN O1f\n", "CR LF"),
        (b"-ERR unknown command\r\n", "memcached does not give"),
        (b"VALUE k 0 3\r\n", "memcached does not give"),
    ];
    for (reply, why) in cases {
        let text = String::from_utf8_lossy(reply);
        match decoded(Kind::Head, reply) {
            Err(Failure::Protocol(said)) => assert!(said.contains(why), "{text:?}: {said}"),
            other => panic!("{text:?}: {other:?}"),
        }
    }
    for (length, why) in [("-1", "no number"), ("x", "no number"), ("", "no number"), ("1048577", "limit")] {
        let reply = format!("VA {length} f0 c1 t1 O1f\r\n");
        assert!(matches!(decoded(Kind::Data, reply.as_bytes()), Err(Failure::Protocol(said)) if said.contains(why)));
    }
    let reply = b"VA 99999999999999999999999 f0 c1 t1 O1f\r\n";
    assert!(matches!(decoded(Kind::Data, reply), Err(Failure::Protocol(_))));
    let reply = b"VA 3 f0 c1 t1 O1f\r\nabcd\r\n";
    assert!(matches!(decoded(Kind::Data, reply), Err(Failure::Protocol(said)) if said.contains("longer")));
}

#[test]
fn an_endless_line_is_refused_before_it_ends() {
    let mut decoder = Decoder::new(LIMIT);
    let mut input = BytesMut::from(&[b'x'; 2047][..]);
    assert_eq!(decoder.next(Kind::Data, 1, &mut input), Ok(None));
    input.extend_from_slice(b"x");
    assert!(matches!(decoder.next(Kind::Data, 1, &mut input), Err(Failure::Protocol(_))));
}

#[test]
fn errors_of_the_server_end_the_connection_only_where_data_follows_the_command() {
    let said = |kind, line: &str| decoded(kind, format!("{line}\r\n").as_bytes());
    for line in ["ERROR", "CLIENT_ERROR bad data chunk", "SERVER_ERROR backend failure", "SERVER_ERROR"] {
        assert!(matches!(said(Kind::Data, line), Ok(Answer::Rejected(_))), "{line}");
        assert!(matches!(said(Kind::Change, line), Ok(Answer::Rejected(_))), "{line}");
        assert!(matches!(said(Kind::Set, line), Err(Failure::Protocol(_))), "{line}");
    }
    for line in ["SERVER_ERROR object too large for cache", "SERVER_ERROR out of memory storing object"] {
        assert_eq!(said(Kind::Swap, line), Ok(Answer::Reply(Reply::TooLarge)));
        assert!(matches!(said(Kind::Data, line), Ok(Answer::Rejected(_))));
    }
    assert_eq!(said(Kind::Data, "ERROR Too many open connections"), Err(Failure::TooManyConnections));
    let told = said(Kind::Data, "CLIENT_ERROR no such key users:4711 here");
    assert_eq!(told, Ok(Answer::Rejected("the server said: CLIENT_ERROR no such key".into())), "no key is passed on");
}

/// A reply as a server may send it, with the kind of command that it answers.
fn any_reply() -> impl Strategy<Value = (Kind, Vec<u8>)> {
    let item = (any::<u32>(), any::<u64>(), proptest::option::of(any::<u32>()), "( W)?( Z)?( X)?");
    let data = proptest::collection::vec(prop_oneof![any::<u8>(), Just(b'\r'), Just(b'\n')], 0..40);
    let with_data = (item.clone(), data).prop_map(|((flags, cas, left, marks), data)| {
        let left = left.map_or("-1".into(), |left| left.to_string());
        let mut reply = format!("VA {} f{flags} c{cas} t{left} O1f{marks}\r\n", data.len()).into_bytes();
        reply.extend(data);
        reply.extend(b"\r\n");
        (Kind::Data, reply)
    });
    let head = (item, any::<u32>()).prop_map(|((flags, cas, _, marks), size)| {
        (Kind::Head, format!("HD f{flags} c{cas} t5 s{size} O1f{marks}\r\n").into_bytes())
    });
    let bare = prop_oneof![
        Just((Kind::Data, b"EN O1f\r\n".to_vec())),
        Just((Kind::Change, b"EX O1f\r\n".to_vec())),
        Just((Kind::Data, b"SERVER_ERROR out of order\r\n".to_vec())),
        Just((Kind::Set, b"SERVER_ERROR object too large for cache\r\n".to_vec())),
        Just((Kind::Number, b"VA 2 O1f\r\n17\r\n".to_vec())),
    ];
    let garbage = proptest::collection::vec(prop_oneof![any::<u8>(), Just(b'\n'), Just(b' ')], 1..30)
        .prop_map(|bytes| (Kind::Head, bytes));
    prop_oneof![4 => with_data, 2 => head, 2 => bare, 1 => garbage]
}

/// Decodes bytes that come in these pieces.
fn in_pieces(kinds: &[Kind], pieces: &[&[u8]]) -> (Vec<Answer>, Option<Failure>) {
    let mut decoder = Decoder::new(LIMIT);
    let mut input = BytesMut::new();
    let mut answers = Vec::new();
    for piece in pieces {
        input.extend_from_slice(piece);
        while let Some(kind) = kinds.get(answers.len()) {
            match decoder.next(*kind, 0x1f, &mut input) {
                Ok(Some(answer)) => answers.push(answer),
                Ok(None) => break,
                Err(failure) => return (answers, Some(failure)),
            }
        }
    }
    (answers, None)
}

proptest! {
    #[test]
    fn it_does_not_matter_how_the_bytes_are_cut(
        replies in proptest::collection::vec(any_reply(), 1..6),
        cuts in proptest::collection::vec(any::<proptest::sample::Index>(), 0..8),
    ) {
        let kinds: Vec<_> = replies.iter().map(|(kind, _)| *kind).collect();
        let bytes: Vec<u8> = replies.into_iter().flat_map(|(_, bytes)| bytes).collect();
        let whole = in_pieces(&kinds, &[&bytes]);
        for cut in 0..bytes.len() {
            prop_assert_eq!(&in_pieces(&kinds, &[&bytes[..cut], &bytes[cut..]]), &whole);
        }
        let single: Vec<_> = bytes.chunks(1).collect();
        prop_assert_eq!(&in_pieces(&kinds, &single), &whole);
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len())).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let pieces: Vec<_> = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
        prop_assert_eq!(&in_pieces(&kinds, &pieces), &whole);
    }

    #[test]
    fn what_is_kept_of_the_outgoing_commands_is_as_if_the_others_had_never_been(
        commands in proptest::collection::vec((0usize..3, any::<bool>()), 0..12),
        written in any::<proptest::sample::Index>(),
    ) {
        let sizes = [10, 9_000, 20_000];
        let (mut all, mut expected, mut kept) = (Outgoing::default(), Outgoing::default(), Vec::new());
        for (index, (size, keep)) in commands.iter().enumerate() {
            let data = Bytes::from(vec![index as u8; sizes[*size]]);
            let command = Command::Store { key: b"k", data, flags: 0, life: Life(1), how: How::Set };
            let before = all.len();
            all.push(&command, index as u32, 0);
            kept.push((all.len() - before, *keep));
            if *keep {
                expected.push(&command, index as u32, 0);
            }
        }
        all.retain(kept.into_iter());
        prop_assert_eq!(all.len(), expected.len());
        prop_assert!(all.to_vec() == expected.to_vec());
        let written = written.index(all.len() + 1);
        let mut slices = [std::io::IoSlice::new(&[]); 64];
        let used = all.rest(written, &mut slices);
        let rest: Vec<u8> = slices[..used].iter().flat_map(|slice| slice.to_vec()).collect();
        prop_assert!(rest == expected.to_vec()[written..]);
    }
}
