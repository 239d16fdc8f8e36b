//! What is to be cached: the function and the attribute put together, in the terms the templates use.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::ext::IdentExt as _;
use syn::spanned::Spanned as _;
use syn::{
    Attribute, FnArg, GenericParam, Pat, PatType, Receiver, ReceiverKind, ReturnType, Signature, Type, Visibility,
    parse_quote_spanned,
};

use crate::args::Args;
use crate::attrs::Attrs;
use crate::format::captures;
use crate::item::Item;
use crate::outcome::Outcome;
use crate::quiet::{here, local};
use crate::types::{Holding, is_primitive};

/// Where the companions live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Home {
    /// A free function: associated functions of an empty type of the same name.
    Type,
    /// A function of an `impl` block: siblings named `f_peek`, `f_refresh`, ...
    Impl,
    /// Nowhere: everything is inside the function.
    Inside,
}

/// One argument, the receiver included.
pub(crate) struct Param {
    /// Its name; a generated one where the source has a pattern, `self` for the receiver.
    pub(crate) ident: Ident,
    /// The name to emit: the user's own where an expression of the attribute uses it, out of reach of lints otherwise.
    pub(crate) emitted: Ident,
    pub(crate) ty: Type,
    pub(crate) holding: Holding,
    /// The pattern, where it is more than a name.
    pub(crate) pattern: Option<Pat>,
    /// The receiver as written, if this is it.
    pub(crate) receiver: Option<Receiver>,
    /// Known to be `Send + Clone + 'static` by its name: no bound need be written.
    pub(crate) primitive: bool,
    pub(crate) skipped: bool,
    /// Named by the macro.
    generated: bool,
}

/// A cached function.
pub(crate) struct Model {
    pub(crate) args: Args,
    /// `::chorde::__private`
    pub(crate) runtime: TokenStream,
    pub(crate) ident: Ident,
    /// The name without `r#`.
    pub(crate) name: String,
    pub(crate) home: Home,
    /// Inside an `impl` for certain: `Self` may be used.
    pub(crate) in_impl: bool,
    pub(crate) attrs: Attrs,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    /// The return type that the function has instead of being `async`, as `#[async_trait]` wants it.
    pub(crate) boxed: Option<ReturnType>,
    pub(crate) body: proc_macro2::Group,
    pub(crate) params: Vec<Param>,
    pub(crate) outcome: Outcome,
    /// Written further right than where a line begins.
    pub(crate) is_indented: bool,
    /// The untouched input, for the fallback.
    pub(crate) source_attrs: Vec<Attribute>,
}

