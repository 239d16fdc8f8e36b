//! Amazon ElastiCache for `chorde`: the nodes of a memcached cluster are found and followed by themselves.

#[cfg(all(unix, feature = "testing"))]
pub mod testing;
