//! Who is measured: the client, the peers, and a bare socket.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use async_memcached::AsciiProtocol;
use chorde::Namespace;
use chorde::memcache::MemcachedClient;
use chorde::memcache::testing::MemcachedServer;
use chorde::prelude::*;
use chorde_memcache::__bench::Envelope;
use memcache::exp::{AsyncMemcache, Ttl};
use serde::{Deserialize, Serialize};
use tokio::io::BufWriter;
use tokio::runtime::Runtime;
use tokio::sync::Mutex;

/// How many keys there are.
pub const KEYS: usize = 1000;

pub const TTL: Duration = Duration::from_secs(3600);

/// About 100 bytes as a payload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Small {
    id: u64,
    name: String,
    tags: [u32; 4],
    note: String,
}

impl Small {
    pub fn new(id: u64) -> Self {
        let id = id | 1 << 40;
        Self { id, name: "n".repeat(24), tags: [1, 300, 70_000, u32::MAX], note: "x".repeat(55) }
    }
}

/// What the peers store: as many bytes.
pub const PLAIN: &[u8] = &[b'x'; 100];

/// Names the value of a number as the peers see it: as long as a wire key.
pub fn plain_key(number: usize) -> String {
    format!("plain{:022}", number % KEYS)
}

/// The names of all values.
pub fn plain_keys() -> Arc<Vec<String>> {
    Arc::new((0..KEYS).map(plain_key).collect())
}

/// Starts the server for all subjects.
pub fn server() -> MemcachedServer {
    let limits = ["-t", "1", "-m", "1024", "-I", "4m", "-c", "2048"];
    MemcachedServer::builder().args(limits).start().expect("memcached")
}

/// Makes a client.
pub fn client(server: &MemcachedServer) -> MemcachedClient {
    let builder = MemcachedClient::builder().servers([server.address()]).checksum_key("a secret of the fleet");
    builder.deadline(Duration::from_secs(10)).build().expect("a client")
}

/// Where the keys of some rows are.
pub fn namespace() -> Namespace {
    Namespace::named("prices")
}

/// Stores what all subjects read.
pub fn fill(server: &MemcachedServer) {
    let client = client(server);
    let memcache = blocking(server, 1);
    let (sealed, _) = Envelope::new(Some(1), 1024).seal(&Small::new(0));
    for number in 0..KEYS as u64 {
        let inside = chorde::Key::in_namespace(&namespace(), &number).expect("a key");
        client.put(&number, Small::new(number), TTL).wait().expect("a put");
        client.put(&inside, Small::new(number), TTL).wait().expect("a put");
        memcache.set(&plain_key(number as usize), PLAIN, 3600).expect("a set");
        memcache.set(&sealed_key(number as usize), &sealed[..], 3600).expect("a set");
    }
}

/// Names an item that is as long as the client's, for the bare socket.
pub fn sealed_key(number: usize) -> String {
    format!("sealed{:021}", number % KEYS)
}

/// Connections that tasks share, each task one of them.
pub type Pool<C> = Arc<Vec<Mutex<C>>>;

pub fn async_memcached(
    runtime: &Runtime,
    server: &MemcachedServer,
    connections: usize,
) -> Pool<async_memcached::Client> {
    let connect =
        async || async_memcached::Client::new(format!("tcp://{}", server.address())).await.expect("a connection");
    Arc::new((0..connections).map(|_| Mutex::new(runtime.block_on(connect()))).collect())
}

pub type Protocol = memcache_async::ascii::Protocol<BufWriter<tokio::net::TcpStream>>;

/// With a buffer for what is written: without one, a multi-get is a system call for each key.
pub fn memcache_async(runtime: &Runtime, server: &MemcachedServer, connections: usize) -> Pool<Protocol> {
    let connect = async || {
        let stream = tokio::net::TcpStream::connect(server.address()).await.expect("a connection");
        stream.set_nodelay(true).expect("a socket");
        Protocol::new(BufWriter::new(stream))
    };
    Arc::new((0..connections).map(|_| Mutex::new(runtime.block_on(connect()))).collect())
}

/// The asynchronous client of the crate `memcache`.
pub fn memcache_exp(runtime: &Runtime, server: &MemcachedServer, connections: usize) -> AsyncMemcache {
    let builder = AsyncMemcache::builder().max_connections(connections).max_idle(connections);
    let builder = builder.timeout(Duration::from_secs(10)).connect_timeout(Duration::from_secs(10));
    runtime.block_on(builder.connect_async([server.address()])).expect("a client")
}

/// The usual client of the crate `memcache`.
pub fn blocking(server: &MemcachedServer, connections: u32) -> memcache::Client {
    let url = format!("memcache://{}", server.address());
    memcache::Client::with_pool_size(url, connections).expect("a client")
}

/// Reads with a peer and looks at what it read.
pub async fn get_async_memcached(pool: &Pool<async_memcached::Client>, task: usize, key: &str) {
    let value = pool[task % pool.len()].lock().await.get(key).await.expect("an answer");
    assert_eq!(value.and_then(|value| value.data).as_deref(), Some(PLAIN));
}

pub async fn get_memcache_async(pool: &Pool<Protocol>, task: usize, key: &str) {
    let value = pool[task % pool.len()].lock().await.get(key).await.expect("a value");
    assert_eq!(value, PLAIN);
}

pub async fn get_memcache_exp(client: &AsyncMemcache, key: &str) {
    let value: Option<Vec<u8>> = client.get(key).await.expect("an answer");
    assert_eq!(value.as_deref(), Some(PLAIN));
}

pub fn get_blocking(client: &memcache::Client, key: &str) {
    let value: Option<Vec<u8>> = client.get(key).expect("an answer");
    assert_eq!(value.as_deref(), Some(PLAIN));
}

pub fn hour() -> Ttl {
    Ttl::secs(3600)
}

/// A blocking socket and nothing else.
pub struct Bare {
    stream: TcpStream,
    request: Vec<u8>,
    input: Vec<u8>,
}

impl Bare {
    pub fn new(server: &MemcachedServer) -> Self {
        let stream = TcpStream::connect(server.address()).expect("a connection");
        stream.set_nodelay(true).expect("a socket");
        Self { stream, request: Vec::new(), input: vec![0; 1 << 18] }
    }

    /// Sends a get for each key in one write, and reads until all items are there.
    pub fn get_all<'a>(&mut self, keys: impl Iterator<Item = &'a str>) {
        let mut wanted = 0;
        self.request.clear();
        for key in keys {
            self.request.extend_from_slice(b"mg ");
            self.request.extend_from_slice(key.as_bytes());
            self.request.extend_from_slice(b" v f c t O1\r\n");
            wanted += 1;
        }
        self.stream.write_all(&self.request).expect("a connection");
        let (mut have, mut at) = (0, 0);
        while wanted > 0 {
            have += self.stream.read(&mut self.input[have..]).expect("a connection");
            while let Some(end) = self.input[at..have].iter().position(|&byte| byte == b'\n') {
                let line = &self.input[at..at + end];
                let digits = line.strip_prefix(b"VA ").expect("an item").split(|&byte| byte == b' ').next();
                let size =
                    digits.unwrap_or_default().iter().fold(0, |size, digit| size * 10 + usize::from(digit - b'0'));
                if at + end + 3 + size > have {
                    break;
                }
                at += end + 3 + size;
                wanted -= 1;
            }
        }
    }
}
