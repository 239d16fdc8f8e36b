//! One process of the fleet: calls cached functions, changes what they hold, and looks at what comes of it.

mod clock;
mod functions;
mod ledger;
mod load;
mod origin;
mod rest;
mod sabotage;

use std::io::{BufRead as _, BufReader};
use std::os::unix::net::UnixStream;
use std::sync::OnceLock;

use super::words::{Order, Setting, Told};

/// What this worker was told when it began.
static SETTING: OnceLock<Setting> = OnceLock::new();

fn setting() -> &'static Setting {
    SETTING.get().expect("invariant: nothing runs before the worker was told its setting")
}

/// Does what the parent says, up to the end of the parent, or until it kills this process.
pub(crate) fn run(socket: &str) {
    let stream = UnixStream::connect(socket).expect("invariant: the parent listens");
    let orders = BufReader::new(stream.try_clone().expect("invariant: a descriptor is left"));
    origin::attach(stream);
    for line in orders.lines().map_while(Result::ok) {
        let order: Order = serde_json::from_str(&line).expect("invariant: the parent is of the same build");
        match order {
            Order::Begin(setting) => {
                SETTING.set(setting).expect("invariant: the parent says it once");
                // Before anything else is said: the parent waits for it.
                origin::tell(&Told::Ready);
                ledger::report_panics();
                clock::start();
                load::start();
            }
            Order::Computed { request, serial, millis, is_refused } => {
                origin::computed(request, origin::Fate { serial, millis, is_refused });
            }
            Order::Changed(change) => ledger::changed(change),
            Order::Step { millis } => clock::step(millis),
            Order::Rest => rest::begin(),
            Order::GoOn => rest::end(),
        }
    }
    std::process::exit(0);
}
