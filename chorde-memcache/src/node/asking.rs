//! Waiting for the answer to a batch. One that claims may be granted what it asked for after its caller has gone: then it
//! is given back, since nobody would compute.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::mux::Pending;
use super::{Node, Replies, spawn};
use crate::command::{Command, Failure, Reply};

/// The answer to come.
#[derive(Debug)]
pub(super) struct Asking<'a> {
    node: &'a Arc<Node>,
    commands: &'a [Command<'a>],
    /// None when it has come.
    pending: Option<Pending>,
}

impl<'a> Asking<'a> {
    pub(super) fn new(node: &'a Arc<Node>, commands: &'a [Command<'a>], pending: Pending) -> Self {
        Self { node, commands, pending: Some(pending) }
    }
}

impl Future for Asking<'_> {
    type Output = Result<Replies, Failure>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let pending = self.pending.as_mut().expect("invariant: not polled after its end");
        Pin::new(pending).poll(cx).map(|answer| {
            self.pending = None;
            answer
        })
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        // A batch that claims has no other commands.
        let [command] = self.commands else { return };
        if let Some(key) = command.claims()
            && let Some(pending) = self.pending.take()
        {
            let (node, key) = (Arc::clone(self.node), Box::<[u8]>::from(key));
            spawn(async move {
                if let Ok(replies) = pending.await {
                    replies.into_iter().for_each(|reply| give_back(&node, &key, reply));
                }
            });
        }
    }
}

fn give_back(node: &Arc<Node>, key: &[u8], reply: Reply) {
    let Some(item) = reply.into_item().filter(|item| item.won) else { return };
    let cas = Some(item.cas);
    if item.size == 0 {
        node.tell(key, move |key| Command::Delete { key, cas });
    } else {
        node.tell(key, move |key| Command::MarkStale { key, life: None, cas });
    }
}
