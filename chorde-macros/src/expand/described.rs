//! A plain function: described once, by a type of its own, to a runtime that holds its companions ready.
//!
//! What the compiler has to look at in the user's crate is a handful of one-line functions; the companions are checked in
//! the runtime, once for all. The other templates repeat each companion beside the function.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Expr, Lifetime, Type};

use super::context::Context;
use super::{docs, list, own, placing, shim};
use crate::key::{self, by_reference};
use crate::model::{Home, Model, Param, mentions};
use crate::outcome::Form;
use crate::quiet::quiet;
use crate::types::Holding;

/// The runtime has companions for up to this number of arguments.
const MOST_ARGUMENTS: usize = 8;

/// Tells whether a function can be described: whether all that has to be said of it can be said outside of its body.
pub(crate) fn is_describable(context: &Context<'_>) -> bool {
    let (model, args) = (context.model, &context.model.args);
    let maps = [&args.encode, &args.decode, &args.cache_if];
    model.home == Home::Type
        && model.sig.generics.params.is_empty()
        && model.sig.generics.where_clause.is_none()
        && model.params.len() <= MOST_ARGUMENTS
        && maps.into_iter().all(Option::is_none)
        && model.params.iter().all(|param| is_owned_for_certain(param) && is_key_certain(model, param))
        && matches!(args.client, Some(Expr::Path(_) | Expr::Call(_)))
        && context.policy_is_const
        && !context.leans_on_arguments(false)
}

/// Tells whether the text shows that an argument can be owned.
fn is_owned_for_certain(param: &Param) -> bool {
    match &param.holding {
        Holding::Value => true,
        Holding::Unsized(owned) | Holding::OptionUnsized(owned) => owned.element.is_none() || param.primitive,
        Holding::Ref(_) | Holding::OptionRef(_) => param.primitive,
        Holding::Mut(_) | Holding::Borrowed => false,
    }
}

/// Tells whether an argument means to the key what it means to the function: an expression sees it by value.
fn is_key_certain(model: &Model, param: &Param) -> bool {
    is_copied(param) || model.args.key.as_ref().is_none_or(|key| !mentions(&key.to_token_stream(), &param.ident))
}

/// Tells whether an argument is `Copy`.
fn is_copied(param: &Param) -> bool {
    !matches!(param.holding, Holding::Value) || param.primitive
}

/// What the templates of this file say more than once.
struct Described<'a> {
    context: &'a Context<'a>,
    /// The type that stands for the function.
    name: Ident,
    /// One for each argument that borrows: an implementation for arguments of one lifetime would be too narrow for futures,
    /// of which the compiler asks whether they are `Send` with each lifetime on its own.
    lifetimes: Option<TokenStream>,
    /// The tuple of arguments as written.
    args: TokenStream,
    /// How results are kept.
    maps: TokenStream,
    /// The tuple of owned arguments.
    owned: TokenStream,
}

