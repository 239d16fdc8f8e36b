//! How a memcached is started.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io::{Error, ErrorKind, Result};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Mutex;

use super::MemcachedServer;
use super::process::{Folder, Process};
use crate::server::Address;
use crate::testing::ports;

/// Names the program.
const PROGRAM: &str = "CHORDE_MEMCACHED";

/// How many ports are tried: another process can take one between the look and the start.
const TRIES: usize = 20;

/// Describes a memcached before it is started.
///
/// # Examples
///
/// ```
/// use chorde_memcache::testing::MemcachedServer;
///
/// let server = MemcachedServer::builder().args(["-I", "2m", "-m", "64"]).args(["-t", "1"]).start()?;
/// assert!(server.command("stats settings")?.contains("STAT item_size_max 2097152\r\n"));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct MemcachedServerBuilder {
    place: Place,
    extra: Vec<OsString>,
    program: Option<PathBuf>,
    tls: Option<Pair>,
}

/// The files of a certificate and its key.
#[derive(Clone, Debug)]
struct Pair {
    chain: PathBuf,
    key: PathBuf,
}

/// Where a server is to listen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    /// At a free port of 127.0.0.1.
    #[default]
    Free,
    Unix,
    At(SocketAddr),
}

impl MemcachedServerBuilder {
    /// Listens on a unix socket in a folder of its own, instead of a TCP port.
    #[must_use]
    pub fn unix(mut self) -> Self {
        self.place = Place::Unix;
        self
    }

    /// Listens at an address of your choice, such as `[::1]:21000`, instead of a free port of 127.0.0.1. The start waits
    /// for it for up to 30 seconds while somebody else listens there.
    #[must_use]
    pub fn at(mut self, address: SocketAddr) -> Self {
        self.place = Place::At(address);
        self
    }

    /// Adds arguments of the command line: `["-I", "2m"]` for larger items, `["-c", "32"]` for fewer connections, ...
    #[must_use]
    pub fn args<A: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.extra.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Listens at a second TCP port for encrypted connections ([`MemcachedServer::tls_address`]), with the certificate in
    /// one file and its key in another, both in PEM. The first port stays plain, and is what the server's own methods use.
    ///
    /// The program has to be built with TLS: see [`has_tls`](Self::has_tls).
    #[must_use]
    pub fn tls(mut self, chain: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        self.tls = Some(Pair { chain: chain.into(), key: key.into() });
        self
    }

    /// Tells whether the program can encrypt connections.
    ///
    /// # Errors
    ///
    /// Those of running the program.
    pub fn has_tls(&self) -> Result<bool> {
        let help = Command::new(self.program_path()).arg("-h").stdin(Stdio::null()).output()?;
        Ok(String::from_utf8_lossy(&help.stdout).contains("--enable-ssl"))
    }

    /// Sets the program to run: `memcached` in the `PATH` unless set, or what `CHORDE_MEMCACHED` names.
    ///
    /// A script that ends in running memcached must do so by `exec`.
    #[must_use]
    pub fn program(mut self, program: impl Into<PathBuf>) -> Self {
        self.program = Some(program.into());
        self
    }

    /// Starts the server, and returns when it answers.
    ///
    /// # Errors
    ///
    /// As [`MemcachedServer::start`]; [`ErrorKind::AddrInUse`] if an [address](Self::at) stays taken,
    /// [`ErrorKind::InvalidInput`] if it has no port, and for a unix socket with [`tls`](Self::tls).
    pub fn start(&self) -> Result<MemcachedServer> {
        if self.place == Place::Unix && self.tls.is_some() {
            return Err(Error::new(ErrorKind::InvalidInput, "a memcached at a unix socket has no port for TLS"));
        }
        let program = self.program_path();
        let folder = Folder::create()?;
        let mut tries = 0;
        loop {
            tries += 1;
            let address = self.address(&folder)?;
            let tls = self.tls.as_ref().map(|_| ports::free()).transpose()?;
            let mut arguments = self.arguments(&address);
            arguments.extend(self.tls_arguments(tls));
            let start = if matches!(self.place, Place::At(_)) { Process::start_again } else { Process::start };
            match start(&program, &arguments, &address, &folder) {
                Ok(process) => {
                    let process = Mutex::new(Some(process));
                    return Ok(MemcachedServer { process, address, tls, arguments, program, folder });
                }
                Err(error) if error.kind() == ErrorKind::AddrInUse && self.place == Place::Free && tries < TRIES => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn address(&self, folder: &Folder) -> Result<Address> {
        match self.place {
            Place::Free => ports::free().map(Address::Tcp),
            Place::Unix => Ok(Address::Unix(folder.path().join("socket"))),
            Place::At(address) if address.port() == 0 => {
                Err(Error::new(ErrorKind::InvalidInput, format!("`at`: {address} needs a port")))
            }
            Place::At(address) => Ok(Address::Tcp(address)),
        }
    }

    fn program_path(&self) -> PathBuf {
        let named = || env::var_os(PROGRAM).filter(|name| !name.is_empty()).map(PathBuf::from);
        self.program.clone().or_else(named).unwrap_or_else(|| "memcached".into())
    }

    fn arguments(&self, address: &Address) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = match address {
            // Where some connections are encrypted, all are unless told otherwise.
            Address::Tcp(address) if self.tls.is_some() => vec!["-l".into(), format!("notls:{address}").into()],
            Address::Tcp(address) => {
                let (host, port) = (address.ip().to_string().into(), address.port().to_string().into());
                // Old servers listen for datagrams as well, unless told not to.
                vec!["-l".into(), host, "-p".into(), port, "-U".into(), "0".into()]
            }
            Address::Unix(path) => vec!["-s".into(), path.into()],
        };
        if nix::unistd::geteuid().is_root() {
            // It refuses to run as root unless told to.
            arguments.extend(["-u".into(), "root".into()]);
        }
        arguments.extend(self.extra.iter().cloned());
        arguments
    }

    fn tls_arguments(&self, address: Option<SocketAddr>) -> Vec<OsString> {
        let (Some(Pair { chain, key }), Some(address)) = (&self.tls, address) else { return Vec::new() };
        let option = |name: &str, path: &PathBuf| {
            let mut option = OsString::from(name);
            option.push(path);
            option
        };
        let files = [option("ssl_chain_cert=", chain), option("ssl_key=", key)].join(OsStr::new(","));
        vec!["-Z".into(), "-o".into(), files, "-l".into(), address.to_string().into()]
    }
}
