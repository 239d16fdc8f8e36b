//! Looks at types as far as their text goes: what borrows, and how an argument is kept beyond the call.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::{
    GenericArgument, Generics, Path, PathArguments, ReturnType, Type, TypeParamBound, TypeReference, TypeTraitObject,
    WherePredicate,
};

/// The owned form of an unsized type.
pub(crate) struct Owned {
    pub(crate) ty: TokenStream,
    /// The T of `[T]`.
    pub(crate) element: Option<Type>,
}

/// How an argument becomes an owned value, and is lent again from it.
pub(crate) enum Holding {
    /// By value: moved.
    Value,
    /// `&str`, `&[T]`, `&Path`, ...: `to_owned`, lent by `&*x`.
    Unsized(Owned),
    /// `&T`: cloned, lent by `&x`.
    Ref(Type),
    /// `&mut T`: cloned, lent by `&mut x`.
    Mut(Type),
    /// `Option<&str>` and its like: lent by `as_deref`.
    OptionUnsized(Owned),
    /// `Option<&T>`: lent by `as_ref`.
    OptionRef(Type),
    /// Borrows in a way the text does not tell how to own.
    Borrowed,
}

impl Holding {
    /// Decides by the text of the type.
    pub(crate) fn of(ty: &Type) -> Self {
        let ty = peel(ty);
        if let Type::Reference(r) = ty {
            return Self::of_reference(r, Self::Unsized, if r.mutability.is_some() { Self::Mut } else { Self::Ref });
        }
        if let Some(Type::Reference(r)) = option_argument(ty)
            && r.mutability.is_none()
        {
            return Self::of_reference(r, Self::OptionUnsized, Self::OptionRef);
        }
        if first_borrow(ty).is_some() { Self::Borrowed } else { Self::Value }
    }

    fn of_reference(r: &TypeReference, dynamic: fn(Owned) -> Self, sized: fn(Type) -> Self) -> Self {
        if r.lifetime.as_ref().is_some_and(|l| l.ident == "static") && r.mutability.is_none() {
            return Self::Value;
        }
        let referent = peel(&r.elem);
        if first_borrow(referent).is_some() || matches!(referent, Type::TraitObject(_)) {
            return Self::Borrowed;
        }
        match owned_twin(referent) {
            Some(_) if r.mutability.is_some() => Self::Borrowed,
            Some(owned) => dynamic(owned),
            None => sized(referent.clone()),
        }
    }
}

/// Names the owned form of the unsized types everyone passes by reference.
fn owned_twin(ty: &Type) -> Option<Owned> {
    if let Type::Slice(slice) = ty {
        let element = &slice.elem;
        return Some(Owned { ty: quote!(::std::vec::Vec<#element>), element: Some((**element).clone()) });
    }
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last().filter(|s| path.qself.is_none() && s.arguments.is_none())?;
    let ty = match last.ident.to_string().as_str() {
        "str" => quote!(::std::string::String),
        "Path" => quote!(::std::path::PathBuf),
        "OsStr" => quote!(::std::ffi::OsString),
        "CStr" => quote!(::std::ffi::CString),
        _ => return None,
    };
    Some(Owned { ty, element: None })
}

/// Looks through parentheses and invisible groups.
pub(crate) fn peel(ty: &Type) -> &Type {
    match ty {
        Type::Paren(t) => peel(&t.elem),
        Type::Group(t) => peel(&t.elem),
        other => other,
    }
}

fn option_argument(ty: &Type) -> Option<&Type> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last().filter(|s| s.ident == "Option")?;
    match type_arguments(&last.arguments).as_slice() {
        [only] => Some(peel(only)),
        _ => None,
    }
}

fn type_arguments(arguments: &PathArguments) -> Vec<&Type> {
    let PathArguments::AngleBracketed(list) = arguments else { return Vec::new() };
    let types = list.args.iter().filter_map(|a| if let GenericArgument::Type(t) = a { Some(t) } else { None });
    types.collect()
}

/// What a return type says about `Result`.
pub(crate) enum ResultShape<'a> {
    /// `Result<T, E>`: both are written out.
    Full(&'a Type, &'a Type),
    /// `io::Result<T>` and the like: by name, with the rest hidden in an alias.
    Named,
    /// Another path: only the author can know.
    Unclear,
    /// A tuple, a reference, a number: certainly not.
    Never,
}

/// Reads the shape of a return type.
pub(crate) fn result_shape(ty: &Type) -> ResultShape<'_> {
    let path = match peel(ty) {
        Type::Path(path) => path,
        Type::Macro(_) | Type::Verbatim(_) => return ResultShape::Unclear,
        _ => return ResultShape::Never,
    };
    match path.path.segments.last() {
        Some(last) if last.ident == "Result" && path.qself.is_none() => {
            match type_arguments(&last.arguments).as_slice() {
                [ok, err] => ResultShape::Full(ok, err),
                _ => ResultShape::Named,
            }
        }
        _ if is_primitive(ty) || is_well_known(&path.path) => ResultShape::Never,
        _ => ResultShape::Unclear,
    }
}

