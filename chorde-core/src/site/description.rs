//! A cached function as data, and the names that follow from it.

use std::time::Duration;

use crate::namespace::Namespace;

/// Describes a cached function, as data; made by `#[cached]`.
#[derive(Clone, Copy, Debug)]
pub struct Description {
    /// The function's name.
    pub(crate) name: &'static str,
    /// The module that it is in.
    module: &'static str,
    /// Returns the path of a type that is declared beside the function, or is [`MARKER`] inside of it.
    marker: fn() -> &'static str,
    /// What the automatic namespace is hashed from: arguments, result, times, version.
    signature: &'static str,
    /// A hash of the body.
    body: u64,
    /// Whether it is certain to be in an `impl`.
    is_method: bool,
    /// How its keys are kept apart from others.
    pub(crate) naming: Naming,
    /// The ttl in nanoseconds; zero where it is not a literal.
    ttl: u64,
    /// Called once, before the first access.
    pub(super) init: Option<fn()>,
}

/// Is the name of the type by which a function shows where it is, if it has no type of its own beside it.
const MARKER: &str = "__ChordeHere";
/// Is how the compiler shows a closure or an `async` body in a path.
const CLOSURE: &str = "::{{closure}}";

impl Description {
    /// Describes a function with an automatic namespace, by its name, its module, the name of a type that shows where in the
    /// module it is, what its namespace is hashed from, and its ttl in nanoseconds, zero if that is not known beforehand.
    #[must_use]
    pub const fn new(
        name: &'static str,
        module: &'static str,
        marker: fn() -> &'static str,
        signature: &'static str,
        ttl: u64,
    ) -> Self {
        let (body, is_method, naming, init) = (0, false, Naming::Automatic, None);
        Self { name, module, marker, signature, body, is_method, naming, ttl, init }
    }

    /// Adds a hash of the body, which tells functions inside of other bodies apart.
    #[must_use]
    pub const fn body(mut self, hash: u64) -> Self {
        self.body = hash;
        self
    }

    /// Says that the function is in an `impl`.
    #[must_use]
    pub const fn method(mut self) -> Self {
        self.is_method = true;
        self
    }

    /// Gives it another namespace.
    #[must_use]
    pub const fn naming(mut self, naming: Naming) -> Self {
        self.naming = naming;
        self
    }

    /// Has a function called once, before the first access.
    #[must_use]
    pub const fn init(mut self, init: fn()) -> Self {
        self.init = Some(init);
        self
    }

    /// Returns the ttl, where it is a literal.
    pub(crate) fn ttl(&self) -> Option<Duration> {
        (self.ttl > 0).then(|| Duration::from_nanos(self.ttl))
    }

    /// Returns the function's path: its module, the types and functions around it, its name.
    pub(crate) fn path(&self) -> String {
        format!("{}::{}", self.enclosing(), self.name)
    }

    /// Makes the namespace of the function; an automatic one is unequal to any other.
    pub(super) fn namespace(&self) -> Option<Namespace> {
        match self.naming {
            Naming::Automatic => Some(Namespace::unique(format!("{}#{:016x}", self.path(), self.hash()))),
            Naming::Named(name) => Some(Namespace::named(name)),
            Naming::None => None,
        }
    }

    /// Returns what the name of a closure in the body begins with, if neither the function nor what is around it is generic.
    pub(super) fn scope(&self) -> &'static str {
        strip_marker((self.marker)())
    }

    /// Returns the path of what the function is in: its module, or what is in there around it.
    fn enclosing(&self) -> &'static str {
        let marker = (self.marker)();
        let scope = strip_marker(marker);
        // Without that name, it is a type beside the function.
        let function = if scope.len() < marker.len() { scope.strip_suffix(CLOSURE).unwrap_or(scope) } else { marker };
        function.rsplit_once("::").map_or(self.module, |(enclosing, _)| enclosing)
    }

    fn hash(&self) -> u64 {
        let hash = fnv1a(FNV_BASIS, self.signature.as_bytes());
        if self.is_inside_of_a_body() { fnv1a(hash, &self.body.to_le_bytes()) } else { hash }
    }

    /// Tells whether other functions of the same path are possible: in other blocks of one body, or in what a `macro_rules!`
    /// makes.
    ///
    /// Not for methods of what is declared in a module: their paths are unique, and they do not lose their entries when
    /// their bodies change. Paths do not always tell a type from a function; a function counts as inside of a body if in doubt,
    /// a method does not.
    fn is_inside_of_a_body(&self) -> bool {
        let (enclosing, module) = (self.enclosing(), self.module.replace("r#", ""));
        if enclosing == module || enclosing.starts_with('<') {
            return false;
        }
        // A module inside of a body has no path that leads through it.
        let Some(inside) = enclosing.strip_prefix(&module).and_then(|rest| rest.strip_prefix("::")) else {
            return true;
        };
        let is_in_impl = self.is_method || inside.starts_with("<impl ");
        segments(inside) > usize::from(is_in_impl)
    }
}

