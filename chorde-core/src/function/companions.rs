//! The companions of plain functions: what `expensive::peek` and its like are.

mod asynchronous;
mod plain;

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use super::calls;
use super::parts::Function;
use crate::key::Key;
use crate::policy::RefreshPoint;
use crate::site::ValueMap;
use crate::stats::Stats;

/// Holds the companions of a cached function as its associated functions.
///
/// `#[cached]` makes the name of a plain function an alias of this type as well: `expensive(1)` calls the function, and
/// `expensive::peek(1)` looks at its cache. The companions are listed once for each number of arguments up to eight: `A`,
/// `B` and so on are the types of the arguments as they are written, the tuple has them as they are owned, `F` stands for
/// the function and `M` for how its results are kept. There are no values of this type.
///
/// Methods, generic functions and those with more arguments have the same companions, as functions of their own.
pub struct Companions<F, M, O>(PhantomData<fn(F, M, O)>);

/// Holds the companions of a cached asynchronous function as its associated functions.
///
/// As [`Companions`] has them; asynchronous where the cache may have to be waited for.
pub struct AsyncCompanions<F, M, O>(PhantomData<fn(F, M, O)>);

/// Emits what both have, and what does not depend on the number of arguments.
macro_rules! whole {
    ($type:ident) => {
        impl<F, M: ValueMap, O> $type<F, M, O> {
            /// Returns the counters and times of this function so far.
            #[must_use]
            pub fn stats<A>() -> Stats
            where
                F: Function<A, M, O>,
            {
                F::site().stats()
            }

            /// Sets the counters and times to zero.
            pub fn reset_stats<A>()
            where
                F: Function<A, M, O>,
            {
                F::site().reset_stats();
            }

            /// Divides the histogram of computing times into `bins` of equal width up to `up_to`.
            pub fn set_timing_bins<A>(bins: usize, up_to: Duration)
            where
                F: Function<A, M, O>,
            {
                F::site().set_timing_bins(bins, up_to);
            }

            /// Calls back after each successful computation, once, with the value and the arguments; never after a put
            /// or a hit.
            ///
            /// A panic of the callback is counted and logged, and not seen by the function's caller. It may call the function and
            /// register others; one that goes on calling itself in that way is ended after some dozens of times, with a log.
            pub fn on_value<A>(callback: impl Fn(&M::Value, &O) + Send + Sync + 'static)
            where
                F: Function<A, M, O>,
                O: Clone + 'static,
            {
                F::site().copies::<O>();
                F::site().on_value::<M::Value, O>(callback);
            }

            /// Calls back when a farther tier's entry is copied nearer: key, value, remaining life.
            pub fn on_promote<A>(callback: impl Fn(&Key, &M::Value, Duration) + Send + Sync + 'static)
            where
                F: Function<A, M, O>,
            {
                F::site().on_promote::<M::Value>(callback);
            }

            /// Gives those who call during the first computation of a key what `make` makes of the arguments, until the
            /// computation ends. If that panics, they wait.
            pub fn placeholder<A>(make: impl Fn(&O) -> M::Value + Send + Sync + 'static)
            where
                F: Function<A, M, O>,
                O: Clone + 'static,
            {
                F::site().copies::<O>();
                F::site().placeholder::<M::Value, O>(make);
            }

            /// Returns what tells the keys of this function from those of others.
            #[must_use]
            pub fn namespace<A>() -> String
            where
                F: Function<A, M, O>,
            {
                calls::namespace::<F, A, M, O>()
            }

            /// Returns how long a result may be used.
            #[must_use]
            pub fn ttl<A>() -> Duration
            where
                F: Function<A, M, O>,
            {
                F::POLICY.ttl()
            }

            /// Returns when a result becomes due for a refresh in the background.
            #[must_use]
            pub fn async_ttl<A>() -> RefreshPoint
            where
                F: Function<A, M, O>,
            {
                F::POLICY.refresh()
            }
        }

        impl<F, M, O> fmt::Debug for $type<F, M, O> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($type))
            }
        }
    };
}

whole!(Companions);
whole!(AsyncCompanions);

/// Calls a macro once for each number of arguments that a function with companions of this kind can have: with a name, the
/// type as written, and the owned type of each.
macro_rules! each_count {
    ($emit:ident) => {
        $emit!();
        $emit!(a A OwnA);
        $emit!(a A OwnA, b B OwnB);
        $emit!(a A OwnA, b B OwnB, c C OwnC);
        $emit!(a A OwnA, b B OwnB, c C OwnC, d D OwnD);
        $emit!(a A OwnA, b B OwnB, c C OwnC, d D OwnD, e E OwnE);
        $emit!(a A OwnA, b B OwnB, c C OwnC, d D OwnD, e E OwnE, g G OwnG);
        $emit!(a A OwnA, b B OwnB, c C OwnC, d D OwnD, e E OwnE, g G OwnG, h H OwnH);
        $emit!(a A OwnA, b B OwnB, c C OwnC, d D OwnD, e E OwnE, g G OwnG, h H OwnH, i I OwnI);
    };
}
use each_count;
