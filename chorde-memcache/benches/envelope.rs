//! Measures sealing and opening: `cargo bench -p chorde-memcache --features testing`.

use chorde_memcache::__bench::{Envelope, route};
use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use serde::{Deserialize, Serialize};

#[global_allocator]
static ALLOCATIONS: divan::AllocProfiler = divan::AllocProfiler::system();

fn main() {
    divan::main();
}

/// About 100 bytes as a payload.
#[derive(Serialize, Deserialize)]
struct Small {
    id: u64,
    name: String,
    tags: [u32; 4],
    note: String,
}

fn small() -> Small {
    Small { id: 1 << 40, name: "n".repeat(24), tags: [1, 300, 70_000, u32::MAX], note: "x".repeat(55) }
}

/// Rows of text such as programs keep, which zstd makes four to five times smaller.
fn text(len: usize) -> String {
    let mut random = fastrand::Rng::with_seed(7);
    let words: Vec<String> = (0..2000).map(|_| (0..random.usize(2..9)).map(|_| random.lowercase()).collect()).collect();
    let mut text = String::with_capacity(len + 100);
    while text.len() < len {
        let word = |random: &mut fastrand::Rng| words[(random.f64().powi(3) * 2000.0) as usize].clone();
        text += &format!(
            "{{\"id\":{},\"name\":\"{} {}\",\"price\":{:.2},\"tags\":[\"{}\",\"{}\"]}},",
            random.u32(..1_000_000),
            word(&mut random),
            word(&mut random),
            random.f64() * 1000.0,
            word(&mut random),
            word(&mut random),
        );
    }
    text.truncate(len);
    text
}

fn noise(len: usize) -> String {
    let mut random = fastrand::Rng::with_seed(7);
    (0..len).map(|_| random.alphanumeric()).collect()
}

#[divan::bench]
fn wire_key(bencher: Bencher<'_, '_>) {
    bencher.bench(|| route(black_box(b"\x04user\x07")));
}

#[divan::bench]
fn wire_key_of_10_kb(bencher: Bencher<'_, '_>) {
    let key = vec![7; 10_000];
    bencher.bench(|| route(black_box(&key)));
}

#[divan::bench]
fn seal_100_bytes(bencher: Bencher<'_, '_>) {
    let (envelope, value) = (Envelope::new(Some(1), 1024), small());
    bencher.bench(|| envelope.seal(black_box(&value)));
}

#[divan::bench]
fn open_100_bytes(bencher: Bencher<'_, '_>) {
    let (envelope, value) = (Envelope::new(Some(1), 1024), small());
    let sealed = envelope.seal(&value);
    bencher.bench(|| envelope.open::<Small>(black_box(&sealed)));
}

const LEVELS: [i32; 5] = [-5, -1, 1, 2, 3];
const LENGTHS: [usize; 6] = [256, 512, 1024, 2048, 4096, 16384];

#[divan::bench(args = LEVELS)]
fn seal_1_mib_of_text(bencher: Bencher<'_, '_>, level: i32) {
    let (envelope, value) = (Envelope::new(Some(level), 1024), text(1 << 20));
    bencher.counter(BytesCount::of_str(&value)).bench(|| envelope.seal(black_box(&value)));
}

#[divan::bench(args = LEVELS)]
fn open_1_mib_of_text(bencher: Bencher<'_, '_>, level: i32) {
    let (envelope, value) = (Envelope::new(Some(level), 1024), text(1 << 20));
    let sealed = envelope.seal(&value);
    bencher.counter(BytesCount::of_str(&value)).bench(|| envelope.open::<String>(black_box(&sealed)));
}

#[divan::bench(args = [16, 64])]
fn seal_mib_of_noise(bencher: Bencher<'_, '_>, sixteenths: usize) {
    let (envelope, value) = (Envelope::new(None, 1024), noise(sixteenths << 16));
    bencher.counter(BytesCount::of_str(&value)).bench(|| envelope.seal(black_box(&value)));
}

#[divan::bench(args = [16, 64])]
fn open_mib_of_noise(bencher: Bencher<'_, '_>, sixteenths: usize) {
    let (envelope, value) = (Envelope::new(None, 1024), noise(sixteenths << 16));
    let sealed = envelope.seal(&value);
    bencher.counter(BytesCount::of_str(&value)).bench(|| envelope.open::<String>(black_box(&sealed)));
}

/// A payload that is made and read byte by byte, or number by number.
#[divan::bench(types = [u8, u64])]
fn seal_1_mib_of_numbers<N: Number>(bencher: Bencher<'_, '_>) {
    let (envelope, value) = (Envelope::new(None, 0), N::all());
    bencher.counter(BytesCount::of_slice(&value)).bench(|| envelope.seal(black_box(&value)));
}

#[divan::bench(types = [u8, u64])]
fn open_1_mib_of_numbers<N: Number>(bencher: Bencher<'_, '_>) {
    let (envelope, value) = (Envelope::new(None, 0), N::all());
    let sealed = envelope.seal(&value);
    bencher.counter(BytesCount::of_slice(&value)).bench(|| envelope.open::<Vec<N>>(black_box(&sealed)));
}

trait Number: Serialize + serde::de::DeserializeOwned + Sync {
    fn all() -> Vec<Self>;
}

impl Number for u8 {
    fn all() -> Vec<Self> {
        noise(1 << 20).into_bytes()
    }
}

impl Number for u64 {
    fn all() -> Vec<Self> {
        let mut random = fastrand::Rng::with_seed(7);
        (0..1 << 17).map(|_| random.u64(..) >> random.u32(..64)).collect()
    }
}

#[divan::bench(args = LENGTHS)]
fn seal_text_plain(bencher: Bencher<'_, '_>, len: usize) {
    seal_text(bencher, None, len);
}

#[divan::bench(args = LENGTHS)]
fn seal_text_compressed(bencher: Bencher<'_, '_>, len: usize) {
    seal_text(bencher, Some(1), len);
}

#[divan::bench(args = LENGTHS)]
fn open_text_plain(bencher: Bencher<'_, '_>, len: usize) {
    open_text(bencher, None, len);
}

#[divan::bench(args = LENGTHS)]
fn open_text_compressed(bencher: Bencher<'_, '_>, len: usize) {
    open_text(bencher, Some(1), len);
}

fn seal_text(bencher: Bencher<'_, '_>, level: Option<i32>, len: usize) {
    let (envelope, value) = (Envelope::new(level, 0), text(len));
    bencher.bench(|| envelope.seal(black_box(&value)));
}

fn open_text(bencher: Bencher<'_, '_>, level: Option<i32>, len: usize) {
    let (envelope, value) = (Envelope::new(level, 0), text(len));
    let sealed = envelope.seal(&value);
    bencher.bench(|| envelope.open::<String>(black_box(&sealed)));
}
