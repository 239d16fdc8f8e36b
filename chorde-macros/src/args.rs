//! The table of arguments of `#[cached(...)]`, and its reader.
//!
//! Reading is tolerant: a mistake in one argument is noted and reading goes on after the next comma, so that an editor
//! in the middle of a line still gets everything else.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt as _;
use syn::parse::{Parse, ParseStream, Parser as _};
use syn::punctuated::Punctuated;
use syn::{Expr, LitBool, LitStr, Path, Token, parenthesized};

use crate::diag::{Diag, nearest};
use crate::duration::Duration;

/// How the keys of a function are told from those of others.
#[derive(Clone, Default)]
pub(crate) enum Naming {
    #[default]
    Automatic,
    Named(LitStr),
    Raw,
}

/// How far stored lives are spread.
#[derive(Clone, Default)]
pub(crate) enum Spread {
    #[default]
    Automatic,
    Off,
    By(Box<Duration>),
}

/// A yes or no, and where it was said.
#[derive(Clone)]
pub(crate) struct Switch {
    pub(crate) on: bool,
    pub(crate) span: Span,
}

/// Everything the attribute said.
#[derive(Default)]
pub(crate) struct Args {
    pub(crate) client: Option<Expr>,
    pub(crate) ttl: Option<Duration>,
    pub(crate) async_ttl: Option<Duration>,
    pub(crate) key: Option<Expr>,
    pub(crate) skip: Option<Vec<Ident>>,
    pub(crate) namespace: Naming,
    pub(crate) version: Option<LitStr>,
    pub(crate) ttl_spread: Spread,
    pub(crate) lease: Option<Duration>,
    pub(crate) renew: Option<Duration>,
    pub(crate) max_tiers: Option<Expr>,
    pub(crate) encode: Option<Expr>,
    pub(crate) decode: Option<Expr>,
    pub(crate) cache_if: Option<Expr>,
    pub(crate) result: Option<Switch>,
    pub(crate) share_error: Option<Expr>,
    pub(crate) single_flight: Option<Switch>,
    pub(crate) detach: Option<Switch>,
    pub(crate) timings: Option<Switch>,
    pub(crate) init: Option<Path>,
    pub(crate) companions: Option<Switch>,
    pub(crate) associated: Option<Switch>,
    pub(crate) krate: Option<Path>,
    /// Names that were given, those whose value could not be read included.
    pub(crate) seen: Vec<Ident>,
    /// Names that were probably meant by unknown ones: no need to say that they are missing.
    meant: Vec<&'static str>,
}

