//! What is counted in a file.

use std::fmt;
use std::ops::AddAssign;
use std::path::Path;

use serde::{Deserialize, Serialize};
use syn::visit::{self, Visit};

/// The value that is cached.
#[derive(Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Counts {
    items: u64,
    functions: u64,
    unsafe_blocks: u64,
}

impl Counts {
    /// Parses a file and counts.
    pub(crate) fn of_file(path: &Path) -> Result<Self, crate::Failure> {
        let mut counts = Self::default();
        counts.visit_file(&syn::parse_file(&std::fs::read_to_string(path)?)?);
        Ok(counts)
    }
}

impl<'ast> Visit<'ast> for Counts {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        self.items += 1;
        visit::visit_item(self, item);
    }

    fn visit_signature(&mut self, signature: &'ast syn::Signature) {
        self.functions += 1;
        visit::visit_signature(self, signature);
    }

    fn visit_expr_unsafe(&mut self, block: &'ast syn::ExprUnsafe) {
        self.unsafe_blocks += 1;
        visit::visit_expr_unsafe(self, block);
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, more: Self) {
        self.items += more.items;
        self.functions += more.functions;
        self.unsafe_blocks += more.unsafe_blocks;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} items, {} functions, {} unsafe blocks", self.items, self.functions, self.unsafe_blocks)
    }
}
