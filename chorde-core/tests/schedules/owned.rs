//! Calls whose computations are their own: as a function that was described once does it, and as methods do.

use std::any::Any;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use shuttle::rand::{Rng, thread_rng};
use shuttle::sync::Mutex;

use crate::engine::background::Job;
use crate::function::{AsyncCompute, At, Boxed, Looked, Seen, calls, no_behind, no_echo};
use crate::function_model::{Ends, Function, KEY, Maps, POLICY, Returned, SITE};
use crate::site::Site;
use crate::sync::lock;
use crate::{CallPolicy, Client};

/// By what code a call goes to the engine.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Way {
    Described,
    /// The same, of a function whose computations end with their last caller.
    Undetached,
    ByJob,
}

impl Way {
    pub(crate) fn by_chance() -> Self {
        if thread_rng().gen_ratio(1, 3) { Self::ByJob } else { Self::Described }
    }
}

shuttle::lazy_static! {
    /// The function that is played: what describes one has nothing to find it by.
    static ref PLAYED: Mutex<Option<Arc<dyn Any + Send + Sync>>> = Mutex::new(None);
}

/// Lets calls be those of this function.
pub(crate) fn play<C: Client<u64> + 'static>(function: Option<&Arc<Function<C>>>) {
    let played = function.map(|function| -> Arc<dyn Any + Send + Sync> { Arc::clone(function) as _ });
    let before = std::mem::replace(&mut *lock(&PLAYED), played);
    drop(before);
}

fn played<C: Client<u64> + 'static>() -> Arc<Function<C>> {
    let played = lock(&PLAYED).clone().expect("invariant: calls are made while one is played");
    played.downcast().ok().expect("invariant: its client is of that type")
}

/// What a call is given.
struct Args<C> {
    function: Arc<Function<C>>,
    ends: Ends,
    /// Whether it has begun to compute.
    has_begun: Arc<AtomicBool>,
}

impl<C: Client<u64> + 'static> Args<C> {
    async fn compute(self) -> Returned {
        self.has_begun.store(true, Ordering::SeqCst);
        self.function.compute_async(self.ends).await
    }
}

/// Describes the function.
struct Described<C, const DETACHES: bool>(PhantomData<fn() -> C>);

type Arguments<C> = (Args<C>,);

impl<C: Client<u64> + 'static, const DETACHES: bool> crate::function::Function<Arguments<C>, Maps, Arguments<C>>
    for Described<C, DETACHES>
{
    const POLICY: CallPolicy = if DETACHES { POLICY } else { POLICY.without_detach() };

    fn site() -> &'static Site {
        &SITE
    }

    fn maps() -> Maps {
        played::<C>().maps()
    }

    fn client() -> impl Client<u64> {
        Arc::clone(&played::<C>().client)
    }

    fn key<S: Seen>(_args: &Arguments<C>, seen: S) -> S::Outcome {
        seen.see(&KEY)
    }

    fn own(args: Arguments<C>) -> Arguments<C> {
        args
    }
}

impl<C: Client<u64> + 'static, const DETACHES: bool> AsyncCompute<Arguments<C>, Maps, Arguments<C>>
    for Described<C, DETACHES>
{
    fn compute<'a>((args,): Arguments<C>) -> Boxed<'a, Returned>
    where
        Arguments<C>: 'a,
    {
        Box::pin(args.compute())
    }

    fn compute_owned((args,): Arguments<C>) -> Boxed<'static, Returned> {
        Box::pin(args.compute())
    }
}

/// Calls the function; `has_begun` is set as it computes for this call.
pub(crate) async fn call<C: Client<u64> + 'static>(
    function: &Arc<Function<C>>,
    ends: Ends,
    way: Way,
    has_begun: Arc<AtomicBool>,
) -> Returned {
    let args = Args { function: Arc::clone(function), ends, has_begun };
    match way {
        Way::Described => calls::call_async::<Described<C, true>, _, _, _>((args,)).await,
        Way::Undetached => calls::call_async::<Described<C, false>, _, _, _>((args,)).await,
        Way::ByJob => by_job(function, args).await,
    }
}

/// Refreshes it.
pub(crate) async fn refresh<C: Client<u64> + 'static>(function: &Arc<Function<C>>, way: Way) -> Returned {
    let args = Args { function: Arc::clone(function), ends: Ends::Value, has_begun: Arc::default() };
    match way {
        Way::Undetached => calls::refresh_async::<Described<C, false>, _, _, _>((args,)).await,
        _ => calls::refresh_async::<Described<C, true>, _, _, _>((args,)).await,
    }
}

async fn by_job<C: Client<u64> + 'static>(function: &Arc<Function<C>>, args: Args<C>) -> Returned {
    let at = At::new(&SITE, &[], &*function.client, function.maps(), &POLICY);
    match at.look(&KEY) {
        Looked::Hit(value) => value,
        Looked::Slow(slow) => at.finish_by_job(slow, args, Args::compute, Some(job), no_echo()).await,
    }
}

fn job<C: Client<u64> + 'static>(args: Args<C>) -> Job {
    Job::future(|ticket| async move {
        let function = Arc::clone(&args.function);
        let at = At::new(&SITE, &[], &*function.client, function.maps(), &POLICY);
        at.behind(ticket, args, Args::compute, no_behind(), no_echo()).await;
    })
}
