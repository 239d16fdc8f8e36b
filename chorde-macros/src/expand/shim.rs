//! The function that carries the name, and what only emitted code calls.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{FnArg, Pat};

use super::companion::Companion;
use super::context::{Context, Receiver};
use super::{docs, own};
use crate::model::Home;
use crate::quiet::{here, quiet};

/// How a call looks at the cache, and what it may start behind the caller's back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// The plain call: due entries only where the policy says when.
    Plain,
    /// `bg`: due at half of the ttl where the policy says nothing.
    Behind,
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

/// The plain call: key, look, and on a miss one call into the engine.
pub(crate) fn call(context: &Context<'_>, owner: &TokenStream, look: Look) -> TokenStream {
    let (p, at, key) = (context.p, context.at(owner, Receiver::Itself), &context.key);
    let method = if look == Look::Plain { quote!(look) } else { quote!(look_bg) };
    let behind = if look == Look::Behind || context.model.args.async_ttl.is_some() {
        job_closure(context, owner)
    } else {
        quote!(#p::no_behind())
    };
    let (names, compute, echo) = (context.names(), compute(context, owner), own::echo(context));
    let slow = slow(context, &quote!(__chorde_at.finish(__chorde_slow, (#names), #compute, #behind, #echo)));
    quote! {
        #at
        let __chorde_looked = __chorde_at.#method(#key);
        match __chorde_looked {
            #p::Looked::Hit(__chorde_hit) => __chorde_hit,
            #p::Looked::Slow(__chorde_slow) => #slow,
        }
    }
}

/// Brings a future that computes to its end: its size stays out of the caller's.
pub(crate) fn slow(context: &Context<'_>, future: &TokenStream) -> TokenStream {
    let p = context.p;
    if context.model.is_async() { quote!(#p::boxed(#future).await) } else { quote!(#p::wait(#future)) }
}

/// Brings a future that only asks the client to its end.
pub(crate) fn run(context: &Context<'_>, future: &TokenStream) -> TokenStream {
    let p = context.p;
    if context.model.is_async() { quote!(#future.await) } else { quote!(#p::wait(#future)) }
}

/// The closure from the tuple of arguments to the future of the result.
pub(crate) fn compute(context: &Context<'_>, owner: &TokenStream) -> TokenStream {
    let (p, names, uncached) = (context.p, context.bound_names(), context.uncached(owner));
    let call = quote!(#uncached(#names));
    if context.model.is_async() {
        return quote!(|(#names)| #call);
    }
    // As a pointer, so that functions of one signature share one copy of the engine.
    quote!((|(#names)| #p::ready(#call)) as fn(_) -> _)
}

/// The closure from the tuple of arguments to a background job.
pub(crate) fn job_closure(context: &Context<'_>, owner: &TokenStream) -> TokenStream {
    let (names, job, turbofish) = (context.bound_names(), context.hidden("job"), &context.turbofish);
    let owner = match context.model.receiver() {
        // A missing `Clone` is about `self`: the error belongs there.
        Some(receiver) => {
            let span = here(receiver.ident.span());
            owner
                .clone()
                .into_iter()
                .map(|mut tree| {
                    tree.set_span(span);
                    tree
                })
                .collect()
        }
        None => owner.clone(),
    };
    quote!(::core::option::Option::Some((|(#names)| #owner::#job #turbofish(#names)) as fn(_) -> _))
}

/// Call site, policy, body, and the background's way back in.
pub(crate) fn hidden(context: &Context<'_>) -> TokenStream {
    let every = &context.model.attrs.every;
    let (p, site, description) = (context.p, context.hidden("site"), context.description());
    let policy = context.policy_item();
    let policy = if policy.is_empty() { policy } else { quote!(#every #policy) };
    let allow = (context.model.home == Home::Impl).then(|| super::placing::allow(context));
    let behind = if context.model.can_own() { behind(context) } else { TokenStream::new() };
    let call = if context.model.home == Home::Type && clashes(context) { forward(context) } else { TokenStream::new() };
    quote! {
        #every
        #allow
        #[inline]
        fn #site() -> &'static #p::Site {
            static __CHORDE_SITE: #p::Site = #description;
            &__CHORDE_SITE
        }
        #policy
        #behind
        #call
    }
}

/// Tells whether an argument hides the function's own name.
pub(crate) fn clashes(context: &Context<'_>) -> bool {
    context.model.params.iter().any(|p| p.ident == context.model.ident)
}

/// A way to the function for companions in which an argument hides its name.
fn forward(context: &Context<'_>) -> TokenStream {
    let model = context.model;
    let names: Vec<_> = (0..model.params.len()).map(|i| quote::format_ident!("__chorde_{i}")).collect();
    let types = model.params.iter().map(|p| quiet(p.ty.to_token_stream()));
    let (generics, clause, call, turbofish) =
        (context.generics(), context.clause(true, &[]), context.hidden("call"), &context.turbofish);
    let (asyncness, ident, whole) = (&model.sig.asyncness, &model.ident, &model.outcome.whole);
    let wait = asyncness.map(|_| quote!(.await));
    quote! {
        #[inline]
        #asyncness fn #call #generics(#(#names: #types),*) -> #whole #clause { #ident #turbofish(#(#names),*) #wait }
    }
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
    let mut sig = model.sig.clone();
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
    let (receiver, declared) =
        (context.receiver().into_iter().collect::<Vec<_>>(), context.declared().collect::<Vec<_>>());
    let (at, this) = (context.at(&quote!(Self), Receiver::Itself), quote!(Self));
    let (names, compute, echo) = (context.names(), compute(context, &this), own::echo(context));
    let future = quote!(__chorde_at.behind(__chorde_ticket, (#names), #compute, #echo));
    let end = slow(context, &future);
    let (keep, lend) = (own::keep_all(context), own::lend_all(context));
    let lent = match (model.receiver(), lend_split(context)) {
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
    quote! {
        #every
        #allow
        #[inline]
        #asyncness fn #behind #generics(#(#receiver,)* __chorde_ticket: #p::Ticket, #(#declared),*) #clause {
            #at
            #end
        }
        #every
        #allow
        #[inline]
        fn #job #generics(#(#receiver,)* #(#declared),*) -> #p::Job #clause {
            #keep
            #start
        }
    }
}

fn lend_split(context: &Context<'_>) -> TokenStream {
    let lent = context.model.plain_params().map(own::lend);
    quote!(#(#lent,)*)
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
    let (p, description, policy) = (context.p, context.description(), context.policy_item());
    let (at, key, whole) = (context.at_inside(), &context.key, &model.outcome.whole);
    let body = body_inside(context);
    let slow = if model.is_async() {
        quote!(#p::boxed(__chorde_at.finish(__chorde_slow, (), move |()| #p::typed::<#whole, _>(async move { #body }), #p::no_behind(), #p::no_echo())).await)
    } else {
        let compute = quote!(move |()| #p::ready((move || -> #whole { #body })()));
        quote!(#p::wait(__chorde_at.finish(__chorde_slow, (), #compute, #p::no_behind(), #p::no_echo())))
    };
    quote! {
        #every #front #other #[doc = #section] #allow
        #vis #head {
            enum __ChordeHere {}
            static __CHORDE_SITE: #p::Site = #description;
            #policy
            #at
            let __chorde_looked = __chorde_at.look(#key);
            match __chorde_looked {
                #p::Looked::Hit(__chorde_hit) => __chorde_hit,
                #p::Looked::Slow(__chorde_slow) => #slow,
            }
        }
    }
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
