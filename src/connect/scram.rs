//! SCRAM (RFC 5802) with SHA-256 (RFC 7677) and SHA-512: both sides of a login in which the password is never sent.
//!
//! Without channel binding, and without SASLprep: passwords and names are compared byte for byte, which for ASCII is the
//! same.

use std::num::NonZeroU32;

use data_encoding::BASE64;
use ring::{digest, hmac, pbkdf2};

use super::secret::{Secret, same};
use crate::random::unguessable;

/// Rounds of PBKDF2 that our server asks for (RFC 7677 §4 wants 4096 at least).
const ITERATIONS: NonZeroU32 = match NonZeroU32::new(4096) {
    Some(iterations) => iterations,
    None => NonZeroU32::MIN,
};

/// More would let a server keep a client busy for many seconds.
const MOST_ITERATIONS: u32 = 1_000_000;

/// The header of a client that supports no channel binding, and its base64 (RFC 5802 §7).
const HEADER: &str = "n,,";
const HEADER_BASE64: &str = "biws";

/// A mechanism by its hash function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mechanism {
    /// `SCRAM-SHA-256`.
    Sha256,
    /// `SCRAM-SHA-512`.
    Sha512,
}

impl Mechanism {
    /// The mechanism of this name, as SASL registers it.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let all = [Self::Sha256, Self::Sha512];
        all.into_iter().find(|it| it.name() == name)
    }

    /// Its name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "SCRAM-SHA-256",
            Self::Sha512 => "SCRAM-SHA-512",
        }
    }

    fn hash(self, bytes: &[u8]) -> Vec<u8> {
        let algorithm = match self {
            Self::Sha256 => &digest::SHA256,
            Self::Sha512 => &digest::SHA512,
        };
        digest::digest(algorithm, bytes).as_ref().to_vec()
    }

    fn hmac(self, key: &[u8], text: &str) -> Vec<u8> {
        let algorithm = match self {
            Self::Sha256 => hmac::HMAC_SHA256,
            Self::Sha512 => hmac::HMAC_SHA512,
        };
        let key = hmac::Key::new(algorithm, key);
        hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
    }

    /// RFC 5802 §3.
    fn salted(self, password: &[u8], salt: &[u8], iterations: NonZeroU32) -> Vec<u8> {
        let (algorithm, length) = match self {
            Self::Sha256 => (pbkdf2::PBKDF2_HMAC_SHA256, digest::SHA256_OUTPUT_LEN),
            Self::Sha512 => (pbkdf2::PBKDF2_HMAC_SHA512, digest::SHA512_OUTPUT_LEN),
        };
        let mut salted = vec![0; length];
        pbkdf2::derive(algorithm, iterations, salt, password, &mut salted);
        salted
    }
}

/// What both sides make of a password (RFC 5802 §3).
struct Keys {
    client: Vec<u8>,
    server: Vec<u8>,
}

impl Keys {
    fn of(mechanism: Mechanism, password: &[u8], salt: &[u8], iterations: NonZeroU32) -> Self {
        let salted = mechanism.salted(password, salt, iterations);
        Self {
            client: mechanism.hmac(&salted, "Client Key"),
            server: mechanism.hmac(&salted, "Server Key"),
        }
    }
}

/// A client that logs in.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    mechanism: Mechanism,
    password: Secret,
    /// `n=USER,r=NONCE`.
    bare: String,
    nonce: String,
    /// What the server must answer at the end.
    signature: Option<Vec<u8>>,
}

impl Client {
    /// A login with a nonce of its own.
    pub(crate) fn new(mechanism: Mechanism, user: &str, password: Secret) -> Self {
        Self::with_nonce(mechanism, user, password, nonce())
    }

    fn with_nonce(mechanism: Mechanism, user: &str, password: Secret, nonce: String) -> Self {
        let user = user.replace('=', "=3D").replace(',', "=2C");
        Self {
            mechanism,
            password,
            bare: format!("n={user},r={nonce}"),
            nonce,
            signature: None,
        }
    }

    /// The first message.
    pub(crate) fn first(&self) -> String {
        format!("{HEADER}{}", self.bare)
    }

