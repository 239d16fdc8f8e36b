//! The calls of a plain function and its companions.

use super::{
    Behind, CallKey, Given, Look, LookAtEntry, LookBehind, LookLazily, LookOnly, Prepare, at, look_or_own, reader,
    refresh_behind, warming,
};
use crate::client::Client;
use crate::engine::background::{Job, Ticket};
use crate::engine::runtime::wait;
use crate::entry::Entry;
use crate::error::Result;
use crate::function::at::{At, Looked, Slow};
use crate::function::{AllMovable, Compute, Function, Movable};
use crate::future::CacheFuture;
use crate::key::Key;
use crate::site::ValueMap;
use crate::warm::Warm;

/// Computing yields the result, the background's computing nothing.
type Ways<A, O, R> = super::Ways<fn(A) -> R, A, O, R, ()>;

fn ways<F, A, M, O>() -> Ways<A, O, M::Return>
where
    F: Compute<A, M, O>,
    M: ValueMap,
{
    Ways { compute: F::compute, compute_owned: F::compute_owned, own: F::own, behind: None }
}

fn ways_ahead<F, A, M, O>() -> Ways<A, O, M::Return>
where
    F: Compute<A, M, O>,
    M: ValueMap,
    O: AllMovable,
{
    let run = |ticket: Ticket, owned: O| {
        at!(at of F);
        at.behind_now(ticket, owned, F::compute_owned as fn(O) -> _, at.copier());
    };
    Ways { behind: Some(Behind { run, job }), ..ways::<F, A, M, O>() }
}

fn job<O: AllMovable>(run: fn(Ticket, O), owned: O) -> Job {
    Job::blocking(move |ticket| run(ticket, owned))
}

/// The call under the function's own name, where nothing is ever due.
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn call<F, A, M, O>(args: A) -> M::Return
where
    F: Compute<A, M, O>,
    M: ValueMap,
    O: 'static,
{
    at!(at of F);
    called(at, args, |at, args| F::key(args, Look(at)), ways::<F, A, M, O>)
}

/// The call under the function's own name, where values come of age.
#[cfg_attr(not(debug_assertions), inline(always))]
pub fn call_ahead<F, A, M, O>(args: A) -> M::Return
where
    F: Compute<A, M, O>,
    M: ValueMap,
    O: AllMovable,
{
    at!(at of F);
    called(at, args, |at, args| F::key(args, Look(at)), ways_ahead::<F, A, M, O>)
}

/// What looks at the key of a call.
type Looking<C, A, M> =
    for<'a> fn(&At<'a, C, M>, &A) -> Looked<<M as ValueMap>::Return, Box<Slow<<M as ValueMap>::Stored>>>;

/// Does the call. In a debug build functions of one signature share this.
#[cfg_attr(not(debug_assertions), inline(always))]
fn called<C, A, M, O>(
    at: At<'_, C, M>,
    args: A,
    look: Looking<C, A, M>,
    ways: fn() -> Ways<A, O, M::Return>,
) -> M::Return
where
    C: Client<M::Stored>,
    M: ValueMap,
    O: 'static,
{
    match look(&at, &args) {
        Looked::Hit(hit) => hit,
        Looked::Slow(slow) => missed(at, slow, args, &ways()),
    }
}

