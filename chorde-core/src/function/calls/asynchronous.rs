//! The calls of an asynchronous function and its companions, where they differ from those of a plain one.
//!
//! A miss is boxed, and known to be `Send` from here on: that is proved once, and not again for each function of a user.

use super::{Look, LookBehind, Prepare, at};
use crate::client::Client;
use crate::engine::background::{Job, Ticket};
use crate::entry::Entry;
use crate::error::Result;
use crate::function::at::{At, Looked, Prepared, Slow, no_echo};
use crate::function::{AsyncCompute, Boxed, Crossing, Function, Movable};
use crate::future::CacheFuture;
use crate::site::ValueMap;

/// What belongs to one function on the way of a miss: pointers, so that functions of one signature share one copy of the
/// engine.
struct Ways<'a, A, O, R> {
    compute: fn(A) -> Boxed<'a, R>,
    compute_owned: fn(O) -> Boxed<'static, R>,
    own: fn(A) -> O,
    behind: Option<Behind<O>>,
}

/// How the background recomputes.
struct Behind<O> {
    run: fn(Ticket, O) -> Boxed<'static, ()>,
    job: fn(fn(Ticket, O) -> Boxed<'static, ()>, O) -> Job,
}

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
    O: for<'b> Movable<'b>,
{
    Ways { behind: Some(Behind { run: behind::<F, A, M, O>, job }), ..ways::<F, A, M, O>() }
}

fn behind<F, A, M, O>(ticket: Ticket, owned: O) -> Boxed<'static, ()>
where
    F: AsyncCompute<A, M, O>,
    M: Crossing,
    O: for<'a> Movable<'a>,
{
    Box::pin(async move {
        at!(at of F);
        at.behind(ticket, owned, F::compute_owned as fn(O) -> _, at.copier()).await;
    })
}

fn job<O: for<'a> Movable<'a>>(run: fn(Ticket, O) -> Boxed<'static, ()>, owned: O) -> Job {
    Job::future(move |ticket| run(ticket, owned))
}

impl<O> Behind<O> {
    /// Makes the job for these arguments.
    fn of(self, owned: O) -> Job {
        (self.job)(self.run, owned)
    }
}

impl<'a, A, O, R> Ways<'a, A, O, R> {
    /// Returns what makes a job of arguments as they are written.
    fn behind(self) -> Option<impl FnOnce(A) -> Job + use<'a, A, O, R>> {
        let own = self.own;
        self.behind.map(|behind| move |args| behind.of(own(args)))
    }
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
        Looked::Slow(slow) => missed(&at, slow, args, ways::<F, A, M, O>()).await,
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
        Looked::Slow(slow) => missed(&at, slow, args, ways_ahead::<F, A, M, O>()).await,
    }
}

#[cold]
fn missed<'a, C, M, A, O>(
    at: &'a At<'_, C, M>,
    slow: Slow<M::Stored>,
    args: A,
    ways: Ways<'a, A, O, M::Return>,
) -> Boxed<'a, M::Return>
where
    C: Client<M::Stored>,
    M: Crossing,
    A: Send + 'a,
    O: Send + 'static,
{
    if at.tells_arguments() {
        let owned = (ways.own)(args);
        return missed_owned(at, slow, owned, ways);
    }
    Box::pin(at.finish(slow, args, ways.compute, ways.behind(), no_echo()))
}

fn missed_owned<'a, C, M, A, O>(
    at: &'a At<'_, C, M>,
    slow: Slow<M::Stored>,
    owned: O,
    ways: Ways<'_, A, O, M::Return>,
) -> Boxed<'a, M::Return>
where
    C: Client<M::Stored>,
    M: Crossing,
    O: Send + 'static,
{
    let Ways { compute_owned, behind, .. } = ways;
    let behind = behind.map(|behind| move |owned| behind.of(owned));
    Box::pin(at.finish(slow, owned, compute_owned, behind, at.copier()))
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
        Looked::Slow(slow) => missed(&at, slow, args, ways_ahead::<F, A, M, O>()).await,
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
    at.lazy(key, args, ways_ahead::<F, A, M, O>().behind()).await
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
        return Box::pin(at.refresh(key, F::own(args), F::compute_owned, at.copier()));
    }
    Box::pin(at.refresh(key, args, F::compute, no_echo()))
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
pub fn bg_refresh_async<F, A, M, O>(args: A)
where
    F: AsyncCompute<A, M, O>,
    M: Crossing,
    O: for<'a> Movable<'a>,
{
    at!(at of F);
    let key = F::key(&args, Prepare(&at));
    at.bg_refresh(key, args, ways_ahead::<F, A, M, O>().behind());
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
            Looked::Slow(slow) => missed_owned(&at, slow, owned, ways_ahead::<F, A, M, O>()).await,
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
