//! Shares the function's other attributes out: what readers and callers see goes to the function that carries the
//! name, what concerns the body goes to the body.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::punctuated::Punctuated;
use syn::{Attribute, Meta, Token};

/// The attributes of a function, shared out.
#[derive(Debug, Default)]
pub(crate) struct Attrs {
    /// For everything that is emitted.
    pub(crate) every: TokenStream,
    /// For the function that carries the name.
    pub(crate) front: TokenStream,
    /// For the function that carries the body.
    pub(crate) body: TokenStream,
    /// Uses of the function by its own companions must not be reported.
    pub(crate) deprecated: bool,
}

impl Attrs {
    /// Shares them out.
    pub(crate) fn split(attrs: &[Attribute]) -> Self {
        let mut split = Self::default();
        for attr in attrs {
            split.take(&attr.meta, None);
        }
        split
    }

    /// Takes one attribute, or one inside a `cfg_attr` with that condition.
    fn take(&mut self, meta: &Meta, condition: Option<&Meta>) {
        let emit = |meta: TokenStream| match condition {
            Some(condition) => quote!(#[cfg_attr(#condition, #meta)]),
            None => quote!(#[#meta]),
        };
        let tokens = emit(meta.to_token_stream());
        let name = meta.path().get_ident().map(ToString::to_string).unwrap_or_default();
        match name.as_str() {
            "cfg" => self.every.extend(tokens),
            "cfg_attr" => self.conditional(meta, condition),
            "doc" | "must_use" => self.front.extend(tokens),
            "deprecated" => {
                self.deprecated = true;
                self.front.extend(tokens);
            }
            "allow" | "warn" | "deny" | "forbid" => {
                self.front.extend(tokens.clone());
                self.body.extend(tokens);
            }
            // An expectation is met once: by the body.
            "expect" => {
                self.body.extend(tokens);
                if let Meta::List(list) = meta {
                    let lints = &list.tokens;
                    self.front.extend(emit(quote!(allow(#lints))));
                }
            }
            _ => self.body.extend(tokens),
        }
    }

    fn conditional(&mut self, meta: &Meta, outer: Option<&Meta>) {
        let parts = match (meta, outer) {
            (Meta::List(list), None) => list.parse_args_with(Punctuated::<Meta, Token![,]>::parse_terminated).ok(),
            _ => None,
        };
        let Some(parts) = parts.filter(|p| !p.is_empty()) else {
            self.body.extend(quote!(#[#meta]));
            return;
        };
        for inner in parts.iter().skip(1) {
            self.take(inner, Some(&parts[0]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(source: &str) -> Attrs {
        let item: syn::ItemFn = syn::parse_str(&format!("{source} fn f() {{}}")).unwrap();
        Attrs::split(&item.attrs)
    }

    #[test]
    fn each_goes_where_it_means_something() {
        let attrs =
            split("/// Hello\n #[cfg(unix)] #[must_use] #[inline(always)] #[allow(dead_code)] #[tracing::instrument]");
        assert_eq!(attrs.every.to_string(), "# [cfg (unix)]");
        assert_eq!(attrs.front.to_string(), "# [doc = \" Hello\"] # [must_use] # [allow (dead_code)]");
        assert_eq!(attrs.body.to_string(), "# [inline (always)] # [allow (dead_code)] # [tracing :: instrument]");
    }

    #[test]
    fn an_expectation_is_kept_once() {
        let attrs = split("#[expect(clippy::too_many_lines, reason = \"a table\")]");
        assert_eq!(attrs.front.to_string(), "# [allow (clippy :: too_many_lines , reason = \"a table\")]");
        assert!(attrs.body.to_string().contains("expect"));
    }

    #[test]
    fn conditions_are_taken_apart() {
        let attrs = split("#[cfg_attr(feature = \"trace\", tracing::instrument, must_use)]");
        assert_eq!(attrs.front.to_string(), "# [cfg_attr (feature = \"trace\" , must_use)]");
        assert_eq!(attrs.body.to_string(), "# [cfg_attr (feature = \"trace\" , tracing :: instrument)]");
    }
}
