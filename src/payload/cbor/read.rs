//! The heads of items (RFC 8949 §3).

use super::BadCbor;

/// The stop code of what has no length.
pub(crate) const BREAK: u8 = 0xFF;

/// Reads items one after the other.
#[derive(Clone)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    pub(crate) at: usize,
}

/// What an item begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// 0 to 7.
    pub(crate) major: u8,
    /// 0 to 27; 31 for what has no length.
    pub(crate) info: u8,
    /// The number, or the bits of a float.
    pub(crate) value: u64,
}

impl Head {
    pub(crate) const fn is_indefinite(self) -> bool {
        self.info == 31
    }
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(crate) fn take(&mut self, count: u64) -> Result<&'a [u8], BadCbor> {
        let count = usize::try_from(count).map_err(|_| BadCbor::Short)?;
        let end = self.at.checked_add(count).ok_or(BadCbor::Short)?;
        let taken = self.bytes.get(self.at..end).ok_or(BadCbor::Short)?;
        self.at = end;
        Ok(taken)
    }

    pub(crate) const fn is_done(&self) -> bool {
        self.at == self.bytes.len()
    }

    /// Takes a stop code, if it comes next.
    pub(crate) fn stops(&mut self) -> Result<bool, BadCbor> {
        let stops = *self.bytes.get(self.at).ok_or(BadCbor::Short)? == BREAK;
        self.at += usize::from(stops);
        Ok(stops)
    }

    pub(crate) fn head(&mut self) -> Result<Head, BadCbor> {
        let start = self.at;
        let initial = self.take(1)?[0];
        let (major, info) = (initial >> 5, initial & 31);
        let value = match info {
            0..24 => info.into(),
            24..28 => {
                let bytes = self.take(1 << (info - 24))?;
                bytes
                    .iter()
                    .fold(0, |sum, byte| sum << 8 | u64::from(*byte))
            }
            31 if (2..=5).contains(&major) => 0,
            _ => return Err(BadCbor::Initial(start)),
        };
        if major == 7 && info == 24 && value < 32 {
            return Err(BadCbor::Initial(start));
        }
        Ok(Head { major, info, value })
    }

    /// The bytes of a string with a length.
    pub(crate) fn text(&mut self, head: Head) -> Result<&'a str, BadCbor> {
        let start = self.at;
        str::from_utf8(self.take(head.value)?).map_err(|_| BadCbor::Text(start))
    }

    /// The head of one of the pieces that a string without length is made of; `None` at its end.
    pub(crate) fn piece(&mut self, of: Head) -> Result<Option<Head>, BadCbor> {
        if self.stops()? {
            return Ok(None);
        }
        let start = self.at;
        let head = self.head()?;
        if head.major != of.major || head.is_indefinite() {
            return Err(BadCbor::Initial(start));
        }
        Ok(Some(head))
    }

    /// Whether one more item of an array or map follows, of which there were `count`.
    pub(crate) fn follows(&mut self, head: Head, count: u64) -> Result<bool, BadCbor> {
        if head.is_indefinite() {
            return self.stops().map(|stops| !stops);
        }
        Ok(count < head.value)
    }
}

/// The float that a head of major type 7 holds.
pub(crate) fn float(head: Head) -> f64 {
    match head.info {
        25 => half(head.value as u16),
        26 => f32::from_bits(head.value as u32).into(),
        _ => f64::from_bits(head.value),
    }
}

/// RFC 8949 Appendix D.
pub(crate) fn half(bits: u16) -> f64 {
    let (exponent, mantissa) = (i32::from(bits >> 10 & 31), f64::from(bits & 0x3FF));
    let size = match exponent {
        0 => mantissa * 2_f64.powi(-24),
        31 if mantissa == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1024.0 + mantissa) * 2_f64.powi(exponent - 25),
    };
    if bits >> 15 == 1 { -size } else { size }
}