    /// The answer to the server's first message.
    ///
    /// # Errors
    /// What is wrong with that message.
    pub(crate) fn last(&mut self, challenge: &str) -> Result<String, &'static str> {
        let (nonce, salt, iterations) = read_challenge(challenge)?;
        if !nonce.starts_with(&self.nonce) || nonce == self.nonce {
            return Err("its nonce does not continue ours");
        }
        let keys = Keys::of(self.mechanism, self.password.reveal(), &salt, iterations);
        let bare = format!("c={HEADER_BASE64},r={nonce}");
        let text = format!("{},{challenge},{bare}", self.bare);
        let stored = self.mechanism.hash(&keys.client);
        let proof = xor(&keys.client, &self.mechanism.hmac(&stored, &text));
        self.signature = Some(self.mechanism.hmac(&keys.server, &text));
        Ok(format!("{bare},p={}", BASE64.encode(&proof)))
    }

    /// Checks the server's last message: whether it knows the password, too.
    ///
    /// # Errors
    /// It does not, or says that we do not.
    pub(crate) fn check(&self, outcome: &str) -> Result<(), &'static str> {
        let signature = outcome.strip_prefix("v=").ok_or("it refuses the login")?;
        let shown = BASE64.decode(signature.split(',').next().unwrap_or("").as_bytes());
        match (&self.signature, shown) {
            (Some(expected), Ok(shown)) if same(expected, &shown) => Ok(()),
            _ => Err("it does not know the password itself: its signature is wrong"),
        }
    }
}

/// Nonce, salt and rounds of the server's first message.
fn read_challenge(text: &str) -> Result<(&str, Vec<u8>, NonZeroU32), &'static str> {
    let mut parts = text.splitn(3, ',');
    let mut next = |mark| parts.next().and_then(|part| part.strip_prefix(mark));
    let (nonce, salt, rest) = (next("r="), next("s="), next("i="));
    let salt = salt.and_then(|salt| BASE64.decode(salt.as_bytes()).ok());
    let rounds = rest.and_then(|rest| rest.split(',').next()?.parse::<NonZeroU32>().ok());
    match (nonce, salt, rounds) {
        (Some(_), Some(_), Some(rounds)) if rounds.get() > MOST_ITERATIONS => {
            Err("it asks for too many iterations")
        }
        (Some(nonce), Some(salt), Some(rounds)) => Ok((nonce, salt, rounds)),
        _ => Err("it is malformed"),
    }
}

/// A server's side of one login.
#[derive(Debug)]
pub(crate) struct Server {
    mechanism: Mechanism,
    user: String,
    /// What the client signs: its first message and ours.
    text: String,
    nonce: String,
    salt: [u8; 16],
}

impl Server {
    /// Takes the client's first message; with the answer to it. Whether there is such a user is not told before the end.
    ///
    /// # Errors
    /// The message is malformed, or wants channel binding.
    pub(crate) fn new(mechanism: Mechanism, first: &str) -> Result<(Self, String), &'static str> {
        Self::with(mechanism, first, &nonce(), salt())
    }

    fn with(
        mechanism: Mechanism,
        first: &str,
        own: &str,
        salt: [u8; 16],
    ) -> Result<(Self, String), &'static str> {
        let malformed = "malformed first message";
        // Who could bind the channel and sees that we cannot says `y`.
        let bare = first
            .strip_prefix("n,,")
            .or_else(|| first.strip_prefix("y,,"));
        let bare = bare.ok_or("channel binding and other identities are not supported")?;
        let (user, nonce) = bare.split_once(',').ok_or(malformed)?;
        let user = user.strip_prefix("n=").ok_or(malformed)?;
        let nonce = nonce.strip_prefix("r=").filter(|it| !it.is_empty());
        let nonce = nonce.and_then(|it| it.split(',').next()).ok_or(malformed)?;
        let nonce = format!("{nonce}{own}");
        let challenge = format!("r={nonce},s={},i={ITERATIONS}", BASE64.encode(&salt));
        let server = Self {
            mechanism,
            user: user.replace("=2C", ",").replace("=3D", "="),
            text: format!("{bare},{challenge}"),
            nonce,
            salt,
        };
        Ok((server, challenge))
    }

    /// Who wants to log in.
    pub(crate) fn user(&self) -> &str {
        &self.user
    }

    /// Checks the client's last message against the password of its user, `None`: there is no such user. The answer to
    /// the right one; `None`: it is wrong.
    pub(crate) fn verify(&self, last: &str, password: Option<&[u8]>) -> Option<String> {
        let keys = Keys::of(
            self.mechanism,
            password.unwrap_or(b"nobody"),
            &self.salt,
            ITERATIONS,
        );
        let (bare, proof) = last.rsplit_once(",p=")?;
        let nonce = bare.split(',').nth(1)?.strip_prefix("r=")?;
        let proof = BASE64.decode(proof.as_bytes()).ok()?;
        let text = format!("{},{bare}", self.text);
        let stored = self.mechanism.hash(&keys.client);
        let client = xor(&proof, &self.mechanism.hmac(&stored, &text));
        let right = nonce == self.nonce && same(&self.mechanism.hash(&client), &stored);
        let signature = self.mechanism.hmac(&keys.server, &text);
        (right && password.is_some()).then(|| format!("v={}", BASE64.encode(&signature)))
    }
}

