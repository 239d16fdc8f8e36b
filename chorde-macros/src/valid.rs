//! Rejects what can't work, each mistake at its token and with the mend in the message.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::{Expr, FnArg, Generics, Lit, ReturnType, Safety, Type};

use crate::args::{Naming, Spread, Switch};
use crate::diag::{Diag, nearest};
use crate::duration::{Duration, words};
use crate::format::captures;
use crate::model::{Home, Model, Param, mentions};
use crate::outcome::Form;
use crate::types::{Holding, ResultShape, bare_object, bounds, first_borrow, no_value, opaque, peel, result_shape};

/// Checks everything; goes on after each mistake.
pub(crate) fn check(model: &Model, diag: &mut Diag) {
    required(model, diag);
    qualifiers(model, diag);
    arguments(model, diag);
    returns(model, diag);
    flights(model, diag);
    life(model, diag);
    spans_of_time(model, diag);
    key(model, diag);
    parameters(model, diag);
    expressions(model, diag);
    background(model, diag);
    companions(model, diag);
    values(model, diag);
}

fn required(model: &Model, diag: &mut Diag) {
    if !model.args.mentions("client") {
        diag.span(
            proc_macro2::Span::call_site(),
            "missing `client`: say where results are kept, as in `client = CACHE`",
        );
    }
    if !model.args.mentions("ttl") {
        diag.span(
            proc_macro2::Span::call_site(),
            "missing `ttl`: say how long a result may be used, as in `ttl = 300`",
        );
    }
}

fn qualifiers(model: &Model, diag: &mut Diag) {
    let sig = &model.sig;
    if let Some(token) = &sig.constness {
        diag.signature(token, "a `const fn` cannot be cached: it may run while compiling; remove `const`");
    }
    if let Safety::Unsafe(token) = &sig.safety {
        diag.signature(
            token,
            "an `unsafe fn` cannot be cached: its companions would have to be unsafe too; cache a safe function that calls it",
        );
    }
    if let Some(abi) = &sig.abi {
        diag.signature(abi, "an `extern` function cannot be cached; cache a Rust function that calls it");
    }
    if let Some(variadic) = &sig.variadic {
        diag.signature(variadic, "a variadic function cannot be cached; name the arguments");
    }
}

fn arguments(model: &Model, diag: &mut Diag) {
    for param in &model.params {
        if let Some(found) = opaque(&param.ty) {
            let mend = "`impl Trait` has no name for the companions and the namespace; name the type parameter: `fn f<T: Trait>(x: T)`";
            diag.signature(found, mend);
        }
        if let Some(found) = bare_object(&param.ty) {
            diag.signature(found, "a trait object has no size; name a type parameter: `fn f<T: Trait>(x: T)`");
        }
        if let Some(receiver) = &param.receiver {
            if is_mutable(&param.ty) {
                diag.signature(
                    receiver,
                    "`&mut self` cannot be cached: a hit would leave out the change; take `&self`",
                );
            }
        } else if is_mutable(&param.ty) && !param.skipped && model.args.key.is_none() {
            let name = &param.ident;
            let message =
                format!("an argument by `&mut` is no key: leave it out with `skip({name})`, or take it by `&`");
            diag.at(&param.ty, message);
        }
    }
    for input in &model.sig.inputs {
        if let FnArg::Typed(typed) = input
            && let Some(attr) = typed.attrs.iter().find(|a| a.path().is_ident("cfg"))
        {
            diag.signature(
                attr,
                "an argument under `#[cfg]` cannot be followed into the companions; put `#[cfg]` on two functions",
            );
        }
    }
}

fn is_mutable(ty: &Type) -> bool {
    match peel(ty) {
        Type::Reference(r) => r.mutability.is_some(),
        Type::Path(p) => p
            .path
            .segments
            .last()
            .is_some_and(|s| s.ident == "Pin" && s.arguments.to_token_stream().to_string().contains("mut ")),
        _ => false,
    }
}

