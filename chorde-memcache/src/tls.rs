//! How connections are encrypted: whose certificates are trusted, and which name they have to show.

use std::fmt;
use std::sync::Arc;

use chorde_core::{Error, ErrorKind, Result};
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// Encrypts connections (TLS 1.3 and 1.2) and checks who is at the other end.
///
/// A server's certificate has to be signed by a root that is trusted here, to be valid by this host's time, and to show
/// the name that the server was given by: the host name, else the IP address. A server with another certificate is not
/// used, and the log says why; it is tried again as any server that is out of use, so that it is back soon after its
/// certificate is right.
///
/// Clones share what is known of the servers: sessions are resumed.
///
/// # Examples
///
/// ```no_run
/// use chorde_memcache::{MemcachedClient, Tls};
///
/// let tls = Tls::with_roots(std::fs::read("/etc/cache/roots.pem").expect("a file of certificates"))?;
/// let client = MemcachedClient::builder()
///     .servers(["cache-1.internal:11211"])
///     .checksum_key("this year's secret")
///     .tls(tls)
///     .build()?;
/// # Ok::<(), chorde_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Tls {
    config: Arc<ClientConfig>,
    /// The name that every certificate has to show, whatever the servers are called.
    name: Option<ServerName<'static>>,
}

impl Tls {
    /// Trusts the root certificates of the system, or those that the environment variables `SSL_CERT_FILE` and
    /// `SSL_CERT_DIR` name. They are read from files, now and not again.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if there are none that can be used.
    ///
    /// # Examples
    ///
    /// ```
    /// use chorde_memcache::Tls;
    ///
    /// match Tls::new() {
    ///     Ok(_tls) => { /* for MemcachedBuilder::tls */ }
    ///     Err(error) => assert!(error.to_string().contains("ca-certificates")),
    /// }
    /// ```
    pub fn new() -> Result<Self> {
        let found = rustls_native_certs::load_native_certs();
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(found.certs);
        if roots.is_empty() {
            let why = found.errors.first().map(|error| format!(" ({error})")).unwrap_or_default();
            return Err(wrong(&format!(
                "the system has no root certificates{why}: install its `ca-certificates`, or give roots with \
                 `Tls::with_roots`"
            )));
        }
        Ok(Self::trusting(roots))
    }

    /// Trusts these root certificates and no others: one or several in PEM, the text between `BEGIN CERTIFICATE` and
    /// `END CERTIFICATE`. Whatever else the text holds is passed over.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if there is none, or one that cannot be read.
    ///
    /// # Examples
    ///
    /// ```
    /// use chorde_memcache::Tls;
    ///
    /// let error = Tls::with_roots("/etc/cache/roots.pem").unwrap_err();
    /// assert!(error.to_string().contains("give the contents of the file"));
    /// ```
    pub fn with_roots(pem: impl AsRef<[u8]>) -> Result<Self> {
        let mut roots = RootCertStore::empty();
        for (number, root) in (1..).zip(CertificateDer::pem_slice_iter(pem.as_ref())) {
            let unread = |why: &dyn fmt::Display| {
                wrong(&format!("root certificate {number} cannot be read: {why}; give it as PEM"))
            };
            roots.add(root.map_err(|why| unread(&why))?).map_err(|why| unread(&why))?;
        }
        if roots.is_empty() {
            return Err(wrong(
                "no root certificate in the PEM: give the contents of the file that holds them, with the lines \
                 `-----BEGIN CERTIFICATE-----`",
            ));
        }
        Ok(Self::trusting(roots))
    }

    /// Takes all settings from a configuration of [`rustls`](crate::rustls), the way out for what is not here: a
    /// certificate of the client, a verifier of one's own, other ciphers.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::Arc;
    /// use chorde_memcache::{Tls, rustls};
    ///
    /// let provider = Arc::new(rustls::crypto::ring::default_provider());
    /// let config = rustls::ClientConfig::builder_with_provider(provider)
    ///     .with_safe_default_protocol_versions()?
    ///     .with_root_certificates(rustls::RootCertStore::empty()) // trusts nobody: give roots
    ///     .with_no_client_auth(); // or: with_client_auth_cert
    /// let tls = Tls::with_config(Arc::new(config));
    /// # Ok::<(), rustls::Error>(())
    /// ```
    #[must_use]
    pub fn with_config(config: Arc<ClientConfig>) -> Self {
        Self { config, name: None }
    }

