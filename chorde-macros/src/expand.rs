//! From the model to tokens.
//!
//! What is emitted: the function under its own name (a shim: key, look, and one call into the engine on a miss), one
//! description of the call site, the policy, the untouched body as `uncached`, and the companions: of plain functions by
//! reference to the runtime (`described`), of methods and generic functions in full (`companions`, `placing`).

mod companion;
mod companions;
mod context;
mod described;
mod docs;
mod list;
mod naming;
mod own;
mod placing;
mod shim;

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use crate::model::{Home, Model};
use context::Context;

/// Emits everything for a function without mistakes.
pub(crate) fn expand(model: &Model) -> TokenStream {
    let context = Context::new(model);
    if described::is_describable(&context) {
        return outside_of_impls(&context, described::expand(&context));
    }
    match model.home {
        Home::Inside => shim::inside(&context),
        Home::Type | Home::Impl => {
            let companions = companions::all(&context);
            let mut tokens = match model.home {
                Home::Impl => shim::hint_of_a_trait(&context),
                _ => TokenStream::new(),
            };
            tokens.extend(shim::no_result(&context));
            tokens.extend(shim::call_in_full(&context, &companions));
            tokens.extend(placing::place_body(&context, &shim::body(&context)));
            tokens.extend(placing::place(&context, &shim::hidden(&context), &companions));
            if model.home == Home::Type { outside_of_impls(&context, tokens) } else { tokens }
        }
    }
}

/// Emits items by way of a macro that cannot be defined in an `impl`: there, instead of an error for each of them, the compiler
/// says that there is no macro of that name, which says what to do. What is not indented is in no `impl`, and need not be
/// compiled that way.
fn outside_of_impls(context: &Context<'_>, items: TokenStream) -> TokenStream {
    if !context.model.is_indented {
        return items;
    }
    let every = &context.model.attrs.every;
    let name = format!("{}_is_in_an_impl_and_needs_associated_true", context.model.name);
    let name = Ident::new(&name, Span::mixed_site());
    quote! {
        #every
        macro_rules! #name { ($($__chorde_items:tt)*) => { $($__chorde_items)* } }
        #every
        #name! { #items }
    }
}

/// Emits the companions with empty bodies: after a mistake in the attribute, their callers should not turn red too.
pub(crate) fn hollow(model: &Model) -> TokenStream {
    if model.home == Home::Inside {
        return TokenStream::new();
    }
    let context = Context::new(model);
    let mut companions = companions::all(&context);
    companions.iter_mut().for_each(companion::Companion::hollow);
    placing::place(&context, &TokenStream::new(), &companions)
}

#[cfg(test)]
mod tests;
