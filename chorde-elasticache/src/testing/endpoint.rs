//! The configuration endpoint of a cluster.
//!
//! A scripted server answers, and a proxy stands before it at the address that is told. So the way to the endpoint can
//! fail apart from the endpoint itself, and what answers can be changed without a change of the address.

use std::collections::VecDeque;
use std::io::Result;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[cfg(feature = "tls")]
use chorde_memcache::testing::TlsFront;
use chorde_memcache::testing::{ChaosProxy, FakeServer, Peer};

use super::LEGACY_KEY;
use super::builder::FakeClusterBuilder;
use super::polls::Polls;
use super::told::{Form, Told, Truth};

/// What it tells to `version`: one that has the command.
const VERSION: &str = "VERSION 1.6.22\r\n";

/// A running endpoint; ends when dropped.
#[derive(Debug)]
pub(super) struct Endpoint {
    /// Told to clients where connections are encrypted.
    #[cfg(feature = "tls")]
    front: Option<TlsFront>,
    /// Told to clients else. Declared before the server: it ends first, and nobody connects to the server any more.
    pub(super) proxy: ChaosProxy,
    /// Answers, behind the proxy.
    pub(super) server: FakeServer,
    pub(super) desk: Arc<Desk>,
}

impl Endpoint {
    pub(super) fn start(settings: &FakeClusterBuilder) -> Result<Self> {
        let desk = Arc::new(Desk { legacy: settings.legacy, words: Mutex::default(), polls: Polls::default() });
        let seen = Arc::clone(&desk);
        let server = FakeServer::start(move |peer| seen.serve(peer))?;
        let proxy = ChaosProxy::start(&server.address())?;
        Ok(Self {
            #[cfg(feature = "tls")]
            front: settings.front(&proxy.address())?,
            proxy,
            server,
            desk,
        })
    }

    /// Returns what is told to clients.
    pub(super) fn address(&self) -> String {
        #[cfg(feature = "tls")]
        if let Some(front) = &self.front {
            return front.address();
        }
        self.proxy.address()
    }
}

/// What the connections of an endpoint share.
#[derive(Debug)]
pub(super) struct Desk {
    /// Whether it knows the key only.
    legacy: bool,
    words: Mutex<Words>,
    pub(super) polls: Polls,
}

/// What is said.
#[derive(Debug, Default)]
pub(super) struct Words {
    pub(super) truth: Truth,
    pub(super) told: Told,
    /// Come before that, one for each poll.
    pub(super) next: VecDeque<Told>,
}

/// One request, as an endpoint takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Configuration(Form),
    Quit,
    /// The whole answer.
    Other(&'static str),
}

impl Desk {
    pub(super) fn words(&self) -> MutexGuard<'_, Words> {
        self.words.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Serves one connection to its end.
    fn serve(&self, peer: &mut Peer<'_>) -> Result<()> {
        // A command that is answered by a bare ERROR is half a poll: the question for the key follows.
        let mut half = false;
        loop {
            let asked = asked(peer.request()?.line());
            let (bytes, ends) = match asked {
                Asked::Quit => return Ok(()),
                Asked::Other(answer) => {
                    peer.gate_or_end()?;
                    (answer.into(), false)
                }
                Asked::Configuration(form) => {
                    if form == Form::Command || !half {
                        self.polls.raise();
                    }
                    // What is said when the endpoint goes on after a pause is what holds by then.
                    peer.gate_or_end()?;
                    let answer = self.answer(form);
                    half = form == Form::Command && answer.0 == b"ERROR\r\n";
                    answer
                }
            };
            peer.send(bytes)?;
            if ends {
                return Ok(());
            }
        }
    }

    fn answer(&self, form: Form) -> (Vec<u8>, bool) {
        let mut words = self.words();
        if self.legacy != (form == Form::Key) {
            return Told::Unknown.answer(form, &words.truth);
        }
        let told = words.next.pop_front().unwrap_or_else(|| words.told.clone());
        told.answer(form, &words.truth)
    }
}

fn asked(line: &str) -> Asked {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    match words[..] {
        ["config", "get", "cluster"] => Asked::Configuration(Form::Command),
        ["get", LEGACY_KEY] => Asked::Configuration(Form::Key),
        ["quit"] => Asked::Quit,
        ["version"] => Asked::Other(VERSION),
        ["get", _, ..] => Asked::Other("END\r\n"),
        ["mn"] => Asked::Other("MN\r\n"),
        _ => Asked::Other("ERROR\r\n"),
    }
}
