//! Cookies (RFC 6347 §4.2.1): who begins a handshake shows first that it is where it says it is. Until then nothing is
//! kept of it, so that forged addresses take nobody's place.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ring::hmac;
use rtc_crypto::{CryptoError, RTCCrypto, RTCCryptoProvider, RTCRandom};

use crate::coap::endpoint::Peer;

/// Bytes of a cookie of the library's.
const LENGTH: usize = 20;

/// A cookie is good for this long at least, and twice as long at most.
const PERIOD: Duration = Duration::from_secs(60);

/// A cookie.
pub(super) type Cookie = [u8; LENGTH];

/// Makes cookies, and knows them again.
pub(super) struct Cookies {
    secret: hmac::Key,
    since: Instant,
}

impl Cookies {
    pub(super) fn new(now: Instant, random: &dyn RTCRandom) -> Result<Self, CryptoError> {
        let mut secret = [0; 32];
        random.fill(&mut secret)?;
        Ok(Self {
            secret: hmac::Key::new(hmac::HMAC_SHA256, &secret),
            since: now,
        })
    }

    /// The one for a peer and the random bytes of its ClientHello.
    pub(super) fn make(&self, now: Instant, peer: Peer, random: &[u8]) -> Cookie {
        self.of_period(self.period(now), peer, random)
    }

    /// The cookie, when it is one of ours for this peer.
    pub(super) fn check(
        &self,
        now: Instant,
        peer: Peer,
        random: &[u8],
        cookie: &[u8],
    ) -> Option<Cookie> {
        let period = self.period(now);
        let ours = [period, period.wrapping_sub(1)];
        let mut ours = ours.iter().map(|it| self.of_period(*it, peer, random));
        ours.find(|it| it == cookie)
    }

    fn period(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.since).as_secs() / PERIOD.as_secs()
    }

    fn of_period(&self, period: u64, peer: Peer, random: &[u8]) -> Cookie {
        let mut context = hmac::Context::with_key(&self.secret);
        context.update(&period.to_be_bytes());
        context.update(format!("{peer} {:?}", peer.local()).as_bytes());
        context.update(random);
        let tag = context.sign();
        let mut cookie = [0; LENGTH];
        // A tag of SHA-256 has 32 bytes.
        cookie.copy_from_slice(&tag.as_ref()[..LENGTH]);
        cookie
    }
}

/// The library draws the cookie that it waits for at random: this hands it the one that the client has already.
pub(super) struct Dealer {
    provider: Arc<dyn RTCCryptoProvider>,
    random: Dealt,
}

struct Dealt {
    provider: Arc<dyn RTCCryptoProvider>,
    next: Mutex<Option<Cookie>>,
}

impl Dealer {
    pub(super) fn new(provider: Arc<dyn RTCCryptoProvider>) -> Self {
        let next = Mutex::new(None);
        Self {
            random: Dealt {
                provider: Arc::clone(&provider),
                next,
            },
            provider,
        }
    }

    /// The next cookie that is drawn is this one.
    pub(super) fn deal(&self, cookie: Cookie) {
        *self.random.next() = Some(cookie);
    }
}

impl Dealt {
    fn next(&self) -> std::sync::MutexGuard<'_, Option<Cookie>> {
        // What it holds is whole at any time.
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RTCCryptoProvider for Dealer {
    fn name(&self) -> &'static str {
        self.provider.name()
    }

    fn crypto(&self) -> &dyn RTCCrypto {
        self.provider.crypto()
    }

    fn random(&self) -> &dyn RTCRandom {
        &self.random
    }
}

impl RTCRandom for Dealt {
    fn fill(&self, output: &mut [u8]) -> Result<(), CryptoError> {
        if output.len() == LENGTH
            && let Some(cookie) = self.next().take()
        {
            output.copy_from_slice(&cookie);
            return Ok(());
        }
        self.provider.random().fill(output)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_for_one_peer_and_one_hello_and_not_for_ever() {
        let provider = rtc_crypto::default_provider().expect("a provider");
        let now = Instant::now();
        let cookies = Cookies::new(now, provider.random()).expect("random bytes");
        let [one, other]: [Peer; 2] = [1, 2].map(|port| ([192, 0, 2, 1], port).into());
        let cookie = cookies.make(now, one, b"random");
        let check = |now, peer, random: &[u8]| cookies.check(now, peer, random, &cookie).is_some();
        assert!(check(now, one, b"random") && check(now + PERIOD, one, b"random"));
        assert!(!check(now, other, b"random") && !check(now, one, b"other"));
        assert!(!check(
            now,
            one.asking(Some([127, 0, 0, 2].into())),
            b"random"
        ));
        assert!(!check(now + 2 * PERIOD, one, b"random"));
    }
}