impl Model {
    /// Puts attribute and function together; never fails, `valid` judges the outcome.
    pub(crate) fn new(args: Args, item: Item) -> Self {
        let krate = args.krate.as_ref().map_or_else(|| quote!(::chorde), ToTokens::to_token_stream);
        let in_impl = match &args.associated {
            _ if item.sig.receiver().is_some() || item.boxed.is_some() => true,
            Some(said) => said.on,
            None => mentions_self_type(&item),
        };
        // What `#[async_trait]` is on is of a trait, which has no room for companions.
        let alone = args.companions.as_ref().is_some_and(|c| !c.on) || item.boxed.is_some();
        let home = match (alone, in_impl) {
            (true, _) => Home::Inside,
            (false, true) => Home::Impl,
            (false, false) => Home::Type,
        };
        let params: Vec<Param> =
            item.sig.inputs.iter().enumerate().map(|(i, input)| Param::new(i, input, &args)).collect();
        let taken: Vec<String> = params.iter().filter(|p| !p.generated).map(|p| p.ident.to_string()).collect();
        let used = args.expressions();
        let params = params.into_iter().map(|p| p.settle(&taken, &used)).collect();
        let runtime = quote!(#krate::__private);
        Self {
            name: item.sig.ident.unraw().to_string(),
            ident: item.sig.ident.clone(),
            home,
            in_impl,
            attrs: Attrs::split(&item.attrs),
            vis: item.vis,
            outcome: Outcome::new(&item.sig, &args, home, &runtime),
            runtime,
            sig: item.sig,
            boxed: item.boxed,
            body: item.body,
            params,
            args,
            is_indented: false,
            source_attrs: item.attrs,
        }
    }

    pub(crate) fn is_async(&self) -> bool {
        self.sig.asyncness.is_some()
    }

    pub(crate) fn receiver(&self) -> Option<&Param> {
        self.params.first().filter(|p| p.receiver.is_some())
    }

    /// The arguments without the receiver.
    pub(crate) fn plain_params(&self) -> impl Iterator<Item = &Param> {
        self.params.iter().filter(|p| p.receiver.is_none())
    }

    /// The names of the type parameters.
    pub(crate) fn type_params(&self) -> impl Iterator<Item = &Ident> {
        self.sig
            .generics
            .params
            .iter()
            .filter_map(|p| if let GenericParam::Type(t) = p { Some(&t.ident) } else { None })
    }

    /// The names of the const parameters.
    pub(crate) fn const_params(&self) -> impl Iterator<Item = &Ident> {
        self.sig
            .generics
            .params
            .iter()
            .filter_map(|p| if let GenericParam::Const(c) = p { Some(&c.ident) } else { None })
    }

    /// Tells whether every argument can be owned, so that work can move to the background.
    pub(crate) fn can_own(&self) -> bool {
        self.params.iter().all(|p| !matches!(p.holding, Holding::Borrowed))
    }

    /// The signature as the compiler is to see it.
    pub(crate) fn emitted_sig(&self) -> Signature {
        let mut sig = self.sig.clone();
        if let Some(boxed) = &self.boxed {
            sig.asyncness = None;
            sig.output = boxed.clone();
        }
        sig
    }

    /// Where it says what it returns.
    pub(crate) fn returned_span(&self) -> Span {
        let ReturnType::Type(_, ty) = &self.sig.output else { return here(self.ident.span()) };
        here(ty.span())
    }

    /// Makes a name for one more argument.
    pub(crate) fn fresh(&self, base: &str) -> Ident {
        let mut name = base.to_owned();
        while self.params.iter().any(|p| p.ident == name) {
            name.push('_');
        }
        local(&name, self.ident.span())
    }

    /// Tells whether a type, an expression or a path names any argument, `self` included.
    pub(crate) fn uses_params(&self, tokens: &TokenStream) -> bool {
        self.params.iter().any(|p| mentions(tokens, &p.ident))
    }
}

impl Param {
    fn new(index: usize, input: &FnArg, args: &Args) -> Self {
        match input {
            FnArg::Receiver(receiver) => Self::receiver(receiver, args),
            FnArg::Typed(typed) => Self::typed(index, typed, args),
        }
    }

    /// Gives the name the macro's context unless the attribute's expressions need the user's.
    fn settle(mut self, taken: &[String], used: &TokenStream) -> Self {
        while self.generated && taken.contains(&self.ident.to_string()) {
            self.ident = local(&format!("{}_", self.ident), self.ident.span());
        }
        self.emitted = self.ident.clone();
        if self.receiver.is_none() && !mentions(used, &self.ident) {
            self.emitted.set_span(here(self.ident.span()));
        }
        self
    }

