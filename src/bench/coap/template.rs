//! Requests, encoded once and patched for each message.

use bytes::Bytes;

use super::super::stamp::Stamp;
use crate::coap::code::Code;
use crate::coap::option::{self, Options};
use crate::coap::uri::{Host, Uri};
use crate::coap::wire::{CON, Framing, NON, PREFIX, push_length, push_option};
use crate::error::{Error, Result};
use crate::random::Random;

/// The largest datagram of ours, in bytes: what UDP over IPv4 carries.
const LARGEST_DATAGRAM: usize = 65_507;
/// Header and token of ours.
const HEAD: usize = 8;
/// Where a number goes.
const SEQUENCE: &str = "{seq}";
const CLIENT: &str = "{client}";

/// What requests with a body carry.
#[derive(Clone, Debug)]
pub enum Body {
    /// A stamp, filled up to between `least` and `most` bytes.
    Sized {
        /// At least.
        least: usize,
        /// At most.
        most: usize,
    },
    /// These bytes as they are.
    Verbatim(Bytes),
}

impl Body {
    /// The fewest and the most bytes.
    pub(super) const fn sizes(&self) -> (usize, usize) {
        match self {
            Self::Sized { least, most } => (*least, *most),
            Self::Verbatim(bytes) => (bytes.len(), bytes.len()),
        }
    }

    pub(super) const fn is_stamped(&self) -> bool {
        matches!(self, Self::Sized { .. })
    }

    pub(super) fn filling(&self) -> Bytes {
        match self {
            Self::Sized { most, .. } => Bytes::from(vec![b'.'; *most]),
            Self::Verbatim(bytes) => bytes.clone(),
        }
    }
}

/// What the requests of a group have in common.
#[derive(Clone, Debug)]
pub(super) struct Kind {
    pub(super) uri: Uri,
    /// Beside those of the URI.
    pub(super) options: Options,
    pub(super) confirmable: bool,
    pub(super) body: Body,
    /// At least as long as the longest body; shared by all.
    pub(super) filling: Bytes,
    pub(super) seed: u64,
}

/// The requests of one client with one method.
#[derive(Debug)]
pub(super) struct Template {
    code: Code,
    confirmable: bool,
    /// Options up to the one that the number is in.
    before: Box<[u8]>,
    numbered: Option<Numbered>,
    /// Options behind it.
    after: Box<[u8]>,
    filling: Bytes,
    least: usize,
    most: usize,
    stamped: bool,
    seed: u64,
}

/// A path segment, or an argument, with the message's number in it.
#[derive(Debug)]
struct Numbered {
    delta: u16,
    left: String,
    right: String,
}

/// What is different in each message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patch {
    pub(super) mid: u16,
    pub(super) token: [u8; 4],
    pub(super) stamp: Stamp,
}

impl Template {
    /// Requests with `code` of client number `client`.
    ///
    /// # Errors
    /// They do not fit into a message.
    pub(super) fn new(kind: &Kind, code: Code, client: usize, framing: Framing) -> Result<Self> {
        let mut options = kind.options.clone();
        if let Host::Name(name) = &kind.uri.host {
            options.push_text(option::URI_HOST, name);
        }
        let own = |text: &String| text.replace(CLIENT, &client.to_string());
        for segment in &kind.uri.path {
            options.push_text(option::URI_PATH, &own(segment));
        }
        for argument in &kind.uri.query {
            options.push_text(option::URI_QUERY, &own(argument));
        }
        let (least, most) = match carries(code) {
            true => kind.body.sizes(),
            false => (0, 0),
        };
        if most == 0 {
            options.remove(option::CONTENT_FORMAT);
        }
        let mut template = Self {
            code,
            confirmable: kind.confirmable,
            before: Box::default(),
            numbered: None,
            after: Box::default(),
            filling: kind.filling.clone(),
            least,
            most,
            stamped: kind.body.is_stamped(),
            seed: kind.seed ^ (client as u64) << 32,
        };
        template.encode(&options)?;
        template.check(framing)?;
        Ok(template)
    }

    fn encode(&mut self, options: &Options) -> Result<()> {
        let (mut bytes, mut last) = (Vec::new(), 0);
        for (number, value) in options.iter() {
            let delta = number - last;
            last = number;
            let local = matches!(number, option::URI_PATH | option::URI_QUERY);
            let text = std::str::from_utf8(value).ok().filter(|_| local);
            let Some((left, right)) = text.and_then(|text| text.split_once(SEQUENCE)) else {
                push_option(delta, value.len(), &mut bytes);
                bytes.extend_from_slice(value);
                continue;
            };
            if self.numbered.is_some() || right.contains(SEQUENCE) {
                return Err(Error::usage("the path has more than one {seq}"));
            }
            self.before = std::mem::take(&mut bytes).into();
            self.numbered = Some(Numbered {
                delta,
                left: left.to_owned(),
                right: right.to_owned(),
            });
        }
        match self.numbered {
            Some(_) => self.after = bytes.into(),
            None => self.before = bytes.into(),
        }
        Ok(())
    }

