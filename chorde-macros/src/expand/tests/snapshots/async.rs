/**

# Caching

A result is used for 5 min. Its key is `url`.

Companions: [`bg`](page::bg), [`lazy`](page::lazy), [`refresh`](page::refresh), [`bg_refresh`](page::bg_refresh), [`peek`](page::peek), [`put`](page::put), [`get_ttl`](page::get_ttl), [`invalidate`](page::invalidate), [`expire`](page::expire), [`future`](page::future), [`clear`](page::clear), [`namespace`](page::namespace), [`stats`](page::stats), [`reset_stats`](page::reset_stats), [`set_timing_bins`](page::set_timing_bins), [`on_promote`](page::on_promote), [`on_value`](page::on_value), [`placeholder`](page::placeholder), [`callkey`](page::callkey), [`ttl`](page::ttl), [`async_ttl`](page::async_ttl), [`uncached`](page::uncached).*/
#[allow(clippy::significant_drop_tightening)]
pub(crate) async fn page(url: String) -> Vec<u8> {
    let __chorde_client = &CACHE;
    let __chorde_at = ::chorde::__private::At::new(
        page::__chorde_site(),
        &[],
        __chorde_client,
        ::chorde::__private::Plain::<Vec<u8>>::new(),
        &page::__CHORDE_POLICY,
    );
    let __chorde_looked = __chorde_at.look(&(&url,));
    match __chorde_looked {
        ::chorde::__private::Looked::Hit(__chorde_hit) => __chorde_hit,
        ::chorde::__private::Looked::Slow(__chorde_slow) => {
            ::chorde::__private::boxed(
                    __chorde_at
                        .finish(
                            __chorde_slow,
                            (url,),
                            |(url,)| page::uncached(url),
                            ::chorde::__private::no_behind(),
                            ::core::option::Option::Some(
                                (|__chorde_args: &(String,)| {
                                    use ::chorde::__private::{KeepClone as _, KeepNone as _};
                                    ::core::option::Option::Some((
                                        (&::chorde::__private::Keep::new(&__chorde_args.0)).keep()?,
                                    ))
                                }) as fn(&_) -> _,
                            ),
                        ),
                )
                .await
        }
    }
}
impl page {
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
    pub(crate) async fn uncached(url: String) -> Vec<u8> {
        fetch(url).await
    }
}
///The companions of the cached function [`page`](fn@page).
#[allow(
    non_camel_case_types,
    missing_debug_implementations,
    clippy::empty_enums,
    clippy::upper_case_acronyms
)]
pub(crate) enum page {}
#[allow(dead_code, unused_variables, clippy::all, clippy::pedantic, clippy::nursery)]
impl page {
    #[inline]
    fn __chorde_site() -> &'static ::chorde::__private::Site {
        static __CHORDE_SITE: ::chorde::__private::Site = ::chorde::__private::Site::new(
            &::chorde::__private::Description {
                name: "page",
                module: ::core::module_path!(),
                signature: "(String)->Vec<u8>;ttl=300000000000;version=",
                naming: ::chorde::__private::Naming::Automatic,
                ttl: ::core::option::Option::Some(::core::time::Duration::new(300, 0)),
                init: ::core::option::Option::None,
            },
        );
        &__CHORDE_SITE
    }
    const __CHORDE_POLICY: ::chorde::__private::CallPolicy = ::chorde::__private::CallPolicy::new(
        ::core::time::Duration::new(300, 0),
    );
    #[inline]
    async fn __chorde_behind(__chorde_ticket: ::chorde::__private::Ticket, url: String)
    where
        for<'__chorde> String: ::chorde::__private::Movable<'__chorde>,
    {
        let __chorde_client = &CACHE;
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_site(),
            &[],
            __chorde_client,
            ::chorde::__private::Plain::<Vec<u8>>::new(),
            &Self::__CHORDE_POLICY,
        );
        let __chorde_key = __chorde_at.prepare(&(&url,));
        ::chorde::__private::boxed(
                __chorde_at
                    .behind(
                        __chorde_ticket,
                        __chorde_key,
                        (url,),
                        |(url,)| Self::uncached(url),
                        ::core::option::Option::Some(
                            (|__chorde_args: &(String,)| {
                                use ::chorde::__private::{KeepClone as _, KeepNone as _};
                                ::core::option::Option::Some((
                                    (&::chorde::__private::Keep::new(&__chorde_args.0)).keep()?,
                                ))
                            }) as fn(&_) -> _,
                        ),
                    ),
            )
            .await
    }
    #[inline]
    fn __chorde_job(url: String) -> ::chorde::__private::Job
    where
        for<'__chorde> String: ::chorde::__private::Movable<'__chorde>,
    {
        ::chorde::__private::Job::future(move |__chorde_ticket| async move {
            Self::__chorde_behind(__chorde_ticket, url).await
        })
    }
    ///As the plain call; without `async_ttl`, a result is due at half of its life.
    #[inline]
    pub(crate) async fn bg(url: String) -> Vec<u8>
    where
        for<'__chorde> String: ::chorde::__private::Movable<'__chorde>,
    {
        let __chorde_client = &CACHE;
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_site(),
            &[],
            __chorde_client,
            ::chorde::__private::Plain::<Vec<u8>>::new(),
            &Self::__CHORDE_POLICY,
        );
        let __chorde_looked = __chorde_at.look_bg(&(&url,));
        match __chorde_looked {
            ::chorde::__private::Looked::Hit(__chorde_hit) => __chorde_hit,
            ::chorde::__private::Looked::Slow(__chorde_slow) => {
                ::chorde::__private::boxed(
                        __chorde_at
                            .finish(
                                __chorde_slow,
                                (url,),
                                |(url,)| Self::uncached(url),
                                ::core::option::Option::Some(
                                    (|(url,)| Self::__chorde_job(url)) as fn(_) -> _,
                                ),
                                ::core::option::Option::Some(
                                    (|__chorde_args: &(String,)| {
                                        use ::chorde::__private::{KeepClone as _, KeepNone as _};
                                        ::core::option::Option::Some((
                                            (&::chorde::__private::Keep::new(&__chorde_args.0)).keep()?,
                                        ))
                                    }) as fn(&_) -> _,
                                ),
                            ),
                    )
                    .await
            }
        }
    }
    ///Looks; if nothing is there or it is due, computes in the background, and never waits for it.
    #[inline]
    pub(crate) async fn lazy(url: String) -> ::core::option::Option<Vec<u8>>
    where
        for<'__chorde> String: ::chorde::__private::Movable<'__chorde>,
    {
        let __chorde_client = &CACHE;
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_site(),
            &[],
            __chorde_client,
            ::chorde::__private::Plain::<Vec<u8>>::new(),
            &Self::__CHORDE_POLICY,
        );
        let __chorde_key = __chorde_at.prepare(&(&url,));
        __chorde_at
            .lazy(
                __chorde_key,
                (url,),
                ::core::option::Option::Some(
                    (|(url,)| Self::__chorde_job(url)) as fn(_) -> _,
                ),
            )
            .await
    }
    ///Computes now, whatever the cache holds, stores the result and returns it.
    #[inline]
    pub(crate) async fn refresh(url: String) -> Vec<u8> {
        let __chorde_client = &CACHE;
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_site(),
            &[],
            __chorde_client,
            ::chorde::__private::Plain::<Vec<u8>>::new(),
            &Self::__CHORDE_POLICY,
        );
        let __chorde_key = __chorde_at.prepare(&(&url,));
        ::chorde::__private::boxed(
                __chorde_at
                    .refresh(
                        __chorde_key,
                        (url,),
                        |(url,)| Self::uncached(url),
                        ::core::option::Option::Some(
                            (|__chorde_args: &(String,)| {
                                use ::chorde::__private::{KeepClone as _, KeepNone as _};
                                ::core::option::Option::Some((
                                    (&::chorde::__private::Keep::new(&__chorde_args.0)).keep()?,
                                ))
                            }) as fn(&_) -> _,
                        ),
                    ),
            )
            .await
    }
    ///Computes in the background, whatever the cache holds.
    #[inline]
    pub(crate) fn bg_refresh(url: String)
    where
        for<'__chorde> String: ::chorde::__private::Movable<'__chorde>,
    {
        let __chorde_client = &CACHE;
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_site(),
            &[],
            __chorde_client,
            ::chorde::__private::Plain::<Vec<u8>>::new(),
            &Self::__CHORDE_POLICY,
        );
        let __chorde_key = __chorde_at.prepare(&(&url,));
        __chorde_at
            .bg_refresh(
                __chorde_key,
                (url,),
                ::core::option::Option::Some(
                    (|(url,)| Self::__chorde_job(url)) as fn(_) -> _,
                ),
            );
    }
    ///Only looks; never computes.
    #[inline]
    pub(crate) async fn peek(url: String) -> ::core::option::Option<Vec<u8>> {
        let __chorde_client = &CACHE;
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_site(),
            &[],
            __chorde_client,
            ::chorde::__private::Plain::<Vec<u8>>::new(),
            &Self::__CHORDE_POLICY,
        );
        let __chorde_key = __chorde_at.prepare(&(&url,));
        __chorde_at.peek(__chorde_key).await
    }
    ///Stores a value.
    #[inline]
    pub(crate) async fn put(
        url: String,
        value: Vec<u8>,
    ) -> ::core::result::Result<(), ::chorde::__private::Error> {
        let __chorde_client = &CACHE;
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_site(),
            &[],
            __chorde_client,
            ::chorde::__private::Plain::<Vec<u8>>::new(),
            &Self::__CHORDE_POLICY,
        );
        let __chorde_key = __chorde_at.prepare(&(&url,));
        __chorde_at.put(__chorde_key, value).await
    }
    ///Looks at the value and its remaining life; shows a stale entry too, marked as such.
    #[inline]
    pub(crate) async fn get_ttl(
        url: String,
    ) -> ::core::option::Option<::chorde::__private::Entry<Vec<u8>>> {
        let __chorde_client = &CACHE;
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_site(),
            &[],
            __chorde_client,
            ::chorde::__private::Plain::<Vec<u8>>::new(),
            &Self::__CHORDE_POLICY,
        );
        let __chorde_key = __chorde_at.prepare(&(&url,));
        __chorde_at.get_ttl(__chorde_key).await
    }
    ///Removes the result of these arguments.
    #[inline]
    pub(crate) async fn invalidate(
        url: String,
    ) -> ::core::result::Result<(), ::chorde::__private::Error> {
        let __chorde_client = &CACHE;
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_site(),
            &[],
            __chorde_client,
            ::chorde::__private::Plain::<Vec<u8>>::new(),
            &Self::__CHORDE_POLICY,
        );
        let __chorde_key = __chorde_at.prepare(&(&url,));
        __chorde_at.invalidate(__chorde_key).await
    }
    ///Marks the result of these arguments as stale, but keeps it.
    #[inline]
    pub(crate) async fn expire(
        url: String,
    ) -> ::core::result::Result<(), ::chorde::__private::Error> {
        let __chorde_client = &CACHE;
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_site(),
            &[],
            __chorde_client,
            ::chorde::__private::Plain::<Vec<u8>>::new(),
            &Self::__CHORDE_POLICY,
        );
        let __chorde_key = __chorde_at.prepare(&(&url,));
        __chorde_at.expire(__chorde_key).await
    }
    ///The plain call, without blocking: on any executor, or `.wait()`.
    #[inline]
    pub(crate) fn future(url: String) -> ::chorde::__private::CacheFuture<Vec<u8>>
    where
        for<'__chorde> String: ::chorde::__private::Movable<'__chorde>,
        for<'__chorde> Vec<u8>: ::chorde::__private::Movable<'__chorde>,
    {
        let __chorde_looked = {
            let __chorde_client = &CACHE;
            let __chorde_at = ::chorde::__private::At::new(
                Self::__chorde_site(),
                &[],
                __chorde_client,
                ::chorde::__private::Plain::<Vec<u8>>::new(),
                &Self::__CHORDE_POLICY,
            );
            __chorde_at.look(&(&url,))
        };
        match __chorde_looked {
            ::chorde::__private::Looked::Hit(__chorde_hit) => {
                ::chorde::__private::CacheFuture::ready(__chorde_hit)
            }
            ::chorde::__private::Looked::Slow(_) => {
                ::chorde::__private::CacheFuture::spawn(async move { page(url).await })
            }
        }
    }
    ///Forgets all results of this function, everywhere, and leaves the client's other entries alone.
    #[inline]
    pub(crate) async fn clear() -> ::core::result::Result<
        (),
        ::chorde::__private::Error,
    > {
        let __chorde_client = &CACHE;
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_site(),
            &[],
            __chorde_client,
            ::chorde::__private::Plain::<Vec<u8>>::new(),
            &Self::__CHORDE_POLICY,
        );
        __chorde_at.clear().await
    }
    ///What tells the keys of this function from those of others.
    #[inline]
    pub(crate) fn namespace() -> ::std::string::String {
        let __chorde_client = &CACHE;
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_site(),
            &[],
            __chorde_client,
            ::chorde::__private::Plain::<Vec<u8>>::new(),
            &Self::__CHORDE_POLICY,
        );
        __chorde_at.namespace()
    }
    ///Counters and times of this function so far.
    #[inline]
    pub(crate) fn stats() -> ::chorde::__private::Stats {
        Self::__chorde_site().stats()
    }
    ///Sets the counters and times to zero.
    #[inline]
    pub(crate) fn reset_stats() {
        Self::__chorde_site().reset_stats();
    }
    ///Divides the histogram of computing times into `bins` of equal width up to `up_to`.
    #[inline]
    pub(crate) fn set_timing_bins(bins: usize, up_to: ::core::time::Duration) {
        Self::__chorde_site().set_timing_bins(bins, up_to);
    }
    ///Calls back when a farther tier's entry is copied nearer: key, value, remaining life.
    #[inline]
    pub(crate) fn on_promote(
        callback: impl ::core::ops::Fn(
            &::chorde::__private::Key,
            &Vec<u8>,
            ::core::time::Duration,
        ) + ::core::marker::Send + ::core::marker::Sync + 'static,
    )
    where
        for<'__chorde> Vec<u8>: ::chorde::__private::Movable<'__chorde>,
    {
        Self::__chorde_site().on_promote::<Vec<u8>>(callback);
    }
    ///Calls back after each successful computation, once, with the value and the arguments; never after a put or a hit.
    #[inline]
    pub(crate) fn on_value(
        callback: impl ::core::ops::Fn(
            &Vec<u8>,
            &(String,),
        ) + ::core::marker::Send + ::core::marker::Sync + 'static,
    )
    where
        for<'__chorde> Vec<u8>: ::chorde::__private::Movable<'__chorde>,
        for<'__chorde> String: ::chorde::__private::Clonable<'__chorde>
            + ::chorde::__private::Movable<'__chorde>,
    {
        Self::__chorde_site().on_value::<Vec<u8>, (String,)>(callback);
    }
    ///Gives those who call during the first computation of a key what this makes, until it ends.
    #[inline]
    pub(crate) fn placeholder(
        callback: impl ::core::ops::Fn(
            &(String,),
        ) -> Vec<u8> + ::core::marker::Send + ::core::marker::Sync + 'static,
    )
    where
        for<'__chorde> Vec<u8>: ::chorde::__private::Movable<'__chorde>,
        for<'__chorde> String: ::chorde::__private::Clonable<'__chorde>
            + ::chorde::__private::Movable<'__chorde>,
    {
        Self::__chorde_site().placeholder::<Vec<u8>, (String,)>(callback);
    }
    ///The key of a call with these arguments.
    #[inline]
    pub(crate) fn callkey(
        url: String,
    ) -> ::core::result::Result<::chorde::__private::Key, ::chorde::__private::Error> {
        let __chorde_client = &CACHE;
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_site(),
            &[],
            __chorde_client,
            ::chorde::__private::Plain::<Vec<u8>>::new(),
            &Self::__CHORDE_POLICY,
        );
        __chorde_at.callkey(&(&url,))
    }
    ///How long a result may be used.
    #[inline]
    pub(crate) fn ttl() -> ::core::time::Duration {
        Self::__CHORDE_POLICY.ttl()
    }
    ///When a result becomes due for a refresh in the background.
    #[inline]
    pub(crate) fn async_ttl() -> ::chorde::__private::RefreshPoint {
        Self::__CHORDE_POLICY.refresh()
    }
}
