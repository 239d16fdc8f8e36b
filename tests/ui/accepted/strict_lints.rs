#![deny(warnings, missing_docs, unreachable_pub, missing_debug_implementations)]
//! Cached functions of all kinds raise no lint.
use chorde::{InprocClient, Wait as _, cached};
use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::Duration;
static CACHE: LazyLock<InprocClient> = LazyLock::new(|| InprocClient::new(1000));

/// Expensive.
#[cached(client = CACHE, ttl = 300, async_ttl = -60)]
pub fn expensive(x: u64, name: &str) -> usize {
    usize::from(x > 2) + name.len()
}

/// Expensive twin.
#[cached(client = CACHE, ttl = 300, async_ttl = 60)]
pub async fn later(x: u64, name: &str) -> usize {
    std::future::ready(()).await;
    usize::from(x > 2) + name.len()
}

/// May fail.
///
/// # Errors
/// Always.
#[cached(client = CACHE, ttl = 300)]
pub fn fails(x: u64) -> Result<u32, std::io::Error> {
    if x > 1 { Err(std::io::Error::other("x")) } else { Ok(1) }
}

/// May fail.
///
/// # Errors
/// Always.
#[cached(client = &*CACHE, ttl = "1h", namespace = none, version = "2", encode = |v: u32| u64::from(v), decode = |v: u64| u32::try_from(v).unwrap_or(0), cache_if = |v| *v > 1)]
pub fn fails_io(x: u64) -> std::io::Result<u32> {
    if x > 1 { Err(std::io::Error::other("x")) } else { Ok(1) }
}

#[cached(client = CACHE, ttl = Duration::from_secs(4), async_ttl = -Duration::from_secs(1), ttl_spread = none, lease = 3, renew = 2, lazy(max_tiers = 1), single_flight = false, timings = false)]
fn private((a, b): (u32, u32), mut c: u32, _: u8, _unused: u16) -> u32 {
    c += 1;
    a + b + c
}

/// Type.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Req {
    /// Id.
    pub id: u64,
}

/// References.
#[cached(client = CACHE, ttl = 4, async_ttl = -1, skip(blob))]
#[must_use]
#[allow(clippy::too_many_arguments)]
pub fn refs(
    r: &Req,
    s: &[u8],
    t: &[String],
    o: Option<&str>,
    p: Option<&Req>,
    q: Option<&[u8]>,
    path: &Path,
    blob: &Arc<str>,
) -> u64 {
    r.id + s.len() as u64
        + t.len() as u64
        + o.map_or(0, |o| o.len() as u64)
        + p.map_or(0, |p| p.id)
        + q.map_or(0, |p| p.len() as u64)
        + path.as_os_str().len() as u64
        + blob.len() as u64
}

/// Generic.
#[cached(client = CACHE, ttl = 4)]
pub fn generic<'a, T, const N: usize>(x: [u8; N], t: T, s: &'a str) -> String
where
    T: serde::Serialize + std::fmt::Debug + 'a + Clone + Send + Sync + 'static,
{
    format!("{x:?}{t:?}{s}")
}

/// Generic without clone.
#[cached(client = CACHE, ttl = 4)]
pub fn generic2<T: serde::Serialize + std::fmt::Debug>(t: &T) -> String {
    format!("{t:?}")
}

/// Unit.
#[cached(client = CACHE, ttl = 4)]
pub fn unit() {}

/// Raw.
#[cached(client = CACHE, ttl = 4)]
#[must_use]
pub fn r#type(r#fn: u8) -> u8 {
    r#fn
}

/// Clash.
#[cached(client = CACHE, ttl = 4)]
#[must_use]
#[expect(clippy::too_many_arguments)]
pub fn clash(
    clash: u8,
    key: u8,
    client: u8,
    value: u8,
    self_: u8,
    site: u8,
    at: u8,
    __private: u8,
    arg9: u8,
    (x, y): (u8, u8),
) -> u8 {
    clash + key + client + value + self_ + site + at + __private + x + y + arg9
}

#[derive(Debug)]
struct NotClone;
/// Skip connection.
#[cached(client = CACHE, ttl = 4, skip(conn, out))]
fn db(conn: &NotClone, out: &mut Vec<u8>, id: u64) -> u64 {
    out.push(1);
    let _ = conn;
    id
}

/// Key.
#[cached(client = CACHE, ttl = 4, key = (r.id, x))]
#[must_use]
pub fn keyed(r: Req, x: String) -> u64 {
    r.id + x.len() as u64
}

