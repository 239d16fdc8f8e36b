//! What a server owes, as seen from outside: noted when it is missed, made up for as soon as can be.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::{Broken, Node, lock, prober};
use crate::command::{Command, Failure};

impl Node {
    /// Returns whether the server is to be asked for a key: it is in use, and holds nothing there that is no longer so.
    pub(crate) fn serves(&self, key: &[u8]) -> bool {
        self.is_in_use() && !(self.is_indebted.load(Ordering::Acquire) && lock(&self.owed).holds(key))
    }

    /// Notes keys that this server has to remove, since `stand_in` is asked to change them instead.
    pub(crate) fn owe(self: &Arc<Self>, commands: &[Command<'_>], stand_in: Option<&Arc<Self>>) {
        if commands.iter().any(|command| command.changes().is_some()) {
            self.note_owed(commands, stand_in, false);
            self.pay_if_in_use();
        }
    }

    /// Notes that this server has to be emptied.
    pub(crate) fn owe_all(self: &Arc<Self>) {
        {
            let mut owed = lock(&self.owed);
            owed.add_all();
            self.is_indebted.store(true, Ordering::Release);
        }
        self.pay_if_in_use();
    }

    /// Notes keys that this server has to remove; `may_come` says that it may still carry out these commands. Then a claim is
    /// noted too: nobody would know of it, and all would wait for its end.
    pub(super) fn note_owed(&self, commands: &[Command<'_>], stand_in: Option<&Arc<Self>>, may_come: bool) {
        let mut owed = lock(&self.owed);
        let before = owed.count();
        let keys = commands.iter().filter_map(|it| it.changes().or_else(|| it.claims().filter(|_| may_come)));
        let lost = keys.filter(|key| !owed.add(key, stand_in.map(Arc::downgrade))).count();
        if may_come && owed.count() > before {
            owed.doubt();
        }
        self.is_indebted.store(!owed.is_empty(), Ordering::Release);
        self.counters.replays_lost.add(lost as u64);
    }

    /// Has what is owed made up for soon; before a server comes back into use, the prober sees to that.
    pub(super) fn pay_if_in_use(self: &Arc<Self>) {
        if self.is_indebted.load(Ordering::Acquire) && self.is_in_use() {
            prober::make_up_soon(self);
        }
    }

    /// Removes what this server has to remove, as far as that is known by now.
    ///
    /// # Cancel safety
    ///
    /// Dropped, some of it is still owed.
    pub(crate) async fn make_up(self: &Arc<Self>) -> Result<(), Failure> {
        prober::make_up(self).await.map_err(|Broken { failure, is_news }| {
            self.failed(&failure, is_news, &[]);
            failure
        })
    }
}
