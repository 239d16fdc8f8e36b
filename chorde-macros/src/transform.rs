//! The attribute as a whole: from its tokens and those of the function to those that replace them.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::args::Args;
use crate::diag::Diag;
use crate::item::Item;
use crate::model::Model;
use crate::{expand, fallback, valid};

/// Reads, checks and expands; mistakes of all stages are reported together. `column` is where the attribute begins.
pub(crate) fn transform(attr: TokenStream, tokens: &TokenStream, column: usize) -> TokenStream {
    let mut diag = Diag::default();
    let args = Args::parse(attr, &mut diag);
    let item = match syn::parse2::<Item>(visible(tokens.clone())) {
        Ok(item) => item,
        Err(error) => {
            diag.push(error);
            let errors = diag.into_tokens();
            return quote::quote!(#errors #tokens);
        }
    };
    let model = Model { is_indented: column > 1, ..Model::new(args, item) };
    valid::check(&model, &mut diag);
    if diag.is_empty() { expand::expand(&model) } else { fallback::fall_back(&model, diag) }
}

/// Looks through the invisible group in which `macro_rules!` passes an `$item:item` on.
fn visible(tokens: TokenStream) -> TokenStream {
    let mut trees = tokens.clone().into_iter();
    match (trees.next(), trees.next()) {
        (Some(TokenTree::Group(group)), None) if group.delimiter() == Delimiter::None => visible(group.stream()),
        _ => tokens,
    }
}
