//! A memcached of one test's own.

use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use chorde_core::Clock;

use crate::node::classic::{Classic, Limits};
use crate::server::Address;

/// Runs at a unix socket in a directory of its own until it is dropped.
pub(super) struct Server {
    process: Child,
    directory: PathBuf,
}

impl Server {
    pub(super) fn start(options: &[&str]) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let own = format!("chorde-classic-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let directory = std::env::temp_dir().join(own);
        std::fs::create_dir_all(&directory).unwrap();
        let socket = directory.join("socket");
        let process = Command::new("memcached")
            .args(["-u", "root", "-U", "0", "-t", "1", "-s"])
            .arg(&socket)
            .args(options)
            .spawn()
            .expect("memcached does not start; to install it: apt-get install memcached");
        let server = Self { process, directory };
        let begun = Instant::now();
        while UnixStream::connect(&socket).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(30), "memcached does not listen");
            std::thread::sleep(Duration::from_millis(2));
        }
        server
    }

    pub(super) fn socket(&self) -> PathBuf {
        self.directory.join("socket")
    }

    pub(super) fn client(&self) -> Classic {
        Classic::new(Address::Unix(self.socket()), Clock::system(), Limits::default())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}
