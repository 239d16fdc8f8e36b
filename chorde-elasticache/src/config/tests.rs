//! What is read out of answers, and what is rejected.

mod spoilt;

use std::net::Ipv6Addr;

use proptest::collection::vec;
use proptest::prelude::*;

use super::fuzz::answer as announcing;
use super::*;

const FORMS: [Form; 2] = [Form::Command, Form::Key];

/// The text in AWS's documentation of the format, and its length there.
const DOCUMENTED: &str = "12\nmyCluster.pc4ldq.0001.use1.cache.amazonaws.com|10.82.235.120|11211 \
                          myCluster.pc4ldq.0002.use1.cache.amazonaws.com|10.80.249.27|11211\n";
const DOCUMENTED_LENGTH: usize = 136;

fn node(host: &str, ip: &str, port: u16) -> Node {
    Node { host: host.into(), ip: (!ip.is_empty()).then(|| ip.parse().unwrap()), port }
}

fn documented() -> Config {
    let nodes = vec![
        node("mycluster.pc4ldq.0001.use1.cache.amazonaws.com", "10.82.235.120", 11211),
        node("mycluster.pc4ldq.0002.use1.cache.amazonaws.com", "10.80.249.27", 11211),
    ];
    Config { version: 12, nodes }
}

fn answer(form: Form, text: impl AsRef<[u8]>) -> Vec<u8> {
    announcing(form, text.as_ref().len(), text.as_ref())
}

fn config_in(answer: &[u8], form: Form) -> Config {
    match read(form, answer) {
        Ok(Reading::Done(Said::Config(config))) => config,
        other => panic!("{other:?} of {}", answer.escape_ascii()),
    }
}

/// Reads what must be wrong in the one form and, told alike, in the other.
fn wrong(text: impl AsRef<[u8]>) -> String {
    let [one, other] = FORMS.map(|form| read(form, &answer(form, text.as_ref())).unwrap_err().to_string());
    assert_eq!(one, other);
    one
}

fn valid() -> impl Strategy<Value = Config> {
    let name = "([a-z0-9_]([a-z0-9_-]{0,8}[a-z0-9_])?\\.){0,3}[a-z_]([a-z0-9_-]{0,61}[a-z0-9_])?";
    let ip = || any::<IpAddr>().prop_filter("leads to this machine", |ip| !ip.is_unspecified());
    let host = prop_oneof![4 => name, 1 => ip().prop_map(|ip| ip.to_string())];
    let node = (host, proptest::option::of(ip()), 1..=u16::MAX).prop_map(|(host, ip, port)| Node { host, ip, port });
    let version = prop_oneof![0..100_u64, any::<u64>()];
    (version, vec(node, 1..9)).prop_map(|(version, mut nodes)| {
        let mut seen = std::collections::HashSet::new();
        nodes.retain(|node| seen.insert((node.host.clone(), node.port)));
        Config { version, nodes }
    })
}

/// Each way in which a text is told: how its lines end, and whether the length has the last end in it.
fn tellings(form: Form, config: &Config) -> Vec<Vec<u8>> {
    let text = config.to_payload();
    let uncounted = announcing(form, text.len() - 1, text.as_bytes());
    [text.clone(), text.replace('\n', "\r\n"), text.trim_end().into(), format!("{text}\r\n")]
        .iter()
        .map(|text| answer(form, text))
        .chain([uncounted])
        .collect()
}

#[test]
fn the_documented_example_is_understood() {
    assert_eq!(DOCUMENTED.len(), DOCUMENTED_LENGTH);
    let told = format!("CONFIG cluster 0 136\r\n{DOCUMENTED}\r\nEND\r\n");
    assert_eq!(config_in(told.as_bytes(), Form::Command), documented());
    let told = format!("VALUE AmazonElastiCache:cluster 0 136\r\n{DOCUMENTED}\r\nEND\r\n");
    assert_eq!(config_in(told.as_bytes(), Form::Key), documented());
    assert_eq!(Form::Command.question(), b"config get cluster\r\n");
    assert_eq!(Form::Key.question(), b"get AmazonElastiCache:cluster\r\n");
}

