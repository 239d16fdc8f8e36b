//! A few futures that are polled by one: each only when it was woken.

use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use crate::sync::{AtomicBool, Mutex, Ordering, lock};
use crate::user_code::wake;

/// Futures that run, each with its number. Bounded by whoever pushes.
pub(super) struct Crew<T> {
    places: Vec<Place<T>>,
    /// Places without a future.
    free: Vec<usize>,
    /// Those that were called and not polled yet.
    called: VecDeque<usize>,
    calls: Arc<Calls>,
}

/// A future and its number.
type Member<T> = (u64, Pin<Box<dyn Future<Output = T> + Send>>);

struct Place<T> {
    member: Option<Member<T>>,
    bell: Arc<Bell>,
}

/// Which futures are to be polled, and who polls them.
#[derive(Default)]
struct Calls(Mutex<(Vec<usize>, Option<Waker>)>);

/// Wakes the future of one place.
struct Bell {
    place: usize,
    /// Whether it is among the calls.
    has_rung: AtomicBool,
    calls: Arc<Calls>,
}

impl<T> Default for Crew<T> {
    fn default() -> Self {
        Self { places: Vec::new(), free: Vec::new(), called: VecDeque::new(), calls: Arc::default() }
    }
}

impl<T> Crew<T> {
    /// Returns how many run.
    pub(super) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    /// Takes one on.
    pub(super) fn push(&mut self, number: u64, future: Pin<Box<dyn Future<Output = T> + Send>>) {
        let at = self.free.pop().unwrap_or_else(|| {
            let place = self.places.len();
            let bell = Bell { place, has_rung: AtomicBool::new(false), calls: Arc::clone(&self.calls) };
            self.places.push(Place { member: None, bell: Arc::new(bell) });
            place
        });
        self.places[at].member = Some((number, future));
        self.places[at].bell.ring();
    }

    /// Polls those that were woken, until one ends or none is left; `None` if none runs.
    pub(super) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<(u64, T)>> {
        let waker = cx.waker().clone();
        let mut calls = lock(&self.calls.0);
        let before = calls.1.replace(waker);
        // Those who call from now on have their turn later: one that always calls must not keep this thread.
        self.called.extend(calls.0.drain(..));
        drop(calls);
        drop(before);
        while let Some(at) = self.called.pop_front() {
            let Place { member, bell } = &mut self.places[at];
            // Before the poll: what comes during it is to be heard.
            bell.has_rung.store(false, Ordering::SeqCst);
            let Some((number, future)) = member else { continue };
            let waker = Waker::from(Arc::clone(bell));
            if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                let number = *number;
                *member = None;
                self.free.push(at);
                return Poll::Ready(Some((number, output)));
            }
        }
        if self.len() == 0 { Poll::Ready(None) } else { Poll::Pending }
    }
}

impl Bell {
    /// Returns who is to be woken, if that is nobody yet.
    fn ring(&self) -> Option<Waker> {
        if self.has_rung.swap(true, Ordering::SeqCst) {
            return None;
        }
        let mut calls = lock(&self.calls.0);
        calls.0.push(self.place);
        calls.1.take()
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.ring().into_iter().for_each(wake);
    }
}
