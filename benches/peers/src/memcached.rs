//! `MemcachedClient` beside its peers, over one memcached with one thread that is started for it. CPU is that of this process,
//! all threads; the server is another one.

mod function;
mod gets;
mod memory;
mod multi;
mod single;
mod subjects;
mod writes;

use subjects::{fill, server};

use crate::measure::{Outcome, Wanted};

type Part = fn(&Wanted, &chorde::memcache::testing::MemcachedServer);

/// Rounds of each part, where nothing else is asked for.
const ROUNDS: usize = 7;

const PARTS: [Part; 7] = [gets::run, single::run, multi::run, function::run, writes::puts, writes::large, memory::run];

pub fn run(wanted: &Wanted) -> Outcome {
    for run in PARTS {
        let server = server();
        fill(&server);
        run(wanted, &server);
    }
    Ok(())
}
