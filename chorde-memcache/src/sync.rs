//! What threads meet by where `tests/schedules` compiles this crate's code against the primitives of a model checker instead.

pub(crate) use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
pub(crate) use std::sync::{Mutex, MutexGuard};
