//! The calls of an asynchronous function and its companions, where they differ from those of a plain one.
//!
//! A miss is boxed, and known to be `Send` from here on: that is proved once, and not again for each function of a user. What
//! a call holds while it waits is counted in thousands: an `async fn` would keep its arguments twice.

use std::convert::Infallible;
use std::future::Future;

use super::{
    Behind, Given, LookAtEntry, LookBehind, LookLazily, LookOnly, LookWhole, Prepare, at, look_or_own, reader,
    refresh_behind, warming,
};
use crate::client::Client;
use crate::engine::background::{Job, Ticket};
use crate::entry::Entry;
use crate::error::Result;
use crate::function::at::{At, Begun, Looked, Prepared, Slow, User, no_behind};
use crate::function::{AllMovable, AsyncCompute, Boxed, Crossing, Function, Movable};
use crate::future::CacheFuture;
use crate::site::ValueMap;
use crate::warm::Warm;

/// Computing yields a future, always of owned arguments, and so does the background's computing.
type Ways<A, O, R> = super::Ways<(), A, O, Boxed<'static, R>, Boxed<'static, ()>>;

impl<A, O: Send + 'static, R> Ways<A, O, R> {
    /// Returns what computes for a call that is not needed for it: one that leads, and has a ticket, or one that takes no part
    /// in a flight.
    fn apart<C, M>(
        &self,
    ) -> impl Fn(At<'static, C, M>, Option<Ticket>, Given<A, O>) -> Boxed<'static, R> + Copy + Send + use<A, O, R, C, M>
    where
        C: Client<M::Stored> + 'static,
        M: Crossing<Return = R>,
    {
        let (own, compute, run) = (self.own, self.compute_owned, self.behind.as_ref().map(|behind| behind.run));
        move |at, mut ticket, given| {
            let args = match given {
                Given::AsWritten(args) => own(args),
                Given::Owned(owned) => owned,
            };
            Box::pin(async move {
                let behind = run.map(|run| move |owned| job(run, owned));
                let user = User { args, compute, behind, echo: at.copier() };
                let call = ticket.as_mut().and_then(|ticket| ticket.call.take());
                at.fly(ticket.as_ref().zip(call), user).await
            })
        }
    }
}

/// Those of calls that nothing is due for.
fn ways<F, A, M, O>() -> Ways<A, O, M::Return>
where
    F: AsyncCompute<A, M, O>,
    M: Crossing,
    O: Send + 'static,
{
    Ways { compute: (), compute_owned: F::compute_owned, own: F::own, behind: None }
}

/// Those of calls that may find a value that is due.
fn ways_ahead<F, A, M, O>() -> Ways<A, O, M::Return>
where
    F: AsyncCompute<A, M, O>,
    M: Crossing,
    O: Send + 'static,
{
    Ways { behind: Some(Behind { run: behind::<F, A, M, O>, job }), ..ways::<F, A, M, O>() }
}

/// The same where nothing is left but owned arguments, so that nothing borrows.
fn ways_owned<F, A, M, O>() -> Ways<Infallible, O, M::Return>
where
    F: AsyncCompute<A, M, O>,
    M: Crossing,
    O: Send + 'static,
{
    let behind = Some(Behind { run: behind::<F, A, M, O>, job });
    Ways { compute: (), compute_owned: F::compute_owned, own: |never| match never {}, behind }
}

fn behind<F, A, M, O>(ticket: Ticket, owned: O) -> Boxed<'static, ()>
where
    F: AsyncCompute<A, M, O>,
    M: Crossing,
    O: Send + 'static,
{
    at!(at of F);
    recompute(at, ticket, owned, F::compute_owned)
}

/// Does the same by pointers.
fn recompute<C, M, O>(
    at: At<'static, C, M>,
    ticket: Ticket,
    owned: O,
    compute: fn(O) -> Boxed<'static, M::Return>,
) -> Boxed<'static, ()>
where
    C: Client<M::Stored> + 'static,
    M: Crossing,
    O: Send + 'static,
{
    Box::pin(async move { at.behind(ticket, owned, compute, no_behind(), at.copier()).await })
}

fn job<O: Send + 'static>(run: fn(Ticket, O) -> Boxed<'static, ()>, owned: O) -> Job {
    Job::future(move |ticket| run(ticket, owned))
}

/// Waits for a call that was begun.
async fn end<R: Send + 'static>(begun: Begun<'_, R>) -> R {
    match begun {
        Begun::Returned(returned) => returned,
        Begun::Leads(driving) => driving.await,
        Begun::Other(other) => other.await,
    }
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
        // What has been borrowed before an `await` stays in the future: only this does.
        let missed = match begin::<F, A, M, O>(args, ways::<F, A, M, O>) {
            Begun::Returned(hit) => return hit,
            missed => missed,
        };
        end(missed).await
    }
}

