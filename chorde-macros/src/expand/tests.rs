//! One expansion per template, kept as a golden file: a change of the emitted code shows up in review as a diff.
//!
//! `CHORDE_UPDATE_SNAPSHOTS=1 cargo test -p chorde-macros` writes them anew.

use std::path::Path;

fn expansion(attr: &str, item: &str) -> String {
    let tokens = crate::transform::transform(attr.parse().unwrap(), &item.parse().unwrap(), 1);
    // Methods do not stand alone.
    let tokens = if item.contains("self") { quote::quote!(impl Repo { #tokens }) } else { tokens };
    prettyplease::unparse(&syn::parse2(tokens).unwrap())
}

fn matches(name: &str, attr: &str, item: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/expand/tests/snapshots/{name}.rs"));
    let now = expansion(attr, item);
    if std::env::var_os("CHORDE_UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(&path, &now).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    if let Some((line, (was, is))) = kept.lines().zip(now.lines()).enumerate().find(|(_, (a, b))| a != b) {
        panic!(
            "{name}.rs, line {}:\n kept {was}\n  now {is}\nset CHORDE_UPDATE_SNAPSHOTS=1 to keep the new expansion",
            line + 1
        );
    }
    assert_eq!(
        kept.len(),
        now.len(),
        "{name}.rs has another length; set CHORDE_UPDATE_SNAPSHOTS=1 to keep the new expansion"
    );
}

#[test]
fn a_sync_function() {
    matches(
        "sync",
        "client = CACHE, ttl = 300, async_ttl = -60",
        "/// Slow.\n #[must_use] #[inline(never)] pub fn expensive(x: u64, name: &str) -> f64 { compute(x, name) }",
    );
}

#[test]
fn an_async_function() {
    matches(
        "async",
        "client = CACHE, ttl = 300",
        "pub(crate) async fn page(url: String) -> Vec<u8> { fetch(url).await }",
    );
}

#[test]
fn a_method() {
    matches(
        "method",
        "client = self.cache, ttl = \"5m\", async_ttl = \"1m\", key = (self.tenant, id)",
        "pub fn user(&self, id: u64) -> User { self.load(id) }",
    );
}

#[test]
fn a_generic_function() {
    matches(
        "generic",
        "client = CACHE, ttl = 300",
        "fn sum<T: Number, const N: usize>(items: [T; N], (a, b): (u8, u8)) -> Option<T> where T: Serialize { add(items, a, b) }",
    );
}

#[test]
fn a_result() {
    matches(
        "result",
        "client = CACHE, ttl = settings().life, encode = pack, decode = unpack, cache_if = |v| v.is_final()",
        "fn price(id: u64) -> Result<Price, Error> { ask(id) }",
    );
}

#[test]
fn a_method_without_companions() {
    matches(
        "inside",
        "client = CACHE, ttl = 300, skip(self), companions = false",
        "async fn load(&self, mut id: u64) -> Result<User, Error> { id += 1; self.get(id).await }",
    );
}

#[test]
fn a_function_without_companions_that_refreshes() {
    matches(
        "inside_ahead",
        "client = CACHE, ttl = 300, async_ttl = 5, companions = false",
        "fn load(id: u64) -> User { get(id) }",
    );
}

#[test]
fn after_a_mistake_the_function_and_its_companions_are_still_there() {
    matches("mistake", "client = CACHE, ttl = 0", "pub fn expensive(x: u64) -> f64 { compute(x) }");
}
