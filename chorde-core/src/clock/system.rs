//! The system's time.

/// The kernel's monotonic clock, and the same clock as of its last tick.
#[cfg(any(target_os = "linux", target_os = "android"))]
mod kernel {
    use nix::time::{ClockId, clock_gettime};

    #[derive(Clone, Copy, Debug)]
    pub(crate) struct System;

    impl System {
        pub(crate) fn get() -> Self {
            Self
        }

        #[inline]
        pub(crate) fn now(self) -> u64 {
            read(ClockId::CLOCK_MONOTONIC)
        }

        /// Returns the time of the last tick, one to ten milliseconds ago, at a fifth of the price.
        #[inline]
        pub(crate) fn lately(self) -> u64 {
            read(ClockId::CLOCK_MONOTONIC_COARSE)
        }
    }

    #[inline]
    fn read(clock: ClockId) -> u64 {
        // Neither clock can fail on a kernel that Rust runs on, nor show anything before its origin.
        clock_gettime(clock).map_or(0, |time| time.tv_sec() as u64 * 1_000_000_000 + time.tv_nsec() as u64)
    }
}

/// The processor's time stamp counter, which takes half as long as [`std::time::Instant::now`]; `quanta` falls back to
/// that where the counter is not reliable.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod counter {
    use std::sync::LazyLock;

    #[derive(Clone, Debug)]
    pub(crate) struct System {
        counter: quanta::Clock,
        /// The reading that counts as zero, the same for the whole process.
        origin: u64,
    }

    static SYSTEM: LazyLock<System> = LazyLock::new(|| {
        let counter = quanta::Clock::new();
        let origin = counter.raw();
        System { counter, origin }
    });

    impl System {
        pub(crate) fn get() -> Self {
            SYSTEM.clone()
        }

        #[inline]
        pub(crate) fn now(&self) -> u64 {
            self.counter.delta_as_nanos(self.origin, self.counter.raw())
        }

        #[inline]
        pub(crate) fn lately(&self) -> u64 {
            self.now()
        }
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) use counter::System;
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) use kernel::System;
