//! Options: their numbers, names and value formats (RFC 7252 §5.10 and its extensions), and the list that a
//! message carries.

use std::fmt;

use bytes::Bytes;

use super::block::Block;

/// How the value of an option is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// No value.
    Empty,
    /// Any bytes.
    Opaque,
    /// An unsigned number in network order without leading zeros.
    Uint,
    /// UTF-8.
    Text,
}

/// What is registered about an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registered {
    /// The number.
    pub number: u16,
    /// The registered name: `Uri-Path`.
    pub name: &'static str,
    /// How its value is read.
    pub format: Format,
    /// The shortest and the longest value, in bytes.
    pub length: (usize, usize),
    /// Whether it may come more than once.
    pub repeatable: bool,
}

macro_rules! options {
    ($($constant:ident $number:literal $name:literal $format:ident $min:literal $max:literal $repeatable:literal),* $(,)?) => {
        $(#[doc = $name] pub const $constant: u16 = $number;)*

        /// Every option that has a name here, by number.
        pub const REGISTERED: &[Registered] = &[$(Registered {
            number: $number,
            name: $name,
            format: Format::$format,
            length: ($min, $max),
            repeatable: $repeatable,
        }),*];
    };
}

options! {
    IF_MATCH 1 "If-Match" Opaque 0 8 true,
    URI_HOST 3 "Uri-Host" Text 1 255 false,
    ETAG 4 "ETag" Opaque 1 8 true,
    IF_NONE_MATCH 5 "If-None-Match" Empty 0 0 false,
    OBSERVE 6 "Observe" Uint 0 3 false,
    URI_PORT 7 "Uri-Port" Uint 0 2 false,
    LOCATION_PATH 8 "Location-Path" Text 0 255 true,
    OSCORE 9 "OSCORE" Opaque 0 255 false,
    URI_PATH 11 "Uri-Path" Text 0 255 true,
    CONTENT_FORMAT 12 "Content-Format" Uint 0 2 false,
    MAX_AGE 14 "Max-Age" Uint 0 4 false,
    URI_QUERY 15 "Uri-Query" Text 0 255 true,
    HOP_LIMIT 16 "Hop-Limit" Uint 1 1 false,
    ACCEPT 17 "Accept" Uint 0 2 false,
    Q_BLOCK1 19 "Q-Block1" Uint 0 3 false,
    LOCATION_QUERY 20 "Location-Query" Text 0 255 true,
    EDHOC 21 "EDHOC" Empty 0 0 false,
    BLOCK2 23 "Block2" Uint 0 3 false,
    BLOCK1 27 "Block1" Uint 0 3 false,
    SIZE2 28 "Size2" Uint 0 4 false,
    Q_BLOCK2 31 "Q-Block2" Uint 0 3 true,
    PROXY_URI 35 "Proxy-Uri" Text 1 1034 false,
    PROXY_SCHEME 39 "Proxy-Scheme" Text 1 255 false,
    SIZE1 60 "Size1" Uint 0 4 false,
    ECHO 252 "Echo" Opaque 1 40 false,
    NO_RESPONSE 258 "No-Response" Uint 0 1 false,
    REQUEST_TAG 292 "Request-Tag" Opaque 0 8 true,
}

/// The longest value that a message can carry, in bytes (RFC 7252 §3.1: 269 + 65 535).
pub const LONGEST_VALUE: usize = 65_804;

/// Whether who does not know this option must refuse the message (RFC 7252 §5.4.1): odd numbers.
pub const fn is_critical(number: u16) -> bool {
    number & 1 == 1
}

/// What is registered about an option, by number.
pub fn registered(number: u16) -> Option<&'static Registered> {
    REGISTERED.iter().find(|it| it.number == number)
}

/// The name of an option: registered here or with IANA, otherwise `None`.
pub fn name(number: u16) -> Option<&'static str> {
    registered(number)
        .map(|it| it.name)
        .or_else(|| coap_numbers::option::to_name(number))
}

