//! What the server says of itself when it opens the connection, which the library keeps for itself.

use fe2o3_amqp::types::performatives::Open;
use fe2o3_amqp::types::primitives::{Symbol, Value};

use super::super::address::Dialect;

/// The type of AMQP frames (AMQP 1.0 part 2 §2.3.1).
const AMQP: u8 = 0;

/// How the server writes addresses, by the first bytes that came from it.
pub(super) fn dialect(heard: &[u8]) -> Dialect {
    let Some(open) = open(heard) else {
        return Dialect::Plain;
    };
    let word = |name: &str| {
        let properties = open.properties.as_ref()?;
        match properties.get(&Symbol::from(name))? {
            Value::String(text) => Some(text.as_str()),
            Value::Symbol(symbol) => Some(symbol.as_str()),
            _ => None,
        }
    };
    Dialect::of(
        word("product").unwrap_or_default(),
        word("version").unwrap_or_default(),
    )
}

/// The performative `open`: behind the protocol headers and the frames of the login.
fn open(heard: &[u8]) -> Option<Open> {
    let mut rest = heard;
    loop {
        if let Some(behind) = rest.strip_prefix(b"AMQP") {
            rest = behind.get(4..)?;
            continue;
        }
        let size = u32::from_be_bytes(*rest.first_chunk()?) as usize;
        let frame = rest.get(..size)?;
        let [offset, kind] = *frame.get(4..6)?.first_chunk()?;
        if kind == AMQP {
            return serde_amqp::from_slice(frame.get(usize::from(offset) * 4..)?).ok();
        }
        rest = rest.get(size..)?;
        // A frame of no size would be the next one for ever.
        if size == 0 {
            return None;
        }
    }
}
