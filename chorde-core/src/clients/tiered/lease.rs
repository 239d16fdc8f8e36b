//! Claims, which the far tier grants: what the near tier says of an entry may be out of date.

use std::time::Duration;

use super::promote::{Names, Over};
use super::stats::Tier;
use super::{Tiers, seed};
use crate::client::{Cache, Claim, ClaimOptions, Client, Token, Value, WriteOptions};
use crate::entry::Entry;
use crate::error::Result;
use crate::key::Key;

impl<N: Cache, F: Cache> Tiers<N, F> {
    /// Claims at the far tier and promotes the entry that it shows. While the far tier fails, or may not be read, the
    /// claim is won here, as with a client that cannot lease.
    pub(super) async fn claim<V: Value>(&self, key: &Key, options: ClaimOptions<'_, V>) -> Result<Claim<V>>
    where
        N: Client<V>,
        F: Client<V>,
    {
        let (near_key, read) = (self.near_key(key).await, options.read_options());
        let options = options.as_nearer(seed(&key.probe()), Duration::ZERO);
        let Some(far_read) = self.far_options(read) else {
            let near = self.noted(Tier::Near, self.read_near(key, &near_key, read).await);
            return Ok(Claim::won(near?, options));
        };
        let before = self.before_far(key);
        let claim = match self.noted(Tier::Far, self.claim_far(key, options.reading(far_read)).await) {
            Ok(claim) => claim,
            Err(far_error) => {
                let near = self.noted(Tier::Near, self.read_near(key, &near_key, read).await);
                return Ok(Claim::won(near.map_err(|_| far_error)?, options));
            }
        };
        if let Some((entry, over)) = to_promote(&claim) {
            self.promote(Names { key, near: &near_key }, entry, (before, over), read.promotion_hearer()).await;
        }
        Ok(claim)
    }

    /// Claims at the far tier, which is to find due what the near tier has found due.
    async fn claim_far<V: Value>(&self, key: &Key, options: ClaimOptions<'_, V>) -> Result<Claim<V>>
    where
        F: Client<V>,
    {
        let (seed, doubt) = (seed(&key.probe()), self.far.resolution());
        Ok(self.far.claim(key, options.as_nearer(seed, doubt)).await?.map_entry(|entry| entry.with_seed(seed)))
    }

    /// Stores what a claim was taken for: in the near tier only if the far one took it, or failed.
    pub(super) async fn fill<V: Value>(&self, key: &Key, token: Token, value: V, ttl: Duration) -> Result<bool>
    where
        N: Client<V>,
        F: Client<V>,
    {
        let near_key = self.known_near_key(key);
        let (writing, since) = (self.overlaps.write([key]), self.now());
        let far = self.far.fill(key, token, value.clone(), self.fractions.far(ttl)).await;
        let far = self.noted(Tier::Far, far);
        if let Ok(false) = far {
            return Ok(false);
        }
        let near = self.put_near(&near_key, value, self.left(ttl, since), WriteOptions::new()).await;
        if far.is_ok() && writing.overlapped(key) {
            self.drop_copy(&near_key).await;
        }
        far.or(near.map(|()| true))
    }
}

/// Returns the entry that a claim shows, and what its copy replaces.
fn to_promote<V>(claim: &Claim<V>) -> Option<(&Entry<V>, Over)> {
    match claim {
        // Somebody has refreshed it: whatever the near tier has is older.
        Claim::Fresh(entry) => Some((entry, Over::Shorter)),
        // Serves those who come while it is refreshed.
        Claim::Due(entry, _) | Claim::DueElsewhere(entry) => Some((entry, Over::Nothing)),
        Claim::Absent(_) | Claim::AbsentElsewhere => None,
    }
}
