//! Measures `MemcachedClient` beside its peers, over one memcached with one thread that it starts itself.
//!
//! ```text
//! cargo run --release --manifest-path benches/peers/Cargo.toml --bin memcached -- [part] [rounds] [words of a row's name]
//! ```
//!
//! Parts: gets, single, multi, function, puts, large, memory; all of them without any. All rows of a part are measured
//! in turn, round after round. CPU is that of this process, all threads; the server is another one.

mod function;
mod gets;
mod measure;
mod memory;
mod multi;
mod single;
mod subjects;
mod writes;

use measure::Wanted;
use subjects::{fill, server};

type Part = fn(&Wanted, &chorde::memcache::testing::MemcachedServer);

const PARTS: [(&str, Part); 7] = [
    ("gets", gets::run),
    ("single", single::run),
    ("multi", multi::run),
    ("function", function::run),
    ("puts", writes::puts),
    ("large", writes::large),
    ("memory", memory::run),
];

fn main() {
    let mut arguments = std::env::args().skip(1);
    let part = arguments.next();
    let rounds = arguments.next().and_then(|rounds| rounds.parse().ok()).unwrap_or(7);
    let wanted = Wanted { rounds, words: arguments.collect() };
    for (name, run) in PARTS {
        if part.as_ref().is_none_or(|part| part == name || part == "all") {
            let server = server();
            fill(&server);
            run(&wanted, &server);
            println!();
        }
    }
}