/// Tells whether a path is that of a type of the standard library that everyone knows, and that is no `Result`.
fn is_well_known(path: &Path) -> bool {
    const KNOWN: [&str; 16] = [
        "String", "Vec", "Option", "Box", "Arc", "Rc", "Cow", "HashMap", "HashSet", "BTreeMap", "BTreeSet", "VecDeque",
        "PathBuf", "OsString", "CString", "Duration",
    ];
    let (Some(first), Some(last)) = (path.segments.first(), path.segments.last()) else { return false };
    let is_std = path.segments.len() == 1 || ["std", "core", "alloc"].iter().any(|name| first.ident == name);
    is_std && KNOWN.iter().any(|name| last.ident == name)
}

/// Tells whether the type is one of the language's scalars or `()`.
pub(crate) fn is_primitive(ty: &Type) -> bool {
    match peel(ty) {
        Type::Tuple(t) => t.elems.is_empty(),
        Type::Path(p) if p.qself.is_none() => p.path.get_ident().is_some_and(|i| is_scalar(&i.to_string())),
        _ => false,
    }
}

fn is_scalar(name: &str) -> bool {
    const SCALARS: [&str; 16] = [
        "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128", "isize", "f32", "f64", "bool",
        "char",
    ];
    SCALARS.contains(&name)
}

/// Names the bounds of a type parameter, wherever they are written: traits, and lifetimes such as `'static`.
pub(crate) fn bounds(generics: &Generics, name: &Ident) -> Vec<String> {
    let inline = generics.type_params().filter(|t| t.ident == *name).flat_map(|t| t.bounds.iter());
    let clauses = generics.where_clause.iter().flat_map(|w| w.predicates.iter());
    let clauses = clauses.filter_map(|p| if let WherePredicate::Type(t) = p { Some(t) } else { None });
    let is_about = |ty: &Type| matches!(ty, Type::Path(path) if path.path.is_ident(name));
    let clauses = clauses.filter(|t| is_about(&t.bounded_ty)).flat_map(|t| t.bounds.iter());
    inline.chain(clauses).map(bound_name).collect()
}

fn bound_name(bound: &TypeParamBound) -> String {
    match bound {
        TypeParamBound::Trait(t) => t.path.segments.last().map(|s| s.ident.to_string()).unwrap_or_default(),
        TypeParamBound::Lifetime(l) => l.to_string(),
        _ => String::new(),
    }
}

/// Finds the first place where a type borrows for less than `'static`, as far as its text tells.
pub(crate) fn first_borrow(ty: &Type) -> Option<TokenStream> {
    match ty {
        Type::Reference(r) => match &r.lifetime {
            Some(l) if l.ident == "static" => first_borrow(&r.elem),
            _ => Some(r.to_token_stream()),
        },
        Type::Array(t) => first_borrow(&t.elem),
        Type::Slice(t) => first_borrow(&t.elem),
        Type::Paren(t) => first_borrow(&t.elem),
        Type::Group(t) => first_borrow(&t.elem),
        Type::Ptr(t) => first_borrow(&t.elem),
        Type::Tuple(t) => t.elems.iter().find_map(first_borrow),
        Type::Path(t) => t.qself.as_ref().and_then(|q| first_borrow(&q.ty)).or_else(|| borrow_in_path(&t.path)),
        Type::TraitObject(t) => borrow_in_bounds(t.bounds.iter()),
        Type::ImplTrait(t) => borrow_in_bounds(t.bounds.iter()),
        // References in `fn(&T)` belong to its callers.
        _ => None,
    }
}

