//! Any bytes may come from a server, and any command may be asked: the two targets of this module (feature `testing`).

mod legal;
mod oracle;

use std::io::IoSlice;

use bytes::{Bytes, BytesMut};

use super::{Answer, Decoder, Kind, Outgoing, check};
use crate::command::{Command, Failure, How, Life};
use crate::input::{Input, cuts};
use crate::life::RELATIVE;

/// The number that all replies must carry.
const OPAQUE: u32 = 0x1f;

const KINDS: [Kind; 7] = [Kind::Data, Kind::Head, Kind::Number, Kind::Set, Kind::Add, Kind::Swap, Kind::Change];

/// What a decoder made of bytes.
#[derive(Debug, PartialEq, Eq)]
struct Read {
    answers: Vec<Answer>,
    failure: Option<Failure>,
}

/// Decodes replies: the same however the bytes are cut, as the oracle reads them, and nothing of a user's in messages.
///
/// The input is a limit, a count, so many kinds of commands, and what the server sends.
pub(crate) fn decode(data: &[u8]) {
    let mut input = Input::new(data);
    let limit = [40, 1 << 20][input.below(2)];
    let kinds: Vec<Kind> = (0..=input.below(6)).map(|_| KINDS[input.below(7)]).collect();
    let stream = input.rest();
    let whole = in_pieces(limit, &kinds, &[stream]);
    oracle::agree(limit, &kinds, stream, &whole);
    for pieces in cuts(stream) {
        assert_eq!(in_pieces(limit, &kinds, &pieces), whole, "{pieces:?}");
    }
}

fn in_pieces(limit: u32, kinds: &[Kind], pieces: &[&[u8]]) -> Read {
    let mut decoder = Decoder::new(limit);
    let mut input = BytesMut::new();
    let mut answers = Vec::new();
    for piece in pieces {
        input.extend_from_slice(piece);
        while let Some(kind) = kinds.get(answers.len()) {
            match decoder.next(*kind, OPAQUE, &mut input) {
                Ok(Some(answer)) => answers.push(answer),
                Ok(None) => break,
                Err(failure) => return Read { answers, failure: Some(failure) },
            }
        }
    }
    Read { answers, failure: None }
}

/// A command that was encoded, and how.
struct Pushed<'a> {
    command: Command<'a>,
    opaque: u32,
    size: usize,
    kept: bool,
}

/// Encodes commands: each is refused or is one legal line with its data; and what is kept of them, and what is left after
/// a part was written, are as if nothing else had been.
///
/// The input is the time, how much was written, and the commands.
pub(crate) fn encode(data: &[u8]) {
    let mut input = Input::new(data);
    let (now, written) = (input.number(), input.number() as usize);
    let mut outgoing = Outgoing::default();
    let mut pushed: Vec<Pushed<'_>> = Vec::new();
    while !input.is_empty() && pushed.len() < 8 {
        let (opaque, kept) = (input.number32(), input.is_set());
        let command = command(&mut input);
        let checked = check(&command);
        assert_eq!(checked.is_ok(), legal::is_key(command.key()), "{command:?}");
        let Ok(most) = checked else { continue };
        let before = outgoing.len();
        outgoing.push(&command, opaque, now);
        let size = outgoing.len() - before;
        assert!(size <= most, "{size} bytes instead of {most}: {command:?}");
        pushed.push(Pushed { command, opaque, size, kept });
    }
    let bytes = outgoing.to_vec();
    assert_eq!(bytes.len(), outgoing.len());
    let mut rest = &bytes[..];
    for Pushed { command, opaque, .. } in &pushed {
        rest = legal::read(command, *opaque, now, rest);
    }
    assert!(rest.is_empty(), "more than the commands: {}", rest.escape_ascii());
    check_rest(&outgoing, written % (bytes.len() + 1), &bytes);
    check_kept(outgoing, &pushed, now);
}

/// Checks what is left after so many bytes were written.
fn check_rest(outgoing: &Outgoing, written: usize, bytes: &[u8]) {
    let mut slices = [IoSlice::new(&[]); 64];
    let used = outgoing.rest(written, &mut slices);
    let left: Vec<u8> = slices[..used].iter().flat_map(|slice| slice.to_vec()).collect();
    assert!(left == bytes[written..], "what is left after {written} bytes");
    let in_one = outgoing.rest_in_one(written);
    assert!(in_one.is_none_or(|left| *left == bytes[written..]), "what is left in one piece after {written} bytes");
}

/// Checks that commands which are given up leave no trace.
fn check_kept(mut outgoing: Outgoing, pushed: &[Pushed<'_>], now: u64) {
    let mut expected = Outgoing::default();
    for Pushed { command, opaque, .. } in pushed.iter().filter(|pushed| pushed.kept) {
        expected.push(command, *opaque, now);
    }
    outgoing.retain(pushed.iter().map(|pushed| (pushed.size, pushed.kept)));
    assert_eq!(outgoing.len(), expected.len());
    assert!(outgoing.to_vec() == expected.to_vec(), "what is kept");
}

fn command<'a>(input: &mut Input<'a>) -> Command<'a> {
    let which = input.byte();
    let key = input.bytes();
    let cas = |input: &mut Input<'_>| input.is_set().then(|| input.number());
    let life = |input: &mut Input<'_>| Life(input.number32());
    match which % 11 {
        0 => Command::Get { key },
        1 => Command::Head { key },
        2 => {
            let (lease, refresh) = (input.number32().min(RELATIVE), input.number32() >> 1);
            Command::Claim { key, lease, refresh }
        }
        3 => Command::Refresh { key, refresh: input.number32() >> 1, lease: input.number32() },
        4 => Command::Touch { key, life: life(input) },
        5 => Command::Delete { key, cas: cas(input) },
        6 => Command::MarkStale { key, life: input.is_set().then(|| life(input)), cas: cas(input) },
        7 => Command::Count { key, initial: input.number() },
        8 => Command::Number { key },
        9 => Command::PutNumber { key, number: input.number() },
        _ => {
            let how = [How::Set, How::Add, How::Cas(input.number())][input.below(3)];
            // Large data is not copied among the bytes of the lines.
            let data = input.bytes().repeat([1, 1, 64, 200][input.below(4)]);
            Command::Store { key, data: Bytes::from(data), flags: input.number32(), life: life(input), how }
        }
    }
}
