//! One server as the client sees it: its connections and whether it is worth asking.

mod breaker;
