//! Handshake messages (RFC 5246 §7.4, RFC 8422, RFC 7250): what there is to read and to write in them.

pub(super) const CLIENT_HELLO: u8 = 1;
pub(super) const SERVER_HELLO: u8 = 2;
pub(super) const HELLO_VERIFY_REQUEST: u8 = 3;
pub(super) const CERTIFICATE: u8 = 11;
pub(super) const SERVER_KEY_EXCHANGE: u8 = 12;
pub(super) const CERTIFICATE_REQUEST: u8 = 13;
pub(super) const SERVER_HELLO_DONE: u8 = 14;
pub(super) const CERTIFICATE_VERIFY: u8 = 15;
pub(super) const CLIENT_KEY_EXCHANGE: u8 = 16;
pub(super) const FINISHED: u8 = 20;

pub(super) const VERSION: [u8; 2] = [0xfe, 0xfd];

/// TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8 (RFC 7251).
pub(super) const SUITE: u16 = 0xc0ae;

/// Among cipher suites, it says what an empty renegotiation_info says (RFC 5746 §3.3).
pub(super) const RENEGOTIATION_SUITE: u16 = 0x00ff;

pub(super) const SUPPORTED_GROUPS: u16 = 10;
pub(super) const POINT_FORMATS: u16 = 11;
pub(super) const SIGNATURE_ALGORITHMS: u16 = 13;
pub(super) const CLIENT_CERTIFICATE_TYPE: u16 = 19;
pub(super) const SERVER_CERTIFICATE_TYPE: u16 = 20;
pub(super) const EXTENDED_MASTER_SECRET: u16 = 23;
pub(super) const RENEGOTIATION_INFO: u16 = 0xff01;

/// The certificate type of raw public keys (RFC 7250 §4).
pub(super) const RAW_PUBLIC_KEY: u8 = 2;

/// That of certificates, which needs no extension.
const X509: u8 = 0;

/// secp256r1.
pub(super) const P256: u16 = 23;

/// ecdsa_secp256r1_sha256.
pub(super) const ECDSA_SHA256: u16 = 0x0403;

/// ecdsa_sign, as a type of client certificates.
const ECDSA_SIGN: u8 = 64;

/// `named_curve`, the only way to say a curve.
const NAMED_CURVE: u8 = 3;

/// What is left to be read.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    pub(super) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn number(&mut self, bytes: usize) -> Option<usize> {
        let taken = self.take(bytes)?;
        Some(
            taken
                .iter()
                .fold(0, |sum, byte| sum << 8 | usize::from(*byte)),
        )
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        let taken = self.take(2)?;
        Some(u16::from_be_bytes([taken[0], taken[1]]))
    }

    /// A vector whose length stands before it in so many bytes.
    pub(super) fn vector(&mut self, bytes: usize) -> Option<&'a [u8]> {
        let length = self.number(bytes)?;
        self.take(length)
    }

    /// What was read, if there is nothing more.
    pub(super) const fn end<T>(self, read: T) -> Option<T>
    where
        T: Copy,
    {
        if self.0.is_empty() { Some(read) } else { None }
    }
}

/// Writes a vector with its length before it in so many bytes.
pub(super) fn put(to: &mut Vec<u8>, bytes: usize, vector: &[u8]) {
    // Nothing of ours is longer than a few hundred bytes.
    let length = (vector.len() as u32).to_be_bytes();
    to.extend_from_slice(&length[4 - bytes..]);
    to.extend_from_slice(vector);
}

fn put_extension(to: &mut Vec<u8>, number: u16, value: &[u8]) {
    to.extend_from_slice(&number.to_be_bytes());
    put(to, 2, value);
}

/// Whether a list of two-byte numbers has this one.
fn has(list: &[u8], number: u16) -> bool {
    list.chunks_exact(2).any(|it| it == number.to_be_bytes())
}

/// Extensions as they came.
#[derive(Clone, Copy)]
pub(super) struct Extensions<'a>(&'a [u8]);

impl<'a> Extensions<'a> {
    /// What is left; there may be none at all.
    fn read(reader: &mut Reader<'a>) -> Option<Self> {
        if reader.0.is_empty() {
            return Some(Self(&[]));
        }
        let all = Self(reader.vector(2)?);
        let mut check = Reader(all.0);
        while !check.0.is_empty() {
            check.u16()?;
            check.vector(2)?;
        }
        Some(all)
    }

    pub(super) fn iter(self) -> impl Iterator<Item = (u16, &'a [u8])> {
        let mut reader = Reader(self.0);
        std::iter::from_fn(move || Some((reader.u16()?, reader.vector(2)?)))
    }

    pub(super) fn get(self, number: u16) -> Option<&'a [u8]> {
        self.iter().find(|it| it.0 == number).map(|it| it.1)
    }

    /// Whether a client offers raw public keys by one of the two extensions for it.
    fn offers_raw_keys(self, number: u16) -> bool {
        let list = self.get(number).and_then(|it| Reader(it).vector(1));
        list.is_some_and(|it| it.contains(&RAW_PUBLIC_KEY))
    }
}

