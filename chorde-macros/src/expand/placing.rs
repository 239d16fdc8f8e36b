//! Puts companions where they belong: into a type of the function's name, or beside the method.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

use super::companion::{Companion, Takes};
use super::context::Context;
use super::docs;
use crate::model::Home;
use crate::quiet::quiet;

/// Emits hidden items and companions.
pub(crate) fn place(context: &Context<'_>, hidden: &TokenStream, companions: &[Companion]) -> TokenStream {
    let functions = companions.iter().map(|companion| function(context, companion));
    if context.model.home == Home::Impl {
        return quote!(#hidden #(#functions)*);
    }
    let (every, vis, owner) = (&context.model.attrs.every, quiet(context.model.vis.to_token_stream()), context.owner());
    let (doc, allow) = (docs::of_type(context), allow(context));
    quote! {
        #every
        #[doc = #doc]
        #[allow(non_camel_case_types, missing_debug_implementations, clippy::empty_enums, clippy::upper_case_acronyms)]
        #vis enum #owner {}
        #every
        #allow
        impl #owner { #hidden #(#functions)* }
    }
}

/// Emits the body, apart from what lints leave alone.
pub(crate) fn place_body(context: &Context<'_>, body: &TokenStream) -> TokenStream {
    if context.model.home == Home::Impl {
        return body.clone();
    }
    let (every, owner) = (&context.model.attrs.every, context.owner());
    quote!(#every impl #owner { #body })
}

/// Lints have nothing to say about what is emitted; those on the signature would say it once for each companion.
pub(crate) fn allow(context: &Context<'_>) -> TokenStream {
    let deprecated = context.model.attrs.deprecated.then(|| quote!(, deprecated));
    quote!(#[allow(dead_code, unused_variables, clippy::all, clippy::pedantic, clippy::nursery #deprecated)])
}

fn function(context: &Context<'_>, companion: &Companion) -> TokenStream {
    let (vis, name) = (quiet(context.model.vis.to_token_stream()), context.companion(companion.name));
    let (doc, asyncness) = (companion.doc, companion.is_async.then(|| quote!(async)));
    let beside = (context.model.home == Home::Impl).then(|| {
        let (every, allow) = (&context.model.attrs.every, allow(context));
        quote!(#every #allow)
    });
    let generics = if companion.generic { context.generics() } else { TokenStream::new() };
    let clause = context.clause(companion.generic, &companion.bounds);
    let (receiver, declared) = match companion.takes {
        Takes::Arguments => (context.receiver(), context.declared().collect()),
        Takes::Receiver => (
            context.model.receiver().map(|r| {
                let this = &r.ident;
                quote!(&#this)
            }),
            Vec::new(),
        ),
        Takes::Nothing => (None, Vec::new()),
    };
    let inputs = receiver.into_iter().chain(declared).chain(companion.extra.iter().cloned());
    let output = companion.output.as_ref().map(|output| quote!(-> #output));
    let body = &companion.body;
    quote! {
        #beside
        #[doc = #doc]
        #[inline]
        #vis #asyncness fn #name #generics(#(#inputs),*) #output #clause { #body }
    }
}
