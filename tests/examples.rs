//! Every example runs, and says what it is there to say.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use chorde_memcache::testing::MemcachedServer;

/// The folder of the built examples. They are built here, since not every way to start this test builds them; as part of
/// the whole workspace, so that what the other tests have built is used again.
static BUILT: LazyLock<PathBuf> = LazyLock::new(|| {
    let test = std::env::current_exe().unwrap();
    let profile = test.ancestors().nth(2).unwrap();
    let mut build = Command::new(env!("CARGO"));
    build
        .args(["build", "--workspace", "--all-features", "--examples", "--quiet"])
        .current_dir(env!("CARGO_MANIFEST_DIR"));
    build.arg("--target-dir").arg(profile.parent().unwrap());
    if profile.ends_with("release") {
        build.arg("--release");
    }
    assert!(build.status().unwrap().success(), "the examples do not build");
    profile.join("examples")
});

/// Runs an example to its end and returns what it printed.
fn run(name: &str, args: &[&str]) -> String {
    let output = Command::new(BUILT.join(name)).args(args).output().unwrap();
    let (out, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{name}: {}\n{out}\n{errors}", output.status);
    out.into_owned()
}

/// Returns the first line that starts with `start`, with its blanks made single.
fn line(printed: &str, start: &str) -> String {
    let found = printed.lines().find(|line| line.trim_start().starts_with(start));
    let line = found.unwrap_or_else(|| panic!("no line starts with {start:?}:\n{printed}"));
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_quickstart_shows_every_companion() {
    let printed = run("quickstart", &[]);
    let calls: Vec<&str> = printed.lines().filter(|line| line.starts_with("expensive(1)")).collect();
    assert!(calls[0].ends_with("computes") && calls[1].ends_with("the same value"), "{printed}");
    assert!(line(&printed, "expensive::peek(2)").contains("None"));
    assert!(calls[2].contains("5.000"), "{printed}");
    assert!(line(&printed, "expensive::get_ttl(3) still").ends_with("true"));
    assert!(line(&printed, "8 misses").starts_with("8 misses, 1 computed, 7 coalesced"), "{printed}");
}

#[test]
fn later_passes_over_the_sources_are_hits() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("chorde-core/src");
    let printed = run("codestats", &["--files", "12", "--passes", "4", sources.to_str().unwrap()]);
    assert!(line(&printed, "12 files").starts_with("12 files"));
    assert_eq!(line(&printed, "hit ratio"), "hit ratio 75.0 %: 36 hits, 12 misses");
    assert!(line(&printed, "computed").starts_with("computed 12, failed 0"));
    assert_eq!(line(&printed, "entries"), "entries 12");
    line(&printed, "pass 4");
}

#[test]
fn a_second_run_finds_what_the_first_has_counted() {
    let server = MemcachedServer::start().unwrap();
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("chorde-core/src/client");
    let files = std::fs::read_dir(&sources).unwrap().count();
    let counted = || run("codestats", &["--passes", "1", "--memcached", &server.address(), sources.to_str().unwrap()]);
    let (first, second) = (counted(), counted());
    assert_eq!(line(&first, "hit ratio"), format!("hit ratio 0.0 %: 0 hits, {files} misses"));
    assert_eq!(line(&second, "hit ratio"), format!("hit ratio 100.0 %: {files} hits, 0 misses"));
    assert!(line(&second, "computed").starts_with("computed 0, failed 0"), "{second}");
    assert_eq!(line(&second, "memcached"), format!("memcached {}: {files} hits, 0 stores", server.address()));
    let sum = |printed: &str| printed.lines().find(|line| line.contains(" functions, ")).map(str::to_owned);
    assert!(sum(&first).is_some() && sum(&first) == sum(&second), "{second}");

    let own = run("codestats", &["--passes", "2", "--memcached", "own", sources.to_str().unwrap()]);
    assert_eq!(line(&own, "hit ratio"), format!("hit ratio 50.0 %: {files} hits, {files} misses"));
}

#[test]
fn memcached_is_shared_dies_and_comes_back() {
    let printed = run("memcached", &[]);
    for what in ["a cold key: computed", "again: from memcached", "memcached was killed: computed", "restarted: in use"]
    {
        line(&printed, what);
    }
    assert!(line(&printed, "what was put").ends_with("written by hand"), "{printed}");
    assert!(line(&printed, "from another client").ends_with("Some(\"hello\")"), "{printed}");
    assert!(line(&printed, "several at once").ends_with("[Some(\"hello\"), None]"), "{printed}");
    assert!(line(&printed, "1 outages").starts_with("1 outages, 1 recoveries"), "{printed}");
}

#[test]
fn a_fleet_computes_once() {
    let printed = run("fleet", &["4"]);
    assert!(line(&printed, "computations:").contains(" 1 for the cold key, "), "{printed}");
    // Due when 2 s old, in whole seconds of the server: one or two of them in that time, in four processes.
    let refreshes = line(&printed, "computations:");
    let refreshes = refreshes.split("cold key, ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap();
    assert!((1..=3).contains(&refreshes.parse::<u32>().unwrap()), "{printed}");
    line(&printed, "calls answered");
}

#[test]
fn a_cluster_is_followed_through_its_changes() {
    let printed = run("elasticache", &[]);
    assert!(line(&printed, "3 nodes found").contains(" by 127.0.0.1:"), "{printed}");
    for what in ["fake.0004.cache.test", "fake.0003.cache.test"] {
        line(&printed, what);
    }
    assert!(line(&printed, "0 errors, 0 wrong values").contains("version: Some(4)"), "{printed}");
}

#[test]
fn files_that_do_not_parse_are_tried_again() {
    let folder = tempdir("codestats-errors");
    std::fs::write(folder.join("broken.rs"), "fn {").unwrap();
    std::fs::write(folder.join("sound.rs"), "fn f() { unsafe {} }").unwrap();
    let printed = run("codestats", &["--passes", "3", folder.to_str().unwrap()]);
    assert_eq!(
        line(&printed, "1 items"),
        "1 items, 1 functions, 1 unsafe blocks; 1 files do not parse (errors are not cached)"
    );
    assert!(line(&printed, "computed").starts_with("computed 1, failed 3"), "{printed}");
}

#[test]
fn mistakes_on_the_command_line_are_answered_with_the_usage() {
    for args in [
        ["--files", "none"],
        ["--colour", "blue"],
        ["--passes", "0"],
        ["/no/such/folder", "--help"],
        [".", "--memcached"],
    ] {
        let output = Command::new(BUILT.join("codestats")).args(args).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && errors.contains("usage: codestats"), "{args:?}: {errors}");
    }
}

#[test]
fn refresh_ahead_is_measured_against_a_plain_ttl() {
    let printed = run("refresh_ahead", &["1"]);
    assert!(line(&printed, "callers wait").contains("p50 p99 max"));
    for kind in ["plain ttl", "async_ttl"] {
        assert!(line(&printed, kind).contains('▁'), "{printed}");
    }
    assert!(!line(&printed, "callers who met").contains(" 0 with a plain ttl"), "{printed}");
}

#[test]
fn tiers_promote_and_survive_the_far_one() {
    let printed = run("tiers", &[]);
    assert!(line(&printed, "computed: each tier").ends_with("60s 150s 300s"), "{printed}");
    assert!(line(&printed, "after 100 s").ends_with("stale 50s 200s"), "{printed}");
    assert!(line(&printed, "asked for again").ends_with("40s 100s 200s"), "{printed}");
    assert!(line(&printed, "as seen from 8").ends_with("60s 150s down"), "{printed}");
    assert!(line(&printed, "2 computed").starts_with("2 computed, 3 hits"), "{printed}");
}

#[test]
fn outages_are_tested_in_milliseconds() {
    let printed = run("outage_in_tests", &[]);
    assert!(line(&printed, "old values").ends_with("refreshed once, gone after five"), "{printed}");
    assert!(line(&printed, "a dead cache").ends_with("and no caller sees one"), "{printed}");
    assert!(line(&printed, "a stampede").ends_with("8 callers of a dead cache, 1 computed"), "{printed}");
    assert!(line(&printed, "a slow cache").contains("the caller is answered after"), "{printed}");
}

#[test]
fn all_executors_share_one_computation() {
    let printed = run("executors", &[]);
    for name in ["tokio", "smol", "plain thread", "callback"] {
        assert!(line(&printed, name).contains(" 144 "), "{printed}");
    }
    assert_eq!(line(&printed, "1 computed"), "1 computed, 3 coalesced, 4 hits");
    assert_eq!(line(&printed, "3 cubed"), "3 cubed, called and spawned: (27, 27), 1 computed");
}

#[test]
fn the_service_answers_from_the_cache() {
    let printed = run("axum_api", &["--once"]);
    assert!(line(&printed, "200 /forecast/oslo").ends_with("16 °C, light wind"), "{printed}");
    assert!(line(&printed, "404 /forecast/atlantis").ends_with("atlantis is under water"), "{printed}");
    let stats = line(&printed, "200 /stats");
    for counted in
        [r#""computes":2"#, r#""errors":2"#, r#""hits":1"#, r#""misses":8"#, r#""name":"axum_api::forecast""#]
    {
        assert!(stats.contains(counted), "{stats}");
    }
}

/// Makes an empty folder in the place that cargo keeps for tests.
fn tempdir(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
