//! The revisions of namespaces, shared by the fleet: clearing a namespace begins a new one, which is part of the wire keys
//! of all that is inside, so that what was stored before is not found any more.
//!
//! The revision of a namespace is a number on the servers, under a key of its own, on the first two servers in the order of
//! that key; the larger one counts, so that the loss of one server forgets nothing. Processes read it when they first use
//! the namespace and then every half [`delay`](Revisions::new) while they use it, behind the callers' backs. A number that
//! all servers have lost is put back by whoever remembers it. New numbers begin at the time of the day in microseconds, so
//! that one that everybody has forgotten is not begun again.

use std::hash::BuildHasherDefault;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chorde_core::{Digest, DigestHasher, Namespace, Path, Revision};
use dashmap::DashMap;
use futures_util::future::join_all;
use smallvec::SmallVec;

use crate::cluster::{Cluster, Route, Unanswered};
use crate::command::{Command, Reply};
use crate::node::{Lane, spawn};
use crate::race::nanos;
use crate::store::Store;
use crate::wire_key::WireKey;

/// On how many servers a revision is kept.
const COPIES: usize = 2;

/// Names that begin so are revisions of other clients, which nobody clears.
const OF_CLIENTS: char = '\0';

/// The revisions that this process knows.
#[derive(Debug)]
pub(crate) struct Revisions {
    known: DashMap<Digest, Arc<Known>, BuildHasherDefault<DigestHasher>>,
    /// What the numbers of those that were forgotten are not below, by some bits of their digests: should all servers lose such a
    /// number, it is put back, or a larger one. Others that share a floor begin a revision for which nobody asked.
    floors: OnceLock<Box<[AtomicU64]>>,
    delay: u64,
}

/// How many floors there are: half a megabyte, once a namespace that was cleared is forgotten.
const FLOORS: usize = 1 << 16;

/// How many are known at most. Beyond that, those are forgotten that were not read for longest, or not for long: they are read again
/// when they are next used.
const MOST: usize = 1 << 14;

/// The revision of one namespace.
#[derive(Debug)]
struct Known {
    /// Where the servers keep it.
    key: WireKey,
    revision: AtomicU64,
    /// When it was read, by the client's clock; zero before the first time.
    read_at: AtomicU64,
    /// Whether a server has told it, or all that there is none.
    is_told: AtomicBool,
    /// When it was last begun to read it behind the callers' backs.
    asked_at: AtomicU64,
}

/// The names and revisions of a path, the outermost first.
pub(crate) type Revised<'a> = SmallVec<[(&'a str, u64); 2]>;

impl Revisions {
    /// Creates an empty table; what another process clears is noticed within `delay`.
    pub(crate) fn new(delay: Duration) -> Self {
        Self { known: DashMap::default(), floors: OnceLock::new(), delay: nanos(delay) }
    }

