//! Puts companions where they belong: into a type of the function's name, or beside the method.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

use super::companion::{Companion, Takes};
use super::context::Context;
use super::{docs, list};
use crate::model::Home;
use crate::quiet::quiet;

/// Emits hidden items and companions.
pub(crate) fn place(context: &Context<'_>, hidden: &TokenStream, companions: &[Companion]) -> TokenStream {
    let vis = quiet(context.model.vis.to_token_stream());
    let beside = match context.model.home {
        Home::Impl => {
            let (every, allow) = (&context.model.attrs.every, allow(context));
            quote!(#every #allow #[inline] #vis)
        }
        _ => quote!(#[inline] #vis),
    };
    let functions = companions.iter().map(|companion| function(context, &beside, companion));
    if context.model.home == Home::Impl {
        return quote!(#hidden #(#functions)*);
    }
    let (every, owner) = (&context.model.attrs.every, context.owner());
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

/// Emits one companion, after the attributes and the visibility that all have.
fn function(context: &Context<'_>, beside: &TokenStream, companion: &Companion) -> TokenStream {
    let name = context.companion(companion.name);
    let (doc, asyncness) = (list::doc(companion.name), companion.is_async.then(|| quote!(async)));
    let generics = context.generics_after(companion.lifetime.as_ref(), companion.generic);
    let clause = context.clause(companion.generic, &companion.bounds);
    let (receiver, declared) = match companion.takes {
        Takes::Arguments => (context.receiver(), context.declared.clone()),
        Takes::Receiver => (
            context.model.receiver().map(|r| {
                let this = &r.ident;
                quote!(&#this)
            }),
            Vec::new(),
        ),
        Takes::OwnReceiver => (context.receiver(), Vec::new()),
        Takes::Nothing => (None, Vec::new()),
    };
    let inputs = receiver.into_iter().chain(declared).chain(companion.extra.iter().cloned());
    let output = companion.output.as_ref().map(|output| quote!(-> #output));
    let body = &companion.body;
    quote! {
        #[doc = #doc]
        #beside
        #asyncness fn #name #generics(#(#inputs),*) #output #clause { #body }
    }
}