/// Repo.
#[derive(Debug)]
pub struct Repo<C> {
    cache: Arc<C>,
    tenant: String,
}
impl<C> Clone for Repo<C> {
    fn clone(&self) -> Self {
        Self {
            cache: Arc::clone(&self.cache),
            tenant: self.tenant.clone(),
        }
    }
}
impl<C: chorde::Client<u64> + 'static> Repo<C> {
    /// User.
    #[cached(client = self.cache, ttl = 30, async_ttl = -10, key = (self.tenant, id, name))]
    pub fn user(&self, id: u64, name: &str) -> u64 {
        id + self.tenant.len() as u64 + name.len() as u64
    }
    /// User.
    #[cached(client = self.cache, ttl = 30, async_ttl = -10, key = (self.tenant, id, name))]
    pub async fn auser(&self, id: u64, name: &str) -> u64 {
        id + self.tenant.len() as u64 + name.len() as u64
    }
    /// Arc.
    #[cached(client = self.cache, ttl = 30, skip(self))]
    pub fn arc(self: Arc<Self>, id: u64) -> u64 {
        id + self.tenant.len() as u64
    }
    /// Arc ref.
    #[cached(client = self.cache, ttl = 30, skip(self))]
    pub fn arcref(self: &Arc<Self>, id: u64) -> u64 {
        id + self.tenant.len() as u64
    }
    /// By value.
    #[cached(client = CACHE, ttl = 30, skip(self))]
    #[must_use]
    pub fn byvalue(mut self, id: u64) -> u64 {
        self.tenant.push('x');
        id + self.tenant.len() as u64
    }
    /// Assoc.
    #[cached(client = CACHE, ttl = 30)]
    #[must_use]
    pub fn assoc(id: u64) -> u64 {
        Self::helper(id)
    }
    const fn helper(id: u64) -> u64 {
        id
    }
    /// Assoc said.
    #[cached(client = CACHE, ttl = 30, associated = true)]
    #[must_use]
    pub fn assoc2(id: u64) -> u64 {
        id
    }
}
/// Not clone.
#[derive(Debug)]
pub struct Bare;
impl Bare {
    /// Id.
    #[cached(client = CACHE, ttl = 30, skip(self))]
    #[must_use]
    pub fn id(&self, id: u64) -> u64 {
        id
    }
}
/// Trait.
pub trait Load {
    /// Loads.
    fn load(&self, id: u64, v: (u8, u8)) -> u64;
    /// Loads.
    fn aload(&self, id: u64) -> impl Future<Output = Result<u64, String>> + Send;
    /// Other.
    fn other(id: u64) -> u64;
}
impl Load for Bare {
    #[cached(client = CACHE, ttl = 30, skip(self), companions = false)]
    fn load(&self, mut id: u64, (a, b): (u8, u8)) -> u64 {
        id += 1;
        id + u64::from(a) + u64::from(b)
    }
    #[cached(client = CACHE, ttl = 30, skip(self), companions = false)]
    async fn aload(&self, id: u64) -> Result<u64, String> {
        let x: u64 = "1".parse().map_err(|_| String::new())?;
        Ok(id + x)
    }
    #[cached(client = CACHE, ttl = 30, companions = false)]
    fn other(id: u64) -> u64 {
        id
    }
}
#[cached(client = CACHE, ttl = 30, async_ttl = -3, companions = false)]
fn alone<T: serde::Serialize + Send + Clone + 'static>(id: u64, _t: T) -> u64 {
    id
}

/// All.
#[must_use]
pub fn all() -> u64 {
    #[cached(client = CACHE, ttl = 30)]
    fn nested(x: u64) -> u64 {
        if x == 0 { 0 } else { nested(x - 1) + 1 }
    }
    let _ = generic::<u64, 3>([1, 2, 3], 1, "");
    let _ = generic2(&1u8);
    generic::on_value::<u64, 3>(|v: &String, (a, b, c): &([u8; 3], u64, String)| println!("{v} {a:?} {b} {c}"));
    expensive::on_value(|v, (x, s)| println!("{v}{x}{s}"));
    let _ = expensive::future(1, "").wait();
    let _ = (private((1, 2), 3, 4, 5), private::peek((1, 2), 3, 4, 5));
    let _ = db(&NotClone, &mut Vec::new(), 1);
    let _ = alone(1, 2u8);
    Bare.id(5) + nested(4) + Bare.load(1, (1, 2)) + <Bare as Load>::other(5) + u64::from(r#type::refresh(1))
}
macro_rules! make {
    ($name:ident, $ttl:expr, $t:ty, $arg:ident) => {
        #[cached(client = CACHE, ttl = $ttl, key = $arg)]
        fn $name($arg: $t) -> $t {
            $arg
        }
        #[cached(client = CACHE, ttl = $ttl, key = x, crate = ::chorde)]
        #[allow(dead_code)]
        fn fixed(x: $t) -> $t {
            x
        }
    };
}
make!(made, 30, u32, n);
/// Use.
#[must_use]
pub fn use_made() -> u32 {
    made(3) + fixed(4)
}

fn main() {}
