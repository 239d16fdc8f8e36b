//! A source of servers that says what the test says.

use chorde_core::Clock;
use chorde_memcache::testing::MemcachedServer;
use chorde_memcache::{Address, Following, Server, ServerSource, Servers};
use tokio::sync::watch;

/// Tells lists of servers; clones tell the same.
#[derive(Clone)]
pub struct Told(watch::Sender<Option<Vec<Server>>>);

impl Told {
    /// Knows nothing yet.
    pub fn nothing() -> Self {
        Self(watch::Sender::new(None))
    }

    pub fn of(servers: Vec<Server>) -> Self {
        Self(watch::Sender::new(Some(servers)))
    }

    pub fn tell(&self, servers: Vec<Server>) {
        self.0.send_replace(Some(servers));
    }
}

impl ServerSource for Told {
    fn known(&self) -> Option<Vec<Server>> {
        self.0.borrow().clone()
    }

    fn follow(self: Box<Self>, servers: Servers, _: Clock) -> Following {
        let mut told = self.0.subscribe();
        Box::pin(async move {
            loop {
                if let Some(list) = told.borrow_and_update().clone() {
                    servers.set(list);
                }
                if told.changed().await.is_err() {
                    return;
                }
            }
        })
    }
}

/// Names a server of a test by its address.
pub fn named(server: &MemcachedServer) -> Server {
    at(&server.address(), server)
}

/// Gives a server of a test another name.
pub fn at(name: &str, server: &MemcachedServer) -> Server {
    Server::new(name, Address::Tcp(server.address().parse().unwrap()))
}
