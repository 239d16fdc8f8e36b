//! A question that is under way, and what becomes of it when nobody waits for the answer any more.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use super::mux::Pending;
use super::{Node, Replies, spawn};
use crate::command::{Command, Failure, Item};

/// A question under way. Dropped before the answer, it gives back what the answer says was won: else nobody would compute
/// that until the lease ends.
pub(super) struct Asked<'a> {
    node: &'a Arc<Node>,
    commands: &'a [Command<'a>],
    pending: Option<Pending>,
}

impl<'a> Asked<'a> {
    pub(super) fn new(node: &'a Arc<Node>, commands: &'a [Command<'a>], pending: Pending) -> Self {
        Self { node, commands, pending: Some(pending) }
    }
}

impl Future for Asked<'_> {
    type Output = Result<Replies, Failure>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(pending) = &mut self.pending else { return Poll::Pending };
        let answer = ready!(Pin::new(pending).poll(cx));
        self.pending = None;
        Poll::Ready(answer)
    }
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        let Some(pending) = self.pending.take() else { return };
        if !self.commands.iter().any(Command::may_win) {
            return;
        }
        let node = Arc::clone(self.node);
        let keys: Vec<Box<[u8]>> = self.commands.iter().map(|command| command.key().into()).collect();
        spawn(async move {
            let Ok(replies) = pending.await else { return };
            for (key, reply) in keys.iter().zip(replies) {
                if let Some(item) = reply.into_item() {
                    node.give_back(key, &item);
                }
            }
        });
    }
}

impl Node {
    /// Gives back what was won with an item, if it was, without waiting for it.
    pub(crate) fn give_back(self: &Arc<Self>, key: &[u8], item: &Item) {
        let cas = Some(item.cas);
        match item {
            Item { won: false, .. } => {}
            // A stub: the next one who asks finds nothing, and wins.
            Item { size: 0, .. } => self.tell(key, move |key| Command::Delete { key, cas }),
            Item { .. } => self.tell(key, move |key| Command::MarkStale { key, life: None, cas }),
        }
    }
}
