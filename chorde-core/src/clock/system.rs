//! The system's time.

/// The kernel's monotonic clock, and the same clock as of its last tick.
#[cfg(any(target_os = "linux", target_os = "android"))]
mod kernel {
    use std::sync::LazyLock;
    use std::time::Instant;

    use nix::sys::time::TimeSpec;
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

        /// Returns the time of the last tick, one to ten milliseconds ago, at a fifth of the price; the exact time where
        /// the kernel does not tell the other.
        #[inline]
        pub(crate) fn lately(self) -> u64 {
            lately_by(ClockId::CLOCK_MONOTONIC_COARSE)
        }
    }

    #[inline]
    fn lately_by(coarse: ClockId) -> u64 {
        match clock_gettime(coarse) {
            Ok(time) => nanos(time),
            Err(_) => now(),
        }
    }

    /// Some sandboxes and emulators know the exact clock alone.
    #[cold]
    fn now() -> u64 {
        read(ClockId::CLOCK_MONOTONIC)
    }

    #[inline]
    fn read(exact: ClockId) -> u64 {
        clock_gettime(exact).map_or_else(|_| std_now(), nanos)
    }

    #[inline]
    fn nanos(time: TimeSpec) -> u64 {
        // Neither clock shows anything before its origin.
        time.tv_sec() as u64 * 1_000_000_000 + time.tv_nsec() as u64
    }

    /// Reads the standard library's clock, which has its own ways where the system call is refused, or says why it panics.
    #[cold]
    fn std_now() -> u64 {
        static ORIGIN: LazyLock<Instant> = LazyLock::new(Instant::now);
        // Not zero, which would be long before whatever was stored.
        super::super::nanos(ORIGIN.elapsed()).saturating_add(1)
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn where_the_coarse_clock_cannot_be_read_the_exact_one_is() {
            let missing = ClockId::from_raw(4711);
            assert!(clock_gettime(missing).is_err());
            for _ in 0..100 {
                let (before, lately) = (System.now(), lately_by(missing));
                assert!((before..=System.now()).contains(&lately));
            }
        }

        #[test]
        fn where_no_clock_of_the_kernel_can_be_read_time_still_passes() {
            let missing = ClockId::from_raw(4711);
            let before = read(missing);
            while read(missing) == before {}
            assert!(read(missing) > before && before > 0);
        }
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
