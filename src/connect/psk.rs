//! A key that both sides share, for DTLS (RFC 4279).

use std::fmt;
use std::path::Path;

use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};

use crate::error::{Error, Result};

use super::args::ConnectArgs;
use super::secret::Secret;

/// A pre-shared key and its name.
#[derive(Clone, PartialEq, Eq)]
pub struct Psk {
    /// What tells the server which key is meant; may be empty.
    pub identity: String,
    /// The key's bytes.
    pub key: Secret,
}

impl Psk {
    /// The key that was named, if any.
    pub(super) fn of(words: &ConnectArgs) -> Result<Option<Self>> {
        let identity = words.psk_identity.as_deref();
        Self::given(identity, words.psk.as_ref(), words.psk_file.as_deref())
    }

    /// The key that was given, or that a file holds, if any.
    ///
    /// # Errors
    /// [`crate::error::Kind::Usage`] for contradictions and wrong digits; [`crate::error::Kind::Local`] for a file
    /// that cannot be read.
    pub fn given(
        identity: Option<&str>,
        key: Option<&Secret>,
        file: Option<&Path>,
    ) -> Result<Option<Self>> {
        let spelled = match (key, file) {
            (Some(_), Some(_)) => {
                return Err(Error::usage("the pre-shared key is given more than once"));
            }
            (Some(secret), None) => secret.reveal().to_vec(),
            (None, Some(file)) => Secret::read(file)?.reveal().to_vec(),
            (None, None) if identity.is_some() => {
                return Err(Error::usage("--psk-identity needs a pre-shared key")
                    .hint("use --psk-file FILE, IOTCTL_PSK or --psk KEY"));
            }
            (None, None) => return Ok(None),
        };
        Self::new(String::from(identity.unwrap_or_default()), &spelled).map(Some)
    }

    /// A key as people spell it: text, or bytes as `hex:…`, `0x…` or `base64:…`.
    ///
    /// # Errors
    /// [`crate::error::Kind::Usage`] for wrong digits and for an empty key; the key itself is never shown.
    pub fn new(identity: String, spelled: &[u8]) -> Result<Self> {
        let key = decode(spelled).ok_or_else(|| {
            Error::usage("the pre-shared key has invalid digits")
                .hint("use text, hex:00ff…, 0x00ff… or base64:AP8…")
        })?;
        if key.is_empty() {
            return Err(Error::usage("the pre-shared key is empty"));
        }
        Ok(Self {
            identity,
            key: Secret::new(key),
        })
    }
}

impl fmt::Debug for Psk {
    /// The identity, and stars.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Psk({:?}, {})", self.identity, self.key)
    }
}

pub(super) fn decode(spelled: &[u8]) -> Option<Vec<u8>> {
    let hex = spelled
        .strip_prefix(b"hex:")
        .or_else(|| spelled.strip_prefix(b"0x"));
    if let Some(digits) = hex {
        return HEXLOWER_PERMISSIVE.decode(digits).ok();
    }
    match spelled.strip_prefix(b"base64:") {
        Some(digits) => BASE64.decode(digits).ok(),
        None => Some(spelled.to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_spelled_in_four_ways() {
        for (spelled, key) in [
            ("secret", &b"secret"[..]),
            ("hex:00Ff", &[0, 255]),
            ("0x00ff", &[0, 255]),
            ("base64:AP8=", &[0, 255]),
        ] {
            let psk = Psk::new(String::from("me"), spelled.as_bytes()).expect(spelled);
            assert_eq!(psk.key.reveal(), key, "{spelled}");
            assert_eq!(format!("{psk:?}"), "Psk(\"me\", ***)");
        }
    }

    #[test]
    fn wrong_digits_are_refused_and_not_shown() {
        for spelled in ["hex:0", "hex:xyz", "0x12 34", "base64:??", "", "hex:"] {
            let refused = Psk::new(String::new(), spelled.as_bytes()).expect_err(spelled);
            assert!(spelled.len() < 5 || !refused.text().contains(spelled));
        }
    }

    #[test]
    fn an_identity_without_key_is_refused() {
        let words = ConnectArgs {
            psk_identity: Some(String::from("me")),
            ..ConnectArgs::default()
        };
        assert!(Psk::of(&words).is_err());
        assert_eq!(
            Psk::of(&ConnectArgs::default()).expect("nothing said"),
            None
        );
    }
}
