use crate::{command::*, node::Replies, server::Address};
use chorde_core::Clock;
use std::time::Duration;
pub(crate) struct Classic;
impl Classic {
    pub(crate) fn new(_: usize, _: Clock) -> Self {
        Self
    }
    pub(crate) fn forget_connections(&self) {}
    pub(crate) async fn ask(
        &self,
        _: &tokio::runtime::Handle,
        _: &Address,
        _: &[Command<'_>],
        _: Duration,
    ) -> Result<Replies, Failure> {
        todo!()
    }
}
