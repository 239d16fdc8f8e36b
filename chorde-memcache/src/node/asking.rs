//! A question to one server on its way. Nearly all of them wait for one answer and are done; what may come instead is
//! boxed when it comes, so that thousands who wait are small.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};

use super::mux::{Pending, Replies};
use super::{Broken, Lane, Link, Node, SPEAKS_CLASSIC, Transport, may_repeat};
use crate::command::{Command, Failure};

/// Yields the replies to commands, which are on their way from the moment that this is made.
///
/// # Cancel safety
///
/// Dropped, the commands may or may not be carried out; the connection stays usable.
pub(crate) struct Asking<'a>(State<'a>);

enum State<'a> {
    Sent(Question<'a>, Sent),
    Detour(Detour<'a>),
}

type Detour<'a> = Pin<Box<dyn Future<Output = Result<Replies, Failure>> + Send + 'a>>;

impl<'a> Asking<'a> {
    pub(super) fn new(question: Question<'a>) -> Self {
        if question.node.speaks.load(Ordering::Acquire) == SPEAKS_CLASSIC {
            return Self::detour(question.ask());
        }
        match question.send() {
            Ok(sent) => Self(State::Sent(question, sent)),
            Err(broken) => Self::detour(question.ask_again(broken)),
        }
    }

    /// Yields what another future does.
    pub(crate) fn detour(future: impl Future<Output = Result<Replies, Failure>> + Send + 'a) -> Self {
        Self(State::Detour(Box::pin(future)))
    }
}

impl Future for Asking<'_> {
    type Output = Result<Replies, Failure>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            match &mut self.0 {
                State::Detour(detour) => return detour.as_mut().poll(cx),
                State::Sent(question, sent) => match ready!(Pin::new(sent).poll(cx)) {
                    Ok(replies) => {
                        question.node.answered();
                        return Poll::Ready(Ok(replies));
                    }
                    Err(broken) => self.0 = State::Detour(Box::pin(question.ask_again(broken))),
                },
            }
        }
    }
}

/// What is asked, of whom, and until when there is time.
#[derive(Clone, Copy)]
pub(super) struct Question<'a> {
    pub(super) node: &'a Arc<Node>,
    pub(super) commands: &'a [Command<'a>],
    pub(super) lane: Lane,
    pub(super) until: u64,
}

impl Question<'_> {
    async fn ask(self) -> Result<Replies, Failure> {
        match self.ask_once().await {
            Ok(replies) => {
                self.node.answered();
                Ok(replies)
            }
            Err(broken) => self.ask_again(broken).await,
        }
    }

    /// Goes on after a failure.
    async fn ask_again(self, mut broken: Broken) -> Result<Replies, Failure> {
        let node = self.node;
        let mut is_second = false;
        loop {
            match broken {
                Broken { failure: Failure::NoMeta(_), .. } if node.options.transport == Transport::Auto => {
                    node.speaks.store(SPEAKS_CLASSIC, Ordering::Release);
                }
                Broken { failure, .. } if !is_second && may_repeat(&failure, self.commands) => is_second = true,
                Broken { failure, is_news } => {
                    node.failed(&failure, is_news, self.commands);
                    return Err(failure);
                }
            }
            broken = match self.ask_once().await {
                Ok(replies) => {
                    node.answered();
                    return Ok(replies);
                }
                Err(broken) => broken,
            };
        }
    }

    /// Asks once, over whatever transport the server needs.
    pub(super) async fn ask_once(self) -> Result<Replies, Broken> {
        if self.node.speaks.load(Ordering::Acquire) == SPEAKS_CLASSIC {
            return Ok(self.node.ask_classic(self.commands, self.until).await?);
        }
        self.send()?.await
    }

    /// Leaves the commands with a connection of the meta transport.
    fn send(self) -> Result<Sent, Broken> {
        let link = self.node.link(self.lane)?;
        let pending = link.mux.ask(self.commands, self.node.left(self.until))?;
        Ok(Sent { link, pending })
    }
}

/// Commands that a connection has.
struct Sent {
    link: Arc<Link>,
    pending: Pending,
}

impl Future for Sent {
    type Output = Result<Replies, Broken>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = ready!(Pin::new(&mut self.pending).poll(cx));
        Poll::Ready(answer.map_err(|failure| {
            // A server that hangs fails each operation anew, one that is gone its connection.
            let is_news = failure == Failure::Timeout || !self.link.is_noted.swap(true, Ordering::Relaxed);
            Broken { failure, is_news }
        }))
    }
}
