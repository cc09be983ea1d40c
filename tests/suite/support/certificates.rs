//! A certificate authority of our own, a server certificate and a client certificate.

use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
};

/// PEM files in a folder.
pub struct Certificates {
    pub ca: PathBuf,
    pub server: PathBuf,
    pub server_key: PathBuf,
    pub client: PathBuf,
    pub client_key: PathBuf,
    /// Another client, for servers that know it by the name `machine`.
    pub machine: PathBuf,
    pub machine_key: PathBuf,
}

impl Certificates {
    /// Makes them; the server's is for `localhost` and `127.0.0.1`.
    pub fn in_folder(folder: &Path) -> Self {
        let issuer = authority("iotctl test CA");
        let write = |name: &str, text: String| {
            let path = folder.join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        let (server, server_key) = leaf(
            &issuer,
            "server",
            vec!["localhost".into(), "127.0.0.1".into()],
        );
        let (client, client_key) = leaf(&issuer, "client", vec!["client.example".into()]);
        let (machine, machine_key) = leaf(&issuer, "machine", vec!["machine.example".into()]);
        Self {
            ca: write("ca.pem", issuer.pem()),
            server: write("server.pem", server),
            server_key: write("server.key", server_key),
            client: write("client.pem", client),
            client_key: write("client.key", client_key),
            machine: write("machine.pem", machine),
            machine_key: write("machine.key", machine_key),
        }
    }
}

type Issuer = CertifiedIssuer<'static, KeyPair>;

/// A certificate authority.
pub fn authority(name: &str) -> Issuer {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A certificate and its key, in PEM.
pub fn leaf(issuer: &Issuer, name: &str, names: Vec<String>) -> (String, String) {
    leaf_with(issuer, name, names, |_| {})
}

/// The same with a change to what it says.
pub fn leaf_with(
    issuer: &Issuer,
    name: &str,
    names: Vec<String>,
    change: impl FnOnce(&mut CertificateParams),
) -> (String, String) {
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    let signed = params.signed_by(&key, issuer).unwrap();
    (signed.pem(), key.serialize_pem())
}

/// A certificate that nobody but itself has signed, and its key, in PEM.
pub fn self_signed(names: Vec<String>) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(names).unwrap();
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}
