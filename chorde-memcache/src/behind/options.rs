//! How writes are put off.

use std::time::Duration;

use chorde_core::{Error, ErrorKind, Result};

/// Says how [`write_behind`](crate::MemcachedBuilder::write_behind) puts writes off.
///
/// | setting | default |
/// |---|---|
/// | [`pause`](Self::pause) | 5 ms |
/// | [`most`](Self::most) | 10,000 values |
/// | [`most_bytes`](Self::most_bytes) | 64 MiB |
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use chorde_memcache::{MemcachedClient, WriteBehind};
///
/// let client = MemcachedClient::builder()
///     .servers(["10.0.0.1:11211"])
///     .checksum_key("a secret of the fleet")
///     .write_behind(WriteBehind::new().pause(Duration::from_millis(20)))
///     .build()?;
/// # Ok::<(), chorde_core::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "give it to `write_behind`"]
pub struct WriteBehind {
    pub(super) pause: Duration,
    pub(super) most: usize,
    pub(super) most_bytes: usize,
}

impl WriteBehind {
    /// Creates options with the defaults.
    pub const fn new() -> Self {
        Self { pause: Duration::from_millis(5), most: 10_000, most_bytes: 64 << 20 }
    }

    /// Sets how long a write waits for others to go with, and for a later one of the same key to take its place: by so
    /// much, and the time that the writing takes, other processes see a value later.
    pub const fn pause(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    /// Sets how many values may be queued, those being written included.
    pub const fn most(mut self, values: usize) -> Self {
        self.most = values;
        self
    }

    /// Sets how many bytes the queued values may take, as they are stored.
    pub const fn most_bytes(mut self, bytes: usize) -> Self {
        self.most_bytes = bytes;
        self
    }

    /// Rejects what cannot work.
    pub(crate) fn check(&self) -> Result<()> {
        let settings = [
            (self.pause.is_zero(), "`write_behind` with a `pause` of zero: give some milliseconds, or leave it out"),
            (self.most == 0, "`write_behind` with room for no value: give `most` some thousands, or leave it out"),
            (self.most_bytes == 0, "`write_behind` with room for no byte: give `most_bytes` some MiB, or leave it out"),
        ];
        match settings.iter().find(|(is_wrong, _)| *is_wrong) {
            Some((_, mend)) => Err(Error::new(ErrorKind::Config, *mend)),
            None => Ok(()),
        }
    }
}

impl Default for WriteBehind {
    fn default() -> Self {
        Self::new()
    }
}
