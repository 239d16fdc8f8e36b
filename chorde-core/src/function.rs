//! A cached function as seen from its call site: what `#[cached]` emits calls into this.

mod arguments;
pub(crate) mod callbacks;
mod companions;
mod instance;
mod registry;
mod site;
mod values;

pub use arguments::{Clonable, Keep, KeepClone, KeepNone, Movable};
pub use companions::{At, Looked, Prepared, Slow, no_behind, no_echo};
pub use registry::{FunctionInfo, functions};
pub use site::{Description, Naming, Site};
pub use values::{Fallible, IsResult, Plain, Shape, Share, ShareClone, ShareNone, Sharing, ValueMap};

pub(crate) use site::Live;
