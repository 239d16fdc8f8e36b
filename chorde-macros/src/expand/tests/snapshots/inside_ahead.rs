/**

# Caching

A result is used for 5 min, and recomputed in the background once less than 5 s remain. Its key is `id`.*/
#[allow(dead_code, clippy::significant_drop_tightening)]
fn load(id: u64) -> User {
    enum __ChordeHere {}
    enum __Chorde {}
    impl __Chorde {
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
        fn uncached(id: u64) -> User {
            get(id)
        }
    }
    #[allow(dead_code, unused_variables, clippy::all, clippy::pedantic, clippy::nursery)]
    impl __Chorde {
        #[inline]
        fn __chorde_site() -> &'static ::chorde::__private::Site {
            static __CHORDE_SITE: ::chorde::__private::Site = ::chorde::__private::Site::new(
                ::chorde::__private::Description::new(
                        "load",
                        ::core::module_path!(),
                        ::core::any::type_name::<__ChordeHere>,
                        "(id:u64)->User;ttl=300000000000;version=",
                        300000000000,
                    )
                    .body(5273671699864283225),
            );
            &__CHORDE_SITE
        }
        const __CHORDE_POLICY: ::chorde::__private::CallPolicy = ::chorde::__private::CallPolicy::new(
                ::core::time::Duration::new(300, 0),
            )
            .refresh_remaining(::core::time::Duration::new(5, 0));
        #[inline]
        fn __chorde_at() -> ::chorde::__private::At<
            'static,
            impl ::chorde::__private::Client<
                <::chorde::__private::Known<
                    User,
                    {
                        use ::chorde::__private::AnyKind as _;
                        ::chorde::__private::Kind::<User>::IS_RESULT
                            + ::chorde::__private::Kind::<User>::IS_SHARED
                            + ::chorde::__private::Kind::<User>::IS_TOLD
                    },
                > as ::chorde::__private::Returned>::Value,
            > + 'static,
            <::chorde::__private::Known<
                User,
                {
                    use ::chorde::__private::AnyKind as _;
                    ::chorde::__private::Kind::<User>::IS_RESULT
                        + ::chorde::__private::Kind::<User>::IS_SHARED
                        + ::chorde::__private::Kind::<User>::IS_TOLD
                },
            > as ::chorde::__private::Returned>::Shape,
        > {
            let __chorde_client = &CACHE;
            let __chorde_at = ::chorde::__private::At::new(
                Self::__chorde_site(),
                &[],
                __chorde_client,
                <::chorde::__private::Known<
                    User,
                    {
                        use ::chorde::__private::AnyKind as _;
                        ::chorde::__private::Kind::<User>::IS_RESULT
                            + ::chorde::__private::Kind::<User>::IS_SHARED
                            + ::chorde::__private::Kind::<User>::IS_TOLD
                    },
                > as ::chorde::__private::Returned>::shape(),
                &Self::__CHORDE_POLICY,
            );
            __chorde_at
        }
        fn __chorde_compute(__chorde_args: (u64,)) -> User {
            Self::uncached(__chorde_args.0)
        }
        fn __chorde_echo(__chorde_args: &(u64,)) -> ::core::option::Option<(u64,)> {
            ::core::option::Option::Some((__chorde_args.0,))
        }
        #[inline]
        fn __chorde_behind(__chorde_ticket: ::chorde::__private::Ticket, id: u64) {
            let __chorde_at = Self::__chorde_at();
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
    }
    let __chorde_at = __Chorde::__chorde_at();
    let __chorde_looked = __chorde_at.look(&(&id,));
    match __chorde_looked {
        ::chorde::__private::Looked::Hit(__chorde_hit) => __chorde_hit,
        ::chorde::__private::Looked::Slow(__chorde_slow) => {
            __chorde_at
                .finish_now(
                    __chorde_slow,
                    (id,),
                    __Chorde::__chorde_compute as fn(_) -> _,
                    ::core::option::Option::Some(__Chorde::__chorde_job as fn(_) -> _),
                    ::core::option::Option::Some(__Chorde::__chorde_echo as fn(&_) -> _),
                )
        }
    }
}
