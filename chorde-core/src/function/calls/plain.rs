//! The calls of a plain function and its companions.

use std::future::{Ready, ready};

use super::{CallKey, Look, LookBehind, Prepare, at};
use crate::client::Client;
use crate::engine::background::{Job, Ticket};
use crate::engine::runtime::wait;
use crate::entry::Entry;
use crate::error::Result;
use crate::function::at::{At, Looked, Prepared, Slow, no_echo};
use crate::function::{Compute, Function, Movable};
use crate::future::CacheFuture;
use crate::key::Key;
use crate::site::ValueMap;

/// How the background recomputes: from the arguments as they are written, and from owned ones.
struct Behind<A, O> {
    args: fn(A) -> Job,
    owned: fn(O) -> Job,
}

fn behind<F, A, M, O>() -> Behind<A, O>
where
    F: Compute<A, M, O>,
    M: ValueMap,
    O: for<'a> Movable<'a>,
{
    Behind { args: |args| job::<F, A, M, O>(F::own(args)), owned: job::<F, A, M, O> }
}

fn job<F, A, M, O>(owned: O) -> Job
where
    F: Compute<A, M, O>,
    M: ValueMap,
    O: for<'a> Movable<'a>,
{
    let run = |ticket: Ticket, owned: O| {
        at!(at of F);
        wait(at.behind(ticket, owned, computing::<F, A, M, O>(), Some(F::copier())));
    };
    Job::blocking(move |ticket| run(ticket, owned))
}

/// The computation from owned arguments. A pointer, so that functions of one signature share one copy of the engine.
fn computing<F, A, M, O>() -> fn(O) -> Ready<M::Return>
where
    F: Compute<A, M, O>,
    M: ValueMap,
{
    |owned| ready(F::compute_owned(owned))
}

/// The call under the function's own name, where nothing is ever due.
#[inline(always)]
pub fn call<F, A, M, O>(args: A) -> M::Return
where
    F: Compute<A, M, O>,
    M: ValueMap,
    O: 'static,
{
    at!(at of F);
    match F::key(&args, Look(&at)) {
        Looked::Hit(hit) => hit,
        Looked::Slow(slow) => missed::<F, A, M, O, _>(&at, slow, args, None),
    }
}

/// The call under the function's own name, where values come of age.
#[inline(always)]
pub fn call_ahead<F, A, M, O>(args: A) -> M::Return
where
    F: Compute<A, M, O>,
    M: ValueMap,
    O: for<'a> Movable<'a>,
{
    at!(at of F);
    match F::key(&args, Look(&at)) {
        Looked::Hit(hit) => hit,
        Looked::Slow(slow) => missed::<F, A, M, O, _>(&at, slow, args, Some(behind::<F, A, M, O>())),
    }
}

