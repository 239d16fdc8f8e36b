//! A cached function as seen from its call site: what `#[cached]` emits calls into this.

mod arguments;
mod companions;
mod sent;

pub use arguments::{Clonable, Keep, KeepClone, KeepNone, Movable};
pub use companions::{At, Looked, Prepared, Slow, no_behind, no_echo};
