//! What is asked for, in which order: files, and generated mixes.

use std::collections::HashSet;
use std::path::Path;

use fastrand::Rng;

/// Accesses, and the capacities with which they are tried.
pub struct Trace {
    pub name: String,
    pub keys: Vec<u64>,
    pub capacities: Vec<usize>,
}

/// Capacities of well-known traces; others are tried with parts of their distinct keys.
const KNOWN: [(&str, &[usize]); 9] = [
    ("gli", &[250, 500, 1000, 1500]),
    ("loop", &[256, 512, 768]),
    ("cs", &[500, 1000]),
    ("sprite", &[100, 500, 1000]),
    ("two_pools", &[100, 200, 400]),
    ("multi1", &[1000]),
    ("web07", &[1000, 2000]),
    ("corda", &[512]),
    (CHAIN, &[512]),
];

const CHAIN: &str = "corda, 5 x loop, corda";

pub fn all(folder: Option<&Path>) -> Result<Vec<Trace>, String> {
    let mut traces = Vec::new();
    if let Some(folder) = folder {
        let said = |why: std::io::Error| format!("`--traces {}`: {why}", folder.display());
        let mut files: Vec<_> =
            std::fs::read_dir(folder).map_err(said)?.filter_map(|entry| Some(entry.ok()?.path())).collect();
        files.sort();
        for file in files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "txt")) {
            let keys = read(file)?;
            traces.push(trace(file.file_stem().unwrap_or_default().to_string_lossy().into_owned(), keys));
        }
        if traces.is_empty() {
            return Err(format!(
                "`--traces {}`: no file `*.txt` there; give the folder of the traces",
                folder.display()
            ));
        }
        traces.extend(chain(&traces));
    }
    traces.extend(generated());
    Ok(traces)
}

fn read(file: &Path) -> Result<Vec<u64>, String> {
    let text = std::fs::read_to_string(file).map_err(|why| format!("{}: {why}", file.display()))?;
    let key = |(line, key): (usize, &str)| {
        let number = key.trim().parse().or_else(|_| key.trim().parse::<i64>().map(i64::cast_unsigned));
        number.map_err(|_| format!("{} line {}: {key:?} is no decimal integer", file.display(), line + 1))
    };
    text.lines().enumerate().map(key).collect()
}

fn trace(name: String, keys: Vec<u64>) -> Trace {
    let known = KNOWN.iter().find(|(known, _)| *known == name).map(|(_, capacities)| capacities.to_vec());
    let capacities = known.unwrap_or_else(|| {
        let distinct = keys.iter().collect::<HashSet<_>>().len();
        [100, 20, 5].map(|part| (distinct / part).max(10)).to_vec()
    });
    Trace { name, keys, capacities }
}

/// A phase that wants recency, one that wants anything else, and the first one again.
fn chain(traces: &[Trace]) -> Option<Trace> {
    let of = |name: &str| traces.iter().find(|trace| trace.name == name).map(|trace| &trace.keys);
    let (corda, looped) = (of("corda")?, of("loop")?);
    // Keys of the two do not meet.
    let looped: Vec<u64> = looped.iter().map(|key| key | 1 << 63).collect();
    let keys = [corda.clone(), looped.repeat(5), corda.clone()].concat();
    Some(trace(CHAIN.to_owned(), keys))
}

/// How many accesses are drawn.
const DRAWN: usize = 1_000_000;

/// How many keys they are drawn from.
const KEYS: usize = 100_000;

fn generated() -> Vec<Trace> {
    let mut rng = Rng::with_seed(42);
    let zipf = Zipf::new(KEYS, 0.9);
    let plain = (0..DRAWN).map(|_| zipf.draw(&mut rng)).collect();
    // Now and then a thousand keys that are asked for once.
    let mut scanned = Vec::with_capacity(DRAWN);
    let mut fresh = 1_u64 << 40;
    while scanned.len() < DRAWN {
        if rng.usize(..2_500) == 0 {
            scanned.extend(fresh..fresh + 1_000);
            fresh += 1_000;
        } else {
            scanned.push(zipf.draw(&mut rng));
        }
    }
    // What is popular drifts: a tenth of the keys in 100,000 accesses.
    let shifting = (0..DRAWN as u64).map(|at| zipf.draw(&mut rng) + at / 10).collect();
    let looped = (0..DRAWN as u64).map(|at| at % 10_000).collect();
    let mix =
        |name: &str, keys, capacities: &[usize]| Trace { name: name.to_owned(), keys, capacities: capacities.to_vec() };
    vec![
        mix("zipf 0.9", plain, &[2_000, 10_000]),
        mix("zipf 0.9 with scans", scanned, &[2_000, 10_000]),
        mix("drifting zipf 0.9", shifting, &[2_000, 10_000]),
        mix("loop of 10,000", looped, &[5_000]),
    ]
}

/// Draws the n-th key as often as 1 / n^exponent.
struct Zipf {
    /// Sums of the frequencies.
    sums: Vec<f64>,
}

impl Zipf {
    fn new(keys: usize, exponent: f64) -> Self {
        let mut sum = 0.0;
        let frequency = |rank: usize| (rank as f64).powf(-exponent);
        Self {
            sums: (1..=keys)
                .map(|rank| {
                    sum += frequency(rank);
                    sum
                })
                .collect(),
        }
    }

    fn draw(&self, rng: &mut Rng) -> u64 {
        let all = self.sums.last().copied().unwrap_or_default();
        let at = rng.f64() * all;
        self.sums.partition_point(|sum| *sum < at) as u64
    }
}
