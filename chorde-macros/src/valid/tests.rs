use super::*;
use crate::args::Args;

fn mistakes(attr: &str, item: &str) -> Vec<String> {
    let mut diag = Diag::default();
    let args = Args::parse(attr.parse().unwrap(), &mut diag);
    check(&Model::new(args, syn::parse_str(item).unwrap()), &mut diag);
    diag.messages()
}

/// The one mistake there is.
fn mistake(attr: &str, item: &str) -> String {
    let all = mistakes(&format!("client = C, ttl = 10, {attr}"), item);
    assert_eq!(all.len(), 1, "{all:?}");
    all.into_iter().next().unwrap()
}

fn none(attr: &str, item: &str) {
    assert_eq!(mistakes(&format!("client = C, ttl = 10, {attr}"), item), Vec::<String>::new());
}

const PLAIN: &str = "fn f(x: u64, name: &str) -> u64 { x }";

#[test]
fn what_is_required_is_asked_for() {
    let all = mistakes("", PLAIN);
    assert!(all[0].starts_with("missing `client`") && all[1].starts_with("missing `ttl`"), "{all:?}");
    assert_eq!(mistakes("client = , ttl =", PLAIN).len(), 2, "a value that could not be read is not missing as well");
}

#[test]
fn the_life_must_be_positive() {
    assert_eq!(
        mistakes("client = C, ttl = 0", PLAIN),
        ["`ttl` cannot be zero; give the life of a result, as in `ttl = 300`"]
    );
    assert_eq!(
        mistakes("client = C, ttl = -5", PLAIN),
        ["`ttl` cannot be negative; give the life of a result, as in `ttl = 300`"]
    );
}

#[test]
fn a_refresh_point_must_be_within_the_life() {
    assert!(
        mistake("async_ttl = -20", PLAIN)
            .starts_with("never due: a result is gone at the age of 10 s; use a smaller age, such as 9 s")
    );
    assert!(mistake("async_ttl = -10", PLAIN).starts_with("never due"));
    assert!(mistake("async_ttl = 10", PLAIN).starts_with("always due"));
    assert!(mistake("async_ttl = \"1h\"", PLAIN).starts_with("always due"));
    assert!(mistake("async_ttl = 0", PLAIN).starts_with("`async_ttl = 0` never applies"));
    none("async_ttl = -9.9", PLAIN);
    none("async_ttl = 9.9", PLAIN);
    none("async_ttl = -config()", PLAIN);
    assert_eq!(mistakes("client = C, ttl = life(), async_ttl = 900", PLAIN), Vec::<String>::new());
}

#[test]
fn spans_of_time_must_make_sense() {
    assert_eq!(mistake("ttl_spread = 11", PLAIN), "the spread is longer than the life it shortens; use at most 10 s");
    assert!(mistake("ttl_spread = -1", PLAIN).contains("cannot be negative"));
    assert!(mistake("lease = 0", PLAIN).starts_with("`lease` cannot be zero"));
    assert!(mistake("renew = -1", PLAIN).starts_with("`renew` cannot be negative"));
    none("ttl_spread = 10, lease = 1, renew = 1", PLAIN);
    none("ttl_spread = 0", PLAIN);
}

#[test]
fn keys_are_said_once() {
    assert!(mistake("key = x, skip(name)", PLAIN).starts_with("`key` and `skip` both say what the key is"));
    assert_eq!(mistake("skip(nmae)", PLAIN), "there is no argument `nmae` to skip; did you mean `name`?");
    assert_eq!(mistake("skip(banana)", PLAIN), "there is no argument `banana` to skip; the arguments are x, name");
    assert_eq!(mistake("skip(self)", PLAIN), "there is no argument `self` to skip; the arguments are x, name");
    assert_eq!(mistake("skip(x, x)", PLAIN), "`x` is skipped twice; remove one");
    assert!(mistake("skip(a)", "fn f((a, b): (u8, u8)) -> u8 { a }").starts_with("`a` is part of a pattern"));
    assert!(
        mistake("key = a", "fn f((a, b): (u8, u8)) -> u8 { a }")
            .starts_with("`a` is taken out of its argument by a pattern")
    );
    none("skip(x, name)", PLAIN);
    none("key = b.a", "fn f((a, _c): (u8, u8), b: B) -> u8 { a }");
}

