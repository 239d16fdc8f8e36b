//! Breaks promises on purpose, so that the checks can be seen to fail.

use std::sync::atomic::{AtomicU64, Ordering};

use super::ledger::{self, Call};
use super::{origin, setting};
use crate::functions::FUNCTIONS;
use crate::time::SECOND;
use crate::words::{Sabotage, Stamped, What};

static COUNT: AtomicU64 = AtomicU64::new(0);

/// Whether it is time to break something: now and then, in one process.
fn is_time(kind: Sabotage) -> bool {
    setting().sabotage == Some(kind) && setting().worker == 0 && COUNT.fetch_add(1, Ordering::Relaxed) % 200 == 100
}

/// Returns the value, or a wrong one.
pub(super) fn bend(call: Call, mut value: Stamped) -> Stamped {
    if is_time(Sabotage::Key) {
        value.key += 1;
    }
    if is_time(Sabotage::Old) {
        value.done = call.from - FUNCTIONS[call.function].ttl - SECOND;
    }
    if setting().sabotage == Some(Sabotage::Before) {
        value.begun = 0;
    }
    value
}

/// Does what must not be done.
pub(super) fn disturb(call: Call) {
    if is_time(Sabotage::Twice) {
        std::thread::spawn(move || origin::compute_sync(call.function, call.key));
    }
    if is_time(Sabotage::Error) {
        ledger::saw(call, What::Failed("on purpose".into()), None);
    }
    if is_time(Sabotage::Leak) {
        std::mem::forget(vec![1_u8; 4 << 20]);
    }
    if is_time(Sabotage::Hang) {
        loop {
            std::thread::park();
        }
    }
}
