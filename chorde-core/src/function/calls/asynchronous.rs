//! The calls of an asynchronous function and its companions, where they differ from those of a plain one.
//!
//! A miss is boxed, and known to be `Send` from here on: that is proved once, and not again for each function of a user.

use std::future::Future;
use std::pin::Pin;

use super::{Look, LookBehind, Prepare, at};
use crate::client::Client;
use crate::engine::background::{Job, Ticket};
use crate::entry::Entry;
use crate::error::Result;
use crate::function::at::{At, Looked, Prepared, Slow, no_echo};
use crate::function::{AsyncCompute, Crossing, Function, Movable};
use crate::future::CacheFuture;
use crate::site::ValueMap;

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// How the background recomputes: from the arguments as they are written, and from owned ones.
struct Behind<A, O> {
    args: fn(A) -> Job,
    owned: fn(O) -> Job,
}

fn behind<F, A, M, O>() -> Behind<A, O>
where
    F: AsyncCompute<A, M, O>,
    M: Crossing,
    O: for<'a> Movable<'a>,
{
    Behind { args: |args| job::<F, A, M, O>(F::own(args)), owned: job::<F, A, M, O> }
}

fn job<F, A, M, O>(owned: O) -> Job
where
    F: AsyncCompute<A, M, O>,
    M: Crossing,
    O: for<'a> Movable<'a>,
{
    Job::future(move |ticket: Ticket| async move {
        at!(at of F);
        at.behind(ticket, owned, computing::<F, A, M, O>(), Some(F::copier())).await;
    })
}

/// The computation from owned arguments. A pointer, so that functions of one signature share one copy of the engine.
fn computing<F, A, M, O>() -> fn(O) -> Boxed<'static, M::Return>
where
    F: AsyncCompute<A, M, O>,
    M: ValueMap,
    O: Send + 'static,
{
    |owned| Box::pin(async move { F::compute_owned(owned).await })
}

/// The call under the function's own name, where nothing is ever due.
#[inline]
pub async fn call_async<F, A, M, O>(args: A) -> M::Return
where
    F: AsyncCompute<A, M, O>,
    A: Send,
    M: Crossing,
    O: Send + 'static,
{
    at!(at of F);
    match F::key(&args, Look(&at)) {
        Looked::Hit(hit) => hit,
        Looked::Slow(slow) => missed::<F, A, M, O, _>(&at, slow, args, None).await,
    }
}

/// The call under the function's own name, where values come of age.
#[inline]
pub async fn call_async_ahead<F, A, M, O>(args: A) -> M::Return
where
    F: AsyncCompute<A, M, O>,
    A: Send,
    M: Crossing,
    O: for<'a> Movable<'a>,
{
    at!(at of F);
    match F::key(&args, Look(&at)) {
        Looked::Hit(hit) => hit,
        Looked::Slow(slow) => missed::<F, A, M, O, _>(&at, slow, args, Some(behind::<F, A, M, O>())).await,
    }
}

#[cold]
fn missed<'a, F, A, M, O, C>(
    at: &'a At<'_, C, M>,
    slow: Slow<M::Stored>,
    args: A,
    behind: Option<Behind<A, O>>,
) -> Boxed<'a, M::Return>
where
    F: AsyncCompute<A, M, O>,
    A: Send + 'a,
    M: Crossing,
    O: Send + 'static,
    C: Client<M::Stored>,
{
    if at.tells_arguments() {
        return missed_owned::<F, A, M, O, C>(at, slow, F::own(args), behind.map(|behind| behind.owned));
    }
    let compute: fn(A) -> Boxed<'a, M::Return> = |args| Box::pin(async move { F::compute(args).await });
    Box::pin(at.finish(slow, args, compute, behind.map(|behind| behind.args), no_echo()))
}

fn missed_owned<'a, F, A, M, O, C>(
    at: &'a At<'_, C, M>,
    slow: Slow<M::Stored>,
    owned: O,
    behind: Option<fn(O) -> Job>,
) -> Boxed<'a, M::Return>
where
    F: AsyncCompute<A, M, O>,
    M: Crossing,
    O: Send + 'static,
    C: Client<M::Stored>,
{
    Box::pin(at.finish(slow, owned, computing::<F, A, M, O>(), behind, Some(F::copier())))
}

/// As the call; without a refresh point, values are due at half of their life.
pub async fn bg_async<F, A, M, O>(args: A) -> M::Return
where
    F: AsyncCompute<A, M, O>,
    A: Send,
    M: Crossing,
    O: for<'a> Movable<'a>,
{
    at!(at of F);
    match F::key(&args, LookBehind(&at)) {
        Looked::Hit(hit) => hit,
        Looked::Slow(slow) => missed::<F, A, M, O, _>(&at, slow, args, Some(behind::<F, A, M, O>())).await,
    }
}

