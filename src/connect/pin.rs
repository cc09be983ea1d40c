//! Public keys one of which a server must have, whoever has signed its certificate (RFC 7469 §2.4).

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use data_encoding::BASE64;
use ring::digest;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, ring as provider};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, Error, SignatureScheme};

use super::certificate::Certificate;
use super::tls_errors::Reason;
use super::verify::{check_key, signed_in_tls12, signed_in_tls13};

/// The SHA-256 hash of a SubjectPublicKeyInfo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pin([u8; 32]);

impl Pin {
    pub(super) fn of(public_key_info: &[u8]) -> Self {
        let hash = digest::digest(&digest::SHA256, public_key_info);
        let mut bytes = [0; 32];
        bytes.copy_from_slice(hash.as_ref());
        Self(bytes)
    }
}

/// Of 32 bytes in base64.
const DIGITS: usize = 44;

impl FromStr for Pin {
    type Err = String;

    /// Reads `sha256/BASE64`, and with two slashes as curl has it.
    fn from_str(text: &str) -> Result<Self, String> {
        let hash = text.strip_prefix("sha256/");
        // A slash may be a digit of base64 as well.
        let hash = hash.map(|hash| match hash.strip_prefix('/') {
            Some(rest) if hash.len() > DIGITS => rest,
            _ => hash,
        });
        let bytes = hash.and_then(|hash| BASE64.decode(hash.as_bytes()).ok());
        bytes
            .and_then(|bytes| bytes.try_into().ok())
            .map(Self)
            .ok_or_else(|| {
                format!("{text:?} is not sha256/ and the base64 of the 32 bytes of a hash")
            })
    }
}

impl fmt::Display for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256/{}", BASE64.encode(&self.0))
    }
}

/// Takes a server that has the key of one of `pins`, and that `chain` takes too, where the certificate is to be verified.
#[derive(Debug)]
pub(super) struct Pinned {
    pins: Vec<Pin>,
    chain: Option<Arc<dyn ServerCertVerifier>>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Pinned {
    pub(super) fn new(pins: Vec<Pin>, chain: Option<Arc<dyn ServerCertVerifier>>) -> Self {
        Self {
            pins,
            chain,
            algorithms: provider::default_provider().signature_verification_algorithms,
        }
    }
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match &self.chain {
            Some(chain) => chain.verify_server_cert(
                end_entity,
                intermediates,
                server_name,
                ocsp_response,
                now,
            )?,
            None => check_key(end_entity).map(|()| ServerCertVerified::assertion())?,
        };
        let own = Certificate::parse(end_entity).map(|it| Pin::of(it.public_key_info()));
        match own {
            Some(own) if self.pins.contains(&own) => Ok(ServerCertVerified::assertion()),
            own => {
                let own = own.map_or_else(|| String::from("unreadable"), |own| own.to_string());
                Err(Reason {
                    text: format!("the public key {own} does not match --tls-pin"),
                    hint: "compare the key with the server's own before you trust it",
                }
                .into())
            }
        }
    }

    // A signature that cannot be verified would not prove that the server has the key.
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        signed_in_tls12(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        signed_in_tls13(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_are_read_as_shown_and_as_curl_has_them() {
        let pin = Pin::of(b"key");
        let shown = pin.to_string();
        assert!(
            shown.starts_with("sha256/") && shown.ends_with('='),
            "{shown}"
        );
        assert_eq!(shown.parse(), Ok(pin));
        assert_eq!(shown.replacen('/', "//", 1).parse(), Ok(pin));
        let slash = Pin([0xff; 32]);
        assert!(slash.to_string().starts_with("sha256//"));
        assert_eq!(slash.to_string().parse(), Ok(slash));
        for text in [
            "",
            "sha256/",
            "sha256/AAAA",
            "sha1/AAAA",
            "sha256///",
            &shown[7..],
        ] {
            let refused = text.parse::<Pin>().unwrap_err();
            assert!(refused.contains("32 bytes"), "{refused}");
        }
    }

    #[test]
    fn the_key_decides_whatever_the_certificate_says() {
        let names = || [String::from("localhost")];
        let own = rcgen::generate_simple_self_signed(names()).unwrap();
        let other = rcgen::generate_simple_self_signed(names()).unwrap();
        let spki = |der: &CertificateDer<'_>| {
            let info = Certificate::parse(der).unwrap().public_key_info().to_vec();
            Pin::of(&info)
        };
        let pins = vec![spki(own.cert.der()), Pin::of(b"spare")];
        let pinned = Pinned::new(pins, None);
        let name = ServerName::try_from("elsewhere").unwrap();
        let verify = |it: &CertificateDer<'_>| {
            pinned.verify_server_cert(it, &[], &name, &[], UnixTime::now())
        };
        assert!(verify(own.cert.der()).is_ok());
        let refused = verify(other.cert.der()).unwrap_err().to_string();
        let shown = spki(other.cert.der()).to_string();
        assert!(refused.contains(&shown), "{refused} lacks {shown}");
        assert!(verify(&CertificateDer::from(vec![0x30, 0])).is_err());
    }
}
