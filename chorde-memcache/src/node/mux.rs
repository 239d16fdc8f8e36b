use crate::{command::*, server::Address, node::Replies}; use std::{sync::Arc, time::Duration}; use chorde_core::Clock;
#[derive(Clone, Copy, Debug, Default)] pub(crate) struct Limits { pub(crate) commands: usize, pub(crate) item_size: usize }
pub(crate) struct Mux; pub(crate) struct Pending;
impl Mux { pub(crate) fn spawn(_: &tokio::runtime::Handle, _: Address, _: Limits, _: Clock) -> Arc<Self> { todo!() }
 pub(crate) fn is_closed(&self) -> bool { todo!() }
 pub(crate) fn ask(&self, _: &[Command<'_>], _: Duration) -> Result<Pending, Failure> { todo!() } }
impl Future for Pending { type Output = Result<Replies, Failure>; fn poll(self: std::pin::Pin<&mut Self>, _: &mut std::task::Context<'_>) -> std::task::Poll<Self::Output> { todo!() } }