fn xor(one: &[u8], other: &[u8]) -> Vec<u8> {
    one.iter()
        .zip(other)
        .map(|(one, other)| one ^ other)
        .collect()
}

fn nonce() -> String {
    format!("{:016x}{:016x}", unguessable(), unguessable())
}

fn salt() -> [u8; 16] {
    let halves = [unguessable(), unguessable()];
    let mut salt = [0; 16];
    salt[..8].copy_from_slice(&halves[0].to_le_bytes());
    salt[8..].copy_from_slice(&halves[1].to_le_bytes());
    salt
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7677 §3.
    #[test]
    fn the_example_of_the_rfc_holds() {
        let nonce = String::from("rOprNGfwEbeRWgbNEkqO");
        let password = || Secret::from("pencil");
        let mut client = Client::with_nonce(Mechanism::Sha256, "user", password(), nonce);
        assert_eq!(client.first(), "n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        let salt = BASE64.decode(b"W22ZaJ0SNY7soEsUEjb6gQ==").unwrap();
        let own = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let (server, challenge) = Server::with(
            Mechanism::Sha256,
            &client.first(),
            own,
            salt.try_into().unwrap(),
        )
        .unwrap();
        assert_eq!(
            challenge,
            "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
        );
        let last = client.last(&challenge).unwrap();
        assert_eq!(
            last,
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
        );
        let outcome = server.verify(&last, Some(b"pencil")).unwrap();
        assert_eq!(outcome, "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
        assert_eq!(client.check(&outcome), Ok(()));
        assert_eq!(server.verify(&last, Some(b"pen")), None);
        assert_eq!(server.verify(&last, None), None);
    }

    #[test]
    fn both_sides_agree_with_either_hash() {
        for mechanism in [Mechanism::Sha256, Mechanism::Sha512] {
            assert_eq!(Mechanism::named(mechanism.name()), Some(mechanism));
            let mut client = Client::new(mechanism, "a=b,c", Secret::from("geheim"));
            let (server, challenge) = Server::new(mechanism, &client.first()).unwrap();
            assert_eq!(server.user(), "a=b,c");
            let last = client.last(&challenge).unwrap();
            let outcome = server.verify(&last, Some(b"geheim")).unwrap();
            assert_eq!(client.check(&outcome), Ok(()));
            assert!(client.check("v=AAAA").is_err());
            assert!(client.check("e=invalid-proof").is_err());
            assert_eq!(
                server.verify(&last.replace(",r=", ",r=x"), Some(b"geheim")),
                None
            );
        }
    }

    #[test]
    fn what_is_wrong_with_a_message_is_told() {
        let password = || Secret::from("x");
        let client = || Client::with_nonce(Mechanism::Sha256, "u", password(), "abc".into());
        let table = [
            ("", "it is malformed"),
            ("r=abcd,s=!!,i=4096", "it is malformed"),
            ("r=abcd,s=AAAA,i=0", "it is malformed"),
            ("e=other-error", "it is malformed"),
            ("r=abc,s=AAAA,i=4096", "its nonce does not continue ours"),
            ("r=xyzd,s=AAAA,i=4096", "its nonce does not continue ours"),
            ("r=abcd,s=AAAA,i=1000001", "it asks for too many iterations"),
        ];
        for (challenge, why) in table {
            assert_eq!(client().last(challenge), Err(why), "{challenge}");
        }
        for first in [
            "",
            "p=tls-unique,,n=u,r=x",
            "n,a=z,n=u,r=x",
            "n,,n=u",
            "n,,r=x,n=u",
            "n,,n=u,r=",
        ] {
            assert!(Server::new(Mechanism::Sha256, first).is_err(), "{first}");
        }
    }
}
