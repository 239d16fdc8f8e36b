//! Amazon ElastiCache for `chorde`: the nodes of a memcached cluster are found and followed by themselves.
