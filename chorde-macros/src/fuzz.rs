//! Anything may be written between the parentheses of the attribute: the targets of this module. The fuzzers of `fuzz/`
//! see this crate from another one, since a crate that is a macro cannot be linked; the tests below run the same.

use proc_macro2::TokenStream;

use crate::args::Args;
use crate::diag::Diag;
use crate::item::Item;
use crate::{duration, transform};

/// Reads a text as a duration, as the oracle does; and in words, it is the same duration again.
pub(crate) fn durations(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let read = duration::text(&text);
    assert_eq!(read.as_ref().ok(), rule(&text).as_ref(), "{text:?}");
    if let Ok((_, nanos)) = read {
        let words = duration::words(nanos).replace("min", "m");
        assert_eq!(duration::text(&words), Ok((false, nanos)), "{words:?}");
    }
}

/// The units once more, in nanoseconds.
const UNITS: [(&str, u128); 8] = [
    ("ns", 1),
    ("us", 1000),
    ("ms", 1000 * 1000),
    ("s", 1000 * 1000 * 1000),
    ("m", 60 * 1000 * 1000 * 1000),
    ("h", 3600 * 1000 * 1000 * 1000),
    ("d", 24 * 3600 * 1000 * 1000 * 1000),
    ("w", 7 * 24 * 3600 * 1000 * 1000 * 1000),
];

/// Reads a duration letter by letter: sign, nanoseconds.
fn rule(text: &str) -> Option<(bool, u128)> {
    let mut letters: Vec<char> = text.trim().chars().collect();
    let is_negative = letters.first() == Some(&'-');
    if is_negative {
        letters.remove(0);
    }
    let mut letters = letters.into_iter().skip_while(|letter| letter.is_whitespace()).peekable();
    let mut sum = None;
    while letters.peek().is_some() {
        let (mut number, mut unit) = (String::new(), String::new());
        while let Some(letter) = letters.next_if(|letter| "0123456789._".contains(*letter)) {
            number.push(letter);
        }
        while letters.next_if(|letter| letter.is_whitespace()).is_some() {}
        while let Some(letter) = letters.next_if(|letter| letter.is_alphabetic()) {
            unit.push(letter);
        }
        while letters.next_if(|letter| letter.is_whitespace()).is_some() {}
        let (_, scale) = UNITS.iter().find(|(name, _)| *name == unit)?;
        sum = Some(sum.unwrap_or(0_u128).checked_add(value(&number.replace('_', ""), *scale)?)?);
    }
    sum.map(|sum| (is_negative, sum))
}

/// Returns a decimal number of units in nanoseconds, without what is below one.
fn value(number: &str, scale: u128) -> Option<u128> {
    let mut parts = number.split('.');
    let (whole, fraction) = (parts.next()?, parts.next().unwrap_or_default());
    if parts.next().is_some() || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    let mut sum = 0_u128;
    for digit in whole.chars() {
        sum = sum.checked_mul(10)?.checked_add(u128::from(digit.to_digit(10)?))?;
    }
    sum = sum.checked_mul(scale)?;
    let mut place = scale;
    for digit in fraction.chars() {
        place /= 10;
        sum = sum.checked_add(place * u128::from(digit.to_digit(10)?))?;
    }
    Some(sum)
}

