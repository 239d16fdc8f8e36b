//! The pieces that templates share: names, generics, arguments, and the engine's view of one call.

use proc_macro2::{Ident, Literal, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{Expr, ExprLit, GenericParam, Lit};

use super::{naming, own};
use crate::args::{Naming, Spread};
use crate::duration::Duration;
use crate::key;
use crate::model::{Home, Model, Param, mentions};
use crate::outcome::Form;
use crate::quiet::{here, local, quiet};
use crate::types::Holding;

/// A model, with what every template needs worked out once.
pub(crate) struct Context<'a> {
    pub(crate) model: &'a Model,
    /// `::chorde::__private`
    pub(crate) p: &'a TokenStream,
    pub(crate) key: TokenStream,
    /// The arguments, as they are declared by companions.
    pub(crate) declared: Vec<TokenStream>,
    /// The generic parameters, with their bounds.
    generics: TokenStream,
    /// `::<T, N>`, lifetimes left out.
    pub(crate) turbofish: TokenStream,
    /// The policy, as an expression.
    policy: TokenStream,
    /// Known while compiling: emitted once, as a constant.
    pub(crate) policy_is_const: bool,
}

/// How an expression of the attribute reaches `self`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Receiver {
    /// As it is written.
    Itself,
    /// Through the owned copy that moved into a future.
    Kept,
}