fn borrow_in_path(path: &Path) -> Option<TokenStream> {
    path.segments.iter().find_map(|segment| match &segment.arguments {
        PathArguments::AngleBracketed(list) => {
            let is_elided = segment.ident == "Cow" && !matches!(list.args.first(), Some(GenericArgument::Lifetime(_)));
            let found = list.args.iter().find_map(borrow_in_argument);
            found.or_else(|| is_elided.then(|| segment.to_token_stream()))
        }
        PathArguments::Parenthesized(list) => match &list.output {
            ReturnType::Type(_, ty) => first_borrow(ty).filter(|_| list.inputs.is_empty()),
            ReturnType::Default => None,
        },
        PathArguments::None => (segment.ident == "Cow").then(|| segment.to_token_stream()),
    })
}

fn borrow_in_argument(argument: &GenericArgument) -> Option<TokenStream> {
    match argument {
        GenericArgument::Lifetime(l) => (l.ident != "static").then(|| l.to_token_stream()),
        GenericArgument::Type(t) => first_borrow(t),
        GenericArgument::AssocType(t) => first_borrow(&t.ty),
        GenericArgument::Constraint(c) => borrow_in_bounds(c.bounds.iter()),
        _ => None,
    }
}

fn borrow_in_bounds<'a>(mut bounds: impl Iterator<Item = &'a TypeParamBound>) -> Option<TokenStream> {
    bounds.find_map(|bound| match bound {
        TypeParamBound::Lifetime(l) => (l.ident != "static").then(|| l.to_token_stream()),
        // Arguments of `for<'a> Fn(&'a T)` belong to its callers.
        TypeParamBound::Trait(t) => borrow_in_path(&t.path).filter(|_| t.lifetimes.is_none()),
        _ => None,
    })
}

/// Finds an `impl Trait` or a `dyn Future` anywhere in a return type: what cannot be kept in a cache.
pub(crate) fn opaque(ty: &Type) -> Option<TokenStream> {
    match ty {
        Type::ImplTrait(t) => Some(t.to_token_stream()),
        Type::TraitObject(t) => {
            let future = t.bounds.iter().any(|b| matches!(b, TypeParamBound::Trait(t) if ends_in(&t.path, "Future")));
            future.then(|| ty.to_token_stream())
        }
        Type::Array(t) => opaque(&t.elem),
        Type::Paren(t) => opaque(&t.elem),
        Type::Group(t) => opaque(&t.elem),
        Type::Reference(t) => opaque(&t.elem),
        Type::Tuple(t) => t.elems.iter().find_map(opaque),
        Type::Path(t) => t.path.segments.iter().flat_map(|s| type_arguments(&s.arguments)).find_map(opaque),
        _ => None,
    }
}

/// Finds what is certain to be no value of a cache, which is copied and goes from thread to thread; with what to write instead.
pub(crate) fn no_value(ty: &Type) -> Option<(TokenStream, &'static str)> {
    const ARC: &str = "an `Arc<dyn Trait + Send + Sync>`";
    match ty {
        Type::Paren(t) => no_value(&t.elem),
        Type::Group(t) => no_value(&t.elem),
        Type::Array(t) => no_value(&t.elem),
        Type::Tuple(t) => t.elems.iter().find_map(no_value),
        Type::Path(t) => {
            let last = t.path.segments.last()?;
            let arguments = type_arguments(&last.arguments);
            let object = arguments.first().and_then(|ty| bare_object(ty)).filter(|object| is_of_std(object));
            match (last.ident.to_string().as_str(), object) {
                ("Rc", _) => Some((last.to_token_stream(), "an `Arc`")),
                ("Box", Some(_)) => Some((last.to_token_stream(), ARC)),
                ("Arc", Some(object)) if !is_shared(object) => Some((last.to_token_stream(), ARC)),
                _ => arguments.into_iter().find_map(no_value),
            }
        }
        _ => None,
    }
}

