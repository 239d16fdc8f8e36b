/**

# Caching

A result is used for 5 min. Its key is `url`.

Companions: [`page`](type@page) has `bg`, `lazy`, `refresh`, `bg_refresh`, `warm`, `peek`, `put`, `get_ttl`, `invalidate`, `expire`, `future`, `clear`, `namespace`, `stats`, `reset_stats`, `set_timing_bins`, `on_promote`, `on_value`, `placeholder`, `callkey`, `ttl`, `async_ttl` and `uncached`.*/
#[allow(dead_code, clippy::significant_drop_tightening)]
pub(crate) async fn page(url: String) -> Vec<u8> {
    ::chorde::__private::call_async::<__chorde_page, _, _, _>((url,)).await
}
#[doc(hidden)]
#[allow(
    non_camel_case_types,
    missing_debug_implementations,
    clippy::empty_enums,
    clippy::upper_case_acronyms
)]
pub(crate) enum __chorde_page {}
impl __chorde_page {
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
#[allow(non_camel_case_types, dead_code, clippy::upper_case_acronyms)]
pub(crate) type page = ::chorde::__private::AsyncCompanions<
    __chorde_page,
    ::chorde::__private::Plain<Vec<u8>>,
    (String,),
>;
#[allow(dead_code, unused_variables, clippy::all, clippy::pedantic, clippy::nursery)]
impl ::chorde::__private::Function<
    (String,),
    ::chorde::__private::Plain<Vec<u8>>,
    (String,),
> for __chorde_page {
    const POLICY: ::chorde::__private::CallPolicy = ::chorde::__private::CallPolicy::new(
        ::core::time::Duration::new(300, 0),
    );
    fn site() -> &'static ::chorde::__private::Site {
        static __CHORDE_SITE: ::chorde::__private::Site = ::chorde::__private::Site::new(
            ::chorde::__private::Description::new(
                    "page",
                    ::core::module_path!(),
                    ::core::any::type_name::<__chorde_page>,
                    "(url:String)->Vec<u8>;ttl=300000000000;version=",
                    300000000000,
                )
                .body(16132607049663984339),
        );
        &__CHORDE_SITE
    }
    #[inline]
    fn maps() -> ::chorde::__private::Plain<Vec<u8>> {
        ::chorde::__private::Plain::<Vec<u8>>::new()
    }
    #[inline]
    fn client() -> impl ::chorde::__private::Client<Vec<u8>> + 'static {
        &CACHE
    }
    #[inline]
    fn key<__ChordeSeen: ::chorde::__private::Seen>(
        __chorde_args: &(String,),
        __chorde_seen: __ChordeSeen,
    ) -> __ChordeSeen::Outcome {
        ::chorde::__private::Seen::see(
            __chorde_seen,
            &::chorde::__private::Arguments((&__chorde_args.0,)),
        )
    }
    fn own(__chorde_args: (String,)) -> (String,) {
        __chorde_args
    }
}
#[allow(dead_code, unused_variables, clippy::all, clippy::pedantic, clippy::nursery)]
impl ::chorde::__private::AsyncCompute<
    (String,),
    ::chorde::__private::Plain<Vec<u8>>,
    (String,),
> for __chorde_page {
    fn compute<'__chorde_a>(
        __chorde_args: (String,),
    ) -> ::chorde::__private::Boxed<'__chorde_a, Vec<u8>>
    where
        (String,): '__chorde_a,
    {
        ::std::boxed::Box::pin(Self::uncached(__chorde_args.0))
    }
    fn compute_owned(
        __chorde_args: (String,),
    ) -> ::chorde::__private::Boxed<'static, Vec<u8>> {
        ::std::boxed::Box::pin(Self::uncached(__chorde_args.0))
    }
}
