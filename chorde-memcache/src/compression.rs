//! What is compressed before it is stored.

use crate::envelope::CompressOptions;

/// Says which values are compressed, by zstd, and how hard.
///
/// A value is stored compressed only if that makes it smaller. Readers need no setting, but for the dictionary.
///
/// # Examples
///
/// ```
/// use chorde_memcache::Compression;
///
/// let light = Compression::zstd();
/// let strong = Compression::zstd().level(9).above(256);
/// let none = Compression::off();
/// ```
#[derive(Clone, Debug, Default)]
pub struct Compression(CompressOptions);

impl Compression {
    /// Compresses values of 1 KiB and more at level 1.
    #[must_use]
    pub fn zstd() -> Self {
        Self::default()
    }

    /// Compresses nothing.
    #[must_use]
    pub fn off() -> Self {
        Self(CompressOptions { level: None, ..CompressOptions::default() })
    }

    /// Sets the level: 1 is fast, 22 is small and slow; negative ones are faster still.
    #[must_use]
    pub fn level(mut self, level: i32) -> Self {
        self.0.level = Some(level);
        self
    }

    /// Leaves values below this many serialised bytes as they are.
    #[must_use]
    pub fn above(mut self, bytes: usize) -> Self {
        self.0.above = bytes;
        self
    }

    /// Uses a dictionary, which helps with small values that are alike (`zstd --train` makes one). Values compressed with
    /// another dictionary, or with one where none is set, are misses.
    #[must_use]
    pub fn dictionary(mut self, dictionary: impl Into<Vec<u8>>) -> Self {
        self.0.dictionary = Some(dictionary.into());
        self
    }

    pub(crate) fn into_options(self) -> CompressOptions {
        self.0
    }
}
