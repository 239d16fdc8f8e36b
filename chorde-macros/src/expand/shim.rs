//! The function that carries the name, and what only emitted code calls.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{FnArg, Pat};

use super::companion::Companion;
use super::context::{Context, Receiver};
use super::{docs, own};
use crate::fallback::boxed;
use crate::model::Home;
use crate::quiet::{here, quiet};

/// How a call looks at the cache, and what it may start behind the caller's back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// The plain call: due entries only where the policy says when.
    Plain,
    /// `bg`: due at half of the ttl where the policy says nothing.
    Behind,
    /// The plain call once more, by the key it had.
    Again,
}

/// The function under its own name.
pub(crate) fn front(context: &Context<'_>, section: &str, body: &TokenStream) -> TokenStream {
    let model = context.model;
    let (every, attrs, allow) = (&model.attrs.every, &model.attrs.front, lint_allowances(context));
    let (vis, head) = (&model.vis, head(context, false));
    quote!(#every #attrs #[doc = #section] #allow #vis #head { #body })
}

/// The same, with the call written out.
pub(crate) fn call_in_full(context: &Context<'_>, companions: &[Companion]) -> TokenStream {
    let section = docs::section(context, Some(&docs::links(context, companions)));
    front(context, &section, &call(context, &context.owner(), Look::Plain))
}

/// The first of what is emitted beside a method, which a trait has no room for. Its name says what to do, for the compiler
/// says no more than that it is none of the trait's.
pub(crate) fn hint_of_a_trait(context: &Context<'_>) -> TokenStream {
    let (every, allow) = (&context.model.attrs.every, super::placing::allow(context));
    let name = context.hidden("of_a_trait_needs_companions_false");
    quote!(#every #allow #[doc(hidden)] #[allow(non_upper_case_globals)] const #name: () = ();)
}

/// A function of its own for what has to be said of the return type: first, so that it is the first error.
pub(crate) fn no_result(context: &Context<'_>) -> TokenStream {
    let Some(statement) = context.no_result() else { return TokenStream::new() };
    let (every, allow) = (&context.model.attrs.every, super::placing::allow(context));
    let (generics, clause) = (context.generics(), context.clause(true, &[]));
    let name = Ident::new(&format!("__chorde_{}_returns", context.model.name), Span::mixed_site());
    quote!(#every #allow #[doc(hidden)] fn #name #generics() #clause { #statement })
}

/// The plain call: key, look, and on a miss one call into the engine.
pub(crate) fn call(context: &Context<'_>, owner: &TokenStream, look: Look) -> TokenStream {
    let (p, at, key) = (context.p, context.at(owner, Receiver::Itself), &context.key);
    let look_at = match look {
        Look::Plain => quote!(look(#key)),
        Look::Behind => quote!(look_bg(#key)),
        Look::Again => quote!(look_again(__chorde_key)),
    };
    let is_ahead = look == Look::Behind || context.model.args.async_ttl.is_some();
    let behind = if is_ahead { job_path(context, owner) } else { quote!(#p::no_behind()) };
    let (names, compute, echo) = (context.names(), compute(context, owner), echo(context, owner));
    // What can be recomputed in the background can be computed apart from its caller.
    let finish = if context.model.is_async() && is_ahead { "finish_by_job" } else { "finish" };
    let slow = slow(context, finish, &quote!(__chorde_slow, (#names), #compute, #behind, #echo));
    let no_result = (context.model.home == Home::Inside).then(|| context.no_result());
    quote! {
        #no_result
        #at
        let __chorde_looked = __chorde_at.#look_at;
        match __chorde_looked {
            #p::Looked::Hit(__chorde_hit) => __chorde_hit,
            #p::Looked::Slow(__chorde_slow) => #slow,
        }
    }
}

/// An operation of the engine that computes, brought to its end: the size of its future stays out of the caller's.
pub(crate) fn slow(context: &Context<'_>, operation: &str, args: &TokenStream) -> TokenStream {
    let (p, method) = (context.p, method(context, operation));
    if context.model.is_async() {
        quote!(#p::boxed(__chorde_at.#method(#args)).await)
    } else {
        quote!(__chorde_at.#method(#args))
    }
}

/// An operation of the engine that only asks the client, brought to its end.
pub(crate) fn run(context: &Context<'_>, operation: &str, args: &TokenStream) -> TokenStream {
    let (method, wait) = (method(context, operation), context.model.sig.asyncness.map(|_| quote!(.await)));
    quote!(__chorde_at.#method(#args) #wait)
}

/// The name of an operation of the engine, as a future or waited for.
fn method(context: &Context<'_>, operation: &str) -> Ident {
    let name = if context.model.is_async() { operation.to_owned() } else { format!("{operation}_now") };
    Ident::new(&name, Span::mixed_site())
}

/// What takes the tuple of arguments to the result, or to the future of it, whose type has no name.
pub(crate) fn compute(context: &Context<'_>, owner: &TokenStream) -> TokenStream {
    if context.model.is_async() {
        let (names, uncached) = (context.bound_names(), context.uncached(owner));
        return quote!(|(#names)| #uncached(#names));
    }
    let (compute, turbofish) = (context.hidden("compute"), &context.turbofish);
    // A pointer, so that functions of one signature share one copy of the engine.
    quote!(#owner::#compute #turbofish as fn(_) -> _)
}

/// What copies the arguments for callbacks; run only when there are any.
pub(crate) fn echo(context: &Context<'_>, owner: &TokenStream) -> TokenStream {
    let (p, echo, turbofish) = (context.p, context.hidden("echo"), &context.turbofish);
    if !own::can_echo(context.model) {
        return quote!(#p::no_echo());
    }
    quote!(::core::option::Option::Some(#owner::#echo #turbofish as fn(&_) -> _))
}

/// What takes the tuple of arguments to a background job.
pub(crate) fn job_path(context: &Context<'_>, owner: &TokenStream) -> TokenStream {
    let (job, turbofish) = (context.hidden("job"), &context.turbofish);
    let path = quote!(#owner::#job #turbofish);
    let path: TokenStream = match context.model.receiver() {
        // A missing `Clone` is about `self`: the error belongs there.
        Some(receiver) => {
            let span = here(receiver.ident.span());
            let placed = |mut tree: TokenTree| {
                tree.set_span(span);
                tree
            };
            path.into_iter().map(placed).collect()
        }
        None => path,
    };
    // As a pointer, so that functions of one signature share one copy of the engine.
    quote!(::core::option::Option::Some(#path as fn(_) -> _))
}

/// Call site, policy, body, and the background's way back in.
pub(crate) fn hidden(context: &Context<'_>) -> TokenStream {
    let every = &context.model.attrs.every;
    let (p, site) = (context.p, context.hidden("site"));
    let marker = if context.model.home == Home::Type { context.owner() } else { quote!(__ChordeHere) };
    let (description, policy) = (context.description(&marker), context.policy_item());
    let here = (context.model.home == Home::Impl).then(|| {
        quote!(
            enum __ChordeHere {}
        )
    });
    let policy = if policy.is_empty() { policy } else { quote!(#every #policy) };
    let allow = (context.model.home == Home::Impl).then(|| super::placing::allow(context));
    let behind = if context.model.can_own() { behind(context) } else { TokenStream::new() };
    let (view, parts) = (context.view(), parts(context));
    let more = [view].into_iter().chain(parts).filter(|more| !more.is_empty());
    quote! {
        #every
        #allow
        #[inline]
        fn #site() -> &'static #p::Site {
            #here
            static __CHORDE_SITE: #p::Site = #description;
            &__CHORDE_SITE
        }
        #policy
        #(#every #allow #more)*
        #behind
    }
}

/// What companions hand to the engine, written once: what computes, and what copies arguments for callbacks.
fn parts(context: &Context<'_>) -> Vec<TokenStream> {
    let (generics, clause, tuple) = (context.generics(), context.clause(true, &[]), context.tuple());
    let mut parts = Vec::new();
    if !context.model.is_async() {
        let (compute, uncached) = (context.hidden("compute"), context.uncached(&quote!(Self)));
        let (whole, moved) = (&context.model.outcome.whole, (0..context.model.params.len()).map(syn::Index::from));
        parts.push(quote! {
            fn #compute #generics(__chorde_args: #tuple) -> #whole #clause { #uncached(#(__chorde_args.#moved),*) }
        });
    }
    if own::can_echo(context.model) {
        let (echo, copies, owned) = (context.hidden("echo"), own::copies(context), own::owned_tuple(context));
        parts.push(quote! {
            fn #echo #generics(__chorde_args: &#tuple) -> ::core::option::Option<#owned> #clause { #copies }
        });
    }
    parts
}

/// The user's function, untouched but for its name and place.
pub(crate) fn body(context: &Context<'_>) -> TokenStream {
    let model = context.model;
    let (every, attrs) = (&model.attrs.every, &model.attrs.body);
    let (vis, doc) = (quiet(model.vis.to_token_stream()), docs::UNCACHED);
    let vis = if model.home == Home::Inside { TokenStream::new() } else { vis };
    let (head, body) = (head(context, true), &model.body);
    quote! {
        #every
        #[doc = #doc]
        #[allow(
            clippy::missing_const_for_fn,
            clippy::missing_errors_doc,
            clippy::missing_panics_doc,
            clippy::must_use_candidate,
            clippy::return_self_not_must_use,
            clippy::too_many_arguments,
            clippy::type_complexity,
        )]
        #attrs
        #vis #head #body
    }
}

/// The signature: as written for the body; with plain names for arguments, and `uncached` left out, for the front.
fn head(context: &Context<'_>, body: bool) -> TokenStream {
    let model = context.model;
    let mut sig = model.emitted_sig();
    if body {
        sig.ident = context.companion("uncached");
        sig.fn_token.span = here(sig.fn_token.span);
        return sig.to_token_stream();
    }
    for (input, param) in sig.inputs.iter_mut().zip(&model.params) {
        match input {
            FnArg::Receiver(receiver) => receiver.mutability = None,
            FnArg::Typed(typed) => {
                let name = &param.emitted;
                *typed.pat = Pat::Verbatim(quote!(#name));
            }
        }
    }
    sig.to_token_stream()
}

/// What a background computation calls: the arguments are owned by the job and lent here.
fn behind(context: &Context<'_>) -> TokenStream {
    let (p, model) = (context.p, context.model);
    let every = &model.attrs.every;
    let (asyncness, behind, job) = (&model.sig.asyncness, context.hidden("behind"), context.hidden("job"));
    let (generics, turbofish) = (context.generics(), &context.turbofish);
    let clause = context.clause(true, &own::movable_all(context));
    let (receiver, declared) = (context.receiver().into_iter().collect::<Vec<_>>(), &context.declared);
    let (at, this) = (context.at(&quote!(Self), Receiver::Itself), quote!(Self));
    let (names, compute, echo) = (context.names(), compute(context, &this), echo(context, &this));
    let again = model.is_async().then(|| job_path(context, &this)).map(|job| quote!(#job,));
    let end = slow(context, "behind", &quote!(__chorde_ticket, (#names), #compute, #again #echo));
    let (tuple, keep, lend) = (context.tuple(), own::keep_parts(context), own::lend_all(context));
    let lent = match (model.receiver(), own::lend_plain(context)) {
        (Some(receiver), rest) => {
            let receiver = own::lend(receiver);
            quote!(#receiver, __chorde_ticket, #rest)
        }
        (None, _) => quote!(__chorde_ticket, #lend),
    };
    let start = if model.is_async() {
        quote!(#p::Job::future(move |__chorde_ticket| async move { Self::#behind #turbofish(#lent).await }))
    } else {
        quote!(#p::Job::blocking(move |__chorde_ticket| Self::#behind #turbofish(#lent)))
    };
    let allow = (model.home == Home::Impl).then(|| super::placing::allow(context));
    let own_clause = if model.is_async() { clause.clone() } else { context.clause(true, &[]) };
    let mut by_companions = vec![self::again(context), warming(context)];
    by_companions.extend((!model.is_async()).then(|| refreshed(context)));
    by_companions.retain(|_| model.home != Home::Inside);
    quote! {
        #every
        #allow
        #[inline]
        #asyncness fn #behind #generics(#(#receiver,)* __chorde_ticket: #p::Ticket, #(#declared),*) #own_clause {
            #at
            #end
        }
        #every
        #allow
        #[inline]
        fn #job #generics(__chorde_args: #tuple) -> #p::Job #clause {
            #keep
            #start
        }
        #(#every #allow #by_companions)*
    }
}

/// The call once more, for `future`: by the key that it had.
fn again(context: &Context<'_>) -> TokenStream {
    let (p, model, again) = (context.p, context.model, context.hidden("again"));
    // Each bound costs compile time, and only a refresh in the background takes these.
    let movable = model.args.async_ttl.as_ref().map_or_else(Vec::new, |_| own::movable_all(context));
    let (generics, clause) = (context.generics(), context.clause(true, &movable));
    let (receiver, declared) = (context.receiver().into_iter(), &context.declared);
    let (asyncness, whole, call) =
        (&model.sig.asyncness, &model.outcome.whole, call(context, &quote!(Self), Look::Again));
    quote! {
        #[inline]
        #asyncness fn #again #generics(#(#receiver,)* __chorde_key: #p::Prepared, #(#declared),*) -> #whole #clause {
            #call
        }
    }
}

/// The computation of `future_refresh`: by the key that its caller had.
fn refreshed(context: &Context<'_>) -> TokenStream {
    let (p, this, names) = (context.p, quote!(Self), context.names());
    let (generics, clause) = (context.generics(), context.clause(true, &[]));
    let (receiver, declared) = (context.receiver().into_iter(), &context.declared);
    let (refreshed, at, whole) =
        (context.hidden("refreshed"), context.at(&this, Receiver::Itself), &context.model.outcome.whole);
    let (compute, echo) = (compute(context, &this), echo(context, &this));
    let refresh = slow(context, "refresh", &quote!(__chorde_key, (#names), #compute, #echo));
    quote! {
        #[inline]
        fn #refreshed #generics(#(#receiver,)* __chorde_key: #p::Prepared, #(#declared),*) -> #whole #clause {
            #at
            #refresh
        }
    }
}

/// What there is to do to make the result of one call ready.
fn warming(context: &Context<'_>) -> TokenStream {
    let (p, this, key, names) = (context.p, quote!(Self), &context.key, context.names());
    let (generics, clause) = (context.generics(), context.clause(true, &own::movable_all(context)));
    let (receiver, declared) = (context.receiver().into_iter(), &context.declared);
    let (warming, at, job) = (context.hidden("warming"), context.at(&this, Receiver::Itself), job_path(context, &this));
    quote! {
        #[inline]
        fn #warming #generics(#(#receiver,)* #(#declared),*) -> #p::Warming #clause {
            #at
            let __chorde_key = __chorde_at.prepare(#key);
            __chorde_at.warming(__chorde_key, (#names), #job)
        }
    }
}

/// `companions = false`: everything within one function.
pub(crate) fn inside(context: &Context<'_>) -> TokenStream {
    let model = context.model;
    let (every, front, other, section) =
        (&model.attrs.every, &model.attrs.front, &model.attrs.body, docs::section(context, None));
    let (vis, head, allow) = (&model.vis, head(context, false), lint_allowances(context));
    if model.args.async_ttl.is_some() {
        let (hidden, owner, real) = (hidden(context), context.owner(), self::body(context));
        let lints = super::placing::allow(context);
        let body = call(context, &owner, Look::Plain);
        return quote! {
            #every #front #[doc = #section] #allow #vis #head {
                enum __ChordeHere {}
                enum __Chorde {}
                impl __Chorde { #real }
                #lints
                impl __Chorde { #hidden }
                #body
            }
        };
    }
    let (p, description, policy) = (context.p, context.description(&quote!(__ChordeHere)), context.policy_item());
    let (at, key, whole) = (context.at_inside(), &context.key, &model.outcome.whole);
    let body = body_inside(context);
    let slow = if model.is_async() {
        quote!(#p::boxed(__chorde_at.finish(__chorde_slow, (), move |()| #p::typed::<#whole, _>(async move { #body }), #p::no_behind(), #p::no_echo())).await)
    } else {
        let compute = quote!(move |()| -> #whole { #body });
        quote!(__chorde_at.finish_now(__chorde_slow, (), #compute, #p::no_behind(), #p::no_echo()))
    };
    let call = quote! {{
        enum __ChordeHere {}
        static __CHORDE_SITE: #p::Site = #description;
        #policy
        #at
        let __chorde_looked = __chorde_at.look(#key);
        match __chorde_looked {
            #p::Looked::Hit(__chorde_hit) => __chorde_hit,
            #p::Looked::Slow(__chorde_slow) => #slow,
        }
    }};
    let call = if model.boxed.is_some() { boxed(&call) } else { call };
    quote!(#every #front #other #[doc = #section] #allow #vis #head #call)
}

/// The body, with the arguments under the names and patterns it knows them by.
fn body_inside(context: &Context<'_>) -> TokenStream {
    let lets = context.model.plain_params().map(|param| {
        let (from, ident) = (&param.emitted, &param.ident);
        let to = param.pattern.as_ref().map_or_else(|| ident.to_token_stream(), ToTokens::to_token_stream);
        quote!(let #to = #from;)
    });
    let body = context.model.body.stream();
    // `#![...]` must stay the first thing in its own braces.
    if body.to_string().starts_with("# !") || body.to_string().starts_with("#!") {
        return quote!(#(#lets)* { #body });
    }
    quote!(#(#lets)* #body)
}

/// Lints that would blame the function for what is emitted.
fn lint_allowances(context: &Context<'_>) -> TokenStream {
    let underscored = context.model.params.iter().any(|p| p.ident.to_string().starts_with('_'));
    let underscored = underscored.then(|| quote!(, clippy::used_underscore_binding));
    // Its companions may be all that is used of it.
    quote!(#[allow(dead_code, clippy::significant_drop_tightening #underscored)])
}