    /// Returns the names and revisions of a path; reads from the servers what is not known, or not known well enough.
    pub(crate) async fn of<'a>(&self, store: &Arc<Store>, path: Path<'a>) -> Revised<'a> {
        // At once, so that a server that hangs is waited for once.
        let all = path.iter().zip(path.digests()).map(|(namespace, digest)| async move {
            let revision = match self.fresh(store, digest) {
                _ if is_of_client(namespace) => 0,
                Some(revision) => revision,
                None => self.read(store, path, digest).await,
            };
            (namespace.name(), revision)
        });
        join_all(all).await.into_iter().collect()
    }

    /// Returns the same if all of it was read not long ago; has it read again where that is needed soon.
    pub(crate) fn fresh_of<'a>(&self, store: &Arc<Store>, path: Path<'a>) -> Option<Revised<'a>> {
        let mut revised = Revised::new();
        if path.is_empty() {
            return Some(revised);
        }
        let now = store.cluster.clock().now();
        for (namespace, digest) in path.iter().zip(path.digests()) {
            let revision = if is_of_client(namespace) { 0 } else { self.fresh_at(store, digest, now)? };
            revised.push((namespace.name(), revision));
        }
        Some(revised)
    }

    /// Returns the names and revisions of a path as far as they are known.
    pub(crate) fn known_of<'a>(&self, path: Path<'a>) -> Revised<'a> {
        path.iter().zip(path.digests()).map(|(namespace, digest)| (namespace.name(), self.known(digest))).collect()
    }

    /// Returns the revision of `path` as far as it is known, with a number that changes with each of any namespace in it; has
    /// it read again where that is needed soon, for those who keep copies and ask the servers for nothing.
    pub(crate) fn known_now(&self, store: &Arc<Store>, path: Path<'_>) -> Revision {
        let now = store.cluster.clock().now();
        let mut all = Revision::current(0);
        for (namespace, digest) in path.iter().zip(path.digests()) {
            let seen = self.known.get(&digest).map(|known| {
                let is_due = self.becomes_due(&known, now);
                // First this: the number may be told in between, and then it was not yet.
                let is_current = self.is_fresh(&known, now);
                (Revision { is_current, ..Revision::current(known.revision.load(Ordering::Acquire)) }, is_due)
            });
            let Some((revision, is_due)) = seen else {
                all.is_current &= is_of_client(namespace);
                continue;
            };
            if is_due {
                self.read_behind(store, digest);
            }
            all = all.and(revision);
        }
        // Where nobody can tell, copies are better than nothing.
        Revision { is_current: all.is_current || !store.cluster.is_served(), ..all }
    }

    /// Returns that number, if all of it was read not long ago; has it read again where that is needed soon.
    pub(crate) fn fresh_sum(&self, store: &Arc<Store>, path: Path<'_>) -> Option<u64> {
        self.fresh_of(store, path).map(|revised| sum(&revised))
    }

    /// Returns the same number, however long ago it was read, unless part of it never was.
    pub(crate) fn told_sum(&self, path: Path<'_>) -> Option<u64> {
        let mut told =
            path.iter().zip(path.digests()).filter(|(namespace, _)| !is_of_client(namespace)).map(|(_, digest)| {
                let known = self.find(digest)?;
                known.is_told.load(Ordering::Acquire).then(|| known.revision.load(Ordering::Acquire))
            });
        told.try_fold(0, |sum: u64, revision| Some(sum.wrapping_add(revision?)))
    }

    fn known(&self, digest: Digest) -> u64 {
        self.find(digest).map_or(0, |known| known.revision.load(Ordering::Acquire))
    }

    /// Begins a new revision of the namespace that `path` leads to.
    pub(crate) async fn clear(&self, store: &Arc<Store>, path: Path<'_>) -> Result<(), Unanswered> {
        let Some(digest) = path.digests().last() else { return Ok(()) };
        let known = self.find_or_add(path, digest, store.cluster.clock().now());
        _ = known.read_from(&store.cluster).await;
        let count = Command::Count { key: known.key.text(), initial: microseconds() };
        let answer = store.cluster.ask(&known.key, &[count], Lane::Quick).await?;
        let (route, reply) = answer.last();
        let Reply::Number(counted) = reply else { return Err(route.unexpected()) };
        let number = counted.max(known.revision.load(Ordering::Acquire) + 1);
        // Where it was counted it must not go back, if another clear has counted since.
        known.put(&store.cluster, number, (number == counted).then_some(&route)).await;
        known.revision.fetch_max(number, Ordering::AcqRel);
        known.told(store.cluster.clock().now());
        Ok(())
    }

    /// Returns a revision that was read not long ago, and has it read again where that is needed soon.
    fn fresh(&self, store: &Arc<Store>, digest: Digest) -> Option<u64> {
        self.fresh_at(store, digest, store.cluster.clock().now())
    }

    fn fresh_at(&self, store: &Arc<Store>, digest: Digest, now: u64) -> Option<u64> {
        let (revision, is_due) = {
            let known = self.known.get(&digest).filter(|known| self.is_fresh(known, now))?;
            let is_due = self.becomes_due(&known, now);
            (known.revision.load(Ordering::Acquire), is_due)
        };
        if is_due {
            self.read_behind(store, digest);
        }
        Some(revision)
    }

    fn is_fresh(&self, known: &Known, now: u64) -> bool {
        let read_at = known.read_at.load(Ordering::Acquire);
        read_at > 0 && now.saturating_sub(read_at) < self.delay
    }

    /// Returns whether a revision is to be read again, for that was last done, or tried, half a delay ago; says so once.
    fn becomes_due(&self, known: &Known, now: u64) -> bool {
        let asked_at = known.asked_at.load(Ordering::Relaxed);
        let since = now.saturating_sub(known.read_at.load(Ordering::Acquire).max(asked_at));
        since >= self.delay / 2
            && known.asked_at.compare_exchange(asked_at, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Has a revision read again in the background.
    fn read_behind(&self, store: &Arc<Store>, digest: Digest) {
        let Some(known) = self.find(digest) else { return };
        let store = Arc::clone(store);
        spawn(async move {
            // Failing, it is tried again after as long a time.
            _ = known.read_or_guess(&store.cluster).await;
        });
    }

    /// Reads a revision. Many who need it at once ask at once: nobody waits for another, who may not be polled.
    async fn read(&self, store: &Arc<Store>, path: Path<'_>, digest: Digest) -> u64 {
        let known = self.find_or_add(path, digest, store.cluster.clock().now());
        if known.read_or_guess(&store.cluster).await.is_err() && !known.is_told.load(Ordering::Acquire) {
            // What lies under revisions from 0 on may have been cleared: under this one, nothing does.
            return fastrand::u64(..);
        }
        known.revision.load(Ordering::Acquire)
    }

    fn find(&self, digest: Digest) -> Option<Arc<Known>> {
        self.known.get(&digest).map(|known| Arc::clone(&known))
    }

    /// Finds the namespace of `path` that has this digest.
    fn find_or_add(&self, path: Path<'_>, digest: Digest, now: u64) -> Arc<Known> {
        let new = || {
            let depth = path.digests().take_while(|outer| *outer != digest).count() + 1;
            Arc::new(Known {
                key: WireKey::revision_key(path.iter().take(depth).map(Namespace::name)),
                revision: AtomicU64::new(self.floor(digest).map_or(0, |floor| floor.load(Ordering::Acquire))),
                read_at: AtomicU64::new(0),
                is_told: AtomicBool::new(false),
                asked_at: AtomicU64::new(0),
            })
        };
        let known = Arc::clone(&self.known.entry(digest).or_insert_with(new));
        if self.known.len() > MOST {
            self.forget(now);
        }
        known
    }

    /// Forgets all but half of what may be known at most, and what is being used: another handle of the same namespace must see
    /// what that comes to.
    fn forget(&self, now: u64) {
        let mut room = MOST / 2;
        self.known.retain(|digest, known| {
            let stays = Arc::strong_count(known) > 1 || (room > 0 && self.is_fresh(known, now));
            room -= usize::from(stays && room > 0);
            let revision = known.revision.load(Ordering::Acquire);
            if !stays && revision > 0 {
                // Before it leaves the table.
                self.floors.get_or_init(new_floors)[place(*digest)].fetch_max(revision, Ordering::AcqRel);
            }
            stays
        });
    }

    fn floor(&self, digest: Digest) -> Option<&AtomicU64> {
        self.floors.get().map(|floors| &floors[place(digest)])
    }
}

fn new_floors() -> Box<[AtomicU64]> {
    (0..FLOORS).map(|_| AtomicU64::new(0)).collect()
}

fn place(namespace: Digest) -> usize {
    namespace.low() as usize % FLOORS
}

impl Known {
    /// Reads the number; if no server tells, the last known one is the best guess, and is asked for again soon.
    async fn read_or_guess(&self, cluster: &Cluster) -> Result<(), Unanswered> {
        let read = self.read_from(cluster).await;
        // Without servers, to ask again costs no time, and the first to come back must be asked before it is used.
        if matches!(read, Err(Unanswered::Failed(..))) && self.is_told.load(Ordering::Acquire) {
            self.read_at.store(cluster.clock().now().max(1), Ordering::Release);
        }
        read
    }

    /// Reads the number from the servers that keep it, and puts it back where it was lost.
    async fn read_from(&self, cluster: &Cluster) -> Result<(), Unanswered> {
        let routes = cluster.routes(&self.key, COPIES).await?;
        if routes.is_empty() {
            return Err(Unanswered::NoServers(None));
        }
        let began = cluster.clock().now().max(1);
        let mut failed = None;
        let mut lost: SmallVec<[&Route; COPIES]> = SmallVec::new();
        let number = [Command::Number { key: self.key.text() }];
        let asked = join_all(routes.iter().map(|route| cluster.follow_up(route, &number, Lane::Quick))).await;
        for (route, answer) in routes.iter().zip(asked) {
            match answer {
                Ok(mut replies) => match replies.pop() {
                    Some(Reply::Number(number)) => {
                        if self.revision.fetch_max(number, Ordering::AcqRel) > number {
                            lost.push(route);
                        }
                    }
                    _ => lost.push(route),
                },
                Err(error) => failed = Some(error),
            }
        }
        let number = self.revision.load(Ordering::Acquire);
        for route in lost.iter().filter(|_| number > 0) {
            // Failing, it is tried again at the next reading.
            _ = cluster.follow_up(route, &[self.store(number)], Lane::Quick).await;
        }
        match failed {
            // The one that did not answer may know of one.
            Some(error) if number == 0 => Err(error),
            _ => {
                self.told(began);
                Ok(())
            }
        }
    }

    /// Notes that the number was learned at this time.
    fn told(&self, at: u64) {
        self.read_at.store(at, Ordering::Release);
        self.is_told.store(true, Ordering::Release);
    }

    /// Puts a number on all servers that keep it, but for one.
    async fn put(&self, cluster: &Cluster, number: u64, but_for: Option<&Route>) {
        let routes = cluster.routes(&self.key, COPIES).await.unwrap_or_default();
        for route in routes.iter().filter(|route| but_for.is_none_or(|other| other.node.name() != route.node.name())) {
            // Where it fails, the next reading puts it.
            _ = cluster.follow_up(route, &[self.store(number)], Lane::Quick).await;
        }
    }

    fn store(&self, number: u64) -> Command<'_> {
        Command::PutNumber { key: self.key.text(), number }
    }
}