#[test]
fn methods_must_speak_of_self() {
    let message = mistake("", "fn f(&self, x: u8) -> u8 { x }");
    assert!(message.contains("`key = (self.id, x)`") && message.contains("`skip(self)`"), "{message}");
    assert_eq!(mistakes("client = C, ttl = 10, skip(x)", "fn f(&self, x: u8) -> u8 { x }").len(), 1);
    none("skip(self)", "fn f(&self, x: u8) -> u8 { x }");
    none("key = (self.id, x)", "fn f(&self, x: u8) -> u8 { x }");
    assert!(mistake("skip(self)", "fn f(&mut self, x: u8) -> u8 { x }").starts_with("`&mut self` cannot be cached"));
}

#[test]
fn functions_that_cannot_be_cached_are_named() {
    for (item, start) in [
        ("const fn f() -> u8 { 1 }", "a `const fn` cannot be cached"),
        ("unsafe fn f() -> u8 { 1 }", "an `unsafe fn` cannot be cached"),
        ("extern \"C\" fn f() -> u8 { 1 }", "an `extern` function cannot be cached"),
        ("fn f() -> ! { loop {} }", "a function that never returns"),
        ("fn f() -> impl Iterator<Item = u8> { x }", "an unnamed type cannot be kept"),
        ("fn f() -> Pin<Box<dyn Future<Output = u8> + Send>> { x }", "an unnamed type cannot be kept"),
        ("fn f(x: &str) -> &str { x }", "a cached value outlives the call"),
        ("fn f(x: &str) -> Result<Vec<&str>, E> { x }", "a cached value outlives the call"),
        ("fn f<'a>(x: &'a str) -> Cow<'a, str> { x }", "a cached value outlives the call"),
        ("fn f(x: impl Display) -> u8 { 1 }", "`impl Trait` has no name"),
        ("fn f() -> dyn Display { x }", "a trait object has no size: return"),
        ("fn f() -> Result<(u8 +), E> { x }", "a trait object has no size: return"),
        ("fn f(x: u8 +) -> u8 { 1 }", "a trait object has no size; name"),
        ("fn f(x: &mut Vec<u8>) -> u8 { 1 }", "an argument by `&mut` is no key"),
        ("fn f(#[cfg(unix)] x: u8) -> u8 { 1 }", "an argument under `#[cfg]`"),
    ] {
        let message = mistake("", item);
        assert!(message.starts_with(start), "{message}");
    }
    none("skip(x)", "fn f(x: &mut Vec<u8>) -> u8 { 1 }");
    none("", "fn f() -> &'static str { \"\" }");
    none("", "fn f() -> Cow<'static, str> { x }");
}

#[test]
fn results_must_look_like_results() {
    for returned in ["-> u64", "-> (u8, u8)", "", "-> [u8; 3]", "-> &'static str"] {
        let message = mistake("result = true", &format!("fn f() {returned} {{ x }}"));
        assert!(message.starts_with("`result = true` needs a `Result`"), "{message}");
    }
    none("result = true", "fn f() -> Outcome { x }");
    none("result = true", "fn f() -> io::Result<u8> { x }");
    none("result = false", "fn f() -> Result<u8, E> { x }");
}

#[test]
fn values_are_checked() {
    assert!(mistake("encode = e", PLAIN).contains("add `decode = F`"));
    assert!(mistake("decode = e", PLAIN).contains("add `encode = F`"));
    assert!(mistake("namespace = \"\"", PLAIN).contains("empty namespace"));
    assert!(mistake("lazy(max_tiers = 0)", PLAIN).contains("looks nowhere"));
    assert!(mistake("init = Self::init", PLAIN).contains("plain `fn()`"));
    assert!(mistake("lazy(max_tiers = 1), companions = false", PLAIN).contains("remove `lazy`"));
    none("encode = e, decode = d", PLAIN);
}

#[test]
fn the_background_needs_what_it_can_own() {
    assert!(mistake("async_ttl = 5", "fn f(x: Cow<'_, str>) -> u8 { 1 }").contains("take an owned type"));
    none("", "fn f(x: Cow<'_, str>) -> u8 { 1 }");
    assert!(
        mistake("async_ttl = 5, skip(self), companions = false", "fn f(&self) -> u8 { 1 }")
            .contains("cache an inherent method")
    );
    none("async_ttl = 5, companions = false", "fn f(x: u8) -> u8 { 1 }");
}