/// Tells whether a trait object is of the standard library's traits alone, which ask for neither `Clone` nor `Send`.
fn is_of_std(object: &TypeTraitObject) -> bool {
    const KNOWN: [&str; 10] = ["Fn", "FnMut", "FnOnce", "Any", "Debug", "Display", "Error", "Iterator", "Send", "Sync"];
    object.bounds.iter().all(|bound| match bound {
        TypeParamBound::Trait(t) => KNOWN.iter().any(|name| ends_in(&t.path, name)),
        _ => true,
    })
}

fn is_shared(object: &TypeTraitObject) -> bool {
    ["Send", "Sync"].into_iter().all(|name| {
        object.bounds.iter().any(|bound| matches!(bound, TypeParamBound::Trait(t) if ends_in(&t.path, name)))
    })
}

/// Finds a trait object that is neither borrowed nor boxed. One that is written as bounds alone, such as `A +`, may not stand
/// wherever a type may.
pub(crate) fn bare_object(ty: &Type) -> Option<&TypeTraitObject> {
    match peel(ty) {
        Type::TraitObject(object) => Some(object),
        _ => None,
    }
}

fn ends_in(path: &Path, name: &str) -> bool {
    path.segments.last().is_some_and(|s| s.ident == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holding(source: &str) -> String {
        let name = match Holding::of(&syn::parse_str(source).unwrap()) {
            Holding::Value => "Value",
            Holding::Unsized(_) => "Unsized",
            Holding::Ref(_) => "Ref",
            Holding::Mut(_) => "Mut",
            Holding::OptionUnsized(_) => "OptionUnsized",
            Holding::OptionRef(_) => "OptionRef",
            Holding::Borrowed => "Borrowed",
        };
        name.to_owned()
    }

    fn borrows(source: &str) -> bool {
        first_borrow(&syn::parse_str(source).unwrap()).is_some()
    }

    #[test]
    fn holdings_follow_the_text() {
        for (source, expected) in [
            ("u64", "Value"),
            ("Vec<String>", "Value"),
            ("&str", "Unsized"),
            ("&'a [u8]", "Unsized"),
            ("&std::path::Path", "Unsized"),
            ("&'static str", "Value"),
            ("&Request", "Ref"),
            ("&mut Connection", "Mut"),
            ("Option<&str>", "OptionUnsized"),
            ("::core::option::Option<&Request>", "OptionRef"),
            ("Option<u64>", "Value"),
            ("&&str", "Borrowed"),
            ("&dyn Load", "Borrowed"),
            ("&mut [u8]", "Borrowed"),
            ("Cow<'_, str>", "Borrowed"),
            ("Box<dyn Fn(&str) -> u8>", "Value"),
            ("fn(&str) -> &str", "Value"),
        ] {
            assert_eq!(holding(source), expected, "{source}");
        }
    }

    #[test]
    fn borrows_are_found_at_any_depth() {
        assert!(
            borrows("Cow<str>")
                && borrows("(u8, Vec<&str>)")
                && borrows("Foo<'a>")
                && borrows("[&u8; 3]")
                && borrows("Box<dyn Any + '_>")
        );
        assert!(!borrows("Arc<str>") && !borrows("&'static [&'static str]") && !borrows("Cow<'static, str>"));
    }

    #[test]
    fn what_is_no_value_is_found() {
        let found = |source: &str| no_value(&syn::parse_str(source).unwrap()).is_some();
        assert!(found("Rc<u8>") && found("Option<Box<dyn Fn(u8) -> u8>>") && found("(u8, Arc<dyn Debug + Send>)"));
        assert!(!found("Arc<dyn Debug + Send + Sync>") && !found("Box<dyn Shape>") && !found("Arc<dyn Shape>"));
    }

    #[test]
    fn opaque_results_are_found() {
        let found = |source: &str| opaque(&syn::parse_str(source).unwrap()).is_some();
        assert!(
            found("impl Iterator<Item = u8>")
                && found("Option<impl Fn()>")
                && found("Pin<Box<dyn Future<Output = u8>>>")
        );
        assert!(!found("Arc<dyn Display>"));
    }
}