fn returns(model: &Model, diag: &mut Diag) {
    let ReturnType::Type(_, ty) = &model.sig.output else {
        return wants_result(model, None, diag);
    };
    wants_result(model, Some(ty), diag);
    if matches!(model.outcome.form, Form::Anything) {
        let ty = ty.to_token_stream();
        diag.at(
            &ty,
            format!("`{ty}` may stand for a `Result`, whose errors are not stored: write `result = false` to store whatever is returned, or return a `Result<T, E>`"),
        );
    }
    if let Type::Never(never) = peel(ty) {
        diag.signature(never, "a function that never returns has nothing to cache; remove `#[cached]`");
    } else if let Some(found) = opaque(ty) {
        diag.signature(
            found,
            "an unnamed type cannot be kept in a cache: return the value itself (a `Vec`, an `Arc<dyn Trait + Send + Sync>`), or write `async fn`",
        );
    } else if let Some(found) = parts(ty).into_iter().find_map(bare_object) {
        diag.signature(found, "a trait object has no size: return an `Arc<dyn Trait + Send + Sync>`");
    } else if let Some((found, instead)) = stored(model, ty).and_then(no_value) {
        diag.at(found, format!("a cached value is copied and goes from thread to thread; return {instead}"));
    } else if let Some((error, true)) = error(ty).map(|error| (error, model.is_async() && is_unsendable(error))) {
        diag.at(
            error,
            "the result of an asynchronous function goes from thread to thread: write `Box<dyn Error + Send + Sync>`",
        );
    } else if let Some(found) = first_borrow(ty) {
        diag.signature(found, "a cached value outlives the call and cannot borrow from it: return an owned value (`String`, `Vec`, `Arc`)");
    }
}

/// The type of what is stored, if that is what the text says.
fn stored<'m>(model: &Model, ty: &'m Type) -> Option<&'m Type> {
    let is_whole = model.args.result.as_ref().is_some_and(|said| !said.on);
    match result_shape(ty) {
        _ if model.args.encode.is_some() => None,
        ResultShape::Full(ok, _) if !is_whole => Some(ok),
        _ => Some(ty),
    }
}

fn error(ty: &Type) -> Option<&Type> {
    if let ResultShape::Full(_, error) = result_shape(ty) { Some(error) } else { None }
}

/// Tells whether an error is `Box<dyn Error>`, without `Send`.
fn is_unsendable(error: &Type) -> bool {
    let text = error.to_token_stream().to_string();
    text.starts_with("Box") && text.contains("dyn") && text.contains("Error") && !text.contains("Send")
}

/// Lists a return type, and what is in it if it is a `Result`.
fn parts(ty: &Type) -> Vec<&Type> {
    match result_shape(ty) {
        ResultShape::Full(ok, err) => vec![ty, ok, err],
        _ => vec![ty],
    }
}

fn wants_result(model: &Model, ty: Option<&Type>, diag: &mut Diag) {
    let Some(Switch { on: true, span }) = model.args.result else { return };
    if ty.is_none_or(|ty| matches!(result_shape(ty), ResultShape::Never)) {
        let returned = ty.map_or_else(|| "()".into(), |ty| ty.to_token_stream().to_string());
        diag.span(
            span,
            format!("`result = true` needs a `Result` to be returned, and this returns `{returned}`; remove it"),
        );
    }
}

/// Checks what is said of flights.
fn flights(model: &Model, diag: &mut Diag) {
    let args = &model.args;
    if let Some(share) = &args.share_error
        && model.outcome.error().is_none()
    {
        diag.at(share, "`share_error` copies the error of a `Result`, and this function returns none; remove it");
    }
    if let Some(Switch { on: false, span }) = args.detach
        && !model.is_async()
    {
        diag.span(
            span,
            "a plain function computes on the thread of its caller, which stays until the end; remove `detach`, or write `async fn`",
        );
    }
}

fn life(model: &Model, diag: &mut Diag) {
    let args = &model.args;
    let Some(ttl) = &args.ttl else { return };
    positive("ttl", "give the life of a result, as in `ttl = 300`", ttl, diag);
    let Some(life) = ttl.nanos.filter(|n| *n > 0 && !ttl.negative) else { return };
    if let Some(due @ Duration { nanos: Some(nanos), .. }) = &args.async_ttl
        && *nanos >= life
    {
        let (all, most) = (words(life), words(life.saturating_sub(1_000_000_000).max(life / 2)));
        diag.at(
            &due.source,
            if due.negative {
                format!("never due: a result is gone at the age of {all}; use a smaller age, such as {most}, or a longer `ttl`")
            } else {
                format!("always due: a result never has more than {all} left; use less, such as {most}, or a longer `ttl`")
            },
        );
    }
    if let Spread::By(spread) = &args.ttl_spread
        && !spread.negative
        && spread.nanos.is_some_and(|nanos| nanos > life)
    {
        diag.at(&spread.source, format!("the spread is longer than the life it shortens; use at most {}", words(life)));
    }
}

fn spans_of_time(model: &Model, diag: &mut Diag) {
    let args = &model.args;
    if let Some(due) = &args.async_ttl
        && due.nanos == Some(0)
    {
        let mend = "`async_ttl = 0` never applies: positive is the remaining life below which a result is due, negative the age from which it is";
        diag.at(&due.source, mend);
    }
    if let Some(lease) = &args.lease {
        positive("lease", "give the time one computation may hold the others back, as in `lease = 10`", lease, diag);
    }
    if let Some(renew) = &args.renew {
        positive("renew", "give the time for which other processes hold back, or remove it", renew, diag);
    }
    if let Spread::By(spread) = &args.ttl_spread
        && spread.negative
    {
        diag.at(&spread.source, "`ttl_spread` cannot be negative: lives are only ever shortened; remove the minus");
    }
}

