//! Values of other keys, to be mistaken for the right one.

use std::any::{Any, TypeId};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::client::Value;
use crate::digest::Digest;
use crate::key::Key;

/// How many values of each type are remembered.
const REMEMBERED: usize = 16;

/// Values of one type with the keys that they are of, the last one last.
type Seen = VecDeque<(Digest, Box<dyn Any + Send>)>;

/// Makes a value of the type that it is kept under.
type Lie = Arc<dyn Fn(&Key) -> Option<Box<dyn Any>> + Send + Sync>;

/// The last values of each type that went through a client, and what is told in place of them.
#[derive(Default)]
pub(super) struct Others {
    seen: Mutex<HashMap<TypeId, Seen>>,
    lies: Mutex<HashMap<TypeId, Lie>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Others {
    pub(super) fn lie_with<V: Value>(&self, lie: impl Fn(&Key) -> Option<V> + Send + Sync + 'static) {
        let lie: Lie = Arc::new(move |key| lie(key).map(|value| Box::new(value) as Box<dyn Any>));
        lock(&self.lies).insert(TypeId::of::<V>(), lie);
    }

    /// Remembers a value that was read or written.
    pub(super) fn saw<V: Value>(&self, key: &Key, value: &V) {
        let mut seen = lock(&self.seen);
        let values = seen.entry(TypeId::of::<V>()).or_default();
        values.retain(|(digest, _)| *digest != key.digest());
        if values.len() == REMEMBERED {
            values.pop_front();
        }
        values.push_back((key.digest(), Box::new(value.clone())));
    }

    /// Returns a value that is not that of this key: the last one of another key, or what was set to be told.
    pub(super) fn other<V: Value>(&self, key: &Key) -> Option<V> {
        let lie = lock(&self.lies).get(&TypeId::of::<V>()).cloned();
        if let Some(lie) = lie {
            return lie(key).and_then(|value| value.downcast().ok()).map(|value| *value);
        }
        let seen = lock(&self.seen);
        let mut values = seen.get(&TypeId::of::<V>())?.iter().rev();
        let (_, value) = values.find(|(digest, _)| *digest != key.digest())?;
        value.downcast_ref().cloned()
    }
}
