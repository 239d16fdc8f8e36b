//! A server as users write it.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use chorde_core::{Error, ErrorKind};

use crate::server::{Address, Server};

/// Where memcached listens unless told otherwise.
const DEFAULT_PORT: u16 = 11211;

/// Says where one or several servers are to be found: a host name, an address or a socket, as written in settings.
///
/// Understood are
/// * host names, `cache-1.internal` or `cache-1.internal:11212`. One name may stand for several servers;
/// * IPv4 addresses, `10.0.0.7` or `10.0.0.7:11212`;
/// * IPv6 addresses in brackets, `[::1]` or `[::1]:11212`;
/// * unix sockets, `/run/memcached.sock` or `unix:/run/memcached.sock`.
///
/// The port is 11211 where none is written. Host names are taken in lower case, so that `Cache-1` and `cache-1` are one
/// server to all clients.
///
/// # Errors
///
/// Parsing gives [`ErrorKind::Config`] for anything else, with a message that says what is wrong and how to mend it.
///
/// # Examples
///
/// ```
/// use chorde_memcache::Endpoint;
///
/// let endpoint: Endpoint = "cache-1.internal".parse()?;
/// assert_eq!(endpoint.to_string(), "cache-1.internal:11211");
///
/// let twice_the_keys = endpoint.weight(2);
///
/// let error = "http://cache-1.internal".parse::<Endpoint>().unwrap_err();
/// assert!(error.to_string().contains("write host:port"));
/// # Ok::<(), chorde_core::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    place: Place,
    /// The share of keys of each of its servers, in proportion to those of the others.
    weight: u32,
    /// Where a host name is found, if that is known without a look-up.
    found_at: Option<IpAddr>,
    /// Whether all addresses of a host name lead to the same server.
    is_one: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Place {
    /// A host name, which must be looked up, and a port.
    Name(String, u16),
    /// What can be connected to as it is.
    Address(Address),
}

impl Endpoint {
    fn new(place: Place) -> Self {
        Self { place, weight: 1, found_at: None, is_one: false }
    }

    /// Sets the share of keys of each server found here, in proportion to the weights of the other servers; at least 1.
    #[must_use]
    pub fn weight(mut self, weight: u32) -> Self {
        self.weight = weight.max(1);
        self
    }

    /// Says where a host name is found, so that it need not be looked up; for an address or a socket nothing changes. The
    /// server goes by the name, whatever its address.
    #[must_use]
    pub fn found_at(mut self, address: IpAddr) -> Self {
        self.found_at = Some(address);
        self
    }

    /// Takes all addresses of a host name for ways to one server, which goes by the name, where they would else be several
    /// servers.
    #[must_use]
    pub fn as_one_server(mut self) -> Self {
        self.is_one = true;
        self
    }

    /// Tells whether this is a host name that must be looked up.
    #[must_use]
    pub fn is_name(&self) -> bool {
        matches!(self.place, Place::Name(..)) && self.found_at.is_none()
    }

    /// Returns the host name, if it is one that must be looked up.
    #[must_use]
    pub fn host(&self) -> Option<&str> {
        match &self.place {
            Place::Name(host, _) if self.found_at.is_none() => Some(host),
            _ => None,
        }
    }

    /// Returns the server, unless it must be looked up.
    #[must_use]
    pub fn server(&self) -> Option<Server> {
        match &self.place {
            Place::Name(..) => self.found_at.and_then(|address| self.servers_at(&[address]).pop()),
            Place::Address(address) => Some(Server::new(self.to_string(), address.clone()).weight(self.weight)),
        }
    }

    /// Returns the servers at the addresses that a look-up of the host name gave: a single one goes by the name, several
    /// by their addresses, sorted. Nothing that was looked up changes what needs no look-up.
    #[must_use]
    pub fn servers_at(&self, addresses: &[IpAddr]) -> Vec<Server> {
        let Place::Name(host, port) = &self.place else { return self.server().into_iter().collect() };
        let mut addresses = self.found_at.map_or_else(|| addresses.to_vec(), |address| vec![address]);
        addresses.sort_unstable();
        addresses.dedup();
        let addresses = addresses.into_iter().map(|address| SocketAddr::new(address, *port));
        let single = self.is_one || addresses.len() == 1;
        let server = |address: SocketAddr| {
            let name = if single { self.to_string() } else { address.to_string() };
            Server::new(name, Address::Tcp(address)).host(bare(host)).weight(self.weight)
        };
        if single {
            let mut addresses = addresses;
            let first = addresses.next();
            return first.map(|first| server(first).also_at(addresses)).into_iter().collect();
        }
        addresses.map(server).collect()
    }
}

/// Writes the name by which keys are placed.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Name(host, port) => write!(f, "{}:{port}", bare(host)),
            Place::Address(address) => address.fmt(f),
        }
    }
}

/// Returns a host name without its final dot, which only says that no search list applies.
fn bare(host: &str) -> &str {
    host.strip_suffix('.').unwrap_or(host)
}

impl FromStr for Endpoint {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match place(text) {
            Ok(place) => Ok(Self::new(place)),
            Err(wrong) => Err(Error::new(ErrorKind::Config, format!("servers: {text:?} {wrong}"))),
        }
    }
}