/// An option's number by its name, in any case (`if-match`, `Uri-Path`), or by the number itself.
pub fn number(word: &str) -> Option<u16> {
    let named = |it: &&Registered| it.name.eq_ignore_ascii_case(word);
    REGISTERED
        .iter()
        .find(named)
        .map(|it| it.number)
        .or_else(|| word.parse().ok())
}

/// Reads an unsigned value of up to eight bytes; leading zeros are tolerated (RFC 7252 §3.2).
pub fn uint(value: &[u8]) -> Option<u64> {
    if value.len() > 8 {
        return None;
    }
    Some(
        value
            .iter()
            .fold(0, |sum, byte| sum << 8 | u64::from(*byte)),
    )
}

/// Writes an unsigned value in as few bytes as it needs: 0 is no byte at all.
pub fn uint_bytes(value: u64) -> Bytes {
    let bytes = value.to_be_bytes();
    Bytes::copy_from_slice(&bytes[value.leading_zeros() as usize / 8..])
}

/// An option because of which a message must be refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unfit {
    /// Its number.
    pub number: u16,
    /// What is wrong with it.
    pub wrong: Wrong,
}

/// What is wrong with an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// It is critical, and nobody here knows it (RFC 7252 §5.4.1).
    Unknown,
    /// It is reserved for what a location may be some day (§5.10.7).
    Reserved,
    /// Its value is too short, too long, or no text where it has to be (§5.4.3).
    Malformed,
    /// It is there more often than once (§5.4.5).
    Repeated,
}

impl fmt::Display for Unfit {
    /// `Uri-Host (3) is repeated`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match name(self.number) {
            Some(name) => write!(f, "{name} ({}) is ", self.number)?,
            None => write!(f, "option {} is ", self.number)?,
        }
        f.write_str(match self.wrong {
            Wrong::Unknown => "critical and not understood",
            Wrong::Reserved => "reserved and not understood",
            Wrong::Malformed => "malformed",
            Wrong::Repeated => "repeated",
        })
    }
}

/// The options of a message, ascending by number; equal numbers keep the order in which they came.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Options(Vec<(u16, Bytes)>);

impl Options {
    /// No options.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds a value behind the ones of the same number.
    pub fn push(&mut self, number: u16, value: impl Into<Bytes>) {
        let at = self.0.partition_point(|(other, _)| *other <= number);
        self.0.insert(at, (number, value.into()));
    }

    /// Adds an unsigned value.
    pub fn push_uint(&mut self, number: u16, value: u64) {
        self.push(number, uint_bytes(value));
    }

    /// Adds a text value.
    pub fn push_text(&mut self, number: u16, text: &str) {
        self.push(number, Bytes::copy_from_slice(text.as_bytes()));
    }

    /// Replaces all values of this number by one.
    pub fn set(&mut self, number: u16, value: impl Into<Bytes>) {
        self.remove(number);
        self.push(number, value);
    }

    /// Replaces all values of this number by one unsigned value.
    pub fn set_uint(&mut self, number: u16, value: u64) {
        self.set(number, uint_bytes(value));
    }

    /// Sets a Block1 or Block2 option.
    pub fn set_block(&mut self, number: u16, block: Block) {
        self.set_uint(number, block.encode());
    }

    /// Removes all values of this number.
    pub fn remove(&mut self, number: u16) {
        self.0.retain(|(other, _)| *other != number);
    }

    /// Keeps the options for which `keep` says yes.
    pub fn retain(&mut self, mut keep: impl FnMut(u16, &Bytes) -> bool) {
        self.0.retain(|(number, value)| keep(*number, value));
    }

    /// All options in order.
    pub fn iter(&self) -> impl Iterator<Item = (u16, &Bytes)> {
        self.0.iter().map(|(number, value)| (*number, value))
    }

