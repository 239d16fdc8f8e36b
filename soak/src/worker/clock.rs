//! The clock of this process's clients: goes as time does, and jumps when told to.

use std::sync::LazyLock;
use std::time::Duration;

use chorde::ManualClock;

use super::origin;
use crate::functions::STALL;
use crate::time::now;
use crate::words::Told;

pub(super) static CLOCK: LazyLock<ManualClock> = LazyLock::new(ManualClock::new);

/// How often the clock moves.
const TICK: Duration = Duration::from_millis(2);

/// Moves the clock from now on.
pub(super) fn start() {
    std::thread::spawn(|| {
        let mut last = now();
        loop {
            std::thread::sleep(TICK);
            let time = now();
            // Reported first, so that the parent knows of it before it hears of what was seen afterwards.
            if time - last > STALL {
                origin::tell(&Told::Stalled { from: last, to: time });
            }
            CLOCK.advance(Duration::from_nanos(time - last));
            last = time;
        }
    });
}

pub(super) fn step(millis: u64) {
    CLOCK.advance(Duration::from_millis(millis));
}
