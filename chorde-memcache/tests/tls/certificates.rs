//! Certificates made by the test: an authority, and what it signs.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use chorde_memcache::Tls;
use chorde_memcache::rustls::pki_types::PrivateKeyDer;
use chorde_memcache::rustls::server::WebPkiClientVerifier;
use chorde_memcache::rustls::{ClientConfig, RootCertStore, ServerConfig, crypto};
use chorde_memcache::testing::MemcachedServer;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};

/// Signs certificates.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key.
pub struct Pair {
    certificate: rcgen::Certificate,
    key: KeyPair,
}

/// The files of a certificate and its key, and of whatever a test needs beside them; removed when dropped.
pub struct Files(PathBuf);

impl Files {
    pub fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("chorde-tls-{:x}", fastrand::u64(..)));
        fs::create_dir(&folder).unwrap();
        Self(folder)
    }

    /// Writes a file and returns its path.
    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        _ = fs::remove_dir_all(&self.0);
    }
}

impl Authority {
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, format!("authority {:x}", fastrand::u64(..)));
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub fn pem(&self) -> String {
        self.0.pem()
    }

    /// Trusts what this signs, and nothing else.
    pub fn tls(&self) -> Tls {
        Tls::with_roots(self.pem()).unwrap()
    }

    fn roots(&self) -> RootCertStore {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        roots
    }

    /// Makes a certificate that shows these host names and addresses.
    pub fn pair(&self, names: &[&str]) -> Pair {
        self.sign(&params(names))
    }

    fn sign(&self, params: &CertificateParams) -> Pair {
        let key = KeyPair::generate().unwrap();
        Pair { certificate: params.signed_by(&key, &self.0).unwrap(), key }
    }

    /// Configures a server that shows these host names and addresses.
    pub fn server(&self, names: &[&str]) -> Arc<ServerConfig> {
        self.pair(names).server()
    }

    /// Configures a server at 127.0.0.1.
    pub fn loopback(&self) -> Arc<ServerConfig> {
        self.server(&["127.0.0.1"])
    }

    /// Configures a server at 127.0.0.1 whose certificate was valid in these years.
    pub fn of_years(&self, from: i32, to: i32) -> Arc<ServerConfig> {
        let mut params = params(&["127.0.0.1"]);
        params.not_before = rcgen::date_time_ymd(from, 1, 1);
        params.not_after = rcgen::date_time_ymd(to, 1, 1);
        self.sign(&params).server()
    }

    /// Configures a server at 127.0.0.1 that wants a certificate of the client, signed by the same authority.
    pub fn wanting_clients(&self) -> Arc<ServerConfig> {
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(self.roots()), provider()).build().unwrap();
        let pair = self.pair(&["127.0.0.1"]);
        let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().unwrap();
        let chain = vec![pair.certificate.der().clone()];
        Arc::new(builder.with_client_cert_verifier(verifier).with_single_cert(chain, pair.private()).unwrap())
    }

    /// Trusts what this signs, and shows a certificate of the client.
    pub fn tls_of_client(&self) -> Tls {
        let pair = self.pair(&["client"]);
        let builder = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().unwrap();
        let builder = builder.with_root_certificates(self.roots());
        let config = builder.with_client_auth_cert(vec![pair.certificate.der().clone()], pair.private());
        Tls::with_config(Arc::new(config.unwrap()))
    }
}

impl Pair {
    pub fn server(&self) -> Arc<ServerConfig> {
        let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().unwrap();
        let config =
            builder.with_no_client_auth().with_single_cert(vec![self.certificate.der().clone()], self.private());
        Arc::new(config.unwrap())
    }

    /// Starts a memcached that encrypts by itself; `None` where the program was built without TLS, which is printed.
    pub fn memcached(&self) -> Option<(MemcachedServer, Files)> {
        let builder = MemcachedServer::builder();
        if !builder.has_tls().unwrap() {
            println!("this memcached was built without TLS: a proxy stands in for it");
            return None;
        }
        let files = Files::new();
        let chain = files.write("chain.pem", &self.certificate.pem());
        let key = files.write("key.pem", &self.key.serialize_pem());
        Some((builder.tls(chain, key).start().unwrap(), files))
    }

    fn private(&self) -> PrivateKeyDer<'static> {
        PrivateKeyDer::Pkcs8(self.key.serialize_der().into())
    }
}

fn params(names: &[&str]) -> CertificateParams {
    CertificateParams::new(names.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap()
}

fn provider() -> Arc<crypto::CryptoProvider> {
    Arc::new(crypto::ring::default_provider())
}
