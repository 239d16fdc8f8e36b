/**

# Caching

A result is used for `settings () . life`. Its key is `id`. Errors are returned and never stored.

Companions: [`bg`](price::bg), [`lazy`](price::lazy), [`refresh`](price::refresh), [`bg_refresh`](price::bg_refresh), [`warm`](price::warm), [`peek`](price::peek), [`put`](price::put), [`get_ttl`](price::get_ttl), [`invalidate`](price::invalidate), [`expire`](price::expire), [`future`](price::future), [`future_refresh`](price::future_refresh), [`future_lazy`](price::future_lazy), [`future_peek`](price::future_peek), [`future_put`](price::future_put), [`future_get_ttl`](price::future_get_ttl), [`future_invalidate`](price::future_invalidate), [`future_expire`](price::future_expire), [`clear`](price::clear), [`namespace`](price::namespace), [`stats`](price::stats), [`reset_stats`](price::reset_stats), [`set_timing_bins`](price::set_timing_bins), [`on_promote`](price::on_promote), [`on_value`](price::on_value), [`placeholder`](price::placeholder), [`callkey`](price::callkey), [`ttl`](price::ttl), [`async_ttl`](price::async_ttl), [`uncached`](price::uncached).*/
#[allow(dead_code, clippy::significant_drop_tightening)]
fn price(id: u64) -> Result<Price, Error> {
    let __chorde_client = &CACHE;
    let __chorde_policy = &::chorde::__private::CallPolicy::new(
        ::chorde::__private::duration(settings().life),
    );
    let __chorde_at = ::chorde::__private::At::new(
        price::__chorde_site(),
        &[],
        __chorde_client,
        ::chorde::__private::Maps::of(
                ::chorde::__private::Fallible::<
                    Result<Price, Error>,
                >::new({
                    use ::chorde::__private::{
                        ShareClone as _, ShareDebug as _, ShareNone as _, ShareTold as _,
                    };
                    (&&&&::chorde::__private::Share::<Error>::new()).share()
                }),
            )
            .encoded(pack, unpack)
            .kept_if(|v| v.is_final()),
        __chorde_policy,
    );
    let __chorde_looked = __chorde_at.look(&(&id,));
    match __chorde_looked {
        ::chorde::__private::Looked::Hit(__chorde_hit) => __chorde_hit,
        ::chorde::__private::Looked::Slow(__chorde_slow) => {
            __chorde_at
                .finish_now(
                    __chorde_slow,
                    (id,),
                    price::__chorde_compute as fn(_) -> _,
                    ::chorde::__private::no_behind(),
                    ::core::option::Option::Some(price::__chorde_echo as fn(&_) -> _),
                )
        }
    }
}
impl price {
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
    fn uncached(id: u64) -> Result<Price, Error> {
        ask(id)
    }
}
///The companions of the cached function [`price`](fn@price).
#[allow(
    non_camel_case_types,
    missing_debug_implementations,
    clippy::empty_enums,
    clippy::upper_case_acronyms
)]
enum price {}
#[allow(dead_code, unused_variables, clippy::all, clippy::pedantic, clippy::nursery)]
impl price {
    #[inline]
    fn __chorde_site() -> &'static ::chorde::__private::Site {
        static __CHORDE_SITE: ::chorde::__private::Site = ::chorde::__private::Site::new(
            ::chorde::__private::Description::new(
                    "price",
                    ::core::module_path!(),
                    ::core::any::type_name::<price>,
                    "(id:u64)->Result<Price,Error>;ttl=settings().life;version=;encode=pack ;decode=unpack ",
                    0,
                )
                .body(1034917627981920088),
        );
        &__CHORDE_SITE
    }
    fn __chorde_compute(__chorde_args: (u64,)) -> Result<Price, Error> {
        Self::uncached(__chorde_args.0)
    }
    fn __chorde_echo(__chorde_args: &(u64,)) -> ::core::option::Option<(u64,)> {
        ::core::option::Option::Some((__chorde_args.0,))
    }
    #[inline]
    fn __chorde_behind(__chorde_ticket: ::chorde::__private::Ticket, id: u64) {
        let __chorde_client = &CACHE;
        let __chorde_policy = &::chorde::__private::CallPolicy::new(
            ::chorde::__private::duration(settings().life),
        );
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_site(),
            &[],
            __chorde_client,
            ::chorde::__private::Maps::of(
                    ::chorde::__private::Fallible::<
                        Result<Price, Error>,
                    >::new({
                        use ::chorde::__private::{
                            ShareClone as _, ShareDebug as _, ShareNone as _,
                            ShareTold as _,
                        };
                        (&&&&::chorde::__private::Share::<Error>::new()).share()
                    }),
                )
                .encoded(pack, unpack)
                .kept_if(|v| v.is_final()),
            __chorde_policy,
        );
        __chorde_at
            .behind_now(
                __chorde_ticket,
                (id,),
                Self::__chorde_compute as fn(_) -> _,
                ::core::option::Option::Some(Self::__chorde_echo as fn(&_) -> _),
            )
    }
    #[inline]
    fn __chorde_job(__chorde_args: (u64,)) -> ::chorde::__private::Job {
        let id = __chorde_args.0;
        ::chorde::__private::Job::blocking(move |__chorde_ticket| Self::__chorde_behind(
            __chorde_ticket,
            id,
        ))
    }
    #[inline]
    fn __chorde_again(
        __chorde_key: ::chorde::__private::Prepared,
        id: u64,
    ) -> Result<Price, Error> {
        let __chorde_client = &CACHE;
        let __chorde_policy = &::chorde::__private::CallPolicy::new(
            ::chorde::__private::duration(settings().life),
        );
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_site(),
            &[],
            __chorde_client,
            ::chorde::__private::Maps::of(
                    ::chorde::__private::Fallible::<
                        Result<Price, Error>,
                    >::new({
                        use ::chorde::__private::{
                            ShareClone as _, ShareDebug as _, ShareNone as _,
                            ShareTold as _,
                        };
                        (&&&&::chorde::__private::Share::<Error>::new()).share()
                    }),
                )
                .encoded(pack, unpack)
                .kept_if(|v| v.is_final()),
            __chorde_policy,
        );
        let __chorde_looked = __chorde_at.look_again(__chorde_key);
        match __chorde_looked {
            ::chorde::__private::Looked::Hit(__chorde_hit) => __chorde_hit,
            ::chorde::__private::Looked::Slow(__chorde_slow) => {
                __chorde_at
                    .finish_now(
                        __chorde_slow,
                        (id,),
                        Self::__chorde_compute as fn(_) -> _,
                        ::chorde::__private::no_behind(),
                        ::core::option::Option::Some(Self::__chorde_echo as fn(&_) -> _),
                    )
            }
        }
    }
    #[inline]
    fn __chorde_warming(id: u64) -> ::chorde::__private::Warming {
        let __chorde_client = &CACHE;
        let __chorde_policy = &::chorde::__private::CallPolicy::new(
            ::chorde::__private::duration(settings().life),
        );
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_site(),
            &[],
            __chorde_client,
            ::chorde::__private::Maps::of(
                    ::chorde::__private::Fallible::<
                        Result<Price, Error>,
                    >::new({
                        use ::chorde::__private::{
                            ShareClone as _, ShareDebug as _, ShareNone as _,
                            ShareTold as _,
                        };
                        (&&&&::chorde::__private::Share::<Error>::new()).share()
                    }),
                )
                .encoded(pack, unpack)
                .kept_if(|v| v.is_final()),
            __chorde_policy,
        );
        let __chorde_key = __chorde_at.prepare(&(&id,));
        __chorde_at
            .warming(
                __chorde_key,
                (id,),
                ::core::option::Option::Some(Self::__chorde_job as fn(_) -> _),
            )
    }
    #[inline]
    fn __chorde_refreshed(
        __chorde_key: ::chorde::__private::Prepared,
        id: u64,
    ) -> Result<Price, Error> {
        let __chorde_client = &CACHE;
        let __chorde_policy = &::chorde::__private::CallPolicy::new(
            ::chorde::__private::duration(settings().life),
        );
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_site(),
            &[],
            __chorde_client,
            ::chorde::__private::Maps::of(
                    ::chorde::__private::Fallible::<
                        Result<Price, Error>,
                    >::new({
                        use ::chorde::__private::{
                            ShareClone as _, ShareDebug as _, ShareNone as _,
                            ShareTold as _,
                        };
                        (&&&&::chorde::__private::Share::<Error>::new()).share()
                    }),
                )
                .encoded(pack, unpack)
                .kept_if(|v| v.is_final()),
            __chorde_policy,
        );
        __chorde_at
            .refresh_now(
                __chorde_key,
                (id,),
                Self::__chorde_compute as fn(_) -> _,
                ::core::option::Option::Some(Self::__chorde_echo as fn(&_) -> _),
            )
    }
    ///As the plain call; without `async_ttl`, a result is due at half of its life.
    #[inline]
    fn bg(id: u64) -> Result<Price, Error> {
        let __chorde_client = &CACHE;
        let __chorde_policy = &::chorde::__private::CallPolicy::new(
            ::chorde::__private::duration(settings().life),
        );
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_site(),
            &[],
            __chorde_client,
            ::chorde::__private::Maps::of(
                    ::chorde::__private::Fallible::<
                        Result<Price, Error>,
                    >::new({
                        use ::chorde::__private::{
                            ShareClone as _, ShareDebug as _, ShareNone as _,
                            ShareTold as _,
                        };
                        (&&&&::chorde::__private::Share::<Error>::new()).share()
                    }),
                )
                .encoded(pack, unpack)
                .kept_if(|v| v.is_final()),
            __chorde_policy,
        );
        let __chorde_looked = __chorde_at.look_bg(&(&id,));
        match __chorde_looked {
            ::chorde::__private::Looked::Hit(__chorde_hit) => __chorde_hit,
            ::chorde::__private::Looked::Slow(__chorde_slow) => {
                __chorde_at
                    .finish_now(
                        __chorde_slow,
                        (id,),
                        Self::__chorde_compute as fn(_) -> _,
                        ::core::option::Option::Some(Self::__chorde_job as fn(_) -> _),
                        ::core::option::Option::Some(Self::__chorde_echo as fn(&_) -> _),
                    )
            }
        }
    }
    ///Looks; if nothing is there or it is due, computes in the background, and never waits for it.
    #[inline]
    fn lazy(id: u64) -> ::core::option::Option<Price> {
        let __chorde_client = &CACHE;
        let __chorde_policy = &::chorde::__private::CallPolicy::new(
            ::chorde::__private::duration(settings().life),
        );
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_site(),
            &[],
            __chorde_client,
            ::chorde::__private::Maps::of(
                    ::chorde::__private::Fallible::<
                        Result<Price, Error>,
                    >::new({
                        use ::chorde::__private::{
                            ShareClone as _, ShareDebug as _, ShareNone as _,
                            ShareTold as _,
                        };
                        (&&&&::chorde::__private::Share::<Error>::new()).share()
                    }),
                )
                .encoded(pack, unpack)
                .kept_if(|v| v.is_final()),
            __chorde_policy,
        );
        match __chorde_at.lazy_at_once(&(&id,)) {
            ::core::result::Result::Ok(__chorde_known) => {
                ::core::option::Option::Some(__chorde_known)
            }
            ::core::result::Result::Err(__chorde_key) => {
                __chorde_at
                    .lazy_now(
                        __chorde_key,
                        (id,),
                        ::core::option::Option::Some(Self::__chorde_job as fn(_) -> _),
                    )
            }
        }
    }
    /**Computes now, whatever the cache holds, stores the result and returns it.

Calls that arrive while one computes share the next.*/
    #[inline]
    fn refresh(id: u64) -> Result<Price, Error> {
        let __chorde_client = &CACHE;
        let __chorde_policy = &::chorde::__private::CallPolicy::new(
            ::chorde::__private::duration(settings().life),
        );
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_site(),
            &[],
            __chorde_client,
            ::chorde::__private::Maps::of(
                    ::chorde::__private::Fallible::<
                        Result<Price, Error>,
                    >::new({
                        use ::chorde::__private::{
                            ShareClone as _, ShareDebug as _, ShareNone as _,
                            ShareTold as _,
                        };
                        (&&&&::chorde::__private::Share::<Error>::new()).share()
                    }),
                )
                .encoded(pack, unpack)
                .kept_if(|v| v.is_final()),
            __chorde_policy,
        );
        let __chorde_key = __chorde_at.prepare(&(&id,));
        __chorde_at
            .refresh_now(
                __chorde_key,
                (id,),
                Self::__chorde_compute as fn(_) -> _,
                ::core::option::Option::Some(Self::__chorde_echo as fn(&_) -> _),
            )
    }
    /**Computes in the background, whatever the cache holds. `Ok` says that the work is queued, or was before.

# Errors

`ErrorKind::Overloaded` when the queue of background work is full, so that nothing will be computed; `ErrorKind::Key` when the key cannot be serialised.*/
    #[inline]
    fn bg_refresh(id: u64) -> ::core::result::Result<(), ::chorde::__private::Error> {
        let __chorde_client = &CACHE;
        let __chorde_policy = &::chorde::__private::CallPolicy::new(
            ::chorde::__private::duration(settings().life),
        );
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_site(),
            &[],
            __chorde_client,
            ::chorde::__private::Maps::of(
                    ::chorde::__private::Fallible::<
                        Result<Price, Error>,
                    >::new({
                        use ::chorde::__private::{
                            ShareClone as _, ShareDebug as _, ShareNone as _,
                            ShareTold as _,
                        };
                        (&&&&::chorde::__private::Share::<Error>::new()).share()
                    }),
                )
                .encoded(pack, unpack)
                .kept_if(|v| v.is_final()),
            __chorde_policy,
        );
        let __chorde_key = __chorde_at.prepare(&(&id,));
        __chorde_at
            .bg_refresh(
                __chorde_key,
                (id,),
                ::core::option::Option::Some(Self::__chorde_job as fn(_) -> _),
            )
    }
    /**Computes what is missing or due for many calls, a few at a time, and never more than it has room for.

Takes an iterator of arguments: tuples of them, or the argument itself where there is one. Returns a future that does nothing until it is awaited or waited for, and yields a report.*/
    #[inline]
    fn warm<'__chorde_i>(
        args: impl ::core::iter::IntoIterator<
            Item = u64,
            IntoIter: ::core::marker::Send + '__chorde_i,
        >,
    ) -> ::chorde::__private::Warm<'__chorde_i> {
        ::chorde::__private::Warm::new(
            ::core::iter::IntoIterator::into_iter(args),
            move |__chorde_0| Self::__chorde_warming(__chorde_0),
        )
    }
    ///Only looks; never computes.
    #[inline]
    fn peek(id: u64) -> ::core::option::Option<Price> {
        let __chorde_client = &CACHE;
        let __chorde_policy = &::chorde::__private::CallPolicy::new(
            ::chorde::__private::duration(settings().life),
        );
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_site(),
            &[],
            __chorde_client,
            ::chorde::__private::Maps::of(
                    ::chorde::__private::Fallible::<
                        Result<Price, Error>,
                    >::new({
                        use ::chorde::__private::{
                            ShareClone as _, ShareDebug as _, ShareNone as _,
                            ShareTold as _,
                        };
                        (&&&&::chorde::__private::Share::<Error>::new()).share()
                    }),
                )
                .encoded(pack, unpack)
                .kept_if(|v| v.is_final()),
            __chorde_policy,
        );
        __chorde_at.peek_now(&(&id,))
    }
    /**Stores a value: the arguments first, the value last.

# Errors

As for `invalidate`.*/
    #[inline]
    fn put(
        id: u64,
        value: Price,
    ) -> ::core::result::Result<(), ::chorde::__private::Error> {
        let __chorde_client = &CACHE;
        let __chorde_policy = &::chorde::__private::CallPolicy::new(
            ::chorde::__private::duration(settings().life),
        );
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_site(),
            &[],
            __chorde_client,
            ::chorde::__private::Maps::of(
                    ::chorde::__private::Fallible::<
                        Result<Price, Error>,
                    >::new({
                        use ::chorde::__private::{
                            ShareClone as _, ShareDebug as _, ShareNone as _,
                            ShareTold as _,
                        };
                        (&&&&::chorde::__private::Share::<Error>::new()).share()
                    }),
                )
                .encoded(pack, unpack)
                .kept_if(|v| v.is_final()),
            __chorde_policy,
        );
        __chorde_at.put_now(&(&id,), value)
    }
    ///Looks at the value and its remaining life; shows a stale entry too, marked as such.
    #[inline]
    fn get_ttl(id: u64) -> ::core::option::Option<::chorde::__private::Entry<Price>> {
        let __chorde_client = &CACHE;
        let __chorde_policy = &::chorde::__private::CallPolicy::new(
            ::chorde::__private::duration(settings().life),
        );
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_site(),
            &[],
            __chorde_client,
            ::chorde::__private::Maps::of(
                    ::chorde::__private::Fallible::<
                        Result<Price, Error>,
                    >::new({
                        use ::chorde::__private::{
                            ShareClone as _, ShareDebug as _, ShareNone as _,
                            ShareTold as _,
                        };
                        (&&&&::chorde::__private::Share::<Error>::new()).share()
                    }),
                )
                .encoded(pack, unpack)
                .kept_if(|v| v.is_final()),
            __chorde_policy,
        );
        __chorde_at.get_ttl_now(&(&id,))
    }
    /**Removes the result of these arguments.

# Errors

`ErrorKind::Key` when the key cannot be serialised, and what the client reports.*/
    #[inline]
    fn invalidate(id: u64) -> ::core::result::Result<(), ::chorde::__private::Error> {
        let __chorde_client = &CACHE;
        let __chorde_policy = &::chorde::__private::CallPolicy::new(
            ::chorde::__private::duration(settings().life),
        );
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_site(),
            &[],
            __chorde_client,
            ::chorde::__private::Maps::of(
                    ::chorde::__private::Fallible::<
                        Result<Price, Error>,
                    >::new({
                        use ::chorde::__private::{
                            ShareClone as _, ShareDebug as _, ShareNone as _,
                            ShareTold as _,
                        };
                        (&&&&::chorde::__private::Share::<Error>::new()).share()
                    }),
                )
                .encoded(pack, unpack)
                .kept_if(|v| v.is_final()),
            __chorde_policy,
        );
        __chorde_at.invalidate_now(&(&id,))
    }
    /**Marks the result of these arguments as stale, but keeps it.

# Errors

As for `invalidate`.*/
    #[inline]
    fn expire(id: u64) -> ::core::result::Result<(), ::chorde::__private::Error> {
        let __chorde_client = &CACHE;
        let __chorde_policy = &::chorde::__private::CallPolicy::new(
            ::chorde::__private::duration(settings().life),
        );
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_site(),
            &[],
            __chorde_client,
            ::chorde::__private::Maps::of(
                    ::chorde::__private::Fallible::<
                        Result<Price, Error>,
                    >::new({
                        use ::chorde::__private::{
                            ShareClone as _, ShareDebug as _, ShareNone as _,
                            ShareTold as _,
                        };
                        (&&&&::chorde::__private::Share::<Error>::new()).share()
                    }),
                )
                .encoded(pack, unpack)
                .kept_if(|v| v.is_final()),
            __chorde_policy,
        );
        __chorde_at.expire_now(&(&id,))
    }
    ///The plain call, without blocking: on any executor, or `.wait()`.
    #[inline]
    fn future(id: u64) -> ::chorde::__private::CacheFuture<Result<Price, Error>>
    where
        for<'__chorde> Result<Price, Error>: ::chorde::__private::Movable<'__chorde>,
    {
        let __chorde_looked = {
            let __chorde_client = &CACHE;
            let __chorde_policy = &::chorde::__private::CallPolicy::new(
                ::chorde::__private::duration(settings().life),
            );
            let __chorde_at = ::chorde::__private::At::new(
                Self::__chorde_site(),
                &[],
                __chorde_client,
                ::chorde::__private::Maps::of(
                        ::chorde::__private::Fallible::<
                            Result<Price, Error>,
                        >::new({
                            use ::chorde::__private::{
                                ShareClone as _, ShareDebug as _, ShareNone as _,
                                ShareTold as _,
                            };
                            (&&&&::chorde::__private::Share::<Error>::new()).share()
                        }),
                    )
                    .encoded(pack, unpack)
                    .kept_if(|v| v.is_final()),
                __chorde_policy,
            );
            __chorde_at.look(&(&id,))
        };
        match __chorde_looked {
            ::chorde::__private::Looked::Hit(__chorde_hit) => {
                ::chorde::__private::CacheFuture::ready(__chorde_hit)
            }
            ::chorde::__private::Looked::Slow(__chorde_slow) => {
                let __chorde_key = __chorde_slow.into_prepared();
                ::chorde::__private::CacheFuture::blocking(move || Self::__chorde_again(
                    __chorde_key,
                    id,
                ))
            }
        }
    }
    ///Computes now, without blocking the caller.
    #[inline]
    fn future_refresh(id: u64) -> ::chorde::__private::CacheFuture<Result<Price, Error>>
    where
        for<'__chorde> Result<Price, Error>: ::chorde::__private::Movable<'__chorde>,
    {
        let __chorde_key = {
            let __chorde_client = &CACHE;
            let __chorde_policy = &::chorde::__private::CallPolicy::new(
                ::chorde::__private::duration(settings().life),
            );
            let __chorde_at = ::chorde::__private::At::new(
                Self::__chorde_site(),
                &[],
                __chorde_client,
                ::chorde::__private::Maps::of(
                        ::chorde::__private::Fallible::<
                            Result<Price, Error>,
                        >::new({
                            use ::chorde::__private::{
                                ShareClone as _, ShareDebug as _, ShareNone as _,
                                ShareTold as _,
                            };
                            (&&&&::chorde::__private::Share::<Error>::new()).share()
                        }),
                    )
                    .encoded(pack, unpack)
                    .kept_if(|v| v.is_final()),
                __chorde_policy,
            );
            __chorde_at.prepare(&(&id,))
        };
        ::chorde::__private::CacheFuture::blocking(move || Self::__chorde_refreshed(
            __chorde_key,
            id,
        ))
    }
    ///As `lazy`, without blocking.
    #[inline]
    fn future_lazy(
        id: u64,
    ) -> ::chorde::__private::CacheFuture<::core::option::Option<Price>>
    where
        for<'__chorde> Price: ::chorde::__private::Movable<'__chorde>,
    {
        let __chorde_key = {
            let __chorde_client = &CACHE;
            let __chorde_policy = &::chorde::__private::CallPolicy::new(
                ::chorde::__private::duration(settings().life),
            );
            let __chorde_at = ::chorde::__private::At::new(
                Self::__chorde_site(),
                &[],
                __chorde_client,
                ::chorde::__private::Maps::of(
                        ::chorde::__private::Fallible::<
                            Result<Price, Error>,
                        >::new({
                            use ::chorde::__private::{
                                ShareClone as _, ShareDebug as _, ShareNone as _,
                                ShareTold as _,
                            };
                            (&&&&::chorde::__private::Share::<Error>::new()).share()
                        }),
                    )
                    .encoded(pack, unpack)
                    .kept_if(|v| v.is_final()),
                __chorde_policy,
            );
            __chorde_at.prepare(&(&id,))
        };
        let __chorde_job = Self::__chorde_job((id,));
        ::chorde::__private::CacheFuture::operation(async move {
            let __chorde_client = &CACHE;
            let __chorde_policy = &::chorde::__private::CallPolicy::new(
                ::chorde::__private::duration(settings().life),
            );
            let __chorde_at = ::chorde::__private::At::new(
                Self::__chorde_site(),
                &[],
                __chorde_client,
                ::chorde::__private::Maps::of(
                        ::chorde::__private::Fallible::<
                            Result<Price, Error>,
                        >::new({
                            use ::chorde::__private::{
                                ShareClone as _, ShareDebug as _, ShareNone as _,
                                ShareTold as _,
                            };
                            (&&&&::chorde::__private::Share::<Error>::new()).share()
                        }),
                    )
                    .encoded(pack, unpack)
                    .kept_if(|v| v.is_final()),
                __chorde_policy,
            );
            __chorde_at.sent_lazy(__chorde_key, __chorde_job).await
        })
    }
    ///Looks, without blocking.
    #[inline]
    fn future_peek(
        id: u64,
    ) -> ::chorde::__private::CacheFuture<::core::option::Option<Price>>
    where
        for<'__chorde> Price: ::chorde::__private::Movable<'__chorde>,
    {
        let __chorde_key = {
            let __chorde_client = &CACHE;
            let __chorde_policy = &::chorde::__private::CallPolicy::new(
                ::chorde::__private::duration(settings().life),
            );
            let __chorde_at = ::chorde::__private::At::new(
                Self::__chorde_site(),
                &[],
                __chorde_client,
                ::chorde::__private::Maps::of(
                        ::chorde::__private::Fallible::<
                            Result<Price, Error>,
                        >::new({
                            use ::chorde::__private::{
                                ShareClone as _, ShareDebug as _, ShareNone as _,
                                ShareTold as _,
                            };
                            (&&&&::chorde::__private::Share::<Error>::new()).share()
                        }),
                    )
                    .encoded(pack, unpack)
                    .kept_if(|v| v.is_final()),
                __chorde_policy,
            );
            __chorde_at.prepare(&(&id,))
        };
        ::chorde::__private::CacheFuture::operation(async move {
            let __chorde_client = &CACHE;
            let __chorde_policy = &::chorde::__private::CallPolicy::new(
                ::chorde::__private::duration(settings().life),
            );
            let __chorde_at = ::chorde::__private::At::new(
                Self::__chorde_site(),
                &[],
                __chorde_client,
                ::chorde::__private::Maps::of(
                        ::chorde::__private::Fallible::<
                            Result<Price, Error>,
                        >::new({
                            use ::chorde::__private::{
                                ShareClone as _, ShareDebug as _, ShareNone as _,
                                ShareTold as _,
                            };
                            (&&&&::chorde::__private::Share::<Error>::new()).share()
                        }),
                    )
                    .encoded(pack, unpack)
                    .kept_if(|v| v.is_final()),
                __chorde_policy,
            );
            __chorde_at.sent_peek(__chorde_key).await
        })
    }
    ///Stores a value, without blocking.
    #[inline]
    fn future_put(
        id: u64,
        value: Price,
    ) -> ::chorde::__private::CacheFuture<
        ::core::result::Result<(), ::chorde::__private::Error>,
    >
    where
        for<'__chorde> Price: ::chorde::__private::Movable<'__chorde>,
    {
        let __chorde_key = {
            let __chorde_client = &CACHE;
            let __chorde_policy = &::chorde::__private::CallPolicy::new(
                ::chorde::__private::duration(settings().life),
            );
            let __chorde_at = ::chorde::__private::At::new(
                Self::__chorde_site(),
                &[],
                __chorde_client,
                ::chorde::__private::Maps::of(
                        ::chorde::__private::Fallible::<
                            Result<Price, Error>,
                        >::new({
                            use ::chorde::__private::{
                                ShareClone as _, ShareDebug as _, ShareNone as _,
                                ShareTold as _,
                            };
                            (&&&&::chorde::__private::Share::<Error>::new()).share()
                        }),
                    )
                    .encoded(pack, unpack)
                    .kept_if(|v| v.is_final()),
                __chorde_policy,
            );
            __chorde_at.prepare(&(&id,))
        };
        ::chorde::__private::CacheFuture::operation(async move {
            let __chorde_client = &CACHE;
            let __chorde_policy = &::chorde::__private::CallPolicy::new(
                ::chorde::__private::duration(settings().life),
            );
            let __chorde_at = ::chorde::__private::At::new(
                Self::__chorde_site(),
                &[],
                __chorde_client,
                ::chorde::__private::Maps::of(
                        ::chorde::__private::Fallible::<
                            Result<Price, Error>,
                        >::new({
                            use ::chorde::__private::{
                                ShareClone as _, ShareDebug as _, ShareNone as _,
                                ShareTold as _,
                            };
                            (&&&&::chorde::__private::Share::<Error>::new()).share()
                        }),
                    )
                    .encoded(pack, unpack)
                    .kept_if(|v| v.is_final()),
                __chorde_policy,
            );
            __chorde_at.sent_put(__chorde_key, value).await
        })
    }
    ///Looks at the value and its remaining life, without blocking.
    #[inline]
    fn future_get_ttl(
        id: u64,
    ) -> ::chorde::__private::CacheFuture<
        ::core::option::Option<::chorde::__private::Entry<Price>>,
    >
    where
        for<'__chorde> Price: ::chorde::__private::Movable<'__chorde>,
    {
        let __chorde_key = {
            let __chorde_client = &CACHE;
            let __chorde_policy = &::chorde::__private::CallPolicy::new(
                ::chorde::__private::duration(settings().life),
            );
            let __chorde_at = ::chorde::__private::At::new(
                Self::__chorde_site(),
                &[],
                __chorde_client,
                ::chorde::__private::Maps::of(
                        ::chorde::__private::Fallible::<
                            Result<Price, Error>,
                        >::new({
                            use ::chorde::__private::{
                                ShareClone as _, ShareDebug as _, ShareNone as _,
                                ShareTold as _,
                            };
                            (&&&&::chorde::__private::Share::<Error>::new()).share()
                        }),
                    )
                    .encoded(pack, unpack)
                    .kept_if(|v| v.is_final()),
                __chorde_policy,
            );
            __chorde_at.prepare(&(&id,))
        };
        ::chorde::__private::CacheFuture::operation(async move {
            let __chorde_client = &CACHE;
            let __chorde_policy = &::chorde::__private::CallPolicy::new(
                ::chorde::__private::duration(settings().life),
            );
            let __chorde_at = ::chorde::__private::At::new(
                Self::__chorde_site(),
                &[],
                __chorde_client,
                ::chorde::__private::Maps::of(
                        ::chorde::__private::Fallible::<
                            Result<Price, Error>,
                        >::new({
                            use ::chorde::__private::{
                                ShareClone as _, ShareDebug as _, ShareNone as _,
                                ShareTold as _,
                            };
                            (&&&&::chorde::__private::Share::<Error>::new()).share()
                        }),
                    )
                    .encoded(pack, unpack)
                    .kept_if(|v| v.is_final()),
                __chorde_policy,
            );
            __chorde_at.sent_get_ttl(__chorde_key).await
        })
    }
    ///Removes the result of these arguments, without blocking.
    #[inline]
    fn future_invalidate(
        id: u64,
    ) -> ::chorde::__private::CacheFuture<
        ::core::result::Result<(), ::chorde::__private::Error>,
    >
    where
        for<'__chorde> Price: ::chorde::__private::Movable<'__chorde>,
    {
        let __chorde_key = {
            let __chorde_client = &CACHE;
            let __chorde_policy = &::chorde::__private::CallPolicy::new(
                ::chorde::__private::duration(settings().life),
            );
            let __chorde_at = ::chorde::__private::At::new(
                Self::__chorde_site(),
                &[],
                __chorde_client,
                ::chorde::__private::Maps::of(
                        ::chorde::__private::Fallible::<
                            Result<Price, Error>,
                        >::new({
                            use ::chorde::__private::{
                                ShareClone as _, ShareDebug as _, ShareNone as _,
                                ShareTold as _,
                            };
                            (&&&&::chorde::__private::Share::<Error>::new()).share()
                        }),
                    )
                    .encoded(pack, unpack)
                    .kept_if(|v| v.is_final()),
                __chorde_policy,
            );
            __chorde_at.prepare(&(&id,))
        };
        ::chorde::__private::CacheFuture::operation(async move {
            let __chorde_client = &CACHE;
            let __chorde_policy = &::chorde::__private::CallPolicy::new(
                ::chorde::__private::duration(settings().life),
            );
            let __chorde_at = ::chorde::__private::At::new(
                Self::__chorde_site(),
                &[],
                __chorde_client,
                ::chorde::__private::Maps::of(
                        ::chorde::__private::Fallible::<
                            Result<Price, Error>,
                        >::new({
                            use ::chorde::__private::{
                                ShareClone as _, ShareDebug as _, ShareNone as _,
                                ShareTold as _,
                            };
                            (&&&&::chorde::__private::Share::<Error>::new()).share()
                        }),
                    )
                    .encoded(pack, unpack)
                    .kept_if(|v| v.is_final()),
                __chorde_policy,
            );
            __chorde_at.sent_invalidate(__chorde_key).await
        })
    }
    ///Marks the result of these arguments as stale, without blocking.
    #[inline]
    fn future_expire(
        id: u64,
    ) -> ::chorde::__private::CacheFuture<
        ::core::result::Result<(), ::chorde::__private::Error>,
    >
    where
        for<'__chorde> Price: ::chorde::__private::Movable<'__chorde>,
    {
        let __chorde_key = {
            let __chorde_client = &CACHE;
            let __chorde_policy = &::chorde::__private::CallPolicy::new(
                ::chorde::__private::duration(settings().life),
            );
            let __chorde_at = ::chorde::__private::At::new(
                Self::__chorde_site(),
                &[],
                __chorde_client,
                ::chorde::__private::Maps::of(
                        ::chorde::__private::Fallible::<
                            Result<Price, Error>,
                        >::new({
                            use ::chorde::__private::{
                                ShareClone as _, ShareDebug as _, ShareNone as _,
                                ShareTold as _,
                            };
                            (&&&&::chorde::__private::Share::<Error>::new()).share()
                        }),
                    )
                    .encoded(pack, unpack)
                    .kept_if(|v| v.is_final()),
                __chorde_policy,
            );
            __chorde_at.prepare(&(&id,))
        };
        ::chorde::__private::CacheFuture::operation(async move {
            let __chorde_client = &CACHE;
            let __chorde_policy = &::chorde::__private::CallPolicy::new(
                ::chorde::__private::duration(settings().life),
            );
            let __chorde_at = ::chorde::__private::At::new(
                Self::__chorde_site(),
                &[],
                __chorde_client,
                ::chorde::__private::Maps::of(
                        ::chorde::__private::Fallible::<
                            Result<Price, Error>,
                        >::new({
                            use ::chorde::__private::{
                                ShareClone as _, ShareDebug as _, ShareNone as _,
                                ShareTold as _,
                            };
                            (&&&&::chorde::__private::Share::<Error>::new()).share()
                        }),
                    )
                    .encoded(pack, unpack)
                    .kept_if(|v| v.is_final()),
                __chorde_policy,
            );
            __chorde_at.sent_expire(__chorde_key).await
        })
    }
    /**Forgets all results of this function, everywhere, and leaves the client's other entries alone.

# Errors

`ErrorKind::Unsupported` when the function has no namespace, and what the client reports.*/
    #[inline]
    fn clear() -> ::core::result::Result<(), ::chorde::__private::Error> {
        let __chorde_client = &CACHE;
        let __chorde_policy = &::chorde::__private::CallPolicy::new(
            ::chorde::__private::duration(settings().life),
        );
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_site(),
            &[],
            __chorde_client,
            ::chorde::__private::Maps::of(
                    ::chorde::__private::Fallible::<
                        Result<Price, Error>,
                    >::new({
                        use ::chorde::__private::{
                            ShareClone as _, ShareDebug as _, ShareNone as _,
                            ShareTold as _,
                        };
                        (&&&&::chorde::__private::Share::<Error>::new()).share()
                    }),
                )
                .encoded(pack, unpack)
                .kept_if(|v| v.is_final()),
            __chorde_policy,
        );
        __chorde_at.clear_now()
    }
    ///Returns what tells the keys of this function from those of others.
    #[inline]
    fn namespace() -> ::std::string::String {
        let __chorde_client = &CACHE;
        let __chorde_policy = &::chorde::__private::CallPolicy::new(
            ::chorde::__private::duration(settings().life),
        );
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_site(),
            &[],
            __chorde_client,
            ::chorde::__private::Maps::of(
                    ::chorde::__private::Fallible::<
                        Result<Price, Error>,
                    >::new({
                        use ::chorde::__private::{
                            ShareClone as _, ShareDebug as _, ShareNone as _,
                            ShareTold as _,
                        };
                        (&&&&::chorde::__private::Share::<Error>::new()).share()
                    }),
                )
                .encoded(pack, unpack)
                .kept_if(|v| v.is_final()),
            __chorde_policy,
        );
        __chorde_at.namespace()
    }
    ///Returns the counters and times of this function so far.
    #[inline]
    fn stats() -> ::chorde::__private::Stats {
        Self::__chorde_site().stats()
    }
    ///Sets the counters and times to zero.
    #[inline]
    fn reset_stats() {
        Self::__chorde_site().reset_stats();
    }
    ///Divides the histogram of computing times into `bins` of equal width up to `up_to`.
    #[inline]
    fn set_timing_bins(bins: usize, up_to: ::core::time::Duration) {
        Self::__chorde_site().set_timing_bins(bins, up_to);
    }
    ///Calls back when a farther tier's entry is copied nearer: key, value, remaining life.
    #[inline]
    fn on_promote(
        callback: impl ::core::ops::Fn(
            &::chorde::__private::Key,
            &Price,
            ::core::time::Duration,
        ) + ::core::marker::Send + ::core::marker::Sync + 'static,
    )
    where
        for<'__chorde> Price: ::chorde::__private::Movable<'__chorde>,
    {
        Self::__chorde_site().on_promote::<Price>(callback);
    }
    /**Calls back after each successful computation, once, with the value and the arguments; never after a put or a hit.

A panic of the callback is counted and logged, and not seen by the function's caller. It may call the function and register others; one that goes on calling itself in that way is ended after some dozens of times, with a log.*/
    #[inline]
    fn on_value(
        callback: impl ::core::ops::Fn(
            &Price,
            &(u64,),
        ) + ::core::marker::Send + ::core::marker::Sync + 'static,
    )
    where
        for<'__chorde> Price: ::chorde::__private::Movable<'__chorde>,
    {
        Self::__chorde_site().on_value::<Price, (u64,)>(callback);
    }
    ///Gives those who call during the first computation of a key what `make` makes of the arguments, until the computation ends. If that panics, they wait.
    #[inline]
    fn placeholder(
        callback: impl ::core::ops::Fn(
            &(u64,),
        ) -> Price + ::core::marker::Send + ::core::marker::Sync + 'static,
    )
    where
        for<'__chorde> Price: ::chorde::__private::Movable<'__chorde>,
    {
        Self::__chorde_site().placeholder::<Price, (u64,)>(callback);
    }
    /**Returns the key of a call with these arguments.

# Errors

`ErrorKind::Key` when it cannot be serialised.*/
    #[inline]
    fn callkey(
        id: u64,
    ) -> ::core::result::Result<::chorde::__private::Key, ::chorde::__private::Error> {
        let __chorde_client = &CACHE;
        let __chorde_policy = &::chorde::__private::CallPolicy::new(
            ::chorde::__private::duration(settings().life),
        );
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_site(),
            &[],
            __chorde_client,
            ::chorde::__private::Maps::of(
                    ::chorde::__private::Fallible::<
                        Result<Price, Error>,
                    >::new({
                        use ::chorde::__private::{
                            ShareClone as _, ShareDebug as _, ShareNone as _,
                            ShareTold as _,
                        };
                        (&&&&::chorde::__private::Share::<Error>::new()).share()
                    }),
                )
                .encoded(pack, unpack)
                .kept_if(|v| v.is_final()),
            __chorde_policy,
        );
        __chorde_at.callkey(&(&id,))
    }
    ///Returns how long a result may be used.
    #[inline]
    fn ttl() -> ::core::time::Duration {
        ::chorde::__private::CallPolicy::new(
                ::chorde::__private::duration(settings().life),
            )
            .ttl()
    }
    ///Returns when a result becomes due for a refresh in the background.
    #[inline]
    fn async_ttl() -> ::chorde::__private::RefreshPoint {
        ::chorde::__private::CallPolicy::new(
                ::chorde::__private::duration(settings().life),
            )
            .refresh()
    }
}
