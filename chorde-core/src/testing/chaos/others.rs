//! Values of other keys, to be mistaken for the right one.

use std::any::{Any, TypeId};
use std::collections::VecDeque;
use std::mem::replace;
use std::sync::Arc;

use crate::client::Value;
use crate::digest::Digest;
use crate::key::Key;
use crate::sync::Table;

/// How many values of each type are remembered.
const REMEMBERED: usize = 16;

/// Values of one type with the keys that they are of, the last one last.
type Seen = VecDeque<(Digest, Arc<dyn Any + Send + Sync>)>;

/// Makes a value of the type that it is kept under.
type Lie = Arc<dyn Fn(&Key) -> Option<Box<dyn Any>> + Send + Sync>;

/// The last values of each type that went through a client, and what is told in place of them.
#[derive(Default)]
pub(super) struct Others {
    seen: Table<TypeId, Seen>,
    lies: Table<TypeId, Lie>,
}

impl Others {
    pub(super) fn lie_with<V: Value>(&self, lie: impl Fn(&Key) -> Option<V> + Send + Sync + 'static) {
        let lie: Lie = Arc::new(move |key| lie(key).map(|value| Box::new(value) as Box<dyn Any>));
        let before = self.lies.change(TypeId::of::<V>(), || Arc::clone(&lie), |known| replace(known, Arc::clone(&lie)));
        drop(before);
    }

    /// Remembers a value that was read or written.
    pub(super) fn saw<V: Value>(&self, key: &Key, value: &V) {
        // What clones and drops them is the user's: not under the lock.
        let value = Arc::new(value.clone());
        let gone = self.seen.change(TypeId::of::<V>(), Seen::new, |values| {
            let (mut gone, kept): (Seen, Seen) = values.drain(..).partition(|(digest, _)| *digest == key.digest());
            *values = kept;
            if values.len() == REMEMBERED {
                gone.extend(values.pop_front());
            }
            values.push_back((key.digest(), value));
            gone
        });
        drop(gone);
    }

    /// Returns a value that is not that of this key: the last one of another key, or what was set to be told.
    pub(super) fn other<V: Value>(&self, key: &Key) -> Option<V> {
        if let Some(lie) = self.lies.get(&TypeId::of::<V>()) {
            return lie(key).and_then(|value| value.downcast().ok()).map(|value| *value);
        }
        let seen = self.seen.get(&TypeId::of::<V>())?;
        let (_, value) = seen.iter().rev().find(|(digest, _)| *digest != key.digest())?;
        value.downcast_ref().cloned()
    }
}
