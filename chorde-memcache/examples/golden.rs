//! Writes the golden files that are missing: what today's code stores, as it lies on a real memcached. Files that are there are
//! left as they are: what was once stored does not change.
//!
//! `cargo run -p chorde-memcache --features testing --example golden`
#![allow(clippy::unwrap_used, reason = "a tool that cannot go on panics")]

#[path = "../tests/golden/cases.rs"]
mod cases;
#[path = "../tests/golden/files.rs"]
mod files;
#[path = "../tests/support/mod.rs"]
mod support;

use std::io::ErrorKind;

use chorde_memcache::testing::MemcachedServer;
use support::raw::Raw;

fn main() {
    let version = version();
    let (mut written, mut kept) = (0, 0);
    for case in cases::all() {
        let server = MemcachedServer::start().unwrap();
        let client = case.writer(&server.address());
        case.store(&client);
        let found = case.find(&case.reader(&server.address()));
        assert_eq!(found, case.expected, "{}", case.name);
        let mut raw = Raw::of(&server);
        let mut keys = raw.keys();
        keys.sort();
        let items: Vec<_> = keys.iter().filter_map(|key| raw.get(key)).collect();
        match files::write(version, case.name, &items) {
            Ok(()) => written += 1,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => kept += 1,
            Err(error) => panic!("{}: {error}", case.name),
        }
    }
    println!("version {version} of the format: {written} files written, {kept} were there and are left as they are");
}

/// Returns the version of the format that today's code writes, out of what it writes.
fn version() -> u8 {
    let server = MemcachedServer::start().unwrap();
    let case = cases::all().swap_remove(0);
    case.store(&case.writer(&server.address()));
    Raw::of(&server).only().data[2]
}
