//! What the automatic namespace is made of, as far as the text of a function shows it.

use proc_macro2::{Literal, TokenStream, TokenTree};
use quote::ToTokens;
use syn::Pat;

use crate::model::{Model, Param};

/// The signature, as the namespace's hash takes it in: everything that says what an entry means.
///
/// That is the names and types of the arguments, what is left out of the key or goes into it instead, the type of the
/// result and how it is encoded, the ttl and the version.
pub(crate) fn signature(model: &Model) -> Literal {
    let generics: Vec<String> = model.type_params().chain(model.const_params()).map(ToString::to_string).collect();
    let generics = if generics.is_empty() { String::new() } else { format!("<{}>", generics.join(",")) };
    let arguments = model.plain_params().map(argument).collect::<Vec<_>>().join(",");
    let (args, whole) = (&model.args, dense(&model.outcome.whole));
    let ttl = args.ttl.as_ref().map_or_else(String::new, |t| t.nanos.map_or_else(|| dense(t), |n| n.to_string()));
    let version = args.version.as_ref().map_or_else(String::new, syn::LitStr::value);
    let mut text = format!("{generics}({arguments})->{whole};ttl={ttl};version={version}");
    for (name, expr) in [("key", &args.key), ("encode", &args.encode), ("decode", &args.decode)] {
        if let Some(expr) = expr {
            text.push_str(&format!(";{name}={}", spelled(expr.to_token_stream())));
        }
    }
    Literal::string(&text)
}

/// `name:type`, with a mark where the key leaves it out.
fn argument(param: &Param) -> String {
    let name = match &param.pattern {
        // `mut` and `ref` mean nothing to callers, any other pattern says what is what.
        Some(Pat::Ident(name)) if name.subpat.is_none() => name.ident.to_string(),
        Some(pattern) => dense(pattern),
        None => param.ident.to_string(),
    };
    let skipped = if param.skipped { "!" } else { "" };
    format!("{skipped}{name}:{}", dense(&param.ty))
}

/// A hash of the body and the client, for functions inside of bodies, whose names alone do not tell them apart.
pub(crate) fn body(model: &Model) -> Literal {
    let client = model.args.client.to_token_stream();
    let text = format!("{} {}", spelled(client), spelled(model.body.stream()));
    Literal::u64_unsuffixed(fnv1a(&text))
}

/// Writes tokens without any space.
fn dense(tokens: &impl ToTokens) -> String {
    tokens.to_token_stream().to_string().split_whitespace().collect()
}

/// Writes tokens with one space after each: by their text alone, however a compiler prints what is between them.
fn spelled(tokens: TokenStream) -> String {
    let mut text = String::new();
    spell(tokens, &mut text);
    text
}

fn spell(tokens: TokenStream, text: &mut String) {
    use proc_macro2::Delimiter::{Brace, Bracket, None, Parenthesis};
    for tree in tokens {
        let TokenTree::Group(group) = tree else {
            text.push_str(&tree.to_string());
            text.push(' ');
            continue;
        };
        let (open, close) = match group.delimiter() {
            Parenthesis => ("( ", ") "),
            Brace => ("{ ", "} "),
            Bracket => ("[ ", "] "),
            None => ("", ""),
        };
        text.push_str(open);
        spell(group.stream(), text);
        text.push_str(close);
    }
}

/// Hashes a text by FNV-1a with 64 bits (Fowler, Noll and Vo), the same in every build.
fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(attr: &str, item: &str) -> Model {
        let args = crate::args::Args::parse(attr.parse().unwrap(), &mut crate::diag::Diag::default());
        Model::new(args, syn::parse_str(item).unwrap())
    }

    fn signed(attr: &str, item: &str) -> String {
        let quoted = signature(&model(attr, item)).to_string();
        syn::parse_str::<syn::LitStr>(&quoted).unwrap().value()
    }

    #[test]
    fn names_and_order_of_the_arguments_count() {
        assert_eq!(signed("ttl = 1", "fn f() {}"), "()->();ttl=1000000000;version=");
        assert_eq!(
            signed("ttl = L, version = \"2\"", "fn f(from: u32, mut to: &str) -> u8 { 1 }"),
            "(from:u32,to:&str)->u8;ttl=L;version=2"
        );
        assert_eq!(signed("", "fn f(&self, (a, b): (u8, u8)) {}"), "((a,b):(u8,u8))->();ttl=;version=");
        assert_eq!(
            signed("", "fn f<'a, T: Copy, const N: usize>(x: &'a [T; N]) {}"),
            "<T,N>(x:&'a[T;N])->();ttl=;version="
        );
    }

    #[test]
    fn what_makes_the_key_and_the_stored_value_counts() {
        assert_eq!(signed("skip(b)", "fn f(a: u8, b: u8) {}"), "(a:u8,!b:u8)->();ttl=;version=");
        assert_eq!(signed("key = (a, \"x  y\")", "fn f(a: u8) {}"), "(a:u8)->();ttl=;version=;key=( a , \"x  y\" ) ");
        assert_eq!(
            signed("encode = pack, decode = my::unpack", "fn f() {}"),
            "()->();ttl=;version=;encode=pack ;decode=my : : unpack "
        );
    }

    #[test]
    fn the_body_counts_by_its_tokens() {
        let hash = |attr: &str, item: &str| body(&model(attr, item)).to_string();
        let base = hash("client = C", "fn f() -> u8 { a(\"b c\") + 1 }");
        assert_eq!(hash("client = C, ttl = 1", "fn other(x: u8) -> u8 {a (\"b c\")+1}"), base);
        assert_ne!(hash("client = D", "fn f() -> u8 { a(\"b c\") + 1 }"), base);
        assert_ne!(hash("client = C", "fn f() -> u8 { a(\"bc\") + 1 }"), base);
        assert_ne!(hash("client = C", "fn f() -> u8 { a[\"b c\"] + 1 }"), base);
    }
}
