//! Ports for servers that cannot choose one themselves, or that come back on the one they had.

use std::net::{TcpListener, UdpSocket};
use std::sync::atomic::{AtomicU32, Ordering};

/// Below the ports that systems hand out for port 0 and for outgoing connections: from there, another test would be
/// given a port between our looking at it and the server's taking it.
const RANGE: std::ops::Range<u32> = 10_000..30_000;

/// Ports that are free for TCP and UDP, and that nobody else in this process is given.
pub fn free_ports<const N: usize>() -> [u16; N] {
    std::array::from_fn(|_| free_ports_in_a_row(1))
}

/// The first of so many free ports, one above the other.
pub fn free_ports_in_a_row(count: u16) -> u16 {
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    // Several test processes at once begin at different places.
    let begin = std::process::id().wrapping_mul(7_919) % RANGE.len() as u32;
    loop {
        let taken = TAKEN.fetch_add(u32::from(count), Ordering::Relaxed);
        let offset = (begin + taken) % (RANGE.len() as u32 - u32::from(count));
        let first = u16::try_from(RANGE.start + offset).unwrap();
        if (first..first + count).all(is_free) {
            return first;
        }
    }
}

fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok() && UdpSocket::bind(("127.0.0.1", port)).is_ok()
}
