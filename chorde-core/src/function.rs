//! A cached function as seen from its call site: what `#[cached]` emits calls into this.
//!
//! A plain function is described once, by a type of its own that implements [`Function`] and one of [`Compute`] and
//! [`AsyncCompute`]; everything else is here, written once for all: [`calls`] what the function and its companions do,
//! [`Companions`] and [`AsyncCompanions`] the names they have. Methods and generic functions, which have no type that could
//! be described, come with code of their own around [`At`]: `now` and `sent` keep what that code has to say short.

mod arguments;
mod at;
pub mod calls;
mod companions;
mod now;
mod parts;
mod sent;

pub use arguments::{AllMovable, Clonable, Keep, KeepClone, KeepNone, Movable, MovableValue};
pub use at::{At, Looked, Prepared, Slow, no_behind, no_echo};
pub use companions::{AsyncCompanions, Companions};
pub use parts::{AsyncCompute, Boxed, Compute, Crossing, Function, Seen};
