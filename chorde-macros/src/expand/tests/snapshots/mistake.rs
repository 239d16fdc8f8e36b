::core::compile_error! {
    "`ttl` cannot be zero; give the life of a result, as in `ttl = 300`"
}
pub fn expensive(x: u64) -> f64 {
    compute(x)
}
///The companions of the cached function [`expensive`](fn@expensive).
#[allow(
    non_camel_case_types,
    missing_debug_implementations,
    clippy::empty_enums,
    clippy::upper_case_acronyms
)]
pub enum expensive {}
#[allow(dead_code, unused_variables, clippy::all, clippy::pedantic, clippy::nursery)]
impl expensive {
    ///As the plain call; without `async_ttl`, a result is due at half of its life.
    #[inline]
    pub fn bg(x: u64) -> f64 {
        ::core::panic!()
    }
    ///Looks; if nothing is there or it is due, computes in the background, and never waits for it.
    #[inline]
    pub fn lazy(x: u64) -> ::core::option::Option<f64> {
        ::core::panic!()
    }
    /**Computes now, whatever the cache holds, stores the result and returns it.

Calls that arrive while one computes share the next.*/
    #[inline]
    pub fn refresh(x: u64) -> f64 {
        ::core::panic!()
    }
    /**Computes in the background, whatever the cache holds. `Ok` says that the work is queued, or was before.

# Errors

`ErrorKind::Overloaded` when the queue of background work is full, so that nothing will be computed; `ErrorKind::Key` when the key cannot be serialised.*/
    #[inline]
    pub fn bg_refresh(x: u64) -> ::core::result::Result<(), ::chorde::__private::Error> {
        ::core::panic!()
    }
    /**Computes what is missing or due for many calls, a few at a time, and never more than it has room for.

Takes an iterator of arguments: tuples of them, or the argument itself where there is one. Returns a future that does nothing until it is awaited or waited for, and yields a report.*/
    #[inline]
    pub fn warm<'__chorde_i>(
        args: impl ::core::iter::IntoIterator<
            Item = u64,
            IntoIter: ::core::marker::Send + '__chorde_i,
        >,
    ) -> ::chorde::__private::Warm<'__chorde_i> {
        ::core::panic!()
    }
    ///Only looks; never computes.
    #[inline]
    pub fn peek(x: u64) -> ::core::option::Option<f64> {
        ::core::panic!()
    }
    /**Stores a value: the arguments first, the value last.

# Errors

As for `invalidate`.*/
    #[inline]
    pub fn put(
        x: u64,
        value: f64,
    ) -> ::core::result::Result<(), ::chorde::__private::Error> {
        ::core::panic!()
    }
    ///Looks at the value and its remaining life; shows a stale entry too, marked as such.
    #[inline]
    pub fn get_ttl(x: u64) -> ::core::option::Option<::chorde::__private::Entry<f64>> {
        ::core::panic!()
    }
    /**Removes the result of these arguments.

# Errors

`ErrorKind::Key` when the key cannot be serialised, and what the client reports.*/
    #[inline]
    pub fn invalidate(x: u64) -> ::core::result::Result<(), ::chorde::__private::Error> {
        ::core::panic!()
    }
    /**Marks the result of these arguments as stale, but keeps it.

# Errors

As for `invalidate`.*/
    #[inline]
    pub fn expire(x: u64) -> ::core::result::Result<(), ::chorde::__private::Error> {
        ::core::panic!()
    }
    ///The plain call, without blocking: on any executor, or `.wait()`.
    #[inline]
    pub fn future(x: u64) -> ::chorde::__private::CacheFuture<f64> {
        ::core::panic!()
    }
    ///Computes now, without blocking the caller.
    #[inline]
    pub fn future_refresh(x: u64) -> ::chorde::__private::CacheFuture<f64> {
        ::core::panic!()
    }
    ///As `lazy`, without blocking.
    #[inline]
    pub fn future_lazy(
        x: u64,
    ) -> ::chorde::__private::CacheFuture<::core::option::Option<f64>> {
        ::core::panic!()
    }
    ///Looks, without blocking.
    #[inline]
    pub fn future_peek(
        x: u64,
    ) -> ::chorde::__private::CacheFuture<::core::option::Option<f64>> {
        ::core::panic!()
    }
    ///Stores a value, without blocking.
    #[inline]
    pub fn future_put(
        x: u64,
        value: f64,
    ) -> ::chorde::__private::CacheFuture<
        ::core::result::Result<(), ::chorde::__private::Error>,
    > {
        ::core::panic!()
    }
    ///Looks at the value and its remaining life, without blocking.
    #[inline]
    pub fn future_get_ttl(
        x: u64,
    ) -> ::chorde::__private::CacheFuture<
        ::core::option::Option<::chorde::__private::Entry<f64>>,
    > {
        ::core::panic!()
    }
    ///Removes the result of these arguments, without blocking.
    #[inline]
    pub fn future_invalidate(
        x: u64,
    ) -> ::chorde::__private::CacheFuture<
        ::core::result::Result<(), ::chorde::__private::Error>,
    > {
        ::core::panic!()
    }
    ///Marks the result of these arguments as stale, without blocking.
    #[inline]
    pub fn future_expire(
        x: u64,
    ) -> ::chorde::__private::CacheFuture<
        ::core::result::Result<(), ::chorde::__private::Error>,
    > {
        ::core::panic!()
    }
    /**Forgets all results of this function, everywhere, and leaves the client's other entries alone.

# Errors

`ErrorKind::Unsupported` when the function has no namespace, and what the client reports.*/
    #[inline]
    pub fn clear() -> ::core::result::Result<(), ::chorde::__private::Error> {
        ::core::panic!()
    }
    ///Returns what tells the keys of this function from those of others.
    #[inline]
    pub fn namespace() -> ::std::string::String {
        ::core::panic!()
    }
    ///Returns the counters and times of this function so far.
    #[inline]
    pub fn stats() -> ::chorde::__private::Stats {
        ::core::panic!()
    }
    ///Sets the counters and times to zero.
    #[inline]
    pub fn reset_stats() {
        ::core::panic!()
    }
    ///Divides the histogram of computing times into `bins` of equal width up to `up_to`.
    #[inline]
    pub fn set_timing_bins(bins: usize, up_to: ::core::time::Duration) {
        ::core::panic!()
    }
    ///Calls back when a farther tier's entry is copied nearer: key, value, remaining life.
    #[inline]
    pub fn on_promote(
        callback: impl ::core::ops::Fn(
            &::chorde::__private::Key,
            &f64,
            ::core::time::Duration,
        ) + ::core::marker::Send + ::core::marker::Sync + 'static,
    ) {
        ::core::panic!()
    }
    /**Calls back after each successful computation, once, with the value and the arguments; never after a put or a hit.

A panic of the callback is counted and logged, and not seen by the function's caller. It may call the function and register others; one that goes on calling itself in that way is ended after some dozens of times, with a log.*/
    #[inline]
    pub fn on_value(
        callback: impl ::core::ops::Fn(
            &f64,
            &(u64,),
        ) + ::core::marker::Send + ::core::marker::Sync + 'static,
    ) {
        ::core::panic!()
    }
    ///Gives those who call during the first computation of a key what `make` makes of the arguments, until the computation ends. If that panics, they wait.
    #[inline]
    pub fn placeholder(
        callback: impl ::core::ops::Fn(
            &(u64,),
        ) -> f64 + ::core::marker::Send + ::core::marker::Sync + 'static,
    ) {
        ::core::panic!()
    }
    /**Returns the key of a call with these arguments.

# Errors

`ErrorKind::Key` when it cannot be serialised.*/
    #[inline]
    pub fn callkey(
        x: u64,
    ) -> ::core::result::Result<::chorde::__private::Key, ::chorde::__private::Error> {
        ::core::panic!()
    }
    ///Returns how long a result may be used.
    #[inline]
    pub fn ttl() -> ::core::time::Duration {
        ::core::panic!()
    }
    ///Returns when a result becomes due for a refresh in the background.
    #[inline]
    pub fn async_ttl() -> ::chorde::__private::RefreshPoint {
        ::core::panic!()
    }
}
