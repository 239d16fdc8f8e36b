//! One connection, and each classic command on it as it is: memcache-async with its guard, and its errors told apart by
//! the line that the server sent.

use std::io;

use memcache_async::ascii::Protocol;

use super::connect::ServerTime;
use super::guard::Guard;
use super::shape::{self, Shape};
use crate::command::Failure;
use crate::node::dial::Socket;

/// One connection, of which no answer is pending between two calls. After an error it must not be used again.
#[derive(Debug)]
pub(super) struct Connection {
    guard: Guard<Socket>,
    time: ServerTime,
}

/// What became of an item that was to be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stored {
    Yes,
    /// There is one, or another one.
    Exists,
    Missing,
    NoRoom,
}

/// What came of counting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Counted {
    Number(u64),
    Missing,
    NotANumber,
}

/// An item as it is stored, with its number.
pub(super) type Raw = (Vec<u8>, u64);

impl Connection {
    pub(super) fn new(stream: Socket, time: ServerTime, largest: usize) -> Self {
        Self { guard: Guard::new(stream, largest), time }
    }

    pub(super) fn time(&self) -> &ServerTime {
        &self.time
    }

    /// Returns the size of the largest item that is read.
    pub(super) fn largest(&self) -> usize {
        self.guard.largest()
    }

    /// Tells whether an idle connection is fit for use.
    pub(super) fn is_quiet(&mut self) -> bool {
        self.guard.stream().is_quiet()
    }

    /// Reads an item.
    pub(super) async fn gets(&mut self, key: &str) -> Result<Option<Raw>, Failure> {
        let got = self.begin(Shape::Item, key).gets_cas(key).await;
        match self.end(got)? {
            Ok(raw) => Ok(Some(raw)),
            Err("END") => Ok(None),
            Err(line) => Err(shape::failure(line)),
        }
    }

    /// Stores an item where there is none.
    pub(super) async fn add(&mut self, key: &str, data: &[u8], exptime: u32) -> Result<Stored, Failure> {
        let added = self.begin(Shape::Added, key).add(key, data, exptime).await;
        match self.end(added)? {
            Ok(()) => Ok(Stored::Yes),
            Err(line) => not_stored(line),
        }
    }

    /// Stores an item over the one of this number.
    pub(super) async fn cas(&mut self, key: &str, data: &[u8], cas: u64, exptime: u32) -> Result<Stored, Failure> {
        let swapped = self.begin(Shape::Swapped, key).cas(key, data, cas, exptime).await;
        match self.end(swapped)? {
            Ok(true) => Ok(Stored::Yes),
            Ok(false) => Ok(Stored::Exists),
            Err(line) => not_stored(line),
        }
    }

    /// Stores an item over any other, without an answer.
    pub(super) async fn set(&mut self, key: &str, data: &[u8], exptime: u32) -> Result<(), Failure> {
        Protocol::new(&mut self.guard).set(key, data, exptime).await.map_err(|error| closed(&error))
    }

    /// Removes an item, without an answer.
    pub(super) async fn delete(&mut self, key: &str) -> Result<(), Failure> {
        Protocol::new(&mut self.guard).delete(key).await.map_err(|error| closed(&error))
    }

    /// Adds to a number.
    pub(super) async fn incr(&mut self, key: &str, by: u64) -> Result<Counted, Failure> {
        let counted = self.begin(Shape::Counted, key).increment(key, by).await;
        match self.end(counted)? {
            Ok(number) => Ok(Counted::Number(number)),
            Err("NOT_FOUND") => Ok(Counted::Missing),
            Err(line) if line.starts_with("CLIENT_ERROR cannot increment") => Ok(Counted::NotANumber),
            Err(line) => Err(shape::failure(line)),
        }
    }

    /// Tells whether there is an item, once the server has done all before; reads none of its data.
    ///
    /// Adding nothing to what is no number changes nothing, and is an error only where there is something. A number
    /// stays the same but for its cas.
    pub(super) async fn exists(&mut self, key: &str) -> Result<bool, Failure> {
        Ok(self.incr(key, 0).await? != Counted::Missing)
    }

    /// Waits until the server has done all that was said before.
    pub(super) async fn barrier(&mut self) -> Result<(), Failure> {
        let version = self.begin(Shape::Version, "").version().await;
        self.end(version)?.map(drop).map_err(shape::failure)
    }

    /// Sends what has no answer.
    pub(super) async fn send(&mut self) -> Result<(), Failure> {
        self.guard.send().await
    }

    fn begin(&mut self, shape: Shape, key: &str) -> Protocol<&mut Guard<Socket>> {
        self.guard.expect(shape, key);
        Protocol::new(&mut self.guard)
    }

    /// Returns what a command came to: what the crate read or, where it takes the answer for an error, its first line.
    fn end<T>(&mut self, result: io::Result<T>) -> Result<Result<T, &str>, Failure> {
        self.guard.settle(result.as_ref().err())?;
        Ok(result.map_err(|_| self.guard.line()))
    }
}

fn not_stored(line: &str) -> Result<Stored, Failure> {
    match line {
        "NOT_STORED" => Ok(Stored::Exists),
        "NOT_FOUND" => Ok(Stored::Missing),
        line if shape::is_no_room(line) => Ok(Stored::NoRoom),
        line => Err(shape::failure(line)),
    }
}

fn closed(error: &io::Error) -> Failure {
    Failure::Closed { unsent: false, why: error.to_string() }
}
