//! Ports for servers that cannot choose one themselves, or that come back on the one they had.

use std::net::{TcpListener, UdpSocket};
use std::sync::atomic::{AtomicU32, Ordering};

/// Below the ports that systems hand out for port 0 and for outgoing connections: from there, another test would be
/// given a port between our looking at it and the server's taking it.
const RANGE: std::ops::Range<u32> = 10_000..29_000;

/// Ports that are free for TCP and UDP, and that nobody else in this process is given.
pub fn free_ports<const N: usize>() -> [u16; N] {
    std::array::from_fn(|_| free_port_with(0))
}

/// Such a port, while the one so far above it is free as well.
pub fn free_port_with(distance: u16) -> u16 {
    static TAKEN: AtomicU32 = AtomicU32::new(0);
    let count = RANGE.len() as u32;
    // Several test processes at once begin at different places.
    let begin = std::process::id().wrapping_mul(7_919) % count;
    loop {
        let taken = TAKEN.fetch_add(1, Ordering::Relaxed);
        let port = u16::try_from(RANGE.start + (begin + taken) % count).unwrap();
        if is_free(port) && is_free(port + distance) {
            // The next one asked for shall not be given the port above.
            TAKEN.fetch_add(u32::from(distance > 0), Ordering::Relaxed);
            return port;
        }
    }
}

fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok() && UdpSocket::bind(("127.0.0.1", port)).is_ok()
}