impl From<SocketAddr> for Endpoint {
    fn from(address: SocketAddr) -> Self {
        Self::new(Place::Address(Address::Tcp(address)))
    }
}

/// Reads what users write; an error completes the sentence that starts with the text.
fn place(text: &str) -> Result<Place, String> {
    if text.is_empty() {
        return Err("is empty; write host:port, such as localhost:11211".into());
    }
    if let Some(found) = text.chars().find(|c| c.is_whitespace() || c.is_control()) {
        return Err(format!("holds {found:?}; write each server by itself, as host:port"));
    }
    if let Some(path) = text.strip_prefix("unix:") {
        return socket(path);
    }
    if text.starts_with('/') {
        return socket(text);
    }
    if let Some((scheme, rest)) = text.split_once("://") {
        let host = rest.split('/').next().unwrap_or(rest);
        return Err(format!("starts with {scheme}://, but is no web address; write host:port, here {host}"));
    }
    if text.contains(',') {
        return Err("lists several servers; give each by itself".into());
    }
    let (host, port) = split(text)?;
    let port = port.map_or(Ok(DEFAULT_PORT), read_port)?;
    address_or_name(host, port)
}

/// Takes an absolute path for a unix socket.
fn socket(path: &str) -> Result<Place, String> {
    if path.len() < 2 || !path.starts_with('/') || path.ends_with('/') {
        return Err("is not the path of a socket; write it in full, such as unix:/run/memcached.sock".into());
    }
    Ok(Place::Address(Address::Unix(PathBuf::from(path))))
}

/// Splits the port off, if there is one.
fn split(text: &str) -> Result<(&str, Option<&str>), String> {
    if text.starts_with('[') {
        let end = text.find(']').ok_or("has no closing bracket; write [address]:port, such as [::1]:11211")?;
        let (host, rest) = text.split_at(end + 1);
        return match rest.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if rest.is_empty() => Ok((host, None)),
            None => Err("has more than a port after the bracket; write [address]:port, such as [::1]:11211".into()),
        };
    }
    match text.split_once(':') {
        None => Ok((text, None)),
        Some((host, port)) if !port.contains(':') => Ok((host, Some(port))),
        Some(_) if text.parse::<Ipv6Addr>().is_ok() => {
            Err(format!("may be an address alone or one with a port; write [{text}]:{DEFAULT_PORT}"))
        }
        Some(_) => Err("has too many colons; write host:port, and IPv6 addresses in brackets: [::1]:11211".into()),
    }
}

fn read_port(port: &str) -> Result<u16, String> {
    let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    match port.parse::<u16>() {
        Ok(port) if digits && port > 0 => Ok(port),
        _ if port.is_empty() => Err(format!("has a colon but no port; write a port such as {DEFAULT_PORT}")),
        _ if digits => Err(format!("has the port {port}; write one from 1 to 65535, such as {DEFAULT_PORT}")),
        _ => Err(format!("has the port {port:?}, which is no number; write one such as {DEFAULT_PORT}")),
    }
}

fn address_or_name(host: &str, port: u16) -> Result<Place, String> {
    if host.is_empty() {
        return Err(format!("has no host; write host:port, such as localhost:{port}"));
    }
    if host.starts_with('[') {
        let address = format!("{host}:{port}").parse::<SocketAddr>();
        return match address {
            Ok(address) => Ok(Place::Address(Address::Tcp(address))),
            Err(_) => Err("has no IPv6 address between the brackets; write [address]:port, such as [::1]:11211".into()),
        };
    }
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(Place::Address(Address::Tcp(SocketAddr::new(address, port))));
    }
    name(host).map(|host| Place::Name(host, port))
}

