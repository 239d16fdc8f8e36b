/// Slow.
#[must_use]
/**

# Caching

A result is used for 5 min, and recomputed in the background from the age of 1 min on. Its key is `x` and `name`.

Companions: [`bg`](expensive::bg), [`lazy`](expensive::lazy), [`refresh`](expensive::refresh), [`bg_refresh`](expensive::bg_refresh), [`peek`](expensive::peek), [`put`](expensive::put), [`get_ttl`](expensive::get_ttl), [`invalidate`](expensive::invalidate), [`expire`](expensive::expire), [`future`](expensive::future), [`future_refresh`](expensive::future_refresh), [`future_lazy`](expensive::future_lazy), [`future_peek`](expensive::future_peek), [`future_put`](expensive::future_put), [`future_get_ttl`](expensive::future_get_ttl), [`future_invalidate`](expensive::future_invalidate), [`future_expire`](expensive::future_expire), [`clear`](expensive::clear), [`namespace`](expensive::namespace), [`stats`](expensive::stats), [`reset_stats`](expensive::reset_stats), [`set_timing_bins`](expensive::set_timing_bins), [`on_promote`](expensive::on_promote), [`on_value`](expensive::on_value), [`placeholder`](expensive::placeholder), [`callkey`](expensive::callkey), [`ttl`](expensive::ttl), [`async_ttl`](expensive::async_ttl), [`uncached`](expensive::uncached).*/
#[allow(clippy::significant_drop_tightening)]
pub fn expensive(x: u64, name: &str) -> f64 {
    let __chorde_client = &CACHE;
    let __chorde_at = ::chorde::__private::At::new(
        expensive::__chorde_site(),
        &[],
        __chorde_client,
        ::chorde::__private::Plain::<f64>::new(),
        &expensive::__CHORDE_POLICY,
    );
    let __chorde_looked = __chorde_at.look(&(&x, name));
    match __chorde_looked {
        ::chorde::__private::Looked::Hit(__chorde_hit) => __chorde_hit,
        ::chorde::__private::Looked::Slow(__chorde_slow) => {
            ::chorde::__private::wait(
                __chorde_at
                    .finish(
                        __chorde_slow,
                        (x, name),
                        (|(x, name)| ::chorde::__private::ready(
                            expensive::uncached(x, name),
                        )) as fn(_) -> _,
                        ::core::option::Option::Some(
                            (|(x, name)| expensive::__chorde_job(x, name)) as fn(_) -> _,
                        ),
                        ::core::option::Option::Some(
                            (|__chorde_args: &(u64, &str)| {
                                ::core::option::Option::Some((
                                    __chorde_args.0,
                                    ::std::borrow::ToOwned::to_owned(__chorde_args.1),
                                ))
                            }) as fn(&_) -> _,
                        ),
                    ),
            )
        }
    }
}
impl expensive {
    ///The function itself: computes, and leaves the cache alone.
    #[allow(
        clippy::missing_const_for_fn,
        clippy::missing_errors_doc,
        clippy::missing_panics_doc,
        clippy::must_use_candidate,
        clippy::return_self_not_must_use,
        clippy::too_many_arguments,
        clippy::type_complexity,
    )]
    #[inline(never)]
    pub fn uncached(x: u64, name: &str) -> f64 {
        compute(x, name)
    }
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
    #[inline]
    fn __chorde_site() -> &'static ::chorde::__private::Site {
        static __CHORDE_SITE: ::chorde::__private::Site = ::chorde::__private::Site::new(
            &::chorde::__private::Description {
                name: "expensive",
                module: ::core::module_path!(),
                signature: "(u64,&str)->f64;ttl=300000000000;version=",
                naming: ::chorde::__private::Naming::Automatic,
                ttl: ::core::option::Option::Some(::core::time::Duration::new(300, 0)),
                init: ::core::option::Option::None,
            },
        );
        &__CHORDE_SITE
    }
    const __CHORDE_POLICY: ::chorde::__private::CallPolicy = ::chorde::__private::CallPolicy::new(
            ::core::time::Duration::new(300, 0),
        )
        .refresh_age(::core::time::Duration::new(60, 0));
    #[inline]
    fn __chorde_behind(
        __chorde_ticket: ::chorde::__private::Ticket,
        x: u64,
        name: &str,
    ) {
        let __chorde_client = &CACHE;
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_site(),
            &[],
            __chorde_client,
            ::chorde::__private::Plain::<f64>::new(),
            &Self::__CHORDE_POLICY,
        );
        let __chorde_key = __chorde_at.prepare(&(&x, name));
        ::chorde::__private::wait(
            __chorde_at
                .behind(
                    __chorde_ticket,
                    __chorde_key,
                    (x, name),
                    (|(x, name)| ::chorde::__private::ready(Self::uncached(x, name)))
                        as fn(_) -> _,
                    ::core::option::Option::Some(
                        (|__chorde_args: &(u64, &str)| {
                            ::core::option::Option::Some((
                                __chorde_args.0,
                                ::std::borrow::ToOwned::to_owned(__chorde_args.1),
                            ))
                        }) as fn(&_) -> _,
                    ),
                ),
        )
    }
    #[inline]
    fn __chorde_job(x: u64, name: &str) -> ::chorde::__private::Job {
        let name = ::std::borrow::ToOwned::to_owned(name);
        ::chorde::__private::Job::blocking(move |__chorde_ticket| Self::__chorde_behind(
            __chorde_ticket,
            x,
            &*name,
        ))
    }
    ///As the plain call; without `async_ttl`, a result is due at half of its life.
    #[inline]
    pub fn bg(x: u64, name: &str) -> f64 {
        let __chorde_client = &CACHE;
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_site(),
            &[],
            __chorde_client,
            ::chorde::__private::Plain::<f64>::new(),
            &Self::__CHORDE_POLICY,
        );
        let __chorde_looked = __chorde_at.look_bg(&(&x, name));
        match __chorde_looked {
            ::chorde::__private::Looked::Hit(__chorde_hit) => __chorde_hit,
            ::chorde::__private::Looked::Slow(__chorde_slow) => {
                ::chorde::__private::wait(
                    __chorde_at
                        .finish(
                            __chorde_slow,
                            (x, name),
                            (|(x, name)| ::chorde::__private::ready(
                                Self::uncached(x, name),
                            )) as fn(_) -> _,
                            ::core::option::Option::Some(
                                (|(x, name)| Self::__chorde_job(x, name)) as fn(_) -> _,
                            ),
                            ::core::option::Option::Some(
                                (|__chorde_args: &(u64, &str)| {
                                    ::core::option::Option::Some((
                                        __chorde_args.0,
                                        ::std::borrow::ToOwned::to_owned(__chorde_args.1),
                                    ))
                                }) as fn(&_) -> _,
                            ),
                        ),
                )
            }
        }
    }
    ///Looks; if nothing is there or it is due, computes in the background, and never waits for it.
    #[inline]
    pub fn lazy(x: u64, name: &str) -> ::core::option::Option<f64> {
        let __chorde_client = &CACHE;
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_site(),
            &[],
            __chorde_client,
            ::chorde::__private::Plain::<f64>::new(),
            &Self::__CHORDE_POLICY,
        );
        let __chorde_key = __chorde_at.prepare(&(&x, name));
        ::chorde::__private::wait(
            __chorde_at
                .lazy(
                    __chorde_key,
                    (x, name),
                    ::core::option::Option::Some(
                        (|(x, name)| Self::__chorde_job(x, name)) as fn(_) -> _,
                    ),
                ),
        )
    }
    ///Computes now, whatever the cache holds, stores the result and returns it.
    #[inline]
    pub fn refresh(x: u64, name: &str) -> f64 {
        let __chorde_client = &CACHE;
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_site(),
            &[],
            __chorde_client,
            ::chorde::__private::Plain::<f64>::new(),
            &Self::__CHORDE_POLICY,
        );
        let __chorde_key = __chorde_at.prepare(&(&x, name));
        ::chorde::__private::wait(
            __chorde_at
                .refresh(
                    __chorde_key,
                    (x, name),
                    (|(x, name)| ::chorde::__private::ready(Self::uncached(x, name)))
                        as fn(_) -> _,
                    ::core::option::Option::Some(
                        (|__chorde_args: &(u64, &str)| {
                            ::core::option::Option::Some((
                                __chorde_args.0,
                                ::std::borrow::ToOwned::to_owned(__chorde_args.1),
                            ))
                        }) as fn(&_) -> _,
                    ),
                ),
        )
    }
    ///Computes in the background, whatever the cache holds.
    #[inline]
    pub fn bg_refresh(x: u64, name: &str) {
        let __chorde_client = &CACHE;
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_site(),
            &[],
            __chorde_client,
            ::chorde::__private::Plain::<f64>::new(),
            &Self::__CHORDE_POLICY,
        );
        let __chorde_key = __chorde_at.prepare(&(&x, name));
        __chorde_at
            .bg_refresh(
                __chorde_key,
                (x, name),
                ::core::option::Option::Some(
                    (|(x, name)| Self::__chorde_job(x, name)) as fn(_) -> _,
                ),
            );
    }
    ///Only looks; never computes.
    #[inline]
    pub fn peek(x: u64, name: &str) -> ::core::option::Option<f64> {
        let __chorde_client = &CACHE;
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_site(),
            &[],
            __chorde_client,
            ::chorde::__private::Plain::<f64>::new(),
            &Self::__CHORDE_POLICY,
        );
        let __chorde_key = __chorde_at.prepare(&(&x, name));
        ::chorde::__private::wait(__chorde_at.peek(__chorde_key))
    }
    ///Stores a value.
    #[inline]
    pub fn put(
        x: u64,
        name: &str,
        value: f64,
    ) -> ::core::result::Result<(), ::chorde::__private::Error> {
        let __chorde_client = &CACHE;
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_site(),
            &[],
            __chorde_client,
            ::chorde::__private::Plain::<f64>::new(),
            &Self::__CHORDE_POLICY,
        );
        let __chorde_key = __chorde_at.prepare(&(&x, name));
        ::chorde::__private::wait(__chorde_at.put(__chorde_key, value))
    }
    ///Looks at the value and its remaining life; shows a stale entry too, marked as such.
    #[inline]
    pub fn get_ttl(
        x: u64,
        name: &str,
    ) -> ::core::option::Option<::chorde::__private::Entry<f64>> {
        let __chorde_client = &CACHE;
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_site(),
            &[],
            __chorde_client,
            ::chorde::__private::Plain::<f64>::new(),
            &Self::__CHORDE_POLICY,
        );
        let __chorde_key = __chorde_at.prepare(&(&x, name));
        ::chorde::__private::wait(__chorde_at.get_ttl(__chorde_key))
    }
    ///Removes the result of these arguments.
    #[inline]
    pub fn invalidate(
        x: u64,
        name: &str,
    ) -> ::core::result::Result<(), ::chorde::__private::Error> {
        let __chorde_client = &CACHE;
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_site(),
            &[],
            __chorde_client,
            ::chorde::__private::Plain::<f64>::new(),
            &Self::__CHORDE_POLICY,
        );
        let __chorde_key = __chorde_at.prepare(&(&x, name));
        ::chorde::__private::wait(__chorde_at.invalidate(__chorde_key))
    }
    ///Marks the result of these arguments as stale, but keeps it.
    #[inline]
    pub fn expire(
        x: u64,
        name: &str,
    ) -> ::core::result::Result<(), ::chorde::__private::Error> {
        let __chorde_client = &CACHE;
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_site(),
            &[],
            __chorde_client,
            ::chorde::__private::Plain::<f64>::new(),
            &Self::__CHORDE_POLICY,
        );
        let __chorde_key = __chorde_at.prepare(&(&x, name));
        ::chorde::__private::wait(__chorde_at.expire(__chorde_key))
    }
    ///The plain call, without blocking: on any executor, or `.wait()`.
    #[inline]
    pub fn future(x: u64, name: &str) -> ::chorde::__private::CacheFuture<f64> {
        let __chorde_looked = {
            let __chorde_client = &CACHE;
            let __chorde_at = ::chorde::__private::At::new(
                Self::__chorde_site(),
                &[],
                __chorde_client,
                ::chorde::__private::Plain::<f64>::new(),
                &Self::__CHORDE_POLICY,
            );
            __chorde_at.look(&(&x, name))
        };
        match __chorde_looked {
            ::chorde::__private::Looked::Hit(__chorde_hit) => {
                ::chorde::__private::CacheFuture::ready(__chorde_hit)
            }
            ::chorde::__private::Looked::Slow(_) => {
                let name = ::std::borrow::ToOwned::to_owned(name);
                ::chorde::__private::CacheFuture::blocking(move || expensive(x, &*name))
            }
        }
    }
    ///Computes now, without blocking the caller.
    #[inline]
    pub fn future_refresh(x: u64, name: &str) -> ::chorde::__private::CacheFuture<f64> {
        let name = ::std::borrow::ToOwned::to_owned(name);
        ::chorde::__private::CacheFuture::blocking(move || Self::refresh(x, &*name))
    }
    ///As `lazy`, without blocking.
    #[inline]
    pub fn future_lazy(
        x: u64,
        name: &str,
    ) -> ::chorde::__private::CacheFuture<::core::option::Option<f64>> {
        let __chorde_client = &CACHE;
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_site(),
            &[],
            __chorde_client,
            ::chorde::__private::Plain::<f64>::new(),
            &Self::__CHORDE_POLICY,
        );
        let __chorde_key = __chorde_at.prepare(&(&x, name));
        let __chorde_job = Self::__chorde_job(x, name);
        ::chorde::__private::CacheFuture::operation(
            __chorde_at
                .sent_lazy(
                    __chorde_key,
                    (),
                    ::core::option::Option::Some(move |()| __chorde_job),
                ),
        )
    }
    ///Looks, without blocking.
    #[inline]
    pub fn future_peek(
        x: u64,
        name: &str,
    ) -> ::chorde::__private::CacheFuture<::core::option::Option<f64>> {
        let __chorde_client = &CACHE;
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_site(),
            &[],
            __chorde_client,
            ::chorde::__private::Plain::<f64>::new(),
            &Self::__CHORDE_POLICY,
        );
        let __chorde_key = __chorde_at.prepare(&(&x, name));
        ::chorde::__private::CacheFuture::operation(__chorde_at.sent_peek(__chorde_key))
    }
    ///Stores a value, without blocking.
    #[inline]
    pub fn future_put(
        x: u64,
        name: &str,
        value: f64,
    ) -> ::chorde::__private::CacheFuture<
        ::core::result::Result<(), ::chorde::__private::Error>,
    > {
        let __chorde_client = &CACHE;
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_site(),
            &[],
            __chorde_client,
            ::chorde::__private::Plain::<f64>::new(),
            &Self::__CHORDE_POLICY,
        );
        let __chorde_key = __chorde_at.prepare(&(&x, name));
        ::chorde::__private::CacheFuture::operation(
            __chorde_at.sent_put(__chorde_key, value),
        )
    }
    ///Looks at the value and its remaining life, without blocking.
    #[inline]
    pub fn future_get_ttl(
        x: u64,
        name: &str,
    ) -> ::chorde::__private::CacheFuture<
        ::core::option::Option<::chorde::__private::Entry<f64>>,
    > {
        let __chorde_client = &CACHE;
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_site(),
            &[],
            __chorde_client,
            ::chorde::__private::Plain::<f64>::new(),
            &Self::__CHORDE_POLICY,
        );
        let __chorde_key = __chorde_at.prepare(&(&x, name));
        ::chorde::__private::CacheFuture::operation(
            __chorde_at.sent_get_ttl(__chorde_key),
        )
    }
    ///Removes the result of these arguments, without blocking.
    #[inline]
    pub fn future_invalidate(
        x: u64,
        name: &str,
    ) -> ::chorde::__private::CacheFuture<
        ::core::result::Result<(), ::chorde::__private::Error>,
    > {
        let __chorde_client = &CACHE;
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_site(),
            &[],
            __chorde_client,
            ::chorde::__private::Plain::<f64>::new(),
            &Self::__CHORDE_POLICY,
        );
        let __chorde_key = __chorde_at.prepare(&(&x, name));
        ::chorde::__private::CacheFuture::operation(
            __chorde_at.sent_invalidate(__chorde_key),
        )
    }
    ///Marks the result of these arguments as stale, without blocking.
    #[inline]
    pub fn future_expire(
        x: u64,
        name: &str,
    ) -> ::chorde::__private::CacheFuture<
        ::core::result::Result<(), ::chorde::__private::Error>,
    > {
        let __chorde_client = &CACHE;
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_site(),
            &[],
            __chorde_client,
            ::chorde::__private::Plain::<f64>::new(),
            &Self::__CHORDE_POLICY,
        );
        let __chorde_key = __chorde_at.prepare(&(&x, name));
        ::chorde::__private::CacheFuture::operation(
            __chorde_at.sent_expire(__chorde_key),
        )
    }
    ///Forgets all results of this function, everywhere, and leaves the client's other entries alone.
    #[inline]
    pub fn clear() -> ::core::result::Result<(), ::chorde::__private::Error> {
        let __chorde_client = &CACHE;
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_site(),
            &[],
            __chorde_client,
            ::chorde::__private::Plain::<f64>::new(),
            &Self::__CHORDE_POLICY,
        );
        ::chorde::__private::wait(__chorde_at.clear())
    }
    ///What tells the keys of this function from those of others.
    #[inline]
    pub fn namespace() -> ::std::string::String {
        let __chorde_client = &CACHE;
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_site(),
            &[],
            __chorde_client,
            ::chorde::__private::Plain::<f64>::new(),
            &Self::__CHORDE_POLICY,
        );
        __chorde_at.namespace()
    }
    ///Counters and times of this function so far.
    #[inline]
    pub fn stats() -> ::chorde::__private::Stats {
        Self::__chorde_site().stats()
    }
    ///Sets the counters and times to zero.
    #[inline]
    pub fn reset_stats() {
        Self::__chorde_site().reset_stats();
    }
    ///Divides the histogram of computing times into `bins` of equal width up to `up_to`.
    #[inline]
    pub fn set_timing_bins(bins: usize, up_to: ::core::time::Duration) {
        Self::__chorde_site().set_timing_bins(bins, up_to);
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
        Self::__chorde_site().on_promote::<f64>(callback);
    }
    ///Calls back after each successful computation, once, with the value and the arguments; never after a put or a hit.
    #[inline]
    pub fn on_value(
        callback: impl ::core::ops::Fn(
            &f64,
            &(u64, ::std::string::String),
        ) + ::core::marker::Send + ::core::marker::Sync + 'static,
    ) {
        Self::__chorde_site().on_value::<f64, (u64, ::std::string::String)>(callback);
    }
    ///Gives those who call during the first computation of a key what this makes, until it ends.
    #[inline]
    pub fn placeholder(
        callback: impl ::core::ops::Fn(
            &(u64, ::std::string::String),
        ) -> f64 + ::core::marker::Send + ::core::marker::Sync + 'static,
    ) {
        Self::__chorde_site().placeholder::<f64, (u64, ::std::string::String)>(callback);
    }
    ///The key of a call with these arguments.
    #[inline]
    pub fn callkey(
        x: u64,
        name: &str,
    ) -> ::core::result::Result<::chorde::__private::Key, ::chorde::__private::Error> {
        let __chorde_client = &CACHE;
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_site(),
            &[],
            __chorde_client,
            ::chorde::__private::Plain::<f64>::new(),
            &Self::__CHORDE_POLICY,
        );
        __chorde_at.callkey(&(&x, name))
    }
    ///How long a result may be used.
    #[inline]
    pub fn ttl() -> ::core::time::Duration {
        Self::__CHORDE_POLICY.ttl()
    }
    ///When a result becomes due for a refresh in the background.
    #[inline]
    pub fn async_ttl() -> ::chorde::__private::RefreshPoint {
        Self::__CHORDE_POLICY.refresh()
    }
}
