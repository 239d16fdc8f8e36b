//! The namespaces of one function: one for each set of generic arguments it is used with.

use super::live::{Description, Naming};
use crate::digest::{Digester, Sums};
use crate::key::{Key, Probe};
use crate::namespace::{Namespace, Path};
use crate::sync::OnceLock;

use serde::Serialize;

/// A function with its generic arguments, as far as keys are concerned.
pub(crate) struct Instance {
    tag: Box<[&'static str]>,
    /// The function's namespace, and inside of it that of the generic arguments.
    path: Box<[Namespace]>,
    /// Has taken in the path.
    sums: Sums,
    next: OnceLock<Box<Instance>>,
}

/// A list that only grows, read without a lock.
#[derive(Default)]
pub(crate) struct Instances(OnceLock<Box<Instance>>);

impl Instances {
    /// Finds the instance, or adds it.
    #[inline]
    pub(crate) fn get(&'static self, tag: &[&'static str], description: &Description) -> &'static Instance {
        match self.0.get() {
            Some(first) if first.has(tag) => first,
            _ => self.find(tag, description),
        }
    }

    #[cold]
    fn find(&'static self, tag: &[&'static str], description: &Description) -> &'static Instance {
        let mut place = &self.0;
        loop {
            let instance = place.get_or_init(|| Box::new(Instance::new(tag, description)));
            if instance.has(tag) {
                return instance;
            }
            place = &instance.next;
        }
    }
}

impl Instance {
    fn new(tag: &[&'static str], description: &Description) -> Self {
        let mut path = Vec::new();
        if let Some(name) = function_name(description) {
            path.push(Namespace::named(name));
            if !tag.is_empty() {
                path.push(Namespace::named(format!("<{}>", tag.join(", "))));
            }
        }
        let sums = Digester::sums_of(path.iter().map(Namespace::digest));
        Self { tag: tag.into(), path: path.into(), sums, next: OnceLock::new() }
    }

    #[inline]
    fn has(&self, tag: &[&'static str]) -> bool {
        // The same instance has the same texts in the same place, as a rule.
        self.tag.len() == tag.len()
            && self.tag.iter().zip(tag).all(|(one, other)| std::ptr::eq(*one, *other) || one == other)
    }

    /// Returns the namespaces of the instance's keys, the outermost first.
    pub(crate) fn path(&self) -> Path<'_> {
        Path::new(&self.path)
    }

    /// Returns the namespace of the function with all its instances; `None` if it has none.
    pub(crate) fn of_function(&self) -> Option<Path<'_>> {
        self.path.first().map(|namespace| Path::new(std::slice::from_ref(namespace)))
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn probe<K: Serialize + ?Sized>(&self, key: &K) -> crate::Result<Probe<'_>> {
        Probe::new(self.sums, self.path(), key)
    }

    pub(crate) fn key<K: Serialize + ?Sized>(&self, key: &K) -> crate::Result<Key> {
        Key::in_path(&self.path, key)
    }

    /// Returns the namespaces as one text.
    pub(crate) fn name(&self) -> String {
        self.path.iter().map(Namespace::name).collect()
    }
}

/// Returns the name of the function's namespace.
pub(crate) fn function_name(description: &Description) -> Option<String> {
    let Description { name, module, signature, .. } = description;
    match description.naming {
        Naming::Automatic => Some(format!("{module}::{name}#{:016x}", fnv1a(signature))),
        Naming::Named(name) => Some(name.to_owned()),
        Naming::None => None,
    }
}

/// Hashes a text by FNV-1a with 64 bits (Fowler, Noll and Vo): short, and the same in every process and release.
fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn description(signature: &'static str, naming: Naming) -> Description {
        Description::new("f", "app::prices", signature, 0).naming(naming)
    }

    #[test]
    fn the_automatic_namespace_is_pinned() {
        let name = function_name(&description("fn(u64)->f64;ttl=300000000000", Naming::Automatic));
        assert_eq!(name.as_deref(), Some("app::prices::f#f0381792549987ed"));
    }

    #[test]
    fn the_hash_is_that_of_its_authors() {
        assert_eq!(fnv1a(""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a("a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv1a("foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn generic_arguments_have_namespaces_of_their_own() {
        let named = description("", Naming::Named("mine"));
        let instance = Instance::new(&["u64", "alloc::string::String"], &named);
        assert_eq!(instance.name(), "mine<u64, alloc::string::String>");
        let bare = Instance::new(&["u64"], &description("", Naming::None));
        assert_eq!((bare.name().as_str(), bare.of_function().is_none()), ("", true));
    }
}
