//! What a client is for one key, if all happens one after the other.

use std::time::Duration;

use crate::{AsKey, CacheExt, Client, Result, Value};

/// Longer than any history.
const TTL: Duration = Duration::from_secs(3600);

/// What is held under the key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Held {
    #[default]
    Nothing,
    Valid(u64),
    Stale(u64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Op {
    Get,
    GetTtl,
    Contains,
    Put(u64),
    Add(u64),
    Renew,
    Delete,
    Expire,
    Clear,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Value(Option<u64>),
    Entry(Held),
    Flag(bool),
    Done,
    /// One about which nothing is promised.
    Any,
}

impl Op {
    /// All kinds, those with values with this one.
    pub(crate) fn kinds(value: u64) -> [Self; 9] {
        use Op::{Add, Clear, Contains, Delete, Expire, Get, GetTtl, Put, Renew};
        [Get, GetTtl, Contains, Put(value), Add(value), Renew, Delete, Expire, Clear]
    }

    /// Returns whether it changes what is held, or may.
    pub(crate) fn changes(self) -> bool {
        !matches!(self, Self::Get | Self::GetTtl | Self::Contains)
    }

    /// Does it, with numbers for values as the client holds them.
    pub(crate) async fn perform<V>(self, client: &impl Client<V>, key: &impl AsKey) -> Result<Answer>
    where
        V: Value + From<u64> + Into<u64>,
    {
        Ok(match self {
            Self::Get => Answer::Value(client.get::<V>(key).await?.map(Into::into)),
            Self::GetTtl => Answer::Entry(match client.get_ttl::<V>(key).await? {
                None => Held::Nothing,
                Some(entry) if entry.is_stale() => Held::Stale(entry.value.into()),
                Some(entry) => Held::Valid(entry.value.into()),
            }),
            Self::Contains => Answer::Flag(client.contains(key).await?),
            Self::Put(value) => done(client.put(key, V::from(value), TTL).await?),
            Self::Add(value) => Answer::Flag(client.add(key, V::from(value), TTL).await?),
            Self::Renew => Answer::Flag(client.renew(key, TTL).await?),
            Self::Delete => Answer::Flag(client.delete(key).await?),
            Self::Expire => Answer::Flag(client.expire(key).await?),
            Self::Clear => done(client.clear().await?),
        })
    }
}

fn done((): ()) -> Answer {
    Answer::Done
}

/// Returns what is held after an operation, unless a client would have answered otherwise.
pub(crate) fn step(held: &Held, (op, answer): &(Op, Answer)) -> Option<Held> {
    let valid = match held {
        Held::Valid(value) => Some(*value),
        Held::Nothing | Held::Stale(_) => None,
    };
    let is_valid = Answer::Flag(valid.is_some());
    let (after, expected) = match op {
        Op::Get => (*held, Answer::Value(valid)),
        Op::GetTtl => (*held, Answer::Entry(*held)),
        Op::Contains | Op::Renew => (*held, is_valid),
        Op::Put(value) => (Held::Valid(*value), Answer::Done),
        Op::Add(value) => (Held::Valid(valid.unwrap_or(*value)), Answer::Flag(valid.is_none())),
        Op::Delete => (Held::Nothing, is_valid),
        Op::Expire => (valid.map_or(*held, Held::Stale), is_valid),
        Op::Clear => (Held::Nothing, Answer::Done),
    };
    (*answer == Answer::Any || *answer == expected).then_some(after)
}