/// Reads the arguments of the attribute: whatever they are, what is read and what is wrong with it is all there is.
pub(crate) fn arguments(data: &[u8]) {
    let Ok(tokens) = str::from_utf8(data).unwrap_or_default().parse::<TokenStream>() else { return };
    let names = tokens.clone().into_iter().filter(|token| matches!(token, proc_macro2::TokenTree::Ident(_))).count();
    let mut diag = Diag::default();
    let args = Args::parse(tokens.clone(), &mut diag);
    // Each is named, once, and has a value or a mistake.
    let mut seen: Vec<String> = args.seen.iter().map(ToString::to_string).collect();
    assert!(seen.len() <= names && seen.iter().all(|name| args.mentions(name)), "{seen:?} {tokens}");
    seen.sort();
    let count = seen.len();
    seen.dedup();
    assert_eq!(seen.len(), count, "{tokens}");
    let is_empty = tokens.is_empty();
    assert!(!is_empty || (diag.is_empty() && seen.is_empty()));
    for duration in [&args.ttl, &args.async_ttl, &args.lease, &args.renew].into_iter().flatten() {
        assert!(duration.nanos.is_none_or(|nanos| nanos / 1_000_000_000 <= u128::from(u64::MAX)), "{tokens}");
        assert!(!duration.words().is_empty());
    }
    if diag.is_empty() {
        // What is right is right again, with a comma behind it and one mistake more.
        let mut again = Diag::default();
        let worse = quote::quote!(#tokens, banana);
        let same = Args::parse(worse, &mut again);
        assert_eq!((same.seen.len(), again.is_empty()), (count, false), "{tokens}");
    } else {
        assert!(diag.into_tokens().to_string().contains("compile_error"));
    }
}

/// What the attribute stands before.
const ITEMS: [&str; 8] = [
    "fn plain(a: u32, b: &str) -> String { format!(\"{a}{b}\") }",
    "pub async fn later(a: Option<&str>, #[allow(unused)] b: [u8; 4]) -> Result<u64, Error> { Ok(1) }",
    "fn generic<T: Serialize + Clone, const N: usize>(a: T, b: &[T; N]) -> Vec<T> where T: Send { vec![] }",
    "pub(crate) fn method(&self, id: u64) -> Option<u64> { self.find(id) }",
    "async fn owned(mut self: Arc<Self>, (a, b): (u8, u8), _: bool) -> u8 { a }",
    "fn borrowed<'a>(a: &'a str, b: &mut Vec<u8>) -> &'a str { a }",
    "fn unfinished(a: u32 -> u64 {",
    "struct NoFunction;",
];

/// Expands the attribute: whatever its arguments, code comes out of it that has the function in it.
///
/// The input is what it stands before and its arguments; after a zero, an item of one's own.
pub(crate) fn attribute(data: &[u8]) {
    let Some((which, source)) = data.split_first() else { return };
    let (source, item) = match source.iter().position(|byte| *byte == 0) {
        Some(end) => (&source[..end], String::from_utf8_lossy(&source[end + 1..])),
        None => (source, ITEMS[usize::from(*which) % ITEMS.len()].into()),
    };
    let (Ok(arguments), Ok(item)) = (str::from_utf8(source).unwrap_or_default().parse(), item.parse()) else {
        return;
    };
    let (arguments, item): (TokenStream, TokenStream) = (arguments, item);
    let expanded = transform::transform(arguments, &item, 1);
    let text = expanded.to_string();
    let is_function = syn::parse2::<Item>(item.clone()).is_ok();
    assert!(is_function || text.contains("compile_error"), "what is no function is a mistake: {text}");
    // What is no code before is none afterwards.
    let Ok(function) = syn::parse2::<syn::ImplItemFn>(item) else { return };
    let is_free = function.sig.receiver().is_none();
    let parsed = if is_free {
        syn::parse2::<syn::File>(expanded).map(drop)
    } else {
        let wrapped = quote::quote!(impl Type { #expanded });
        syn::parse2::<syn::File>(wrapped).map(drop)
    };
    assert!(parsed.is_ok(), "what comes out is no code: {} {text}", parsed.expect_err("just seen"));
    assert!(text.contains(&function.sig.ident.to_string()), "the function is there: {text}");
}

#[cfg(test)]
#[path = "../../fuzz/stable.rs"]
mod stable;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_by_the_oracle() {
        stable::check("durations", durations);
    }

    #[test]
    fn arguments_are_read_or_refused() {
        stable::check("arguments", arguments);
    }

    #[test]
    fn the_attribute_expands_to_code_whatever_its_arguments() {
        stable::check("attribute", attribute);
    }
}