/// Takes a host name as RFC 1123 has it, with underscores, which container networks use.
fn name(host: &str) -> Result<String, String> {
    let name = bare(host);
    if let Some(found) = name.chars().find(|&c| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_' | '.')) {
        let mend = if found.is_ascii() { "write host:port" } else { "write the name in its ASCII form, xn--..." };
        return Err(format!("holds {found:?}, which no host name does; {mend}"));
    }
    let last = name.rsplit('.').next().unwrap_or(name);
    if !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("is neither an IPv4 address nor a host name; write four numbers from 0 to 255".into());
    }
    let fits = |label: &str| (1..=63).contains(&label.len()) && !label.starts_with('-') && !label.ends_with('-');
    if name.len() > 253 || !name.split('.').all(fits) {
        return Err(
            "is not a host name; write parts of 1 to 63 letters, digits and inner hyphens, with a dot between".into()
        );
    }
    Ok(host.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn written(text: &str) -> Endpoint {
        text.parse().unwrap()
    }

    fn wrong(text: &str) -> String {
        let error = text.parse::<Endpoint>().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().starts_with("servers: "), "{error}");
        error.to_string()
    }

    #[test]
    fn what_users_write_is_understood() {
        for (text, name) in [
            ("localhost:11211", "localhost:11211"),
            ("cache-1.internal", "cache-1.internal:11211"),
            ("Cache_1.Internal.:7", "cache_1.internal:7"),
        ] {
            assert!(written(text).is_name() && written(text).server().is_none());
            assert_eq!(written(text).to_string(), name);
        }
        for (text, name) in [
            ("10.0.0.7", "10.0.0.7:11211"),
            ("10.0.0.7:65535", "10.0.0.7:65535"),
            ("[::1]:1", "[::1]:1"),
            ("[FE80:0::1]", "[fe80::1]:11211"),
            ("/run/memcached.sock", "/run/memcached.sock"),
            ("unix:/run/memcached.sock", "/run/memcached.sock"),
        ] {
            let server = written(text).server().unwrap();
            assert_eq!((server.name(), server.address().to_string().as_str()), (name, name));
        }
        assert_eq!(written("cache-1.internal.").host(), Some("cache-1.internal."), "no search list");
    }

    #[test]
    fn what_cannot_be_meant_is_named_with_the_mend() {
        for (text, part) in [
            ("", "is empty"),
            (":11211", "no host; write host:port, such as localhost:11211"),
            ("cache:", "no port"),
            ("cache:0", "port 0; write one from 1 to 65535"),
            ("cache:65536", "port 65536"),
            ("cache:+1", "no number"),
            ("cache:memcached", "no number"),
            ("http://cache:11211/x", "write host:port, here cache:11211"),
            ("cache 1:11211", "holds ' '"),
            ("cache:11211\n", "holds '\\n'"),
            ("a:1,b:2", "several servers"),
            ("::1", "write [::1]:11211"),
            ("::1:11211", "too many colons"),
            ("[::1", "closing bracket"),
            ("[::1]11211", "after the bracket"),
            ("[cache]:11211", "IPv6 address"),
            ("[10.0.0.7]", "IPv6 address"),
            ("010.0.0.7", "IPv4"),
            ("10.0.0.256", "IPv4"),
            ("user@cache", "holds '@'"),
            ("caché", "xn--"),
            ("a..b", "host name"),
            ("-a", "host name"),
            (".", "host name"),
            ("unix:memcached.sock", "in full"),
            ("unix:", "in full"),
            ("/", "in full"),
        ] {
            let wrong = wrong(text);
            assert!(wrong.contains(part), "{wrong}");
        }
        assert!(wrong(&"a.".repeat(130)).contains("host name"));
    }

    #[test]
    fn one_address_goes_by_the_name_and_several_by_themselves_in_order() {
        let endpoint = written("Cache:7").weight(3);
        let one = endpoint.servers_at(&["10.0.0.2".parse().unwrap()]);
        assert_eq!(one, [Server::new("cache:7", Address::Tcp("10.0.0.2:7".parse().unwrap())).host("cache").weight(3)]);
        let several = endpoint.servers_at(&["10.0.0.12", "10.0.0.2", "10.0.0.12"].map(|a| a.parse().unwrap()));
        let names: Vec<_> = several.iter().map(|server| (server.name(), server.share())).collect();
        assert_eq!(names, [("10.0.0.2:7", 3), ("10.0.0.12:7", 3)]);
        assert_eq!(endpoint.servers_at(&["::1", "::2"].map(|a| a.parse().unwrap()))[0].name(), "[::1]:7");
        assert_eq!(endpoint.servers_at(&[]), []);
    }

    #[test]
    fn a_name_whose_address_is_known_need_not_be_looked_up_and_goes_by_itself() {
        let endpoint = written("Cache.:7").found_at("10.0.0.2".parse().unwrap());
        let server = Server::new("cache:7", Address::Tcp("10.0.0.2:7".parse().unwrap())).host("cache");
        assert!(!endpoint.is_name() && endpoint.host().is_none());
        assert_eq!((endpoint.server(), endpoint.servers_at(&[])), (Some(server.clone()), vec![server]));
        let address = written("10.0.0.7").found_at("10.0.0.2".parse().unwrap());
        assert_eq!(address.server().unwrap().address().to_string(), "10.0.0.7:11211");
    }

    #[test]
    fn one_server_with_several_addresses_goes_by_its_name() {
        let endpoint = written("cache:7").as_one_server();
        let servers = endpoint.servers_at(&["10.0.0.12", "10.0.0.2"].map(|a| a.parse().unwrap()));
        let [server] = servers.as_slice() else { panic!("{servers:?}") };
        let others: Vec<_> = server.others().iter().map(ToString::to_string).collect();
        assert_eq!((server.name(), server.address().to_string().as_str()), ("cache:7", "10.0.0.2:7"));
        assert_eq!(others, ["10.0.0.12:7"]);
        assert_eq!(endpoint.servers_at(&[]), []);
    }

    proptest! {
        #[test]
        fn nothing_that_is_written_makes_it_panic(text in "\\PC{0,40}|[a-z0-9:.\\[\\]/-]{0,20}") {
            if let Ok(endpoint) = text.parse::<Endpoint>() {
                let again: Endpoint = endpoint.to_string().parse().unwrap();
                prop_assert_eq!(again.to_string(), endpoint.to_string());
            }
        }
    }
}
