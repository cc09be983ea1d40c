//! What an OSCORE security context is made of (RFC 8613 §3.2), and where its counter is kept.

use std::path::PathBuf;

use crate::error::{Error, Result};

use super::args::OscoreArgs;
use super::environment::Environment;
use super::psk::decode;
use super::secret::Secret;

/// Where the sender sequence number of a security context is kept between runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OscoreState {
    /// In this file.
    File(PathBuf),
    /// In this folder, in a file of the context's own.
    Folder(PathBuf),
}

/// The secrets of a security context, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Oscore {
    /// The master secret.
    pub secret: Secret,
    /// The master salt; may be empty.
    pub salt: Secret,
    /// Our id.
    pub sender_id: Vec<u8>,
    /// The peer's id.
    pub recipient_id: Vec<u8>,
    /// Tells contexts of the same ids apart.
    pub id_context: Option<Vec<u8>>,
    /// Where the sender sequence number is kept.
    pub state: OscoreState,
}

impl OscoreArgs {
    /// These words over those of a lower layer; the secret is one decision, told by value or by file.
    pub(super) fn over(self, lower: Self) -> Self {
        let (secret, secret_file) = if self.secret.is_some() || self.secret_file.is_some() {
            (self.secret, self.secret_file)
        } else {
            (lower.secret, lower.secret_file)
        };
        Self {
            secret,
            secret_file,
            salt: self.salt.or(lower.salt),
            sender_id: self.sender_id.or(lower.sender_id),
            recipient_id: self.recipient_id.or(lower.recipient_id),
            id_context: self.id_context.or(lower.id_context),
            state: self.state.or(lower.state),
        }
    }

    /// Whether anything was said that only OSCORE needs.
    pub const fn is_given(&self) -> bool {
        self.secret.is_some()
            || self.secret_file.is_some()
            || self.sender_id.is_some()
            || self.recipient_id.is_some()
            || self.id_context.is_some()
            || self.salt.is_some()
            || self.state.is_some()
    }

    /// The security context, if one was named here; the environment only fills in what is missing.
    ///
    /// # Errors
    /// As [`OscoreArgs::read`].
    pub fn read_for_server(self, environment: &Environment) -> Result<Option<Oscore>> {
        if !self.is_given() {
            return Ok(None);
        }
        self.over(environment.oscore()?).read(environment)
    }

    /// The security context, if one was named.
    ///
    /// # Errors
    /// [`crate::error::Kind::Usage`] for contradictions, wrong digits and a missing secret;
    /// [`crate::error::Kind::Local`] for a file that cannot be read.
    pub fn read(self, environment: &Environment) -> Result<Option<Oscore>> {
        let secret = match (&self.secret, &self.secret_file) {
            (Some(_), Some(_)) => {
                return Err(Error::usage(
                    "the OSCORE master secret is given more than once",
                ));
            }
            (Some(secret), None) => secret.reveal().to_vec(),
            (None, Some(file)) => Secret::read(file)?.reveal().to_vec(),
            (None, None) if self.is_given() => {
                return Err(Error::usage("OSCORE needs a master secret").hint(
                    "use --oscore-secret-file FILE, IOTCTL_OSCORE_SECRET or --oscore-secret KEY",
                ));
            }
            (None, None) => return Ok(None),
        };
        let id = |name: &str, word: Option<String>| match word {
            Some(word) => spelled(name, word.as_bytes()),
            None => Ok(Vec::new()),
        };
        let salt = self.salt.as_ref().map_or(&[][..], Secret::reveal);
        let context = self.id_context;
        Ok(Some(Oscore {
            secret: Secret::new(spelled("master secret", &secret)?),
            salt: Secret::new(spelled("master salt", salt)?),
            sender_id: id("sender id", self.sender_id)?,
            recipient_id: id("recipient id", self.recipient_id)?,
            id_context: context
                .map(|word| spelled("id context", word.as_bytes()))
                .transpose()?,
            state: match self.state {
                Some(file) => OscoreState::File(file),
                None => OscoreState::Folder(environment.state_folder().ok_or_else(no_folder)?),
            },
        }))
    }
}

fn spelled(name: &str, word: &[u8]) -> Result<Vec<u8>> {
    decode(word).ok_or_else(|| {
        let text = format!("the OSCORE {name} has invalid digits");
        Error::usage(text).hint("use text, hex:00ff…, 0x00ff… or base64:AP8…")
    })
}

fn no_folder() -> Error {
    let text =
        "nowhere to store the OSCORE sequence number: neither XDG_STATE_HOME nor HOME is set";
    Error::usage(text).hint("use --oscore-state FILE")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(secret: &str) -> OscoreArgs {
        OscoreArgs {
            secret: Some(Secret::from(secret)),
            sender_id: Some(String::from("0x01")),
            ..OscoreArgs::default()
        }
    }

    #[test]
    fn keys_and_ids_are_spelled_as_pre_shared_keys() {
        let environment = Environment::of([("HOME", "/home/me")]);
        let read = words("hex:00ff").read(&environment).unwrap().unwrap();
        assert_eq!(read.secret.reveal(), [0, 255]);
        assert_eq!((read.sender_id, read.recipient_id), (vec![1], vec![]));
        let folder = PathBuf::from("/home/me/.local/state/iotctl");
        assert_eq!(read.state, OscoreState::Folder(folder));
        let refused = words("hex:secret").read(&environment).unwrap_err();
        assert!(!refused.text().contains("hex:secret"));
    }

    #[test]
    fn what_is_missing_is_said() {
        let nowhere = Environment::of([("HOME", "")]);
        let refused = words("x").read(&nowhere).unwrap_err();
        assert!(refused.hint_text().unwrap().contains("--oscore-state"));
        let without = OscoreArgs {
            secret: None,
            ..words("")
        };
        assert!(without.read(&nowhere).is_err());
        assert!(OscoreArgs::default().read(&nowhere).unwrap().is_none());
    }

    #[test]
    fn debug_shows_no_secret() {
        assert!(!format!("{:?}", words("hunter2")).contains("hunter2"));
    }
}