/// The call under the function's own name, where values come due.
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
            Begun::Returned(hit) => return hit,
            missed => missed,
        };
        end(missed).await
    }
}

#[cfg_attr(not(debug_assertions), inline(always))]
fn begin<'a, F, A, M, O>(args: A, ways: fn() -> Ways<A, O, M::Return>) -> Begun<'a, M::Return>
where
    F: AsyncCompute<A, M, O>,
    A: Send + 'a,
    M: Crossing,
    O: Send + 'static,
{
    at!(at of F);
    match F::key(&args, LookWhole(&at)) {
        Looked::Hit(hit) => Begun::Returned(hit),
        Looked::Slow(slow) => missed(at, slow, args, &ways()),
    }
}

#[cold]
fn missed<'a, C, M, A, O>(
    at: At<'static, C, M>,
    slow: Slow<M::Stored>,
    args: A,
    ways: &Ways<A, O, M::Return>,
) -> Begun<'a, M::Return>
where
    C: Client<M::Stored> + 'static,
    M: Crossing,
    A: Send + 'a,
    O: Send + 'static,
{
    let given = Given::new(&at, args, ways.own);
    finish(at, slow, given, ways)
}

fn finish<'a, C, M, A, O>(
    at: At<'static, C, M>,
    slow: Slow<M::Stored>,
    given: Given<A, O>,
    ways: &Ways<A, O, M::Return>,
) -> Begun<'a, M::Return>
where
    C: Client<M::Stored> + 'static,
    M: Crossing,
    A: Send + 'a,
    O: Send + 'static,
{
    let (user, apart) =
        (User { args: given, compute: (), behind: ways.behind(), echo: Given::copier(&at) }, ways.apart());
    at.begin(
        slow,
        user,
        move |at, ticket, given| apart(at, Some(ticket), given),
        move |at, given| apart(at, None, given),
    )
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
        Looked::Slow(slow) => end(missed(at, *slow, args, &ways_ahead::<F, A, M, O>())).await,
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
    match F::key(&args, LookLazily(&at)) {
        Ok(value) => Some(value),
        Err(key) => at.lazy(key, Given::AsWritten(args), ways_ahead::<F, A, M, O>().behind()).await,
    }
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
    refreshed::<F, A, M, O, _>(at, key, args).await
}

fn refreshed<'a, F, A, M, O, C>(at: At<'static, C, M>, key: Prepared, args: A) -> Boxed<'a, M::Return>
where
    F: AsyncCompute<A, M, O>,
    A: Send + 'a,
    M: Crossing,
    O: Send + 'static,
    C: Client<M::Stored> + 'static,
{
    let ways = ways::<F, A, M, O>();
    let (given, apart) = (Given::AsWritten(args), ways.apart());
    Box::pin(at.refresh_owned(
        key,
        given,
        move |at, ticket, given| apart(at, Some(ticket), given),
        move |at, given| apart(at, None, given),
    ))
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
    refresh_behind::<F, _, A, M, O, _, _>(args, &ways_ahead::<F, A, M, O>())
}

/// Makes many results ready, a few at a time; `args` makes an item the arguments of a call.
pub fn warm_async<'i, F, A, M, O, I>(items: I, args: impl Fn(I::Item) -> A + Send + 'i) -> Warm<'i>
where
    I: IntoIterator,
    I::IntoIter: Send + 'i,
    F: AsyncCompute<A, M, O>,
    M: Crossing,
    O: AllMovable,
{
    let step = move |item| warming::<F, A, M, O, _, _>(args(item), &ways_ahead::<F, A, M, O>());
    Warm::new(items.into_iter(), step).reading(reader::<F, A, M, O>())
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
        match at.look_again_whole(key) {
            Looked::Hit(hit) => hit,
            Looked::Slow(slow) => end(finish(at, slow, Given::Owned(owned), &ways_owned::<F, A, M, O>())).await,
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
    put, put_async(value) -> Result<()>;
    invalidate, invalidate_async() -> Result<()>;
    expire, expire_async() -> Result<()>;
}

/// Emits the operations that only look: what the client can tell at once is told without a key of its own.
macro_rules! looks {
    ($($name:ident, $future:ident by $seer:ident -> $output:ty;)*) => {$(
        /// A look.
        pub async fn $future<F, A, M, O>(args: A) -> $output
        where
            F: Function<A, M, O>,
            M: ValueMap,
        {
            at!(at of F);
            match F::key(&args, $seer(&at)) {
                Ok(known) => known,
                Err(key) => at.$name(key).await,
            }
        }
    )*};
}

looks! {
    peek, peek_async by LookOnly -> Option<M::Value>;
    get_ttl, get_ttl_async by LookAtEntry -> Option<Entry<M::Value>>;
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
