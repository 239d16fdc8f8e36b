/// Slow.
#[must_use]
/**

# Caching

A result is used for 5 min, and recomputed in the background from the age of 1 min on. Its key is `x` and `name`.

Companions: [`expensive`](type@expensive) has `bg`, `lazy`, `refresh`, `bg_refresh`, `warm`, `peek`, `put`, `get_ttl`, `invalidate`, `expire`, `future`, `future_refresh`, `future_lazy`, `future_peek`, `future_put`, `future_get_ttl`, `future_invalidate`, `future_expire`, `clear`, `namespace`, `stats`, `reset_stats`, `set_timing_bins`, `on_promote`, `on_value`, `placeholder`, `callkey`, `ttl`, `async_ttl` and `uncached`.*/
#[allow(dead_code, clippy::significant_drop_tightening)]
pub fn expensive(x: u64, name: &str) -> f64 {
    ::chorde::__private::call_ahead::<__chorde_expensive, _, _, _>((x, name))
}
#[doc(hidden)]
#[allow(
    non_camel_case_types,
    missing_debug_implementations,
    clippy::empty_enums,
    clippy::upper_case_acronyms
)]
pub enum __chorde_expensive {}
impl __chorde_expensive {
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
#[allow(non_camel_case_types, dead_code, clippy::upper_case_acronyms)]
pub type expensive = ::chorde::__private::Companions<
    __chorde_expensive,
    ::chorde::__private::Plain<f64>,
    (u64, ::std::string::String),
>;
#[allow(dead_code, unused_variables, clippy::all, clippy::pedantic, clippy::nursery)]
impl<
    '__chorde_1,
> ::chorde::__private::Function<
    (u64, &'__chorde_1 str),
    ::chorde::__private::Plain<f64>,
    (u64, ::std::string::String),
> for __chorde_expensive {
    const POLICY: ::chorde::__private::CallPolicy = ::chorde::__private::CallPolicy::new(
            ::core::time::Duration::new(300, 0),
        )
        .refresh_age(::core::time::Duration::new(60, 0));
    fn site() -> &'static ::chorde::__private::Site {
        static __CHORDE_SITE: ::chorde::__private::Site = ::chorde::__private::Site::new(
            ::chorde::__private::Description::new(
                    "expensive",
                    ::core::module_path!(),
                    ::core::any::type_name::<__chorde_expensive>,
                    "(x:u64,name:&str)->f64;ttl=300000000000;version=",
                    300000000000,
                )
                .body(15411544655041962634),
        );
        &__CHORDE_SITE
    }
    #[inline]
    fn maps() -> ::chorde::__private::Plain<f64> {
        ::chorde::__private::Plain::<f64>::new()
    }
    #[inline]
    fn client() -> impl ::chorde::__private::Client<f64> + 'static {
        &CACHE
    }
    #[inline]
    fn key<__ChordeSeen: ::chorde::__private::Seen>(
        __chorde_args: &(u64, &'__chorde_1 str),
        __chorde_seen: __ChordeSeen,
    ) -> __ChordeSeen::Outcome {
        ::chorde::__private::Seen::see(
            __chorde_seen,
            &::chorde::__private::Arguments((&__chorde_args.0, &__chorde_args.1)),
        )
    }
    fn own(__chorde_args: (u64, &'__chorde_1 str)) -> (u64, ::std::string::String) {
        (__chorde_args.0, ::std::borrow::ToOwned::to_owned(__chorde_args.1))
    }
}
#[allow(dead_code, unused_variables, clippy::all, clippy::pedantic, clippy::nursery)]
impl<
    '__chorde_1,
> ::chorde::__private::Compute<
    (u64, &'__chorde_1 str),
    ::chorde::__private::Plain<f64>,
    (u64, ::std::string::String),
> for __chorde_expensive {
    #[inline]
    fn compute(__chorde_args: (u64, &'__chorde_1 str)) -> f64 {
        Self::uncached(__chorde_args.0, __chorde_args.1)
    }
    fn compute_owned(__chorde_args: (u64, ::std::string::String)) -> f64 {
        Self::uncached(__chorde_args.0, &*__chorde_args.1)
    }
}
