//! Amazon ElastiCache for `chorde`: the nodes of a memcached cluster are found and followed by themselves.

#[expect(unused_imports, reason = "the poller is not there yet")]
#[cfg_attr(not(test), expect(dead_code, reason = "the poller is not there yet"))]
mod config;
#[cfg_attr(not(test), expect(dead_code, reason = "the client is not there yet"))]
#[expect(unreachable_pub, reason = "not exported yet")]
mod kind;
#[expect(dead_code, reason = "the poller is not there yet")]
mod turns;
#[cfg_attr(not(test), expect(dead_code, reason = "the poller is not there yet"))]
mod versions;
