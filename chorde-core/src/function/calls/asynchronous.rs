//! The calls of an asynchronous function and its companions, where they differ from those of a plain one.
//!
//! A miss is boxed, and known to be `Send` from here on: that is proved once, and not again for each function of a user. What
//! a call holds while it waits is counted in thousands: an `async fn` would keep its arguments twice.

use std::convert::Infallible;
use std::future::Future;

use super::{Behind, Given, Look, LookBehind, Prepare, at, look_or_own, refresh_behind};
use crate::client::Client;
use crate::engine::background::{Job, Ticket};
use crate::entry::Entry;
use crate::error::Result;
use crate::function::at::{At, Looked, Prepared, Slow};
use crate::function::{AllMovable, AsyncCompute, Boxed, Crossing, Function, Movable};
use crate::future::CacheFuture;
use crate::site::ValueMap;

/// Computing yields a future, and so does the background's computing.
type Ways<'a, A, O, R> = super::Ways<A, O, Boxed<'a, R>, Boxed<'static, ()>>;

fn ways<'a, F, A, M, O>() -> Ways<'a, A, O, M::Return>
where
    F: AsyncCompute<A, M, O>,
    A: 'a,
    M: ValueMap,
{
    Ways { compute: F::compute, compute_owned: F::compute_owned, own: F::own, behind: None }
}

fn ways_ahead<'a, F, A, M, O>() -> Ways<'a, A, O, M::Return>
where
    F: AsyncCompute<A, M, O>,
    A: 'a,
    M: Crossing,
    O: AllMovable,
{
    Ways { behind: Some(Behind { run: behind::<F, A, M, O>, job }), ..ways::<F, A, M, O>() }
}

/// The same where nothing is left but owned arguments, so that nothing borrows.
fn ways_owned<F, A, M, O>() -> Ways<'static, Infallible, O, M::Return>
where
    F: AsyncCompute<A, M, O>,
    M: Crossing,
    O: AllMovable,
{
    Ways {
        compute: |never| match never {},
        compute_owned: F::compute_owned,
        own: |never| match never {},
        behind: Some(Behind { run: behind::<F, A, M, O>, job }),
    }
}

fn behind<F, A, M, O>(ticket: Ticket, owned: O) -> Boxed<'static, ()>
where
    F: AsyncCompute<A, M, O>,
    M: Crossing,
    O: AllMovable,
{
    Box::pin(async move {
        at!(at of F);
        at.behind(ticket, owned, F::compute_owned as fn(O) -> _, at.copier()).await;
    })
}

fn job<O: AllMovable>(run: fn(Ticket, O) -> Boxed<'static, ()>, owned: O) -> Job {
    Job::future(move |ticket| run(ticket, owned))
}

/// A call that has been begun. What has been borrowed before an `await` stays in the future: only this does.
enum Begun<'a, R> {
    Hit(R),
    Missed(Boxed<'a, R>),
}

/// The call under the function's own name, where nothing is ever due.
#[inline]
#[expect(clippy::manual_async_fn, reason = "it would keep its arguments twice")]
pub fn call_async<F, A, M, O>(args: A) -> impl Future<Output = M::Return>
where
    F: AsyncCompute<A, M, O>,
    A: Send,
    M: Crossing,
    O: Send + 'static,
{
    async move {
        let missed = match begin::<F, A, M, O>(args, ways::<F, A, M, O>) {
            Begun::Hit(hit) => return hit,
            Begun::Missed(missed) => missed,
        };
        missed.await
    }
}

/// The call under the function's own name, where values come of age.
#[inline]
#[expect(clippy::manual_async_fn, reason = "it would keep its arguments twice")]
pub fn call_async_ahead<F, A, M, O>(args: A) -> impl Future<Output = M::Return>
where
    F: AsyncCompute<A, M, O>,
    A: Send,
    M: Crossing,
    O: AllMovable,
{
    async move {
        let missed = match begin::<F, A, M, O>(args, ways_ahead::<F, A, M, O>) {
            Begun::Hit(hit) => return hit,
            Begun::Missed(missed) => missed,
        };
        missed.await
    }
}

