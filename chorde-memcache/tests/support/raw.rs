//! A bare connection, for what a client would never do to a server.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use chorde_memcache::testing::MemcachedServer;

use super::PATIENCE;

/// An item as it lies on a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    pub key: String,
    pub data: Vec<u8>,
    pub flags: u32,
    pub left: i64,
}

pub struct Raw(BufReader<TcpStream>);

impl Raw {
    pub fn of(server: &MemcachedServer) -> Self {
        let stream = TcpStream::connect(server.address()).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self(BufReader::new(stream))
    }

    fn send(&mut self, bytes: &[u8]) {
        self.0.get_mut().write_all(bytes).unwrap();
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// Returns the names of all items, stubs too, without the pages of others.
    pub fn keys(&mut self) -> Vec<String> {
        let mut keys = Vec::new();
        super::eventually("the server has time to tell its keys", || self.tells(&mut keys));
        keys
    }

    /// Adds the names of all items; returns whether the server tells them, which it does for one at a time.
    fn tells(&mut self, keys: &mut Vec<String>) -> bool {
        self.send(b"lru_crawler metadump hash\r\n");
        loop {
            let line = self.line();
            if line == "END" || line.starts_with("BUSY ") {
                return line == "END";
            }
            let key = line.strip_prefix("key=").unwrap_or_else(|| panic!("{line}")).split(' ').next().unwrap();
            keys.push(key.replace("%3A", ":"));
        }
    }

    pub fn get(&mut self, key: &str) -> Option<Item> {
        self.send(format!("mg {key} v f t\r\n").as_bytes());
        let line = self.line();
        let words: Vec<&str> = line.split(' ').collect();
        if words[0] != "VA" {
            return None;
        }
        let mut data = vec![0; words[1].parse().unwrap()];
        self.0.read_exact(&mut data).unwrap();
        self.line();
        let flag = |flag: &str| words[2..].iter().find_map(|word| word.strip_prefix(flag)).unwrap();
        let (flags, left) = (flag("f").parse().unwrap(), flag("t").parse().unwrap());
        Some(Item { key: key.to_owned(), data, flags, left })
    }

    pub fn set(&mut self, item: &Item) {
        let Item { key, data, flags, left } = item;
        let line = format!("ms {key} {} T{left} F{flags}\r\n", data.len());
        self.send(&[line.as_bytes(), data, b"\r\n"].concat());
        assert_eq!(self.line(), "HD");
    }

    pub fn delete(&mut self, key: &str) {
        self.send(format!("md {key}\r\n").as_bytes());
        self.line();
    }

    /// Returns the only item there is.
    pub fn only(&mut self) -> Item {
        let keys = self.keys();
        assert_eq!(keys.len(), 1, "{keys:?}");
        self.get(&keys[0]).unwrap()
    }
}
