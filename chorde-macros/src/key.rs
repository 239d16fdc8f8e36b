//! Builds the expression of the key: references only, so that nothing is moved, cloned or allocated.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Expr, Index, Type};

use crate::model::{Model, Param};
use crate::quiet::here;
use crate::types::peel;

/// Serde knows tuples of up to 16 elements; longer keys are tuples of tuples.
const TUPLE: usize = 12;

/// The key as an expression of reference type.
pub(crate) fn key(model: &Model) -> TokenStream {
    let consts: Vec<&Ident> = model.const_params().collect();
    match &model.args.key {
        None => {
            let lead = consts.iter().map(|n| quote!(&#n));
            let elements = lead
                .chain(model.plain_params().filter(|p| !p.skipped).map(|p| element(p, &p.emitted.to_token_stream())));
            let tuple = nested(elements.collect());
            quote!(&#tuple)
        }
        Some(expr) if consts.is_empty() => by_reference(expr),
        Some(expr) => {
            let inner = by_reference(expr);
            quote!(&(#(&#consts,)* #inner))
        }
    }
}

/// The default key where the arguments are the elements of a tuple; without constants among them.
///
/// What is a reference already is referenced once more: copied, it would be read back from the stack in another width than
/// it was written, for which the processor waits until all that came before is done.
pub(crate) fn of_tuple(model: &Model, tuple: &TokenStream) -> TokenStream {
    let elements = model.plain_params().enumerate().filter(|(_, param)| !param.skipped).map(|(index, param)| {
        let (index, span) = (Index::from(index), here(param.ty.span()));
        let place = quote!(#tuple.#index);
        match peel(&param.ty) {
            Type::Reference(_) => quote_spanned!(span=> &#place),
            _ => element(param, &place),
        }
    });
    let tuple = nested(elements.collect());
    quote!(&#tuple)
}

/// References an argument; one that is a reference already is copied.
fn element(param: &Param, place: &TokenStream) -> TokenStream {
    let span = here(param.ty.span());
    match peel(&param.ty) {
        Type::Reference(r) if r.mutability.is_none() => place.clone(),
        Type::Reference(_) => quote_spanned!(span=> &*#place),
        // Serde knows arrays of up to 32 elements, and none of generic length.
        Type::Array(_) => quote_spanned!(span=> &#place[..]),
        _ => quote_spanned!(span=> &#place),
    }
}

fn nested(mut elements: Vec<TokenStream>) -> TokenStream {
    if elements.len() <= TUPLE {
        return quote!((#(#elements,)*));
    }
    let tail = nested(elements.split_off(TUPLE - 1));
    quote!((#(#elements,)* #tail))
}

/// References an expression; of a tuple, each element, so that fields are not moved out of it.
pub(crate) fn by_reference(expr: &Expr) -> TokenStream {
    match expr {
        Expr::Paren(e) => by_reference(&e.expr),
        Expr::Group(e) => by_reference(&e.expr),
        Expr::Tuple(tuple) => {
            let elements = tuple.elems.iter().map(by_reference);
            let span = here(tuple.span());
            quote_spanned!(span=> &(#(#elements,)*))
        }
        other => {
            let span = here(other.span());
            if matches!(other, Expr::Path(_) | Expr::Field(_) | Expr::Lit(_) | Expr::MethodCall(_) | Expr::Call(_)) {
                quote_spanned!(span=> &#other)
            } else {
                quote_spanned!(span=> &(#other))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built(attr: &str, item: &str) -> String {
        let args = crate::args::Args::parse(attr.parse().unwrap(), &mut crate::diag::Diag::default());
        key(&Model::new(args, syn::parse_str(item).unwrap())).to_string().replace(' ', "")
    }

    #[test]
    fn the_default_is_all_arguments() {
        assert_eq!(built("", "fn f() {}"), "&()");
        assert_eq!(built("", "fn f(x: u8) {}"), "&(&x,)");
        assert_eq!(built("", "fn f(x: u8, mut y: String, name: &str, o: Option<&str>) {}"), "&(&x,&y,name,&o,)");
        assert_eq!(built("skip(x)", "fn f(x: u8, y: u8) {}"), "&(&y,)");
        assert_eq!(built("skip(self)", "fn f(&self, y: &&str) {}"), "&(y,)");
        assert_eq!(built("", "fn f<const N: usize>(x: [u8; N], (a, b): (u8, u8)) {}"), "&(&N,&x[..],&arg1,)");
    }

    #[test]
    fn tuples_are_referenced_by_element() {
        assert_eq!(built("key = (self.tenant, id)", "fn f(&self, id: u8) {}"), "&(&self.tenant,&id,)");
        assert_eq!(built("key = ((a, (b)), c + 1)", "fn f(a: u8, b: u8, c: u8) {}"), "&(&(&a,&b,),&(c+1),)");
        assert_eq!(built("key = (x)", "fn f(x: u8) {}"), "&x");
        assert_eq!(built("key = x.id()", "fn f<const N: usize>(x: u8) {}"), "&(&N,&x.id())");
        assert_eq!(built("key = if x { 1 } else { 2 }", "fn f(x: bool) {}"), "&(ifx{1}else{2})");
    }

    #[test]
    fn long_keys_are_nested() {
        let params: Vec<String> = (0..14).map(|i| format!("a{i}: u8")).collect();
        let key = built("", &format!("fn f({}) {{}}", params.join(",")));
        assert!(key.ends_with("&a10,(&a11,&a12,&a13,))"), "{key}");
    }
}
