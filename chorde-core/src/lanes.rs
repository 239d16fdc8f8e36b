//! Which cache line of a group of several a thread writes to, so that threads do not take lines from one another.
//!
//! A group has [`LANES`] lines. Each thread is dealt a lane when it first needs one and keeps it to its end. The first
//! [`LANES`] threads alive *own* theirs: while they live nobody else owns it, so that they may change what is the owner's
//! by a plain load and store, a fifth of the price of an atomic change. Threads beyond that are guests on a lane and change
//! what is the guests' by atomic operations.

use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How many lanes a group has; a power of two.
pub(crate) const LANES: usize = 16;

/// Is the lane of the thread on which it was made, and stays there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lane {
    /// The lane's index in the lower bits, and [`GUEST`] unless it is owned.
    code: usize,
    /// Keeps the lane on its thread.
    here: PhantomData<*const ()>,
}

/// Marks the lane of a guest.
const GUEST: usize = LANES;
/// Stands for the lane of a thread that has none yet.
const UNDEALT: usize = usize::MAX;

/// Which lanes are owned, one bit for each.
static OWNED: AtomicUsize = AtomicUsize::new(0);

/// How many lanes have had an owner yet. The first free one is dealt, so that these are as many as threads lived at a time.
static DEALT: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static CODE: Cell<usize> = const { Cell::new(UNDEALT) };
    /// Apart from the code, for what is dropped with its thread takes longer to read.
    static OWNERSHIP: Cell<Option<Ownership>> = const { Cell::new(None) };
}

impl Lane {
    /// Returns the lane of this thread if it owns one and has used it before, which is the common case.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn owned() -> Option<Self> {
        CODE.try_with(Cell::get).ok().filter(|code| *code < LANES).map(Self::new)
    }

    /// Returns the lane of this thread.
    #[cold]
    pub(crate) fn mine() -> Self {
        match CODE.try_with(Cell::get) {
            Ok(UNDEALT) => deal(),
            Ok(code) => Self::new(code),
            Err(_) => Self::new(GUEST),
        }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    const fn new(code: usize) -> Self {
        Self { code, here: PhantomData }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn index(self) -> usize {
        self.code % LANES
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn is_owned(self) -> bool {
        self.code < GUEST
    }
}

/// Returns how many lanes have had an owner yet, in the sequentially consistent order of this and what owners do later.
pub(crate) fn dealt() -> usize {
    DEALT.load(Ordering::SeqCst)
}

/// Deals a lane to this thread: one of its own, if there is any left.
fn deal() -> Lane {
    static GUESTS: AtomicUsize = AtomicUsize::new(0);
    let code = own().unwrap_or_else(|| GUEST + GUESTS.fetch_add(1, Ordering::Relaxed) % LANES);
    let _ = CODE.try_with(|mine| mine.set(code));
    Lane::new(code)
}

fn own() -> Option<usize> {
    let free = |owned: usize| (owned.trailing_ones() < LANES as u32).then(|| owned | (owned + 1));
    // Acquires what the last owner did, whose plain stores are continued here.
    let owned = OWNED.fetch_update(Ordering::Acquire, Ordering::Relaxed, free).ok()?;
    let ownership = Ownership(owned.trailing_ones() as usize);
    let code = ownership.0;
    DEALT.fetch_max(code + 1, Ordering::SeqCst);
    // Where the thread's variables are gone already, the ownership ends here and now.
    OWNERSHIP.try_with(|mine| mine.set(Some(ownership))).ok().map(|()| code)
}

/// Gives a lane back at the end of its thread.
struct Ownership(usize);

impl Drop for Ownership {
    fn drop(&mut self) {
        // What still runs on this thread, other variables' `Drop`, is a guest from here on.
        let _ = CODE.try_with(|code| code.set(GUEST + self.0));
        OWNED.fetch_and(!(1 << self.0), Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::sync::Barrier;

    #[test]
    fn no_lane_has_two_owners_at_a_time() {
        const THREADS: usize = LANES + 4;
        for _ in 0..20 {
            let (all_in, all_out) = (Barrier::new(THREADS), Barrier::new(THREADS));
            let codes: Vec<usize> = std::thread::scope(|scope| {
                let dealt = || {
                    all_in.wait();
                    let lane = Lane::mine();
                    assert_eq!(lane.code, Lane::mine().code);
                    all_out.wait();
                    lane.code
                };
                let threads: Vec<_> = (0..THREADS).map(|_| scope.spawn(dealt)).collect();
                threads.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            let owned: Vec<_> = codes.iter().copied().filter(|code| Lane::new(*code).is_owned()).collect();
            assert_eq!(owned.len(), owned.iter().collect::<HashSet<_>>().len());
            assert!(codes.iter().all(|code| Lane::new(*code).index() < LANES));
        }
    }

    #[test]
    fn a_thread_that_ends_is_a_guest_while_its_variables_are_dropped() {
        struct Late;
        thread_local!(static LATE: Cell<Option<Late>> = const { Cell::new(None) });
        impl Drop for Late {
            fn drop(&mut self) {
                // Whatever the order in which variables are dropped, this must not fail.
                assert!(Lane::mine().index() < LANES);
            }
        }
        let ended = std::thread::spawn(|| {
            LATE.set(Some(Late));
            Lane::mine().index()
        });
        assert!(ended.join().unwrap() < LANES);
    }
}