fn positive(name: &str, mend: &str, duration: &Duration, diag: &mut Diag) {
    if duration.negative {
        diag.at(&duration.source, format!("`{name}` cannot be negative; {mend}"));
    } else if duration.nanos == Some(0) {
        diag.at(&duration.source, format!("`{name}` cannot be zero; {mend}"));
    }
}

fn key(model: &Model, diag: &mut Diag) {
    let args = &model.args;
    if let (Some(_), Some(_), Some(name)) =
        (&args.key, &args.skip, args.seen.iter().rev().find(|n| *n == "skip" || *n == "key"))
    {
        diag.span(
            name.span(),
            "`key` and `skip` both say what the key is; keep `key` and leave the arguments out of it, or keep `skip`",
        );
    }
    for (index, name) in args.skip.iter().flatten().enumerate() {
        if args.skip.iter().flatten().take(index).any(|n| n == name) {
            diag.span(name.span(), format!("`{name}` is skipped twice; remove one"));
        } else if !model.params.iter().any(|p| p.ident == *name) {
            diag.span(name.span(), unknown_skip(model, name));
        }
    }
    if let Some(receiver) = model.receiver()
        && !args.mentions("key")
        && !receiver.skipped
    {
        diag.at(
            &receiver.receiver,
            "a method must say what stands for `self` in the key: name it, as in `key = (self.id, x)`, or leave it out with `skip(self)`",
        );
    }
}

/// Finds arguments of a generic type that is certain to be none of serde's.
fn parameters(model: &Model, diag: &mut Diag) {
    if model.args.mentions("key") {
        return;
    }
    for param in model.plain_params().filter(|param| !param.skipped) {
        let Type::Path(path) = behind(&param.ty) else { continue };
        let Some(name) = path.path.get_ident().filter(|name| is_unserialisable(&model.sig.generics, name)) else {
            continue;
        };
        let (ty, of) = (param.ty.to_token_stream(), &param.ident);
        let bounds = bounds(&model.sig.generics, name);
        let way = match bounds.iter().find_map(|bound| match bound.as_str() {
            "AsRef" => Some("as_ref"),
            "Display" | "ToString" => Some("to_string"),
            _ => None,
        }) {
            Some(way) => format!("`key = {of}.{way}()`"),
            None => format!("`key = ..`, or leave it out with `skip({of})`"),
        };
        diag.at(ty, format!("`{name}` has no bound by which it can be a key: add `{name}: Serialize`, or say what stands for `{of}`: {way}"));
    }
}

/// Looks through references, slices and arrays.
fn behind(ty: &Type) -> &Type {
    match peel(ty) {
        Type::Reference(r) => behind(&r.elem),
        Type::Slice(slice) => behind(&slice.elem),
        Type::Array(array) => behind(&array.elem),
        other => other,
    }
}

/// Tells whether a type parameter has none but bounds that do not lead to `Serialize`.
fn is_unserialisable(generics: &Generics, name: &Ident) -> bool {
    const OTHERS: [&str; 26] = [
        "AsRef",
        "Into",
        "Borrow",
        "ToString",
        "ToOwned",
        "Display",
        "Debug",
        "Clone",
        "Copy",
        "Send",
        "Sync",
        "Unpin",
        "Sized",
        "Eq",
        "PartialEq",
        "Ord",
        "PartialOrd",
        "Hash",
        "Default",
        "Iterator",
        "IntoIterator",
        "Fn",
        "FnMut",
        "FnOnce",
        "From",
        "Error",
    ];
    let is_own = generics.type_params().any(|param| param.ident == *name);
    is_own && bounds(generics, name).iter().all(|bound| OTHERS.contains(&bound.as_str()) || bound.starts_with('\''))
}

fn unknown_skip(model: &Model, name: &proc_macro2::Ident) -> String {
    if model.params.iter().any(|p| pattern_binds(p, name)) {
        return format!(
            "`{name}` is part of a pattern; name the whole argument and take it apart in the body, then skip that name"
        );
    }
    let known: Vec<String> = model.params.iter().filter(|p| p.pattern.is_none()).map(|p| p.ident.to_string()).collect();
    match nearest(&name.to_string(), known.iter().map(String::as_str)) {
        Some(meant) => format!("there is no argument `{name}` to skip; did you mean `{meant}`?"),
        None if known.is_empty() => format!("there is no argument `{name}` to skip; the function has none with a name"),
        None => format!("there is no argument `{name}` to skip; the arguments are {}", known.join(", ")),
    }
}

