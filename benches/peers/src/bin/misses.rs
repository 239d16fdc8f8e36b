//! Prints how many nanoseconds a miss took: `misses KIND roomy|small COUNT`; without arguments, the kinds. To be run under valgrind too.

#[path = "../misses.rs"]
mod misses;

use std::time::Instant;

fn main() {
    misses::run(|count, misses| {
        let began = Instant::now();
        misses();
        println!("{}", began.elapsed().as_nanos() as f64 / count as f64);
    });
}