#[cold]
fn missed<F, A, M, O, C>(at: &At<'_, C, M>, slow: Slow<M::Stored>, args: A, behind: Option<Behind<A, O>>) -> M::Return
where
    F: Compute<A, M, O>,
    M: ValueMap,
    O: 'static,
    C: Client<M::Stored>,
{
    if at.tells_arguments() {
        return missed_owned::<F, A, M, O, C>(at, slow, F::own(args), behind.map(|behind| behind.owned));
    }
    let compute: fn(A) -> _ = |args| ready(F::compute(args));
    wait(at.finish(slow, args, compute, behind.map(|behind| behind.args), no_echo()))
}

fn missed_owned<F, A, M, O, C>(
    at: &At<'_, C, M>,
    slow: Slow<M::Stored>,
    owned: O,
    behind: Option<fn(O) -> Job>,
) -> M::Return
where
    F: Compute<A, M, O>,
    M: ValueMap,
    O: 'static,
    C: Client<M::Stored>,
{
    wait(at.finish(slow, owned, computing::<F, A, M, O>(), behind, Some(F::copier())))
}

/// As the call; without a refresh point, values are due at half of their life.
pub fn bg<F, A, M, O>(args: A) -> M::Return
where
    F: Compute<A, M, O>,
    M: ValueMap,
    O: for<'a> Movable<'a>,
{
    at!(at of F);
    match F::key(&args, LookBehind(&at)) {
        Looked::Hit(hit) => hit,
        Looked::Slow(slow) => missed::<F, A, M, O, _>(&at, slow, args, Some(behind::<F, A, M, O>())),
    }
}

/// Looks; has computed in the background what is absent or due.
pub fn lazy<F, A, M, O>(args: A) -> Option<M::Value>
where
    F: Compute<A, M, O>,
    M: ValueMap,
    O: for<'a> Movable<'a>,
{
    at!(at of F);
    let key = F::key(&args, Prepare(&at));
    wait(at.lazy(key, args, Some(behind::<F, A, M, O>().args)))
}

/// Computes, stores, returns.
pub fn refresh<F, A, M, O>(args: A) -> M::Return
where
    F: Compute<A, M, O>,
    M: ValueMap,
    O: 'static,
{
    at!(at of F);
    let key = F::key(&args, Prepare(&at));
    if at.tells_arguments() {
        return refresh_owned::<F, A, M, O>(key, F::own(args));
    }
    let compute: fn(A) -> _ = |args| ready(F::compute(args));
    wait(at.refresh(key, args, compute, no_echo()))
}

fn refresh_owned<F, A, M, O>(key: Prepared, owned: O) -> M::Return
where
    F: Compute<A, M, O>,
    M: ValueMap,
    O: 'static,
{
    at!(at of F);
    wait(at.refresh(key, owned, computing::<F, A, M, O>(), Some(F::copier())))
}

/// Computes, and leaves the cache alone.
pub fn uncached<F, A, M, O>(args: A) -> M::Return
where
    F: Compute<A, M, O>,
    M: ValueMap,
{
    F::compute(args)
}

/// Has computed in the background.
pub fn bg_refresh<F, A, M, O>(args: A)
where
    F: Compute<A, M, O>,
    M: ValueMap,
    O: for<'a> Movable<'a>,
{
    at!(at of F);
    let key = F::key(&args, Prepare(&at));
    at.bg_refresh(key, args, Some(behind::<F, A, M, O>().args));
}

/// The call, without blocking.
pub fn future<F, A, M, O>(args: A) -> CacheFuture<M::Return>
where
    F: Compute<A, M, O>,
    M: ValueMap<Return: for<'a> Movable<'a>>,
    O: for<'a> Movable<'a>,
{
    at!(at of F);
    let key = match F::key(&args, Look(&at)) {
        Looked::Hit(hit) => return CacheFuture::ready(hit),
        Looked::Slow(slow) => slow.into_prepared(),
    };
    let owned = F::own(args);
    CacheFuture::blocking(move || {
        at!(at of F);
        match at.look_again(key) {
            Looked::Hit(hit) => hit,
            Looked::Slow(slow) => missed_owned::<F, A, M, O, _>(&at, slow, owned, Some(job::<F, A, M, O>)),
        }
    })
}

/// `refresh`, without blocking.
pub fn future_refresh<F, A, M, O>(args: A) -> CacheFuture<M::Return>
where
    F: Compute<A, M, O>,
    M: ValueMap<Return: for<'a> Movable<'a>>,
    O: for<'a> Movable<'a>,
{
    at!(at of F);
    let (key, owned) = (F::key(&args, Prepare(&at)), F::own(args));
    CacheFuture::blocking(move || refresh_owned::<F, A, M, O>(key, owned))
}

/// `lazy`, without blocking.
pub fn future_lazy<F, A, M, O>(args: A) -> CacheFuture<Option<M::Value>>
where
    F: Compute<A, M, O>,
    M: ValueMap<Value: for<'a> Movable<'a>>,
    O: for<'a> Movable<'a>,
{
    at!(at of F);
    let key = F::key(&args, Prepare(&at));
    let job = job::<F, A, M, O>(F::own(args));
    CacheFuture::operation(async move {
        at!(at of F);
        at.lazy(key, (), Some(move |()| job)).await
    })
}

/// Emits the operations of the client on one key, waited for and as futures.
macro_rules! operations {
    ($($name:ident, $future:ident ($($value:ident)?) -> $output:ty;)*) => {$(
        /// An operation of the client, waited for.
        pub fn $name<F, A, M, O>(args: A $(, $value: M::Value)?) -> $output
        where
            F: Function<A, M, O>,
            M: ValueMap,
        {
            at!(at of F);
            let key = F::key(&args, Prepare(&at));
            wait(at.$name(key $(, $value)?))
        }

        /// The same operation, without blocking.
        pub fn $future<F, A, M, O>(args: A $(, $value: M::Value)?) -> CacheFuture<$output>
        where
            F: Function<A, M, O>,
            M: ValueMap<Value: for<'a> Movable<'a>>,
        {
            at!(at of F);
            let key = F::key(&args, Prepare(&at));
            CacheFuture::operation(async move {
                at!(at of F);
                at.$name(key $(, $value)?).await
            })
        }
    )*};
}

operations! {
    peek, future_peek() -> Option<M::Value>;
    put, future_put(value) -> Result<()>;
    get_ttl, future_get_ttl() -> Option<Entry<M::Value>>;
    invalidate, future_invalidate() -> Result<()>;
    expire, future_expire() -> Result<()>;
}

/// Forgets all entries of the function.
///
/// # Errors
///
/// As for [`At::clear`].
pub fn clear<F, A, M, O>() -> Result<()>
where
    F: Function<A, M, O>,
    M: ValueMap,
{
    at!(at of F);
    wait(at.clear())
}

/// Returns the key of a call.
///
/// # Errors
///
/// As for [`At::callkey`].
pub fn callkey<F, A, M, O>(args: A) -> Result<Key>
where
    F: Function<A, M, O>,
    M: ValueMap,
{
    at!(at of F);
    F::key(&args, CallKey(&at))
}

/// Returns the namespace of the function's keys.
pub fn namespace<F, A, M, O>() -> String
where
    F: Function<A, M, O>,
    M: ValueMap,
{
    at!(at of F);
    at.namespace()
}
