//! A real memcached behind a fake one, which twists some of what it says.

use std::io::{BufRead, BufReader, Error, ErrorKind, Read, Result, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex, mpsc};

use chorde_memcache::testing::{FakeServer, MemcachedServer, Peer, Request};

/// Says something else than the true reply; an error ends the connection.
pub type Twist = Box<dyn FnOnce(&mut Peer<'_>, &Request, Vec<u8>) -> Result<()> + Send>;

/// Stands in front of a real server; speaks meta commands.
pub struct Relay {
    pub fake: FakeServer,
    pub real: MemcachedServer,
    twists: Arc<Mutex<Vec<(String, Twist)>>>,
    held: Arc<Mutex<Vec<Held>>>,
}

/// A command that is carried out late, and what that waits for.
type Held = (String, mpsc::Receiver<()>);

impl Relay {
    pub fn start() -> Self {
        let real = MemcachedServer::start().unwrap();
        let twists: Arc<Mutex<Vec<(String, Twist)>>> = Arc::default();
        let held: Arc<Mutex<Vec<Held>>> = Arc::default();
        let (address, known, holds) = (real.address(), Arc::clone(&twists), Arc::clone(&held));
        let fake = FakeServer::start(move |peer| {
            let mut server = BufReader::new(TcpStream::connect(&address)?);
            server.get_ref().set_nodelay(true)?;
            loop {
                let request = peer.request()?;
                if let Some((_, told)) = take(&holds, |(command, _)| request.line().starts_with(command.as_str())) {
                    // Also when the test has ended.
                    _ = told.recv();
                }
                let reply = ask(&mut server, &request)?;
                if request.word(0) != "version" {
                    peer.gate()?;
                }
                match take(&known, |(command, _)| request.line().starts_with(command.as_str())) {
                    Some((_, twist)) => twist(peer, &request, reply)?,
                    None => peer.send(reply)?,
                }
            }
        });
        Self { fake: fake.unwrap(), real, twists, held }
    }

    pub fn address(&self) -> String {
        self.fake.address()
    }

    /// Twists the reply to the next request that begins with `command`; the request itself is carried out.
    pub fn once(
        &self,
        command: &str,
        twist: impl FnOnce(&mut Peer<'_>, &Request, Vec<u8>) -> Result<()> + Send + 'static,
    ) {
        self.twists.lock().unwrap().push((command.to_owned(), Box::new(twist)));
    }

    /// Carries out the next request that begins with `command` only when it is told to, and what comes after it on the same
    /// connection.
    pub fn late(&self, command: &str) -> mpsc::Sender<()> {
        let (tell, told) = mpsc::channel();
        self.held.lock().unwrap().push((command.to_owned(), told));
        tell
    }

    /// Returns how many twists have not been used.
    pub fn left(&self) -> usize {
        self.twists.lock().unwrap().len()
    }
}

/// Takes out the first that fits.
fn take<T>(list: &Mutex<Vec<T>>, fits: impl FnMut(&T) -> bool) -> Option<T> {
    let mut list = list.lock().unwrap();
    let place = list.iter().position(fits);
    place.map(|place| list.remove(place))
}

/// Has the real server carry out a request.
fn ask(server: &mut BufReader<TcpStream>, request: &Request) -> Result<Vec<u8>> {
    let mut bytes = format!("{}\r\n", request.line()).into_bytes();
    if let Some(data) = request.data() {
        bytes.extend_from_slice(data);
        bytes.extend_from_slice(b"\r\n");
    }
    server.get_mut().write_all(&bytes)?;
    let mut reply = Vec::new();
    if server.read_until(b'\n', &mut reply)? == 0 {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    let line = String::from_utf8_lossy(&reply).into_owned();
    if let Some(length) = line.strip_prefix("VA ") {
        let length: usize = length.split_whitespace().next().unwrap().parse().map_err(Error::other)?;
        let mut data = vec![0; length + 2];
        server.read_exact(&mut data)?;
        reply.extend_from_slice(&data);
    }
    Ok(reply)
}
