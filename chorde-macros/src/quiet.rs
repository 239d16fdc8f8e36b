//! Gives copied tokens the macro's own context, at the place where the user wrote them.
//!
//! A signature is repeated once per companion. With the user's context, each lint about it would be reported once per
//! copy; with the macro's, lints leave the copies alone while errors still point at the right place.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};

/// Copies tokens that name types and other items. Not for expressions: local variables would no longer be found.
pub(crate) fn quiet(tokens: TokenStream) -> TokenStream {
    let one = |tree| match tree {
        TokenTree::Group(group) => {
            let mut copy = Group::new(group.delimiter(), quiet(group.stream()));
            copy.set_span(here(group.span()));
            copy.into()
        }
        // `$crate` means the crate of the macro that wrote it.
        TokenTree::Ident(ident) if ident == "$crate" => ident.into(),
        mut other => {
            other.set_span(here(other.span()));
            other
        }
    };
    tokens.into_iter().map(one).collect()
}

/// Makes a name for a local variable that no name of the user's can meet.
pub(crate) fn local(name: &str, span: Span) -> Ident {
    Ident::new(name, here(span))
}

/// The macro's context at the place of `span`.
pub(crate) fn here(span: Span) -> Span {
    Span::mixed_site().located_at(span)
}
