//! Reads the annotated function, with the body kept as raw tokens.
//!
//! A body in the middle of an edit does not parse; its tokens still pass through, and the compiler (or rust-analyzer)
//! complains about exactly what is wrong in it.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::{
    Attribute, GenericArgument, PathArguments, ReturnType, Signature, Token, Type, TypeParamBound, Visibility,
    parse_quote_spanned,
};

/// A function as written.
pub(crate) struct Item {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    /// The braces and what is between them, unparsed.
    pub(crate) body: Group,
    /// What `#[async_trait]` made of the return type of an `async fn`, which `sig` shows as it was written.
    pub(crate) boxed: Option<ReturnType>,
}

impl Parse for Item {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let vis: Visibility = input.parse()?;
        if !starts_function(input) {
            return Err(input.error("`#[cached]` goes on a function: put it above `fn` or `async fn`"));
        }
        let sig: Signature = input.parse()?;
        if input.peek(Token![;]) {
            let message =
                "there is no body to cache; put `#[cached(..., companions = false)]` on the method of each `impl`";
            return Err(syn::Error::new(sig.ident.span(), message));
        }
        let next = input.parse::<TokenTree>()?;
        let span = next.span();
        let body = braces(next).ok_or_else(|| syn::Error::new(span, "expected the body of the function"))?;
        // Tokens after the body can only come from a broken edit: they are the compiler's to report.
        let _rest: TokenStream = input.parse()?;
        let mut item = Self { attrs, vis, sig, body, boxed: None };
        item.undo_async_trait();
        Ok(item)
    }
}

impl Item {
    /// Shows a method as it was written before `#[async_trait]`, which expands first, made its body a boxed future.
    fn undo_async_trait(&mut self) {
        let Some(output) = async_trait_output(&self.sig.output) else { return };
        let span = self.sig.fn_token.span;
        self.boxed = Some(std::mem::replace(&mut self.sig.output, parse_quote_spanned!(span=> -> #output)));
        self.sig.asyncness = Some(Token![async](span));
        let body = &self.body;
        self.body = Group::new(Delimiter::Brace, quote!(#body.await));
    }
}

/// Looks through the invisible groups in which `macro_rules!` passes a `$body:block` on.
fn braces(tree: TokenTree) -> Option<Group> {
    match tree {
        TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => Some(group),
        TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
            let mut inside = group.stream().into_iter();
            let body = inside.next().and_then(braces);
            body.filter(|_| inside.next().is_none())
        }
        _ => None,
    }
}

/// Finds the `T` of `Pin<Box<dyn Future<Output = T> + 'async_trait>>`.
fn async_trait_output(output: &ReturnType) -> Option<Type> {
    let ReturnType::Type(_, pin) = output else { return None };
    let Type::TraitObject(object) = only_argument(only_argument(pin, "Pin")?, "Box")? else { return None };
    let is_mark = |bound: &TypeParamBound| matches!(bound, TypeParamBound::Lifetime(l) if l.ident == "async_trait");
    object.bounds.iter().find(|bound| is_mark(bound))?;
    let traits = object.bounds.iter().filter_map(|b| if let TypeParamBound::Trait(t) = b { Some(t) } else { None });
    let mut arguments =
        traits.filter_map(|t| t.path.segments.last()).filter(|s| s.ident == "Future").map(|s| &s.arguments);
    let PathArguments::AngleBracketed(list) = arguments.next()? else { return None };
    list.args.iter().find_map(|argument| match argument {
        GenericArgument::AssocType(found) if found.ident == "Output" => Some(found.ty.clone()),
        _ => None,
    })
}

/// The `T` of `NAME<T>`.
fn only_argument<'t>(ty: &'t Type, name: &str) -> Option<&'t Type> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == name)?;
    let PathArguments::AngleBracketed(list) = &last.arguments else { return None };
    match list.args.first() {
        Some(GenericArgument::Type(ty)) => Some(ty),
        _ => None,
    }
}

fn starts_function(input: ParseStream<'_>) -> bool {
    input.peek(Token![fn])
        || input.peek(Token![async])
        || input.peek(Token![unsafe])
        || input.peek(Token![extern]) && !input.peek2(Token![crate])
        || input.peek(Token![const])
            && (input.peek2(Token![fn])
                || input.peek2(Token![async])
                || input.peek2(Token![unsafe])
                || input.peek2(Token![extern]))
}
