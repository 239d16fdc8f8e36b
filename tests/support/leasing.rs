//! A client of a store that is shared with other processes, whose doings the test plays.

use std::sync::Mutex;
use std::time::Duration;

use chorde::{
    Cache, Claim, ClaimOptions, Client, Entry, Identity, InprocClient, Key, Path, ReadOptions, Result, Token, Value,
    WriteOptions,
};

use super::gate::Gate;

/// What the store says to the next claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// As any client that cannot lease, with this token.
    Won(u64),
    /// Another process computes.
    AbsentElsewhere,
    /// Whatever is there is due, and another process refreshes it.
    DueElsewhere,
    /// Whatever is there is due, and the asker is to refresh it under this token.
    Due(u64),
}

#[derive(Debug, Default)]
struct State {
    /// The answers to come; the last one stays.
    answers: Vec<Answer>,
    refuses_fills: bool,
    claims: usize,
    leases: Vec<Duration>,
    filled: Vec<u64>,
    released: Vec<u64>,
}

/// Can never tell anything at once, answers claims by plan, and notes what is asked.
pub struct Leasing {
    inner: InprocClient,
    state: Mutex<State>,
    /// Where fills and puts are held up, if anywhere.
    gate: Option<&'static Gate>,
}

impl Leasing {
    pub fn new(inner: InprocClient) -> Self {
        Self { inner, state: Mutex::new(State { answers: vec![Answer::Won(0)], ..State::default() }), gate: None }
    }

    /// Holds up writes at a gate.
    pub fn gated(inner: InprocClient, gate: &'static Gate) -> Self {
        Self { gate: Some(gate), ..Self::new(inner) }
    }

    /// Plans the answers to come; the last one stays.
    pub fn plan(&self, answers: impl IntoIterator<Item = Answer>) {
        self.lock().answers = answers.into_iter().collect();
    }

    pub fn refuse_fills(&self) {
        self.lock().refuses_fills = true;
    }

    pub fn claims(&self) -> usize {
        self.lock().claims
    }

    pub fn leases(&self) -> Vec<Duration> {
        self.lock().leases.clone()
    }

    pub fn filled(&self) -> Vec<u64> {
        self.lock().filled.clone()
    }

    pub fn released(&self) -> Vec<u64> {
        self.lock().released.clone()
    }

    /// The store itself, as other processes see it.
    pub fn store(&self) -> &InprocClient {
        &self.inner
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn answer(&self, lease: Duration) -> Answer {
        let mut state = self.lock();
        state.claims += 1;
        state.leases.push(lease);
        if state.answers.len() > 1 { state.answers.remove(0) } else { state.answers[0] }
    }

    async fn hold_up(&self) {
        if let Some(gate) = self.gate {
            gate.passed().await;
        }
    }
}

impl Cache for Leasing {
    fn identity(&self) -> &Identity {
        self.inner.identity()
    }

    async fn delete_entry(&self, key: &Key) -> Result<bool> {
        self.inner.delete_entry(key).await
    }

    async fn expire_entry(&self, key: &Key) -> Result<bool> {
        self.inner.expire_entry(key).await
    }

    async fn renew_entry(&self, key: &Key, ttl: Duration) -> Result<bool> {
        self.inner.renew_entry(key, ttl).await
    }

    async fn contains_entry(&self, key: &Key, min_ttl: Duration) -> Result<bool> {
        self.inner.contains_entry(key, min_ttl).await
    }

    async fn clear_all(&self) -> Result<()> {
        self.inner.clear_all().await
    }

    async fn clear_namespace(&self, path: Path<'_>) -> Result<()> {
        self.inner.clear_namespace(path).await
    }

    async fn purge_stale(&self, grace: Duration) -> Result<()> {
        self.inner.purge_stale(grace).await
    }

    async fn capacities(&self) -> Result<Vec<u64>> {
        self.inner.capacities().await
    }

    async fn usages(&self) -> Result<Vec<u64>> {
        self.inner.usages().await
    }
}

impl<V: Value> Client<V> for Leasing {
    async fn get_entry(&self, key: &Key, options: ReadOptions<'_, V>) -> Result<Option<Entry<V>>> {
        self.inner.get_entry(key, options).await
    }

    async fn put_entry(&self, key: &Key, value: V, ttl: Duration, options: WriteOptions) -> Result<()> {
        self.inner.put_entry(key, value, ttl, options).await
    }

    async fn add_entry(&self, key: &Key, value: V, ttl: Duration) -> Result<bool> {
        self.inner.add_entry(key, value, ttl).await
    }

    async fn claim(&self, key: &Key, options: ClaimOptions<'_, V>) -> Result<Claim<V>> {
        let answer = self.answer(options.lease());
        let entry =
            self.inner.get_entry(key, options.read_options()).await?.filter(|entry: &Entry<V>| !entry.is_stale());
        Ok(match (answer, entry) {
            (Answer::AbsentElsewhere, _) => Claim::AbsentElsewhere,
            (Answer::DueElsewhere, Some(entry)) => Claim::DueElsewhere(entry),
            (Answer::DueElsewhere, None) => Claim::AbsentElsewhere,
            (Answer::Due(token), Some(entry)) => Claim::Due(entry, Token::new(token)),
            (Answer::Due(token) | Answer::Won(token), None) => Claim::Absent(Token::new(token)),
            (Answer::Won(_), Some(entry)) => Claim::Fresh(entry),
        })
    }

    async fn fill(&self, key: &Key, token: Token, value: V, ttl: Duration) -> Result<bool> {
        self.hold_up().await;
        let refuses = {
            let mut state = self.lock();
            state.filled.push(token.number());
            state.refuses_fills
        };
        if refuses {
            return Ok(false);
        }
        self.inner.put_entry(key, value, ttl, WriteOptions::new()).await?;
        Ok(true)
    }

    fn release(&self, _key: &Key, token: Token) {
        self.lock().released.push(token.number());
    }
}
