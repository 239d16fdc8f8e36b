//! What happens when a cached function is called.
//!
//! 1. The code of `#[cached]` borrows the key from the arguments and asks [`At::look`](crate::function::At::look): the
//!    client says at once what it holds, [`decide`](crate::decide) says what that is worth, and a fresh value is returned. Nothing of
//!    the following happens on a hit.
//! 2. A due value is returned as well, and a [`background`] job is sent that goes through the following steps with
//!    arguments of its own, at most one for a key.
//! 3. Otherwise the call joins the [`flight`](crate::flight) of its key: as its leader, or as one of those who wait for it.
//!    The leader of an asynchronous function makes the rest a [`computation`] that can go on without it.
//! 4. The leader claims the key at the client. This looks once more, since the value may have come in the meantime; and
//!    where the client is shared, it may learn that another process computes, and wait for that one.
//! 5. The leader runs the user's function, with its panic caught.
//! 6. If no explicit write has come in between, it fills the claim, and lands the flight: those who wait get the value.
//!    If there is nothing that they can share, each of them computes.
//!
//! [`drive`] is all of this in one place, for synchronous and asynchronous functions alike; each step that a client may have to
//! be waited for has a form for clients that answer at once.

mod backend;
pub mod background;
pub(crate) mod computation;
pub(crate) mod context;
mod drive;
pub(crate) mod runtime;

pub(crate) use backend::{Backed, unload};
pub(crate) use drive::{Arrived, Drive, Entered, Joined, Lead, Made, Mode};
