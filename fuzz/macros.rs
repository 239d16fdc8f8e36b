//! The modules of chorde-macros, seen from an ordinary crate: one that is a macro cannot be linked. They name one another
//! from the root, so whoever includes this file imports all of it there.
#![allow(dead_code, reason = "each target uses a part")]

#[path = "../chorde-macros/src"]
mod inside {
    pub(crate) mod args;
    pub(crate) mod attrs;
    pub(crate) mod diag;
    pub(crate) mod duration;
    pub(crate) mod expand;
    pub(crate) mod fallback;
    pub(crate) mod fuzz;
    pub(crate) mod item;
    pub(crate) mod key;
    pub(crate) mod model;
    pub(crate) mod quiet;
    pub(crate) mod transform;
    pub(crate) mod types;
    pub(crate) mod valid;
}

pub(crate) use inside::*;
