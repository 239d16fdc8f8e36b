/**

# Caching

A result is used for 5 min. Its key is `items` and `arg1`.

Companions: [`bg`](sum::bg), [`lazy`](sum::lazy), [`refresh`](sum::refresh), [`bg_refresh`](sum::bg_refresh), [`warm`](sum::warm), [`peek`](sum::peek), [`put`](sum::put), [`get_ttl`](sum::get_ttl), [`invalidate`](sum::invalidate), [`expire`](sum::expire), [`future`](sum::future), [`future_refresh`](sum::future_refresh), [`future_lazy`](sum::future_lazy), [`future_peek`](sum::future_peek), [`future_put`](sum::future_put), [`future_get_ttl`](sum::future_get_ttl), [`future_invalidate`](sum::future_invalidate), [`future_expire`](sum::future_expire), [`clear`](sum::clear), [`namespace`](sum::namespace), [`stats`](sum::stats), [`reset_stats`](sum::reset_stats), [`set_timing_bins`](sum::set_timing_bins), [`on_promote`](sum::on_promote), [`callkey`](sum::callkey), [`ttl`](sum::ttl), [`async_ttl`](sum::async_ttl), [`uncached`](sum::uncached).*/
#[allow(dead_code, clippy::significant_drop_tightening)]
fn sum<T: Number, const N: usize>(items: [T; N], arg1: (u8, u8)) -> Option<T>
where
    T: Serialize,
{
    let __chorde_at = sum::__chorde_at::<T, N>();
    let __chorde_looked = __chorde_at
        .look(
            &(
                &N,
                ::chorde::__private::Part::<
                    _,
                    ::chorde::__private::Listed<::chorde::__private::Leaf>,
                >::new(&items[..])
                    .part(),
                &arg1,
            ),
        );
    match __chorde_looked {
        ::chorde::__private::Looked::Hit(__chorde_hit) => __chorde_hit,
        ::chorde::__private::Looked::Slow(__chorde_slow) => {
            __chorde_at
                .finish_now(
                    __chorde_slow,
                    (items, arg1),
                    sum::__chorde_compute::<T, N> as fn(_) -> _,
                    ::chorde::__private::no_behind(),
                    ::chorde::__private::no_echo(),
                )
        }
    }
}
impl sum {
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
    fn uncached<T: Number, const N: usize>(items: [T; N], (a, b): (u8, u8)) -> Option<T>
    where
        T: Serialize,
    {
        add(items, a, b)
    }
}
/**The companions of the cached function [`sum`](fn@sum).

There is no `on_value` and no `placeholder`: not every argument can be owned, or not every type parameter in one is declared `Clone + Send + Sync + 'static`.*/
#[allow(
    non_camel_case_types,
    missing_debug_implementations,
    clippy::empty_enums,
    clippy::upper_case_acronyms
)]
enum sum {}
#[allow(dead_code, unused_variables, clippy::all, clippy::pedantic, clippy::nursery)]
impl sum {
    #[inline]
    fn __chorde_site() -> &'static ::chorde::__private::Site {
        static __CHORDE_SITE: ::chorde::__private::Site = ::chorde::__private::Site::new(
            ::chorde::__private::Description::new(
                    "sum",
                    ::core::module_path!(),
                    ::core::any::type_name::<sum>,
                    "<T,N>(items:[T;N],(a,b):(u8,u8))->Option<T>;ttl=300000000000;version=",
                    300000000000,
                )
                .body(3740478218599950834),
        );
        &__CHORDE_SITE
    }
    const __CHORDE_POLICY: ::chorde::__private::CallPolicy = ::chorde::__private::CallPolicy::new(
        ::core::time::Duration::new(300, 0),
    );
    #[inline]
    fn __chorde_at<T: Number, const N: usize>() -> ::chorde::__private::At<
        'static,
        impl ::chorde::__private::Client<Option<T>> + 'static,
        ::chorde::__private::Plain<Option<T>>,
    >
    where
        T: Serialize,
    {
        let __chorde_client = &CACHE;
        let __chorde_tag = &[::chorde::__private::Tag::of::<T>()];
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_site(),
            __chorde_tag,
            __chorde_client,
            ::chorde::__private::Plain::<Option<T>>::new(),
            &Self::__CHORDE_POLICY,
        );
        __chorde_at
    }
    fn __chorde_compute<T: Number, const N: usize>(
        __chorde_args: ([T; N], (u8, u8)),
    ) -> Option<T>
    where
        T: Serialize,
    {
        Self::uncached::<T, N>(__chorde_args.0, __chorde_args.1)
    }
    #[inline]
    fn __chorde_behind<T: Number, const N: usize>(
        __chorde_ticket: ::chorde::__private::Ticket,
        items: [T; N],
        arg1: (u8, u8),
    )
    where
        T: Serialize,
    {
        let __chorde_at = Self::__chorde_at::<T, N>();
        __chorde_at
            .behind_now(
                __chorde_ticket,
                (items, arg1),
                Self::__chorde_compute::<T, N> as fn(_) -> _,
                ::chorde::__private::no_echo(),
            )
    }
    #[inline]
    fn __chorde_job<T: Number, const N: usize>(
        __chorde_args: ([T; N], (u8, u8)),
    ) -> ::chorde::__private::Job
    where
        T: Serialize,
        for<'__chorde> [T; N]: ::chorde::__private::Movable<'__chorde>,
        for<'__chorde> (u8, u8): ::chorde::__private::Movable<'__chorde>,
    {
        let items = __chorde_args.0;
        let arg1 = __chorde_args.1;
        ::chorde::__private::Job::blocking(move |__chorde_ticket| Self::__chorde_behind::<
            T,
            N,
        >(__chorde_ticket, items, arg1))
    }
    #[inline]
    fn __chorde_again<T: Number, const N: usize>(
        __chorde_key: ::chorde::__private::Prepared,
        items: [T; N],
        arg1: (u8, u8),
    ) -> Option<T>
    where
        T: Serialize,
    {
        let __chorde_at = Self::__chorde_at::<T, N>();
        let __chorde_looked = __chorde_at.look_again(__chorde_key);
        match __chorde_looked {
            ::chorde::__private::Looked::Hit(__chorde_hit) => __chorde_hit,
            ::chorde::__private::Looked::Slow(__chorde_slow) => {
                __chorde_at
                    .finish_now(
                        __chorde_slow,
                        (items, arg1),
                        Self::__chorde_compute::<T, N> as fn(_) -> _,
                        ::chorde::__private::no_behind(),
                        ::chorde::__private::no_echo(),
                    )
            }
        }
    }
    #[inline]
    fn __chorde_warming<T: Number, const N: usize>(
        items: [T; N],
        arg1: (u8, u8),
    ) -> ::chorde::__private::Warming
    where
        T: Serialize,
        for<'__chorde> [T; N]: ::chorde::__private::Movable<'__chorde>,
        for<'__chorde> (u8, u8): ::chorde::__private::Movable<'__chorde>,
    {
        let __chorde_at = Self::__chorde_at::<T, N>();
        let __chorde_key = __chorde_at
            .prepare(
                &(
                    &N,
                    ::chorde::__private::Part::<
                        _,
                        ::chorde::__private::Listed<::chorde::__private::Leaf>,
                    >::new(&items[..])
                        .part(),
                    &arg1,
                ),
            );
        __chorde_at
            .warming(
                __chorde_key,
                (items, arg1),
                ::core::option::Option::Some(Self::__chorde_job::<T, N> as fn(_) -> _),
            )
    }
    #[inline]
    fn __chorde_refreshed<T: Number, const N: usize>(
        __chorde_key: ::chorde::__private::Prepared,
        items: [T; N],
        arg1: (u8, u8),
    ) -> Option<T>
    where
        T: Serialize,
    {
        let __chorde_at = Self::__chorde_at::<T, N>();
        __chorde_at
            .refresh_now(
                __chorde_key,
                (items, arg1),
                Self::__chorde_compute::<T, N> as fn(_) -> _,
                ::chorde::__private::no_echo(),
            )
    }
    ///As the plain call; without `async_ttl`, a result is due at half of its life.
    #[inline]
    fn bg<T: Number, const N: usize>(items: [T; N], arg1: (u8, u8)) -> Option<T>
    where
        T: Serialize,
        for<'__chorde> [T; N]: ::chorde::__private::Movable<'__chorde>,
        for<'__chorde> (u8, u8): ::chorde::__private::Movable<'__chorde>,
    {
        let __chorde_at = Self::__chorde_at::<T, N>();
        let __chorde_looked = __chorde_at
            .look_bg(
                &(
                    &N,
                    ::chorde::__private::Part::<
                        _,
                        ::chorde::__private::Listed<::chorde::__private::Leaf>,
                    >::new(&items[..])
                        .part(),
                    &arg1,
                ),
            );
        match __chorde_looked {
            ::chorde::__private::Looked::Hit(__chorde_hit) => __chorde_hit,
            ::chorde::__private::Looked::Slow(__chorde_slow) => {
                __chorde_at
                    .finish_now(
                        __chorde_slow,
                        (items, arg1),
                        Self::__chorde_compute::<T, N> as fn(_) -> _,
                        ::core::option::Option::Some(
                            Self::__chorde_job::<T, N> as fn(_) -> _,
                        ),
                        ::chorde::__private::no_echo(),
                    )
            }
        }
    }
    ///Looks; if nothing is there or it is due, computes in the background, and never waits for it.
    #[inline]
    fn lazy<T: Number, const N: usize>(
        items: [T; N],
        arg1: (u8, u8),
    ) -> ::core::option::Option<Option<T>>
    where
        T: Serialize,
        for<'__chorde> [T; N]: ::chorde::__private::Movable<'__chorde>,
        for<'__chorde> (u8, u8): ::chorde::__private::Movable<'__chorde>,
    {
        let __chorde_at = Self::__chorde_at::<T, N>();
        match __chorde_at
            .lazy_at_once(
                &(
                    &N,
                    ::chorde::__private::Part::<
                        _,
                        ::chorde::__private::Listed<::chorde::__private::Leaf>,
                    >::new(&items[..])
                        .part(),
                    &arg1,
                ),
            )
        {
            ::core::result::Result::Ok(__chorde_known) => {
                ::core::option::Option::Some(__chorde_known)
            }
            ::core::result::Result::Err(__chorde_key) => {
                __chorde_at
                    .lazy_now(
                        __chorde_key,
                        (items, arg1),
                        ::core::option::Option::Some(
                            Self::__chorde_job::<T, N> as fn(_) -> _,
                        ),
                    )
            }
        }
    }
    /**Computes now, whatever the cache holds, stores the result and returns it.

Calls that arrive while one computes share the next.*/
    #[inline]
    fn refresh<T: Number, const N: usize>(items: [T; N], arg1: (u8, u8)) -> Option<T>
    where
        T: Serialize,
    {
        let __chorde_at = Self::__chorde_at::<T, N>();
        let __chorde_key = __chorde_at
            .prepare(
                &(
                    &N,
                    ::chorde::__private::Part::<
                        _,
                        ::chorde::__private::Listed<::chorde::__private::Leaf>,
                    >::new(&items[..])
                        .part(),
                    &arg1,
                ),
            );
        __chorde_at
            .refresh_now(
                __chorde_key,
                (items, arg1),
                Self::__chorde_compute::<T, N> as fn(_) -> _,
                ::chorde::__private::no_echo(),
            )
    }
    /**Computes in the background, whatever the cache holds. `Ok` says that the work is queued, or was before.

# Errors

`ErrorKind::Overloaded` when the queue of background work is full, so that nothing will be computed; `ErrorKind::Key` when the key cannot be serialised.*/
    #[inline]
    fn bg_refresh<T: Number, const N: usize>(
        items: [T; N],
        arg1: (u8, u8),
    ) -> ::core::result::Result<(), ::chorde::__private::Error>
    where
        T: Serialize,
        for<'__chorde> [T; N]: ::chorde::__private::Movable<'__chorde>,
        for<'__chorde> (u8, u8): ::chorde::__private::Movable<'__chorde>,
    {
        let __chorde_at = Self::__chorde_at::<T, N>();
        let __chorde_key = __chorde_at
            .prepare(
                &(
                    &N,
                    ::chorde::__private::Part::<
                        _,
                        ::chorde::__private::Listed<::chorde::__private::Leaf>,
                    >::new(&items[..])
                        .part(),
                    &arg1,
                ),
            );
        __chorde_at
            .bg_refresh(
                __chorde_key,
                (items, arg1),
                ::core::option::Option::Some(Self::__chorde_job::<T, N> as fn(_) -> _),
            )
    }
    /**Computes what is missing or due for many calls, a few at a time, and never more than it has room for.

Takes an iterator of arguments: tuples of them, or the argument itself where there is one. Returns a future that does nothing until it is awaited or waited for, and yields a report.*/
    #[inline]
    fn warm<'__chorde_i, T: Number, const N: usize>(
        args: impl ::core::iter::IntoIterator<
            Item = ([T; N], (u8, u8)),
            IntoIter: ::core::marker::Send + '__chorde_i,
        >,
    ) -> ::chorde::__private::Warm<'__chorde_i>
    where
        T: Serialize,
        for<'__chorde> [T; N]: ::chorde::__private::Movable<'__chorde>,
        for<'__chorde> (u8, u8): ::chorde::__private::Movable<'__chorde>,
    {
        ::chorde::__private::Warm::new(
            ::core::iter::IntoIterator::into_iter(args),
            move |(__chorde_0, __chorde_1)| Self::__chorde_warming::<
                T,
                N,
            >(__chorde_0, __chorde_1),
        )
    }
    ///Only looks; never computes.
    #[inline]
    fn peek<T: Number, const N: usize>(
        items: [T; N],
        arg1: (u8, u8),
    ) -> ::core::option::Option<Option<T>>
    where
        T: Serialize,
    {
        let __chorde_at = Self::__chorde_at::<T, N>();
        __chorde_at
            .peek_now(
                &(
                    &N,
                    ::chorde::__private::Part::<
                        _,
                        ::chorde::__private::Listed<::chorde::__private::Leaf>,
                    >::new(&items[..])
                        .part(),
                    &arg1,
                ),
            )
    }
    /**Stores a value: the arguments first, the value last.

# Errors

As for `invalidate`.*/
    #[inline]
    fn put<T: Number, const N: usize>(
        items: [T; N],
        arg1: (u8, u8),
        value: Option<T>,
    ) -> ::core::result::Result<(), ::chorde::__private::Error>
    where
        T: Serialize,
    {
        let __chorde_at = Self::__chorde_at::<T, N>();
        __chorde_at
            .put_now(
                &(
                    &N,
                    ::chorde::__private::Part::<
                        _,
                        ::chorde::__private::Listed<::chorde::__private::Leaf>,
                    >::new(&items[..])
                        .part(),
                    &arg1,
                ),
                value,
            )
    }
    ///Looks at the value and its remaining life; shows a stale entry too, marked as such.
    #[inline]
    fn get_ttl<T: Number, const N: usize>(
        items: [T; N],
        arg1: (u8, u8),
    ) -> ::core::option::Option<::chorde::__private::Entry<Option<T>>>
    where
        T: Serialize,
    {
        let __chorde_at = Self::__chorde_at::<T, N>();
        __chorde_at
            .get_ttl_now(
                &(
                    &N,
                    ::chorde::__private::Part::<
                        _,
                        ::chorde::__private::Listed<::chorde::__private::Leaf>,
                    >::new(&items[..])
                        .part(),
                    &arg1,
                ),
            )
    }
    /**Removes the result of these arguments.

# Errors

`ErrorKind::Key` when the key cannot be serialised, and what the client reports.*/
    #[inline]
    fn invalidate<T: Number, const N: usize>(
        items: [T; N],
        arg1: (u8, u8),
    ) -> ::core::result::Result<(), ::chorde::__private::Error>
    where
        T: Serialize,
    {
        let __chorde_at = Self::__chorde_at::<T, N>();
        __chorde_at
            .invalidate_now(
                &(
                    &N,
                    ::chorde::__private::Part::<
                        _,
                        ::chorde::__private::Listed<::chorde::__private::Leaf>,
                    >::new(&items[..])
                        .part(),
                    &arg1,
                ),
            )
    }
    /**Marks the result of these arguments as stale, but keeps it.

# Errors

As for `invalidate`.*/
    #[inline]
    fn expire<T: Number, const N: usize>(
        items: [T; N],
        arg1: (u8, u8),
    ) -> ::core::result::Result<(), ::chorde::__private::Error>
    where
        T: Serialize,
    {
        let __chorde_at = Self::__chorde_at::<T, N>();
        __chorde_at
            .expire_now(
                &(
                    &N,
                    ::chorde::__private::Part::<
                        _,
                        ::chorde::__private::Listed<::chorde::__private::Leaf>,
                    >::new(&items[..])
                        .part(),
                    &arg1,
                ),
            )
    }
    ///The plain call, without blocking: on any executor, or `.wait()`.
    #[inline]
    fn future<T: Number, const N: usize>(
        items: [T; N],
        arg1: (u8, u8),
    ) -> ::chorde::__private::CacheFuture<Option<T>>
    where
        T: Serialize,
        for<'__chorde> [T; N]: ::chorde::__private::Movable<'__chorde>,
        for<'__chorde> (u8, u8): ::chorde::__private::Movable<'__chorde>,
        for<'__chorde> Option<T>: ::chorde::__private::Movable<'__chorde>,
    {
        let __chorde_looked = {
            let __chorde_at = Self::__chorde_at::<T, N>();
            __chorde_at
                .look(
                    &(
                        &N,
                        ::chorde::__private::Part::<
                            _,
                            ::chorde::__private::Listed<::chorde::__private::Leaf>,
                        >::new(&items[..])
                            .part(),
                        &arg1,
                    ),
                )
        };
        match __chorde_looked {
            ::chorde::__private::Looked::Hit(__chorde_hit) => {
                ::chorde::__private::CacheFuture::ready(__chorde_hit)
            }
            ::chorde::__private::Looked::Slow(__chorde_slow) => {
                let __chorde_key = __chorde_slow.into_prepared();
                ::chorde::__private::CacheFuture::blocking(move || Self::__chorde_again::<
                    T,
                    N,
                >(__chorde_key, items, arg1))
            }
        }
    }
    ///Computes now, without blocking the caller.
    #[inline]
    fn future_refresh<T: Number, const N: usize>(
        items: [T; N],
        arg1: (u8, u8),
    ) -> ::chorde::__private::CacheFuture<Option<T>>
    where
        T: Serialize,
        for<'__chorde> [T; N]: ::chorde::__private::Movable<'__chorde>,
        for<'__chorde> (u8, u8): ::chorde::__private::Movable<'__chorde>,
        for<'__chorde> Option<T>: ::chorde::__private::Movable<'__chorde>,
    {
        let __chorde_key = {
            let __chorde_at = Self::__chorde_at::<T, N>();
            __chorde_at
                .prepare(
                    &(
                        &N,
                        ::chorde::__private::Part::<
                            _,
                            ::chorde::__private::Listed<::chorde::__private::Leaf>,
                        >::new(&items[..])
                            .part(),
                        &arg1,
                    ),
                )
        };
        ::chorde::__private::CacheFuture::blocking(move || Self::__chorde_refreshed::<
            T,
            N,
        >(__chorde_key, items, arg1))
    }
    ///As `lazy`, without blocking.
    #[inline]
    fn future_lazy<T: Number, const N: usize>(
        items: [T; N],
        arg1: (u8, u8),
    ) -> ::chorde::__private::CacheFuture<::core::option::Option<Option<T>>>
    where
        T: Serialize,
        for<'__chorde> [T; N]: ::chorde::__private::Movable<'__chorde>,
        for<'__chorde> (u8, u8): ::chorde::__private::Movable<'__chorde>,
        for<'__chorde> Option<T>: ::chorde::__private::Movable<'__chorde>,
    {
        let __chorde_at = Self::__chorde_at::<T, N>();
        let __chorde_key = __chorde_at
            .prepare(
                &(
                    &N,
                    ::chorde::__private::Part::<
                        _,
                        ::chorde::__private::Listed<::chorde::__private::Leaf>,
                    >::new(&items[..])
                        .part(),
                    &arg1,
                ),
            );
        let __chorde_job = Self::__chorde_job::<T, N>((items, arg1));
        __chorde_at.future_lazy(__chorde_key, __chorde_job)
    }
    ///Looks, without blocking.
    #[inline]
    fn future_peek<T: Number, const N: usize>(
        items: [T; N],
        arg1: (u8, u8),
    ) -> ::chorde::__private::CacheFuture<::core::option::Option<Option<T>>>
    where
        T: Serialize,
        for<'__chorde> Option<T>: ::chorde::__private::Movable<'__chorde>,
    {
        let __chorde_at = Self::__chorde_at::<T, N>();
        let __chorde_key = __chorde_at
            .prepare(
                &(
                    &N,
                    ::chorde::__private::Part::<
                        _,
                        ::chorde::__private::Listed<::chorde::__private::Leaf>,
                    >::new(&items[..])
                        .part(),
                    &arg1,
                ),
            );
        __chorde_at.future_peek(__chorde_key)
    }
    ///Stores a value, without blocking.
    #[inline]
    fn future_put<T: Number, const N: usize>(
        items: [T; N],
        arg1: (u8, u8),
        value: Option<T>,
    ) -> ::chorde::__private::CacheFuture<
        ::core::result::Result<(), ::chorde::__private::Error>,
    >
    where
        T: Serialize,
        for<'__chorde> Option<T>: ::chorde::__private::Movable<'__chorde>,
    {
        let __chorde_at = Self::__chorde_at::<T, N>();
        let __chorde_key = __chorde_at
            .prepare(
                &(
                    &N,
                    ::chorde::__private::Part::<
                        _,
                        ::chorde::__private::Listed<::chorde::__private::Leaf>,
                    >::new(&items[..])
                        .part(),
                    &arg1,
                ),
            );
        __chorde_at.future_put(__chorde_key, value)
    }
    ///Looks at the value and its remaining life, without blocking.
    #[inline]
    fn future_get_ttl<T: Number, const N: usize>(
        items: [T; N],
        arg1: (u8, u8),
    ) -> ::chorde::__private::CacheFuture<
        ::core::option::Option<::chorde::__private::Entry<Option<T>>>,
    >
    where
        T: Serialize,
        for<'__chorde> Option<T>: ::chorde::__private::Movable<'__chorde>,
    {
        let __chorde_at = Self::__chorde_at::<T, N>();
        let __chorde_key = __chorde_at
            .prepare(
                &(
                    &N,
                    ::chorde::__private::Part::<
                        _,
                        ::chorde::__private::Listed<::chorde::__private::Leaf>,
                    >::new(&items[..])
                        .part(),
                    &arg1,
                ),
            );
        __chorde_at.future_get_ttl(__chorde_key)
    }
    ///Removes the result of these arguments, without blocking.
    #[inline]
    fn future_invalidate<T: Number, const N: usize>(
        items: [T; N],
        arg1: (u8, u8),
    ) -> ::chorde::__private::CacheFuture<
        ::core::result::Result<(), ::chorde::__private::Error>,
    >
    where
        T: Serialize,
        for<'__chorde> Option<T>: ::chorde::__private::Movable<'__chorde>,
    {
        let __chorde_at = Self::__chorde_at::<T, N>();
        let __chorde_key = __chorde_at
            .prepare(
                &(
                    &N,
                    ::chorde::__private::Part::<
                        _,
                        ::chorde::__private::Listed<::chorde::__private::Leaf>,
                    >::new(&items[..])
                        .part(),
                    &arg1,
                ),
            );
        __chorde_at.future_invalidate(__chorde_key)
    }
    ///Marks the result of these arguments as stale, without blocking.
    #[inline]
    fn future_expire<T: Number, const N: usize>(
        items: [T; N],
        arg1: (u8, u8),
    ) -> ::chorde::__private::CacheFuture<
        ::core::result::Result<(), ::chorde::__private::Error>,
    >
    where
        T: Serialize,
        for<'__chorde> Option<T>: ::chorde::__private::Movable<'__chorde>,
    {
        let __chorde_at = Self::__chorde_at::<T, N>();
        let __chorde_key = __chorde_at
            .prepare(
                &(
                    &N,
                    ::chorde::__private::Part::<
                        _,
                        ::chorde::__private::Listed<::chorde::__private::Leaf>,
                    >::new(&items[..])
                        .part(),
                    &arg1,
                ),
            );
        __chorde_at.future_expire(__chorde_key)
    }
    /**Forgets all results of this function, everywhere, and leaves the client's other entries alone.

# Errors

`ErrorKind::Unsupported` when the function has no namespace, and what the client reports.*/
    #[inline]
    fn clear<T: Number, const N: usize>() -> ::core::result::Result<
        (),
        ::chorde::__private::Error,
    >
    where
        T: Serialize,
    {
        let __chorde_at = Self::__chorde_at::<T, N>();
        __chorde_at.clear_now()
    }
    ///Returns what tells the keys of this function from those of others.
    #[inline]
    fn namespace<T: Number, const N: usize>() -> ::std::string::String
    where
        T: Serialize,
    {
        let __chorde_at = Self::__chorde_at::<T, N>();
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
    fn on_promote<T: Number, const N: usize>(
        callback: impl ::core::ops::Fn(
            &::chorde::__private::Key,
            &Option<T>,
            ::core::time::Duration,
        ) + ::core::marker::Send + ::core::marker::Sync + 'static,
    )
    where
        T: Serialize,
        for<'__chorde> Option<T>: ::chorde::__private::Movable<'__chorde>,
    {
        Self::__chorde_site().on_promote::<Option<T>>(callback);
    }
    /**Returns the key of a call with these arguments.

# Errors

`ErrorKind::Key` when it cannot be serialised.*/
    #[inline]
    fn callkey<T: Number, const N: usize>(
        items: [T; N],
        arg1: (u8, u8),
    ) -> ::core::result::Result<::chorde::__private::Key, ::chorde::__private::Error>
    where
        T: Serialize,
    {
        let __chorde_at = Self::__chorde_at::<T, N>();
        __chorde_at
            .callkey(
                &(
                    &N,
                    ::chorde::__private::Part::<
                        _,
                        ::chorde::__private::Listed<::chorde::__private::Leaf>,
                    >::new(&items[..])
                        .part(),
                    &arg1,
                ),
            )
    }
    ///Returns how long a result may be used.
    #[inline]
    fn ttl() -> ::core::time::Duration {
        Self::__CHORDE_POLICY.ttl()
    }
    ///Returns when a result becomes due for a refresh in the background.
    #[inline]
    fn async_ttl() -> ::chorde::__private::RefreshPoint {
        Self::__CHORDE_POLICY.refresh()
    }
}
