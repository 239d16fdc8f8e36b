//! What discovery has found and counted.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::kind::EndpointKind;

/// Tells what the discovery of an [`ElastiCacheClient`](crate::ElastiCacheClient) has found and counted; a snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DiscoveryStats {
    /// What the endpoint turned out to be; [`EndpointKind::Auto`] as long as that is unknown.
    pub kind: EndpointKind,
    /// The version of the configuration that was taken into use last, which operations go by from that moment or shortly after
    /// it; none where the cluster has told none yet.
    pub version: Option<u64>,
    /// Whether the fallback list is in use, since nothing was heard of the cluster.
    pub on_fallback: bool,
    /// Polls that have ended, one way or the other.
    pub polls: u64,
    /// Polls that nobody answered in a way that could be used: no connection, no answer in time, nonsense.
    pub failed_polls: u64,
    /// Servers asked, of which a poll may take several.
    pub questions: u64,
    /// Answers that could not be understood; each was rejected whole.
    pub malformed: u64,
    /// Answers with an older version, or other nodes under a known one: not believed, or not yet.
    pub doubted: u64,
    /// Configurations taken into use, the first one included.
    pub applied: u64,
}

/// The same, shared by the client and its discovery.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record(Arc<Mutex<DiscoveryStats>>);

impl Record {
    pub(crate) fn snapshot(&self) -> DiscoveryStats {
        self.lock().clone()
    }

    pub(crate) fn note(&self, change: impl FnOnce(&mut DiscoveryStats)) {
        change(&mut self.lock());
    }

    fn lock(&self) -> MutexGuard<'_, DiscoveryStats> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
