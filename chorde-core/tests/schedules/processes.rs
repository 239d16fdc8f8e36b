//! A store that several processes share, as each of them has it: what another one has cleared is heard of a while later.
//! A call is played while another process clears, and after it has.

use std::sync::Arc;
use std::time::Duration;

use shuttle::future::yield_now;
use shuttle::rand::{Rng, thread_rng};

use crate::acts::{Act, Time};
use crate::explore::Scene;
use crate::function_model::{Function, LEASE, play};
use crate::pairs::{Through, each_setting, inproc_by};
use crate::sync::{AtomicU64, Mutex, Ordering, lock};
use crate::{
    Cache, Client, Entry, Identity, InprocClient, Key, ManualClock, Path, Probe, ReadOptions, Result, Revision,
    TieredClient, Token, WriteOptions,
};

/// Within what time a process hears of a clear.
pub(crate) const DELAY: Duration = Duration::from_secs(LEASE.as_secs() * 5 / 2);

/// What no process has been told yet.
const NEVER: u64 = u64::MAX;

/// The store: what was stored under each revision of its only namespace. The last one is that of now.
#[derive(Clone)]
struct Shared(Arc<Mutex<Vec<InprocClient>>>);

/// The store, as one process has it.
#[derive(Clone)]
struct Process(Arc<State>);

struct State {
    shared: Shared,
    clock: ManualClock,
    identity: Identity,
    /// Which revision it was told of last.
    revision: AtomicU64,
    /// When it asked for that.
    asked_at: AtomicU64,
}

impl Shared {
    fn new(clock: &ManualClock) -> Self {
        Self(Arc::new(Mutex::new(vec![inproc_by(clock)])))
    }

    fn revision(&self) -> u64 {
        lock(&self.0).len() as u64 - 1
    }

    fn under(&self, revision: u64) -> InprocClient {
        lock(&self.0)[revision as usize].clone()
    }

    fn clear(&self, clock: &ManualClock) -> u64 {
        let mut revisions = lock(&self.0);
        revisions.push(inproc_by(clock));
        revisions.len() as u64 - 1
    }
}

impl Process {
    fn new(shared: &Shared, clock: &ManualClock) -> Self {
        let identity = Identity::with_clock(clock.clone().into());
        let (revision, asked_at) = (AtomicU64::new(0), AtomicU64::new(NEVER));
        Self(Arc::new(State { shared: shared.clone(), clock: clock.clone(), identity, revision, asked_at }))
    }

    fn now(&self) -> u64 {
        self.0.identity.clock().now()
    }

    fn known(&self) -> u64 {
        self.0.revision.load(Ordering::SeqCst)
    }

    /// Whether it was told of late. Now and then it finds that it was not.
    fn is_fresh(&self) -> bool {
        let asked_at = self.0.asked_at.load(Ordering::SeqCst);
        asked_at != NEVER && self.now() < asked_at + DELAY.as_nanos() as u64 && thread_rng().gen_ratio(3, 4)
    }

    /// Returns the revision that it knows; asks for it if it was not told of late.
    async fn told(&self) -> u64 {
        if !self.is_fresh() {
            let now = self.now();
            yield_now().await;
            let told = self.0.shared.revision();
            yield_now().await;
            self.0.revision.fetch_max(told, Ordering::SeqCst);
            self.0.asked_at.store(now, Ordering::SeqCst);
        }
        self.known()
    }

    /// Returns where the entries of the present revision are, as far as is known.
    async fn store(&self) -> InprocClient {
        let known = self.told().await;
        yield_now().await;
        self.0.shared.under(known)
    }
}

macro_rules! through {
    ($trait:path: $($operation:ident($($arg:ident: $type:ty),*) -> $output:ty;)*) => {
        $(async fn $operation(&self, $($arg: $type),*) -> Result<$output> {
            let outcome = <InprocClient as $trait>::$operation(&self.store().await, $($arg),*).await;
            yield_now().await;
            outcome
        })*
    };
}

impl Cache for Process {
    fn identity(&self) -> &Identity {
        &self.0.identity
    }

