//! Passwords as a password file has them: in plain text, or hashed by `mosquitto_passwd`.

use std::num::NonZeroU32;

use argon2::{Algorithm, Argon2, Params, Version};
use data_encoding::{BASE64, BASE64_NOPAD};
use ring::{digest, pbkdf2};

use crate::connect::same;

/// More would let one login hold a thread for many seconds.
const MOST_ITERATIONS: u32 = 10_000_000;

/// More would let a few logins take the memory of the machine, in KiB.
const MOST_MEMORY: u32 = 256 * 1024;

/// More passes over that memory would hold a thread for seconds.
const MOST_PASSES: u32 = 64;

/// Lanes of argon2; ours are computed one after the other.
const MOST_LANES: u32 = 64;

/// Bytes of a SHA-512 digest, and of what `mosquitto_passwd` derives.
const LENGTH: usize = digest::SHA512_OUTPUT_LEN;

/// Longer passwords are hashed by HMAC-SHA-512 before they are used as its key (RFC 2104 §2), in bytes.
const HMAC_BLOCK: usize = 128;

/// Names of hashes in the modular crypt format, as people know them.
const KINDS: [(&str, &str); 9] = [
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
    /// Bytes that the file has in plain text, and their SHA-512 digest.
    Plain { text: Vec<u8>, hash: [u8; LENGTH] },
    /// `$6$SALT$HASH`: SHA-512 over password and salt.
    Sha512 { salt: Vec<u8>, hash: [u8; LENGTH] },
    /// `$7$ITERATIONS$SALT$HASH`: PBKDF2 with HMAC-SHA-512.
    Pbkdf2 {
        iterations: NonZeroU32,
        salt: Vec<u8>,
        hash: [u8; LENGTH],
    },
    /// `$argon2id$v=19$m=KIB,t=PASSES,p=LANES$SALT$HASH` (RFC 9106).
    Argon2id {
        params: Params,
        salt: Vec<u8>,
        hash: Vec<u8>,
    },
}

/// How much work a check takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Effort {
    /// Rounds of PBKDF2.
    iterations: u32,
    /// Blocks of 1 KiB that argon2 computes in all its passes.
    blocks: u32,
}

impl Effort {
    /// Whether it takes no time to speak of.
    pub(super) fn is_none(self) -> bool {
        self == Self::default()
    }

    /// Enough for either.
    pub(super) fn max(self, other: Self) -> Self {
        Self {
            iterations: self.iterations.max(other.iterations),
            blocks: self.blocks.max(other.blocks),
        }
    }

    /// What is left of it after `other`, done for nothing.
    fn waste_beyond(self, other: Self, key: &[u8]) {
        if let Some(rest) = NonZeroU32::new(self.iterations.saturating_sub(other.iterations)) {
            let mut unused = [0; LENGTH];
            pbkdf2::derive(ALGORITHM, rest, &[0; 12], key, &mut unused);
            std::hint::black_box(unused);
        }
        // In memory as large as a login may take, in as many passes as that needs.
        let rest = self.blocks.saturating_sub(other.blocks);
        let passes = rest.div_ceil(MOST_MEMORY).max(1);
        if let Ok(params) = Params::new(rest / passes, passes, 1, None) {
            let unused = argon2id(&params, &[0; 16], key, 32);
            std::hint::black_box(unused);
        }
    }
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
            ["", "argon2id", version, params, salt, hash] => {
                Self::argon2id(version, params, salt, hash).ok_or_else(unreadable)
            }
            ["", "6" | "7" | "argon2id", ..] => Err(unreadable()),
            ["", kind, _, ..] => Err(unknown(kind)),
            _ if text.starts_with("PBKDF2$") || is_labelled(text) => Err(unknown("")),
            _ => Ok(Self::Plain {
                text: text.into(),
                hash: sha512_of(text.as_bytes(), &[]),
            }),
        }
    }

    fn argon2id(version: &str, params: &str, salt: &str, hash: &str) -> Option<Self> {
        let number = |part: &str, name: &str| part.strip_prefix(name)?.parse::<u32>().ok();
        let [memory, passes, lanes] = params.split(',').collect::<Vec<_>>().try_into().ok()?;
        let (memory, passes) = (number(memory, "m=")?, number(passes, "t=")?);
        let lanes = number(lanes, "p=")?;
        if version != "v=19" || memory > MOST_MEMORY || passes > MOST_PASSES || lanes > MOST_LANES {
            return None;
        }
        let part = |text: &str| BASE64_NOPAD.decode(text.as_bytes()).ok();
        let (salt, hash) = (part(salt)?, part(hash)?);
        let params = Params::new(memory, passes, lanes, Some(hash.len())).ok()?;
        (argon2::MIN_SALT_LEN..=argon2::MAX_SALT_LEN)
            .contains(&salt.len())
            .then_some(Self::Argon2id { params, salt, hash })
    }

    /// What the file has in plain text.
    pub(super) fn plain(&self) -> Option<&[u8]> {
        match self {
            Self::Plain { text, .. } => Some(text),
            _ => None,
        }
    }

    /// What a check takes.
    pub(super) const fn effort(&self) -> Effort {
        let (iterations, blocks) = match self {
            Self::Pbkdf2 { iterations, .. } => (iterations.get(), 0),
            Self::Argon2id { params, .. } => (0, params.m_cost() * params.t_cost()),
            Self::Plain { .. } | Self::Sha512 { .. } => (0, 0),
        };
        Effort { iterations, blocks }
    }
}

