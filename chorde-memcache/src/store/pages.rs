//! The pages of values too large for one item. They lie on the server of the value's key, under names that only the head
//! tells; a head without all of its pages is a miss.

use bytes::Bytes;

use super::{Answered, Store};
use crate::cluster::Route;
use crate::command::{Command, How, Life, Reply};
use crate::envelope::{PageSet, Sealed};
use crate::node::Lane;
use crate::wire_key::WireKey;

/// Pages outlive their head by this much, so that a valid head has all of its pages.
const LONGER: u32 = 10;

impl Store {
    /// Writes the pages behind a head that is stored as `how` says next; returns whether the server had room for them.
    pub(super) async fn wrote_pages(&self, key: &WireKey, sealed: &Sealed, life: Life, how: How) -> Answered<bool> {
        // Without a server the head finds none either, which is noted.
        let Ok(route) = self.cluster.route(key).await else { return Ok(true) };
        if self.write_pages(&route, key, sealed, life).await? {
            return Ok(true);
        }
        self.refused(&route, key, sealed, how).await;
        Ok(false)
    }

    async fn write_pages(&self, route: &Route, key: &WireKey, sealed: &Sealed, life: Life) -> Answered<bool> {
        let life = Life(life.0.saturating_add(LONGER));
        for (index, data) in sealed.tail.iter().enumerate() {
            let page = key.page(sealed.tag, index as u32 + 1);
            let store = Command::Store { key: &page, data: data.clone(), flags: 0, life, how: How::Set };
            // One after another: a megabyte fills any connection, and a refusal ends it early.
            if self.cluster.follow_up(route, &[store], Lane::Bulk).await?.pop() != Some(Reply::Done) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Reads the pages behind a head; `None` where one is missing.
    pub(crate) async fn read_pages(&self, key: &WireKey, route: &Route, set: PageSet) -> Answered<Option<Vec<Bytes>>> {
        let pages: Vec<_> = (1..=set.count).map(|index| key.page(set.tag, index)).collect();
        let mut data = Vec::with_capacity(pages.len());
        // A few at a time: enough to keep the connection busy, not so many that they fill the memory at once.
        for some in pages.chunks(8) {
            let commands: Vec<_> = some.iter().map(|page| Command::Get { key: page }).collect();
            for reply in self.cluster.follow_up(route, &commands, Lane::Bulk).await? {
                let Some(item) = reply.into_item() else { return Ok(None) };
                data.push(item.data);
            }
        }
        Ok(Some(data))
    }

    /// Lengthens the life of the pages that an item's flags tell of.
    pub(super) async fn touch_pages(&self, route: &Route, key: &WireKey, flags: u32, life: Life) -> Answered<()> {
        let Some(set) = PageSet::from_flags(flags) else { return Ok(()) };
        let life = Life(life.0.saturating_add(LONGER));
        let pages: Vec<_> = (1..=set.count).map(|index| key.page(set.tag, index)).collect();
        let commands: Vec<_> = pages.iter().map(|page| Command::Touch { key: page, life }).collect();
        self.cluster.follow_up(route, &commands, Lane::Quick).await.map(drop)
    }

    /// Removes the pages of a value whose head was not stored; waits for it, since the same may be written again.
    pub(super) async fn drop_pages(&self, route: &Route, key: &WireKey, sealed: &Sealed) {
        let Some(set) = PageSet::from_flags(sealed.flags()) else { return };
        let pages: Vec<_> = (1..=set.count).map(|index| key.page(set.tag, index)).collect();
        let commands: Vec<_> = pages.iter().map(|page| Command::Delete { key: page, cas: None }).collect();
        // What is left goes by itself at the end of its life.
        _ = self.cluster.follow_up(route, &commands, Lane::Bulk).await;
    }

    /// Removes the pages that an item's flags tell of, without waiting for it: nothing leads to them any more.
    pub(super) fn remove_pages(&self, route: &Route, key: &WireKey, flags: u32) {
        let Some(set) = PageSet::from_flags(flags) else { return };
        for index in 1..=set.count {
            route.node.tell(&key.page(set.tag, index), |key| Command::Delete { key, cas: None });
        }
    }
}
