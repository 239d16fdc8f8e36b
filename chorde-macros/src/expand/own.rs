//! Owns arguments, so that work on them can outlive the call, and lends them again to the function.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::Lifetime;
use syn::ext::IdentExt as _;

use super::context::{Context, bound, deferred};
use crate::model::{Model, Param, mentions};
use crate::quiet::{here, quiet};
use crate::types::{Holding, bounds};

/// Owns one argument under its name, if moving it is not enough.
fn own(param: &Param) -> Option<TokenStream> {
    own_from(param, &param.emitted.to_token_stream())
}

/// Owns the argument that is found in a place, if moving it is not enough.
pub(crate) fn own_from(param: &Param, from: &TokenStream) -> Option<TokenStream> {
    let span = here(param.ident.span());
    Some(match &param.holding {
        Holding::Value | Holding::Borrowed => return None,
        Holding::Unsized(_) => quote!(::std::borrow::ToOwned::to_owned(#from)),
        Holding::Ref(_) => quote_spanned!(span=> ::core::clone::Clone::clone(#from)),
        Holding::Mut(_) => quote_spanned!(span=> ::core::clone::Clone::clone(&*#from)),
        Holding::OptionUnsized(_) => quote!(#from.map(::std::borrow::ToOwned::to_owned)),
        Holding::OptionRef(_) => quote!(#from.cloned()),
    })
}

/// `let x = ...;`: owns one argument under its own name.
pub(crate) fn keep(param: &Param) -> TokenStream {
    let name = bound(param);
    let mutable = matches!(param.holding, Holding::Mut(_)).then(|| quote!(mut));
    match own(param) {
        Some(owned) => quote!(let #mutable #name = #owned;),
        None if param.receiver.is_some() => {
            let from = &param.emitted;
            quote!(let #name = #from;)
        }
        None => TokenStream::new(),
    }
}

/// The name of a copy that the attribute's expressions use while the argument itself goes elsewhere. It has the context of
/// the argument, so that format strings find it too.
pub(crate) fn held(param: &Param) -> proc_macro2::Ident {
    quote::format_ident!("chorde_held_{}", param.ident.unraw(), span = param.ident.span())
}

/// `let x = ...;`: makes that copy.
pub(crate) fn hold(param: &Param) -> TokenStream {
    let (name, from, span) = (held(param), &param.emitted, here(param.ident.span()));
    let mutable = matches!(param.holding, Holding::Mut(_)).then(|| quote!(mut));
    let copy = own(param).unwrap_or_else(|| match param.primitive {
        true => quote!(#from),
        false => quote_spanned!(span=> ::core::clone::Clone::clone(&#from)),
    });
    quote!(let #mutable #name = #copy;)
}

/// `let x = ...;`: lends that copy as the type the expressions know.
pub(crate) fn lend_held(param: &Param) -> TokenStream {
    let name = held(param);
    let lent = lent(param, &name.to_token_stream());
    quote!(let #name = #lent;)
}

/// The expression that passes an owned argument on as the function takes it.
pub(crate) fn lend(param: &Param) -> TokenStream {
    lent(param, &bound(param).to_token_stream())
}

/// The same where it is passed on many times.
pub(crate) fn lend_again(param: &Param) -> TokenStream {
    let lent = lend(param);
    if is_moved(param) { quote!(::core::clone::Clone::clone(&#lent)) } else { lent }
}

/// Tells whether passing an argument on moves it.
fn is_moved(param: &Param) -> bool {
    matches!(param.holding, Holding::Value | Holding::Borrowed) && !param.primitive
}

/// The bound under which a receiver can be passed on many times, if passing it on moves it.
pub(crate) fn receiver_clonable(context: &Context<'_>) -> Option<TokenStream> {
    let (p, receiver) = (context.p, context.model.receiver().filter(|receiver| is_moved(receiver))?);
    let clonable = quote!(#p::Clonable<'__chorde>);
    Some(deferred(quiet(receiver.ty.to_token_stream()), &clonable))
}

/// The bounds under which references to arguments can have a lifetime.
pub(crate) fn outliving(context: &Context<'_>, lifetime: &Lifetime) -> Vec<TokenStream> {
    let one = |param: &Param| {
        let ty = match &param.holding {
            _ if param.primitive => return None,
            Holding::Value | Holding::Borrowed => return None,
            Holding::Ref(ty) | Holding::Mut(ty) | Holding::OptionRef(ty) => ty,
            Holding::Unsized(owned) | Holding::OptionUnsized(owned) => owned.element.as_ref()?,
        };
        let ty = quiet(ty.to_token_stream());
        Some(quote!(#ty: #lifetime))
    };
    context.model.plain_params().filter_map(one).collect()
}

/// The same for an owned argument that is found in a place.
pub(crate) fn lent(param: &Param, name: &TokenStream) -> TokenStream {
    match &param.holding {
        Holding::Value | Holding::Borrowed => name.to_token_stream(),
        Holding::Unsized(_) => quote!(&*#name),
        Holding::Ref(_) => quote!(&#name),
        Holding::Mut(_) => quote!(&mut #name),
        Holding::OptionUnsized(_) => quote!(#name.as_deref()),
        Holding::OptionRef(_) => quote!(#name.as_ref()),
    }
}

/// Owns every argument.
pub(crate) fn keep_all(context: &Context<'_>) -> TokenStream {
    context.model.params.iter().map(keep).collect()
}

/// Owns every argument, out of the tuple of them.
pub(crate) fn keep_parts(context: &Context<'_>) -> TokenStream {
    let one = |(index, param): (usize, &Param)| {
        let (name, index) = (bound(param), syn::Index::from(index));
        let place = quote!(__chorde_args.#index);
        let mutable = matches!(param.holding, Holding::Mut(_)).then(|| quote!(mut));
        let owned = own_from(param, &place).unwrap_or(place);
        quote!(let #mutable #name = #owned;)
    };
    context.model.params.iter().enumerate().map(one).collect()
}

/// Lends every argument, in order.
pub(crate) fn lend_all(context: &Context<'_>) -> TokenStream {
    let lent = context.model.params.iter().map(lend);
    quote!(#(#lent,)*)
}

/// Lends every argument but the receiver, in order.
pub(crate) fn lend_plain(context: &Context<'_>) -> TokenStream {
    let lent = context.model.plain_params().map(lend);
    quote!(#(#lent,)*)
}

/// The bounds under which one argument can be owned and moved, checked where the companion is used.
pub(crate) fn movable(context: &Context<'_>, param: &Param) -> Option<TokenStream> {
    let p = context.p;
    let moved = quote!(#p::Movable<'__chorde>);
    let cloned = quote!(#p::Clonable<'__chorde> + #p::Movable<'__chorde>);
    let (ty, bounds) = match &param.holding {
        _ if param.primitive => return None,
        Holding::Value | Holding::Borrowed => (&param.ty, moved),
        Holding::Ref(ty) | Holding::Mut(ty) | Holding::OptionRef(ty) => (ty, cloned),
        Holding::Unsized(owned) | Holding::OptionUnsized(owned) => (owned.element.as_ref()?, cloned),
    };
    Some(deferred(quiet(ty.to_token_stream()), &bounds))
}

/// The bounds under which all arguments can be owned and moved.
pub(crate) fn movable_all(context: &Context<'_>) -> Vec<TokenStream> {
    context.model.params.iter().filter_map(|param| movable(context, param)).collect()
}

/// The bound under which a result can cross threads.
pub(crate) fn movable_value(context: &Context<'_>, ty: &TokenStream) -> Option<TokenStream> {
    let (p, outcome) = (context.p, &context.model.outcome);
    // An argument may have the same type under another name, and the compiler takes no bound twice.
    let is_projected = outcome.is_projected() && ty.to_string() == outcome.value.to_string();
    let bound = if is_projected { quote!(#p::MovableValue<'__chorde>) } else { quote!(#p::Movable<'__chorde>) };
    (!outcome.primitive).then(|| deferred(ty, &bound))
}

/// The bounds under which all arguments can be owned and moved, and a result too; each once, for every one costs compile time.
pub(crate) fn movable_with(context: &Context<'_>, ty: &TokenStream) -> Vec<TokenStream> {
    let mut bounds = movable_all(context);
    let known: Vec<String> = bounds.iter().map(ToString::to_string).collect();
    bounds.extend(movable_value(context, ty).filter(|bound| !known.contains(&bound.to_string())));
    bounds
}

/// The owned type of one argument.
fn owned_type(param: &Param) -> TokenStream {
    match &param.holding {
        Holding::Value | Holding::Borrowed => quiet(param.ty.to_token_stream()),
        Holding::Ref(ty) | Holding::Mut(ty) => quiet(ty.to_token_stream()),
        Holding::Unsized(owned) => quiet(owned.ty.clone()),
        Holding::OptionUnsized(owned) => {
            let ty = quiet(owned.ty.clone());
            quote!(::core::option::Option<#ty>)
        }
        Holding::OptionRef(ty) => {
            let ty = quiet(ty.to_token_stream());
            quote!(::core::option::Option<#ty>)
        }
    }
}

/// The tuple of owned arguments that callbacks see.
pub(crate) fn owned_tuple(context: &Context<'_>) -> TokenStream {
    let types = context.model.plain_params().map(owned_type);
    quote!((#(#types,)*))
}

/// Tells whether callbacks can be offered: whether every argument can be owned, as far as the text tells.
pub(crate) fn can_echo(model: &Model) -> bool {
    let this = proc_macro2::Ident::new("Self", proc_macro2::Span::call_site());
    model.plain_params().all(|param| {
        let ty = param.ty.to_token_stream();
        !matches!(param.holding, Holding::Borrowed)
            && !mentions(&ty, &this)
            && model.type_params().all(|t| !mentions(&ty, t) || keeps(model, t))
    })
}

/// Tells whether a type parameter is declared to be fit for callbacks.
fn keeps(model: &Model, name: &proc_macro2::Ident) -> bool {
    let bounds = bounds(&model.sig.generics, name);
    let has = |wanted: &str| bounds.iter().any(|b| b == wanted);
    (has("Clone") || has("Copy")) && has("Send") && has("Sync") && has("'static")
}

/// Copies the arguments for callbacks, out of the tuple of them.
pub(crate) fn copies(context: &Context<'_>) -> TokenStream {
    let p = context.p;
    let params = context.model.params.iter().enumerate().filter(|(_, param)| param.receiver.is_none());
    let copies: Vec<(bool, TokenStream)> = params.map(|(index, param)| copy(context, index, param)).collect();
    let probes = copies.iter().any(|(probes, _)| *probes).then(|| quote!(use #p::{KeepClone as _, KeepNone as _};));
    let copies = copies.iter().map(|(_, tokens)| tokens);
    quote!(#probes ::core::option::Option::Some((#(#copies,)*)))
}

/// Copies one argument; whether it can be cloned is for the compiler to find out, unless its name tells.
fn copy(context: &Context<'_>, index: usize, param: &Param) -> (bool, TokenStream) {
    let p = context.p;
    let index = syn::Index::from(index);
    let place = quote!(__chorde_args.#index);
    let probe = |of: TokenStream| quote!((&#p::Keep::new(#of)).keep()?);
    match &param.holding {
        Holding::Value | Holding::Borrowed if param.primitive => (false, place),
        Holding::Ref(_) | Holding::Mut(_) if param.primitive => (false, quote!(*#place)),
        Holding::OptionRef(_) if param.primitive => (false, quote!(#place.copied())),
        Holding::Unsized(_) if param.primitive => (false, quote!(::std::borrow::ToOwned::to_owned(#place))),
        Holding::OptionUnsized(_) if param.primitive => (false, quote!(#place.map(::std::borrow::ToOwned::to_owned))),
        Holding::Unsized(_) => (true, items(p, &place)),
        Holding::OptionRef(_) => {
            let inner = probe(quote!(__chorde_some));
            (true, option(&place, &inner))
        }
        Holding::OptionUnsized(_) => {
            let inner = items(p, &quote!(__chorde_some));
            (true, option(&place, &inner))
        }
        Holding::Ref(_) | Holding::Mut(_) => (true, probe(quote!(&*#place))),
        Holding::Value | Holding::Borrowed => (true, probe(quote!(&#place))),
    }
}

fn items(p: &TokenStream, slice: &TokenStream) -> TokenStream {
    quote! {
        ::core::iter::Iterator::collect::<::core::option::Option<::std::vec::Vec<_>>>(
            ::core::iter::Iterator::map(#slice.iter(), |__chorde_item| (&#p::Keep::new(__chorde_item)).keep()),
        )?
    }
}

fn option(place: &TokenStream, inner: &TokenStream) -> TokenStream {
    quote! {
        match #place {
            ::core::option::Option::Some(__chorde_some) => ::core::option::Option::Some(#inner),
            ::core::option::Option::None => ::core::option::Option::None,
        }
    }
}

/// The bounds under which callbacks see the arguments, checked where a callback is set.
pub(crate) fn clonable_all(context: &Context<'_>) -> Vec<TokenStream> {
    let p = context.p;
    let bounds = quote!(#p::Clonable<'__chorde> + #p::Movable<'__chorde>);
    let one = |param: &Param| {
        let ty = match &param.holding {
            _ if param.primitive => return None,
            Holding::Value | Holding::Borrowed => &param.ty,
            Holding::Ref(ty) | Holding::Mut(ty) | Holding::OptionRef(ty) => ty,
            Holding::Unsized(owned) | Holding::OptionUnsized(owned) => owned.element.as_ref()?,
        };
        Some(deferred(quiet(ty.to_token_stream()), &bounds))
    };
    context.model.plain_params().filter_map(one).collect()
}
