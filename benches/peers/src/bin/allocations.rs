//! Prints how many allocations a miss made on the thread of the caller, and of how many bytes; arguments as those of `misses`.

#[path = "../misses.rs"]
mod misses;

fn main() {
    misses::run(|count, misses| {
        let counted = allocation_counter::measure(misses);
        println!("{}", counted.count_total as f64 / count as f64);
        println!("{}", counted.bytes_total as f64 / count as f64);
    });
}
