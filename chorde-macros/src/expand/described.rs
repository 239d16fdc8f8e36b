//! A plain function: described once, by a type of its own, to a runtime that holds its companions ready.
//!
//! What the compiler has to look at in the user's crate is a handful of one-line functions; the companions are checked in
//! the runtime, once for all. The other templates repeat each companion beside the function.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::spanned::Spanned as _;
use syn::{Expr, Type};

use super::context::Context;
use super::{docs, own, placing, shim};
use crate::key::by_reference;
use crate::model::{Home, Model, Param, mentions};
use crate::quiet::{here, quiet};
use crate::types::Holding;

/// The runtime has companions for up to this number of arguments.
const MOST_ARGUMENTS: usize = 8;

/// The names of the companions, in the order of the documentation.
const COMPANIONS: [&str; 21] = [
    "bg",
    "lazy",
    "refresh",
    "bg_refresh",
    "peek",
    "put",
    "get_ttl",
    "invalidate",
    "expire",
    "future",
    "clear",
    "namespace",
    "stats",
    "reset_stats",
    "set_timing_bins",
    "on_promote",
    "on_value",
    "placeholder",
    "callkey",
    "ttl",
    "async_ttl",
];
/// Those that only plain functions have.
const FUTURES: [&str; 7] = [
    "future_refresh",
    "future_lazy",
    "future_peek",
    "future_put",
    "future_get_ttl",
    "future_invalidate",
    "future_expire",
];

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
        && !context.leans_on_arguments(true)
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
    /// `<'__chorde>`, where arguments borrow.
    lifetime: Option<TokenStream>,
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
    let borrows = model.params.iter().any(|param| !matches!(param.holding, Holding::Value));
    let types = model.params.iter().map(|param| with_lifetime(&param.ty));
    let (p, whole) = (context.p, &model.outcome.whole);
    let shape = if model.outcome.error.is_some() { quote!(Fallible) } else { quote!(Plain) };
    let described = Described {
        context,
        name: Ident::new(&format!("__chorde_{}", model.name), Span::mixed_site()),
        lifetime: borrows.then(|| quote!(<'__chorde>)),
        args: quote!((#(#types,)*)),
        maps: quote!(#p::Stores<#p::#shape<#whole>>),
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
        let (model, p, name, names) = (self.context.model, self.context.p, &self.name, self.context.names());
        let futures = FUTURES.iter().filter(|_| !model.is_async());
        let section = docs::section(self.context, COMPANIONS.iter().chain(futures));
        let call = match (model.is_async(), model.args.async_ttl.is_some()) {
            (false, false) => quote!(call),
            (false, true) => quote!(call_ahead),
            (true, false) => quote!(call_async),
            (true, true) => quote!(call_async_ahead),
        };
        let wait = model.sig.asyncness.map(|_| quote!(.await));
        let body = quote!(#p::#call::<#name, _, _, _>((#names)) #wait);
        shim::front(self.context, &section, &body)
    }

    /// The type that stands for the function, with its body, and the name of the companions.
    fn names(&self) -> TokenStream {
        let Self { context, name, maps, owned, .. } = self;
        let (p, model) = (context.p, context.model);
        let (every, vis, owner) = (&model.attrs.every, quiet(model.vis.to_token_stream()), context.owner());
        let (body, doc, count) = (shim::body(context), docs::of_type(context), model.params.len());
        let kind = if model.is_async() { quote!(AsyncCompanions) } else { quote!(Companions) };
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
            #vis type #owner = #p::#kind<#name, #maps, #owned, #count>;
        }
    }

    /// All that is known of the function apart from what it computes.
    fn function(&self) -> TokenStream {
        let Self { context, name, lifetime, args, maps, owned, .. } = self;
        let (p, every, allow) = (context.p, &context.model.attrs.every, placing::allow(context));
        let (description, policy, base) = (context.description(), context.policy(), context.maps());
        let (client, value, key) = (self.client(), &context.model.outcome.value, &context.key);
        let (bound, names, keep) = (self.bound_by_reference(), context.names(), own::keep_all(context));
        quote! {
            #every
            #allow
            impl #lifetime #p::Function<#args, #maps, #owned> for #name {
                fn site() -> &'static #p::Site {
                    static __CHORDE_SITE: #p::Site = #description;
                    &__CHORDE_SITE
                }
                #[inline]
                fn policy() -> #p::CallPolicy { #policy }
                #[inline]
                fn maps() -> #maps { #base }
                #[inline]
                fn client() -> impl #p::Client<#value> { #client }
                #[inline]
                fn key<__ChordeSeen: #p::Seen>(__chorde_args: &#args, __chorde_seen: __ChordeSeen) -> __ChordeSeen::Outcome {
                    #bound
                    __chorde_seen.see(#key)
                }
                fn own((#names): #args) -> #owned { #keep (#names) }
                fn copier() -> fn(&#owned) -> ::core::option::Option<#owned> {
                    use #p::{CopyClone as _, CopyNone as _};
                    (&#p::Copier::<#owned>::new()).copier()
                }
            }
        }
    }

    /// What it computes.
    fn compute(&self) -> TokenStream {
        let Self { context, name, lifetime, args, maps, owned } = self;
        let (p, model, allow) = (context.p, context.model, placing::allow(context));
        let (every, whole) = (&model.attrs.every, &model.outcome.whole);
        let (names, lend, uncached) = (context.names(), own::lend_all(context), context.companion("uncached"));
        if !model.is_async() {
            return quote! {
                #every
                #allow
                impl #lifetime #p::Compute<#args, #maps, #owned> for #name {
                    #[inline]
                    fn compute((#names): #args) -> #whole { Self::#uncached(#names) }
                    fn compute_owned((#names): #owned) -> #whole { Self::#uncached(#lend) }
                }
            };
        }
        let owned_future = match lifetime {
            Some(_) => quote!(async move { Self::#uncached(#lend).await }),
            None => quote!(Self::#uncached(#names)),
        };
        quote! {
            #every
            #allow
            impl #lifetime #p::AsyncCompute<#args, #maps, #owned> for #name {
                fn compute<'__chorde_a>((#names): #args) -> #p::Boxed<'__chorde_a, #whole>
                where
                    #args: '__chorde_a,
                {
                    ::std::boxed::Box::pin(Self::#uncached(#names))
                }
                fn compute_owned((#names): #owned) -> #p::Boxed<'static, #whole> {
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

    /// The arguments under their names, none of them moved.
    fn bound_by_reference(&self) -> TokenStream {
        let one = |(index, param): (usize, &Param)| {
            let (name, index) = (&param.emitted, syn::Index::from(index));
            let borrow = (!is_copied(param)).then(|| quote!(&));
            quote!(let #name = #borrow __chorde_args.#index;)
        };
        self.context.model.params.iter().enumerate().map(one).collect()
    }
}

/// Names the lifetime of a reference, or of the one inside of an `Option`.
fn with_lifetime(ty: &Type) -> TokenStream {
    let mut ty = ty.clone();
    name_first(&mut ty);
    quiet(ty.to_token_stream())
}

fn name_first(ty: &mut Type) {
    let span = here(ty.span());
    match ty {
        Type::Paren(inner) => name_first(&mut inner.elem),
        Type::Group(inner) => name_first(&mut inner.elem),
        Type::Reference(reference) if reference.lifetime.as_ref().is_none_or(|l| l.ident != "static") => {
            reference.lifetime = Some(syn::Lifetime::new("'__chorde", span));
        }
        Type::Path(path) => {
            let last = path.path.segments.last_mut().map(|segment| &mut segment.arguments);
            if let Some(syn::PathArguments::AngleBracketed(list)) = last {
                for argument in &mut list.args {
                    if let syn::GenericArgument::Type(inner) = argument {
                        name_first(inner);
                    }
                }
            }
        }
        _ => {}
    }
}