    through! { Cache:
        delete_entry(key: &Key) -> bool;
        expire_entry(key: &Key) -> bool;
        renew_entry(key: &Key, ttl: Duration) -> bool;
        contains_entry(key: &Key, min_ttl: Duration) -> bool;
        clear_all() -> ();
        purge_stale(grace: Duration) -> ();
        capacities() -> Vec<u64>;
        usages() -> Vec<u64>;
    }

    async fn clear_namespace(&self, _path: Path<'_>) -> Result<()> {
        yield_now().await;
        let begun = self.0.shared.clear(&self.0.clock);
        yield_now().await;
        self.0.revision.fetch_max(begun, Ordering::SeqCst);
        Ok(())
    }

    fn revision(&self, _probe: &Probe<'_>) -> Revision {
        let is_current = self.is_fresh();
        Revision { is_current, ..Revision::current(self.known()) }
    }

    async fn current_revision(&self, _key: &Key) -> u64 {
        self.told().await
    }
}

impl Client<u64> for Process {
    through! { Client<u64>:
        get_entry(key: &Key, options: ReadOptions<'_, u64>) -> Option<Entry<u64>>;
        put_entry(key: &Key, value: u64, ttl: Duration, options: WriteOptions) -> ();
        add_entry(key: &Key, value: u64, ttl: Duration) -> bool;
    }

    async fn fill(&self, key: &Key, _token: Token, value: u64, ttl: Duration) -> Result<bool> {
        let before = (self.0.asked_at.load(Ordering::SeqCst) != NEVER).then(|| self.known());
        let store = self.store().await;
        if before.is_some_and(|before| before != self.known()) {
            return Ok(false);
        }
        Client::put_entry(&store, key, value, ttl, WriteOptions::new()).await?;
        yield_now().await;
        Ok(true)
    }
}

/// While another process clears.
const MEANWHILE: [(&str, Through); 2] =
    [("of two processes, in one tier", one_tier::<false>), ("of two processes, in two tiers", two_tiers::<false>)];

const AFTERWARDS: [(&str, Through); 2] = [
    ("after another process has cleared, in one tier", one_tier::<true>),
    ("after another process has cleared, in two tiers", two_tiers::<true>),
];

pub(crate) fn scenes() -> Vec<Scene> {
    let mut scenes = Vec::new();
    for one in Act::ALL.into_iter().chain([Act::Peek]) {
        scenes.extend(each_setting(&[Act::Call, one, Act::ClearElsewhere], &MEANWHILE));
        if !one.writes() {
            scenes.extend(each_setting(&[Act::Call, one], &AFTERWARDS));
        }
    }
    for more in [
        [Act::Refresh, Act::Drop, Act::ClearElsewhere, Act::CallElsewhere],
        [Act::Await, Act::ClearElsewhere, Act::ClearElsewhere, Act::CallElsewhere],
    ] {
        scenes.extend(each_setting(&more, &MEANWHILE));
    }
    scenes
}

fn one_tier<const AFTERWARDS: bool>(acts: &[Act], time: Time) {
    let (clock, [here, there]) = processes();
    play_beside(&Function::beside(here, there, clock, AFTERWARDS), acts, AFTERWARDS, time);
}

/// With a tier before the shared store that each process has for itself.
fn two_tiers<const AFTERWARDS: bool>(acts: &[Act], time: Time) {
    let (clock, processes) = processes();
    let [here, there] = processes.map(|process| TieredClient::new(inproc_by(&clock), process));
    play_beside(&Function::beside(here, there, clock, AFTERWARDS), acts, AFTERWARDS, time);
}

/// Makes two processes that share a store.
fn processes() -> (ManualClock, [Process; 2]) {
    let clock = ManualClock::new();
    let shared = Shared::new(&clock);
    let process = || Process::new(&shared, &clock);
    let processes = [process(), process()];
    (clock, processes)
}

fn play_beside<C: Client<u64> + 'static>(function: &Arc<Function<C>>, acts: &[Act], afterwards: bool, time: Time) {
    if afterwards {
        function.clear_before();
    }
    play(function, acts, time);
}
