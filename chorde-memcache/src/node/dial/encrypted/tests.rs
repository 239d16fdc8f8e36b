use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig, version};
use tokio_rustls::server;

use super::*;

type Server = server::TlsStream<TcpStream>;

/// Makes both ends of an encrypted connection; `longest` bounds the client's records.
async fn pair(is_newest: bool, longest: Option<usize>) -> (Box<Encrypted>, Server) {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let versions = if is_newest { [&version::TLS13] } else { [&version::TLS12] };
    let client = ClientConfig::builder_with_provider(Arc::new(default_provider())).with_protocol_versions(&versions);
    let mut client = client.unwrap().with_root_certificates(roots).with_no_client_auth();
    client.max_fragment_size = longest;
    let server = ServerConfig::builder_with_provider(Arc::new(default_provider())).with_protocol_versions(&versions);
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let server = server.unwrap().with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let accepting = async {
        let (stream, _) = listener.accept().await.unwrap();
        TlsAcceptor::from(Arc::new(server)).accept(stream).await.unwrap()
    };
    let expected = Expected::new(&Tls::with_config(Arc::new(client)), None);
    let connecting = async {
        let stream = TcpStream::connect(address).await.unwrap();
        expected.encrypt(stream, expected.name(address.ip()).unwrap()).await
    };
    let (client, server) = tokio::join!(connecting, accepting);
    (client.unwrap(), server)
}

/// Waits until the system has something to read.
async fn arrived(client: &Encrypted) {
    client.stream.get_ref().0.readable().await.unwrap();
    while is_silent(&SockRef::from(client.stream.get_ref().0)) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_is_for_the_connection_itself_leaves_it_quiet_and_data_and_ends_do_not() {
    for is_newest in [true, false] {
        let (mut client, mut server) = pair(is_newest, None).await;
        if is_newest {
            // The tickets that follow the handshake.
            arrived(&client).await;
            assert!(client.is_quiet());
            assert!(is_silent(&SockRef::from(client.stream.get_ref().0)), "they were taken in");
            server.get_mut().1.refresh_traffic_keys().unwrap();
            server.flush().await.unwrap();
        }
        assert!(client.is_quiet());
        server.write_all(b"what nobody asked for").await.unwrap();
        arrived(&client).await;
        assert!(!client.is_quiet());

        let (mut client, mut server) = pair(is_newest, None).await;
        client.write_all(b"mn\r\n").await.unwrap();
        let mut said = [0; 4];
        server.read_exact(&mut said).await.unwrap();
        server.write_all(b"MN\r\n").await.unwrap();
        client.read_exact(&mut said).await.unwrap();
        assert!(client.is_quiet());
        server.shutdown().await.unwrap();
        arrived(&client).await;
        assert!(!client.is_quiet());

        let (mut client, server) = pair(is_newest, None).await;
        drop(server);
        // After the tickets comes the end, which the system shows as silence's end.
        while client.is_quiet() {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn what_is_written_in_any_pieces_arrives_as_it_was() {
    for longest in [None, Some(32), Some(5000)] {
        let (mut client, mut server) = pair(true, longest).await;
        let value: Vec<u8> = (0..700_000_u32).map(|number| (number % 251) as u8).collect();
        let line = format!("ms key {}\r\n", value.len());
        let written = [line.as_bytes(), &value, b"\r\nmg key\r\n", b"", b"md key\r\n"];
        let whole = written.concat();
        let writing = async {
            let mut slices = written.map(IoSlice::new);
            let mut slices = &mut slices[..];
            while !slices.is_empty() {
                let count = client.write_vectored(slices).await.unwrap();
                IoSlice::advance_slices(&mut slices, count);
            }
            client.write_all(&whole).await.unwrap();
            client.flush().await.unwrap();
        };
        let mut read = vec![0; whole.len() * 2];
        let (_, _) = tokio::join!(writing, async { server.read_exact(&mut read).await.unwrap() });
        assert!(read == [whole.as_slice(), &whole].concat());
    }
}