/// Tells whether `name` is bound inside the pattern of an argument, which only the body can see.
fn pattern_binds(param: &Param, name: &proc_macro2::Ident) -> bool {
    *name != param.ident && param.pattern.as_ref().is_some_and(|p| mentions(&p.to_token_stream(), name))
}

fn expressions(model: &Model, diag: &mut Diag) {
    let args = &model.args;
    let written = [&args.key, &args.client].into_iter().flatten();
    for expr in written {
        for tree in leaves(expr.to_token_stream()) {
            if model.params.iter().any(|p| pattern_binds(p, &tree)) {
                let message = format!(
                    "`{tree}` is taken out of its argument by a pattern, which happens in the body; name the argument and use that name here"
                );
                diag.span(tree.span(), message);
            }
        }
    }
    if let Some(init) = &args.init
        && init.segments.first().is_some_and(|s| s.ident == "Self")
    {
        diag.at(init, "`init` runs once for the function, whatever `Self` is: name a plain `fn()`, by its full path");
    }
}

/// Lists the lower-case names at the start of paths: those that can be local variables.
fn leaves(tokens: TokenStream) -> Vec<proc_macro2::Ident> {
    let mut found = Vec::new();
    let mut after = false;
    for tree in tokens {
        match tree {
            proc_macro2::TokenTree::Ident(ident) if !after && ident.to_string().starts_with(char::is_lowercase) => {
                found.push(ident);
            }
            proc_macro2::TokenTree::Group(group) => found.extend(leaves(group.stream())),
            proc_macro2::TokenTree::Literal(literal) => {
                let names = captures(&literal).into_iter().filter_map(|name| syn::parse_str(&name).ok());
                found.extend(names.map(|mut name: proc_macro2::Ident| {
                    name.set_span(literal.span());
                    name
                }));
            }
            proc_macro2::TokenTree::Punct(p) => {
                after = matches!(p.as_char(), '.' | ':');
                continue;
            }
            _ => {}
        }
        after = false;
    }
    found
}

fn background(model: &Model, diag: &mut Diag) {
    let Some(due) = &model.args.async_ttl else { return };
    for param in model.params.iter().filter(|p| matches!(p.holding, Holding::Borrowed)) {
        let message = "`async_ttl` recomputes in the background, and this argument borrows in a way that cannot be turned into an owned value; \
                       take an owned type, `&T`, `&str` or `&[T]`";
        diag.at(&param.ty, message);
    }
    if model.home == Home::Inside && model.in_impl {
        let message = "without companions, as in a trait, there is nothing the background could call; cache an inherent method with `async_ttl` and call it from here";
        diag.at(&due.source, message);
    }
}

fn companions(model: &Model, diag: &mut Diag) {
    if model.home != Home::Inside {
        return;
    }
    if let (Some(_), Some(Switch { on: true, span })) = (&model.boxed, &model.args.companions) {
        diag.span(
            *span,
            "what `#[async_trait]` is on has no room for companions; remove `companions = true`, or cache an inherent method and call it from here",
        );
    }
    if let Some(tiers) = &model.args.max_tiers {
        diag.at(
            tiers,
            "`lazy(max_tiers)` is about companions, which are left out by `companions = false` and `#[async_trait]`; remove `lazy`",
        );
    }
}

fn values(model: &Model, diag: &mut Diag) {
    let args = &model.args;
    if let (Some(lone), None) = (&args.encode, &args.decode)
        && !args.mentions("decode")
    {
        diag.at(lone, "`encode` needs its inverse: add `decode = F`");
    }
    if let (None, Some(lone)) = (&args.encode, &args.decode)
        && !args.mentions("encode")
    {
        diag.at(lone, "`decode` needs its inverse: add `encode = F`");
    }
    if let Naming::Named(name) = &args.namespace
        && name.value().is_empty()
    {
        diag.at(
            name,
            "an empty namespace tells nothing apart; name it, or write `namespace = none` for keys as they are",
        );
    }
    if let Some(Expr::Lit(tiers)) = &args.max_tiers
        && matches!(&tiers.lit, Lit::Int(n) if n.base10_digits() == "0")
    {
        diag.at(tiers, "`max_tiers = 0` looks nowhere; use 1 for the nearest tier only");
    }
    if let Some(switch) = args.associated.as_ref().filter(|s| !s.on && model.receiver().is_some()) {
        diag.span(switch.span, "a function with `self` is in an `impl`; remove `associated = false`");
    }
}

#[cfg(test)]
mod tests;