type Read = fn(&mut Args, &Value<'_>) -> syn::Result<()>;

/// One row of the table: the name, how it is written, and how it is read.
struct Argument {
    name: &'static str,
    form: &'static str,
    read: Read,
}

const TABLE: &[Argument] = &[
    row("client", "client = EXPR", |a, v| v.put(&mut a.client)),
    row("ttl", "ttl = 300", |a, v| v.put(&mut a.ttl)),
    row("async_ttl", "async_ttl = -60", |a, v| v.put(&mut a.async_ttl)),
    row("key", "key = EXPR", |a, v| v.put(&mut a.key)),
    row("skip", "skip(a, b)", read_skip),
    row("namespace", "namespace = \"x\" or namespace = none", read_namespace),
    row("version", "version = \"2\"", read_version),
    row("ttl_spread", "ttl_spread = 30 or ttl_spread = none", read_spread),
    row("lease", "lease = 10", |a, v| v.put(&mut a.lease)),
    row("renew", "renew = 10", |a, v| v.put(&mut a.renew)),
    row("lazy", "lazy(max_tiers = 1)", read_lazy),
    row("encode", "encode = F", |a, v| v.put(&mut a.encode)),
    row("decode", "decode = F", |a, v| v.put(&mut a.decode)),
    row("cache_if", "cache_if = F", |a, v| v.put(&mut a.cache_if)),
    row("result", "result = true", |a, v| v.put(&mut a.result)),
    row("share_error", "share_error = F", |a, v| v.put(&mut a.share_error)),
    row("single_flight", "single_flight = false", |a, v| v.put(&mut a.single_flight)),
    row("detach", "detach = false", |a, v| v.put(&mut a.detach)),
    row("timings", "timings = false", |a, v| v.put(&mut a.timings)),
    row("init", "init = PATH", |a, v| v.put(&mut a.init)),
    row("companions", "companions = false", |a, v| v.put(&mut a.companions)),
    row("associated", "associated = true", |a, v| v.put(&mut a.associated)),
    row("crate", "crate = PATH", read_crate),
];

/// Words of other caching attributes, and what they are called here.
const ELSEWHERE: &[(&str, &str)] = &[
    ("time", "ttl"),
    ("expire", "ttl"),
    ("cache", "client"),
    ("store", "client"),
    ("convert", "key"),
    ("ignore", "skip"),
    ("name", "namespace"),
    ("prefix", "namespace"),
    ("refresh", "async_ttl"),
    ("stale", "async_ttl"),
    ("jitter", "ttl_spread"),
    ("sync_writes", "single_flight"),
    ("clone_error", "share_error"),
    ("cancel", "detach"),
];

const fn row(name: &'static str, form: &'static str, read: Read) -> Argument {
    Argument { name, form, read }
}

impl Args {
    /// Reads the tokens between the parentheses of the attribute.
    pub(crate) fn parse(tokens: TokenStream, diag: &mut Diag) -> Self {
        let mut args = Self::default();
        let read = |input: ParseStream<'_>| {
            while !input.is_empty() {
                match args.read_one(input) {
                    Ok(()) => expect_comma(input, diag),
                    Err(error) => {
                        diag.push(error);
                        skip_value(input);
                    }
                }
                // Either a comma is next, or nothing, or an argument after a comma that was forgotten.
                input.parse::<Option<Token![,]>>()?;
            }
            Ok(())
        };
        if let Err(error) = read.parse2(tokens) {
            diag.push(error);
        }
        args
    }

    /// Tells whether `name` was given, even with a value that could not be read.
    pub(crate) fn mentions(&self, name: &str) -> bool {
        self.seen.iter().any(|n| n == name) || self.meant.contains(&name)
    }

    /// All expressions that are evaluated with the arguments in scope.
    pub(crate) fn expressions(&self) -> TokenStream {
        let durations = [&self.ttl, &self.async_ttl, &self.lease, &self.renew].into_iter().flatten();
        let mut all: TokenStream = durations.map(ToTokens::to_token_stream).collect();
        let exprs =
            [&self.client, &self.key, &self.max_tiers, &self.encode, &self.decode, &self.cache_if, &self.share_error];
        all.extend(exprs.into_iter().flatten().map(ToTokens::to_token_stream));
        if let Spread::By(spread) = &self.ttl_spread {
            spread.to_tokens(&mut all);
        }
        all
    }

    fn read_one(&mut self, input: ParseStream<'_>) -> syn::Result<()> {
        let name = Ident::parse_any(input)?;
        let Some(argument) = TABLE.iter().find(|a| name == a.name) else {
            skip_value(input);
            let meant = meant(&name.to_string());
            self.meant.extend(meant);
            return Err(syn::Error::new(name.span(), unknown(&name, meant)));
        };
        if self.seen.iter().any(|n| n == argument.name) {
            skip_value(input);
            return Err(syn::Error::new(name.span(), format!("duplicate argument `{name}`; keep one of them")));
        }
        self.seen.push(name.clone());
        (argument.read)(self, &Value { input, name: &name, form: argument.form })
    }
}

/// Finds the argument that an unknown name stands for.
fn meant(name: &str) -> Option<&'static str> {
    let elsewhere = ELSEWHERE.iter().find(|(other, _)| *other == name).map(|(_, here)| *here);
    elsewhere.or_else(|| nearest(name, TABLE.iter().map(|a| a.name)))
}

fn unknown(name: &Ident, meant: Option<&str>) -> String {
    match meant {
        Some(meant) => format!("unknown argument `{name}`; did you mean `{meant}`?"),
        None => {
            let known = TABLE.iter().map(|a| a.name).collect::<Vec<_>>().join(", ");
            format!("unknown argument `{name}`; the arguments are {known}")
        }
    }
}

/// Reports what follows a well-formed argument and is not a comma.
fn expect_comma(input: ParseStream<'_>, diag: &mut Diag) {
    if input.is_empty() || input.peek(Token![,]) {
        return;
    }
    diag.span(input.span(), "expected `,` between arguments");
    if !input.peek(syn::Ident::peek_any) {
        skip_value(input);
    }
}

/// Passes over everything up to the next comma.
fn skip_value(input: ParseStream<'_>) {
    while !input.is_empty() && !input.peek(Token![,]) {
        if input.parse::<TokenTree>().is_err() {
            return;
        }
    }
}

/// The value of one argument, not yet read.
struct Value<'a> {
    input: ParseStream<'a>,
    name: &'a Ident,
    form: &'static str,
}

