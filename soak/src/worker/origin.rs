//! What the cached functions compute: the parent is asked, so that it knows of each computation.

use std::collections::HashMap;
use std::io::Write as _;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{LazyLock, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::setting;
use crate::time::now;
use crate::words::{Refused, Stamped, Told};

static PARENT: OnceLock<Mutex<UnixStream>> = OnceLock::new();

static ASKED: LazyLock<Mutex<HashMap<u64, oneshot::Sender<Fate>>>> = LazyLock::new(Mutex::default);

/// What the parent makes of a computation.
pub(super) struct Fate {
    pub(super) serial: u64,
    pub(super) millis: u64,
    pub(super) is_refused: bool,
}

pub(super) fn attach(stream: UnixStream) {
    PARENT.get_or_init(|| Mutex::new(stream));
}

/// Tells the parent. Without one there is nobody to go on for.
pub(super) fn tell(told: &Told) {
    let line = serde_json::to_string(told).expect("invariant: words are plain data");
    let parent = PARENT.get().expect("invariant: nothing is told before the parent is known");
    // In one piece, for the process may be killed in between.
    if parent.lock().unwrap_or_else(PoisonError::into_inner).write_all(format!("{line}\n").as_bytes()).is_err() {
        std::process::exit(0);
    }
}

pub(super) fn computed(request: u64, fate: Fate) {
    let asked = ASKED.lock().unwrap_or_else(PoisonError::into_inner).remove(&request);
    // Whoever asked may have been dropped.
    let _ = asked.map(|asked| asked.send(fate));
}

fn ask(function: usize, key: u64) -> (u64, oneshot::Receiver<Fate>) {
    static REQUESTS: AtomicU64 = AtomicU64::new(0);
    let (request, (send, receive)) = (REQUESTS.fetch_add(1, Ordering::Relaxed), oneshot::channel());
    ASKED.lock().unwrap_or_else(PoisonError::into_inner).insert(request, send);
    let at = now();
    tell(&Told::Compute { request, function, key, at });
    (at, receive)
}

fn value(function: usize, key: u64, begun: u64, fate: &Fate) -> Result<Stamped, Refused> {
    if fate.is_refused {
        return Err(Refused);
    }
    Ok(Stamped { function, key, serial: Some(fate.serial), worker: setting().worker, begun, done: now() })
}

pub(super) async fn compute(function: usize, key: u64) -> Result<Stamped, Refused> {
    let (begun, answer) = ask(function, key);
    let fate = answer.await.expect("invariant: each request is answered once");
    tokio::time::sleep(Duration::from_millis(fate.millis)).await;
    value(function, key, begun, &fate)
}

pub(super) fn compute_sync(function: usize, key: u64) -> Result<Stamped, Refused> {
    let (begun, answer) = ask(function, key);
    let fate = answer.blocking_recv().expect("invariant: each request is answered once");
    std::thread::sleep(Duration::from_millis(fate.millis));
    value(function, key, begun, &fate)
}
