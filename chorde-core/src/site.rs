//! What there is of a cached function besides its code: its description, its counts, its flights, its namespaces, who wants
//! to hear of it. Untyped, so that generic functions and methods have one as well.

pub(crate) mod callbacks;
mod description;
mod failures;
mod instance;
mod instances;
mod live;
mod registry;
mod repeats;
mod values;

pub use description::{Description, Naming};
pub use instance::Tag;
pub use live::Site;
pub use registry::{FunctionInfo, InstanceInfo, functions};
pub use values::{
    AnyKind, Fallible, IsResult, IsSaid, Kind, Known, Maps, NoResult, Plain, Returned, Shape, Share, ShareClone,
    ShareDebug, ShareNone, ShareTold, SharedKind, Sharing, StoredWhole, ValueMap, stored_whole,
};

pub(crate) use instance::Instance;
pub(crate) use live::Hold;
