//! The golden files: for each case the items as they lay on a server, as text.
//!
//! ```text
//! # what stored it
//! item <wire key> <client flags> <data in hexadecimal digits>
//! ```
#![allow(dead_code, unreachable_pub, reason = "one writes, another reads")]

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use data_encoding::HEXLOWER;

use crate::support::raw::{Item, Raw};

/// Returns the folder of a version of the format.
pub fn folder(version: u8) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/v{version}"))
}

/// Returns the versions that there are folders of.
pub fn versions() -> Vec<u8> {
    (1..=255).filter(|version| folder(*version).is_dir()).collect()
}

/// Reads the items of a case.
pub fn read(version: u8, name: &str) -> io::Result<Vec<Item>> {
    read_from(&folder(version), name)
}

/// Reads the items of a case as they were stored under names that were made of the bytes postcard makes of a key.
pub fn read_under_postcard_keys(name: &str) -> io::Result<Vec<Item>> {
    read_from(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/postcard_keys"), name)
}

fn read_from(folder: &Path, name: &str) -> io::Result<Vec<Item>> {
    let text = fs::read_to_string(folder.join(name))?;
    let line = |line: &str| {
        let mut words = line.strip_prefix("item ")?.split(' ');
        let (key, flags, data) = (words.next()?, words.next()?, words.next()?);
        let data = HEXLOWER.decode(data.as_bytes()).ok()?;
        Some(Item { key: key.to_owned(), data, flags: flags.parse().ok()?, left: 600 })
    };
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    Ok(lines.map(|text| line(text).unwrap_or_else(|| panic!("{name}: {text}"))).collect())
}

/// Writes the items of a case; an error where there is such a file.
pub fn write(version: u8, name: &str, items: &[Item]) -> io::Result<()> {
    fs::create_dir_all(folder(version))?;
    let mut file = File::create_new(folder(version).join(name))?;
    writeln!(file, "# by chorde-memcache {}", env!("CARGO_PKG_VERSION"))?;
    for Item { key, data, flags, .. } in items {
        writeln!(file, "item {key} {flags} {}", HEXLOWER.encode(data))?;
    }
    Ok(())
}

/// Tells whether an item is the head of a value, by the mark that it begins with; behind the prefix of the classic commands
/// for those.
pub fn is_head(name: &str, item: &Item) -> bool {
    item.data.get(front(name)..).is_some_and(|data| data.starts_with(b"\xc4\x0d"))
}

/// Returns how many bytes stand before an item's own.
pub fn front(name: &str) -> usize {
    if name.starts_with("classic") { 8 } else { 0 }
}

/// Puts items back on a server. Those of the classic commands tell when they end, which is put off: of what is stale by less
/// than it is kept for.
pub fn load(raw: &mut Raw, name: &str, items: &[Item]) {
    for item in items {
        let mut item = item.clone();
        if let Some(end) = item.data.first_chunk_mut::<4>().filter(|_| front(name) > 0) {
            let mark = u32::from_be_bytes(*end) & 1 << 31;
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() as u32;
            let left = if mark == 0 { 600 } else { 29 };
            *end = ((now + left) | mark).to_be_bytes();
        }
        raw.set(&item);
    }
}
