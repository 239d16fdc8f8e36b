//! Which name a certificate has to show, and by whom it has to be signed.

use std::process::Command;

use chorde_core::{ErrorKind, Wait};
use chorde_memcache::testing::{MemcachedServer, TlsFront};
use chorde_memcache::{Address, MemcachedBuilder, MemcachedClient, Server, Tls};

use crate::certificates::{Authority, Files};
use crate::support::told::Told;
use crate::support::{AMPLE, builder, eventually, millis, works};
use crate::{logged, support};

fn at(front: &TlsFront) -> Server {
    Server::new(front.address(), Address::Tcp(front.address().parse().unwrap()))
}

fn told(source: Told) -> MemcachedBuilder {
    let builder = MemcachedClient::builder().source(source).checksum_key("tests").deadline(AMPLE);
    builder.probe_pauses(millis(20)..=millis(200))
}

/// Waits until the server is out of use, and returns what was logged of that.
fn reason(client: &MemcachedClient, name: &str) -> String {
    use chorde_core::CacheExt;
    assert_eq!(client.get::<u64>("key").wait().ok().flatten(), None);
    eventually("the server is out of use", || client.stats().outages > 0);
    logged::about(name).join("\n")
}

#[test]
fn a_host_name_is_looked_up_and_has_to_be_shown() {
    let (authority, server) = (Authority::new(), MemcachedServer::start().unwrap());
    let front = TlsFront::start(&server.address(), authority.server(&["localhost"])).unwrap();
    let port = front.address().rsplit(':').next().unwrap().to_owned();
    let client = builder([format!("localhost:{port}")]).tls(authority.tls()).build().unwrap();
    eventually("it is found", || works(&client));
    assert_eq!(front.failed_handshakes(), 0);
}

#[test]
fn a_source_says_which_host_name_has_to_be_shown_and_may_change_its_mind() {
    logged::keep();
    let (authority, server) = (Authority::new(), MemcachedServer::start().unwrap());
    let front = TlsFront::start(&server.address(), authority.server(&["right.test"])).unwrap();
    let source = Told::of(vec![at(&front).host("wrong.test")]);
    let client = told(source.clone()).tls(authority.tls()).build().unwrap();
    let reason = reason(&client, &front.address());
    assert!(reason.contains("wrong.test") && reason.contains("right.test"), "{reason}");
    source.tell(vec![at(&front).host("right.test.")]);
    eventually("the right name is taken", || works(&client));
    let agreed = front.handshakes();
    // What is connected already is connected to another: it is not used any longer.
    source.tell(vec![at(&front).host("wrong.test")]);
    eventually("the wrong name is noticed", || client.stats().reloads == 2 && !works(&client));
    source.tell(vec![at(&front).host("right.test")]);
    eventually("the right name is taken again", || works(&client));
    assert!(front.handshakes() > agreed);
}

#[test]
fn without_encryption_another_host_name_changes_nothing() {
    let server = MemcachedServer::start().unwrap();
    let named = |host: &str| support::told::named(&server).host(host);
    let source = Told::of(vec![named("one")]);
    let client = told(source.clone()).build().unwrap();
    assert!(works(&client));
    let connections = client.stats().connections;
    source.tell(vec![named("other")]);
    eventually("it is told", || client.stats().reloads == 1);
    assert!(works(&client));
    assert_eq!(client.stats().connections, connections);
}

#[test]
fn a_name_may_be_set_for_all_servers() {
    logged::keep();
    let (authority, server) = (Authority::new(), MemcachedServer::start().unwrap());
    let front = TlsFront::start(&server.address(), authority.server(&["cache.internal"])).unwrap();
    let without = builder([front.address()]).tls(authority.tls()).build().unwrap();
    let reason = reason(&without, &front.address());
    assert!(reason.contains("127.0.0.1") && reason.contains("server_name"), "{reason}");
    let tls = authority.tls().server_name("cache.internal").unwrap();
    let client = builder([front.address()]).tls(tls.clone()).build().unwrap();
    assert!(works(&client));
    // It goes before what a source says.
    let client = told(Told::of(vec![at(&front).host("other")])).tls(tls).build().unwrap();
    assert!(works(&client));
}

#[test]
fn what_is_no_name_is_said_to_be_none() {
    logged::keep();
    let authority = Authority::new();
    let front = TlsFront::start("127.0.0.1:1", authority.loopback()).unwrap();
    let client = told(Told::of(vec![at(&front).host("cache:11211")])).tls(authority.tls()).build().unwrap();
    let reason = reason(&client, &front.address());
    assert!(reason.contains("\"cache:11211\" is no host name") && reason.contains("`host`"), "{reason}");
    assert_eq!(front.connections(), 0);
}

#[test]
fn a_unix_socket_is_never_used_in_the_plain() {
    logged::keep();
    let (authority, server) = (Authority::new(), MemcachedServer::start_unix().unwrap());
    let named = builder(["10.0.0.1:11211".to_owned(), server.address()]).tls(authority.tls()).build();
    let error = named.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Config);
    assert!(error.to_string().contains("leave out `tls`"), "{error}");

    let path = server.address().trim_start_matches("unix:").to_owned();
    let source = Told::of(vec![Server::new(&path, Address::Unix(path.clone().into())).host("localhost")]);
    let client = told(source).tls(authority.tls()).build().unwrap();
    let reason = reason(&client, &path);
    assert!(reason.contains("a unix socket cannot be encrypted"), "{reason}");
    assert_eq!(server.stats().unwrap()["cmd_get"], "0");
}

/// Set in a process of its own, whose environment names a file of roots: the server to use, or nothing if the roots
/// cannot be had.
const CHILD: &str = "CHORDE_TEST_OF_SYSTEM_ROOTS";

#[test]
fn the_systems_roots_are_trusted() {
    if let Ok(address) = std::env::var(CHILD) {
        return trusts_the_system(&address);
    }
    let (authority, server) = (Authority::new(), MemcachedServer::start().unwrap());
    let front = TlsFront::start(&server.address(), authority.loopback()).unwrap();
    let files = Files::new();
    let file = files.write("roots.pem", &authority.pem());
    for (address, file) in [(front.address(), file.as_path()), (String::new(), "/nonexistent/roots".as_ref())] {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", "names::the_systems_roots_are_trusted", "--nocapture"]);
        let ended = child.env(CHILD, address).env("SSL_CERT_FILE", file).env_remove("SSL_CERT_DIR").output().unwrap();
        let said = String::from_utf8_lossy(&ended.stdout);
        assert!(ended.status.success() && said.contains("1 passed"), "{said}");
    }
    assert!(front.handshakes() > 0);
}

fn trusts_the_system(address: &str) {
    if address.is_empty() {
        let error = Tls::new().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        let text = error.to_string();
        assert!(text.contains("ca-certificates") && text.contains("with_roots"), "{text}");
    } else {
        assert!(works(&builder([address]).tls(Tls::new().unwrap()).build().unwrap()));
    }
}
