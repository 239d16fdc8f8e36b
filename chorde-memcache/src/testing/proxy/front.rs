//! The side of a proxy that accepts connections and obeys orders.

use std::future::pending;
use std::io::Result;
use std::net::SocketAddr;
use std::sync::{Arc, mpsc as blocking};
use std::time::Duration;

use socket2::SockRef;
use tokio::net::{TcpListener, TcpStream};
use tokio::select;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::Tally;
use super::chaos::Chaos;
use super::link::Link;
use crate::server::Address;
use crate::testing::ports;
use crate::testing::watched::Watched;

/// An order to the proxy's thread, which says when it is carried out.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) chaos: Chaos,
    pub(super) scope: Scope,
    pub(super) done: blocking::Sender<Result<()>>,
}

/// Which connections an order is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    All,
    Existing,
    New,
}

/// All of a proxy, on its own thread.
#[derive(Debug)]
pub(super) struct Front {
    /// None while connections are refused.
    listener: Option<TcpListener>,
    address: SocketAddr,
    target: Address,
    /// What new connections begin with.
    chaos: Chaos,
    links: Vec<Running>,
    tally: Arc<Watched<Tally>>,
}

/// One connection.
#[derive(Debug)]
struct Running {
    chaos: watch::Sender<Chaos>,
    task: JoinHandle<()>,
}

impl Front {
    /// Must be called within the runtime.
    pub(super) fn new(listener: std::net::TcpListener, target: Address, tally: Arc<Watched<Tally>>) -> Result<Self> {
        let address = listener.local_addr()?;
        listener.set_nonblocking(true)?;
        let listener = Some(TcpListener::from_std(listener)?);
        Ok(Self { listener, address, target, chaos: Chaos::Pass, links: Vec::new(), tally })
    }

    /// Runs until nobody can give orders any more.
    pub(super) async fn run(mut self, mut orders: mpsc::UnboundedReceiver<Order>) {
        loop {
            select! {
                order = orders.recv() => match order {
                    None => return self.refuse(),
                    Some(order) => {
                        let result = self.obey(order.chaos, order.scope).await;
                        // Who does not wait for it does not need it.
                        let _ = order.done.send(result);
                    }
                },
                stream = accept(self.listener.as_ref()) => self.enter(stream),
            }
        }
    }

    async fn obey(&mut self, chaos: Chaos, scope: Scope) -> Result<()> {
        if scope != Scope::Existing {
            self.set_for_new(chaos)?;
        }
        self.links.retain(|link| !link.task.is_finished());
        if scope == Scope::New {
            return Ok(());
        }
        for link in &self.links {
            link.chaos.send_replace(chaos);
        }
        if chaos.is_fatal() {
            for link in self.links.drain(..) {
                // One that panicked has ended as well.
                let _ = link.task.await;
            }
        }
        Ok(())
    }

    fn set_for_new(&mut self, chaos: Chaos) -> Result<()> {
        self.chaos = chaos;
        if chaos == Chaos::Refuse {
            self.refuse();
        } else if self.listener.is_none() {
            let listener = ports::listen_again(self.address)?;
            listener.set_nonblocking(true)?;
            self.listener = Some(TcpListener::from_std(listener)?);
        }
        Ok(())
    }

    fn refuse(&mut self) {
        if let Some(listener) = self.listener.take() {
            ports::leave(&listener);
        }
    }

    fn enter(&mut self, stream: TcpStream) {
        self.tally.change(|tally| tally.accepted += 1);
        if self.chaos == Chaos::Reset {
            let _ = SockRef::from(&stream).set_linger(Some(Duration::ZERO));
            return;
        }
        self.links.retain(|link| !link.task.is_finished());
        self.tally.change(|tally| tally.open += 1);
        let (chaos, seen) = watch::channel(self.chaos);
        let link = Link { target: self.target.clone(), chaos: seen, tally: Arc::clone(&self.tally) };
        self.links.push(Running { chaos, task: tokio::spawn(link.run(stream)) });
    }
}

async fn accept(listener: Option<&TcpListener>) -> TcpStream {
    let Some(listener) = listener else { return pending().await };
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            // One that has ended already, or no descriptor left for it.
            Err(_) => tokio::time::sleep(crate::testing::PAUSE).await,
        }
    }
}
