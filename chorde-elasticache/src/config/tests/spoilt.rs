//! Answers in which little is wrong, out of valid configurations; any bytes at all are the fuzzer's (`config/fuzz.rs`).

use proptest::sample::select;

use super::super::fuzz::judge;
use super::*;

/// What answers are made of, and what they might be mistaken for.
const TOKENS: [&str; 48] = [
    "|",
    "||",
    " ",
    "  ",
    "\n",
    "\r\n",
    "\r",
    "\n\n",
    ".",
    "..",
    "-",
    "_",
    ":",
    "::",
    "0",
    "1",
    "7",
    "9",
    "10",
    "+1",
    "-1",
    "65535",
    "65536",
    "18446744073709551615",
    "18446744073709551616",
    "a",
    "A",
    "a.",
    "aB.c",
    "a||1",
    "a|::1|1",
    "|10.0.0.1|",
    "10.0.0.1",
    "0.0.0.0",
    "256",
    "fd00::7",
    "::ffff:10.0.0.1",
    "END",
    "END\r\n",
    "\r\nEND\r\n",
    "ERROR\r\n",
    "CONFIG cluster 0 ",
    "VALUE AmazonElastiCache:cluster 0 ",
    "CONFIG",
    "cluster",
    "SERVER_ERROR x\r\n",
    "\0",
    "é",
];

/// One thing that goes wrong with bytes.
#[derive(Clone, Debug)]
enum Wrong {
    Set(usize, u8),
    Insert(usize, &'static str),
    Replace(usize, usize, &'static str),
    Remove(usize, usize),
    Repeat(usize, usize),
    Swap(usize, usize),
    Cut(usize),
}

fn wrongs() -> impl Strategy<Value = Vec<Wrong>> {
    let at = || prop_oneof![0..40_usize, 0..1000_usize];
    let few = || 0..12_usize;
    let token = || select(&TOKENS[..]);
    let wrong = prop_oneof![
        (at(), any::<u8>()).prop_map(|(at, byte)| Wrong::Set(at, byte)),
        (at(), token()).prop_map(|(at, token)| Wrong::Insert(at, token)),
        (at(), few(), token()).prop_map(|(at, few, token)| Wrong::Replace(at, few, token)),
        (at(), few()).prop_map(|(at, few)| Wrong::Remove(at, few)),
        (at(), at()).prop_map(|(at, more)| Wrong::Repeat(at, more)),
        (at(), at()).prop_map(|(one, other)| Wrong::Swap(one, other)),
        at().prop_map(Wrong::Cut),
    ];
    vec(wrong, 0..5)
}

fn spoil(bytes: &mut Vec<u8>, wrong: &Wrong) {
    let len = bytes.len();
    let within = |at: usize| at % (len + 1);
    let span = |at: usize, more: usize| within(at)..(within(at) + more).min(len);
    match *wrong {
        _ if len == 0 => {}
        Wrong::Set(at, byte) => bytes[at % len] = byte,
        Wrong::Insert(at, token) => drop(bytes.splice(span(at, 0), token.bytes())),
        Wrong::Replace(at, few, token) => drop(bytes.splice(span(at, few), token.bytes())),
        Wrong::Remove(at, few) => drop(bytes.drain(span(at, few))),
        Wrong::Repeat(at, more) => bytes.extend_from_within(span(at, more)),
        Wrong::Swap(one, other) => bytes.swap(one % len, other % len),
        Wrong::Cut(at) => bytes.truncate(within(at)),
    }
}

fn form() -> impl Strategy<Value = Form> {
    select(&FORMS[..])
}

#[test]
fn each_wrong_byte_in_the_documented_example_is_judged() {
    for form in FORMS {
        let told = answer(form, DOCUMENTED);
        let mut spoilt = told.clone();
        for at in 0..told.len() {
            for byte in 0..=255 {
                spoilt[at] = byte;
                judge(form, &spoilt);
                spoilt[at] = told[at];
                spoilt.insert(at, byte);
                judge(form, &spoilt);
                spoilt.remove(at);
            }
            spoilt.remove(at);
            judge(form, &spoilt);
            spoilt.insert(at, told[at]);
        }
        assert!(spoilt == told && judge(form, &told));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn spoilt_answers_are_judged(form in form(), config in valid(), wrongs in wrongs()) {
        let mut spoilt = answer(form, config.to_payload());
        for wrong in &wrongs {
            spoil(&mut spoilt, wrong);
        }
        judge(form, &spoilt);
    }

    /// With the length put right, the text itself is looked at.
    #[test]
    fn spoilt_texts_are_judged(form in form(), config in valid(), wrongs in wrongs(), miscounted in -1..=1_isize) {
        let mut spoilt = config.to_payload().into_bytes();
        for wrong in &wrongs {
            spoil(&mut spoilt, wrong);
        }
        judge(form, &answer(form, &spoilt));
        judge(form, &announcing(form, spoilt.len().saturating_add_signed(miscounted), &spoilt));
    }

    #[test]
    fn single_wrong_bytes_are_judged(form in form(), config in valid(), at: proptest::sample::Index, byte: u8) {
        let told = answer(form, config.to_payload());
        let at = at.index(told.len());
        let (before, after) = told.split_at(at);
        judge(form, &[before, &[byte], after].concat());
        judge(form, &[before, &[byte], &after[1..]].concat());
        judge(form, &[before, &after[1..]].concat());
    }
}
