//! Where connections live: on the runtime of those who use them, where it can be relied upon, else on a thread of ours.
//!
//! A connection whose task runs on its callers' own runtime answers without a thread being woken in between, which is most
//! of the time that an answer takes. But a runtime whose thread is blocked by [`Wait::wait`](chorde_core::Wait::wait)
//! cannot drive anything, plain threads have none, and other executors have no tokio: their connections live on one thread
//! of our own, which serves all clients of the process.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::LazyLock;

use chorde_core::{Clock, LogLimit};
use dashmap::DashMap;
use tokio::runtime::{Handle, Id, RuntimeFlavor};
use tokio::task::AbortHandle;

use crate::command::Failure;

/// A runtime on which connections may live.
#[derive(Clone, Debug)]
pub(crate) struct Home {
    handle: Handle,
}

impl Home {
    /// Returns the runtime that this code runs on, if it can be relied upon, else our own.
    #[cfg(test)]
    fn here() -> Result<Self, Failure> {
        Self::of(Self::driven())
    }

    /// Returns the runtime that this code runs on, if something drives it while we wait. Whether it has sockets is left
    /// to [`of`](Self::of): to look that up takes a lock that all threads share.
    pub(crate) fn driven() -> Option<Self> {
        if chorde_core::is_waiting() {
            return None;
        }
        let handle = Handle::try_current().ok()?;
        is_driven(&handle).then_some(Self { handle })
    }

    /// Returns that runtime if it can be relied upon, else our own.
    pub(crate) fn of(driven: Option<Self>) -> Result<Self, Failure> {
        match driven {
            Some(home) if has_sockets(&home.handle) => Ok(home),
            _ => Self::own(),
        }
    }

    /// Returns our own thread, started when it is first asked for.
    pub(crate) fn own() -> Result<Self, Failure> {
        match &*OWN {
            Ok(handle) => Ok(Self { handle: handle.clone() }),
            Err(error) => Err(Failure::Refused(format!("the thread for connections cannot be started: {error}"))),
        }
    }

    /// Returns what tells this home from others.
    pub(crate) fn id(&self) -> Id {
        self.handle.id()
    }

    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }
}

/// Ends a task when dropped.
#[derive(Debug)]
pub(crate) struct TaskGuard(AbortHandle);

impl TaskGuard {
    /// Spawns on our own thread, for as long as the guard is kept.
    pub(crate) fn spawn(future: impl Future<Output = ()> + Send + 'static) -> Option<Self> {
        match Home::own() {
            Ok(home) => Some(Self(home.handle.spawn(future).abort_handle())),
            Err(failure) => {
                log_failure(&failure);
                None
            }
        }
    }
}

impl Drop for TaskGuard {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Spawns on our own thread; drops the future where that cannot be started, which has been logged.
pub(crate) fn spawn(future: impl Future<Output = ()> + Send + 'static) {
    match Home::own() {
        Ok(home) => drop(home.handle.spawn(future)),
        Err(failure) => log_failure(&failure),
    }
}

/// Logs that our own thread cannot be started: for the whole process, whatever clients it has.
fn log_failure(failure: &Failure) {
    static LIMIT: LogLimit<()> = LogLimit::new();
    if let Some(more) = LIMIT.admit((), Clock::system().now()) {
        log::error!("chorde: {failure}{more}");
    }
}

/// Returns how many tasks there are on our own thread.
#[cfg(all(unix, feature = "testing"))]
pub(crate) fn tasks() -> usize {
    Home::own().map_or(0, |home| home.handle.metrics().num_alive_tasks())
}

/// Returns whether something drives the runtime while we wait. A runtime of one thread is driven by whoever is inside of
/// `block_on`, which need not be us, unless we are one of its tasks.
fn is_driven(handle: &Handle) -> bool {
    handle.runtime_flavor() != RuntimeFlavor::CurrentThread || tokio::task::try_id().is_some()
}

/// Returns whether the runtime was built with sockets (`enable_io`); tokio panics where it was not.
fn has_sockets(handle: &Handle) -> bool {
    static KNOWN: LazyLock<DashMap<Id, bool>> = LazyLock::new(DashMap::default);
    if let Some(known) = KNOWN.get(&handle.id()) {
        return *known;
    }
    let try_one = || {
        let _entered = handle.enter();
        let socket = std::net::UdpSocket::bind((std::net::Ipv4Addr::LOCALHOST, 0))?;
        socket.set_nonblocking(true)?;
        tokio::net::UdpSocket::from_std(socket).map(drop)
    };
    let has_sockets = catch_unwind(AssertUnwindSafe(try_one)).is_ok_and(|made: std::io::Result<()>| made.is_ok());
    // Those of runtimes that have ended are among them; the others are tried again.
    if KNOWN.len() >= RUNTIMES {
        KNOWN.clear();
    }
    KNOWN.insert(handle.id(), has_sockets);
    has_sockets
}

/// Of how many runtimes it is known at most whether they have sockets.
const RUNTIMES: usize = 256;

static OWN: LazyLock<std::io::Result<Handle>> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
    let handle = runtime.handle().clone();
    std::thread::Builder::new()
        .name("chorde-memcache".into())
        .spawn(move || runtime.block_on(std::future::pending::<()>()))?;
    Ok(handle)
});

#[cfg(test)]
mod tests {
    use super::*;
    use chorde_core::Wait;

    fn own() -> Id {
        Home::own().unwrap().id()
    }

    #[test]
    fn plain_threads_and_waits_have_our_own_thread() {
        assert_eq!(Home::here().unwrap().id(), own());
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let _entered = runtime.enter();
        assert_ne!(Home::here().unwrap().id(), own());
        assert_eq!(async { Home::here().unwrap().id() }.wait(), own());
    }

    #[test]
    fn tasks_have_their_runtime() {
        let single = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let id = single.block_on(async { tokio::spawn(async { Home::here().unwrap().id() }).await.unwrap() });
        assert_eq!(id, single.handle().id());
        assert_eq!(single.block_on(async { Home::here().unwrap().id() }), own());
    }

    #[test]
    fn a_runtime_without_sockets_is_not_relied_upon() {
        let deaf = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
        let _entered = deaf.enter();
        assert_eq!(Home::here().unwrap().id(), own());
    }
}
