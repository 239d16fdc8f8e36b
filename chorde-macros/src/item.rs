//! Reads the annotated function, with the body kept as raw tokens.
//!
//! A body in the middle of an edit does not parse; its tokens still pass through, and the compiler (or rust-analyzer)
//! complains about exactly what is wrong in it.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Signature, Token, Visibility};

/// A function as written.
pub(crate) struct Item {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    /// The braces and what is between them, unparsed.
    pub(crate) body: Group,
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
        let body = match input.parse::<TokenTree>()? {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => group,
            other => return Err(syn::Error::new(other.span(), "expected the body of the function")),
        };
        // Tokens after the body can only come from a broken edit: they are the compiler's to report.
        let _rest: TokenStream = input.parse()?;
        Ok(Self { attrs, vis, sig, body })
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
