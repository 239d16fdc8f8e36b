//! Which types can be copied without running any code of the user's, told by their names.
//!
//! A shard's lock is held while an entry is copied, and a `Clone` of the user's may take long, panic, or use the cache
//! itself. The compiler does not say whether a type is `Copy` or how it is cloned, but the name of a type of the standard
//! library does. A type that is not recognised costs an allocation for each entry, and nothing else changes: names decide
//! how a value is kept, never which value is found.

/// Returns whether a type of this name (of [`std::any::type_name`]) is copied by copying its bits or by counting a
/// reference.
pub(super) fn is_plain(name: &str) -> bool {
    // Most types are one word, or not plain, which shows at their end.
    WORDS.contains(&name) || (name.ends_with(['>', ')', ']', 'r']) && plain(name, DEPTH) == Some(""))
}

/// How deep types may be nested.
const DEPTH: u32 = 8;

/// Types that are `Copy`, and one whose clones share a buffer.
const WORDS: [&str; 26] = [
    "u8",
    "u16",
    "u32",
    "u64",
    "u128",
    "usize",
    "i8",
    "i16",
    "i32",
    "i64",
    "i128",
    "isize",
    "f32",
    "f64",
    "bool",
    "char",
    "()",
    "core::time::Duration",
    "std::time::Instant",
    "std::time::SystemTime",
    "core::cmp::Ordering",
    "core::net::ip_addr::IpAddr",
    "core::net::ip_addr::Ipv4Addr",
    "core::net::ip_addr::Ipv6Addr",
    "core::net::socket_addr::SocketAddr",
    "bytes::bytes::Bytes",
];

/// Generic types that are plain if their arguments are.
const CONTAINERS: [&str; 4] = [
    "core::option::Option<",
    "core::result::Result<",
    "core::num::nonzero::NonZero<",
    "core::num::wrapping::Wrapping<",
];

/// Generic types that are plain whatever their arguments.
const COUNTED: [&str; 2] = ["alloc::sync::Arc<", "alloc::sync::Weak<"];

/// Reads one plain type; returns what follows it.
fn plain(name: &str, depth: u32) -> Option<&str> {
    let depth = depth.checked_sub(1)?;
    if let Some(word) = WORDS.iter().find(|word| is_word(name, word)) {
        return Some(&name[word.len()..]);
    }
    if let Some(rest) = CONTAINERS.iter().find_map(|start| name.strip_prefix(start)) {
        return list(rest, '>', depth);
    }
    if let Some(rest) = COUNTED.iter().find_map(|start| name.strip_prefix(start)) {
        return skip_arguments(rest);
    }
    if let Some(rest) = name.strip_prefix('(') {
        return list(rest, ')', depth);
    }
    if let Some(rest) = name.strip_prefix('[') {
        let rest = plain(rest, depth)?.strip_prefix("; ")?;
        return rest.trim_start_matches(|digit: char| digit.is_ascii_digit()).strip_prefix(']');
    }
    // A shared reference is `Copy`, whatever it refers to; texts are the usual ones.
    name.strip_prefix("&str").filter(|rest| !rest.starts_with(is_of_word))
}

fn is_word(name: &str, word: &str) -> bool {
    name.strip_prefix(word).is_some_and(|rest| !rest.starts_with(is_of_word))
}

fn is_of_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_' || letter == ':' || letter == '<'
}

/// Reads plain types separated by commas, and what ends them.
fn list(mut name: &str, end: char, depth: u32) -> Option<&str> {
    loop {
        name = plain(name, depth)?;
        if let Some(rest) = name.strip_prefix(end) {
            return Some(rest);
        }
        name = name.strip_prefix(',')?;
        // A tuple of one type is written with a comma.
        if let Some(rest) = name.strip_prefix(end) {
            return Some(rest);
        }
        name = name.strip_prefix(' ')?;
    }
}

/// Skips whatever is between angle brackets, of which the first is open; the arrow of a function is none.
fn skip_arguments(name: &str) -> Option<&str> {
    let mut open = 1;
    let mut before = ' ';
    for (at, letter) in name.char_indices() {
        match letter {
            '<' => open += 1,
            '>' if before != '-' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Some(&name[at + 1..]);
        }
        before = letter;
    }
    None
}

#[cfg(test)]
mod tests {
    use std::any::type_name;
    use std::num::NonZeroU64;
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use super::*;

    fn of<V>() -> bool {
        is_plain(type_name::<V>())
    }

    #[derive(Clone, Copy)]
    struct Mine;

    #[test]
    fn types_that_are_copied_by_their_bits_are_plain() {
        assert!(
            of::<u64>() && of::<()>() && of::<bool>() && of::<&'static str>() && of::<Duration>() && of::<Instant>()
        );
        assert!(of::<(u32,)>() && of::<(u32, f64, (char, i8))>() && of::<[u64; 12]>() && of::<[(u8, u8); 3]>());
        assert!(of::<Option<u32>>() && of::<Result<(), u8>>() && of::<Option<NonZeroU64>>());
    }

    #[test]
    fn counted_references_are_plain_whatever_they_refer_to() {
        assert!(of::<Arc<Mine>>() && of::<Arc<str>>() && of::<Arc<[Mine]>>() && of::<Option<Arc<Vec<Mine>>>>());
        assert!(of::<(Arc<fn(u32) -> Mine>, u32)>() && of::<Result<Arc<Mine>, u32>>());
    }

    #[test]
    fn nothing_else_is_plain() {
        assert!(!of::<Mine>() && !of::<Option<Mine>>() && !of::<(u32, Mine)>() && !of::<[Mine; 2]>());
        assert!(!of::<String>() && !of::<Vec<u8>>() && !of::<Box<u32>>() && !of::<Result<Arc<Mine>, Mine>>());
        assert!(!of::<fn() -> u32>() && !of::<Vec<Arc<Mine>>>());
        for name in
            ["", "u64x", "u6", "u64::U", "mine::u64", "(u64", "[u64; ]x", "[u64; 3", "&mut u64", "&strx", "u64 "]
        {
            assert!(!is_plain(name), "{name}");
        }
    }
}