/// Says how the keys of a function are kept apart from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Naming {
    /// By a namespace made of the description.
    Automatic,
    /// By this namespace.
    Named(&'static str),
    /// Not at all.
    None,
}

fn strip_marker(path: &str) -> &str {
    path.strip_suffix(MARKER).and_then(|rest| rest.strip_suffix("::")).unwrap_or(path)
}

/// Removes what the compiler adds to a path for a closure in it.
pub(super) fn strip_closure(path: &str) -> &str {
    path.strip_suffix(CLOSURE).unwrap_or(path)
}

/// Counts the segments of a path, apart from those in generic arguments.
fn segments(path: &str) -> usize {
    let (mut depth, mut count, mut last) = (0_usize, 1, ' ');
    for letter in path.chars() {
        match (last, letter) {
            (_, '<') => depth += 1,
            // Not that of `->`.
            (before, '>') if before != '-' => depth = depth.saturating_sub(1),
            (':', ':') if depth == 0 => count += 1,
            _ => {}
        }
        last = letter;
    }
    count
}

const FNV_BASIS: u64 = 0xcbf2_9ce4_8422_2325;

/// Goes on hashing by FNV-1a with 64 bits (Fowler, Noll and Vo): short, and the same in every process and release.
fn fnv1a(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn described(name: &'static str, marker: fn() -> &'static str) -> Description {
        Description::new(name, "app::prices", marker, "(x:u64)->f64;ttl=300000000000;version=", 0)
    }

    fn name(description: &Description) -> String {
        description.namespace().unwrap().name().to_owned()
    }

    #[test]
    fn the_automatic_namespace_is_pinned() {
        let in_module = described("f", || "app::prices::f").body(1);
        assert_eq!(name(&in_module), "app::prices::f#e0d327a2b205e9bb");
        let in_body = described("f", || "app::prices::test::{{closure}}::f").body(1);
        assert_eq!(name(&in_body), "app::prices::test::{{closure}}::f#470e5f9f20f8e4fa");
    }

    #[test]
    fn the_hash_is_that_of_its_authors() {
        assert_eq!(fnv1a(FNV_BASIS, b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(FNV_BASIS, b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fnv1a(FNV_BASIS, b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn the_path_shows_what_is_around_a_function() {
        let path = |marker| described("get", marker).path();
        assert_eq!(path(|| "app::prices::__chorde_get"), "app::prices::get");
        assert_eq!(path(|| "app::prices::__chorde_get_site::__ChordeHere"), "app::prices::get");
        assert_eq!(path(|| "app::prices::get::{{closure}}::__ChordeHere"), "app::prices::get");
        assert_eq!(path(|| "app::prices::G<_>::__chorde_get_site::__ChordeHere"), "app::prices::G<_>::get");
        assert_eq!(path(|| "<app::A as app::prices::T>::get::__ChordeHere"), "<app::A as app::prices::T>::get");
        assert_eq!(path(|| "app::prices::load::{{closure}}::__chorde_get"), "app::prices::load::{{closure}}::get");
    }

    #[test]
    fn the_body_counts_only_inside_of_another() {
        let counts = |method: bool, marker| {
            let of = |body| {
                let description = described("get", marker).body(body);
                if method { description.method().hash() } else { description.hash() }
            };
            of(1) != of(2)
        };
        assert!(!counts(false, || "app::prices::__chorde_get"));
        assert!(counts(false, || "app::prices::load::__chorde_get"));
        assert!(counts(false, || "app::prices::_::__chorde_get"));
        assert!(counts(false, || "app::load::prices::__chorde_get"));
        assert!(!counts(true, || "app::prices::A<fn() -> (a::B, a::C)>::get::__ChordeHere"));
        assert!(!counts(true, || "app::prices::<impl app::other::A>::get::__ChordeHere"));
        assert!(!counts(false, || "app::prices::<impl app::T for app::A<_>>::get::__ChordeHere"));
        assert!(!counts(true, || "<app::prices::A as app::T>::get::__ChordeHere"));
        assert!(counts(true, || "app::prices::load::A::get::__ChordeHere"));
        assert!(counts(true, || "app::prices::load::<impl app::prices::A>::get::__ChordeHere"));
    }

    #[test]
    fn raw_names_of_modules_are_modules_too() {
        let marker = || "app::type::__chorde_get";
        let of = |body| Description::new("get", "app::r#type", marker, "", 0).body(body).hash();
        assert_eq!(of(1), of(2));
    }
}