#[cold]
fn missed<C, M, A, O>(at: At<'_, C, M>, slow: Box<Slow<M::Stored>>, args: A, ways: &Ways<A, O, M::Return>) -> M::Return
where
    C: Client<M::Stored>,
    M: ValueMap,
    O: 'static,
{
    let given = Given::new(&at, args, ways.own);
    finish(at, slow, given, ways)
}

fn finish<C, M, A, O>(
    at: At<'_, C, M>,
    slow: Box<Slow<M::Stored>>,
    given: Given<A, O>,
    ways: &Ways<A, O, M::Return>,
) -> M::Return
where
    C: Client<M::Stored>,
    M: ValueMap,
    O: 'static,
{
    let copier = Given::copier(&at);
    at.finish_now(slow, given, ways.compute(), ways.behind(), copier)
}

/// As the call; without a refresh point, values are due at half of their life.
pub fn bg<F, A, M, O>(args: A) -> M::Return
where
    F: Compute<A, M, O>,
    M: ValueMap,
    O: AllMovable,
{
    at!(at of F);
    called(at, args, |at, args| F::key(args, LookBehind(at)), ways_ahead::<F, A, M, O>)
}

/// Looks; has computed in the background what is absent or due.
pub fn lazy<F, A, M, O>(args: A) -> Option<M::Value>
where
    F: Compute<A, M, O>,
    M: ValueMap,
    O: AllMovable,
{
    at!(at of F);
    match F::key(&args, LookLazily(&at)) {
        Ok(value) => Some(value),
        Err(key) => wait(at.lazy(key, Given::AsWritten(args), ways_ahead::<F, A, M, O>().behind())),
    }
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
    let ways = ways::<F, A, M, O>();
    at.refresh_now(key, Given::new(&at, args, ways.own), ways.compute(), Given::copier(&at))
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
///
/// # Errors
///
/// As for [`At::bg_refresh`].
pub fn bg_refresh<F, A, M, O>(args: A) -> Result<()>
where
    F: Compute<A, M, O>,
    M: ValueMap,
    O: AllMovable,
{
    refresh_behind::<F, _, A, M, O, _, _>(args, &ways_ahead::<F, A, M, O>())
}

/// Makes many results ready, a few at a time; `args` makes an item the arguments of a call.
pub fn warm<'i, F, A, M, O, I>(items: I, args: impl Fn(I::Item) -> A + Send + 'i) -> Warm<'i>
where
    I: IntoIterator,
    I::IntoIter: Send + 'i,
    F: Compute<A, M, O>,
    M: ValueMap + 'static,
    O: AllMovable,
{
    let step = move |item| warming::<F, A, M, O, _, _>(args(item), &ways_ahead::<F, A, M, O>());
    Warm::new(items.into_iter(), step).reading(reader::<F, A, M, O>())
}

/// The call, without blocking.
pub fn future<F, A, M, O>(args: A) -> CacheFuture<M::Return>
where
    F: Compute<A, M, O>,
    M: ValueMap<Return: for<'a> Movable<'a>>,
    O: AllMovable,
{
    let (key, owned) = match look_or_own::<F, A, M, O>(args) {
        Ok(hit) => return CacheFuture::ready(hit),
        Err(later) => later,
    };
    CacheFuture::blocking(move || {
        at!(at of F);
        match at.look_again(key) {
            Looked::Hit(hit) => hit,
            Looked::Slow(slow) => finish(at, slow, Given::Owned(owned), &ways_ahead::<F, A, M, O>()),
        }
    })
}

/// `refresh`, without blocking.
pub fn future_refresh<F, A, M, O>(args: A) -> CacheFuture<M::Return>
where
    F: Compute<A, M, O>,
    M: ValueMap<Return: for<'a> Movable<'a>>,
    O: AllMovable,
{
    at!(at of F);
    let (key, owned) = (F::key(&args, Prepare(&at)), F::own(args));
    CacheFuture::blocking(move || {
        at!(at of F);
        at.refresh_now(key, Given::Owned(owned), ways::<F, A, M, O>().compute(), Given::copier(&at))
    })
}

/// `lazy`, without blocking.
pub fn future_lazy<F, A, M, O>(args: A) -> CacheFuture<Option<M::Value>>
where
    F: Compute<A, M, O>,
    M: ValueMap<Value: for<'a> Movable<'a>>,
    O: AllMovable,
{
    at!(at of F);
    let key = match F::key(&args, LookLazily(&at)) {
        Ok(value) => return CacheFuture::ready(Some(value)),
        Err(key) => key,
    };
    let job = ways_ahead::<F, A, M, O>().behind().map(|job| job(Given::AsWritten(args)));
    CacheFuture::operation(async move {
        at!(at of F);
        at.lazy(key, (), job.map(|job| move |()| job)).await
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
    put, future_put(value) -> Result<()>;
    invalidate, future_invalidate() -> Result<()>;
    expire, future_expire() -> Result<()>;
}

/// Emits the operations that only look: what the client can tell at once is told without a key of its own.
macro_rules! looks {
    ($($name:ident, $future:ident by $seer:ident -> $output:ty;)*) => {$(
        /// A look, waited for.
        pub fn $name<F, A, M, O>(args: A) -> $output
        where
            F: Function<A, M, O>,
            M: ValueMap,
        {
            at!(at of F);
            F::key(&args, $seer(&at)).unwrap_or_else(|key| wait(at.$name(key)))
        }

        /// The same look, without blocking.
        pub fn $future<F, A, M, O>(args: A) -> CacheFuture<$output>
        where
            F: Function<A, M, O>,
            M: ValueMap<Value: for<'a> Movable<'a>>,
        {
            at!(at of F);
            let key = match F::key(&args, $seer(&at)) {
                Ok(known) => return CacheFuture::ready(known),
                Err(key) => key,
            };
            CacheFuture::operation(async move {
                at!(at of F);
                at.$name(key).await
            })
        }
    )*};
}

looks! {
    peek, future_peek by LookOnly -> Option<M::Value>;
    get_ttl, future_get_ttl by LookAtEntry -> Option<Entry<M::Value>>;
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
#[expect(clippy::needless_pass_by_value, reason = "all companions hand their arguments over")]
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
