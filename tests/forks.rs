//! A process that has forked: its child has none of the threads that refresh, or tell the time.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking, in its child too")]

mod support;

use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::time::Duration;

use chorde::InprocClient;
use chorde::background::{Limits, limits, set_limits};
use chorde::prelude::*;
use support::gate::Gate;
use support::{PATIENCE, millis};

static CACHE: LazyLock<InprocClient> = LazyLock::new(|| InprocClient::new(100));
static GATE: Gate = Gate::new();

#[cached(client = CACHE, ttl = 60)]
fn plain(x: u64) -> u64 {
    if x == 0 {
        GATE.pass();
    }
    x + 1
}

#[cached(client = CACHE, ttl = 60)]
async fn later(x: u64) -> u64 {
    x + 2
}

/// Set for the process that forks.
const FORKS: &str = "CHORDE_TEST_FORKS";

/// Uses all threads, forks while one is at work and another job is queued, and shows what works in the child.
fn fork_and_show() {
    assert_eq!((plain::future(1).wait().unwrap(), later::future(1).wait().unwrap()), (2, 3));
    set_limits(Limits { concurrency: 1, ..limits() });
    plain::bg_refresh(0).unwrap();
    GATE.await_arrivals(1);
    plain::bg_refresh(5).unwrap();
    chorde::drain(millis(1)).wait().unwrap_err();
    // The parent ends here.
    nix::unistd::daemon(true, true).unwrap();
    // Whatever goes wrong, the child ends.
    std::thread::spawn(|| {
        std::thread::sleep(PATIENCE);
        std::process::exit(1);
    });
    let mut future = plain::future(10);
    let results = [future.wait_timeout(PATIENCE).unwrap(), later::future(10).wait().unwrap(), {
        // The parent's job for this key does not exist here.
        plain::bg_refresh(5).unwrap();
        chorde::drain(PATIENCE).wait().unwrap();
        plain::peek(5).unwrap()
    }];
    // It tells the time.
    chorde::Clock::system().sleep(Duration::from_millis(5)).wait();
    println!("\nchild: {results:?}");
    std::process::exit(0);
}

#[test]
fn a_forked_child_computes_refreshes_and_tells_the_time() {
    if std::env::var_os(FORKS).is_some() {
        fork_and_show();
    }
    let mut forking = Command::new(std::env::current_exe().unwrap());
    forking.args(["--exact", "a_forked_child_computes_refreshes_and_tells_the_time", "--nocapture"]);
    // The output ends when the child does.
    let output = forking.env(FORKS, "1").stdin(Stdio::null()).output().unwrap();
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(shown.contains("child: [11, 12, 6]"), "{shown}{}", String::from_utf8_lossy(&output.stderr));
}
