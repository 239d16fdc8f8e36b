//! The companions, as data: what each takes and returns, and the one call it makes.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::Lifetime;

use super::companion::{Companion, Takes};
use super::context::{Context, Receiver};
use super::described::with_lifetime;
use super::own;
use super::shim::{self, Look};

/// The companions of a function, in the order of the documentation.
pub(crate) fn all(context: &Context<'_>) -> Vec<Companion> {
    let mut all = calls(context);
    all.extend(operations(context));
    if context.model.can_own() {
        all.extend(futures(context));
    }
    if !context.model.is_async() {
        all.extend(future_operations(context));
    }
    all.extend(whole_function(context));
    all.extend(callbacks(context));
    all.extend(introspection(context));
    all
}

/// What computes, or may.
fn calls(context: &Context<'_>) -> Vec<Companion> {
    let (this, is_async) = (quote!(Self), context.model.is_async());
    let (at, key, names) = (context.at(&this, Receiver::Itself), &context.key, context.names());
    let prepare = quote!(#at let __chorde_key = __chorde_at.prepare(#key););
    let (whole, value) = (&context.model.outcome.whole, &context.model.outcome.value);
    let (compute, echo) = (shim::compute(context, &this), shim::echo(context, &this));
    let refresh = shim::slow(context, "refresh", &quote!(__chorde_key, (#names), #compute, #echo));
    let refresh = Companion::new("refresh", whole.clone(), quote!(#prepare #refresh));
    let refresh = refresh.asynchronous(is_async);
    if !context.model.can_own() {
        return vec![refresh];
    }
    let (job, movable) = (shim::job_path(context, &this), own::movable_all(context));
    let lazy = look(context, "lazy", &quote!(, (#names), #job));
    vec![
        Companion::new("bg", whole.clone(), shim::call(context, &this, Look::Behind))
            .asynchronous(is_async)
            .bounds(movable.clone()),
        Companion::new("lazy", option(value), quote!(#at #lazy)).asynchronous(is_async).bounds(movable.clone()),
        refresh,
        Companion::new(
            "bg_refresh",
            result(context, &quote!(())),
            quote!(#prepare __chorde_at.bg_refresh(__chorde_key, (#names), #job)),
        )
        .bounds(movable),
        warm(context),
    ]
}

/// What makes many results ready: arguments come as the tuple of them, a single one alone.
fn warm(context: &Context<'_>) -> Companion {
    let (p, model, step) = (context.p, context.model, context.hidden("warming"));
    let (lifetime, args) = (Lifetime::new("'__chorde_i", Span::mixed_site()), context.model.fresh("args"));
    let types: Vec<TokenStream> = model.plain_params().map(|param| with_lifetime(&param.ty, &lifetime)).collect();
    let names: Vec<_> = (0..types.len()).map(|i| quote::format_ident!("__chorde_{i}")).collect();
    let (item, pattern) = match (types.as_slice(), names.as_slice()) {
        ([only], [name]) => (only.clone(), quote!(#name)),
        _ => (quote!((#(#types),*)), quote!((#(#names),*))),
    };
    let keep = model.receiver().map(own::keep);
    let (lent, turbofish) = (model.receiver().map(own::lend_again).into_iter(), &context.turbofish);
    let next = quote!(::core::iter::IntoIterator::into_iter(#args));
    let body = quote! {
        #keep
        #p::Warm::new(#next, move |#pattern| Self::#step #turbofish(#(#lent,)* #(#names),*))
    };
    let takes = quote! {
        #args: impl ::core::iter::IntoIterator<
            Item = #item,
            IntoIter: ::core::marker::Send + #lifetime,
        >
    };
    let mut companion = Companion::new("warm", quote!(#p::Warm<#lifetime>), body)
        .takes(Takes::OwnReceiver)
        .extra(takes)
        .bounds(own::movable_all(context))
        .bounds(own::receiver_clonable(context))
        .bounds(own::outliving(context, &lifetime));
    companion.lifetime = Some(lifetime.to_token_stream());
    companion
}

/// One operation of the client, on one key.
struct Operation {
    name: &'static str,
    future: &'static str,
    output: TokenStream,
    value: bool,
    /// Whether it looks, so that many clients can tell at once.
    at_once: bool,
}

/// Looks at once, and waits where that does not tell; with `more` to hand over then.
fn look(context: &Context<'_>, operation: &str, more: &TokenStream) -> TokenStream {
    let key = &context.key;
    if !context.model.is_async() && more.is_empty() {
        return shim::run(context, operation, &quote!(#key));
    }
    let at_once = quote::format_ident!("{operation}_at_once", span = Span::mixed_site());
    let wait = shim::run(context, operation, &quote!(__chorde_key #more));
    let known = if operation == "lazy" { option_of(&quote!(__chorde_known)) } else { quote!(__chorde_known) };
    quote! {
        match __chorde_at.#at_once(#key) {
            ::core::result::Result::Ok(__chorde_known) => #known,
            ::core::result::Result::Err(__chorde_key) => #wait,
        }
    }
}

fn operation_table(context: &Context<'_>) -> Vec<Operation> {
    let (p, value) = (context.p, &context.model.outcome.value);
    let entry = option(&quote!(#p::Entry<#value>));
    let done = result(context, &quote!(()));
    let row = |name, future, output, value| {
        let at_once = matches!(name, "peek" | "get_ttl");
        Operation { name, future, output, value, at_once }
    };
    vec![
        row("peek", "future_peek", option(value), false),
        row("put", "future_put", done.clone(), true),
        row("get_ttl", "future_get_ttl", entry, false),
        row("invalidate", "future_invalidate", done.clone(), false),
        row("expire", "future_expire", done, false),
    ]
}

fn operations(context: &Context<'_>) -> Vec<Companion> {
    let (at, key, value) = (context.at(&quote!(Self), Receiver::Itself), &context.key, context.model.fresh("value"));
    let ty = &context.model.outcome.value;
    let one = |row: Operation| {
        let more = row.value.then(|| quote!(, #value));
        let run = match context.model.is_async() {
            _ if row.at_once => look(context, row.name, &TokenStream::new()),
            true => shim::run(context, row.name, &quote!(__chorde_at.prepare(#key) #more)),
            false => shim::run(context, row.name, &quote!(#key #more)),
        };
        let body = quote!(#at #run);
        let companion = Companion::new(row.name, row.output, body).asynchronous(context.model.is_async());
        if row.value { companion.extra(quote!(#value: #ty)) } else { companion }
    };
    operation_table(context).into_iter().map(one).collect()
}

/// The same operations as futures that own what they need.
fn future_operations(context: &Context<'_>) -> Vec<Companion> {
    let (p, value, ty) = (context.p, context.model.fresh("value"), &context.model.outcome.value);
    let value_bound = own::movable_value(context, ty);
    let mut rows: Vec<Companion> = Vec::new();
    if !context.leaned_on().all(|param| context.model.can_own() || param.primitive) {
        return rows;
    }
    for row in operation_table(context) {
        let more = row.value.then(|| quote!(, #value));
        let body = detached(context, &TokenStream::new(), row.name, &more.into_token_stream());
        let output = row.output;
        let companion = Companion::new(row.future, quote!(#p::CacheFuture<#output>), body);
        let companion = companion
            .bounds(context.leaned_on().filter_map(|param| own::movable(context, param)))
            .bounds(value_bound.clone());
        rows.push(if row.value { companion.extra(quote!(#value: #ty)) } else { companion });
    }
    rows
}

/// Prepares the key here, and runs an operation in a future that borrows nothing.
fn detached(context: &Context<'_>, before: &TokenStream, operation: &str, more: &TokenStream) -> TokenStream {
    let (p, this, key) = (context.p, quote!(Self), &context.key);
    let near = context.at(&this, Receiver::Itself);
    let method = |kind| proc_macro2::Ident::new(&format!("{kind}_{operation}"), proc_macro2::Span::mixed_site());
    if context.is_static() {
        let method = method("future");
        return quote!(#near let __chorde_key = __chorde_at.prepare(#key); #before __chorde_at.#method(__chorde_key #more));
    }
    let (far, method) = (context.at(&this, Receiver::Kept), method("sent"));
    let hold = context.leaned_on().map(own::hold);
    let lend = context.leaned_on().map(own::lend_held);
    quote! {
        let __chorde_key = { #near __chorde_at.prepare(#key) };
        #(#hold)*
        #before
        #p::CacheFuture::operation(async move { #(#lend)* #far __chorde_at.#method(__chorde_key #more).await })
    }
}

/// Calls that do not block.
fn futures(context: &Context<'_>) -> Vec<Companion> {
    let (p, this, model) = (context.p, quote!(Self), context.model);
    let (at, key) = (context.at(&this, Receiver::Itself), &context.key);
    let (keep, turbofish) = (own::keep_all(context), &context.turbofish);
    let (whole, value) = (&model.outcome.whole, &model.outcome.value);
    let bounds = own::movable_with(context, whole);
    let (again, receiver) = (context.hidden("again"), model.receiver().map(own::lend).into_iter());
    let rest = own::lend_plain(context);
    let again = quote!(Self::#again #turbofish(#(#receiver,)* __chorde_key, #rest));
    let start = if model.is_async() {
        quote!(#p::CacheFuture::spawn(async move { #again.await }))
    } else {
        quote!(#p::CacheFuture::blocking(move || #again))
    };
    let look = quote! {
        let __chorde_looked = { #at __chorde_at.look(#key) };
        match __chorde_looked {
            #p::Looked::Hit(__chorde_hit) => #p::CacheFuture::ready(__chorde_hit),
            #p::Looked::Slow(__chorde_slow) => {
                let __chorde_key = __chorde_slow.into_prepared();
                #keep
                #start
            }
        }
    };
    let mut all = vec![Companion::new("future", quote!(#p::CacheFuture<#whole>), look).bounds(bounds.clone())];
    if !model.is_async() {
        let (refreshed, job, names) = (context.hidden("refreshed"), context.hidden("job"), context.names());
        let receiver = model.receiver().map(own::lend).into_iter();
        let refreshed = quote!(Self::#refreshed #turbofish(#(#receiver,)* __chorde_key, #rest));
        let body = quote! {
            let __chorde_key = { #at __chorde_at.prepare(#key) };
            #keep
            #p::CacheFuture::blocking(move || #refreshed)
        };
        all.push(Companion::new("future_refresh", quote!(#p::CacheFuture<#whole>), body).bounds(bounds));
        let before = quote!(let __chorde_job = Self::#job #turbofish((#names)););
        let body = detached(context, &before, "lazy", &quote!(, __chorde_job));
        let output = option(value);
        let bounds = own::movable_with(context, value);
        all.push(Companion::new("future_lazy", quote!(#p::CacheFuture<#output>), body).bounds(bounds));
    }
    all
}

/// What concerns all entries of the function.
fn whole_function(context: &Context<'_>) -> Vec<Companion> {
    let (p, site) = (context.p, context.hidden("site"));
    let bins = quote!(bins: usize, up_to: ::core::time::Duration);
    let mut all = Vec::new();
    if !context.leans_on_arguments(true) {
        let takes = if context.leans_on_self() { Takes::Receiver } else { Takes::Nothing };
        let at = context.at(&quote!(Self), Receiver::Itself);
        let clear = shim::run(context, "clear", &TokenStream::new());
        all.push(
            Companion::new("clear", result(context, &quote!(())), quote!(#at #clear))
                .takes(takes)
                .asynchronous(context.model.is_async()),
        );
        let body = quote!(#at __chorde_at.namespace());
        all.push(Companion::new("namespace", quote!(::std::string::String), body).takes(takes));
    }
    all.push(Companion::new("stats", quote!(#p::Stats), quote!(Self::#site().stats())).plain());
    all.push(Companion::new("reset_stats", None, quote!(Self::#site().reset_stats();)).plain());
    all.push(
        Companion::new("set_timing_bins", None, quote!(Self::#site().set_timing_bins(bins, up_to);))
            .plain()
            .extra(bins),
    );
    all
}

/// What the user's own code is told.
fn callbacks(context: &Context<'_>) -> Vec<Companion> {
    let (p, site, value) = (context.p, context.hidden("site"), &context.model.outcome.value);
    let bounds: Vec<TokenStream> = own::movable_value(context, value).into_iter().collect();
    let take =
        |types: TokenStream| quote!(callback: impl #types + ::core::marker::Send + ::core::marker::Sync + 'static);
    let promote = take(quote!(::core::ops::Fn(&#p::Key, &#value, ::core::time::Duration)));
    let body = quote!(Self::#site().on_promote::<#value>(callback););
    let mut all =
        vec![Companion::new("on_promote", None, body).takes(Takes::Nothing).extra(promote).bounds(bounds.clone())];
    if own::can_echo(context.model) {
        let owned = own::owned_tuple(context);
        let echoed: Vec<TokenStream> = bounds.into_iter().chain(own::clonable_all(context)).collect();
        let body = quote!(Self::#site().on_value::<#value, #owned>(callback););
        let seen = take(quote!(::core::ops::Fn(&#value, &#owned)));
        all.push(Companion::new("on_value", None, body).takes(Takes::Nothing).extra(seen).bounds(echoed.clone()));
        let body = quote!(Self::#site().placeholder::<#value, #owned>(callback););
        let made = take(quote!(::core::ops::Fn(&#owned) -> #value));
        all.push(Companion::new("placeholder", None, body).takes(Takes::Nothing).extra(made).bounds(echoed));
    }
    all
}

fn introspection(context: &Context<'_>) -> Vec<Companion> {
    let (p, key, policy) = (context.p, &context.key, context.policy_value());
    let at = context.at(&quote!(Self), Receiver::Itself);
    let output = result(context, &quote!(#p::Key));
    let callkey = Companion::new("callkey", output, quote!(#at __chorde_at.callkey(#key)));
    let ttl = Companion::new("ttl", quote!(::core::time::Duration), quote!(#policy.ttl()));
    let due = Companion::new("async_ttl", quote!(#p::RefreshPoint), quote!(#policy.refresh()));
    let constant = |companion: Companion| if context.policy_leans() { companion } else { companion.plain() };
    vec![callkey, constant(ttl), constant(due)]
}

fn option_of(value: &TokenStream) -> TokenStream {
    quote!(::core::option::Option::Some(#value))
}

fn option(of: &TokenStream) -> TokenStream {
    quote!(::core::option::Option<#of>)
}

fn result(context: &Context<'_>, of: &TokenStream) -> TokenStream {
    let p = context.p;
    quote!(::core::result::Result<#of, #p::Error>)
}