impl<'a> Context<'a> {
    pub(crate) fn new(model: &'a Model) -> Self {
        let generics = &model.sig.generics;
        let names = model.type_params().chain(model.const_params()).map(|n| quiet(n.to_token_stream()));
        let names: Vec<TokenStream> = names.collect();
        let (policy, policy_is_const) = policy(model);
        Self {
            model,
            p: &model.runtime,
            key: key::key(model),
            declared: model.plain_params().map(declared).collect(),
            generics: if generics.params.is_empty() {
                TokenStream::new()
            } else {
                quiet(parameters(generics.params.iter()))
            },
            turbofish: if names.is_empty() { TokenStream::new() } else { quote!(::<#(#names),*>) },
            policy,
            policy_is_const,
        }
    }

    /// Names a companion: `peek`, or `user_peek` beside a method.
    pub(crate) fn companion(&self, name: &str) -> Ident {
        let name = match self.model.home {
            Home::Impl => format!("{}_{name}", self.model.name),
            _ => name.to_owned(),
        };
        local(&name, self.model.ident.span())
    }

    /// Names something only emitted code uses.
    pub(crate) fn hidden(&self, name: &str) -> Ident {
        let name = match self.model.home {
            Home::Impl => format!("__chorde_{}_{name}", self.model.name),
            _ => format!("__chorde_{name}"),
        };
        Ident::new(&name, Span::mixed_site())
    }

    /// The constant that holds the policy.
    pub(crate) fn policy_name(&self) -> Ident {
        let hidden = self.hidden("policy").to_string();
        Ident::new(&hidden.to_uppercase(), Span::mixed_site())
    }

    /// The type whose associated functions the companions are, as the function itself names it.
    pub(crate) fn owner(&self) -> TokenStream {
        match self.model.home {
            Home::Type => {
                let mut name = self.model.ident.clone();
                name.set_span(here(name.span()));
                name.into_token_stream()
            }
            Home::Impl => quote!(Self),
            Home::Inside => quote!(__Chorde),
        }
    }

    /// The path of the body.
    pub(crate) fn uncached(&self, owner: &TokenStream) -> TokenStream {
        let (uncached, turbofish) = (self.companion("uncached"), &self.turbofish);
        quote!(#owner::#uncached #turbofish)
    }

    /// `<'a, T: Bound, const N: usize>`, or nothing.
    pub(crate) fn generics(&self) -> TokenStream {
        let generics = &self.generics;
        if generics.is_empty() { TokenStream::new() } else { quote!(<#generics>) }
    }

    /// The same after another parameter; or that alone, if not `with_own`.
    pub(crate) fn generics_after(&self, first: Option<&TokenStream>, with_own: bool) -> TokenStream {
        let own = Some(&self.generics).filter(|own| with_own && !own.is_empty());
        let all: Vec<&TokenStream> = first.into_iter().chain(own).collect();
        if all.is_empty() { TokenStream::new() } else { quote!(<#(#all),*>) }
    }

    /// The function's own `where` clause with `more` predicates.
    pub(crate) fn clause(&self, with_own: bool, more: &[TokenStream]) -> TokenStream {
        let own = self.model.sig.generics.where_clause.iter().filter(|_| with_own).flat_map(|w| w.predicates.iter());
        let all: Vec<TokenStream> = own.map(|p| quiet(p.to_token_stream())).chain(more.iter().cloned()).collect();
        if all.is_empty() { TokenStream::new() } else { quote!(where #(#all),*) }
    }

    /// The receiver, as it is declared by companions.
    pub(crate) fn receiver(&self) -> Option<TokenStream> {
        let mut receiver = self.model.receiver()?.receiver.clone()?;
        receiver.mutability = None;
        Some(receiver.to_token_stream())
    }

    /// The types of all arguments, the receiver first, as a tuple.
    pub(crate) fn tuple(&self) -> TokenStream {
        let types = self.model.params.iter().map(|param| quiet(param.ty.to_token_stream()));
        quote!((#(#types,)*))
    }

    /// The names of all arguments, the receiver first: a list for a call or a tuple.
    pub(crate) fn names(&self) -> TokenStream {
        let names = self.model.params.iter().map(|p| &p.emitted);
        quote!(#(#names,)*)
    }

    /// As `names`, but with a name for the receiver that a pattern can bind.
    pub(crate) fn bound_names(&self) -> TokenStream {
        let names = self.model.params.iter().map(bound);
        quote!(#(#names,)*)
    }

    /// Tells whether the client, the value maps or the policy speak of an argument other than the receiver.
    pub(crate) fn leans_on_arguments(&self, with_policy: bool) -> bool {
        let tokens = self.environment(with_policy);
        self.model.plain_params().any(|p| mentions(&tokens, &p.ident))
    }

    /// The arguments that the client, the value maps and the policy speak of.
    pub(crate) fn leaned_on(&self) -> impl Iterator<Item = &Param> {
        let tokens = self.environment(true);
        self.model.params.iter().filter(move |p| mentions(&tokens, &p.ident))
    }

    fn environment(&self, with_policy: bool) -> TokenStream {
        let args = &self.model.args;
        let exprs = [&args.client, &args.encode, &args.decode, &args.cache_if, &args.share_error];
        let mut tokens: TokenStream = exprs.into_iter().flatten().map(ToTokens::to_token_stream).collect();
        if with_policy && !self.policy_is_const {
            tokens.extend(self.policy.clone());
        }
        tokens
    }

    /// Tells whether the client, the value maps or the policy speak of `self`.
    pub(crate) fn leans_on_self(&self) -> bool {
        self.model.receiver().is_some_and(|r| mentions(&self.environment(true), &r.ident))
    }

    /// Tells whether the engine's view of a call is the same for all calls: whether it borrows nothing but statics.
    pub(crate) fn is_static(&self) -> bool {
        self.policy_is_const
            && self.leaned_on().next().is_none()
            && matches!(self.model.args.client, Some(Expr::Path(_)))
    }

    /// Tells whether a hidden function makes the engine's view: whether, besides, its type can be written down.
    fn has_view(&self) -> bool {
        let args = &self.model.args;
        self.is_static() && [&args.encode, &args.decode, &args.cache_if].into_iter().all(Option::is_none)
    }

    /// The hidden function that makes the engine's view, where there is one: what a type check costs is paid once.
    pub(crate) fn view(&self) -> TokenStream {
        let Some(client) = self.model.args.client.as_ref().filter(|_| self.has_view()) else {
            return TokenStream::new();
        };
        let (p, at, span) = (self.p, self.hidden("at"), here(client.span()));
        let (site, policy) = (self.hidden("site"), self.policy_name());
        let (generics, clause) = (self.generics(), self.clause(true, &[]));
        let engine = self.engine(&quote!(Self::#site()), &quote!(Self::#policy), Receiver::Itself);
        let (maps, value) = (self.model.outcome.kept(p), &self.model.outcome.value);
        let client = quote_spanned!(span=> impl #p::Client<#value> + 'static);
        quote! {
            #[inline]
            fn #at #generics() -> #p::At<'static, #client, #maps> #clause { #engine __chorde_at }
        }
    }

    /// `let __chorde_at = ...;`: the engine's view of one call.
    pub(crate) fn at(&self, owner: &TokenStream, receiver: Receiver) -> TokenStream {
        if self.has_view() {
            let (at, turbofish) = (self.hidden("at"), &self.turbofish);
            return quote!(let __chorde_at = #owner::#at #turbofish(););
        }
        let (site, name) = (self.hidden("site"), self.policy_name());
        self.engine(&quote!(#owner::#site()), &quote!(#owner::#name), receiver)
    }

    /// As `at`, where site and policy are items of the function itself.
    pub(crate) fn at_inside(&self) -> TokenStream {
        self.engine(&quote!(&__CHORDE_SITE), &self.policy_name().into_token_stream(), Receiver::Itself)
    }

    fn engine(&self, site: &TokenStream, constant: &TokenStream, receiver: Receiver) -> TokenStream {
        let p = self.p;
        let Some(client) = &self.model.args.client else { return TokenStream::new() };
        let span = here(client.span());
        let (held, swaps) = self.reached(receiver);
        let borrowed = swap(key::by_reference(client), &swaps);
        let name = local("__chorde_client", client.span());
        let (policy_let, policy) = self.policy_of_call(constant, &swaps);
        let (tag_let, tag) = self.tag();
        let maps = swap(self.maps(), &swaps);
        let new = quote_spanned!(span=> #p::At::new);
        quote! {
            #held
            let #name = #borrowed;
            #policy_let
            #tag_let
            let __chorde_at = #new(#site, #tag, #name, #maps, #policy);
        }
    }

    /// Finds where the attribute's expressions reach the arguments they use: those that move into the call are copied
    /// first, and in a future only owned copies are left.
    fn reached(&self, receiver: Receiver) -> (TokenStream, Vec<(Ident, Ident)>) {
        let mut held = TokenStream::new();
        let mut swaps = Vec::new();
        for param in self.leaned_on() {
            let moves = matches!(param.holding, Holding::Value | Holding::Borrowed) && !param.primitive;
            if receiver == Receiver::Itself && moves {
                held.extend(own::hold(param));
            }
            if receiver == Receiver::Kept || moves {
                swaps.push((param.ident.clone(), own::held(param)));
            }
        }
        (held, swaps)
    }

    fn policy_of_call(&self, constant: &TokenStream, swaps: &[(Ident, Ident)]) -> (TokenStream, TokenStream) {
        if self.policy_is_const {
            return (TokenStream::new(), quote!(&#constant));
        }
        let policy = swap(self.policy.clone(), swaps);
        (quote!(let __chorde_policy = &#policy;), quote!(__chorde_policy))
    }

    /// The policy as an expression.
    pub(crate) fn policy(&self) -> &TokenStream {
        &self.policy
    }

    /// The policy as an expression, or the constant that holds it.
    pub(crate) fn policy_value(&self) -> TokenStream {
        if self.policy_is_const {
            let name = self.policy_name();
            quote!(Self::#name)
        } else {
            self.policy.clone()
        }
    }

    /// Tells whether the policy's expressions speak of arguments, the receiver included.
    pub(crate) fn policy_leans(&self) -> bool {
        !self.policy_is_const && self.model.uses_params(&self.policy)
    }

    /// The constant, where there is one.
    pub(crate) fn policy_item(&self) -> TokenStream {
        if !self.policy_is_const {
            return TokenStream::new();
        }
        let (p, name, policy) = (self.p, self.policy_name(), &self.policy);
        quote!(const #name: #p::CallPolicy = #policy;)
    }

    /// What tells instances of generic code apart: their types.
    ///
    /// A function without companions may be one of a generic `impl` and say nothing that shows it: the type of a closure in its
    /// body has the generic arguments of all that is around.
    fn tag(&self) -> (TokenStream, TokenStream) {
        let (p, model) = (self.p, self.model);
        if model.home == Home::Inside && !model.in_impl && model.args.async_ttl.is_none() {
            return (quote!(let __chorde_tag = &[#p::Tag::of_scope(&|| ())];), quote!(__chorde_tag));
        }
        let this = model.in_impl.then(|| quote!(Self));
        let params = model.type_params().map(|t| quiet(t.to_token_stream()));
        let types: Vec<TokenStream> = this.into_iter().chain(params).collect();
        if types.is_empty() {
            return (TokenStream::new(), quote!(&[]));
        }
        (quote!(let __chorde_tag = &[#(#p::Tag::of::<#types>()),*];), quote!(__chorde_tag))
    }

    /// How the function's value becomes the stored one, and back.
    pub(crate) fn maps(&self) -> TokenStream {
        let (p, args) = (self.p, &self.model.args);
        let base = self.shape();
        let coded = args.encode.iter().zip(&args.decode).map(|(e, d)| quote!(.encoded(#e, #d)));
        let kept = args.cache_if.iter().map(|f| quote!(.kept_if(#f)));
        if args.encode.is_none() && args.cache_if.is_none() {
            return base;
        }
        match self.model.outcome.form {
            Form::Found | Form::Unsaid => quote!(#base #(#coded)* #(#kept)*),
            _ => quote!(#p::Maps::of(#base) #(#coded)* #(#kept)*),
        }
    }

    /// How what is returned is taken apart.
    fn shape(&self) -> TokenStream {
        let (p, outcome) = (self.p, &self.model.outcome);
        let whole = &outcome.whole;
        match &outcome.form {
            Form::Whole | Form::Anything => quote!(#p::Plain::<#whole>::new()),
            Form::Result(error) => match &self.model.args.share_error {
                Some(share) => quote!(#p::Fallible::<#whole>::new(#p::Sharing::<#error>::by(#share))),
                None => quote! {
                    #p::Fallible::<#whole>::new({
                        use #p::{ShareClone as _, ShareDebug as _, ShareNone as _, ShareTold as _};
                        (&&&&#p::Share::<#error>::new()).share()
                    })
                },
            },
            Form::ByType(known) => quote!(<#known as #p::Returned>::shape()),
            // What takes it apart as its type says, and copies errors if that can be done.
            Form::Found => quote! {{
                use #p::{AnyKind as _, SharedKind as _};
                (&&#p::Kind::<#whole>::new()).maps()
            }},
            Form::Unsaid => quote!(#p::stored_whole::<#whole>()),
        }
    }

    /// A statement that does not compile if a function returns a `Result` although its text does not say so.
    pub(crate) fn no_result(&self) -> Option<TokenStream> {
        let (p, whole, span) = (self.p, &self.model.outcome.whole, self.model.returned_span());
        matches!(self.model.outcome.form, Form::Unsaid).then(|| {
            quote_spanned! {span=>
                let _: #p::StoredWhole<#whole> = {
                    use #p::AnyKind as _;
                    #p::Kind::<#whole>::new().whole()
                };
            }
        })
    }

    /// The description of the call site; the name of the type `marker` shows where that is.
    pub(crate) fn description(&self, marker: &TokenStream) -> TokenStream {
        let (p, model) = (self.p, self.model);
        let (name, signature) = (&model.name, naming::signature(model));
        let naming = match &model.args.namespace {
            Naming::Automatic => {
                let (body, method) = (naming::body(model), model.in_impl.then(|| quote!(.method())));
                Some(quote!(.body(#body) #method))
            }
            Naming::Named(name) => Some(quote!(.naming(#p::Naming::Named(#name)))),
            Naming::Raw => Some(quote!(.naming(#p::Naming::None))),
        };
        let nanos = model.args.ttl.as_ref().and_then(|t| u64::try_from(t.nanos?).ok()).unwrap_or_default();
        let nanos = Literal::u64_unsuffixed(nanos);
        let init = model.args.init.as_ref().map(|init| quote!(.init(#init)));
        let place = quote!(::core::module_path!(), ::core::any::type_name::<#marker>);
        quote!(#p::Site::new(#p::Description::new(#name, #place, #signature, #nanos) #naming #init))
    }
}

/// The name a pattern can bind for an argument.
pub(crate) fn bound(param: &Param) -> Ident {
    if param.receiver.is_some() { local("__chorde_self", param.ident.span()) } else { param.emitted.clone() }
}

/// Declares an argument.
fn declared(param: &Param) -> TokenStream {
    let (name, ty) = (&param.emitted, quiet(param.ty.to_token_stream()));
    quote!(#name: #ty)
}

/// Gives variables other names; fields and paths keep theirs.
fn swap(tokens: TokenStream, swaps: &[(Ident, Ident)]) -> TokenStream {
    if swaps.is_empty() {
        return tokens;
    }
    let mut member = false;
    let one = |tree| {
        let is_member = std::mem::replace(&mut member, matches!(&tree, TokenTree::Punct(p) if p.as_char() == '.'));
        match tree {
            TokenTree::Ident(ident) if !is_member => match swaps.iter().find(|(from, _)| *from == ident) {
                Some((_, to)) => Ident::new(&to.to_string(), ident.span()).into(),
                None => ident.into(),
            },
            TokenTree::Literal(literal) => {
                let names = swaps.iter().map(|(from, to)| (from.unraw().to_string(), to.to_string()));
                crate::format::rename(literal, &names.collect::<Vec<_>>()).into()
            }
            TokenTree::Group(group) => {
                let mut copy = proc_macro2::Group::new(group.delimiter(), swap(group.stream(), swaps));
                copy.set_span(group.span());
                copy.into()
            }
            other => other,
        }
    };
    tokens.into_iter().map(one).collect()
}

/// Declares generic parameters without defaults, which functions cannot have.
fn parameters<'p>(params: impl Iterator<Item = &'p GenericParam>) -> TokenStream {
    quote!(#(#params),*)
}

/// The policy as a chain of builder calls, and whether it is a constant.
fn policy(model: &Model) -> (TokenStream, bool) {
    let (p, args) = (&model.runtime, &model.args);
    let Some(ttl) = &args.ttl else { return (TokenStream::new(), false) };
    let time = |duration: &Duration| match duration.nanos {
        Some(_) => duration.to_token_stream(),
        None => {
            let span = here(duration.source.span());
            quote_spanned!(span=> #p::duration(#duration))
        }
    };
    let life = time(ttl);
    let due = args.async_ttl.as_ref().map(|d| {
        let at = time(d);
        if d.negative { quote!(.refresh_age(#at)) } else { quote!(.refresh_remaining(#at)) }
    });
    let spread = match &args.ttl_spread {
        Spread::Automatic => None,
        Spread::Off => Some(quote!(.no_spread())),
        Spread::By(by) => {
            let by = time(by);
            Some(quote!(.spread(#by)))
        }
    };
    let lease = args.lease.as_ref().map(time).map(|d| quote!(.lease(#d)));
    let renew = args.renew.as_ref().map(time).map(|d| quote!(.renew(#d)));
    let tiers = args.max_tiers.as_ref().map(|n| quote!(.lazy_tiers(#n)));
    let alone = args.single_flight.as_ref().filter(|s| !s.on).map(|_| quote!(.without_single_flight()));
    let attached = args.detach.as_ref().filter(|s| !s.on).map(|_| quote!(.without_detach()));
    let untimed = args.timings.as_ref().filter(|s| !s.on).map(|_| quote!(.without_timings()));
    let tokens = quote!(#p::CallPolicy::new(#life) #due #spread #lease #renew #tiers #alone #attached #untimed);
    let by = if let Spread::By(by) = &args.ttl_spread { Some(&**by) } else { None };
    let durations = [Some(ttl), args.async_ttl.as_ref(), by, args.lease.as_ref(), args.renew.as_ref()];
    let literal_tiers =
        args.max_tiers.as_ref().is_none_or(|n| matches!(n, Expr::Lit(ExprLit { lit: Lit::Int(_), .. })));
    (tokens, literal_tiers && durations.into_iter().flatten().all(|d| d.nanos.is_some()))
}

/// A lifetime for bounds that are checked only where a companion is used.
pub(crate) fn deferred(ty: impl ToTokens, bounds: &TokenStream) -> TokenStream {
    quote!(for<'__chorde> #ty: #bounds)
}
