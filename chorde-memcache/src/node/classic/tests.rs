//! The classic transport against a real memcached, and against one that does what memcached never does.

mod commands;
mod fake;
mod leases;
mod server;
mod traps;

use std::time::Duration;

use bytes::Bytes;
use tokio::runtime::Handle;

use super::Classic;
use crate::command::{Command, Failure, How, Item, Life, Reply};

/// Longer than any test takes on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Asks one thing.
async fn ask(classic: &Classic, command: Command<'_>) -> Result<Reply, Failure> {
    let mut replies = classic.ask(&Handle::current(), &[command], PATIENCE)?.await?;
    assert_eq!(replies.len(), 1);
    Ok(replies.remove(0))
}

/// Asks for an item that must be there.
async fn item(classic: &Classic, command: Command<'_>) -> Item {
    match ask(classic, command).await {
        Ok(Reply::Item(item)) => item,
        other => panic!("no item but {other:?}"),
    }
}

fn store<'a>(key: &'a [u8], data: &'static [u8], how: How) -> Command<'a> {
    Command::Store { key, data: Bytes::from_static(data), flags: 7, life: Life(100), how }
}

fn get(key: &[u8]) -> Command<'_> {
    Command::Get { key }
}

fn claim(key: &[u8]) -> Command<'_> {
    Command::Claim { key, lease: 50, refresh: 30 }
}
