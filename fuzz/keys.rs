//! The target for keys: two values have the same key exactly if serde says the same of them. Uses the public interface alone.

use chorde_core::{AsKey, Key, Namespace, Probe};
use serde::Serialize;

#[path = "tree.rs"]
mod tree;

use tree::{Source, Tree, read};

/// Makes the keys of two values, of which the second is made of the same bytes but for one, or of the rest of them.
pub(crate) fn keys(data: &[u8]) {
    let mut from = Source(data);
    let (how, at, change) = (from.byte(), from.byte(), from.byte());
    let names = [from.text(), from.text()];
    let mut changed = from.0.to_vec();
    if let Some(byte) = changed.get_mut(usize::from(at)) {
        *byte = byte.wrapping_add(change);
    }
    let one = from.tree(4);
    let other = match how % 4 {
        0 => one.turned(),
        1 => from.tree(4),
        _ => Source(&changed).tree(4),
    };
    pair(&one, &other, &names);
    borrowed(from);
}

/// Compares the keys of two values.
fn pair(one: &Tree, other: &Tree, names: &[String; 2]) {
    let (a, b) = (key(one), key(other));
    let is_same = one.canonical() == other.canonical();
    assert_eq!((a.bytes() == b.bytes(), a == b), (is_same, is_same), "{one:?} {other:?}");
    // The bytes alone tell what the value was, so no other value has them.
    let told = read(a.bytes()).expect("the bytes of a key");
    assert_eq!(told.canonical(), one.canonical());
    let turned = key(&one.turned());
    assert!(a == turned && a.bytes() == turned.bytes(), "{one:?}: neither order nor a known length counts");
    let [outer, inner] = names.each_ref().map(Namespace::named);
    let is_one_name = outer == inner;
    let within = |namespace| Key::in_namespace(namespace, one).expect("a value that is told");
    let (in_outer, in_inner) = (within(&outer), within(&inner));
    assert_eq!((in_outer == in_inner, in_outer == a, in_inner == a), (is_one_name, false, false), "{names:?}");
    assert_eq!(a.within(&outer) == a.within(&inner), is_one_name, "{names:?}");
    assert_eq!(a.within(&outer).within(&inner) == a.within(&inner).within(&outer), is_one_name, "{names:?}");
    assert_eq!(a.within(&outer) == b.within(&outer), is_same);
    assert!(a.revised(1) != a && a.revised(1) != a.revised(2));
}

fn key<T: Serialize + Sync>(value: &T) -> Key {
    let key = Key::new(value).expect("a value that is told");
    let probed = value.probe_with(|probe: &Probe<'_>| probe.digest()).expect("a value that is told");
    assert_eq!(key.digest(), probed, "a look asks for the key that was stored");
    key
}

/// What is borrowed has the key of what is owned.
fn borrowed(mut from: Source<'_>) {
    let (text, bytes, tree) = (from.text(), from.bytes(), from.tree(2));
    let owned = key(&(text.clone(), bytes.clone(), Some(text.clone()), tree.clone()));
    let lent = key(&(&*text, &bytes[..], Some(&*text), &&tree));
    assert!(owned == lent && owned.bytes() == lent.bytes());
}
