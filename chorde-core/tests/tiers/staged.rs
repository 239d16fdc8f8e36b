//! A client that does on demand what real ones do at the worst of times: fail, or be overtaken by another operation.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chorde_core::{
    Cache, Claim, ClaimOptions, Client, Entry, Error, ErrorKind, Identity, InprocClient, Key, Lookup, Path, Probe,
    ReadOptions, Result, Revision, Token, Value, WriteOptions,
};

/// Which operation, and which side of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    Before(Op),
    After(Op),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Get,
    GetMany(usize),
    Put,
    PutMany,
    Add,
    Delete,
    Expire,
    Renew,
    Contains,
    Clear,
    ClearNamespace,
    Purge,
    Size,
    Claim,
    Fill,
}

type Act = Box<dyn FnOnce() + Send>;

pub(crate) struct Staged {
    inner: InprocClient,
    failing: AtomicBool,
    refusing_fills: AtomicBool,
    /// Whether it can never say anything at once, as a remote store.
    remote: bool,
    /// By how many seconds too much it shows of lives.
    resolution: AtomicU64,
    acts: Mutex<Vec<(Moment, Act)>>,
    calls: Mutex<Vec<Op>>,
    released: Mutex<Vec<Token>>,
}

impl Staged {
    pub(crate) fn new(inner: InprocClient) -> Arc<Self> {
        Self::made(inner, false)
    }

    pub(crate) fn remote(inner: InprocClient) -> Arc<Self> {
        Self::made(inner, true)
    }

    fn made(inner: InprocClient, remote: bool) -> Arc<Self> {
        Arc::new(Self {
            inner,
            failing: AtomicBool::new(false),
            refusing_fills: AtomicBool::new(false),
            remote,
            resolution: AtomicU64::new(0),
            acts: Mutex::default(),
            calls: Mutex::default(),
            released: Mutex::default(),
        })
    }

    /// Fails every operation from now on, or none.
    pub(crate) fn fail(&self, failing: bool) {
        self.failing.store(failing, Ordering::SeqCst);
    }

    /// Has it show lives that may be too long by so many seconds.
    pub(crate) fn shows_too_much(&self, seconds: u64) {
        self.resolution.store(seconds, Ordering::SeqCst);
    }

    pub(crate) fn refuse_fills(&self) {
        self.refusing_fills.store(true, Ordering::SeqCst);
    }

    /// Acts once, when that moment comes.
    pub(crate) fn at(&self, moment: Moment, act: impl FnOnce() + Send + 'static) {
        self.acts.lock().unwrap().push((moment, Box::new(act)));
    }

    /// Returns the operations since the last time that this was asked.
    pub(crate) fn calls(&self) -> Vec<Op> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }

    pub(crate) fn released(&self) -> Vec<Token> {
        self.released.lock().unwrap().clone()
    }

    fn comes(&self, moment: Moment) {
        let mut acts = self.acts.lock().unwrap_or_else(PoisonError::into_inner);
        let found = acts.iter().position(|(at, _)| *at == moment);
        let act = found.map(|at| acts.remove(at).1);
        drop(acts);
        if let Some(act) = act {
            act();
        }
    }

    async fn play<T>(&self, op: Op, work: impl Future<Output = Result<T>>) -> Result<T> {
        self.calls.lock().unwrap().push(op);
        self.comes(Moment::Before(op));
        if self.failing.load(Ordering::SeqCst) {
            return Err(Error::new(ErrorKind::Unavailable, "the stage is dark"));
        }
        let done = work.await;
        self.comes(Moment::After(op));
        done
    }
}

impl fmt::Debug for Staged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Staged").finish_non_exhaustive()
    }
}

impl Cache for Staged {
    fn identity(&self) -> &Identity {
        self.inner.identity()
    }

    fn resolution(&self) -> Duration {
        Duration::from_secs(self.resolution.load(Ordering::SeqCst))
    }

    async fn delete_entry(&self, key: &Key) -> Result<bool> {
        self.play(Op::Delete, self.inner.delete_entry(key)).await
    }

    async fn expire_entry(&self, key: &Key) -> Result<bool> {
        self.play(Op::Expire, self.inner.expire_entry(key)).await
    }

    async fn renew_entry(&self, key: &Key, ttl: Duration) -> Result<bool> {
        self.play(Op::Renew, self.inner.renew_entry(key, ttl)).await
    }

    async fn contains_entry(&self, key: &Key, min_ttl: Duration) -> Result<bool> {
        self.play(Op::Contains, self.inner.contains_entry(key, min_ttl)).await
    }

    async fn clear_all(&self) -> Result<()> {
        self.play(Op::Clear, self.inner.clear_all()).await
    }

    async fn clear_namespace(&self, path: Path<'_>) -> Result<()> {
        self.play(Op::ClearNamespace, self.inner.clear_namespace(path)).await
    }

    async fn purge_stale(&self, grace: Duration) -> Result<()> {
        self.play(Op::Purge, self.inner.purge_stale(grace)).await
    }

    async fn capacities(&self) -> Result<Vec<u64>> {
        self.play(Op::Size, self.inner.capacities()).await
    }

    async fn usages(&self) -> Result<Vec<u64>> {
        self.play(Op::Size, self.inner.usages()).await
    }

    fn revision(&self, probe: &Probe<'_>) -> Revision {
        self.inner.revision(probe)
    }

    async fn current_revision(&self, key: &Key) -> u64 {
        self.inner.current_revision(key).await
    }
}

impl<V: Value> Client<V> for Staged {
    fn look(&self, probe: &Probe<'_>, options: ReadOptions<'_, V>) -> Option<Lookup<V>> {
        if self.remote || self.failing.load(Ordering::SeqCst) { None } else { self.inner.look(probe, options) }
    }

    async fn get_entry(&self, key: &Key, options: ReadOptions<'_, V>) -> Result<Option<Entry<V>>> {
        self.play(Op::Get, self.inner.get_entry(key, options)).await
    }

    async fn get_entries(&self, keys: &[Key], options: ReadOptions<'_, V>) -> Result<Vec<Option<Entry<V>>>> {
        self.play(Op::GetMany(keys.len()), self.inner.get_entries(keys, options)).await
    }

    async fn put_entry(&self, key: &Key, value: V, ttl: Duration, options: WriteOptions) -> Result<()> {
        self.play(Op::Put, self.inner.put_entry(key, value, ttl, options)).await
    }

    async fn put_entries(&self, entries: Vec<(Key, V)>, ttl: Duration, options: WriteOptions) -> Result<()> {
        self.play(Op::PutMany, self.inner.put_entries(entries, ttl, options)).await
    }

    async fn add_entry(&self, key: &Key, value: V, ttl: Duration) -> Result<bool> {
        self.play(Op::Add, self.inner.add_entry(key, value, ttl)).await
    }

    async fn claim(&self, key: &Key, options: ClaimOptions<'_, V>) -> Result<Claim<V>> {
        self.play(Op::Claim, self.inner.claim(key, options)).await
    }

    async fn fill(&self, key: &Key, token: Token, value: V, ttl: Duration) -> Result<bool> {
        let refused = self.refusing_fills.load(Ordering::SeqCst);
        let work = async { if refused { Ok(false) } else { self.inner.fill(key, token, value, ttl).await } };
        self.play(Op::Fill, work).await
    }

    fn release(&self, _: &Key, token: Token) {
        self.released.lock().unwrap().push(token);
    }
}
