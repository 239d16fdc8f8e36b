impl Repo {
    /**

# Caching

A result is used for 5 min. Its key is `id`. Errors are returned and never stored.*/
    #[allow(dead_code, clippy::significant_drop_tightening)]
    async fn load(&self, id: u64) -> Result<User, Error> {
        enum __ChordeHere {}
        static __CHORDE_SITE: ::chorde::__private::Site = ::chorde::__private::Site::new(
            ::chorde::__private::Description::new(
                    "load",
                    ::core::module_path!(),
                    ::core::any::type_name::<__ChordeHere>,
                    "(id:u64)->Result<User,Error>;ttl=300000000000;version=",
                    300000000000,
                )
                .body(7316954027739865678)
                .method(),
        );
        const __CHORDE_POLICY: ::chorde::__private::CallPolicy = ::chorde::__private::CallPolicy::new(
            ::core::time::Duration::new(300, 0),
        );
        let __chorde_client = &CACHE;
        let __chorde_tag = &[::chorde::__private::Tag::of::<Self>()];
        let __chorde_at = ::chorde::__private::At::new(
            &__CHORDE_SITE,
            __chorde_tag,
            __chorde_client,
            ::chorde::__private::Fallible::<
                Result<User, Error>,
            >::new({
                use ::chorde::__private::{
                    ShareClone as _, ShareDebug as _, ShareNone as _, ShareTold as _,
                };
                (&&&&::chorde::__private::Share::<Error>::new()).share()
            }),
            &__CHORDE_POLICY,
        );
        let __chorde_looked = __chorde_at.look(&(&id,));
        match __chorde_looked {
            ::chorde::__private::Looked::Hit(__chorde_hit) => __chorde_hit,
            ::chorde::__private::Looked::Slow(__chorde_slow) => {
                ::chorde::__private::boxed(
                        __chorde_at
                            .finish(
                                __chorde_slow,
                                (),
                                move |()| ::chorde::__private::typed::<
                                    Result<User, Error>,
                                    _,
                                >(async move {
                                    let mut id = id;
                                    id += 1;
                                    self.get(id).await
                                }),
                                ::chorde::__private::no_behind(),
                                ::chorde::__private::no_echo(),
                            ),
                    )
                    .await
            }
        }
    }
}
