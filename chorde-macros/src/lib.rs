//! `#[cached]`: the attribute behind the `chorde` crate.
#![forbid(unsafe_code)]

mod args;
mod attrs;
mod diag;
mod duration;
mod expand;
mod fallback;
mod item;
mod key;
mod model;
mod quiet;
mod types;
mod valid;

use proc_macro2::TokenStream;

use args::Args;
use diag::Diag;
use item::Item;
use model::Model;

/// Caches the results of a function.
#[proc_macro_attribute]
pub fn cached(attr: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    transform(attr.into(), item.into()).into()
}

/// Reads, checks and expands; mistakes of all stages are reported together.
fn transform(attr: TokenStream, tokens: TokenStream) -> TokenStream {
    let mut diag = Diag::default();
    let args = Args::parse(attr, &mut diag);
    let item = match syn::parse2::<Item>(tokens.clone()) {
        Ok(item) => item,
        Err(error) => {
            diag.push(error);
            let errors = diag.into_tokens();
            return quote::quote!(#errors #tokens);
        }
    };
    let model = Model::new(args, item);
    valid::check(&model, &mut diag);
    if diag.is_empty() { expand::expand(&model) } else { fallback::fall_back(&model, diag) }
}