impl Value<'_> {
    /// Reads `= VALUE` into its slot.
    fn put<T: Parse>(&self, slot: &mut Option<T>) -> syn::Result<()> {
        self.equals()?;
        *slot = Some(self.input.parse()?);
        Ok(())
    }

    fn equals(&self) -> syn::Result<()> {
        if !self.input.peek(Token![=]) {
            return Err(self.malformed());
        }
        self.input.parse::<Token![=]>()?;
        if self.input.is_empty() || self.input.peek(Token![,]) {
            return Err(self.malformed());
        }
        Ok(())
    }

    /// Reads what is between parentheses, and passes over the rest of it after a mistake.
    fn inside<T>(&self, read: impl FnOnce(ParseStream<'_>) -> syn::Result<T>) -> syn::Result<T> {
        if !self.input.peek(syn::token::Paren) {
            return Err(self.malformed());
        }
        let content;
        parenthesized!(content in self.input);
        let found = read(&content);
        content.parse::<TokenStream>()?;
        found
    }

    fn malformed(&self) -> syn::Error {
        syn::Error::new(self.name.span(), format!("`{}` needs a value: write `{}`", self.name, self.form))
    }

    /// Reads `none`, if it is next.
    fn none(&self) -> bool {
        let ahead = self.input.fork();
        let none =
            ahead.call(Ident::parse_any).is_ok_and(|i| i == "none") && (ahead.is_empty() || ahead.peek(Token![,]));
        none && self.input.call(Ident::parse_any).is_ok()
    }
}

fn read_skip(args: &mut Args, value: &Value<'_>) -> syn::Result<()> {
    let names =
        value.inside(|content| Punctuated::<Ident, Token![,]>::parse_terminated_with(content, Ident::parse_any))?;
    if names.is_empty() {
        return Err(syn::Error::new(value.name.span(), "`skip()` skips nothing; name arguments or remove it"));
    }
    args.skip = Some(names.into_iter().collect());
    Ok(())
}

fn read_namespace(args: &mut Args, value: &Value<'_>) -> syn::Result<()> {
    value.equals()?;
    if value.none() {
        args.namespace = Naming::Raw;
        return Ok(());
    }
    let name: LitStr = value.input.parse().map_err(|e| explain(&e, value))?;
    args.namespace = Naming::Named(name);
    Ok(())
}

fn read_version(args: &mut Args, value: &Value<'_>) -> syn::Result<()> {
    value.equals()?;
    let version = value.input.parse::<LitStr>();
    let message = "`version` is a string: write `version = \"2\"`";
    args.version = Some(version.map_err(|e| syn::Error::new(e.span(), message))?);
    Ok(())
}

fn read_spread(args: &mut Args, value: &Value<'_>) -> syn::Result<()> {
    value.equals()?;
    if value.none() {
        args.ttl_spread = Spread::Off;
        return Ok(());
    }
    let by: Duration = value.input.parse()?;
    args.ttl_spread = if by.nanos == Some(0) { Spread::Off } else { Spread::By(Box::new(by)) };
    Ok(())
}

fn read_lazy(args: &mut Args, value: &Value<'_>) -> syn::Result<()> {
    let tiers = value.inside(|content| {
        let name = content.call(Ident::parse_any).map_err(|e| explain(&e, value))?;
        if name != "max_tiers" {
            return Err(syn::Error::new(name.span(), "unknown argument of `lazy`; write `lazy(max_tiers = 1)`"));
        }
        content.parse::<Token![=]>().map_err(|e| explain(&e, value))?;
        let tiers: Expr = content.parse().map_err(|e| explain(&e, value))?;
        content.parse::<Option<Token![,]>>()?;
        if content.is_empty() {
            Ok(tiers)
        } else {
            Err(content.error("`lazy` has one argument: write `lazy(max_tiers = 1)`"))
        }
    })?;
    args.max_tiers = Some(tiers);
    Ok(())
}

fn read_crate(args: &mut Args, value: &Value<'_>) -> syn::Result<()> {
    value.equals()?;
    args.krate = Some(Path::parse_mod_style(value.input).map_err(|e| explain(&e, value))?);
    Ok(())
}

fn explain(error: &syn::Error, value: &Value<'_>) -> syn::Error {
    syn::Error::new(error.span(), format!("`{}` is written `{}`", value.name, value.form))
}

impl Parse for Switch {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let value: LitBool = input.parse().map_err(|e| syn::Error::new(e.span(), "expected `true` or `false`"))?;
        Ok(Self { on: value.value, span: value.span })
    }
}

#[cfg(test)]
mod tests;
