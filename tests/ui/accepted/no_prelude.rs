//! Names of the standard library that mean something else here are left alone.

mod plain {
    #![allow(dead_code)]
    #![no_implicit_prelude]
    struct Option;
    struct Vec;
    struct String;
    struct Box;
    trait Clone {}
    static C: ::std::sync::LazyLock<::chorde::InprocClient> =
        ::std::sync::LazyLock::new(|| ::chorde::InprocClient::new(1000));
    #[::chorde::cached(client = C, ttl = 300, async_ttl = -60)]
    fn one(
        x: u64,
        s: &str,
        t: ::core::option::Option<&str>,
        u: ::std::string::String,
        v: &[::std::string::String],
        w: ::core::option::Option<&[::std::string::String]>,
    ) -> u64 {
        let _ = (s, t, u, v, w);
        x
    }
    #[::chorde::cached(client = C, ttl = 300, async_ttl = -60)]
    async fn two(x: u64, s: &str) -> ::core::result::Result<u64, u8> {
        ::std::future::ready(()).await;
        let _ = s;
        ::core::result::Result::Ok(x)
    }
    #[::chorde::cached(client = C, ttl = 300, companions = false)]
    async fn three(x: u64, s: &str) -> ::core::result::Result<u64, u8> {
        ::std::future::ready(()).await;
        let _ = s;
        ::core::result::Result::Ok(x)
    }
}

fn main() {}
