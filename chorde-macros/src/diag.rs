//! Collects mistakes, so that one build shows all of them.
//!
//! Every stage reports here and goes on; only the end decides whether to expand or to fall back.

use proc_macro2::{Span, TokenStream};
use quote::ToTokens;

/// The mistakes found so far.
#[derive(Debug, Default)]
pub(crate) struct Diag {
    errors: Option<syn::Error>,
    /// Set by mistakes in the signature: companions cannot be guessed then.
    signature: bool,
}

impl Diag {
    /// Records a mistake that covers `tokens`.
    pub(crate) fn at(&mut self, tokens: impl ToTokens, message: impl std::fmt::Display) {
        self.push(syn::Error::new_spanned(tokens, message));
    }

    /// Records a mistake at one place.
    pub(crate) fn span(&mut self, span: Span, message: impl std::fmt::Display) {
        self.push(syn::Error::new(span, message));
    }

    /// Records a mistake of the signature itself: what can't be cached as it is written.
    pub(crate) fn signature(&mut self, tokens: impl ToTokens, message: impl std::fmt::Display) {
        self.signature = true;
        self.at(tokens, message);
    }

    /// Records an error of the parser.
    pub(crate) fn push(&mut self, error: syn::Error) {
        match &mut self.errors {
            Some(errors) => errors.combine(error),
            None => self.errors = Some(error),
        }
    }

    /// Tells whether nothing was found.
    pub(crate) fn is_empty(&self) -> bool {
        self.errors.is_none()
    }

    /// Tells whether the signature itself is at fault.
    pub(crate) fn blames_signature(&self) -> bool {
        self.signature
    }

    /// Turns the mistakes into `compile_error!` calls, each at its place.
    pub(crate) fn into_tokens(self) -> TokenStream {
        self.errors.map(|e| e.to_compile_error()).unwrap_or_default()
    }

    /// Lists the messages, for tests.
    #[cfg(test)]
    pub(crate) fn messages(self) -> Vec<String> {
        self.errors.map(|e| e.into_iter().map(|e| e.to_string()).collect()).unwrap_or_default()
    }
}

/// Finds the candidate nearest to `word`, near enough to be what was meant.
pub(crate) fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = 1 + word.chars().count() / 4;
    candidates
        .into_iter()
        .map(|c| (distance(word, c), c))
        .filter(|(d, _)| *d <= limit)
        .min_by_key(|(d, _)| *d)
        .map(|(_, c)| c)
}

/// Counts insertions, deletions, substitutions and swaps of neighbours (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let differs = usize::from(a[i - 1] != b[j - 1]);
            let mut best = (rows[i - 1][j] + 1).min(row[j - 1] + 1).min(rows[i - 1][j - 1] + differs);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_swap_costs_one() {
        assert_eq!(distance("tll", "ttl"), 1);
        assert_eq!(distance("clinet", "client"), 1);
        assert_eq!(distance("", "abc"), 3);
    }

    #[test]
    fn far_words_are_not_suggested() {
        assert_eq!(nearest("tll", ["client", "ttl"]), Some("ttl"));
        assert_eq!(nearest("banana", ["client", "ttl"]), None);
    }
}