/// Returns a number that changes with each revision.
pub(crate) fn sum(revised: &Revised<'_>) -> u64 {
    revised.iter().map(|(_, revision)| *revision).fold(0, u64::wrapping_add)
}

fn is_of_client(namespace: &Namespace) -> bool {
    namespace.name().starts_with(OF_CLIENTS)
}

/// Returns the time of the day; only that it grows matters, by the clocks of different hosts too.
fn microseconds() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_bounded_and_what_is_used_stays() {
        let revisions = Revisions::new(Duration::from_secs(1));
        let now = 10_000_000_000;
        let find = |number: usize| {
            let namespace = [Namespace::named(number.to_string())];
            let path = Path::new(&namespace);
            let digest = path.digests().last().unwrap();
            (digest, revisions.find_or_add(path, digest, now))
        };
        let (used, held) = find(0);
        let mut fresh = Vec::new();
        for number in 1..3 * MOST {
            let (digest, known) = find(number);
            if number % 100 == 0 {
                known.told(now);
                fresh.push(digest);
            }
            assert!(revisions.known.len() <= MOST);
        }
        assert!(Arc::ptr_eq(&held, &revisions.find(used).unwrap()));
        assert!(fresh.iter().all(|digest| revisions.find(*digest).is_some()), "they were read not long ago");
    }
}
