//! Passwords as a password file has them: in plain text, or hashed by `mosquitto_passwd`.

use std::num::NonZeroU32;

use data_encoding::BASE64;
use ring::{digest, pbkdf2};

/// What a user must show.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Password {
    /// These very bytes.
    Plain(String),
    /// `$6$SALT$HASH`: SHA-512 over password and salt.
    Sha512 { salt: Vec<u8>, hash: Vec<u8> },
    /// `$7$ITERATIONS$SALT$HASH`: PBKDF2 with HMAC-SHA-512.
    Pbkdf2 {
        iterations: NonZeroU32,
        salt: Vec<u8>,
        hash: Vec<u8>,
    },
}

impl Password {
    /// Reads what follows the colon; `None` for a hash that is none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split('$').collect();
        let bytes = |part: &str| BASE64.decode(part.as_bytes()).ok();
        match parts[..] {
            ["", "6", salt, hash] => Some(Self::Sha512 {
                salt: bytes(salt)?,
                hash: bytes(hash)?,
            }),
            ["", "7", iterations, salt, hash] => Some(Self::Pbkdf2 {
                iterations: iterations.parse().ok()?,
                salt: bytes(salt)?,
                hash: bytes(hash)?,
            }),
            ["", "6" | "7", ..] => None,
            _ => Some(Self::Plain(text.to_owned())),
        }
    }

    /// Whether `shown` is this password.
    pub(super) fn is(&self, shown: &[u8]) -> bool {
        match self {
            Self::Plain(text) => text.as_bytes() == shown,
            Self::Sha512 { salt, hash } => {
                let salted = [shown, salt].concat();
                digest::digest(&digest::SHA512, &salted).as_ref() == hash
            }
            Self::Pbkdf2 {
                iterations,
                salt,
                hash,
            } => pbkdf2::verify(pbkdf2::PBKDF2_HMAC_SHA512, *iterations, salt, shown, hash).is_ok(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_is_compared_byte_for_byte() {
        let password = Password::parse("pa$$word").unwrap();
        assert!(password.is(b"pa$$word"));
        assert!(!password.is(b"pa$$wor"));
    }

    #[test]
    fn what_mosquitto_passwd_writes_is_understood() {
        // "password", as mosquitto 2.0 and, before it, mosquitto 1.x hashed it.
        let new = Password::parse(NEW).unwrap();
        let old = Password::parse(OLD).unwrap();
        for hashed in [new, old] {
            assert!(hashed.is(b"password"));
            assert!(!hashed.is(b"Password"));
        }
    }

    #[test]
    fn a_hash_that_is_none_is_refused() {
        assert!(Password::parse("$7$101$!!$").is_none());
        assert!(Password::parse("$7$0$AAAA$AAAA").is_none());
        assert!(Password::parse("$6$AAAA").is_none());
    }

    const NEW: &str = "$7$101$0PDn/ZeYsc+WUxJ4$m0mppmp/6v5KTvcYTIIw2Tm8J8LJnTdfwKw9ZepHW3b4MY5ltfv+1tnTGfk/4Q8UHHlO90tD9pxSUWmycqvnrA==";
    const OLD: &str = "$6$MDEyMzQ1Njc4OWFi$QQ3PWSJ3IyGPP66YMDh3aUdVyS29efC2oPtFLnz5O/EXQO4dovrApaaZv32acQ3b0Lt02H8GBYcsYpkBYYcERg==";
}
