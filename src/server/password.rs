//! Passwords as a password file has them: in plain text, or hashed by `mosquitto_passwd`.

use std::num::NonZeroU32;

use data_encoding::BASE64;
use ring::{digest, pbkdf2};

/// More would let one login hold a thread for many seconds.
const MOST_ITERATIONS: u32 = 10_000_000;

/// Bytes of a SHA-512 digest, and of what `mosquitto_passwd` derives.
const LENGTH: usize = digest::SHA512_OUTPUT_LEN;

/// Longer passwords are hashed by HMAC-SHA-512 before they are used as its key (RFC 2104 §2), in bytes.
const HMAC_BLOCK: usize = 128;

/// Names of hashes in the modular crypt format, as people know them.
const KINDS: [(&str, &str); 10] = [
    ("argon2id", "argon2id"),
    ("argon2i", "argon2i"),
    ("argon2d", "argon2d"),
    ("2a", "bcrypt"),
    ("2b", "bcrypt"),
    ("2y", "bcrypt"),
    ("scrypt", "scrypt"),
    ("y", "yescrypt"),
    ("1", "MD5"),
    ("5", "crypt's SHA-256"),
];

/// What a user must show.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Password {
    /// Bytes with this SHA-512 digest; the file has them in plain text.
    Plain([u8; LENGTH]),
    /// `$6$SALT$HASH`: SHA-512 over password and salt.
    Sha512 { salt: Vec<u8>, hash: [u8; LENGTH] },
    /// `$7$ITERATIONS$SALT$HASH`: PBKDF2 with HMAC-SHA-512.
    Pbkdf2 {
        iterations: NonZeroU32,
        salt: Vec<u8>,
        hash: [u8; LENGTH],
    },
}

impl Password {
    /// Reads what follows the colon. Whatever looks like a hash is one: taken for plain text, it would be a password
    /// that everybody knows who has seen the file.
    ///
    /// # Errors
    /// What is wrong with it, after "the password of ann"; it never shows the password.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err(String::from("is empty"));
        }
        if let Some(kind) = embedded(text) {
            return Err(unknown(kind));
        }
        let parts: Vec<&str> = text.split('$').collect();
        match parts[..] {
            ["", "6", salt, hash] => sha512(salt, hash).ok_or_else(unreadable),
            ["", "7", iterations, salt, hash] => {
                pbkdf2(iterations, salt, hash).ok_or_else(unreadable)
            }
            ["", "6" | "7", ..] => Err(unreadable()),
            ["", kind, _, ..] => Err(unknown(kind)),
            _ if text.starts_with("PBKDF2$") || is_labelled(text) => Err(unknown("")),
            _ => Ok(Self::Plain(sha512_of(text.as_bytes(), &[]))),
        }
    }

    /// Rounds of PBKDF2 that a check takes.
    pub(super) const fn iterations(&self) -> u32 {
        match self {
            Self::Pbkdf2 { iterations, .. } => iterations.get(),
            Self::Plain(_) | Self::Sha512 { .. } => 0,
        }
    }
}

/// Whether `shown` is the password; `None`: there is none to show.
///
/// It takes the same time whatever the password is, and whether there is one: one digest of what was shown and
/// `iterations` rounds of PBKDF2, of which no password takes more. So time does not tell who is a user.
pub(super) fn is(password: Option<&Password>, shown: &[u8], iterations: u32) -> bool {
    let salt = match password {
        Some(Password::Sha512 { salt, .. }) => salt,
        _ => &[][..],
    };
    let digest = sha512_of(shown, salt);
    let plain = sha512_of(shown, &[]);
    let key = match shown.len() {
        ..=HMAC_BLOCK => shown,
        // As HMAC would do it for each of two runs.
        _ => &plain,
    };
    let accepted = match password {
        None => false,
        Some(Password::Plain(hash) | Password::Sha512 { hash, .. }) => digest == *hash,
        Some(Password::Pbkdf2 {
            iterations,
            salt,
            hash,
        }) => pbkdf2::verify(ALGORITHM, *iterations, salt, key, hash).is_ok(),
    };
    let own = password.map_or(0, Password::iterations);
    if let Some(rest) = NonZeroU32::new(iterations.saturating_sub(own)) {
        let mut unused = [0; LENGTH];
        pbkdf2::derive(ALGORITHM, rest, &[0; 12], key, &mut unused);
        std::hint::black_box(unused);
    }
    accepted
}

static ALGORITHM: pbkdf2::Algorithm = pbkdf2::PBKDF2_HMAC_SHA512;

fn sha512_of(bytes: &[u8], salt: &[u8]) -> [u8; LENGTH] {
    let mut context = digest::Context::new(&digest::SHA512);
    context.update(bytes);
    context.update(salt);
    let mut digest = [0; LENGTH];
    digest.copy_from_slice(context.finish().as_ref());
    digest
}

fn sha512(salt: &str, hash: &str) -> Option<Password> {
    let (salt, hash) = (bytes(salt)?, bytes(hash)?.try_into().ok()?);
    Some(Password::Sha512 { salt, hash })
}

fn pbkdf2(iterations: &str, salt: &str, hash: &str) -> Option<Password> {
    let iterations: NonZeroU32 = iterations.parse().ok()?;
    let (salt, hash) = (bytes(salt)?, bytes(hash)?.try_into().ok()?);
    (iterations.get() <= MOST_ITERATIONS).then_some(Password::Pbkdf2 {
        iterations,
        salt,
        hash,
    })
}

