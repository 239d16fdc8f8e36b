//! A tour of a cached function and its companions.
use std::sync::LazyLock;
use std::time::Duration;
use chorde::prelude::*;
use chorde::InprocClient;

static CACHE: LazyLock<InprocClient> = LazyLock::new(|| InprocClient::new(10_000));

#[cached(client = CACHE, ttl = 300, async_ttl = -60)]
fn expensive(x: u64) -> f64 {
    println!("computing {x}");
    x as f64 * 1.5
}

#[cached(client = CACHE, ttl = 300)]
async fn slow(x: u64, name: &str) -> Result<String, String> {
    if x == 0 { return Err("zero".into()) }
    Ok(format!("{name}{x}"))
}

#[cached(client = CACHE, ttl = 300)]
fn fib(n: u64) -> u64 { if n < 2 { n } else { fib(n - 1) + fib(n - 2) } }

fn main() -> Result<(), chorde::Error> {
    println!("{}", expensive(1));
    println!("{}", expensive(1));
    println!("{:?} {:?}", expensive::peek(1), expensive::peek(2));
    expensive::put(1, 5.0)?;
    println!("{}", expensive(1));
    println!("{}", expensive::refresh(1));
    println!("{:?}", expensive::lazy(3));
    chorde::drain(Duration::from_secs(1)).wait()?;
    println!("{:?}", expensive::lazy(3));
    println!("{}", expensive::future(4).wait()?);
    println!("{:?}", expensive::get_ttl(4));
    println!("{:?}", slow(3, "a").wait());
    println!("{:?}", slow(0, "a").wait());
    println!("{:?}", slow::peek(3, "a").wait());
    println!("{} {:?}", fib(80), fib::stats());
    expensive::clear()?;
    println!("{:?}", expensive::peek(4));
    println!("{:#?}", expensive::stats());
    println!("{:?} {:?} {:?}", expensive::namespace(), expensive::callkey(1)?, expensive::ttl());
    Ok(())
}
