//! The background of a run: each computation on a thread of its own, up to its end or that of their runtime.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Poll, Waker};

use shuttle::future::block_on;
use shuttle::sync::Mutex;
use shuttle::thread::{self, JoinHandle};
use tokio::runtime::Handle;

type Run = Pin<Box<dyn Future<Output = ()> + Send>>;

#[derive(Default)]
struct Background {
    threads: Vec<JoinHandle<()>>,
    is_over: bool,
    wakers: Vec<Waker>,
}

shuttle::lazy_static! {
    static ref BACKGROUND: Mutex<Background> = Mutex::default();
}

/// Drives a future; a runtime that has ended drops it.
pub(crate) fn carry_on(_runtime: Option<Handle>, mut future: Run) {
    let drive = poll_fn(move |cx| {
        {
            let mut background = BACKGROUND.lock().unwrap();
            if background.is_over {
                return Poll::Ready(());
            }
            background.wakers.push(cx.waker().clone());
        }
        future.as_mut().poll(cx)
    });
    if BACKGROUND.lock().unwrap().is_over {
        return drop(drive);
    }
    let thread = thread::spawn(move || block_on(drive));
    BACKGROUND.lock().unwrap().threads.push(thread);
}

/// Ends the runtime, with all that it drives.
pub(crate) fn end() {
    let mut background = BACKGROUND.lock().unwrap();
    background.is_over = true;
    let wakers = std::mem::take(&mut background.wakers);
    drop(background);
    wakers.into_iter().for_each(Waker::wake);
}

/// Waits for the end of all that it drives.
pub(crate) fn drain() {
    loop {
        let next = BACKGROUND.lock().unwrap().threads.pop();
        match next {
            Some(thread) => thread.join().unwrap(),
            None => return,
        }
    }
}
