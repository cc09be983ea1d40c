//! Which device a manifest is for: vendor and class as UUIDs, version 5, made of names as RFC 9124 §3.4 and §3.5 say.

use std::fmt;

use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};

/// A UUID (RFC 9562).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Uuid(pub [u8; 16]);

/// The namespace of domain names (RFC 9562 §6.6).
const DNS: Uuid = Uuid([
    0x6b, 0xa7, 0xb8, 0x10, 0x9d, 0xad, 0x11, 0xd1, 0x80, 0xb4, 0x00, 0xc0, 0x4f, 0xd4, 0x30, 0xc8,
]);

impl Uuid {
    /// Version 5: of a name in a namespace (RFC 9562 §5.5).
    pub fn of_name(namespace: Self, name: &str) -> Self {
        let text = [&namespace.0, name.as_bytes()].concat();
        let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, &text);
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash.as_ref()[..16]);
        bytes[6] = bytes[6] & 0x0F | 0x50;
        bytes[8] = bytes[8] & 0x3F | 0x80;
        Self(bytes)
    }

    /// As text, `6ba7b810-9dad-11d1-80b4-00c04fd430c8`; `None` where it is something else.
    pub fn parse(text: &str) -> Option<Self> {
        let hyphens = |at: usize| matches!(at, 8 | 13 | 18 | 23);
        let is_shaped = text.len() == 36
            && text
                .bytes()
                .enumerate()
                .all(|(at, byte)| hyphens(at) == (byte == b'-'));
        let digits: String = text.chars().filter(|letter| *letter != '-').collect();
        let bytes = data_encoding::HEXLOWER_PERMISSIVE
            .decode(digits.as_bytes())
            .ok()?;
        is_shaped.then_some(Self(bytes.try_into().ok()?))
    }

    /// Sixteen bytes, as they stand in a manifest.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = data_encoding::HEXLOWER.encode(&self.0);
        let (a, b, c, d, e) = (
            &digits[..8],
            &digits[8..12],
            &digits[12..16],
            &digits[16..20],
            &digits[20..],
        );
        write!(f, "{a}-{b}-{c}-{d}-{e}")
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Vendor and class, with the names that they were made of where we know them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// A domain name, or a UUID as text.
    pub vendor_name: String,
    /// What the vendor calls this kind of device, or a UUID as text.
    pub class_name: String,
    /// Of the vendor.
    pub vendor: Uuid,
    /// Of the class.
    pub class: Uuid,
}

impl Identity {
    /// The UUIDs of two names: that of the vendor is a domain name, that of the class a name of the vendor's. What is a
    /// UUID already is taken as it is.
    pub fn new(vendor: &str, class: &str) -> Self {
        let vendor_id = Uuid::parse(vendor).unwrap_or_else(|| Uuid::of_name(DNS, vendor));
        let class_id = Uuid::parse(class).unwrap_or_else(|| Uuid::of_name(vendor_id, class));
        Self {
            vendor_name: vendor.to_owned(),
            class_name: class.to_owned(),
            vendor: vendor_id,
            class: class_id,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_the_ids_of_the_draft() {
        // draft-ietf-suit-manifest, Appendix B: vendor and class of all its examples.
        let found = Identity::new("arm.com", "suit");
        let ids = (found.vendor.to_string(), found.class.to_string());
        assert_eq!(ids.0, "fa6b4a53-d5ad-5fdf-be9d-e663e4d41ffe");
        assert_eq!(ids.1, "1492af14-2569-5e48-bf42-9b2d51f2ab45");
        // Python: uuid.uuid5(uuid.uuid5(uuid.NAMESPACE_DNS, "example.com"), "sensor-rev-b")
        let found = Identity::new("example.com", "sensor-rev-b");
        let ids = (found.vendor.to_string(), found.class.to_string());
        assert_eq!(ids.0, "cfbff0d1-9375-5685-968c-48ce8b15ae17");
        assert_eq!(ids.1, "4241f5c9-fd92-51bb-aa01-79d19dc81df4");
    }

    #[test]
    fn a_uuid_is_taken_as_it_is() {
        let id = "1492af14-2569-5e48-bf42-9b2d51f2ab45";
        assert_eq!(Identity::new(id, id).class.to_string(), id);
        assert_eq!(Identity::new(id, &id.to_uppercase()).class.to_string(), id);
        for other in [
            "",
            "1492af1425695e48bf429b2d51f2ab45",
            "1492af14-2569-5e48-bf42-9b2d51f2ab4g",
            "1492af14-2569-5e48-bf42-9b2d51f2ab4",
            "1492af142-569-5e48-bf42-9b2d51f2ab45",
            "1492af14-2569-5e48-bf42-9b2d51f2ab4ü",
        ] {
            assert_eq!(Uuid::parse(other), None, "{other}");
        }
    }
}