fn bytes(part: &str) -> Option<Vec<u8>> {
    BASE64.decode(part.as_bytes()).ok()
}

/// The kind of a hash that something stands before: a space, a quotation mark, the `!` of a locked account, or the name
/// that a framework gives it (`argon2$argon2id$…`, `pbkdf2_sha256$260000$…`). None of the known ones is that short.
fn embedded(text: &str) -> Option<&str> {
    const SHORTEST: usize = 20;
    let (before, after) = text.split_once('$').filter(|(it, _)| !it.is_empty())?;
    let (kind, rest) = after.trim_start_matches('$').split_once('$')?;
    let known = KINDS.iter().any(|(mark, _)| *mark == kind) || ["6", "7", "apr1"].contains(&kind);
    let named =
        before.len() > 3 && kind.bytes().all(|it| it.is_ascii_digit()) && rest.contains('$');
    (rest.len() >= SHORTEST && (known || named)).then_some(kind)
}

/// `{SSHA}…`, as LDAP and others mark their hashes.
fn is_labelled(text: &str) -> bool {
    let label = text.strip_prefix('{').and_then(|rest| rest.split_once('}'));
    label.is_some_and(|(label, hash)| !label.is_empty() && !hash.is_empty())
}

fn unreadable() -> String {
    String::from("is a malformed hash")
}

fn unknown(kind: &str) -> String {
    match KINDS.iter().find(|(mark, _)| *mark == kind) {
        Some((_, name)) => format!("is a hash by {name}, which is not supported"),
        None => String::from("looks like a hash of an unknown kind"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepts(password: &Password, shown: &[u8]) -> bool {
        is(Some(password), shown, password.iterations())
    }

    #[test]
    fn plain_text_is_compared_byte_for_byte() {
        let plain = [
            "pa$$word",
            "$ecret",
            "$",
            "{}x",
            "a{b}c",
            "a$1$b",
            "five$5$of my own words",
        ];
        for text in plain {
            let password = Password::parse(text).unwrap();
            assert!(accepts(&password, text.as_bytes()));
            assert!(!accepts(&password, &text.as_bytes()[..text.len() - 1]));
        }
    }

    #[test]
    fn what_mosquitto_passwd_writes_is_understood() {
        // "password", as mosquitto 2.0 and, before it, mosquitto 1.x hashed it.
        let new = Password::parse(NEW).unwrap();
        let old = Password::parse(OLD).unwrap();
        for hashed in [new, old] {
            assert!(accepts(&hashed, b"password"));
            assert!(!accepts(&hashed, b"Password"));
            // The rounds that make all users alike change nothing.
            assert!(is(Some(&hashed), b"password", 500));
        }
        assert!(!is(None, b"password", 500));
    }

    #[test]
    fn long_passwords_are_what_hmac_makes_of_them() {
        let long = [b'x'; HMAC_BLOCK + 1];
        let mut hash = [0; LENGTH];
        let iterations = NonZeroU32::MIN;
        pbkdf2::derive(ALGORITHM, iterations, b"salt", &long, &mut hash);
        let salt = b"salt".to_vec();
        let password = Password::Pbkdf2 {
            iterations,
            salt,
            hash,
        };
        assert!(accepts(&password, &long));
        assert!(!accepts(&password, &long[1..]));
    }

    #[test]
    fn no_hash_is_taken_for_a_password() {
        let unreadable = "is a malformed hash";
        let beyond = NEW.replace("$101$", "$10000001$");
        let short = &OLD[..OLD.len() - 4];
        let strange = "looks like a hash of an unknown kind";
        let table = [
            ("$7$101$!!$", unreadable),
            ("$7$0$AAAA$AAAA", unreadable),
            ("$7$101$AAAA$", unreadable),
            ("$6$AAAA", unreadable),
            ("$6$rounds=5000$salt$hash", unreadable),
            (&beyond, unreadable),
            (short, unreadable),
            (
                "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA",
                "is a hash by argon2id, which is not supported",
            ),
            (
                "$2y$10$abcdefghijklmnopqrstuv",
                "is a hash by bcrypt, which is not supported",
            ),
            ("$8$AAAA$AAAA", strange),
            ("$x$", strange),
            ("{SSHA}AAAA", strange),
            (&format!(" {NEW}"), strange),
            (&format!("\"{NEW}\""), strange),
            (&format!("!{OLD}"), strange),
            (
                "pbkdf2_sha256$260000$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA==",
                strange,
            ),
            (
                "argon2$argon2id$v=19$m=102400,t=2,p=8$c2FsdA$aGFzaA",
                "is a hash by argon2id, which is not supported",
            ),
            (
                "bcrypt_sha256$$2b$12$abcdefghijklmnopqrstuv",
                "is a hash by bcrypt, which is not supported",
            ),
            ("PBKDF2$sha256$901$AAAA$AAAA", strange),
            ("", "is empty"),
        ];
        for (text, expected) in table {
            assert_eq!(Password::parse(text).err().unwrap(), expected, "{text}");
        }
    }

    const NEW: &str = "$7$101$0PDn/ZeYsc+WUxJ4$m0mppmp/6v5KTvcYTIIw2Tm8J8LJnTdfwKw9ZepHW3b4MY5ltfv+1tnTGfk/4Q8UHHlO90tD9pxSUWmycqvnrA==";
    const OLD: &str = "$6$MDEyMzQ1Njc4OWFi$QQ3PWSJ3IyGPP66YMDh3aUdVyS29efC2oPtFLnz5O/EXQO4dovrApaaZv32acQ3b0Lt02H8GBYcsYpkBYYcERg==";
}