/// A ClientHello.
pub(super) struct ClientHello<'a> {
    pub(super) random: [u8; 32],
    suites: &'a [u8],
    extensions: Extensions<'a>,
}

impl<'a> ClientHello<'a> {
    pub(super) fn read(body: &'a [u8]) -> Option<Self> {
        let mut reader = Reader(body);
        let version = reader.take(2)?;
        let random = reader.take(32)?.try_into().ok()?;
        let _session = reader.vector(1)?;
        let _cookie = reader.vector(1)?;
        let suites = reader.vector(2)?;
        let compression = reader.vector(1)?;
        let extensions = Extensions::read(&mut reader)?;
        let fits = version == VERSION && compression.contains(&0) && suites.len() % 2 == 0;
        let hello = Self {
            random,
            suites,
            extensions,
        };
        (fits && reader.0.is_empty()).then_some(hello)
    }

    /// Whether the suite, the curve and the signature that there are here are offered; the curve may be left open.
    pub(super) fn has_our_suite(&self) -> bool {
        let listed = |number| Reader(self.extensions.get(number)?).vector(2);
        has(self.suites, SUITE)
            && listed(SUPPORTED_GROUPS).is_none_or(|it| has(it, P256))
            && listed(SIGNATURE_ALGORITHMS).is_some_and(|it| has(it, ECDSA_SHA256))
    }

    pub(super) fn takes_raw_keys(&self) -> bool {
        self.extensions.offers_raw_keys(SERVER_CERTIFICATE_TYPE)
    }

    /// Whether they come before certificates in the client's list.
    pub(super) fn prefers_raw_keys(&self) -> bool {
        let list = self.extensions.get(SERVER_CERTIFICATE_TYPE);
        let list = list.and_then(|it| Reader(it).vector(1));
        let first = list.and_then(|it| it.iter().find(|it| [X509, RAW_PUBLIC_KEY].contains(it)));
        first == Some(&RAW_PUBLIC_KEY)
    }

    pub(super) fn has_raw_key(&self) -> bool {
        self.extensions.offers_raw_keys(CLIENT_CERTIFICATE_TYPE)
    }

    pub(super) fn extends_master_secret(&self) -> bool {
        self.extensions.get(EXTENDED_MASTER_SECRET).is_some()
    }

    pub(super) fn secures_renegotiation(&self) -> bool {
        self.extensions.get(RENEGOTIATION_INFO) == Some(&[0])
            || has(self.suites, RENEGOTIATION_SUITE)
    }
}

/// The ClientHello of a client that has a key to show, or none.
pub(super) fn client_hello(random: &[u8; 32], cookie: &[u8], has_key: bool) -> Vec<u8> {
    let mut hello = VERSION.to_vec();
    hello.extend_from_slice(random);
    put(&mut hello, 1, &[]);
    put(&mut hello, 1, cookie);
    put(&mut hello, 2, &SUITE.to_be_bytes());
    put(&mut hello, 1, &[0]);
    let mut extensions = Vec::new();
    put_extension(&mut extensions, SUPPORTED_GROUPS, &[0, 2, 0, 23]);
    put_extension(&mut extensions, POINT_FORMATS, &[1, 0]);
    put_extension(&mut extensions, SIGNATURE_ALGORITHMS, &[0, 2, 4, 3]);
    if has_key {
        put_extension(
            &mut extensions,
            CLIENT_CERTIFICATE_TYPE,
            &[1, RAW_PUBLIC_KEY],
        );
    }
    put_extension(
        &mut extensions,
        SERVER_CERTIFICATE_TYPE,
        &[1, RAW_PUBLIC_KEY],
    );
    put_extension(&mut extensions, EXTENDED_MASTER_SECRET, &[]);
    put_extension(&mut extensions, RENEGOTIATION_INFO, &[0]);
    put(&mut hello, 2, &extensions);
    hello
}

/// The cookie of a HelloVerifyRequest.
pub(super) fn cookie(body: &[u8]) -> Option<&[u8]> {
    let mut reader = Reader(body);
    reader.take(2)?;
    let cookie = reader.vector(1)?;
    reader.end(cookie)
}

/// A ServerHello.
pub(super) struct ServerHello<'a> {
    pub(super) random: [u8; 32],
    pub(super) suite: u16,
    pub(super) extensions: Extensions<'a>,
}

impl<'a> ServerHello<'a> {
    pub(super) fn read(body: &'a [u8]) -> Option<Self> {
        let mut reader = Reader(body);
        let version = reader.take(2)?;
        let random = reader.take(32)?.try_into().ok()?;
        let _session = reader.vector(1)?;
        let suite = reader.u16()?;
        let compression = reader.take(1)?;
        let extensions = Extensions::read(&mut reader)?;
        let hello = Self {
            random,
            suite,
            extensions,
        };
        let fits = version == VERSION && compression == [0] && reader.0.is_empty();
        fits.then_some(hello)
    }
}

