//! What concerns all servers: emptying them, and asking how full they are.

use std::sync::Arc;

use futures_util::future::join_all;

use super::{Answered, Store};
use crate::cluster::Unanswered;
use crate::command::Failure;
use crate::node::Node;

impl Store {
    /// Empties all servers. One that is out of use is emptied before it comes back.
    ///
    /// # Errors
    ///
    /// When a server in use did not do it: it may still hold everything.
    pub(crate) async fn flush(&self) -> Answered<()> {
        let nodes = self.cluster.all().await?;
        for node in nodes.iter().filter(|node| !node.is_in_use()) {
            node.owe_all();
        }
        let in_use: Vec<_> = nodes.iter().filter(|node| node.is_in_use()).collect();
        if in_use.is_empty() {
            return Err(Unanswered::NoServers(None));
        }
        let flushed = join_all(
            in_use.iter().map(|node| async { node.flush().await.map_err(|failure| unanswered(node, failure)) }),
        );
        flushed.await.into_iter().collect()
    }

    /// Adds up what each server in use says under a name of its `stats`.
    pub(crate) async fn sum_of(&self, name: &str) -> Answered<u64> {
        let nodes = self.cluster.all().await?;
        let in_use: Vec<_> = nodes.iter().filter(|node| node.is_in_use()).collect();
        if in_use.is_empty() {
            return Err(Unanswered::NoServers(None));
        }
        let told = join_all(
            in_use.iter().map(|node| async { node.stat(name).await.map_err(|failure| unanswered(node, failure)) }),
        );
        told.await.into_iter().sum()
    }
}

/// Notes a failure, so that a server that is gone is taken out of use. One that does not know the command is as good as
/// before.
fn unanswered(node: &Arc<Node>, failure: Failure) -> Unanswered {
    if !matches!(failure, Failure::Protocol(_)) {
        node.failed(&failure, true, &[]);
    }
    Unanswered::Failed(node.shared_name(), failure)
}
