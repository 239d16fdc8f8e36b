//! After mistakes: the errors, the plain function, and companions without bodies, so that nothing else turns red.

use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote};

use crate::diag::Diag;
use crate::expand;
use crate::model::Model;

/// Emits what is left when a function cannot be cached as asked.
pub(crate) fn fall_back(model: &Model, diag: Diag) -> TokenStream {
    let companions = if diag.blames_signature() { TokenStream::new() } else { expand::hollow(model) };
    let errors = diag.into_tokens();
    let (attrs, vis, sig) = (&model.source_attrs, &model.vis, model.emitted_sig());
    let body = match &model.boxed {
        Some(_) => boxed(&model.body.to_token_stream()),
        None => model.body.to_token_stream(),
    };
    quote! {
        #errors
        #(#attrs)*
        #vis #sig #body
        #companions
    }
}

/// Makes a future of a body, as `#[async_trait]` does.
pub(crate) fn boxed(body: &TokenStream) -> TokenStream {
    quote!({ ::std::boxed::Box::pin(async move #body) })
}
