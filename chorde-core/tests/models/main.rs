//! Any sequence of operations agrees with a plain model (scenario 42). There are a quarter of `PROPTEST_CASES` sequences (256
//! where nothing is said) for each model.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod lru;
mod namespaces;
mod weighed;

use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;

/// Runs a test on what the strategy yields, which is made small where it fails; prints how often.
fn agree<S: Strategy>(what: &str, strategy: &S, test: impl Fn(S::Value)) {
    let mut config = ProptestConfig::default();
    config.cases = config.cases.div_ceil(4);
    config.failure_persistence = None;
    let cases = config.cases;
    let run = |value| {
        test(value);
        Ok(())
    };
    if let Err(failure) = TestRunner::new(config).run(strategy, run) {
        panic!("{what}: {failure}");
    }
    println!("model, {what}: {cases} sequences of operations agree");
}

/// Returns whole seconds.
fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}
