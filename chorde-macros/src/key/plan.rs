//! Reads from the text of a type how a value of it is serialised as part of a key: where serde may say too little.
//!
//! Serde does not say which variant of an `untagged` enum a value is, nor that a set has no order. A plan names, in types of
//! the runtime, the places of an argument where that may be so. Names may mean other types than the usual ones: then the
//! runtime does not follow the plan.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Expr, ExprLit, GenericArgument, Lit, PathArguments, Type, TypeArray, TypePath};

use crate::model::Model;
use crate::types::{is_primitive, peel};

/// Types of the standard library of which serde says all, and whose names nobody takes for types of their own.
const TOLD: [&str; 2] = ["str", "String"];

/// Sets without an order; others whose names end so may have one that counts.
const UNORDERED: [&str; 5] = ["HashSet", "AHashSet", "FxHashSet", "FnvHashSet", "IndexSet"];

/// The runtime has plans for tuples of up to this number of elements.
const TUPLE: usize = 8;

/// Makes the plan for a type; `None` if serde says all there is.
pub(super) fn plan(model: &Model, ty: &Type) -> Option<TokenStream> {
    let p = &model.runtime;
    match peel(ty) {
        Type::Reference(r) => plan(model, &r.elem).map(|inner| quote!(#p::Through<#inner>)),
        Type::Slice(slice) => of_slice(model, &slice.elem),
        Type::Array(array) if is_known_to_serde(array) => {
            plan(model, &array.elem).map(|inner| quote!(#p::Arrayed<#inner>))
        }
        // Said like a slice.
        Type::Array(array) => {
            let element = or_whole(model, plan(model, &array.elem));
            Some(quote!(#p::Listed<#element>))
        }
        Type::Tuple(tuple) => {
            let plans: Vec<_> = tuple.elems.iter().map(|element| plan(model, element)).collect();
            let is_planned = plans.len() <= TUPLE && plans.iter().any(Option::is_some);
            let plans = plans.into_iter().map(|inner| or_whole(model, inner));
            is_planned.then(|| quote!((#(#plans,)*)))
        }
        Type::Path(path) if !is_primitive(ty) => of_path(model, path),
        Type::ImplTrait(_) | Type::Macro(_) => Some(leaf(model)),
        _ => None,
    }
}

/// Serde knows arrays of up to 32 elements, of a length that is no parameter.
fn is_known_to_serde(array: &TypeArray) -> bool {
    match &array.len {
        Expr::Lit(ExprLit { lit: Lit::Int(length), .. }) => {
            length.base10_parse::<usize>().is_ok_and(|length| length <= 32)
        }
        _ => false,
    }
}

/// Makes the plan for a slice of such elements.
pub(super) fn of_slice(model: &Model, element: &Type) -> Option<TokenStream> {
    let p = &model.runtime;
    plan(model, element).map(|inner| quote!(#p::Listed<#inner>))
}

/// The plan for what may be an enum.
pub(super) fn leaf(model: &Model) -> TokenStream {
    let p = &model.runtime;
    quote!(#p::Leaf)
}

fn or_whole(model: &Model, plan: Option<TokenStream>) -> TokenStream {
    let p = &model.runtime;
    plan.unwrap_or_else(|| quote!(#p::Whole))
}

fn of_path(model: &Model, path: &TypePath) -> Option<TokenStream> {
    let p = &model.runtime;
    let Some(last) = path.path.segments.last().filter(|_| path.qself.is_none()) else { return Some(leaf(model)) };
    let (name, arguments) = (last.ident.to_string(), type_arguments(&last.arguments));
    let inner = |at: usize| arguments.get(at).and_then(|ty| plan(model, ty));
    if UNORDERED.contains(&&*name) {
        let element = or_whole(model, inner(0));
        return Some(quote!(#p::Unordered<#element>));
    }
    let is_map = name.ends_with("HashMap") || name == "BTreeMap" || name == "IndexMap";
    match (name.as_str(), arguments.len()) {
        (told, 0) if TOLD.contains(&told) => None,
        ("Option", 1) => inner(0).map(|inner| quote!(#p::Opt<#inner>)),
        // Serde knows them with a feature only.
        ("Arc" | "Rc", 1) => {
            let inner = or_whole(model, inner(0));
            Some(quote!(#p::Through<#inner>))
        }
        ("Box" | "Cow", 1) => inner(0).map(|inner| quote!(#p::Through<#inner>)),
        ("Vec" | "VecDeque" | "LinkedList" | "BTreeSet", 1) => inner(0).map(|inner| quote!(#p::Listed<#inner>)),
        (_, 2..) if is_map => match (inner(0), inner(1)) {
            (None, None) => None,
            (key, value) => {
                let (key, value) = (or_whole(model, key), or_whole(model, value));
                Some(quote!(#p::Keyed<#key, #value>))
            }
        },
        _ => Some(leaf(model)),
    }
}

fn type_arguments(arguments: &PathArguments) -> Vec<&Type> {
    let PathArguments::AngleBracketed(list) = arguments else { return Vec::new() };
    list.args.iter().filter_map(|a| if let GenericArgument::Type(t) = a { Some(t) } else { None }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(source: &str) -> String {
        let item = syn::parse_str(&format!("fn f(x: {source}) {{}}")).unwrap();
        let args = crate::args::Args::parse(TokenStream::new(), &mut crate::diag::Diag::default());
        let model = Model::new(args, item);
        let plan = plan(&model, &model.params[0].ty);
        plan.map_or_else(
            || "-".to_owned(),
            |plan| plan.to_string().replace(' ', "").replace("::chorde::__private::", ""),
        )
    }

    #[test]
    fn what_serde_tells_needs_no_plan() {
        for source in [
            "u64",
            "bool",
            "()",
            "&str",
            "String",
            "&[u8]",
            "Vec<String>",
            "Option<&str>",
            "(u8, Option<char>)",
            "&[[u8; 4]]",
            "HashMap<String, Vec<u8>>",
            "Cow<'_, str>",
            "&dyn Load",
            "BTreeSet<u8>",
        ] {
            assert_eq!(planned(source), "-", "{source}");
        }
    }

    #[test]
    fn plans_lead_to_what_may_be_an_enum_and_to_sets() {
        for (source, expected) in [
            ("Id", "Leaf"),
            ("T", "Leaf"),
            ("Filter<Id>", "Leaf"),
            ("impl Load", "Leaf"),
            ("<T as Load>::Id", "Leaf"),
            ("&&Id", "Through<Through<Leaf>>"),
            ("Option<Id>", "Opt<Leaf>"),
            ("std::option::Option<&Id>", "Opt<Through<Leaf>>"),
            ("&[Id]", "Through<Listed<Leaf>>"),
            ("Vec<Option<Id>>", "Listed<Opt<Leaf>>"),
            ("[Id; 2]", "Arrayed<Leaf>"),
            ("[u8; 33]", "Listed<Whole>"),
            ("[u8; N]", "Listed<Whole>"),
            ("Option<&[[u8; 64]; 2]>", "Opt<Through<Arrayed<Listed<Whole>>>>"),
            ("(u8, Id)", "(Whole,Leaf,)"),
            ("Arc<Id>", "Through<Leaf>"),
            ("Arc<str>", "Through<Whole>"),
            ("HashSet<u8>", "Unordered<Whole>"),
            ("&ahash::AHashSet<Id>", "Through<Unordered<Leaf>>"),
            ("Option<std::collections::HashSet<String>>", "Opt<Unordered<Whole>>"),
            ("HashMap<String, HashSet<u8>>", "Keyed<Whole,Unordered<Whole>>"),
            ("BTreeMap<Id, u8, A>", "Keyed<Leaf,Whole>"),
        ] {
            assert_eq!(planned(source), expected, "{source}");
        }
    }
}
