//! A question to one server on its way. Nearly all of them wait for one answer and are done; what may come instead is
//! boxed when it comes, so that thousands who wait are small.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};

use super::asked::Asked;
use super::home::Home;
use super::mux::Replies;
use super::{Broken, Lane, Link, Node, SPEAKS_CLASSIC, Transport, lock, may_repeat};
use crate::command::{Command, Failure};

/// Yields the replies to commands, which are on their way from the moment that this is made.
///
/// # Cancel safety
///
/// Dropped, the commands may or may not be carried out; the connection stays usable.
pub(crate) struct Asking<'a>(State<'a>);

enum State<'a> {
    Sent(Question<'a>, Sent<'a>),
    Detour(Detour<'a>),
}

type Detour<'a> = Pin<Box<dyn Future<Output = Result<Replies, Failure>> + Send + 'a>>;

impl<'a> Asking<'a> {
    pub(super) fn new(question: Question<'a>) -> Self {
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

impl<'a> Question<'a> {
    /// Goes on after a failure.
    async fn ask_again(self, mut broken: Broken) -> Result<Replies, Failure> {
        let node = self.node;
        let mut is_second = false;
        loop {
            if !self.turn_classic(&broken) {
                let Broken { failure, is_news } = broken;
                if is_second || !may_repeat(&failure, self.commands) {
                    node.failed(&failure, is_news, self.commands);
                    return Err(failure);
                }
                node.counters.resent.one();
                is_second = true;
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

    /// Asks in the words that the server knows; a failure is noted nowhere.
    pub(super) async fn ask_once(self) -> Result<Replies, Broken> {
        match self.send()?.await {
            Err(broken) if self.turn_classic(&broken) => self.send()?.await,
            asked => asked,
        }
    }

    /// Turns to the classic commands where a server was found to know no others; returns whether it did.
    fn turn_classic(self, broken: &Broken) -> bool {
        let node = self.node;
        let turns = matches!(broken.failure, Failure::NoMeta(_)) && node.options.transport == Transport::Auto;
        if turns {
            node.speaks.store(SPEAKS_CLASSIC, Ordering::Release);
        }
        turns
    }

    /// Leaves the commands with a connection.
    fn send(self) -> Result<Sent<'a>, Broken> {
        let Self { node, commands, lane, until } = self;
        let (link, pending) = if node.speaks.load(Ordering::Acquire) == SPEAKS_CLASSIC {
            let classic = Arc::clone(&lock(&node.classic));
            (None, classic.ask(Home::own()?.handle(), commands, node.left(until))?)
        } else {
            let link = node.link(lane)?;
            let pending = link.mux.ask(commands, node.left(until))?;
            (Some(link), pending)
        };
        Ok(Sent { link, asked: Asked::new(node, commands, pending) })
    }
}

/// Commands that a connection has.
struct Sent<'a> {
    /// That of the meta transport.
    link: Option<Arc<Link>>,
    asked: Asked<'a>,
}

impl Future for Sent<'_> {
    type Output = Result<Replies, Broken>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = ready!(Pin::new(&mut self.asked).poll(cx));
        Poll::Ready(answer.map_err(|failure| {
            // A server that hangs fails each operation anew, one that is gone its connection.
            let is_told = || self.link.as_ref().is_some_and(|link| link.is_noted.swap(true, Ordering::Relaxed));
            let is_news = failure == Failure::Timeout || !is_told();
            Broken { failure, is_news }
        }))
    }
}
