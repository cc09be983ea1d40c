//! Datagrams of one size that follow one another, handed to the kernel in one call (UDP_SEGMENT): it sends each by
//! itself, and the way there is gone once. On the wire nothing is different.

use tokio::net::UdpSocket;

use crate::coap::wire::PREFIX;

/// Datagrams in one call at most: what every kernel takes.
const MOST: usize = 64;
/// Larger ones may have to be fragmented, which this cannot do.
const LARGEST: usize = 1200;
/// Fewer are not worth telling the kernel another size.
const WORTH: usize = 8;

/// What is handed over next, and what the kernel was told.
#[derive(Debug, Default)]
pub(super) struct Bundle {
    bytes: Vec<u8>,
    /// The size at which the kernel cuts; 0: it does not.
    size: usize,
    /// The kernel, or the network interface, cannot do it.
    off: bool,
}

impl Bundle {
    /// What to send next of `bytes`, which begin with a whole datagram, and how many of `bytes` that is.
    pub(super) fn next<'a>(&'a mut self, bytes: &'a [u8], socket: &UdpSocket) -> (&'a [u8], usize) {
        let (size, count) = run(bytes);
        let whole = PREFIX + size;
        let worth = count > 1 && (size == self.size || count >= WORTH) && !self.off;
        if worth && self.cut_at(size, socket) {
            self.bytes.clear();
            for datagram in bytes.chunks_exact(whole).take(count) {
                self.bytes.extend_from_slice(&datagram[PREFIX..]);
            }
            return (&self.bytes, count * whole);
        }
        if size > self.size {
            self.cut_at(0, socket);
        }
        (&bytes[PREFIX..whole], whole)
    }

    /// The kernel has refused a bundle; from now on there are none.
    pub(super) fn give_up(&mut self, socket: &UdpSocket) {
        self.off = true;
        self.cut_at(0, socket);
    }

    /// Tells the kernel where to cut; whether it does.
    fn cut_at(&mut self, size: usize, socket: &UdpSocket) -> bool {
        if self.size == size {
            return true;
        }
        match tell(socket, size) {
            true => self.size = size,
            false => self.off = true,
        }
        !self.off
    }
}

/// The size of the first datagram, and how many of that size follow one another; more than one only of small ones.
fn run(bytes: &[u8]) -> (usize, usize) {
    let Some((prefix, _)) = bytes.split_first_chunk::<PREFIX>() else {
        return (0, 0);
    };
    let size = usize::from(u16::from_be_bytes(*prefix));
    if size == 0 || size > LARGEST {
        return (size, 1);
    }
    let datagrams = bytes.chunks_exact(PREFIX + size).take(MOST);
    let alike = datagrams.take_while(|datagram| datagram.starts_with(prefix));
    (size, alike.count())
}

#[cfg(target_os = "linux")]
fn tell(socket: &UdpSocket, size: usize) -> bool {
    use nix::sys::socket::{setsockopt, sockopt::UdpGsoSegment};
    // At most LARGEST.
    setsockopt(socket, UdpGsoSegment, &(size as i32)).is_ok()
}

#[cfg(not(target_os = "linux"))]
const fn tell(_: &UdpSocket, _: usize) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn datagrams_of_one_size_are_a_run() {
        assert_eq!(run(&[0, 1, 7, 0, 1, 8, 0, 2, 9, 9]), (1, 2));
        assert_eq!(run(&[0, 0, 0, 0]), (0, 1));
        assert_eq!(run(&[0, 2, 9, 9, 0, 2, 9]), (2, 1), "the last is not whole");
        let many = [0, 1, 7].repeat(100);
        assert_eq!(run(&many), (1, MOST));
        let mut large = vec![0; 2 * (PREFIX + 1300)];
        large[..2].copy_from_slice(&1300_u16.to_be_bytes());
        assert_eq!(run(&large), (1300, 1));
    }
}