#[test]
fn what_may_be_left_out_or_written_otherwise_is_understood() {
    for (text, nodes) in [
        ("1\nA.Example.|10.0.0.1|1\n", vec![node("a.example", "10.0.0.1", 1)]),
        ("1\r\na||11211\r\n", vec![node("a", "", 11211)]),
        ("1\na|fd00::7|11211", vec![node("a", "fd00::7", 11211)]),
        ("1\n10.0.0.1|10.0.0.1|1 FD00:0::7||1\n\n", vec![node("10.0.0.1", "10.0.0.1", 1), node("fd00::7", "", 1)]),
        ("0001\nb_1-x||65535 b_1-x||065\n", vec![node("b_1-x", "", 65535), node("b_1-x", "", 65)]),
    ] {
        let version = 1;
        for form in FORMS {
            assert_eq!(config_in(&answer(form, text), form), Config { version, nodes: nodes.clone() });
        }
    }
    let flagged = b"VALUE AmazonElastiCache:cluster 32 7\r\n1\na||2\n\r\nEND\r\n";
    assert_eq!(config_in(flagged, Form::Key).nodes, [node("a", "", 2)]);
    assert_eq!(config_in(&answer(Form::Key, format!("{}\na||1\n", u64::MAX)), Form::Key).version, u64::MAX);
}

#[test]
fn the_end_of_the_last_line_need_not_be_counted() {
    let told = b"CONFIG cluster 0 6\r\n1\na||2\n\r\nEND\r\n";
    assert_eq!(config_in(told, Form::Command).nodes, [node("a", "", 2)]);
}

#[test]
fn a_server_may_have_nothing_to_tell_or_not_know_the_command() {
    for form in FORMS {
        assert_eq!(read(form, b"END\r\n"), Ok(Reading::Done(Said::Nothing)));
        assert_eq!(read(form, b"ERROR\r\n"), Ok(Reading::Done(Said::Unknown)));
    }
}