/// Whether `shown` is the password; `None`: there is none to show.
///
/// It takes the same time whatever the password is, and whether there is one: one digest of what was shown and `most`
/// of PBKDF2 and argon2, of which no password takes more. So time does not tell who is a user.
pub(super) fn is(password: Option<&Password>, shown: &[u8], most: Effort) -> bool {
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
        Some(Password::Plain { hash, .. } | Password::Sha512 { hash, .. }) => digest == *hash,
        Some(Password::Pbkdf2 {
            iterations,
            salt,
            hash,
        }) => pbkdf2::verify(ALGORITHM, *iterations, salt, key, hash).is_ok(),
        Some(Password::Argon2id { params, salt, hash }) => {
            argon2id(params, salt, shown, hash.len()).is_some_and(|it| same(&it, hash))
        }
    };
    most.waste_beyond(password.map(Password::effort).unwrap_or_default(), key);
    accepted
}

/// `None`: not with these parameters.
fn argon2id(params: &Params, salt: &[u8], shown: &[u8], length: usize) -> Option<Vec<u8>> {
    let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
    let mut hash = vec![0; length];
    let hashed = hasher.hash_password_into(shown, salt, &mut hash);
    hashed.ok().map(|()| hash)
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
    let known = KINDS.iter().any(|(mark, _)| *mark == kind)
        || ["6", "7", "argon2id", "apr1"].contains(&kind);
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
        is(Some(password), shown, password.effort())
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
            let most = Effort {
                iterations: 500,
                blocks: 100,
            };
            assert!(is(Some(&hashed), b"password", most));
            assert!(!is(None, b"password", most));
        }
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
            ("$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA", unreadable),
            (&ARGON.replace("v=19", "v=16"), unreadable),
            (&ARGON.replace("m=64", "m=262145"), unreadable),
            (&ARGON.replace("t=1", "t=65"), unreadable),
            (&ARGON.replace("p=1", "p=0"), unreadable),
            (&ARGON.replace("$m=64,t=1,p=1", ""), unreadable),
            (
                "$argon2i$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA",
                "is a hash by argon2i, which is not supported",
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
                strange,
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

    #[test]
    fn argon2id_is_understood() {
        // "password", as the reference implementation hashed it: one lane, four lanes, and as mosquitto 2.1 asks for it.
        for hash in [ARGON, LANES, MOSQUITTO] {
            let password = Password::parse(hash).unwrap();
            assert!(accepts(&password, b"password"));
            assert!(!accepts(&password, b"Password"));
            // A user with an easier password takes as long.
            let most = Effort {
                iterations: 10,
                blocks: 50_000,
            };
            assert!(is(Some(&password), b"password", most));
        }
    }

    const ARGON: &str =
        "$argon2id$v=19$m=64,t=1,p=1$MDEyMzQ1Njc4OWFi$xxFyw6sthWjNXKDiZ/dJO2N4z2P5I2Dxf/vp++tEuEk";
    const LANES: &str = "$argon2id$v=19$m=4096,t=3,p=4$MDEyMzQ1Njc4OWFi$HmJwHmULf9qp/8ZX5wWCin05QOzV74GGBw6+dbILK/M";
    const MOSQUITTO: &str = "$argon2id$v=19$m=47104,t=1,p=1$MDEyMzQ1Njc4OWFi$LeLTssSUrpgYXgs41TdHU+QyiFpwn81avXGjHYvIXc7igFhvVy+G0+QBQq40pmtaoxIHgXZ/M7e3F+7qyrGE4A";
    const NEW: &str = "$7$101$0PDn/ZeYsc+WUxJ4$m0mppmp/6v5KTvcYTIIw2Tm8J8LJnTdfwKw9ZepHW3b4MY5ltfv+1tnTGfk/4Q8UHHlO90tD9pxSUWmycqvnrA==";
    const OLD: &str = "$6$MDEyMzQ1Njc4OWFi$QQ3PWSJ3IyGPP66YMDh3aUdVyS29efC2oPtFLnz5O/EXQO4dovrApaaZv32acQ3b0Lt02H8GBYcsYpkBYYcERg==";
}
