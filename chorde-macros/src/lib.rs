//! `#[cached]`: the attribute behind the `chorde` crate. Use it through `chorde`, which holds the runtime it emits paths to.
//!
//! Tokens in, tokens out; nothing here depends on the runtime. The stages, in the order in which a function passes them:
//!
//! | module | what it does |
//! |---|---|
//! | `args`, `duration` | read the arguments of the attribute, tolerantly, by one table |
//! | `item` | reads the function, with its body as raw tokens |
//! | `attrs`, `types`, `model` | share out the other attributes; look at types as far as their text goes; put it all together |
//! | `valid` | rejects what can't work, naming the mend |
//! | `key` | builds the expression of the key |
//! | `expand` | emits the function, its description, its policy and its companions |
//! | `diag`, `fallback` | collect all mistakes; emit the plain function after one |
//! | `quiet` | keeps lints about the user's signature away from its copies |
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

/// Re-exported, and documented, by the crate `chorde`.
#[proc_macro_attribute]
pub fn cached(attr: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    transform(attr.into(), &item.into()).into()
}

/// Reads, checks and expands; mistakes of all stages are reported together.
fn transform(attr: TokenStream, tokens: &TokenStream) -> TokenStream {
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