#[test]
fn a_wrong_text_is_rejected_whole() {
    let many: String = (1..=1001).map(|port| format!(" a||{port}")).collect();
    let long = format!("1\n{}.com||1\n", "a".repeat(64));
    let longer = format!("1\n{}aa||1\n", "a.".repeat(126));
    for (text, message) in [
        ("", "not a version: \"\""),
        ("\na||1\n", "not a version: \"\""),
        ("1", "no node is listed"),
        ("1\n", "no node is listed"),
        ("1\n\na||1\n", "no node is listed"),
        ("a||1\n", "not a version: \"a||1\""),
        ("-1\na||1\n", "not a version: \"-1\""),
        ("+1\na||1\n", "not a version: \"+1\""),
        (" 1\na||1\n", "not a version: \" 1\""),
        ("18446744073709551616\na||1\n", "not a version: \"18446744073709551616\""),
        ("1\na||1\nb||1\n", "a line too many: \"b||1\""),
        ("1\na||1\n \n", "a line too many: \" \""),
        ("1\na||1\n\r", "a line too many: \"\\r\""),
        ("1\na||1\r", "not a port: \"1\\r\""),
        ("1\na||1  b||1\n", "not host|ip|port: \"\""),
        ("1\n a||1\n", "not host|ip|port: \"\""),
        ("1\na||1 \n", "not host|ip|port: \"\""),
        ("1\na\n", "not host|ip|port: \"a\""),
        ("1\na|1\n", "not host|ip|port: \"a|1\""),
        ("1\na|10.0.0.1|1|1\n", "not an address: \"10.0.0.1|1\""),
        ("1\na|10.0.0|1\n", "not an address: \"10.0.0\""),
        ("1\na|10.0.0.256|1\n", "not an address: \"10.0.0.256\""),
        ("1\na|010.0.0.1|1\n", "not an address: \"010.0.0.1\""),
        ("1\na|[::1]|1\n", "not an address: \"[::1]\""),
        ("1\na|0.0.0.0|1\n", "not an address: \"0.0.0.0\""),
        ("1\na|b|1\n", "not an address: \"b\""),
        ("1\na||\n", "not a port: \"\""),
        ("1\na||0\n", "not a port: \"0\""),
        ("1\na||65536\n", "not a port: \"65536\""),
        ("1\na||+1\n", "not a port: \"+1\""),
        ("1\na||-1\n", "not a port: \"-1\""),
        ("1\na||1x\n", "not a port: \"1x\""),
        ("1\n|10.0.0.1|1\n", "not a host: \"\""),
        ("1\n.||1\n", "not a host: \".\""),
        ("1\na..b||1\n", "not a host: \"a..b\""),
        ("1\na..||1\n", "not a host: \"a..\""),
        ("1\n-a||1\n", "not a host: \"-a\""),
        ("1\na-||1\n", "not a host: \"a-\""),
        ("1\na:1||1\n", "not a host: \"a:1\""),
        ("1\n10.0.0.256||1\n", "not a host: \"10.0.0.256\""),
        ("1\n0.0.0.0||1\n", "not a host: \"0.0.0.0\""),
        ("1\n[::1]||1\n", "not a host: \"[::1]\""),
        ("1\ncaf\u{e9}||1\n", "not a host: \"caf\\xc3\\xa9\""),
        ("1\na||1 A.|10.0.0.1|1\n", "listed twice: \"a|1\""),
        ("1\n::1||1 0::1||1\n", "listed twice: \"::1|1\""),
        (&long, "not a host: \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"..."),
        (&longer, "not a host: \"a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.\"..."),
        (&format!("1\n{}\n", &many[1..]), "more than 1000 nodes are listed"),
    ] {
        assert_eq!(wrong(text), message, "{text:?}");
    }
    assert_eq!(wrong(b"1\n\xff||1\n"), "the text of the configuration is not UTF-8");
}

#[test]
fn a_wrong_frame_is_rejected() {
    let endless = [b'x'; 512];
    let begun = [&b"CONFIG cluster 0 "[..], &[b'0'; 494], b"1\r\n"].concat();
    for (received, message) in [
        (&b"SERVER_ERROR out of memory\r\n"[..], "the answer is \"SERVER_ERROR out of memory\""),
        (b"CLIENT_ERROR unauthenticated\r\n", "the answer is \"CLIENT_ERROR unauthenticated\""),
        (b"ERROR Too many open connections\r\n", "the answer is \"ERROR Too many open connections\""),
        (b"ERROR \r\n", "the answer is \"ERROR \""),
        (b"\r\n", "the answer is \"\""),
        (b"error\r\n", "the answer is \"error\""),
        (b"HTTP/1.1 400 Bad Request\r\nServer: x", "the answer is \"HTTP/1.1 400 Bad Request\""),
        (b"VALUE AmazonElastiCache:cluster 0 7\r\n", "the answer is \"VALUE AmazonElastiCache:cluster 0 7\""),
        (b"CONFIG cluster 0\r\n", "the answer is \"CONFIG cluster 0\""),
        (b"CONFIG cluster 0 7 8\r\n", "the answer is \"CONFIG cluster 0 7 8\""),
        (b"CONFIG  cluster 0 7\r\n", "the answer is \"CONFIG  cluster 0 7\""),
        (b"CONFIG other 0 7\r\n", "the answer is \"CONFIG other 0 7\""),
        (b"CONFIG cluster x 7\r\n", "the answer is \"CONFIG cluster x 7\""),
        (b"CONFIG cluster 0 \r\n", "the length of the text is \"\""),
        (b"CONFIG cluster 0 -7\r\n", "the length of the text is \"-7\""),
        (b"CONFIG cluster 0 7\r\r\n", "the length of the text is \"7\\r\""),
        (b"CONFIG cluster 0 262145\r\n", "the text is 262145 bytes long, which is more than 262144"),
        (b"CONFIG cluster 0 99999999999999999999\r\n", "the length of the text is \"99999999999999999999\""),
        (b"CONFIG cluster 0 7\n", "the first line does not end with CR LF: \"CONFIG cluster 0 7\""),
        (b"END\n", "the first line does not end with CR LF: \"END\""),
        (b"END\r\nx", "the answer has ended, and there follows \"x\""),
        (b"ERROR\r\nERROR\r\n", "the answer has ended, and there follows \"ERROR\\r\\n\""),
        (b"\x15\x03\x03\x00\x02\x02\x50", "what was received is no text: \"\\x15\\x03\\x03\\x00\\x02\\x02P\""),
        (b"CONFIG\rx", "what was received is no text: \"CONFIG\\rx\""),
        (b"CONFIG cluster 0 7\r\n1\na||2\nx", "the text does not end after 7 bytes: \"x\""),
        (
            b"CONFIG cluster 0 7\r\n1\na||222\n\r\nEND\r\n",
            "the text does not end after 7 bytes: \"2\\n\\r\\nEND\\r\\n\"",
        ),
        (b"CONFIG cluster 0 8\r\n1\na||2\n\r\nEND\r\n", "the text does not end after 8 bytes: \"\\nEND\\r\\n\""),
        (b"CONFIG cluster 0 7\r\n1\na||2\n\r\nEND\n", "the text does not end after 7 bytes: \"\\r\\nEND\\n\""),
        (b"CONFIG cluster 0 7\r\n1\na||2\n\r\nVALUE", "the text does not end after 7 bytes: \"\\r\\nVALUE\""),
        (b"CONFIG cluster 0 7\r\n1\na||2\n\r\nEND\r\n\r\n", "the answer has ended, and there follows \"\\r\\n\""),
        (&endless, "the first line has no end: \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"..."),
        (&begun, "the first line has no end: \"CONFIG cluster 0 0000000000000000000000000000000000000000000\"..."),
    ] {
        assert_eq!(read(Form::Command, received).unwrap_err().to_string(), message);
    }
    let other = read(Form::Key, b"CONFIG cluster 0 7\r\n").unwrap_err();
    assert_eq!(other.to_string(), "the answer is \"CONFIG cluster 0 7\"");
}

#[test]
fn what_is_still_within_the_limits_is_understood() {
    let host = format!("{}a", "a.".repeat(126));
    let longest = format!("1\n{host}||1 {}|fd00::1|2\n", "a".repeat(63));
    assert_eq!(config_in(&answer(Form::Key, longest), Form::Key).nodes[0].host.len(), 253);
    let nodes: Vec<_> = (1..=1000).map(|port| node("a", "10.0.0.1", port)).collect();
    let config = Config { version: 1, nodes };
    assert_eq!(config_in(&answer(Form::Command, config.to_payload()), Form::Command), config);
    assert_eq!(read(Form::Command, b"CONFIG cluster 0 262144\r\n"), Ok(Reading::More));
    assert_eq!(read(Form::Command, &[b'x'; 511]), Ok(Reading::More));
    let padded = format!("CONFIG cluster 0 {:0>493}\r\n", 7);
    assert_eq!((padded.len(), read(Form::Command, padded.as_bytes())), (512, Ok(Reading::More)));
}

#[test]
fn nodes_are_the_same_in_any_sequence() {
    let mut other = documented();
    other.version = 7;
    other.nodes.reverse();
    assert!(documented().has_nodes_of(&other));
    other.nodes[0].ip = Some(Ipv6Addr::LOCALHOST.into());
    assert!(!documented().has_nodes_of(&other));
}

proptest! {
    #[test]
    fn what_is_told_is_read_again(config in valid()) {
        for form in FORMS {
            for told in tellings(form, &config) {
                prop_assert_eq!(config_in(&told, form), config.clone());
            }
        }
    }

    #[test]
    fn an_answer_goes_on_wherever_it_is_cut(config in valid()) {
        for form in FORMS {
            for told in tellings(form, &config) {
                for cut in 0..told.len() {
                    prop_assert_eq!(read(form, &told[..cut]), Ok(Reading::More), "cut at {}", cut);
                }
            }
        }
    }

    #[test]
    fn no_message_is_long(received in vec(any::<u8>(), 0..300)) {
        if let Err(malformed) = read(Form::Command, &received) {
            let message = malformed.to_string();
            prop_assert!(message.len() < 120 && message.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{}", message);
        }
    }
}
