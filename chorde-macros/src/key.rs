//! Builds the expression of the key: references only, so that nothing is moved, cloned or allocated.

mod plan;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{Expr, ExprPath, Index, Type, TypeArray};

use crate::model::{Model, Param};
use crate::quiet::here;
use crate::types::peel;

/// Serde knows tuples of up to 16 elements; longer keys are tuples of tuples.
const TUPLE: usize = 12;

/// The runtime has a form of its own for tuples of up to so many arguments.
const ARGUMENTS: usize = 8;

/// The key as an expression of reference type.
pub(crate) fn key(model: &Model) -> TokenStream {
    let consts: Vec<&Ident> = model.const_params().collect();
    match &model.args.key {
        None => {
            let lead = consts.iter().map(|n| quote!(&#n));
            let elements = lead.chain(
                model.plain_params().filter(|p| !p.skipped).map(|p| element(model, p, &p.emitted.to_token_stream())),
            );
            let tuple = nested(elements.collect());
            quote!(&#tuple)
        }
        Some(expr) if consts.is_empty() => by_plan(model, expr, true),
        Some(expr) => {
            let inner = by_plan(model, expr, false);
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
            Type::Reference(r) if array_behind(&r.elem).is_none() && plan::plan(model, &r.elem).is_none() => {
                quote_spanned!(span=> &#place)
            }
            _ => element(model, param, &place),
        }
    });
    let elements: Vec<TokenStream> = elements.collect();
    // More are nested, and serde has a form of its own for none.
    let (p, is_known) = (&model.runtime, (1..=ARGUMENTS).contains(&elements.len()));
    let tuple = nested(elements);
    if is_known { quote!(&#p::Arguments(#tuple)) } else { quote!(&#tuple) }
}

/// References an argument; one that is a reference already is copied. Where its type leaves open whether serde says all of
/// it, by a plan.
fn element(model: &Model, param: &Param, place: &TokenStream) -> TokenStream {
    let span = here(param.ty.span());
    if let Some(array) = array_behind(&param.ty) {
        // Serde knows arrays of up to 32 elements, and none of generic length.
        return planned(model, span, quote_spanned!(span=> &#place[..]), plan::of_slice(model, &array.elem));
    }
    let (reference, behind) = match peel(&param.ty) {
        Type::Reference(r) if r.mutability.is_none() => (place.clone(), plan::plan(model, &r.elem)),
        Type::Reference(r) => (quote_spanned!(span=> &*#place), plan::plan(model, &r.elem)),
        ty => (quote_spanned!(span=> &#place), plan::plan(model, ty)),
    };
    planned(model, span, reference, behind)
}

/// Finds an array behind any number of references.
fn array_behind(ty: &Type) -> Option<&TypeArray> {
    match peel(ty) {
        Type::Array(array) => Some(array),
        Type::Reference(r) => array_behind(&r.elem),
        _ => None,
    }
}

/// Serialises what is referenced by a plan, if there is one.
fn planned(model: &Model, span: Span, reference: TokenStream, plan: Option<TokenStream>) -> TokenStream {
    let (Some(plan), p) = (plan, &model.runtime) else { return reference };
    quote_spanned!(span=> #p::Part::<_, #plan>::new(#reference).part())
}

/// References an expression that says what the key is; of a tuple, each element. An argument has the plan of its type.
fn by_plan(model: &Model, expr: &Expr, whole: bool) -> TokenStream {
    let span = here(expr.span());
    let part = match expr {
        Expr::Paren(e) => return by_plan(model, &e.expr, whole),
        Expr::Group(e) => return by_plan(model, &e.expr, whole),
        Expr::Reference(r) => return by_plan(model, &r.expr, whole),
        Expr::Tuple(tuple) => {
            let elements = tuple.elems.iter().map(|e| by_plan(model, e, false));
            return quote_spanned!(span=> &(#(#elements,)*));
        }
        Expr::Lit(_) => return by_reference(expr),
        Expr::Path(path) if let Some(param) = argument(model, path) => match plan::plan(model, &param.ty) {
            None => return by_reference(expr),
            plan => planned(model, span, by_reference(expr), plan),
        },
        other => {
            let (p, reference) = (&model.runtime, by_reference(other));
            quote_spanned!(span=> #p::Guess::new(#reference).part())
        }
    };
    if whole { quote!(&#part) } else { part }
}

fn argument<'a>(model: &'a Model, path: &ExprPath) -> Option<&'a Param> {
    let name = path.path.get_ident()?;
    model.plain_params().find(|param| param.ident == *name)
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
        let key = key(&Model::new(args, syn::parse_str(item).unwrap())).to_string().replace(' ', "");
        let leaf = "::chorde::__private::Part::<_,::chorde::__private::Leaf>::new";
        let guess = "::chorde::__private::Guess::new";
        key.replace(leaf, "LEAF").replace(guess, "LEAF").replace(".part()", "")
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
        assert_eq!(built("key = (self.tenant, id)", "fn f(&self, id: u8) {}"), "&(LEAF(&self.tenant),&id,)");
        assert_eq!(built("key = ((a, (b)), c + 1)", "fn f(a: u8, b: u8, c: u8) {}"), "&(&(&a,&b,),LEAF(&(c+1)),)");
        assert_eq!(built("key = (x)", "fn f(x: u8) {}"), "&x");
        assert_eq!(built("key = x.id()", "fn f<const N: usize>(x: u8) {}"), "&(&N,LEAF(&x.id()))");
        assert_eq!(built("key = if x { 1 } else { 2 }", "fn f(x: bool) {}"), "&LEAF(&(ifx{1}else{2}))");
    }

    #[test]
    fn what_may_be_an_enum_is_taken_by_plan() {
        assert_eq!(built("", "fn f(x: Id, y: &Id, z: u8) {}"), "&(LEAF(&x),LEAF(y),&z,)");
        assert_eq!(built("key = (x, 1)", "fn f(x: Id) {}"), "&(LEAF(&x),&1,)");
        assert_eq!(built("key = x", "fn f(x: Id) {}"), "&LEAF(&x)");
    }

    #[test]
    fn long_keys_are_nested() {
        let params: Vec<String> = (0..14).map(|i| format!("a{i}: u8")).collect();
        let key = built("", &format!("fn f({}) {{}}", params.join(",")));
        assert!(key.ends_with("&a10,(&a11,&a12,&a13,))"), "{key}");
    }
}
