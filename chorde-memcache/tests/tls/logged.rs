//! What the crate logs, kept for the tests.

use std::sync::{Mutex, Once};

use log::{LevelFilter, Log, Metadata, Record};

struct Lines(Mutex<Vec<String>>);

static LINES: Lines = Lines(Mutex::new(Vec::new()));

impl Log for Lines {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        if record.target().starts_with("chorde") {
            self.0.lock().unwrap().push(record.args().to_string());
        }
    }

    fn flush(&self) {}
}

/// Begins to keep what is logged.
pub fn keep() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        log::set_logger(&LINES).unwrap();
        log::set_max_level(LevelFilter::Info);
    });
}

/// Returns what has been logged about the server of this name.
pub fn about(server: &str) -> Vec<String> {
    let named = format!("memcached {server} ");
    LINES.0.lock().unwrap().iter().filter(|line| line.contains(&named)).cloned().collect()
}
