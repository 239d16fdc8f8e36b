//! What users wrote and the engine calls: it may panic, block, or call the cache. Nobody hangs, and nothing is miscounted.

mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use chorde::prelude::*;
use support::gate::Gate;
use support::{Count, PATIENCE, bounded, drained, eventually, secs};
