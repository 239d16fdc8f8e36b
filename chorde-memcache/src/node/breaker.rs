//! Whether a server is asked at all. PURE.
