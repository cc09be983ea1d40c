//! Who we are, before AMQP 1.0 itself begins (AMQP 1.0 part 5 §5.3).
//!
//! The library has this too, but tells neither what the server offers nor takes a certificate over a stream of ours.

use std::io;

use fe2o3_amqp::types::primitives::{Binary, Symbol};
use fe2o3_amqp::types::sasl::{SaslCode, SaslInit, SaslMechanisms, SaslOutcome};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::super::client::{Login, Mechanism};
use super::super::heard::Listening;

/// The protocol header of SASL (§5.3.1).
const HEADER: [u8; 8] = *b"AMQP\x03\x01\0\0";

/// The largest frame of a negotiation (§5.3.3.1).
const LARGEST: usize = 512;

/// The type of its frames.
const SASL: u8 = 1;

/// Why nobody is logged in.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The connection broke.
    Broke,
    /// The server speaks something else, or another version of it.
    Foreign,
    /// It has none of our ways to log in, but these.
    Offers(String),
    /// It does not take us.
    Denied,
    /// It cannot say yet: try again later.
    Unready,
    /// What it said makes no sense.
    Nonsense(String),
}

impl From<io::Error> for Refusal {
    fn from(_: io::Error) -> Self {
        Self::Broke
    }
}

/// Logs in. Who says nothing of himself is `ANONYMOUS` where the server knows no other guest.
///
/// # Errors
/// Why not.
pub(super) async fn log_in(
    stream: &mut Listening,
    login: &Login,
    host: &str,
) -> Result<(), Refusal> {
    stream.write_all(&HEADER).await?;
    stream.flush().await?;
    let mut header = [0; HEADER.len()];
    stream.read_exact(&mut header).await?;
    if header != HEADER {
        return Err(Refusal::Foreign);
    }
    let offered: SaslMechanisms = receive(stream).await?;
    let offered = offered.sasl_server_mechanisms.0;
    let mechanism = chosen(login, &offered)?;
    let response = match mechanism {
        // The identity is in the certificate, or nowhere.
        Mechanism::External | Mechanism::Anonymous => Vec::new(),
        Mechanism::Plain | Mechanism::AmqPlain => login.response(),
    };
    let init = SaslInit {
        mechanism: Symbol::from(mechanism.name()),
        initial_response: Some(Binary::from(response)),
        hostname: Some(host.to_owned()),
    };
    send(stream, &init).await?;
    let outcome: SaslOutcome = receive(stream).await?;
    match outcome.code {
        SaslCode::Ok => Ok(()),
        SaslCode::Auth | SaslCode::SysPerm => Err(Refusal::Denied),
        SaslCode::Sys | SaslCode::SysTemp => Err(Refusal::Unready),
    }
}

fn chosen(login: &Login, offered: &[Symbol]) -> Result<Mechanism, Refusal> {
    let has = |mechanism: Mechanism| offered.iter().any(|name| name.as_str() == mechanism.name());
    if has(login.mechanism) {
        return Ok(login.mechanism);
    }
    if login.guest && login.mechanism == Mechanism::Plain && has(Mechanism::Anonymous) {
        return Ok(Mechanism::Anonymous);
    }
    let names: Vec<&str> = offered.iter().map(Symbol::as_str).collect();
    Err(Refusal::Offers(names.join(" ")))
}

async fn send(stream: &mut Listening, what: &impl Serialize) -> Result<(), Refusal> {
    let body = serde_amqp::to_vec(what).map_err(|why| Refusal::Nonsense(why.to_string()))?;
    // A user name and a password fit by far; longer ones are refused by the server.
    let size = u32::try_from(body.len() + 8).unwrap_or(u32::MAX);
    let mut frame = size.to_be_bytes().to_vec();
    frame.extend([2, SASL, 0, 0]);
    frame.extend(body);
    stream.write_all(&frame).await?;
    Ok(stream.flush().await?)
}

async fn receive<T: DeserializeOwned>(stream: &mut Listening) -> Result<T, Refusal> {
    let mut head = [0; 8];
    stream.read_exact(&mut head).await?;
    let [a, b, c, d, offset, kind, ..] = head;
    let size = u32::from_be_bytes([a, b, c, d]) as usize;
    let start = usize::from(offset) * 4;
    if kind != SASL || !(8..=LARGEST).contains(&size) || !(8..=size).contains(&start) {
        return Err(Refusal::Nonsense(String::from("a malformed SASL frame")));
    }
    let mut body = vec![0; size - 8];
    stream.read_exact(&mut body).await?;
    let body = body.get(start - 8..).unwrap_or_default();
    serde_amqp::from_slice(body)
        .map_err(|_| Refusal::Nonsense(String::from("an unexpected SASL frame")))
}
