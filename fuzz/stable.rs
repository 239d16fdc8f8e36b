//! Runs a target without a fuzzer: on each input of its corpus, and on random mutations of them. For the tests of the
//! crates whose targets they are, which include this file.
//!
//! `CHORDE_FUZZ` is how many mutations all targets get together; `CHORDE_FUZZ_SEED` repeats a run.

use std::fs;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;

/// How many mutations all targets get together where nothing is said.
const MUTATIONS: u64 = 20_000;

/// How many targets share them.
const TARGETS: u64 = 11;

/// Targets of which one run takes as long as several of others, and how many.
const SLOW: [(&str, u64); 1] = [("attribute", 10)];

/// The longest input that is made.
const LONGEST: usize = 1024;

/// Runs a target; prints what was run, and an input that it failed on.
pub(crate) fn check(name: &str, target: fn(&[u8])) {
    let (corpus, words) = (corpus(name), words(name));
    let seed = setting("CHORDE_FUZZ_SEED").unwrap_or_else(|| RandomState::new().build_hasher().finish());
    let slower = SLOW.iter().find(|(slow, _)| *slow == name).map_or(1, |(_, times)| *times);
    let mutations = setting("CHORDE_FUZZ").unwrap_or(MUTATIONS).div_ceil(TARGETS * slower);
    let run = |input: &[u8], what: &str| {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| target(input))) {
            eprintln!("{name} fails on {what}: b\"{}\"", input.escape_ascii());
            resume_unwind(panic);
        }
    };
    for (file, input) in &corpus {
        run(input, file);
    }
    let mut dice = Dice(seed);
    for count in 0..mutations {
        let mut input = corpus[dice.below(corpus.len())].1.clone();
        for _ in 0..=dice.below(4) {
            mutate(&mut input, &corpus[dice.below(corpus.len())].1, &words, &mut dice);
        }
        run(&input, &format!("mutation {count} with CHORDE_FUZZ_SEED={seed}"));
    }
    println!("fuzz {name}: {} inputs and {mutations} mutations of them, CHORDE_FUZZ_SEED={seed}", corpus.len());
}

fn setting(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    Some(value.parse().unwrap_or_else(|_| panic!("{name} is no number: {value}")))
}

fn folder() -> PathBuf {
    let mut folders = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().map(|folder| folder.join("fuzz"));
    folders.find(|folder| folder.join("corpus").is_dir()).expect("the folder `fuzz` of the repository")
}

/// Reads the corpus of a target: names of files and what is in them.
fn corpus(name: &str) -> Vec<(String, Vec<u8>)> {
    let folder = folder().join("corpus").join(name);
    let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let read = |file: fs::DirEntry| {
        (file.file_name().to_string_lossy().into_owned(), fs::read(file.path()).expect("the file can be read"))
    };
    let mut corpus: Vec<_> = files.map(|file| read(file.expect("the folder can be read"))).collect();
    assert!(!corpus.is_empty(), "{} is empty", folder.display());
    corpus.sort();
    corpus
}

/// Reads the words of a target's dictionary, which is in the form of libFuzzer's.
fn words(name: &str) -> Vec<Vec<u8>> {
    let text = fs::read_to_string(folder().join("dictionaries").join(name)).unwrap_or_default();
    let quoted = text.lines().filter_map(|line| line.strip_prefix('"')?.strip_suffix('"'));
    quoted.map(unescaped).collect()
}

fn unescaped(text: &str) -> Vec<u8> {
    let mut bytes = text.bytes();
    let mut word = Vec::new();
    while let Some(byte) = bytes.next() {
        word.push(match byte {
            b'\\' => match bytes.next() {
                Some(b'x') => {
                    let digits = [bytes.next(), bytes.next()].map(|digit| char::from(digit.expect("two digits")));
                    let number = digits.map(|digit| digit.to_digit(16).expect("a hexadecimal digit"));
                    (number[0] << 4 | number[1]) as u8
                }
                escaped => escaped.expect("something behind a backslash"),
            },
            byte => byte,
        });
    }
    word
}

/// Changes an input at one place.
fn mutate(input: &mut Vec<u8>, other: &[u8], words: &[Vec<u8>], dice: &mut Dice) {
    let at = dice.below(input.len() + 1);
    let some = at..(at + dice.below(16)).min(input.len());
    match dice.below(9) {
        0 if at < input.len() => input[at] ^= 1 << dice.below(8),
        1 if at < input.len() => input[at] = dice.next() as u8,
        2 if at < input.len() => input[at] = input[at].wrapping_add([1, 255][dice.below(2)]),
        0..=2 => input.push(dice.next() as u8),
        3 => drop(input.drain(some)),
        4 => input.truncate(at),
        5 => {
            let copy = input[some].to_vec();
            drop(input.splice(at..at, copy));
        }
        6 if !words.is_empty() => drop(input.splice(at..at, words[dice.below(words.len())].iter().copied())),
        7 if !words.is_empty() => drop(input.splice(some, words[dice.below(words.len())].iter().copied())),
        _ => {
            let from = dice.below(other.len() + 1);
            let to = (from + dice.below(64)).min(other.len());
            drop(input.splice(some, other[from..to].iter().copied()));
        }
    }
    input.truncate(LONGEST);
}

/// Throws numbers that follow from a seed (`SplitMix64`).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }
}
