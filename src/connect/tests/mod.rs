//! Connections end to end, in one process: our dialling side against our listeners, and against
//! scripted servers that misbehave.

mod http;
mod listening;
mod secured;
mod strangers;
mod streams;

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::error::{Error, Result};

/// A folder of certificates and keys that a test makes up.
struct Keyring {
    folder: TempDir,
}

impl Keyring {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// A CA called `name`, written to `name.pem`.
    fn authority(&self, name: &str) -> Issuer<'static, KeyPair> {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let certificate = params.self_signed(&key).unwrap();
        self.write(&format!("{name}.pem"), &certificate.pem());
        Issuer::new(params, key)
    }

    /// A certificate for `names` signed by `issuer`, in `file.crt` and `file.key`.
    fn signed(
        &self,
        file: &str,
        names: &[&str],
        issuer: &Issuer<'static, KeyPair>,
    ) -> (PathBuf, PathBuf) {
        self.dated(file, names, issuer, (-3600, 3600))
    }

    /// The same, valid from and until these seconds from now.
    fn dated(
        &self,
        file: &str,
        names: &[&str],
        issuer: &Issuer<'static, KeyPair>,
        (from, until): (i64, i64),
    ) -> (PathBuf, PathBuf) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(
            names
                .iter()
                .map(|&name| name.to_owned())
                .collect::<Vec<_>>(),
        )
        .unwrap();
        params.not_before = moment(from).into();
        params.not_after = moment(until).into();
        let certificate = params.signed_by(&key, issuer).unwrap();
        (
            self.write(&format!("{file}.crt"), &certificate.pem()),
            self.write(&format!("{file}.key"), &key.serialize_pem()),
        )
    }
}

fn moment(seconds: i64) -> SystemTime {
    let distance = Duration::from_secs(seconds.unsigned_abs());
    if seconds < 0 {
        SystemTime::now() - distance
    } else {
        SystemTime::now() + distance
    }
}

fn loopback() -> ListenAddress {
    "127.0.0.1:0".parse().unwrap()
}

/// A listener whose clients all get their bytes back; the port it has chosen.
async fn echoing(on: ListenOn) -> u16 {
    let listener = Listener::bind(&on).await.unwrap();
    let port = port(&listener);
    tokio::spawn(async move {
        while let Ok(incoming) = listener.accept().await {
            tokio::spawn(echo(incoming));
        }
    });
    port
}

async fn echo(incoming: Incoming) {
    let Ok(stream) = incoming.ready().await else {
        return;
    };
    let (mut from, mut to) = tokio::io::split(stream);
    let _ = tokio::io::copy(&mut from, &mut to).await;
    let _ = to.shutdown().await;
}

fn port(listener: &Listener) -> u16 {
    match listener.local_addr() {
        ListenAddress::Tcp(address) => address.port(),
        ListenAddress::Unix(_) => 0,
    }
}

/// A server that treats each connection with `script`; its port.
async fn scripted<F: Future<Output = ()> + Send + 'static>(script: fn(TcpStream) -> F) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(script(stream));
        }
    });
    port
}

fn to(url: String) -> ConnectArgs {
    ConnectArgs {
        url: Some(url),
        ..ConnectArgs::default()
    }
}

fn resolved(words: ConnectArgs) -> Target {
    words
        .resolve(Protocol::Mqtt, &Environment::of::<String, String>([]))
        .unwrap()
}

async fn refused(words: ConnectArgs) -> Error {
    dial(&resolved(words)).await.unwrap_err()
}

/// Sends `bytes` and expects the same back.
async fn round_trip(stream: &mut Stream, bytes: &[u8]) {
    stream.write_all(bytes).await.unwrap();
    stream.flush().await.unwrap();
    let mut back = vec![0; bytes.len()];
    stream.read_exact(&mut back).await.unwrap();
    assert!(back == bytes, "{} bytes came back changed", bytes.len());
}

async fn dialled(words: ConnectArgs) -> Result<Stream> {
    dial(&resolved(words)).await
}
