//! Versions of firmware: `MAJOR.MINOR.REVISION+BUILD`, as the header of an MCUboot image has them.

use std::fmt;
use std::str::FromStr;

/// The version in the header of an image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// `MAJOR`
    pub major: u8,
    /// `MINOR`
    pub minor: u8,
    /// `REVISION`
    pub revision: u16,
    /// `BUILD`
    pub build: u32,
}

impl Version {
    /// The security counter that imgtool makes of a version with `--security-counter auto`.
    pub fn counter(self) -> u32 {
        u32::from(self.major) << 24 | u32::from(self.minor) << 16 | u32::from(self.revision)
    }
}

impl FromStr for Version {
    type Err = ();

    /// The later parts may be left out, as with imgtool.
    fn from_str(text: &str) -> Result<Self, ()> {
        let (front, build) = match text.split_once('+') {
            Some((front, build)) => (front, number(build)?),
            None => (text, 0),
        };
        let parts: Vec<&str> = front.split('.').collect();
        if parts.len() > 3 || text.contains('+') && parts.len() < 3 {
            return Err(());
        }
        let part = |at: usize| parts.get(at).map_or(Ok(0), |text| number(text));
        Ok(Self {
            major: part(0)?.try_into().map_err(|_| ())?,
            minor: part(1)?.try_into().map_err(|_| ())?,
            revision: part(2)?.try_into().map_err(|_| ())?,
            build,
        })
    }
}

fn number(text: &str) -> Result<u32, ()> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    let has_zeros = text.len() > 1 && text.starts_with('0');
    match is_plain && !has_zeros {
        true => text.parse().map_err(|_| ()),
        false => Err(()),
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            major,
            minor,
            revision,
            build,
        } = self;
        write!(f, "{major}.{minor}.{revision}")?;
        match build {
            0 => Ok(()),
            _ => write!(f, "+{build}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_imgtool_reads_them() {
        for (text, shown, counter) in [
            ("1.4.0+7", "1.4.0+7", 0x0104_0000),
            ("1.4", "1.4.0", 0x0104_0000),
            ("0", "0.0.0", 0),
            (
                "255.255.65535+4294967295",
                "255.255.65535+4294967295",
                0xFFFF_FFFF,
            ),
        ] {
            let version: Version = text.parse().expect(text);
            assert_eq!(
                (version.to_string().as_str(), version.counter()),
                (shown, counter)
            );
        }
        for wrong in [
            "",
            "1.",
            "v1",
            "256.0.0",
            "1.2.3.4",
            "1+2",
            "1.02",
            "1.2.3+",
            "1.2.-3",
            "1.2.65536",
        ] {
            assert_eq!(wrong.parse::<Version>(), Err(()), "{wrong}");
        }
    }
}
