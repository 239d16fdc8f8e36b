//! What a function returns, and what of it is stored: the whole, or what is `Ok` of a `Result`.
//!
//! Text does not tell an alias of `Result` from other types. Where the type can be a constant's argument, the compiler is
//! asked, and its answer makes the types of the companions. It cannot be one where it may speak of parameters of what is
//! around the function; there the function is taken to return no `Result`, and does not compile if it does.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned as _;
use syn::{GenericParam, ReturnType, Signature, Type, TypePath};

use crate::args::Args;
use crate::model::{Home, mentions};
use crate::quiet::{here, quiet};
use crate::types::{ResultShape, is_primitive, peel, result_shape};

/// How what is returned is taken apart.
pub(crate) enum Form {
    /// Not at all.
    Whole,
    /// As a `Result`, with errors of this type.
    Result(TokenStream),
    /// As the compiler finds by the type: a type that says what it has found.
    ByType(TokenStream),
    /// As the compiler finds by the type, where no type has to be written down.
    Found,
    /// Not at all, if the compiler does not find that it is a `Result`.
    Unsaid,
    /// A parameter of the function, which stands for anything: its author has to say.
    Anything,
}

/// What is returned, and which part of it is stored.
pub(crate) struct Outcome {
    /// R, the return type.
    pub(crate) whole: TokenStream,
    /// V, the type of the value that is cached.
    pub(crate) value: TokenStream,
    pub(crate) form: Form,
    pub(crate) primitive: bool,
}

impl Outcome {
    pub(crate) fn new(sig: &Signature, args: &Args, home: Home, runtime: &TokenStream) -> Self {
        let ReturnType::Type(_, ty) = &sig.output else {
            return Self { whole: quote!(()), value: quote!(()), form: Form::Whole, primitive: true };
        };
        let whole = quiet(ty.to_token_stream());
        let (value, form) = match (args.result.as_ref().map(|said| said.on), result_shape(ty)) {
            (Some(false), _) | (_, ResultShape::Never) => (whole.clone(), Form::Whole),
            (_, ResultShape::Full(ok, err)) => {
                (quiet(ok.to_token_stream()), Form::Result(quiet(err.to_token_stream())))
            }
            (said, shape) => {
                let is_named = matches!(shape, ResultShape::Named);
                let form = match said.is_some() || args.share_error.is_some() {
                    true => by_trait(&whole, ty, runtime),
                    false if home == Home::Inside && args.async_ttl.is_none() => found(sig, ty),
                    false => by_compiler(sig, ty, home, runtime, is_named),
                };
                (value(&whole, &form, ty, runtime), form)
            }
        };
        Self { whole, value, form, primitive: is_primitive(ty) }
    }

    /// The errors, if it is known to be a `Result`.
    pub(crate) fn error(&self) -> Option<&TokenStream> {
        if let Form::Result(error) = &self.form { Some(error) } else { None }
    }

    /// Tells whether the value's type is named by way of that of the result: it may be one that is named otherwise as well.
    pub(crate) fn is_projected(&self) -> bool {
        self.value.to_string().starts_with('<')
    }

