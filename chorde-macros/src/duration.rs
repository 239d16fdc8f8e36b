//! Reads durations: literals in seconds, strings such as `"1h30m"`, or any expression of type `Duration`.
//!
//! Literals are known here, so that what can't work is rejected while compiling and the policy is a constant.

use std::fmt::Write as _;

use proc_macro2::{Literal, TokenStream};
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream};
use syn::{Expr, ExprLit, ExprUnary, Lit, UnOp};

const SECOND: u128 = 1_000_000_000;

/// The units of the string form and their nanoseconds.
const UNITS: [(&str, u128); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", SECOND),
    ("m", 60 * SECOND),
    ("h", 3_600 * SECOND),
    ("d", 86_400 * SECOND),
    ("w", 604_800 * SECOND),
];

/// A duration as written in the attribute.
#[derive(Clone)]
pub(crate) struct Duration {
    /// What was written: errors point there.
    pub(crate) source: Expr,
    /// A leading minus, which only `async_ttl` can use.
    pub(crate) negative: bool,
    /// The magnitude, when it is a literal.
    pub(crate) nanos: Option<u128>,
    /// The magnitude as an expression of type `Duration`.
    value: TokenStream,
}

impl Parse for Duration {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let source: Expr = input.parse()?;
        let (minus, inner) = match peel(&source) {
            Expr::Unary(ExprUnary { op: UnOp::Neg(_), expr, .. }) => (true, peel(expr)),
            other => (false, other),
        };
        let (negative, nanos) = match inner {
            Expr::Lit(ExprLit { lit, .. }) => {
                let (sign, nanos) = literal(lit)?;
                (minus ^ sign, Some(nanos))
            }
            _ => (minus, None),
        };
        let value = match nanos {
            Some(nanos) => fixed(nanos)
                .ok_or_else(|| syn::Error::new_spanned(&source, "this duration is too long: at most 2^64 seconds"))?,
            None => inner.to_token_stream(),
        };
        Ok(Self { source, negative, nanos, value })
    }
}

impl ToTokens for Duration {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.value.to_tokens(tokens);
    }
}

impl Duration {
    /// Says it in words, for documentation: `5 min`, `1 h 30 min`, or the expression.
    pub(crate) fn words(&self) -> String {
        match self.nanos {
            Some(nanos) => words(nanos),
            None => format!("`{}`", self.value.to_string().replace('`', "'")),
        }
    }
}

/// Looks through parentheses and the invisible groups of `macro_rules!` captures.
fn peel(expr: &Expr) -> &Expr {
    match expr {
        Expr::Paren(e) => peel(&e.expr),
        Expr::Group(e) => peel(&e.expr),
        other => other,
    }
}

