//! A cluster for tests: real nodes, and a configuration endpoint that tells of them, or tells lies.
//!
//! [`FakeCluster`] runs a memcached for each node and an endpoint of its own, all of them on the loopback interface. It
//! grows, shrinks, loses nodes and is made anew as clusters of ElastiCache do, when the test says so. The endpoint can
//! be paused, stopped, and made to answer as no endpoint should ([`Told`]).
//!
//! It is built of the servers of [`chorde_memcache::testing`]: what happens to a node is up to its
//! [`MemcachedServer`](chorde_memcache::testing::MemcachedServer), and what happens on the way to the endpoint to a
//! [`ChaosProxy`](chorde_memcache::testing::ChaosProxy).
//!
//! It does not run what ElastiCache runs: a node of stock memcached answers `config get cluster` with `ERROR`. It tells
//! the configuration by the key `AmazonElastiCache:cluster` instead, as engines before 1.4.14 did.
//!
//! All methods block and need no runtime. What a test has to wait for can be waited for, so that no test needs to
//! sleep.
//!
//! This module exists on unix systems only, behind the feature `testing`.
//!
//! # Examples
//!
//! ```
//! use std::io::{Read, Write};
//! use std::net::TcpStream;
//!
//! use chorde_elasticache::testing::FakeCluster;
//!
//! let cluster = FakeCluster::start(2)?;
//! let ask = || -> std::io::Result<String> {
//!     let mut client = TcpStream::connect(cluster.endpoint())?;
//!     client.write_all(b"config get cluster\r\nquit\r\n")?;
//!     let mut answer = String::new();
//!     client.read_to_string(&mut answer)?;
//!     Ok(answer)
//! };
//! assert!(ask()?.contains("\r\n1\nfake.0001.cache.test|127.0.0.1|"));
//!
//! let third = cluster.add()?;
//! assert!(third.starts_with("fake.0003.cache.test:"));
//! assert!(ask()?.contains("\r\n2\nfake.0001.cache.test|127.0.0.1|"));
//! assert_eq!((cluster.nodes().len(), cluster.polls()), (3, 2));
//! # Ok::<(), std::io::Error>(())
//! ```

mod builder;
mod cluster;
mod endpoint;
mod members;
mod node;
mod polls;
mod told;

use std::time::Duration;

pub use self::builder::FakeClusterBuilder;
pub use self::cluster::FakeCluster;
pub use self::told::Told;

/// How long anything here is waited for before it counts as broken: long enough for a machine that is busy elsewhere.
const PATIENCE: Duration = Duration::from_secs(30);

/// What clients asked for before there was a command.
const LEGACY_KEY: &str = "AmazonElastiCache:cluster";