    /// The type of how results are kept, if they are stored as they are.
    pub(crate) fn kept(&self, runtime: &TokenStream) -> TokenStream {
        let (p, whole) = (runtime, &self.whole);
        match &self.form {
            Form::Whole | Form::Anything => quote!(#p::Plain<#whole>),
            Form::Result(_) => quote!(#p::Fallible<#whole>),
            Form::ByType(known) => quote!(<#known as #p::Returned>::Shape),
            Form::Found | Form::Unsaid => quote!(#p::StoredWhole<#whole>),
        }
    }
}

fn value(whole: &TokenStream, form: &Form, ty: &Type, runtime: &TokenStream) -> TokenStream {
    match form {
        Form::Result(_) => {
            let is_result = is_result(ty, runtime);
            quote!(<#whole as #is_result>::Ok)
        }
        Form::ByType(known) => quote!(<#known as #runtime::Returned>::Value),
        _ => whole.clone(),
    }
}

/// A `Result` by what its author says, or by its name.
fn by_trait(whole: &TokenStream, ty: &Type, runtime: &TokenStream) -> Form {
    let is_result = is_result(ty, runtime);
    Form::Result(quote!(<#whole as #is_result>::Err))
}

fn is_result(ty: &Type, runtime: &TokenStream) -> TokenStream {
    quiet(quote_spanned!(ty.span()=> #runtime::IsResult))
}

/// Leaves it to the compiler where no type has to be written down.
fn found(sig: &Signature, ty: &Type) -> Form {
    if is_parameter(sig, ty) { Form::Anything } else { Form::Found }
}

/// Leaves it to the compiler, as far as that can be asked.
fn by_compiler(sig: &Signature, ty: &Type, home: Home, runtime: &TokenStream, is_named: bool) -> Form {
    let whole = quiet(ty.to_token_stream());
    if is_parameter(sig, ty) {
        return Form::Anything;
    }
    let is_generic = sig.generics.params.iter().filter_map(name).any(|name| mentions(&whole, name));
    let is_fixed = !is_generic && !mentions(&whole, &Ident::new("Self", Span::call_site()));
    match home {
        Home::Type | Home::Inside if is_fixed => Form::ByType(question(&whole, &TokenStream::new(), ty, runtime)),
        _ if is_named => by_trait(&whole, ty, runtime),
        _ if ends_in_result(ty) => match without_parameters(sig, whole) {
            Some((whole, stand_ins)) => Form::ByType(question(&whole, &stand_ins, ty, runtime)),
            None => Form::Unsaid,
        },
        _ => Form::Unsaid,
    }
}

/// The type whose argument is a question to the compiler.
fn question(whole: &TokenStream, stand_ins: &TokenStream, ty: &Type, runtime: &TokenStream) -> TokenStream {
    let span = here(ty.span());
    let returned = quiet(ty.to_token_stream());
    quote_spanned!(span=> #runtime::Known<#returned, {
        #stand_ins
        use #runtime::AnyKind as _;
        #runtime::Kind::<#whole>::IS_RESULT
            + #runtime::Kind::<#whole>::IS_SHARED
            + #runtime::Kind::<#whole>::IS_TOLD
    }>)
}

/// Stands for `Self`.
const STAND_IN: &str = "__ChordeSelf";

/// Declares a type for everything that may be a parameter, which a constant cannot speak of; what it stands for does not
/// change the answer. Not for what is found through a parameter, as `T::Out` is.
fn without_parameters(sig: &Signature, whole: TokenStream) -> Option<(TokenStream, TokenStream)> {
    let whole = without_self(whole);
    let (mut stand_ins, mut known) = (TokenStream::new(), Vec::new());
    for (ident, is_path) in idents(whole.clone()) {
        let own = sig.generics.params.iter().find(|param| name(param) == Some(&ident));
        let text = ident.to_string();
        let stand_in = match own {
            Some(GenericParam::Const(param)) => {
                let of = quiet(param.ty.to_token_stream());
                let value = match of.to_string().as_str() {
                    "bool" => quote!(false),
                    "char" => quote!('0'),
                    _ => quote!(0),
                };
                quote!(const #ident: #of = #value;)
            }
            None if text != STAND_IN && !is_like_a_parameter(&text) => continue,
            _ => quote!(#[allow(dead_code)] enum #ident {}),
        };
        if is_path {
            return None;
        }
        if !known.contains(&text) {
            stand_ins.extend(stand_in);
            known.push(text);
        }
    }
    Some((whole, stand_ins))
}

/// Tells whether a name follows the convention for type parameters: one letter, and perhaps a number.
fn is_like_a_parameter(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|c| c.is_ascii_uppercase()) && letters.all(|c| c.is_ascii_digit())
}

fn without_self(tokens: TokenStream) -> TokenStream {
    let one = |tree| match tree {
        TokenTree::Ident(ident) if ident == "Self" => Ident::new(STAND_IN, ident.span()).into(),
        TokenTree::Group(group) => {
            let mut copy = proc_macro2::Group::new(group.delimiter(), without_self(group.stream()));
            copy.set_span(group.span());
            copy.into()
        }
        other => other,
    };
    tokens.into_iter().map(one).collect()
}

/// Lists all names, and whether something is found through each: whether `::` or `as` follows.
fn idents(tokens: TokenStream) -> Vec<(Ident, bool)> {
    let mut found = Vec::new();
    let mut trees = tokens.into_iter().peekable();
    while let Some(tree) = trees.next() {
        match tree {
            TokenTree::Ident(ident) => {
                let is_path = match trees.peek() {
                    Some(TokenTree::Punct(next)) => next.as_char() == ':',
                    Some(TokenTree::Ident(next)) => next == "as",
                    _ => false,
                };
                found.push((ident, is_path));
            }
            TokenTree::Group(group) => found.extend(idents(group.stream())),
            _ => {}
        }
    }
    found
}

fn name(param: &GenericParam) -> Option<&Ident> {
    match param {
        GenericParam::Type(t) => Some(&t.ident),
        GenericParam::Const(c) => Some(&c.ident),
        GenericParam::Lifetime(_) => None,
    }
}

/// Tells whether a type is a parameter of the function, or what one names: `T`, `T::Out`, `<T as Load>::Out`.
fn is_parameter(sig: &Signature, ty: &Type) -> bool {
    let Type::Path(TypePath { qself, path, .. }) = peel(ty) else { return false };
    let first = match qself {
        Some(of) => return sig.generics.type_params().any(|t| mentions(&of.ty.to_token_stream(), &t.ident)),
        None => path.segments.first(),
    };
    first.is_some_and(|first| sig.generics.type_params().any(|t| t.ident == first.ident))
}

fn ends_in_result(ty: &Type) -> bool {
    match peel(ty) {
        Type::Path(path) => path.path.segments.last().is_some_and(|last| last.ident.to_string().ends_with("Result")),
        _ => false,
    }
}
