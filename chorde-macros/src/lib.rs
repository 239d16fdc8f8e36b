//! `#[cached]`: the attribute behind the `chorde` crate. Use it through `chorde`, which holds the runtime it emits paths to.
//!
//! Tokens in, tokens out; nothing here depends on the runtime. The stages, in the order in which a function passes them:
//!
//! | module | what it does |
//! |---|---|
//! | `transform` | leads through all that follow |
//! | `args`, `duration` | read the arguments of the attribute, tolerantly, by one table |
//! | `item` | reads the function, with its body as raw tokens |
//! | `attrs`, `types`, `outcome`, `model` | share out the other attributes; look at types as far as their text goes; say what of the result is stored; put it all together |
//! | `valid` | rejects what can't work, naming the mend |
//! | `key` | builds the expression of the key |
//! | `expand` | emits the function, its description, its policy and its companions |
//! | `diag`, `fallback` | collect all mistakes; emit the plain function after one |
//! | `format` | finds the names in format strings |
//! | `quiet` | keeps lints about the user's signature away from its copies |
#![forbid(unsafe_code)]

mod args;
mod attrs;
mod diag;
mod duration;
mod expand;
mod fallback;
mod format;
#[cfg(test)]
mod fuzz;
mod item;
mod key;
mod model;
mod outcome;
mod quiet;
mod transform;
mod types;
mod valid;

/// Re-exported, and documented, by the crate `chorde`.
#[proc_macro_attribute]
pub fn cached(attr: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let column = proc_macro::Span::call_site().start().column();
    transform::transform(attr.into(), &item.into(), column).into()
}
