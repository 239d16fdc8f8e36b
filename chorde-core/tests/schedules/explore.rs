//! Runs a scene in many orders, and the list of all scenes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use shuttle::scheduler::{PctScheduler, RandomScheduler, Scheduler};
use shuttle::{Config, MaxSteps, Runner};

/// Schedules for each setting and each scheduler, unless the environment variable `CHORDE_SCHEDULES` says otherwise.
const ITERATIONS: usize = 3;

/// How many times the scheduler by priorities changes its mind: bugs that need no more are found with a known probability.
const DEPTH: usize = 3;

/// More steps than any schedule of these scenes takes that ends at all.
const LONGEST: usize = 200_000;

/// Room for the frames of a debug build; the default is for small models.
const STACK: usize = 512 * 1024;

/// How many schedules have been run.
static RUN: AtomicU64 = AtomicU64::new(0);

/// A check with a name.
pub(crate) struct Scene {
    pub(crate) name: String,
    run: Box<dyn Fn() + Send + Sync>,
}

impl Scene {
    pub(crate) fn new(name: impl Into<String>, run: impl Fn() + Send + Sync + 'static) -> Self {
        Self { name: name.into(), run: Box::new(run) }
    }
}

fn iterations() -> usize {
    std::env::var("CHORDE_SCHEDULES").map_or(ITERATIONS, |count| count.parse().expect("CHORDE_SCHEDULES is a number"))
}

/// Runs a scene by two schedulers: one throws dice at each step, one seldom changes its mind.
pub(crate) fn explore(scene: impl Fn() + Clone + Send + Sync + 'static) {
    let count = iterations();
    by(RandomScheduler::new(count), scene.clone());
    by(PctScheduler::new(DEPTH, count), scene);
    RUN.fetch_add(2 * count as u64, Ordering::Relaxed);
}

fn by(scheduler: impl Scheduler + 'static, scene: impl Fn() + Send + Sync + 'static) {
    let mut config = Config::default();
    config.max_steps = MaxSteps::FailAfter(LONGEST);
    config.stack_size = STACK;
    Runner::new(scheduler, config).run(scene);
}

/// Runs the scenes whose names contain one of the given texts, on as many threads as there are processors; returns
/// whether all held.
pub(crate) fn run(scenes: &[Scene], wanted: &[String]) -> bool {
    let is_wanted = |scene: &&Scene| wanted.is_empty() || wanted.iter().any(|part| scene.name.contains(part.as_str()));
    let scenes: Vec<&Scene> = scenes.iter().filter(is_wanted).collect();
    let (next, failed, began) = (AtomicUsize::new(0), Mutex::new(Vec::new()), Instant::now());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(scene) = scenes.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if catch_unwind(AssertUnwindSafe(&scene.run)).is_err() {
                        eprintln!("FAILED: {}", scene.name);
                        failed.lock().expect("invariant: nothing panics under it").push(scene.name.as_str());
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().expect("invariant: nothing panics under it");
    println!(
        "schedules: {} scenes, {} schedules, {} failed, in {:.1} s",
        scenes.len(),
        RUN.load(Ordering::Relaxed),
        failed.len(),
        began.elapsed().as_secs_f64()
    );
    for name in &failed {
        println!("FAILED: {name}");
    }
    failed.is_empty()
}