/// Looks; has computed in the background what is absent or due.
pub async fn lazy_async<F, A, M, O>(args: A) -> Option<M::Value>
where
    F: AsyncCompute<A, M, O>,
    M: Crossing,
    O: for<'a> Movable<'a>,
{
    at!(at of F);
    let key = F::key(&args, Prepare(&at));
    at.lazy(key, args, Some(behind::<F, A, M, O>().args)).await
}

/// Computes, stores, returns.
pub async fn refresh_async<F, A, M, O>(args: A) -> M::Return
where
    F: AsyncCompute<A, M, O>,
    A: Send,
    M: Crossing,
    O: Send + 'static,
{
    at!(at of F);
    let key = F::key(&args, Prepare(&at));
    refreshed::<F, A, M, O, _>(&at, key, args).await
}

fn refreshed<'a, F, A, M, O, C>(at: &'a At<'_, C, M>, key: Prepared, args: A) -> Boxed<'a, M::Return>
where
    F: AsyncCompute<A, M, O>,
    A: Send + 'a,
    M: Crossing,
    O: Send + 'static,
    C: Client<M::Stored>,
{
    if at.tells_arguments() {
        return Box::pin(at.refresh(key, F::own(args), computing::<F, A, M, O>(), Some(F::copier())));
    }
    let compute: fn(A) -> Boxed<'a, M::Return> = |args| Box::pin(async move { F::compute(args).await });
    Box::pin(at.refresh(key, args, compute, no_echo()))
}

/// Computes, and leaves the cache alone.
pub fn uncached_async<F, A, M, O>(args: A) -> impl Future<Output = M::Return> + Send
where
    F: AsyncCompute<A, M, O>,
    M: ValueMap,
{
    F::compute(args)
}

/// Has computed in the background.
pub fn bg_refresh_async<F, A, M, O>(args: A)
where
    F: AsyncCompute<A, M, O>,
    M: Crossing,
    O: for<'a> Movable<'a>,
{
    at!(at of F);
    let key = F::key(&args, Prepare(&at));
    at.bg_refresh(key, args, Some(behind::<F, A, M, O>().args));
}

/// The call, on whatever executor.
pub fn future_async<F, A, M, O>(args: A) -> CacheFuture<M::Return>
where
    F: AsyncCompute<A, M, O>,
    M: Crossing<Return: for<'a> Movable<'a>>,
    O: for<'a> Movable<'a>,
{
    at!(at of F);
    let key = match F::key(&args, Look(&at)) {
        Looked::Hit(hit) => return CacheFuture::ready(hit),
        Looked::Slow(slow) => slow.into_prepared(),
    };
    let owned = F::own(args);
    CacheFuture::spawn(again::<F, A, M, O>(key, owned))
}

fn again<F, A, M, O>(key: Prepared, owned: O) -> Boxed<'static, M::Return>
where
    F: AsyncCompute<A, M, O>,
    M: Crossing,
    O: for<'a> Movable<'a>,
{
    Box::pin(async move {
        at!(at of F);
        match at.look_again(key) {
            Looked::Hit(hit) => hit,
            Looked::Slow(slow) => missed_owned::<F, A, M, O, _>(&at, slow, owned, Some(job::<F, A, M, O>)).await,
        }
    })
}

/// Emits the operations of the client on one key.
macro_rules! operations {
    ($($name:ident, $future:ident ($($value:ident)?) -> $output:ty;)*) => {$(
        /// An operation of the client.
        pub async fn $future<F, A, M, O>(args: A $(, $value: M::Value)?) -> $output
        where
            F: Function<A, M, O>,
            M: ValueMap,
        {
            at!(at of F);
            let key = F::key(&args, Prepare(&at));
            at.$name(key $(, $value)?).await
        }
    )*};
}

operations! {
    peek, peek_async() -> Option<M::Value>;
    put, put_async(value) -> Result<()>;
    get_ttl, get_ttl_async() -> Option<Entry<M::Value>>;
    invalidate, invalidate_async() -> Result<()>;
    expire, expire_async() -> Result<()>;
}

/// Forgets all entries of the function.
///
/// # Errors
///
/// As for [`At::clear`].
pub async fn clear_async<F, A, M, O>() -> Result<()>
where
    F: Function<A, M, O>,
    M: ValueMap,
{
    at!(at of F);
    at.clear().await
}
