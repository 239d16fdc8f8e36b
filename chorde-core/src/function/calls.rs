//! What a cached function and each of its companions do, as far as that follows from its [`Function`](super::Function)
//! alone.
//!
//! Where somebody wants to know the arguments of what is computed, they are owned first and then lent to the function, so
//! that a copy of them can be told.

mod asynchronous;
mod plain;

use serde::Serialize;

use super::at::{At, Looked, Prepared, Slow};
use super::parts::{Function, Seen};
use crate::client::Client;
use crate::engine::background::{Job, Ticket};
use crate::entry::Entry;
use crate::error::Result;
use crate::key::Key;
use crate::site::ValueMap;
use crate::warm::{Reader, Warming};

pub use asynchronous::*;
pub use plain::*;

/// `at!(at of F)`: lets `at` be the engine's view of a call of the function that `F` stands for.
macro_rules! at {
    ($at:ident of $function:ident) => {
        let $at = $crate::function::At::new(
            $function::site(),
            &[],
            $function::client(),
            $function::maps(),
            const { &$function::POLICY },
        );
    };
}
use at;

/// The arguments of a call, owned or not yet.
enum Given<A, O> {
    AsWritten(A),
    Owned(O),
}

impl<A, O: 'static> Given<A, O> {
    /// Owns the arguments if somebody wants to know them.
    fn new<C, M: ValueMap>(at: &At<'_, C, M>, args: A, own: fn(A) -> O) -> Self {
        if at.tells_arguments() { Self::Owned(own(args)) } else { Self::AsWritten(args) }
    }

    /// Returns what copies the arguments for those who want to know them.
    fn copier<C, M: ValueMap>(at: &At<'_, C, M>) -> Option<impl Fn(&Self) -> Option<O> + use<A, O, C, M>> {
        let copy = at.copier::<O>()?;
        Some(move |given: &Self| match given {
            Self::AsWritten(_) => None,
            Self::Owned(owned) => copy(owned),
        })
    }
}

/// What belongs to one function on the way of a miss: pointers, so that functions of one signature share one copy of the
/// engine. `P` is what computing yields, `Q` what the background's computing does; `C` computes with arguments as they were
/// written, where that is done.
struct Ways<C, A, O, P, Q> {
    compute: C,
    compute_owned: fn(O) -> P,
    own: fn(A) -> O,
    behind: Option<Behind<O, Q>>,
}

/// How the background recomputes: what it runs, and what makes a job of that and of owned arguments.
struct Behind<O, Q> {
    run: Run<O, Q>,
    job: fn(Run<O, Q>, O) -> Job,
}

/// Computes in the background.
type Run<O, Q> = fn(Ticket, O) -> Q;

impl<A, O, P, Q> Ways<fn(A) -> P, A, O, P, Q> {
    /// Returns what computes.
    fn compute(&self) -> impl FnOnce(Given<A, O>) -> P + Send + use<A, O, P, Q> {
        let (compute, compute_owned) = (self.compute, self.compute_owned);
        move |given| match given {
            Given::AsWritten(args) => compute(args),
            Given::Owned(owned) => compute_owned(owned),
        }
    }
}

impl<C, A, O, P, Q> Ways<C, A, O, P, Q> {
    /// Returns what makes a job for the background, where there is to be one.
    fn behind(&self) -> Option<impl FnOnce(Given<A, O>) -> Job + Send + use<C, A, O, P, Q>> {
        let (own, behind) = (self.own, self.behind.as_ref()?);
        let (run, job) = (behind.run, behind.job);
        Some(move |given| match given {
            Given::AsWritten(args) => job(run, own(args)),
            Given::Owned(owned) => job(run, owned),
        })
    }
}

/// Looks at once; where that is not enough, returns the key and the owned arguments, for later.
fn look_or_own<F, A, M, O>(args: A) -> std::result::Result<M::Return, (Prepared, O)>
where
    F: Function<A, M, O>,
    M: ValueMap,
{
    at!(at of F);
    match F::key(&args, Look(&at)) {
        Looked::Hit(hit) => Ok(hit),
        Looked::Slow(slow) => Err((slow.into_prepared(), F::own(args))),
    }
}

/// Has computed in the background, whatever the client holds.
fn refresh_behind<F, C, A, M, O, P, Q>(args: A, ways: &Ways<C, A, O, P, Q>) -> Result<()>
where
    F: Function<A, M, O>,
    M: ValueMap,
    O: 'static,
{
    at!(at of F);
    let key = F::key(&args, Prepare(&at));
    at.bg_refresh(key, Given::AsWritten(args), ways.behind())
}

/// Says what there is to do to make the result of a call ready.
fn warming<F, A, M, O, P, Q>(args: A, ways: &Ways<P, A, O, impl Sized, Q>) -> Warming
where
    F: Function<A, M, O>,
    M: ValueMap,
    O: 'static,
{
    at!(at of F);
    let key = F::key(&args, Prepare(&at));
    at.warming(key, Given::AsWritten(args), ways.behind())
}

/// Returns what asks the client about many keys at once.
fn reader<F, A, M, O>() -> Reader
where
    F: Function<A, M, O>,
    M: ValueMap + 'static,
{
    Box::new(|keys| {
        Box::pin(async move {
            at!(at of F);
            at.are_fresh(keys).await
        })
    })
}

/// Emits what looks at the key of a call: one for each thing that the engine does with a key while it is borrowed.
macro_rules! seers {
    ($($(#[doc = $doc:literal])+ $name:ident $method:ident -> $outcome:ty;)*) => {$(
        $(#[doc = $doc])+
        struct $name<'a, 'b, C, M>(&'a At<'b, C, M>);

        impl<M: ValueMap, C: Client<M::Stored>> Seen for $name<'_, '_, C, M> {
            type Outcome = $outcome;

            #[cfg_attr(not(debug_assertions), inline(always))]
            fn see<K: Serialize + ?Sized>(self, key: &K) -> $outcome {
                self.0.$method(key)
            }
        }
    )*};
}

seers! {
    /// Looks whether the client holds a value that can be served at once.
    Look look -> Looked<M::Return, Box<Slow<M::Stored>>>;
    /// Does the same for one who does not pass the rest on.
    LookWhole look_whole -> Looked<M::Return, Slow<M::Stored>>;
    /// Does the same as [`Look`] for `bg`.
    LookBehind look_bg -> Looked<M::Return, Box<Slow<M::Stored>>>;
    /// Looks for `lazy`.
    LookLazily lazy_at_once -> std::result::Result<M::Value, Prepared>;
    /// Looks for `peek`.
    LookOnly peek_at_once -> std::result::Result<Option<M::Value>, Prepared>;
    /// Looks for `get_ttl`.
    LookAtEntry get_ttl_at_once -> std::result::Result<Option<Entry<M::Value>>, Prepared>;
    /// Makes the key ready for the client.
    Prepare prepare -> Prepared;
    /// Returns the key for the user.
    CallKey callkey -> Result<Key>;
}