/// The ServerHello to a client's; `asks`: the client is to show a key.
pub(super) fn server_hello(random: &[u8; 32], to: &ClientHello<'_>, asks: bool) -> Vec<u8> {
    let mut hello = VERSION.to_vec();
    hello.extend_from_slice(random);
    put(&mut hello, 1, &[]);
    hello.extend_from_slice(&SUITE.to_be_bytes());
    hello.push(0);
    let mut extensions = Vec::new();
    if to.secures_renegotiation() {
        put_extension(&mut extensions, RENEGOTIATION_INFO, &[0]);
    }
    if to.extends_master_secret() {
        put_extension(&mut extensions, EXTENDED_MASTER_SECRET, &[]);
    }
    if to.extensions.get(POINT_FORMATS).is_some() {
        put_extension(&mut extensions, POINT_FORMATS, &[1, 0]);
    }
    if asks {
        put_extension(&mut extensions, CLIENT_CERTIFICATE_TYPE, &[RAW_PUBLIC_KEY]);
    }
    put_extension(&mut extensions, SERVER_CERTIFICATE_TYPE, &[RAW_PUBLIC_KEY]);
    put(&mut hello, 2, &extensions);
    hello
}

/// A Certificate that is a raw public key (RFC 7250 §3); empty for none.
pub(super) fn certificate(info: &[u8]) -> Vec<u8> {
    let mut certificate = Vec::new();
    put(&mut certificate, 3, info);
    certificate
}

/// What stands in it.
pub(super) fn read_certificate(body: &[u8]) -> Option<&[u8]> {
    let mut reader = Reader(body);
    let info = reader.vector(3)?;
    reader.end(info)
}

/// The part of a ServerKeyExchange that is signed: the curve and the server's point.
pub(super) fn parameters(point: &[u8]) -> Vec<u8> {
    let mut parameters = vec![NAMED_CURVE];
    parameters.extend_from_slice(&P256.to_be_bytes());
    put(&mut parameters, 1, point);
    parameters
}

/// A ServerKeyExchange: the point, all that is signed of it, and the signature.
pub(super) fn read_server_key_exchange(body: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let mut reader = Reader(body);
    let is_curve = reader.number(1)? == usize::from(NAMED_CURVE) && reader.u16()? == P256;
    let point = reader.vector(1)?;
    let signed = &body[..body.len() - reader.0.len()];
    let signature = read_signature(reader.0)?;
    is_curve.then_some((point, signed, signature))
}

/// A signature with its algorithm, which is all there is in a CertificateVerify.
pub(super) fn signature(signature: &[u8]) -> Vec<u8> {
    let mut signed = ECDSA_SHA256.to_be_bytes().to_vec();
    put(&mut signed, 2, signature);
    signed
}

pub(super) fn read_signature(body: &[u8]) -> Option<&[u8]> {
    let mut reader = Reader(body);
    let is_ours = reader.u16()? == ECDSA_SHA256;
    let signature = reader.vector(2)?;
    reader.end(signature).filter(|_| is_ours)
}

/// A CertificateRequest for a key of ours.
pub(super) fn certificate_request() -> Vec<u8> {
    let mut request = Vec::new();
    put(&mut request, 1, &[ECDSA_SIGN]);
    put(&mut request, 2, &ECDSA_SHA256.to_be_bytes());
    put(&mut request, 2, &[]);
    request
}

/// Whether a CertificateRequest asks for what a key of ours can give.
pub(super) fn is_for_our_key(body: &[u8]) -> Option<bool> {
    let mut reader = Reader(body);
    let types = reader.vector(1)?;
    let algorithms = reader.vector(2)?;
    let _authorities = reader.vector(2)?;
    reader.end(types.contains(&ECDSA_SIGN) && has(algorithms, ECDSA_SHA256))
}

/// The point of a ClientKeyExchange.
pub(super) fn read_client_key_exchange(body: &[u8]) -> Option<&[u8]> {
    let mut reader = Reader(body);
    let point = reader.vector(1)?;
    reader.end(point)
}

/// What an alert says (RFC 5246 §7.2).
pub(in crate::coap::secure) fn alert_name(number: u8) -> String {
    let name = match number {
        0 => "close notify",
        10 => "unexpected message",
        20 => "bad record MAC",
        40 => "handshake failure",
        42 => "bad certificate",
        43 => "unsupported certificate",
        44 => "certificate revoked",
        45 => "certificate expired",
        46 => "certificate unknown",
        47 => "illegal parameter",
        48 => "unknown CA",
        49 => "access denied",
        50 => "decode error",
        51 => "decrypt error",
        70 => "protocol version",
        71 => "insufficient security",
        80 => "internal error",
        100 => "no renegotiation",
        110 => "unsupported extension",
        115 => "unknown PSK identity",
        other => return format!("alert {other}"),
    };
    String::from(name)
}
