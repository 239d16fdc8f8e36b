//! One companion, as data.

use proc_macro2::TokenStream;
use quote::quote;

/// What a companion is called with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    /// All arguments of the function, the receiver included.
    Arguments,
    /// `&self` only.
    Receiver,
    /// The receiver as the function takes it.
    OwnReceiver,
    Nothing,
}

/// One companion.
pub(crate) struct Companion {
    pub(crate) name: &'static str,
    /// Whether it has the function's generic parameters.
    pub(crate) generic: bool,
    pub(crate) takes: Takes,
    /// A lifetime of its own, before the function's generic parameters.
    pub(crate) lifetime: Option<TokenStream>,
    /// Arguments after the function's own.
    pub(crate) extra: Option<TokenStream>,
    pub(crate) is_async: bool,
    /// The return type; `None` for `()`.
    pub(crate) output: Option<TokenStream>,
    /// Bounds that are checked only where the companion is used.
    pub(crate) bounds: Vec<TokenStream>,
    pub(crate) body: TokenStream,
}

impl Companion {
    pub(crate) fn new(name: &'static str, output: impl Into<Option<TokenStream>>, body: TokenStream) -> Self {
        let output = output.into();
        Self {
            name,
            generic: true,
            takes: Takes::Arguments,
            lifetime: None,
            extra: None,
            is_async: false,
            output,
            bounds: Vec::new(),
            body,
        }
    }

    /// Without arguments and generic parameters.
    pub(crate) fn plain(mut self) -> Self {
        self.generic = false;
        self.takes = Takes::Nothing;
        self
    }

    pub(crate) fn takes(mut self, takes: Takes) -> Self {
        self.takes = takes;
        self
    }

    pub(crate) fn extra(mut self, extra: TokenStream) -> Self {
        self.extra = Some(extra);
        self
    }

    pub(crate) fn asynchronous(mut self, is_async: bool) -> Self {
        self.is_async = is_async;
        self
    }

    pub(crate) fn bounds(mut self, bounds: impl IntoIterator<Item = TokenStream>) -> Self {
        self.bounds.extend(bounds);
        self
    }

    /// Leaves only the signature.
    pub(crate) fn hollow(&mut self) {
        self.body = quote!(::core::panic!());
        // With a lifetime of its own, the signature needs them.
        if self.lifetime.is_none() {
            self.bounds.clear();
        }
    }
}
