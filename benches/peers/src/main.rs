//! Measures chorde beside its peers in one run: rounds are interleaved, and medians are printed.
//!
//! ```text
//! cargo run --release --manifest-path benches/peers/Cargo.toml            # all of it, about a minute
//! cargo run --release --manifest-path benches/peers/Cargo.toml -- hit     # one part: hit, threads, stampede, memory
//! cargo run --release --manifest-path benches/peers/Cargo.toml --bin compile_time
//! ```

mod functions;
mod hit;
mod keys;
mod memory;
mod stampede;
mod threads;

/// Sorts measurements and takes the middle one.
fn median(mut measured: Vec<f64>) -> f64 {
    measured.sort_by(f64::total_cmp);
    measured[measured.len() / 2]
}

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let is_wanted = |part: &str| wanted.is_empty() || wanted.iter().any(|one| one == part);
    for (part, run) in
        [("hit", hit::run as fn()), ("threads", threads::run), ("stampede", stampede::run), ("memory", memory::run)]
    {
        if is_wanted(part) {
            run();
            println!();
        }
    }
}
