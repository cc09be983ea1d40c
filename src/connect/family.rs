//! The two families of addresses.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// One of the two families, where addresses of the other are not to be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// 192.0.2.1
    V4,
    /// 2001:db8::1
    V6,
}

impl Family {
    pub(super) const fn of(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(_) => Self::V4,
            IpAddr::V6(_) => Self::V6,
        }
    }

    /// Whether an address is of this family.
    pub(super) const fn has(self, address: &SocketAddr) -> bool {
        matches!(self, Self::V4) == address.is_ipv4()
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        })
    }
}
