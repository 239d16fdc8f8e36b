//! One cached function, awaited by several executors at once: whoever asks, it computes once.
//!
//! `cargo run --release --example executors`

use std::sync::{LazyLock, mpsc};
use std::time::{Duration, Instant};

use chorde::InprocClient;
use chorde::prelude::*;

static CACHE: LazyLock<InprocClient> = LazyLock::new(|| InprocClient::new(100));

/// A plain, blocking function. Its `future` companion runs it on threads of chorde's own, so that no executor is held up.
#[cached(client = CACHE, ttl = 60)]
fn slow_square(x: u64) -> u64 {
    std::thread::sleep(Duration::from_millis(200));
    x * x
}

/// An asynchronous one: its future is spawned on the runtime that it is called in.
#[cached(client = CACHE, ttl = 60)]
async fn slow_cube(x: u64) -> u64 {
    tokio::time::sleep(Duration::from_millis(200)).await;
    x.pow(3)
}

/// Who asks for a square, and how.
type Asker = (&'static str, fn(u64) -> Result<u64, chorde::Error>);

const ASKERS: [Asker; 4] = [
    ("tokio", |x| {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let runtime = runtime.map_err(|error| chorde::Error::new(chorde::ErrorKind::Unavailable, error.to_string()))?;
        runtime.block_on(slow_square::future(x))
    }),
    ("smol", |x| smol::block_on(slow_square::future(x))),
    ("plain thread, .wait()", |x| slow_square::future(x).wait()),
    ("callback, .on_done()", |x| {
        let (sender, receiver) = mpsc::channel();
        // The callback runs on the thread that computes; a receiver that went away is none of its business.
        slow_square::future(x).on_done(move |square| drop(sender.send(square)));
        receiver.recv().unwrap_or_else(|gone| Err(chorde::Error::new(chorde::ErrorKind::Cancelled, gone.to_string())))
    }),
];

fn ask_all(x: u64) {
    let start = Instant::now();
    std::thread::scope(|scope| {
        for (name, ask) in ASKERS {
            scope.spawn(move || match ask(x) {
                Ok(square) => println!("  {name:<24}{square:>6}   after {:.1?}", start.elapsed()),
                Err(error) => println!("  {name:<24}{error}"),
            });
        }
    });
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("12 squared, asked for by everybody at the same time:");
    ask_all(12);
    println!("and once more:");
    ask_all(12);
    let stats = slow_square::stats();
    println!("{} computed, {} coalesced, {} hits\n", stats.computes, stats.coalesced, stats.hits);

    let runtime = tokio::runtime::Runtime::new()?;
    let cubes = runtime.block_on(async {
        let (direct, spawned) = tokio::join!(slow_cube(3), tokio::spawn(slow_cube::future(3)));
        Ok::<_, Box<dyn std::error::Error>>((direct, spawned??))
    })?;
    println!("3 cubed, called and spawned: {cubes:?}, {} computed", slow_cube::stats().computes);
    Ok(())
}