#[cfg_attr(not(debug_assertions), inline(always))]
fn begin<'a, F, A, M, O>(args: A, ways: fn() -> Ways<'a, A, O, M::Return>) -> Begun<'a, M::Return>
where
    F: AsyncCompute<A, M, O>,
    A: Send + 'a,
    M: Crossing + 'a,
    O: Send + 'static,
{
    at!(at of F);
    match F::key(&args, Look(&at)) {
        Looked::Hit(hit) => Begun::Hit(hit),
        Looked::Slow(slow) => Begun::Missed(missed(at, slow, args, &ways())),
    }
}

#[cold]
fn missed<'a, C, M, A, O>(
    at: At<'static, C, M>,
    slow: Box<Slow<M::Stored>>,
    args: A,
    ways: &Ways<'a, A, O, M::Return>,
) -> Boxed<'a, M::Return>
where
    C: Client<M::Stored> + 'a,
    M: Crossing + 'a,
    A: Send + 'a,
    O: Send + 'static,
{
    let given = Given::new(&at, args, ways.own);
    finish(at, slow, given, ways)
}

fn finish<'a, C, M, A, O>(
    at: At<'static, C, M>,
    slow: Box<Slow<M::Stored>>,
    given: Given<A, O>,
    ways: &Ways<'a, A, O, M::Return>,
) -> Boxed<'a, M::Return>
where
    C: Client<M::Stored> + 'a,
    M: Crossing + 'a,
    A: Send + 'a,
    O: Send + 'static,
{
    let (compute, behind, copier) = (ways.compute(), ways.behind(), Given::copier(&at));
    Box::pin(at.finish(slow, given, compute, behind, copier))
}

/// As the call; without a refresh point, values are due at half of their life.
pub async fn bg_async<F, A, M, O>(args: A) -> M::Return
where
    F: AsyncCompute<A, M, O>,
    A: Send,
    M: Crossing,
    O: AllMovable,
{
    at!(at of F);
    match F::key(&args, LookBehind(&at)) {
        Looked::Hit(hit) => hit,
        Looked::Slow(slow) => missed(at, slow, args, &ways_ahead::<F, A, M, O>()).await,
    }
}

/// Looks; has computed in the background what is absent or due.
pub async fn lazy_async<F, A, M, O>(args: A) -> Option<M::Value>
where
    F: AsyncCompute<A, M, O>,
    M: Crossing,
    O: AllMovable,
{
    at!(at of F);
    let key = F::key(&args, Prepare(&at));
    at.lazy(key, Given::AsWritten(args), ways_ahead::<F, A, M, O>().behind()).await
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
    let ways = ways::<F, A, M, O>();
    Box::pin(at.refresh(key, Given::new(at, args, ways.own), ways.compute(), Given::copier(at)))
}

/// Computes, and leaves the cache alone.
pub async fn uncached_async<F, A, M, O>(args: A) -> M::Return
where
    F: AsyncCompute<A, M, O>,
    M: ValueMap,
{
    F::compute(args).await
}

/// Has computed in the background.
///
/// # Errors
///
/// As for [`At::bg_refresh`].
pub fn bg_refresh_async<F, A, M, O>(args: A) -> Result<()>
where
    F: AsyncCompute<A, M, O>,
    M: Crossing,
    O: AllMovable,
{
    refresh_behind::<F, A, M, O, _, _>(args, &ways_ahead::<F, A, M, O>())
}

/// The call, on whatever executor.
pub fn future_async<F, A, M, O>(args: A) -> CacheFuture<M::Return>
where
    F: AsyncCompute<A, M, O>,
    M: Crossing<Return: for<'a> Movable<'a>>,
    O: AllMovable,
{
    match look_or_own::<F, A, M, O>(args) {
        Ok(hit) => CacheFuture::ready(hit),
        Err((key, owned)) => CacheFuture::spawn(again::<F, A, M, O>(key, owned)),
    }
}

fn again<F, A, M, O>(key: Prepared, owned: O) -> Boxed<'static, M::Return>
where
    F: AsyncCompute<A, M, O>,
    M: Crossing,
    O: AllMovable,
{
    Box::pin(async move {
        at!(at of F);
        match at.look_again(key) {
            Looked::Hit(hit) => hit,
            Looked::Slow(slow) => finish(at, slow, Given::Owned(owned), &ways_owned::<F, A, M, O>()).await,
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