    /// Sets the name, or the IP address, that the certificate of every server has to show, instead of what the server
    /// was given by: for tunnels and proxies, which are reached under another name.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] for what is neither a host name nor an IP address.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::Arc;
    /// # use chorde_memcache::{Tls, rustls};
    /// # let roots = rustls::RootCertStore::empty();
    /// # let provider = Arc::new(rustls::crypto::ring::default_provider());
    /// # let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    /// # let tls = Tls::with_config(Arc::new(config.unwrap().with_root_certificates(roots).with_no_client_auth()));
    /// let tls = tls.server_name("cache.internal")?;
    /// assert!(tls.server_name("cache.internal:11211").unwrap_err().to_string().contains("without a port"));
    /// # Ok::<(), chorde_core::Error>(())
    /// ```
    pub fn server_name(mut self, name: &str) -> Result<Self> {
        let unfit = |_| {
            wrong(&format!(
                "server_name {name:?} is no host name that a certificate could show; give one without a port"
            ))
        };
        self.name = Some(read_name(name).map_err(unfit)?);
        Ok(self)
    }

    fn trusting(roots: RootCertStore) -> Self {
        // Not the process's default: there may be none, or several to choose from.
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("invariant: the ring provider has ciphers for TLS 1.2 and 1.3")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self::with_config(Arc::new(config))
    }

    pub(crate) fn config(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.config)
    }

    /// Returns the name that every certificate has to show, if it was set.
    pub(crate) fn name(&self) -> Option<&ServerName<'static>> {
        self.name.as_ref()
    }
}

/// Reads a host name or an IP address, as a certificate shows it.
///
/// # Errors
///
/// For anything else, in words that complete a sentence.
pub(crate) fn read_name(name: &str) -> std::result::Result<ServerName<'static>, &'static str> {
    // A final dot only says that no search list applies.
    let bare = name.strip_suffix('.').unwrap_or(name);
    ServerName::try_from(bare.to_owned()).map_err(|_| "is no host name that a certificate could show")
}

fn wrong(what: &str) -> Error {
    Error::new(ErrorKind::Config, format!("tls: {what}"))
}

/// Shows no more than who is expected.
impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("server_name", &self.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> String {
        rcgen::generate_simple_self_signed(["root".to_owned()]).unwrap().cert.pem()
    }

    fn refused(pem: impl AsRef<[u8]>, part: &str) {
        let error = Tls::with_roots(pem).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Config);
        assert!(error.to_string().contains(part), "{error}");
    }

    #[test]
    fn one_root_or_several_are_found_among_other_text() {
        let key = rcgen::KeyPair::generate().unwrap().serialize_pem();
        let several = format!("# ours\n{}\n{key}\n{}", root(), root());
        assert!(Tls::with_roots(root()).is_ok());
        assert!(Tls::with_roots(several).is_ok());
    }

    #[test]
    fn what_holds_no_root_is_refused_with_the_mend() {
        refused("", "give the contents of the file");
        refused(rcgen::KeyPair::generate().unwrap().serialize_pem(), "no root certificate");
        refused(root().replace("-----END", "----"), "root certificate 1 cannot be read");
        let empty = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        refused(root() + empty, "root certificate 2 cannot be read");
    }

    #[test]
    fn names_are_host_names_or_addresses() {
        let tls = Tls::with_roots(root()).unwrap();
        for name in ["cache", "cache-1.internal.", "cache_1", "10.0.0.7", "fe80::1"] {
            assert!(tls.clone().server_name(name).is_ok(), "{name}");
        }
        for name in ["", "cache:11211", "a b", "[::1]", "*.internal"] {
            let error = tls.clone().server_name(name).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(error.to_string().contains("without a port"), "{error}");
        }
    }

    #[test]
    fn what_is_shown_is_the_name_alone() {
        let tls = Tls::with_roots(root()).unwrap().server_name("cache").unwrap();
        assert!(format!("{tls:?}").len() < 80, "{tls:?}");
    }
}
