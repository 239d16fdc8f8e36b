//! Hit ratios: what is missed is inserted, trace after trace, by chorde's policies and the rivals', beside exact LRU and
//! Belady's optimum ("A study of replacement algorithms for a virtual-storage computer", 1966).
//!
//! All caches have one shard, so that policies are compared and not the luck of shards; chorde is there as it is by
//! default as well. moka and mini-moka do their pending work after each access.

mod caches;
mod optimum;
mod traces;

use crate::measure::{Outcome, Wanted, print};
use crate::plot;

/// The columns that the plot shows.
const PLOTTED: [&str; 7] = ["chorde", "exact LRU", "quick_cache", "moka", "foyer s3fifo", "foyer lfu", "optimum"];

pub fn run(wanted: &Wanted) -> Outcome {
    let traces = traces::all(wanted.traces.as_deref())?;
    let mut titles = vec!["trace @ capacity".to_owned()];
    titles.extend(caches::ALL.iter().map(|(name, _)| (*name).to_owned()));
    titles.push("optimum".to_owned());
    let (mut rows, mut measured) = (Vec::new(), Vec::new());
    for trace in traces.iter().filter(|trace| wanted.wants(&trace.name)) {
        for &capacity in &trace.capacities {
            let ratios: Vec<f64> = of_caches(&trace.keys, capacity);
            eprint!(".");
            let label = format!("{} @ {capacity}", trace.name);
            rows.push(std::iter::once(label.clone()).chain(ratios.iter().map(|ratio| format!("{ratio:.1}"))).collect());
            measured.push((label, ratios));
        }
    }
    if measured.is_empty() {
        return Err("no trace has all of the words of `--only`".into());
    }
    eprintln!();
    println!("\nHit ratios, percent\n");
    let mean = |index: usize| measured.iter().map(|(_, ratios)| ratios[index]).sum::<f64>() / measured.len() as f64;
    let means: Vec<f64> = (0..titles.len() - 1).map(mean).collect();
    rows.push(std::iter::once("mean".to_owned()).chain(means.iter().map(|mean| format!("{mean:.1}"))).collect());
    rows.insert(0, titles.clone());
    print(&rows);
    let lru = |ratios: &[f64]| ratios[caches::LRU];
    let worst =
        measured.iter().map(|(label, ratios)| (ratios[0] - lru(ratios), label)).min_by(|a, b| a.0.total_cmp(&b.0));
    if let Some((difference, label)) = worst {
        println!("\nchorde - LRU, where it is the least: {difference:+.1} ({label})");
    }
    let plotted = wanted.plots.join("hit_ratios.svg");
    let shown: Vec<usize> = (1..titles.len()).filter(|index| PLOTTED.contains(&titles[*index].as_str())).collect();
    let series: Vec<&str> = shown.iter().map(|index| titles[*index].as_str()).collect();
    let of_shown = |ratios: &[f64]| shown.iter().map(|index| ratios[index - 1]).collect();
    let dots: Vec<_> = measured.iter().map(|(label, ratios)| (label.clone(), of_shown(ratios))).collect();
    plot::dots(&plotted, "Hit ratio, percent", &series, &dots)?;
    println!("plotted: {}", plotted.display());
    Ok(())
}

/// The ratios of all caches, and the optimum as the last, in percent. Each runs on its own, two at a time.
fn of_caches(keys: &[u64], capacity: usize) -> Vec<f64> {
    let next = std::sync::atomic::AtomicUsize::new(0);
    let results = std::sync::Mutex::new(vec![0.0; caches::ALL.len() + 1]);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    let hits = match caches::ALL.get(index) {
                        Some((_, make)) => caches::hits(make(capacity), keys),
                        None if index == caches::ALL.len() => optimum::hits(keys, capacity),
                        None => return,
                    };
                    results.lock().expect("no panic")[index] = 100.0 * hits as f64 / keys.len() as f64;
                }
            });
        }
    });
    results.into_inner().expect("no panic")
}
