//! The short form of the soak: one storm over three processes. And that each of its checks can fail.
//!
//! `CHORDE_SOAK` takes other arguments than the short form's: `CHORDE_SOAK='--for 10m --processes 8'`.

use std::process::{Command, Output};

/// A storm of some five seconds, recovery, calm and rest.
const SHORT: &str = "--for 17s --processes 3 --nodes 2 --keys 60 --faults-per-minute 36 --seed 1";

fn soak(arguments: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_soak"));
    command.args(arguments.split_whitespace()).output().expect("the program is there")
}

fn printed(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn processes_keep_every_promise_while_servers_fail() {
    let arguments = std::env::var("CHORDE_SOAK").unwrap_or_else(|_| SHORT.to_owned());
    let output = soak(&arguments);
    let printed = printed(&output);
    println!("{printed}");
    assert!(output.status.success(), "{printed}{}", String::from_utf8_lossy(&output.stderr));
    assert!(printed.starts_with("seed ") && printed.trim_end().ends_with(" 0 violations"), "{printed}");
    for nothing in [" 0 faults", " 0 calls", " 0 values compared", " 0 of them judged"] {
        assert!(!printed.contains(nothing), "nothing was checked: {printed}");
    }
}

/// What is printed of a promise that is broken on purpose, for a few seconds without a fault.
fn sabotaged(kind: &str) -> String {
    let arguments = "--for 4s --processes 1 --nodes 1 --keys 20 --faults-per-minute 0 --pace 4ms --seed 1 --sabotage";
    let output = soak(&format!("{arguments} {kind}"));
    assert_eq!(output.status.code(), Some(1), "{kind}: {}", printed(&output));
    printed(&output)
}

#[test]
fn each_promise_that_is_broken_is_a_violation() {
    let kinds = [
        ("old", "what: Old"),
        ("key", "what: Key"),
        ("before", "what: Before"),
        ("twice", "was computed by"),
        ("error", "what: Failed"),
        ("hang", "calls do not end"),
    ];
    // All at once, since they do little but wait.
    std::thread::scope(|scope| {
        for (kind, shown) in kinds {
            scope.spawn(move || {
                let printed = sabotaged(kind);
                let mut wrong = printed.lines().filter(|line| line.starts_with("VIOLATION (seed 1, "));
                assert!(wrong.any(|line| line.contains(shown)), "{kind}: {printed}");
            });
        }
    });
}