    /// The longest message, in bytes; of some a few more than there are.
    pub(super) fn largest(&self) -> usize {
        let number = self.numbered.as_ref();
        let numbered = number.map_or(0, |it| it.left.len() + it.right.len() + 20 + 5);
        HEAD + self.before.len() + numbered + self.after.len() + 1 + self.most
    }

    fn check(&self, framing: Framing) -> Result<()> {
        let number = self.numbered.as_ref();
        let numbered = number.map_or(0, |it| it.left.len() + it.right.len() + 20);
        if numbered > 255 {
            return Err(Error::usage("a path segment has more than 255 bytes"));
        }
        let whole = self.largest();
        if u32::try_from(whole).is_err() {
            return Err(Error::usage(format!(
                "a request of {whole} bytes is larger than a message"
            )));
        }
        if framing == Framing::Datagrams && whole > LARGEST_DATAGRAM {
            return Err(Error::usage(format!(
                "a request of {whole} bytes is larger than a datagram: {LARGEST_DATAGRAM} bytes"
            ))
            .hint("it fits over coap+tcp"));
        }
        Ok(())
    }

    /// Writes one request; the same patch gives the same bytes.
    #[inline]
    pub(super) fn write(&self, patch: &Patch, framing: Framing, out: &mut Vec<u8>) {
        let start = out.len();
        match framing {
            Framing::Datagrams => {
                let kind = if self.confirmable { CON } else { NON };
                let [high, low] = patch.mid.to_be_bytes();
                out.extend_from_slice(&[0, 0, 0x44 | kind << 4, self.code.0, high, low]);
            }
            Framing::Stream => {
                let mut number = [0; 20];
                let options = self.options_length(decimal(patch.stamp.sequence, &mut number).len());
                let size = self.size(patch.stamp.sequence);
                let body = options + if size > 0 { 1 + size } else { 0 };
                // It was checked.
                push_length(body as u32, 4, out);
                out.push(self.code.0);
            }
        }
        out.extend_from_slice(&patch.token);
        self.write_rest(patch, out);
        if framing == Framing::Datagrams {
            // The largest datagram was checked.
            let length = (out.len() - start - PREFIX) as u16;
            out[start..start + PREFIX].copy_from_slice(&length.to_be_bytes());
        }
    }

    fn write_rest(&self, patch: &Patch, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.before);
        if let Some(numbered) = &self.numbered {
            numbered.write(patch.stamp.sequence, out);
            out.extend_from_slice(&self.after);
        }
        let size = self.size(patch.stamp.sequence);
        if size > 0 {
            out.push(0xFF);
            let body = out.len();
            out.extend_from_slice(&self.filling[..size]);
            if self.stamped {
                patch.stamp.write(&mut out[body..]);
            }
        }
    }

    fn options_length(&self, digits: usize) -> usize {
        let numbered = self.numbered.as_ref().map_or(0, |it| it.length(digits));
        self.before.len() + numbered + self.after.len()
    }

    /// Drawn anew for each message, and the same when it is sent again.
    #[inline]
    fn size(&self, sequence: u64) -> usize {
        if self.least == self.most {
            return self.most;
        }
        Random::new(self.seed, sequence).between(self.least, self.most)
    }
}

impl Numbered {
    fn length(&self, digits: usize) -> usize {
        let value = self.left.len() + digits + self.right.len();
        let mut head = Vec::new();
        push_option(self.delta, value, &mut head);
        head.len() + value
    }

    fn write(&self, sequence: u64, out: &mut Vec<u8>) {
        let mut number = [0; 20];
        let digits = decimal(sequence, &mut number);
        push_option(
            self.delta,
            self.left.len() + digits.len() + self.right.len(),
            out,
        );
        out.extend_from_slice(self.left.as_bytes());
        out.extend_from_slice(digits);
        out.extend_from_slice(self.right.as_bytes());
    }
}

/// Whether requests with this method have a body.
pub(super) const fn carries(code: Code) -> bool {
    !matches!(code, Code::GET | Code::DELETE | Code::EMPTY)
}