    fn receiver(receiver: &Receiver, args: &Args) -> Self {
        let span = receiver.self_token.span;
        let ty: Type = match &receiver.kind {
            ReceiverKind::Typed(_, ty) => (**ty).clone(),
            ReceiverKind::Reference(_, lifetime, mutability) => {
                parse_quote_spanned!(span=> &#lifetime #mutability Self)
            }
            _ => parse_quote_spanned!(span=> Self),
        };
        let ident = Ident::new("self", span);
        Self {
            holding: Holding::of(&ty),
            skipped: is_skipped(args, &ident),
            emitted: ident.clone(),
            ident,
            ty,
            generated: false,
            pattern: None,
            receiver: Some(receiver.clone()),
            primitive: false,
        }
    }

    fn typed(index: usize, typed: &PatType, args: &Args) -> Self {
        let (ident, pattern, generated) = match &*typed.pat {
            Pat::Ident(p) if p.by_ref.is_none() && p.subpat.is_none() => {
                (p.ident.clone(), p.mutability.map(|_| (*typed.pat).clone()), false)
            }
            other => (local(&format!("arg{index}"), other.span()), Some(other.clone()), true),
        };
        let holding = Holding::of(&typed.ty);
        Self {
            skipped: is_skipped(args, &ident),
            primitive: match &holding {
                Holding::Unsized(owned) | Holding::OptionUnsized(owned) => {
                    owned.element.as_ref().is_none_or(is_primitive)
                }
                Holding::Ref(ty) | Holding::OptionRef(ty) | Holding::Mut(ty) => is_primitive(ty),
                _ => is_primitive(&typed.ty),
            },
            holding,
            ty: (*typed.ty).clone(),
            emitted: ident.clone(),
            ident,
            generated,
            pattern,
            receiver: None,
        }
    }
}

fn is_skipped(args: &Args, ident: &Ident) -> bool {
    args.skip.iter().flatten().any(|s| s == ident)
}

/// Tells whether `ident` occurs anywhere in `tokens`, format strings included.
pub(crate) fn mentions(tokens: &TokenStream, ident: &Ident) -> bool {
    tokens.clone().into_iter().any(|tree| match tree {
        TokenTree::Group(group) => mentions(&group.stream(), ident),
        TokenTree::Ident(found) => found == *ident,
        TokenTree::Literal(literal) => captures(&literal).iter().any(|name| *ident == *name),
        TokenTree::Punct(_) => false,
    })
}

/// Tells whether a function speaks of `Self`: then it is inside an `impl`.
fn mentions_self_type(item: &Item) -> bool {
    let upper = format_ident!("Self", span = Span::call_site());
    mentions(&item.sig.to_token_stream(), &upper) || outer_self(item.body.stream(), &upper)
}

/// Looks for `Self` outside of nested items, which have a `Self` of their own.
fn outer_self(tokens: TokenStream, upper: &Ident) -> bool {
    let mut nested = false;
    for tree in tokens {
        match tree {
            TokenTree::Ident(found) if found == *upper && !nested => return true,
            TokenTree::Ident(found) => {
                nested |= ["impl", "trait", "struct", "enum", "union"].iter().any(|k| found == k);
            }
            TokenTree::Punct(p) if p.as_char() == ';' => nested = false,
            TokenTree::Group(group) if nested => nested = group.delimiter() != proc_macro2::Delimiter::Brace,
            TokenTree::Group(group) if outer_self(group.stream(), upper) => return true,
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home(attr: &str, item: &str) -> Home {
        let args = Args::parse(attr.parse().unwrap(), &mut crate::diag::Diag::default());
        Model::new(args, syn::parse_str(item).unwrap()).home
    }

    #[test]
    fn the_home_follows_self() {
        assert_eq!(home("", "fn f(x: u8) -> u8 { x }"), Home::Type);
        assert_eq!(home("", "fn f(&self) -> u8 { 1 }"), Home::Impl);
        assert_eq!(home("", "fn f() -> Self { make() }"), Home::Impl);
        assert_eq!(home("", "fn f() -> u8 { let x = (Self::N, 1); x.0 }"), Home::Impl);
        assert_eq!(home("", "fn f() -> u8 { impl A { fn new() -> Self { A } } 1 }"), Home::Type);
        assert_eq!(home("associated = true", "fn f() -> u8 { 1 }"), Home::Impl);
        assert_eq!(home("associated = false", "fn f() -> Self { make() }"), Home::Type);
        // A mistake, after which the rest is to stay whole.
        assert_eq!(home("associated = false", "fn f(&self) -> u8 { 1 }"), Home::Impl);
        assert_eq!(home("companions = false", "fn f(&self) -> u8 { 1 }"), Home::Inside);
    }
}
