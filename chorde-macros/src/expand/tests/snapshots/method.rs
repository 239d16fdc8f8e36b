impl Repo {
    #[allow(dead_code, unused_variables, clippy::all, clippy::pedantic, clippy::nursery)]
    #[doc(hidden)]
    #[allow(non_upper_case_globals)]
    const __chorde_user_of_a_trait_needs_companions_false: () = ();
    #[allow(dead_code, unused_variables, clippy::all, clippy::pedantic, clippy::nursery)]
    #[doc(hidden)]
    fn __chorde_user_returns() {
        let _: ::chorde::__private::StoredWhole<User> = {
            use ::chorde::__private::AnyKind as _;
            ::chorde::__private::Kind::<User>::new().whole()
        };
    }
    /**

# Caching

A result is used for 5 min, and recomputed in the background once less than 1 min remain. Its key is `(self.tenant, id)`.

Companions: [`user_bg`](Self::user_bg), [`user_lazy`](Self::user_lazy), [`user_refresh`](Self::user_refresh), [`user_bg_refresh`](Self::user_bg_refresh), [`user_warm`](Self::user_warm), [`user_peek`](Self::user_peek), [`user_put`](Self::user_put), [`user_get_ttl`](Self::user_get_ttl), [`user_invalidate`](Self::user_invalidate), [`user_expire`](Self::user_expire), [`user_future`](Self::user_future), [`user_future_refresh`](Self::user_future_refresh), [`user_future_lazy`](Self::user_future_lazy), [`user_future_peek`](Self::user_future_peek), [`user_future_put`](Self::user_future_put), [`user_future_get_ttl`](Self::user_future_get_ttl), [`user_future_invalidate`](Self::user_future_invalidate), [`user_future_expire`](Self::user_future_expire), [`user_clear`](Self::user_clear), [`user_namespace`](Self::user_namespace), [`user_stats`](Self::user_stats), [`user_reset_stats`](Self::user_reset_stats), [`user_set_timing_bins`](Self::user_set_timing_bins), [`user_on_promote`](Self::user_on_promote), [`user_on_value`](Self::user_on_value), [`user_placeholder`](Self::user_placeholder), [`user_callkey`](Self::user_callkey), [`user_ttl`](Self::user_ttl), [`user_async_ttl`](Self::user_async_ttl), [`user_uncached`](Self::user_uncached).*/
    #[allow(dead_code, clippy::significant_drop_tightening)]
    pub fn user(&self, id: u64) -> User {
        let __chorde_client = &self.cache;
        let __chorde_tag = &[::chorde::__private::Tag::of::<Self>()];
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_user_site(),
            __chorde_tag,
            __chorde_client,
            ::chorde::__private::stored_whole::<User>(),
            &Self::__CHORDE_USER_POLICY,
        );
        let __chorde_looked = __chorde_at
            .look(&(::chorde::__private::Guess::new(&self.tenant).part(), &id));
        match __chorde_looked {
            ::chorde::__private::Looked::Hit(__chorde_hit) => __chorde_hit,
            ::chorde::__private::Looked::Slow(__chorde_slow) => {
                __chorde_at
                    .finish_now(
                        __chorde_slow,
                        (self, id),
                        Self::__chorde_user_compute as fn(_) -> _,
                        ::core::option::Option::Some(
                            Self::__chorde_user_job as fn(_) -> _,
                        ),
                        ::core::option::Option::Some(
                            Self::__chorde_user_echo as fn(&_) -> _,
                        ),
                    )
            }
        }
    }
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
    pub fn user_uncached(&self, id: u64) -> User {
        self.load(id)
    }
    #[allow(dead_code, unused_variables, clippy::all, clippy::pedantic, clippy::nursery)]
    #[inline]
    fn __chorde_user_site() -> &'static ::chorde::__private::Site {
        enum __ChordeHere {}
        static __CHORDE_SITE: ::chorde::__private::Site = ::chorde::__private::Site::new(
            ::chorde::__private::Description::new(
                    "user",
                    ::core::module_path!(),
                    ::core::any::type_name::<__ChordeHere>,
                    "(id:u64)->User;ttl=300000000000;version=;key=( self . tenant , id ) ",
                    300000000000,
                )
                .body(5254949828830263475)
                .method(),
        );
        &__CHORDE_SITE
    }
    const __CHORDE_USER_POLICY: ::chorde::__private::CallPolicy = ::chorde::__private::CallPolicy::new(
            ::core::time::Duration::new(300, 0),
        )
        .refresh_remaining(::core::time::Duration::new(60, 0));
    #[allow(dead_code, unused_variables, clippy::all, clippy::pedantic, clippy::nursery)]
    fn __chorde_user_compute(__chorde_args: (&Self, u64)) -> User {
        Self::user_uncached(__chorde_args.0, __chorde_args.1)
    }
    #[allow(dead_code, unused_variables, clippy::all, clippy::pedantic, clippy::nursery)]
    fn __chorde_user_echo(
        __chorde_args: &(&Self, u64),
    ) -> ::core::option::Option<(u64,)> {
        ::core::option::Option::Some((__chorde_args.1,))
    }
    #[allow(dead_code, unused_variables, clippy::all, clippy::pedantic, clippy::nursery)]
    #[inline]
    fn __chorde_user_behind(
        &self,
        __chorde_ticket: ::chorde::__private::Ticket,
        id: u64,
    ) {
        let __chorde_client = &self.cache;
        let __chorde_tag = &[::chorde::__private::Tag::of::<Self>()];
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_user_site(),
            __chorde_tag,
            __chorde_client,
            ::chorde::__private::stored_whole::<User>(),
            &Self::__CHORDE_USER_POLICY,
        );
        __chorde_at
            .behind_now(
                __chorde_ticket,
                (self, id),
                Self::__chorde_user_compute as fn(_) -> _,
                ::core::option::Option::Some(Self::__chorde_user_echo as fn(&_) -> _),
            )
    }
    #[allow(dead_code, unused_variables, clippy::all, clippy::pedantic, clippy::nursery)]
    #[inline]
    fn __chorde_user_job(__chorde_args: (&Self, u64)) -> ::chorde::__private::Job
    where
        for<'__chorde> Self: ::chorde::__private::Clonable<'__chorde>
            + ::chorde::__private::Movable<'__chorde>,
    {
        let __chorde_self = ::core::clone::Clone::clone(__chorde_args.0);
        let id = __chorde_args.1;
        ::chorde::__private::Job::blocking(move |__chorde_ticket| Self::__chorde_user_behind(
            &__chorde_self,
            __chorde_ticket,
            id,
        ))
    }
    #[allow(dead_code, unused_variables, clippy::all, clippy::pedantic, clippy::nursery)]
    #[inline]
    fn __chorde_user_again(
        &self,
        __chorde_key: ::chorde::__private::Prepared,
        id: u64,
    ) -> User
    where
        for<'__chorde> Self: ::chorde::__private::Clonable<'__chorde>
            + ::chorde::__private::Movable<'__chorde>,
    {
        let __chorde_client = &self.cache;
        let __chorde_tag = &[::chorde::__private::Tag::of::<Self>()];
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_user_site(),
            __chorde_tag,
            __chorde_client,
            ::chorde::__private::stored_whole::<User>(),
            &Self::__CHORDE_USER_POLICY,
        );
        let __chorde_looked = __chorde_at.look_again(__chorde_key);
        match __chorde_looked {
            ::chorde::__private::Looked::Hit(__chorde_hit) => __chorde_hit,
            ::chorde::__private::Looked::Slow(__chorde_slow) => {
                __chorde_at
                    .finish_now(
                        __chorde_slow,
                        (self, id),
                        Self::__chorde_user_compute as fn(_) -> _,
                        ::core::option::Option::Some(
                            Self::__chorde_user_job as fn(_) -> _,
                        ),
                        ::core::option::Option::Some(
                            Self::__chorde_user_echo as fn(&_) -> _,
                        ),
                    )
            }
        }
    }
    #[allow(dead_code, unused_variables, clippy::all, clippy::pedantic, clippy::nursery)]
    #[inline]
    fn __chorde_user_warming(&self, id: u64) -> ::chorde::__private::Warming
    where
        for<'__chorde> Self: ::chorde::__private::Clonable<'__chorde>
            + ::chorde::__private::Movable<'__chorde>,
    {
        let __chorde_client = &self.cache;
        let __chorde_tag = &[::chorde::__private::Tag::of::<Self>()];
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_user_site(),
            __chorde_tag,
            __chorde_client,
            ::chorde::__private::stored_whole::<User>(),
            &Self::__CHORDE_USER_POLICY,
        );
        let __chorde_key = __chorde_at
            .prepare(&(::chorde::__private::Guess::new(&self.tenant).part(), &id));
        __chorde_at
            .warming(
                __chorde_key,
                (self, id),
                ::core::option::Option::Some(Self::__chorde_user_job as fn(_) -> _),
            )
    }
    #[allow(dead_code, unused_variables, clippy::all, clippy::pedantic, clippy::nursery)]
    #[inline]
    fn __chorde_user_refreshed(
        &self,
        __chorde_key: ::chorde::__private::Prepared,
        id: u64,
    ) -> User {
        let __chorde_client = &self.cache;
        let __chorde_tag = &[::chorde::__private::Tag::of::<Self>()];
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_user_site(),
            __chorde_tag,
            __chorde_client,
            ::chorde::__private::stored_whole::<User>(),
            &Self::__CHORDE_USER_POLICY,
        );
        __chorde_at
            .refresh_now(
                __chorde_key,
                (self, id),
                Self::__chorde_user_compute as fn(_) -> _,
                ::core::option::Option::Some(Self::__chorde_user_echo as fn(&_) -> _),
            )
    }
    ///As the plain call; without `async_ttl`, a result is due at half of its life.
    #[allow(dead_code, unused_variables, clippy::all, clippy::pedantic, clippy::nursery)]
    #[inline]
    pub fn user_bg(&self, id: u64) -> User
    where
        for<'__chorde> Self: ::chorde::__private::Clonable<'__chorde>
            + ::chorde::__private::Movable<'__chorde>,
    {
        let __chorde_client = &self.cache;
        let __chorde_tag = &[::chorde::__private::Tag::of::<Self>()];
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_user_site(),
            __chorde_tag,
            __chorde_client,
            ::chorde::__private::stored_whole::<User>(),
            &Self::__CHORDE_USER_POLICY,
        );
        let __chorde_looked = __chorde_at
            .look_bg(&(::chorde::__private::Guess::new(&self.tenant).part(), &id));
        match __chorde_looked {
            ::chorde::__private::Looked::Hit(__chorde_hit) => __chorde_hit,
            ::chorde::__private::Looked::Slow(__chorde_slow) => {
                __chorde_at
                    .finish_now(
                        __chorde_slow,
                        (self, id),
                        Self::__chorde_user_compute as fn(_) -> _,
                        ::core::option::Option::Some(
                            Self::__chorde_user_job as fn(_) -> _,
                        ),
                        ::core::option::Option::Some(
                            Self::__chorde_user_echo as fn(&_) -> _,
                        ),
                    )
            }
        }
    }
    ///Looks; if nothing is there or it is due, computes in the background, and never waits for it.
    #[allow(dead_code, unused_variables, clippy::all, clippy::pedantic, clippy::nursery)]
    #[inline]
    pub fn user_lazy(&self, id: u64) -> ::core::option::Option<User>
    where
        for<'__chorde> Self: ::chorde::__private::Clonable<'__chorde>
            + ::chorde::__private::Movable<'__chorde>,
    {
        let __chorde_client = &self.cache;
        let __chorde_tag = &[::chorde::__private::Tag::of::<Self>()];
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_user_site(),
            __chorde_tag,
            __chorde_client,
            ::chorde::__private::stored_whole::<User>(),
            &Self::__CHORDE_USER_POLICY,
        );
        match __chorde_at
            .lazy_at_once(&(::chorde::__private::Guess::new(&self.tenant).part(), &id))
        {
            ::core::result::Result::Ok(__chorde_known) => {
                ::core::option::Option::Some(__chorde_known)
            }
            ::core::result::Result::Err(__chorde_key) => {
                __chorde_at
                    .lazy_now(
                        __chorde_key,
                        (self, id),
                        ::core::option::Option::Some(
                            Self::__chorde_user_job as fn(_) -> _,
                        ),
                    )
            }
        }
    }
    /**Computes now, whatever the cache holds, stores the result and returns it.

Calls that arrive while one computes share the next.*/
    #[allow(dead_code, unused_variables, clippy::all, clippy::pedantic, clippy::nursery)]
    #[inline]
    pub fn user_refresh(&self, id: u64) -> User {
        let __chorde_client = &self.cache;
        let __chorde_tag = &[::chorde::__private::Tag::of::<Self>()];
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_user_site(),
            __chorde_tag,
            __chorde_client,
            ::chorde::__private::stored_whole::<User>(),
            &Self::__CHORDE_USER_POLICY,
        );
        let __chorde_key = __chorde_at
            .prepare(&(::chorde::__private::Guess::new(&self.tenant).part(), &id));
        __chorde_at
            .refresh_now(
                __chorde_key,
                (self, id),
                Self::__chorde_user_compute as fn(_) -> _,
                ::core::option::Option::Some(Self::__chorde_user_echo as fn(&_) -> _),
            )
    }
    /**Computes in the background, whatever the cache holds. `Ok` says that the work is queued, or was before.

# Errors

`ErrorKind::Overloaded` when the queue of background work is full, so that nothing will be computed; `ErrorKind::Key` when the key cannot be serialised.*/
    #[allow(dead_code, unused_variables, clippy::all, clippy::pedantic, clippy::nursery)]
    #[inline]
    pub fn user_bg_refresh(
        &self,
        id: u64,
    ) -> ::core::result::Result<(), ::chorde::__private::Error>
    where
        for<'__chorde> Self: ::chorde::__private::Clonable<'__chorde>
            + ::chorde::__private::Movable<'__chorde>,
    {
        let __chorde_client = &self.cache;
        let __chorde_tag = &[::chorde::__private::Tag::of::<Self>()];
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_user_site(),
            __chorde_tag,
            __chorde_client,
            ::chorde::__private::stored_whole::<User>(),
            &Self::__CHORDE_USER_POLICY,
        );
        let __chorde_key = __chorde_at
            .prepare(&(::chorde::__private::Guess::new(&self.tenant).part(), &id));
        __chorde_at
            .bg_refresh(
                __chorde_key,
                (self, id),
                ::core::option::Option::Some(Self::__chorde_user_job as fn(_) -> _),
            )
    }
    /**Computes what is missing or due for many calls, a few at a time, and never more than it has room for.

Takes an iterator of arguments: tuples of them, or the argument itself where there is one. Returns a future that does nothing until it is awaited or waited for, and yields a report.*/
    #[allow(dead_code, unused_variables, clippy::all, clippy::pedantic, clippy::nursery)]
    #[inline]
    pub fn user_warm<'__chorde_i>(
        &self,
        args: impl ::core::iter::IntoIterator<
            Item = u64,
            IntoIter: ::core::marker::Send + '__chorde_i,
        >,
    ) -> ::chorde::__private::Warm<'__chorde_i>
    where
        for<'__chorde> Self: ::chorde::__private::Clonable<'__chorde>
            + ::chorde::__private::Movable<'__chorde>,
    {
        let __chorde_self = ::core::clone::Clone::clone(self);
        ::chorde::__private::Warm::new(
            ::core::iter::IntoIterator::into_iter(args),
            move |__chorde_0| Self::__chorde_user_warming(&__chorde_self, __chorde_0),
        )
    }
    ///Only looks; never computes.
    #[allow(dead_code, unused_variables, clippy::all, clippy::pedantic, clippy::nursery)]
    #[inline]
    pub fn user_peek(&self, id: u64) -> ::core::option::Option<User> {
        let __chorde_client = &self.cache;
        let __chorde_tag = &[::chorde::__private::Tag::of::<Self>()];
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_user_site(),
            __chorde_tag,
            __chorde_client,
            ::chorde::__private::stored_whole::<User>(),
            &Self::__CHORDE_USER_POLICY,
        );
        __chorde_at
            .peek_now(&(::chorde::__private::Guess::new(&self.tenant).part(), &id))
    }
    /**Stores a value: the arguments first, the value last.

# Errors

As for `invalidate`.*/
    #[allow(dead_code, unused_variables, clippy::all, clippy::pedantic, clippy::nursery)]
    #[inline]
    pub fn user_put(
        &self,
        id: u64,
        value: User,
    ) -> ::core::result::Result<(), ::chorde::__private::Error> {
        let __chorde_client = &self.cache;
        let __chorde_tag = &[::chorde::__private::Tag::of::<Self>()];
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_user_site(),
            __chorde_tag,
            __chorde_client,
            ::chorde::__private::stored_whole::<User>(),
            &Self::__CHORDE_USER_POLICY,
        );
        __chorde_at
            .put_now(&(::chorde::__private::Guess::new(&self.tenant).part(), &id), value)
    }
    ///Looks at the value and its remaining life; shows a stale entry too, marked as such.
    #[allow(dead_code, unused_variables, clippy::all, clippy::pedantic, clippy::nursery)]
    #[inline]
    pub fn user_get_ttl(
        &self,
        id: u64,
    ) -> ::core::option::Option<::chorde::__private::Entry<User>> {
        let __chorde_client = &self.cache;
        let __chorde_tag = &[::chorde::__private::Tag::of::<Self>()];
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_user_site(),
            __chorde_tag,
            __chorde_client,
            ::chorde::__private::stored_whole::<User>(),
            &Self::__CHORDE_USER_POLICY,
        );
        __chorde_at
            .get_ttl_now(&(::chorde::__private::Guess::new(&self.tenant).part(), &id))
    }
    /**Removes the result of these arguments.

# Errors

`ErrorKind::Key` when the key cannot be serialised, and what the client reports.*/
    #[allow(dead_code, unused_variables, clippy::all, clippy::pedantic, clippy::nursery)]
    #[inline]
    pub fn user_invalidate(
        &self,
        id: u64,
    ) -> ::core::result::Result<(), ::chorde::__private::Error> {
        let __chorde_client = &self.cache;
        let __chorde_tag = &[::chorde::__private::Tag::of::<Self>()];
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_user_site(),
            __chorde_tag,
            __chorde_client,
            ::chorde::__private::stored_whole::<User>(),
            &Self::__CHORDE_USER_POLICY,
        );
        __chorde_at
            .invalidate_now(&(::chorde::__private::Guess::new(&self.tenant).part(), &id))
    }
    /**Marks the result of these arguments as stale, but keeps it.

# Errors

As for `invalidate`.*/
    #[allow(dead_code, unused_variables, clippy::all, clippy::pedantic, clippy::nursery)]
    #[inline]
    pub fn user_expire(
        &self,
        id: u64,
    ) -> ::core::result::Result<(), ::chorde::__private::Error> {
        let __chorde_client = &self.cache;
        let __chorde_tag = &[::chorde::__private::Tag::of::<Self>()];
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_user_site(),
            __chorde_tag,
            __chorde_client,
            ::chorde::__private::stored_whole::<User>(),
            &Self::__CHORDE_USER_POLICY,
        );
        __chorde_at
            .expire_now(&(::chorde::__private::Guess::new(&self.tenant).part(), &id))
    }
    ///The plain call, without blocking: on any executor, or `.wait()`.
    #[allow(dead_code, unused_variables, clippy::all, clippy::pedantic, clippy::nursery)]
    #[inline]
    pub fn user_future(&self, id: u64) -> ::chorde::__private::CacheFuture<User>
    where
        for<'__chorde> Self: ::chorde::__private::Clonable<'__chorde>
            + ::chorde::__private::Movable<'__chorde>,
        for<'__chorde> User: ::chorde::__private::Movable<'__chorde>,
    {
        let __chorde_looked = {
            let __chorde_client = &self.cache;
            let __chorde_tag = &[::chorde::__private::Tag::of::<Self>()];
            let __chorde_at = ::chorde::__private::At::new(
                Self::__chorde_user_site(),
                __chorde_tag,
                __chorde_client,
                ::chorde::__private::stored_whole::<User>(),
                &Self::__CHORDE_USER_POLICY,
            );
            __chorde_at
                .look(&(::chorde::__private::Guess::new(&self.tenant).part(), &id))
        };
        match __chorde_looked {
            ::chorde::__private::Looked::Hit(__chorde_hit) => {
                ::chorde::__private::CacheFuture::ready(__chorde_hit)
            }
            ::chorde::__private::Looked::Slow(__chorde_slow) => {
                let __chorde_key = __chorde_slow.into_prepared();
                let __chorde_self = ::core::clone::Clone::clone(self);
                ::chorde::__private::CacheFuture::blocking(move || Self::__chorde_user_again(
                    &__chorde_self,
                    __chorde_key,
                    id,
                ))
            }
        }
    }
    ///Computes now, without blocking the caller.
    #[allow(dead_code, unused_variables, clippy::all, clippy::pedantic, clippy::nursery)]
    #[inline]
    pub fn user_future_refresh(&self, id: u64) -> ::chorde::__private::CacheFuture<User>
    where
        for<'__chorde> Self: ::chorde::__private::Clonable<'__chorde>
            + ::chorde::__private::Movable<'__chorde>,
        for<'__chorde> User: ::chorde::__private::Movable<'__chorde>,
    {
        let __chorde_key = {
            let __chorde_client = &self.cache;
            let __chorde_tag = &[::chorde::__private::Tag::of::<Self>()];
            let __chorde_at = ::chorde::__private::At::new(
                Self::__chorde_user_site(),
                __chorde_tag,
                __chorde_client,
                ::chorde::__private::stored_whole::<User>(),
                &Self::__CHORDE_USER_POLICY,
            );
            __chorde_at
                .prepare(&(::chorde::__private::Guess::new(&self.tenant).part(), &id))
        };
        let __chorde_self = ::core::clone::Clone::clone(self);
        ::chorde::__private::CacheFuture::blocking(move || Self::__chorde_user_refreshed(
            &__chorde_self,
            __chorde_key,
            id,
        ))
    }
    ///As `lazy`, without blocking.
    #[allow(dead_code, unused_variables, clippy::all, clippy::pedantic, clippy::nursery)]
    #[inline]
    pub fn user_future_lazy(
        &self,
        id: u64,
    ) -> ::chorde::__private::CacheFuture<::core::option::Option<User>>
    where
        for<'__chorde> Self: ::chorde::__private::Clonable<'__chorde>
            + ::chorde::__private::Movable<'__chorde>,
        for<'__chorde> User: ::chorde::__private::Movable<'__chorde>,
    {
        let __chorde_key = {
            let __chorde_client = &self.cache;
            let __chorde_tag = &[::chorde::__private::Tag::of::<Self>()];
            let __chorde_at = ::chorde::__private::At::new(
                Self::__chorde_user_site(),
                __chorde_tag,
                __chorde_client,
                ::chorde::__private::stored_whole::<User>(),
                &Self::__CHORDE_USER_POLICY,
            );
            __chorde_at
                .prepare(&(::chorde::__private::Guess::new(&self.tenant).part(), &id))
        };
        let chorde_held_self = ::core::clone::Clone::clone(self);
        let __chorde_job = Self::__chorde_user_job((self, id));
        ::chorde::__private::CacheFuture::operation(async move {
            let chorde_held_self = &chorde_held_self;
            let __chorde_client = &chorde_held_self.cache;
            let __chorde_tag = &[::chorde::__private::Tag::of::<Self>()];
            let __chorde_at = ::chorde::__private::At::new(
                Self::__chorde_user_site(),
                __chorde_tag,
                __chorde_client,
                ::chorde::__private::stored_whole::<User>(),
                &Self::__CHORDE_USER_POLICY,
            );
            __chorde_at.sent_lazy(__chorde_key, __chorde_job).await
        })
    }
    ///Looks, without blocking.
    #[allow(dead_code, unused_variables, clippy::all, clippy::pedantic, clippy::nursery)]
    #[inline]
    pub fn user_future_peek(
        &self,
        id: u64,
    ) -> ::chorde::__private::CacheFuture<::core::option::Option<User>>
    where
        for<'__chorde> Self: ::chorde::__private::Clonable<'__chorde>
            + ::chorde::__private::Movable<'__chorde>,
        for<'__chorde> User: ::chorde::__private::Movable<'__chorde>,
    {
        let __chorde_key = {
            let __chorde_client = &self.cache;
            let __chorde_tag = &[::chorde::__private::Tag::of::<Self>()];
            let __chorde_at = ::chorde::__private::At::new(
                Self::__chorde_user_site(),
                __chorde_tag,
                __chorde_client,
                ::chorde::__private::stored_whole::<User>(),
                &Self::__CHORDE_USER_POLICY,
            );
            __chorde_at
                .prepare(&(::chorde::__private::Guess::new(&self.tenant).part(), &id))
        };
        let chorde_held_self = ::core::clone::Clone::clone(self);
        ::chorde::__private::CacheFuture::operation(async move {
            let chorde_held_self = &chorde_held_self;
            let __chorde_client = &chorde_held_self.cache;
            let __chorde_tag = &[::chorde::__private::Tag::of::<Self>()];
            let __chorde_at = ::chorde::__private::At::new(
                Self::__chorde_user_site(),
                __chorde_tag,
                __chorde_client,
                ::chorde::__private::stored_whole::<User>(),
                &Self::__CHORDE_USER_POLICY,
            );
            __chorde_at.sent_peek(__chorde_key).await
        })
    }
    ///Stores a value, without blocking.
    #[allow(dead_code, unused_variables, clippy::all, clippy::pedantic, clippy::nursery)]
    #[inline]
    pub fn user_future_put(
        &self,
        id: u64,
        value: User,
    ) -> ::chorde::__private::CacheFuture<
        ::core::result::Result<(), ::chorde::__private::Error>,
    >
    where
        for<'__chorde> Self: ::chorde::__private::Clonable<'__chorde>
            + ::chorde::__private::Movable<'__chorde>,
        for<'__chorde> User: ::chorde::__private::Movable<'__chorde>,
    {
        let __chorde_key = {
            let __chorde_client = &self.cache;
            let __chorde_tag = &[::chorde::__private::Tag::of::<Self>()];
            let __chorde_at = ::chorde::__private::At::new(
                Self::__chorde_user_site(),
                __chorde_tag,
                __chorde_client,
                ::chorde::__private::stored_whole::<User>(),
                &Self::__CHORDE_USER_POLICY,
            );
            __chorde_at
                .prepare(&(::chorde::__private::Guess::new(&self.tenant).part(), &id))
        };
        let chorde_held_self = ::core::clone::Clone::clone(self);
        ::chorde::__private::CacheFuture::operation(async move {
            let chorde_held_self = &chorde_held_self;
            let __chorde_client = &chorde_held_self.cache;
            let __chorde_tag = &[::chorde::__private::Tag::of::<Self>()];
            let __chorde_at = ::chorde::__private::At::new(
                Self::__chorde_user_site(),
                __chorde_tag,
                __chorde_client,
                ::chorde::__private::stored_whole::<User>(),
                &Self::__CHORDE_USER_POLICY,
            );
            __chorde_at.sent_put(__chorde_key, value).await
        })
    }
    ///Looks at the value and its remaining life, without blocking.
    #[allow(dead_code, unused_variables, clippy::all, clippy::pedantic, clippy::nursery)]
    #[inline]
    pub fn user_future_get_ttl(
        &self,
        id: u64,
    ) -> ::chorde::__private::CacheFuture<
        ::core::option::Option<::chorde::__private::Entry<User>>,
    >
    where
        for<'__chorde> Self: ::chorde::__private::Clonable<'__chorde>
            + ::chorde::__private::Movable<'__chorde>,
        for<'__chorde> User: ::chorde::__private::Movable<'__chorde>,
    {
        let __chorde_key = {
            let __chorde_client = &self.cache;
            let __chorde_tag = &[::chorde::__private::Tag::of::<Self>()];
            let __chorde_at = ::chorde::__private::At::new(
                Self::__chorde_user_site(),
                __chorde_tag,
                __chorde_client,
                ::chorde::__private::stored_whole::<User>(),
                &Self::__CHORDE_USER_POLICY,
            );
            __chorde_at
                .prepare(&(::chorde::__private::Guess::new(&self.tenant).part(), &id))
        };
        let chorde_held_self = ::core::clone::Clone::clone(self);
        ::chorde::__private::CacheFuture::operation(async move {
            let chorde_held_self = &chorde_held_self;
            let __chorde_client = &chorde_held_self.cache;
            let __chorde_tag = &[::chorde::__private::Tag::of::<Self>()];
            let __chorde_at = ::chorde::__private::At::new(
                Self::__chorde_user_site(),
                __chorde_tag,
                __chorde_client,
                ::chorde::__private::stored_whole::<User>(),
                &Self::__CHORDE_USER_POLICY,
            );
            __chorde_at.sent_get_ttl(__chorde_key).await
        })
    }
    ///Removes the result of these arguments, without blocking.
    #[allow(dead_code, unused_variables, clippy::all, clippy::pedantic, clippy::nursery)]
    #[inline]
    pub fn user_future_invalidate(
        &self,
        id: u64,
    ) -> ::chorde::__private::CacheFuture<
        ::core::result::Result<(), ::chorde::__private::Error>,
    >
    where
        for<'__chorde> Self: ::chorde::__private::Clonable<'__chorde>
            + ::chorde::__private::Movable<'__chorde>,
        for<'__chorde> User: ::chorde::__private::Movable<'__chorde>,
    {
        let __chorde_key = {
            let __chorde_client = &self.cache;
            let __chorde_tag = &[::chorde::__private::Tag::of::<Self>()];
            let __chorde_at = ::chorde::__private::At::new(
                Self::__chorde_user_site(),
                __chorde_tag,
                __chorde_client,
                ::chorde::__private::stored_whole::<User>(),
                &Self::__CHORDE_USER_POLICY,
            );
            __chorde_at
                .prepare(&(::chorde::__private::Guess::new(&self.tenant).part(), &id))
        };
        let chorde_held_self = ::core::clone::Clone::clone(self);
        ::chorde::__private::CacheFuture::operation(async move {
            let chorde_held_self = &chorde_held_self;
            let __chorde_client = &chorde_held_self.cache;
            let __chorde_tag = &[::chorde::__private::Tag::of::<Self>()];
            let __chorde_at = ::chorde::__private::At::new(
                Self::__chorde_user_site(),
                __chorde_tag,
                __chorde_client,
                ::chorde::__private::stored_whole::<User>(),
                &Self::__CHORDE_USER_POLICY,
            );
            __chorde_at.sent_invalidate(__chorde_key).await
        })
    }
    ///Marks the result of these arguments as stale, without blocking.
    #[allow(dead_code, unused_variables, clippy::all, clippy::pedantic, clippy::nursery)]
    #[inline]
    pub fn user_future_expire(
        &self,
        id: u64,
    ) -> ::chorde::__private::CacheFuture<
        ::core::result::Result<(), ::chorde::__private::Error>,
    >
    where
        for<'__chorde> Self: ::chorde::__private::Clonable<'__chorde>
            + ::chorde::__private::Movable<'__chorde>,
        for<'__chorde> User: ::chorde::__private::Movable<'__chorde>,
    {
        let __chorde_key = {
            let __chorde_client = &self.cache;
            let __chorde_tag = &[::chorde::__private::Tag::of::<Self>()];
            let __chorde_at = ::chorde::__private::At::new(
                Self::__chorde_user_site(),
                __chorde_tag,
                __chorde_client,
                ::chorde::__private::stored_whole::<User>(),
                &Self::__CHORDE_USER_POLICY,
            );
            __chorde_at
                .prepare(&(::chorde::__private::Guess::new(&self.tenant).part(), &id))
        };
        let chorde_held_self = ::core::clone::Clone::clone(self);
        ::chorde::__private::CacheFuture::operation(async move {
            let chorde_held_self = &chorde_held_self;
            let __chorde_client = &chorde_held_self.cache;
            let __chorde_tag = &[::chorde::__private::Tag::of::<Self>()];
            let __chorde_at = ::chorde::__private::At::new(
                Self::__chorde_user_site(),
                __chorde_tag,
                __chorde_client,
                ::chorde::__private::stored_whole::<User>(),
                &Self::__CHORDE_USER_POLICY,
            );
            __chorde_at.sent_expire(__chorde_key).await
        })
    }
    /**Forgets all results of this function, everywhere, and leaves the client's other entries alone.

# Errors

`ErrorKind::Unsupported` when the function has no namespace, and what the client reports.*/
    #[allow(dead_code, unused_variables, clippy::all, clippy::pedantic, clippy::nursery)]
    #[inline]
    pub fn user_clear(&self) -> ::core::result::Result<(), ::chorde::__private::Error> {
        let __chorde_client = &self.cache;
        let __chorde_tag = &[::chorde::__private::Tag::of::<Self>()];
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_user_site(),
            __chorde_tag,
            __chorde_client,
            ::chorde::__private::stored_whole::<User>(),
            &Self::__CHORDE_USER_POLICY,
        );
        __chorde_at.clear_now()
    }
    ///Returns what tells the keys of this function from those of others.
    #[allow(dead_code, unused_variables, clippy::all, clippy::pedantic, clippy::nursery)]
    #[inline]
    pub fn user_namespace(&self) -> ::std::string::String {
        let __chorde_client = &self.cache;
        let __chorde_tag = &[::chorde::__private::Tag::of::<Self>()];
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_user_site(),
            __chorde_tag,
            __chorde_client,
            ::chorde::__private::stored_whole::<User>(),
            &Self::__CHORDE_USER_POLICY,
        );
        __chorde_at.namespace()
    }
    ///Returns the counters and times of this function so far.
    #[allow(dead_code, unused_variables, clippy::all, clippy::pedantic, clippy::nursery)]
    #[inline]
    pub fn user_stats() -> ::chorde::__private::Stats {
        Self::__chorde_user_site().stats()
    }
    ///Sets the counters and times to zero.
    #[allow(dead_code, unused_variables, clippy::all, clippy::pedantic, clippy::nursery)]
    #[inline]
    pub fn user_reset_stats() {
        Self::__chorde_user_site().reset_stats();
    }
    ///Divides the histogram of computing times into `bins` of equal width up to `up_to`.
    #[allow(dead_code, unused_variables, clippy::all, clippy::pedantic, clippy::nursery)]
    #[inline]
    pub fn user_set_timing_bins(bins: usize, up_to: ::core::time::Duration) {
        Self::__chorde_user_site().set_timing_bins(bins, up_to);
    }
    ///Calls back when a farther tier's entry is copied nearer: key, value, remaining life.
    #[allow(dead_code, unused_variables, clippy::all, clippy::pedantic, clippy::nursery)]
    #[inline]
    pub fn user_on_promote(
        callback: impl ::core::ops::Fn(
            &::chorde::__private::Key,
            &User,
            ::core::time::Duration,
        ) + ::core::marker::Send + ::core::marker::Sync + 'static,
    )
    where
        for<'__chorde> User: ::chorde::__private::Movable<'__chorde>,
    {
        Self::__chorde_user_site().on_promote::<User>(callback);
    }
    /**Calls back after each successful computation, once, with the value and the arguments; never after a put or a hit.

A panic of the callback is counted and logged, and not seen by the function's caller. It may call the function and register others; one that goes on calling itself in that way is ended after some dozens of times, with a log.*/
    #[allow(dead_code, unused_variables, clippy::all, clippy::pedantic, clippy::nursery)]
    #[inline]
    pub fn user_on_value(
        callback: impl ::core::ops::Fn(
            &User,
            &(u64,),
        ) + ::core::marker::Send + ::core::marker::Sync + 'static,
    )
    where
        for<'__chorde> User: ::chorde::__private::Movable<'__chorde>,
    {
        Self::__chorde_user_site().on_value::<User, (u64,)>(callback);
    }
    ///Gives those who call during the first computation of a key what `make` makes of the arguments, until the computation ends. If that panics, they wait.
    #[allow(dead_code, unused_variables, clippy::all, clippy::pedantic, clippy::nursery)]
    #[inline]
    pub fn user_placeholder(
        callback: impl ::core::ops::Fn(
            &(u64,),
        ) -> User + ::core::marker::Send + ::core::marker::Sync + 'static,
    )
    where
        for<'__chorde> User: ::chorde::__private::Movable<'__chorde>,
    {
        Self::__chorde_user_site().placeholder::<User, (u64,)>(callback);
    }
    /**Returns the key of a call with these arguments.

# Errors

`ErrorKind::Key` when it cannot be serialised.*/
    #[allow(dead_code, unused_variables, clippy::all, clippy::pedantic, clippy::nursery)]
    #[inline]
    pub fn user_callkey(
        &self,
        id: u64,
    ) -> ::core::result::Result<::chorde::__private::Key, ::chorde::__private::Error> {
        let __chorde_client = &self.cache;
        let __chorde_tag = &[::chorde::__private::Tag::of::<Self>()];
        let __chorde_at = ::chorde::__private::At::new(
            Self::__chorde_user_site(),
            __chorde_tag,
            __chorde_client,
            ::chorde::__private::stored_whole::<User>(),
            &Self::__CHORDE_USER_POLICY,
        );
        __chorde_at.callkey(&(::chorde::__private::Guess::new(&self.tenant).part(), &id))
    }
    ///Returns how long a result may be used.
    #[allow(dead_code, unused_variables, clippy::all, clippy::pedantic, clippy::nursery)]
    #[inline]
    pub fn user_ttl() -> ::core::time::Duration {
        Self::__CHORDE_USER_POLICY.ttl()
    }
    ///Returns when a result becomes due for a refresh in the background.
    #[allow(dead_code, unused_variables, clippy::all, clippy::pedantic, clippy::nursery)]
    #[inline]
    pub fn user_async_ttl() -> ::chorde::__private::RefreshPoint {
        Self::__CHORDE_USER_POLICY.refresh()
    }
}