/// The digits of a number, without an allocation.
fn decimal(mut number: u64, space: &mut [u8; 20]) -> &[u8] {
    let mut at = space.len();
    loop {
        at -= 1;
        space[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            return &space[at..];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::coap::frame::Decoder;
    use crate::coap::message::{Message, Type};

    fn kind(uri: &str, size: usize) -> Kind {
        let mut options = Options::new();
        options.push_uint(option::CONTENT_FORMAT, 60);
        options.push(2000, vec![7; 300]);
        Kind {
            uri: Uri::parse(uri).unwrap(),
            options,
            confirmable: true,
            body: Body::Sized {
                least: size,
                most: size,
            },
            filling: Bytes::from(vec![b'x'; size]),
            seed: 1,
        }
    }

    fn patch(sequence: u64) -> Patch {
        Patch {
            mid: 0x1234,
            token: [1, 2, 3, 4],
            stamp: Stamp {
                measured: true,
                due: 5,
                sequence,
                sender: 6,
                run: 7,
            },
        }
    }

    fn written(template: &Template, sequence: u64, framing: Framing) -> Message {
        let mut out = Vec::new();
        template.write(&patch(sequence), framing, &mut out);
        match framing {
            Framing::Datagrams => {
                assert_eq!(
                    usize::from(u16::from_be_bytes([out[0], out[1]])),
                    out.len() - 2
                );
                Message::decode(&out[2..]).unwrap()
            }
            Framing::Stream => {
                let mut decoder = Decoder::new(1 << 20);
                decoder.push(&out);
                let message = decoder.take().unwrap().unwrap();
                assert!(decoder.take().unwrap().is_none(), "nothing is left over");
                message
            }
        }
    }

    #[test]
    fn what_is_written_is_what_the_codec_reads() {
        for framing in [Framing::Datagrams, Framing::Stream] {
            for size in [0, 1, 24, 300, 60_000] {
                let uri = "coap://host/fleet/{client}/m{seq}x?n={client}";
                let template = Template::new(&kind(uri, size), Code::PUT, 42, framing).unwrap();
                for sequence in [0, 9, 10, 123_456_789_012] {
                    let message = written(&template, sequence, framing);
                    assert_eq!(message.code, Code::PUT);
                    assert_eq!(message.token.bytes(), [1, 2, 3, 4]);
                    let path = message.options.texts(option::URI_PATH);
                    assert_eq!(path, ["fleet", "42", &format!("m{sequence}x")]);
                    assert_eq!(message.options.texts(option::URI_QUERY), ["n=42"]);
                    assert_eq!(message.options.texts(option::URI_HOST), ["host"]);
                    assert_eq!(message.options.contains(option::CONTENT_FORMAT), size > 0);
                    assert_eq!(message.payload.len(), size);
                    if size >= 24 {
                        let stamp = Stamp::read(&message.payload, 5).unwrap();
                        assert_eq!(stamp.sequence, sequence & 0xFF_FFFF_FFFF);
                    }
                    if framing == Framing::Datagrams {
                        assert_eq!((message.kind, message.mid), (Type::Con, 0x1234));
                    }
                }
            }
        }
    }

    #[test]
    fn a_get_has_no_body() {
        let kind = kind("coap://127.0.0.1/", 64);
        let template = Template::new(&kind, Code::GET, 0, Framing::Datagrams).unwrap();
        let message = written(&template, 3, Framing::Datagrams);
        assert!(message.payload.is_empty());
        assert!(!message.options.contains(option::CONTENT_FORMAT));
    }

    #[test]
    fn sizes_are_drawn_and_repeated() {
        let kind = Kind {
            body: Body::Sized { least: 1, most: 90 },
            ..kind("coap://h/a", 90)
        };
        let template = Template::new(&kind, Code::POST, 0, Framing::Datagrams).unwrap();
        let size = |sequence| {
            written(&template, sequence, Framing::Datagrams)
                .payload
                .len()
        };
        let sizes: Vec<usize> = (0..50).map(size).collect();
        assert_eq!(sizes, (0..50).map(size).collect::<Vec<_>>());
        assert!(sizes.iter().all(|size| (1..=90).contains(size)));
        assert!(sizes.iter().any(|size| *size != sizes[0]));
    }

    #[test]
    fn what_no_message_can_carry_is_refused() {
        let refused = |uri: &str, size| {
            let made = Template::new(&kind(uri, size), Code::PUT, 0, Framing::Datagrams);
            made.unwrap_err().text().to_owned()
        };
        assert_eq!(
            refused("coap://h/{seq}/{seq}", 1),
            "the path has more than one {seq}"
        );
        assert!(refused("coap://h/a", 65_500).contains("larger than a datagram"));
    }
}
