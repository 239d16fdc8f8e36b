//! Why something that was stored is not a value, and why a value is not stored.

use std::fmt;

use chorde_core::{Error, ErrorKind};

use super::pages;

/// Why an item is not a value, which makes it a miss.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Damage {
    /// It is not an item of ours, or too short to be one.
    Foreign,
    /// It was written in a version of the format that is not known here.
    Version,
    /// It was not signed with a key of ours, not for this place, or was changed afterwards.
    Forged,
    /// It is a value of another type.
    OtherType,
    /// It says that it is longer than is allowed.
    Oversized,
    /// It cannot be expanded or decoded.
    Undecodable,
    /// Its pages are not all there, or not of one value.
    Torn,
    /// It was compressed with another dictionary.
    Dictionary,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Foreign => "not written by chorde",
            Self::Version => "written in an unknown version of the format",
            Self::Forged => "not signed with an accepted checksum_key for this place, or changed",
            Self::OtherType => "a value of another type",
            Self::Oversized => "longer than max_value_size",
            Self::Undecodable => "not decodable",
            Self::Torn => "missing pages, or pages of another value",
            Self::Dictionary => "compressed with another dictionary",
        })
    }
}

/// Why a value cannot be stored.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unsealable {
    /// Its payload has more than so many bytes.
    TooLarge { limit: usize },
    /// It takes more pages of so many bytes than there can be.
    TooManyPages { page: usize },
    /// It refuses to be serialised.
    Unserialisable(postcard::Error),
}

impl From<Unsealable> for Error {
    fn from(reason: Unsealable) -> Self {
        match reason {
            Unsealable::TooLarge { limit } => Self::new(
                ErrorKind::Value,
                format!("the value is larger than max_value_size ({limit} bytes): raise it, or store less"),
            ),
            Unsealable::TooManyPages { page } => Self::new(
                ErrorKind::Value,
                format!(
                    "the value takes more than {} items of {page} bytes: raise the servers' item size (-I) and \
                     item_size, or store less",
                    pages::MOST + 1
                ),
            ),
            Unsealable::Unserialisable(error) => {
                Self::new(ErrorKind::Value, format!("the value cannot be serialised: {error}")).with_source(error)
            }
        }
    }
}