    /// How many options there are.
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// The memory that they take, in bytes.
    pub fn weight(&self) -> usize {
        let values = self.0.iter().map(|(_, value)| value.len());
        values.sum::<usize>() + self.0.len() * size_of::<(u16, Bytes)>()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether there is a value of this number.
    pub fn contains(&self, number: u16) -> bool {
        self.first(number).is_some()
    }

    /// The first value of this number.
    pub fn first(&self, number: u16) -> Option<&Bytes> {
        self.all(number).next()
    }

    /// All values of this number, in order.
    pub fn all(&self, number: u16) -> impl Iterator<Item = &Bytes> {
        self.iter()
            .filter(move |(other, _)| *other == number)
            .map(|(_, value)| value)
    }

    /// The first value of this number, read as unsigned.
    pub fn uint(&self, number: u16) -> Option<u64> {
        uint(self.first(number)?)
    }

    /// All values of this number as text; what is not UTF-8 is replaced.
    pub fn texts(&self, number: u16) -> Vec<String> {
        self.all(number)
            .map(|value| String::from_utf8_lossy(value).into_owned())
            .collect()
    }

    /// The Content-Format.
    pub fn content_format(&self) -> Option<u16> {
        self.uint(CONTENT_FORMAT)?.try_into().ok()
    }

    /// Max-Age in seconds; 60 where the message does not say (RFC 7252 §5.10.5).
    pub fn max_age(&self) -> u32 {
        let said = self.uint(MAX_AGE).unwrap_or(60);
        u32::try_from(said).unwrap_or(u32::MAX)
    }

    /// The Observe value: 0 or 1 in a request, 24 bits of sequence in a notification.
    pub fn observe(&self) -> Option<u32> {
        self.uint(OBSERVE)?.try_into().ok()
    }

    /// The first ETag.
    pub fn etag(&self) -> Option<&Bytes> {
        self.first(ETAG)
    }

    /// The Block1 option.
    pub fn block1(&self) -> Option<Block> {
        Block::of(self, BLOCK1)
    }

    /// The Block2 option.
    pub fn block2(&self) -> Option<Block> {
        Block::of(self, BLOCK2)
    }

    /// Whether a segment of the path is `.` or `..`, which must not be sent (RFC 7252 §5.10.1).
    pub fn has_dots(&self) -> bool {
        let mut path = self.all(URI_PATH);
        path.any(|it| matches!(&it[..], b"." | b".."))
    }

    /// The first option that would be part of a location, beside Location-Path or Location-Query, and that is not defined
    /// yet: who does not know it must refuse the message (RFC 7252 §5.10.7).
    pub fn reserved_location(&self) -> Option<Unfit> {
        const RESERVED: [u16; 4] = [128, 132, 136, 140];
        let located = self.contains(LOCATION_PATH) || self.contains(LOCATION_QUERY);
        let mut numbers = self.0.iter().map(|it| it.0);
        let number = numbers.find(|number| located && RESERVED.contains(number))?;
        let wrong = Wrong::Reserved;
        Some(Unfit { number, wrong })
    }

    /// Drops elective options whose value or repetition is not allowed, and finds the first critical one that
    /// is wrong in the same way or that `known` does not know (RFC 7252 §5.4.1, §5.4.3, §5.4.5).
    ///
    /// # Errors
    /// The critical option, because of which the message must be refused.
    pub fn settle(&mut self, known: impl Fn(u16) -> bool) -> Result<(), Unfit> {
        let mut refused = None;
        let mut before = None;
        self.0.retain(|(number, value)| {
            let repeated = before.replace(*number) == Some(*number);
            let wrong = fault(*number, value, repeated);
            let fine = wrong.is_none();
            if is_critical(*number) {
                let wrong = if known(*number) {
                    wrong
                } else {
                    Some(Wrong::Unknown)
                };
                let number = *number;
                refused = refused.or_else(|| wrong.map(|wrong| Unfit { number, wrong }));
            }
            fine
        });
        refused.map_or(Ok(()), Err)
    }
}

fn fault(number: u16, value: &[u8], repeated: bool) -> Option<Wrong> {
    let about = registered(number)?;
    let fits = (about.length.0..=about.length.1).contains(&value.len());
    // Bytes that are replaced would make two names one. What is elective is shown as it is.
    let is_text =
        about.format != Format::Text || !is_critical(number) || str::from_utf8(value).is_ok();
    match fits && is_text {
        false => Some(Wrong::Malformed),
        true => (repeated && !about.repeatable).then_some(Wrong::Repeated),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_registry_is_sorted_and_agrees_with_the_published_names() {
        assert!(REGISTERED.is_sorted_by_key(|it| it.number));
        for it in REGISTERED {
            assert_eq!(coap_numbers::option::to_name(it.number), Some(it.name));
        }
    }

    #[test]
    fn names_and_numbers_find_each_other() {
        assert_eq!(number("hop-limit"), Some(16));
        assert_eq!(number("65001"), Some(65001));
        assert_eq!((number("nonsense"), number("70000")), (None, None));
        assert_eq!((name(292), name(60_000)), (Some("Request-Tag"), None));
    }

    #[test]
    fn numbers_take_as_few_bytes_as_they_need() {
        assert_eq!(uint_bytes(0), &b""[..]);
        assert_eq!(uint_bytes(255), &[255][..]);
        assert_eq!(uint_bytes(65_536), &[1, 0, 0][..]);
        assert_eq!((uint(&[0, 0, 7]), uint(&[0; 9])), (Some(7), None));
    }

    #[test]
    fn order_is_by_number_and_then_by_arrival() {
        let mut options = Options::new();
        options.push_text(URI_QUERY, "q");
        options.push_text(URI_PATH, "a");
        options.push_text(URI_PATH, "b");
        let numbers: Vec<u16> = options.iter().map(|(number, _)| number).collect();
        assert_eq!(numbers, [11, 11, 15]);
        assert_eq!(options.texts(URI_PATH), ["a", "b"]);
    }

    #[test]
    fn what_is_elective_and_wrong_is_dropped() {
        let mut options = Options::new();
        options.push_uint(CONTENT_FORMAT, 0);
        options.push_uint(CONTENT_FORMAT, 50);
        options.push(ETAG, vec![0; 9]);
        options.push(2000, vec![1]);
        assert_eq!(options.settle(|_| true), Ok(()));
        assert_eq!(options.len(), 2);
        assert_eq!(options.content_format(), Some(0));
    }

    #[test]
    fn what_is_critical_and_wrong_refuses_the_message() {
        let settle = |number, value: Vec<u8>, times| {
            let mut options = Options::new();
            (0..times).for_each(|_| options.push(number, value.clone()));
            options.settle(|number| number != 65_001)
        };
        for (number, value, times, said) in [
            (
                65_001,
                vec![],
                1,
                "option 65001 is critical and not understood",
            ),
            (URI_HOST, vec![b'a'], 2, "Uri-Host (3) is repeated"),
            (BLOCK2, vec![0; 4], 1, "Block2 (23) is malformed"),
            (URI_PATH, vec![0xFF], 1, "Uri-Path (11) is malformed"),
        ] {
            let settled = settle(number, value, times);
            assert_eq!(settled.map_err(|it| it.to_string()), Err(said.into()));
        }
        assert_eq!(settle(URI_PATH, vec![b'a'], 3), Ok(()));
        assert_eq!(settle(LOCATION_PATH, vec![0xFF], 1), Ok(()));
    }

    #[test]
    fn a_location_of_parts_that_are_not_defined_is_none() {
        let with = |numbers: &[u16]| {
            let mut options = Options::new();
            numbers.iter().for_each(|it| options.push_text(*it, "x"));
            options.reserved_location().map(|it| it.number)
        };
        assert_eq!(with(&[LOCATION_PATH, 136]), Some(136));
        assert_eq!(with(&[140, LOCATION_QUERY]), Some(140));
        assert_eq!((with(&[132]), with(&[LOCATION_PATH, 134])), (None, None));
    }

    #[test]
    fn an_age_is_a_minute_unless_said() {
        let mut options = Options::new();
        assert_eq!(options.max_age(), 60);
        options.set_uint(MAX_AGE, 0);
        assert_eq!(options.max_age(), 0);
    }
}