/// Emits `Duration::new(secs, nanos)`, a constant.
fn fixed(nanos: u128) -> Option<TokenStream> {
    let secs = Literal::u64_unsuffixed(u64::try_from(nanos / SECOND).ok()?);
    let rest = Literal::u32_unsuffixed(u32::try_from(nanos % SECOND).ok()?);
    Some(quote!(::core::time::Duration::new(#secs, #rest)))
}

/// Reads a literal as sign and nanoseconds.
fn literal(lit: &Lit) -> syn::Result<(bool, u128)> {
    let reject = |message: String| syn::Error::new(lit.span(), message);
    match lit {
        Lit::Int(n) => decimal(n.base10_digits(), SECOND).map(|n| (false, n)).map_err(reject),
        Lit::Float(f) => decimal(f.base10_digits(), SECOND).map(|n| (false, n)).map_err(reject),
        Lit::Str(s) => text(&s.value()).map_err(reject),
        _ => Err(reject("a duration is a number of seconds (`300`, `0.5`), a string (`\"1h30m\"`) or an expression of type `Duration`".into())),
    }
}

/// Reads the string form: numbers with units, one after the other.
pub(crate) fn text(source: &str) -> Result<(bool, u128), String> {
    let trimmed = source.trim();
    let (negative, mut rest) = match trimmed.strip_prefix('-') {
        Some(rest) => (true, rest.trim_start()),
        None => (false, trimmed),
    };
    if rest.is_empty() {
        return Err("an empty duration; write a number and a unit, like \"90s\" or \"1h30m\"".into());
    }
    let mut total: u128 = 0;
    while !rest.is_empty() {
        let (number, after) = split(rest, |c| c.is_ascii_digit() || c == '.' || c == '_');
        let (unit, after) = split(after.trim_start(), char::is_alphabetic);
        if number.is_empty() {
            return Err(format!("expected a number at \"{rest}\"; a duration is written like \"90s\" or \"1h30m\""));
        }
        let scale = scale(number, unit)?;
        let part = decimal(&number.replace('_', ""), scale)?;
        total = total.checked_add(part).ok_or("this duration is too long")?;
        rest = after.trim_start();
    }
    Ok((negative, total))
}

fn split(source: &str, keep: impl Fn(char) -> bool) -> (&str, &str) {
    source.split_at(source.find(|c| !keep(c)).unwrap_or(source.len()))
}

fn scale(number: &str, unit: &str) -> Result<u128, String> {
    if let Some((_, scale)) = UNITS.iter().find(|(name, _)| *name == unit) {
        return Ok(*scale);
    }
    let units = UNITS.map(|(name, _)| name).join(", ");
    Err(if unit.is_empty() {
        format!("`{number}` has no unit; the units are {units}")
    } else {
        format!("unknown unit `{unit}`; the units are {units}")
    })
}

/// Multiplies a decimal number by `scale`, exactly; digits below a nanosecond are dropped.
fn decimal(number: &str, scale: u128) -> Result<u128, String> {
    let long = || "this duration is too long".to_owned();
    let wrong = || format!("`{number}` is not a number");
    if number.contains(['e', 'E']) {
        return exponent(number, scale).ok_or_else(wrong);
    }
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() {
        return Err(wrong());
    }
    let whole: u128 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| wrong())? };
    let mut total = whole.checked_mul(scale).ok_or_else(long)?;
    let mut place = scale;
    for digit in fraction.chars() {
        place /= 10;
        total = total.checked_add(place * u128::from(digit.to_digit(10).ok_or_else(wrong)?)).ok_or_else(long)?;
    }
    Ok(total)
}

fn exponent(number: &str, scale: u128) -> Option<u128> {
    let value: f64 = number.parse().ok()?;
    let whole = std::time::Duration::try_from_secs_f64(value).ok()?;
    Some(whole.as_nanos() * scale / SECOND)
}

/// Says nanoseconds in words, largest unit first.
pub(crate) fn words(nanos: u128) -> String {
    let names = [("w", 7), ("d", 6), ("h", 5), ("min", 4), ("s", 3), ("ms", 2), ("us", 1), ("ns", 0)];
    let (mut rest, mut out) = (nanos, String::new());
    for (name, index) in names {
        let scale = UNITS[index].1;
        if rest >= scale {
            let space = if out.is_empty() { "" } else { " " };
            // Writing to a String cannot fail.
            let _ = write!(out, "{space}{} {name}", rest / scale);
            rest %= scale;
        }
    }
    if out.is_empty() { "0 s".into() } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nanos(source: &str) -> u128 {
        let d: Duration = syn::parse_str(source).unwrap();
        assert!(!d.negative);
        d.nanos.unwrap()
    }

    fn refusal(source: &str) -> String {
        syn::parse_str::<Duration>(source).err().unwrap().to_string()
    }

    #[test]
    fn numbers_are_seconds() {
        assert_eq!(nanos("300"), 300 * SECOND);
        assert_eq!(nanos("0.5"), SECOND / 2);
        assert_eq!(nanos("1_000"), 1000 * SECOND);
        assert_eq!(nanos("1.1"), 1_100_000_000);
        assert_eq!(nanos("1e3"), 1000 * SECOND);
        assert_eq!(nanos("0"), 0);
        assert_eq!(nanos("(5)"), 5 * SECOND);
        assert_eq!(nanos("5u64"), 5 * SECOND);
    }

    #[test]
    fn strings_have_units() {
        assert_eq!(nanos("\"1h30m\""), 5400 * SECOND);
        assert_eq!(nanos("\"90s\""), 90 * SECOND);
        assert_eq!(nanos("\"500ms\""), SECOND / 2);
        assert_eq!(nanos("\" 1.5 h 2 m\""), 5520 * SECOND);
        assert_eq!(nanos("\"1w1d1us1ns\""), 691_200 * SECOND + 1001);
        assert_eq!(nanos("\"1_000s\""), 1000 * SECOND);
    }

    #[test]
    fn a_minus_is_kept_apart() {
        for source in ["-60", "-60.0", "\"-1m\"", "-\"60s\"", "-(60)"] {
            let d: Duration = syn::parse_str(source).unwrap();
            assert!(d.negative, "{source}");
            assert_eq!(d.nanos, Some(60 * SECOND), "{source}");
        }
    }

    #[test]
    fn expressions_are_taken_as_they_are() {
        let d: Duration = syn::parse_str("-config().refresh").unwrap();
        assert!(d.negative && d.nanos.is_none());
        assert_eq!(d.to_token_stream().to_string(), "config () . refresh");
    }

    #[test]
    fn refusals_say_what_is_possible() {
        assert_eq!(refusal("\"5 fortnights\""), "unknown unit `fortnights`; the units are ns, us, ms, s, m, h, d, w");
        assert_eq!(refusal("\"5\""), "`5` has no unit; the units are ns, us, ms, s, m, h, d, w");
        assert_eq!(refusal("\"\""), "an empty duration; write a number and a unit, like \"90s\" or \"1h30m\"");
        assert_eq!(refusal("\"s5\""), "expected a number at \"s5\"; a duration is written like \"90s\" or \"1h30m\"");
        assert!(refusal("true").starts_with("a duration is a number of seconds"));
        for source in ["\"1.2.3s\"", "\".s\"", "\"_s\"", "\"1s._m\""] {
            assert!(refusal(source).contains("is not a number"), "{source}");
        }
        assert!(refusal("99999999999999999999999").contains("too long"));
        assert!(refusal("\"99999999999999999999999999999999999999w\"").contains("too long"));
    }

    #[test]
    fn words_read_like_a_sentence() {
        assert_eq!(words(300 * SECOND), "5 min");
        assert_eq!(words(5400 * SECOND), "1 h 30 min");
        assert_eq!(words(SECOND / 2), "500 ms");
        assert_eq!(words(0), "0 s");
    }
}
