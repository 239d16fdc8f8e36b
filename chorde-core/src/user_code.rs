//! Calls of what users wrote where a panic of it must end: wakers, loggers, callbacks, and what is dropped.
//!
//! A thread that serves everybody, such as the one that rings alarms, must outlive each of them; and where several are called
//! one after the other, a panic of one must not keep the next from being called. Nothing of this is called under a lock.

use std::any::Any;
use std::cell::Cell;
use std::fmt::{self, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Waker;

/// Calls something of the user's; returns `None` if it panicked.
pub(crate) fn shielded<R>(run: impl FnOnce() -> R) -> Option<R> {
    // What it shares with others is its own to protect.
    catch_unwind(AssertUnwindSafe(run)).map_err(discard).ok()
}

/// Drops what a panic was called with, whose drop is the user's code too.
pub(crate) fn discard(panic: Box<dyn Any + Send>) {
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
        // A third one could go on like this.
        std::mem::forget(again);
    }
}

/// Wakes a task. Where the executor's code panics, the caller goes on.
pub(crate) fn wake(waker: Waker) {
    if shielded(|| waker.wake()).is_none() {
        tell_seldom!(error, "a waker panicked: its task may wait for ever");
    }
}

/// How many calls of the user's callbacks may be within one another on one thread. A callback that calls its own function
/// may go on without an end, and an overflow of the stack would end the process.
pub(crate) const DEEPEST: u32 = 64;

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// Counts as a call of a callback on this thread, until dropped.
#[derive(Debug)]
pub(crate) struct Nested(());

impl Nested {
    /// Begins a call; refuses if it is within too many others.
    pub(crate) fn begin() -> Option<Self> {
        let depth = DEPTH.try_with(|depth| depth.replace(depth.get() + 1)).unwrap_or(0);
        let nested = Self(());
        (depth < DEEPEST).then_some(nested)
    }

    /// Begins a call of what makes values into what is stored, or back.
    ///
    /// # Panics
    ///
    /// If it is within too many others.
    pub(crate) fn mapping() -> Self {
        Self::begin().unwrap_or_else(|| panic!("{ENDLESS}"))
    }
}

impl Drop for Nested {
    fn drop(&mut self) {
        let _ = DEPTH.try_with(|depth| depth.set(depth.get() - 1));
    }
}

/// Says why a callback is not called.
pub(crate) const ENDLESS: &str = "callbacks of a cached function call it again, and are called again by that, without an end: \
                                  let them not call their own function";

thread_local! {
    /// Whether this thread is in the user's logger.
    static IS_TELLING: Cell<bool> = const { Cell::new(false) };
}

/// Calls the user's logger, unless this thread is in it already: one that calls cached functions would have to log what
/// these have to say, without an end.
pub(crate) fn telling(log: impl FnOnce()) {
    struct Told;
    impl Drop for Told {
        fn drop(&mut self) {
            let _ = IS_TELLING.try_with(|telling| telling.set(false));
        }
    }
    if IS_TELLING.try_with(|telling| telling.replace(true)).unwrap_or(false) {
        return;
    }
    let _told = Told;
    shielded(log);
}

/// Logs as `log`'s macro of that level does. A logger that panics does no harm.
macro_rules! tell {
    ($level:ident, $($message:tt)+) => {
        $crate::user_code::telling(|| log::$level!($($message)+))
    };
}
pub(crate) use tell;

/// Does the same once a second at most, for each place in the code.
macro_rules! tell_seldom {
    ($level:ident, $($message:tt)+) => {{
        static LIMIT: $crate::log_limit::LogLimit<()> = $crate::log_limit::LogLimit::new();
        if let Some(more) = LIMIT.admit_now() {
            $crate::user_code::tell!($level, "{}{more}", format_args!($($message)+));
        }
    }};
}
pub(crate) use tell_seldom;

/// Up to how many bytes are kept of what an error or a panic says.
pub(crate) const LONGEST: usize = 512;

/// Returns what something says of itself, as far as it is kept. The user's code writes it, which may panic.
pub(crate) fn told(of: &dyn fmt::Debug) -> String {
    shielded(|| {
        let mut text = Bounded(String::new());
        // What is cut off ends the writing.
        let _ = write!(text, "{of:?}");
        text.0
    })
    .unwrap_or_else(|| "an error whose `Debug` panicked".to_owned())
}

/// Returns what a panic says.
pub(crate) fn told_by_panic(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    let mut kept = Bounded(String::new());
    let _ = kept.write_str(text.unwrap_or("a panic without a text"));
    kept.0
}

/// Keeps the beginning of a text.
struct Bounded(String);

impl fmt::Write for Bounded {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        let room = LONGEST.saturating_sub(self.0.len());
        if more.len() <= room {
            self.0.push_str(more);
            return Ok(());
        }
        let end = (0..=room).rev().find(|end| more.is_char_boundary(*end)).unwrap_or(0);
        self.0.push_str(&more[..end]);
        self.0.push('…');
        Err(fmt::Error)
    }
}
