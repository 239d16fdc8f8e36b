//! Threads that do what was drawn for them, all at the same time, again and again.

use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex};

use fastrand::Rng;

use crate::checker::Timed;

/// Histories for each client.
const HISTORIES: usize = 300;

/// Enough for the keys of all histories, so that none is evicted.
pub(crate) const ROOM: u64 = 1 << 20;

/// The most threads, and the most operations of each.
const THREADS: usize = 4;
const OPERATIONS: usize = 3;

/// Draws what one thread does: a list of operations.
type Script<O> = Vec<O>;

/// Records histories and has each judged. `draw` makes one operation, from dice and a stamp that no other one has; `perform`
/// does it on the key of the history; `judge` says what is wrong.
pub(crate) fn record<O, A>(
    name: &str,
    draw: impl Fn(&mut Rng, u64) -> O,
    perform: impl Fn(u64, O) -> A + Sync,
    judge: impl Fn(u64, &[Timed<(O, A)>]) -> Result<(), String>,
) where
    O: Copy + Debug + Send + Sync,
    A: Copy + Debug + Send,
{
    let count = number("CHORDE_HISTORIES").unwrap_or(HISTORIES as u64);
    let seed = number("CHORDE_SEED").unwrap_or_else(|| fastrand::u64(..));
    let mut dice = Rng::with_seed(seed);
    let crew = Crew::new();
    let (mut operations, mut overlapping) = (0, 0);
    std::thread::scope(|scope| {
        for number in 0..THREADS {
            let (crew, perform) = (&crew, &perform);
            scope.spawn(move || crew.work(number, perform));
        }
        let _home = Home(&crew);
        for key in 0..count {
            let scripts = scripts(&mut dice, &draw);
            let history = crew.play(key, scripts);
            operations += history.len();
            overlapping += usize::from(history.iter().any(|one| history.iter().any(|other| overlap(one, other))));
            if let Err(wrong) = judge(key, &history) {
                panic!("{name}, history {key} of CHORDE_SEED={seed}: {wrong}\n{history:#?}");
            }
        }
    });
    println!(
        "histories: {name}: {count} with {operations} operations, {overlapping} of them overlapping, all in order"
    );
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is a number")))
}

fn scripts<O>(dice: &mut Rng, draw: &impl Fn(&mut Rng, u64) -> O) -> Vec<Script<O>> {
    let mut stamp = 0;
    let mut operation = |dice: &mut Rng| {
        stamp += 1;
        draw(dice, stamp)
    };
    let threads = dice.usize(2..=THREADS);
    let script = |_| (0..dice.usize(1..=OPERATIONS)).map(|_| operation(dice)).collect();
    (0..threads).map(script).collect()
}

/// Returns whether two operations ran at the same time.
pub(crate) fn overlap<T>(one: &Timed<T>, other: &Timed<T>) -> bool {
    !std::ptr::eq(one, other) && one.start < other.end && other.start < one.end
}

/// The threads, what they are to do, and what came of it.
struct Crew<O, A> {
    scripts: Mutex<(u64, Vec<Script<O>>)>,
    done: Mutex<Vec<Timed<(O, A)>>>,
    /// Where all wait for the next history, and for the end of it.
    ready: Barrier,
    over: Barrier,
    /// Lets those who have something to do begin together: a barrier lets them go one after the other.
    begun: AtomicUsize,
    stamp: AtomicU64,
}

/// Sends the threads home, also where a history is not as it should be.
struct Home<'a, O, A>(&'a Crew<O, A>);

impl<O, A> Drop for Home<'_, O, A> {
    fn drop(&mut self) {
        self.0.scripts.lock().unwrap().1.clear();
        self.0.ready.wait();
    }
}

impl<O: Copy, A> Crew<O, A> {
    fn new() -> Self {
        Self {
            scripts: Mutex::new((0, Vec::new())),
            done: Mutex::default(),
            ready: Barrier::new(THREADS + 1),
            over: Barrier::new(THREADS + 1),
            begun: AtomicUsize::new(0),
            stamp: AtomicU64::new(0),
        }
    }

    /// Has one history made.
    fn play(&self, key: u64, scripts: Vec<Script<O>>) -> Vec<Timed<(O, A)>> {
        self.begun.store(0, Ordering::SeqCst);
        *self.scripts.lock().unwrap() = (key, scripts);
        self.ready.wait();
        self.over.wait();
        std::mem::take(&mut *self.done.lock().unwrap())
    }

    /// Does one thread's work until there is none.
    fn work(&self, number: usize, perform: &impl Fn(u64, O) -> A) {
        loop {
            self.ready.wait();
            let (key, script, threads) = {
                let scripts = self.scripts.lock().unwrap();
                if scripts.1.is_empty() {
                    return;
                }
                (scripts.0, scripts.1.get(number).cloned().unwrap_or_default(), scripts.1.len())
            };
            let mut done = Vec::with_capacity(script.len());
            if !script.is_empty() {
                self.begin(threads);
            }
            for operation in script {
                let start = self.stamp();
                let answer = perform(key, operation);
                done.push(Timed { what: (operation, answer), start, end: self.stamp() });
            }
            self.done.lock().unwrap().extend(done);
            self.over.wait();
        }
    }

    fn begin(&self, threads: usize) {
        self.begun.fetch_add(1, Ordering::SeqCst);
        while self.begun.load(Ordering::SeqCst) < threads {
            // There may be fewer processors than threads.
            std::thread::yield_now();
        }
    }

    fn stamp(&self) -> u64 {
        self.stamp.fetch_add(1, Ordering::SeqCst)
    }
}
