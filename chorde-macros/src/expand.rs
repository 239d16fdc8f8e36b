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
mod naming;
mod own;
mod placing;
mod shim;

use proc_macro2::TokenStream;

use crate::model::{Home, Model};
use context::Context;

/// Emits everything for a function without mistakes.
pub(crate) fn expand(model: &Model) -> TokenStream {
    let context = Context::new(model);
    if described::is_describable(&context) {
        return described::expand(&context);
    }
    match model.home {
        Home::Inside => shim::inside(&context),
        Home::Type | Home::Impl => {
            let companions = companions::all(&context);
            let mut tokens = match model.home {
                Home::Impl => shim::hint_of_a_trait(&context),
                _ => TokenStream::new(),
            };
            tokens.extend(shim::call_in_full(&context, &companions));
            tokens.extend(placing::place_body(&context, &shim::body(&context)));
            tokens.extend(placing::place(&context, &shim::hidden(&context), &companions));
            tokens
        }
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
