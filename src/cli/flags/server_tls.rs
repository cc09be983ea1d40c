//! The certificate of a server of ours, for every command that listens.

use std::path::PathBuf;

use clap::Args;

use crate::connect::ServerTls;
use crate::error::Result;

use crate::cli::syntax::values;

#[derive(Args, Debug)]
pub(crate) struct ServerTlsFlags {
    /// PEM file of the server's certificate chain, for the encrypted schemes
    #[arg(long, value_name = "FILE", requires = "key")]
    cert: Option<PathBuf>,

    /// PEM file of the server's unencrypted private key
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,

    /// PEM file of client CA certificates; clients must present a certificate signed by one of them, or one of them
    #[arg(long, value_name = "FILE", requires = "cert")]
    client_ca: Option<PathBuf>,
}

impl ServerTlsFlags {
    pub(crate) const fn is_given(&self) -> bool {
        self.cert.is_some()
    }

    /// Whether clients must present a certificate.
    pub(crate) const fn demands(&self) -> bool {
        self.client_ca.is_some()
    }

    /// The files, required if and only if a listener is `encrypted`. `listening`: how that is requested.
    pub(crate) fn files(self, listening: &str, encrypted: bool) -> Result<Option<ServerTls>> {
        let given = self.is_given();
        values::needs(listening, encrypted, "--cert and --key", given)?;
        values::needs("--cert", given, listening, encrypted)?;
        Ok(self.words())
    }

    /// The files as given.
    pub(crate) fn words(self) -> Option<ServerTls> {
        let (cert, key) = self.cert.zip(self.key)?;
        let client_ca = self.client_ca;
        Some(ServerTls {
            cert,
            key,
            client_ca,
        })
    }
}