/// Emits everything.
pub(crate) fn expand(context: &Context<'_>) -> TokenStream {
    let model = context.model;
    let lifetimes: Vec<Lifetime> = (0..model.params.len()).map(lifetime).collect();
    let borrowing = model.params.iter().zip(&lifetimes).filter(|(param, _)| !matches!(param.holding, Holding::Value));
    let borrowed: Vec<&Lifetime> = borrowing.map(|(_, lifetime)| lifetime).collect();
    let types = model.params.iter().zip(&lifetimes).map(|(param, lifetime)| with_lifetime(&param.ty, lifetime));
    let p = context.p;
    let described = Described {
        context,
        name: Ident::new(&format!("__chorde_{}", model.name), Span::mixed_site()),
        lifetimes: (!borrowed.is_empty()).then(|| quote!(<#(#borrowed),*>)),
        args: quote!((#(#types,)*)),
        maps: match known(model) {
            Some((name, _)) => quote!(<#name as #p::Returned>::Shape),
            None => model.outcome.kept(p),
        },
        owned: own::owned_tuple(context),
    };
    let mut tokens = described.front();
    tokens.extend(described.names());
    tokens.extend(described.function());
    tokens.extend(described.compute());
    tokens
}

impl Described<'_> {
    /// The function under its own name.
    fn front(&self) -> TokenStream {
        let (model, p, name, args) = (self.context.model, self.context.p, &self.name, self.context.names());
        let listed = list::LIST.iter().filter(|row| !(row.is_plain_only && model.is_async()));
        let names = docs::names(self.context, listed.map(|row| row.name));
        let section = docs::section(self.context, Some(&names));
        let call = match (model.is_async(), model.args.async_ttl.is_some()) {
            (false, false) => quote!(call),
            (false, true) => quote!(call_ahead),
            (true, false) => quote!(call_async),
            (true, true) => quote!(call_async_ahead),
        };
        let wait = model.sig.asyncness.map(|_| quote!(.await));
        let body = quote!(#p::#call::<#name, _, _, _>((#args)) #wait);
        shim::front(self.context, &section, &body)
    }

    /// The type that stands for the function, with its body, and the name of the companions.
    fn names(&self) -> TokenStream {
        let Self { context, name, maps, owned, .. } = self;
        let (p, model) = (context.p, context.model);
        let (every, vis, owner) = (&model.attrs.every, quiet(model.vis.to_token_stream()), context.owner());
        let (body, doc) = (shim::body(context), docs::of_type(context));
        let kind = if model.is_async() { quote!(AsyncCompanions) } else { quote!(Companions) };
        let known = known(model).map(
            |(name, known)| quote!(#every #[doc(hidden)] #[allow(non_camel_case_types)] #vis type #name = #known;),
        );
        quote! {
            #every
            #[doc(hidden)]
            #[allow(non_camel_case_types, missing_debug_implementations, clippy::empty_enums, clippy::upper_case_acronyms)]
            #vis enum #name {}
            #every
            impl #name { #body }
            #every
            #[doc = #doc]
            #[allow(non_camel_case_types, dead_code, clippy::upper_case_acronyms)]
            #vis type #owner = #p::#kind<#name, #maps, #owned>;
            #known
        }
    }

    /// All that is known of the function apart from what it computes.
    fn function(&self) -> TokenStream {
        let Self { context, name, lifetimes, args, maps, owned, .. } = self;
        let (p, every, allow) = (context.p, &context.model.attrs.every, placing::allow(context));
        let (description, policy) = (context.description(&name.to_token_stream()), context.policy());
        let (client, seen) = (self.client(), self.seen());
        let (value, base) = match known(context.model) {
            Some((name, _)) => (quote!(<#name as #p::Returned>::Value), quote!(<#name as #p::Returned>::shape())),
            None => (context.model.outcome.value.clone(), context.maps()),
        };
        let own = self.own();
        quote! {
            #every
            #allow
            impl #lifetimes #p::Function<#args, #maps, #owned> for #name {
                const POLICY: #p::CallPolicy = #policy;
                fn site() -> &'static #p::Site {
                    static __CHORDE_SITE: #p::Site = #description;
                    &__CHORDE_SITE
                }
                #[inline]
                fn maps() -> #maps { #base }
                #[inline]
                fn client() -> impl #p::Client<#value> + 'static { #client }
                #[inline]
                fn key<__ChordeSeen: #p::Seen>(__chorde_args: &#args, __chorde_seen: __ChordeSeen) -> __ChordeSeen::Outcome {
                    #seen
                }
                fn own(__chorde_args: #args) -> #owned { #own }
            }
        }
    }

    /// What it computes.
    fn compute(&self) -> TokenStream {
        let Self { context, name, lifetimes, args, maps, owned } = self;
        let (p, model, allow) = (context.p, context.model, placing::allow(context));
        let (every, whole) = (&model.attrs.every, &model.outcome.whole);
        let uncached = context.companion("uncached");
        let moved = self.each(|_, place| place);
        let lent = self.each(|param, place| own::lent(param, &place));
        if !model.is_async() {
            return quote! {
                #every
                #allow
                impl #lifetimes #p::Compute<#args, #maps, #owned> for #name {
                    #[inline]
                    fn compute(__chorde_args: #args) -> #whole { Self::#uncached(#moved) }
                    fn compute_owned(__chorde_args: #owned) -> #whole { Self::#uncached(#lent) }
                }
            };
        }
        let owned_future = match lifetimes {
            Some(_) => quote!(async move { Self::#uncached(#lent).await }),
            None => quote!(Self::#uncached(#moved)),
        };
        quote! {
            #every
            #allow
            impl #lifetimes #p::AsyncCompute<#args, #maps, #owned> for #name {
                fn compute<'__chorde_a>(__chorde_args: #args) -> #p::Boxed<'__chorde_a, #whole>
                where
                    #args: '__chorde_a,
                {
                    ::std::boxed::Box::pin(Self::#uncached(#moved))
                }
                fn compute_owned(__chorde_args: #owned) -> #p::Boxed<'static, #whole> {
                    ::std::boxed::Box::pin(#owned_future)
                }
            }
        }
    }

    /// The client: a place is borrowed, what a call returns is kept for the time of the call.
    fn client(&self) -> TokenStream {
        match &self.context.model.args.client {
            Some(call @ Expr::Call(_)) => call.to_token_stream(),
            Some(place) => by_reference(place),
            None => TokenStream::new(),
        }
    }

    /// Shows the key: as it is, or with the arguments under their names and none of them moved, as an expression needs them.
    fn seen(&self) -> TokenStream {
        let (p, model, tuple) = (self.context.p, self.context.model, quote!(__chorde_args));
        if model.args.key.is_none() {
            let key = key::of_tuple(model, &tuple);
            return quote!(#p::Seen::see(__chorde_seen, #key));
        }
        let bound = model.params.iter().enumerate().map(|(index, param)| {
            let (name, index) = (&param.emitted, syn::Index::from(index));
            let borrow = (!is_copied(param)).then(|| quote!(&));
            quote!(let #name = #borrow #tuple.#index;)
        });
        let key = &self.context.key;
        quote!(#(#bound)* #p::Seen::see(__chorde_seen, #key))
    }

    /// Owns the arguments.
    fn own(&self) -> TokenStream {
        if self.lifetimes.is_none() {
            return quote!(__chorde_args);
        }
        let owned = self.each(|param, place| own::own_from(param, &place).unwrap_or(place));
        quote!((#owned))
    }

    /// Makes a list with something for each argument, given where it is found.
    fn each(&self, make: impl Fn(&Param, TokenStream) -> TokenStream) -> TokenStream {
        let one = |(index, param)| {
            let index = syn::Index::from(index);
            make(param, quote!(__chorde_args.#index))
        };
        let list = self.context.model.params.iter().enumerate().map(one);
        quote!(#(#list,)*)
    }
}

/// Names what the compiler knows of the return type, where it has to be asked: once.
fn known(model: &Model) -> Option<(Ident, &TokenStream)> {
    let Form::ByType(known) = &model.outcome.form else { return None };
    Some((Ident::new(&format!("__chorde_{}_known", model.name), Span::mixed_site()), known))
}

/// Names the lifetime of an argument.
fn lifetime(index: usize) -> Lifetime {
    Lifetime::new(&format!("'__chorde_{index}"), Span::mixed_site())
}

/// Gives that lifetime to a reference, or to the one inside of an `Option`.
pub(super) fn with_lifetime(ty: &Type, lifetime: &Lifetime) -> TokenStream {
    let mut ty = ty.clone();
    name_first(&mut ty, lifetime);
    quiet(ty.to_token_stream())
}

fn name_first(ty: &mut Type, lifetime: &Lifetime) {
    match ty {
        Type::Paren(inner) => name_first(&mut inner.elem, lifetime),
        Type::Group(inner) => name_first(&mut inner.elem, lifetime),
        Type::Reference(reference) if reference.lifetime.as_ref().is_none_or(|l| l.ident != "static") => {
            reference.lifetime = Some(lifetime.clone());
        }
        Type::Path(path) => {
            let last = path.path.segments.last_mut().map(|segment| &mut segment.arguments);
            if let Some(syn::PathArguments::AngleBracketed(list)) = last {
                for argument in &mut list.args {
                    if let syn::GenericArgument::Type(inner) = argument {
                        name_first(inner, lifetime);
                    }
                }
            }
        }
        _ => {}
    }
}
