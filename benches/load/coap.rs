//! CoAP: the server that only answers, and the limit of asking it.

use std::net::UdpSocket;
use std::time::Duration;

use iotctl::bench::coap::NullServer;
use rustix::net::{RecvFlags, recv};

use super::took::{Took, timed};

/// The null server in a process of its own.
pub(crate) fn sink(path: &str) {
    let peer = NullServer::start().expect("a null server");
    std::fs::write(path, format!("coap://{}", peer.address())).expect("a file");
    loop {
        std::thread::park();
    }
}

/// Requests encoded beforehand, one sendto and one recvfrom each; as many are asked anew as were answered.
pub(crate) fn ask(address: &str, lasts: Duration, outstanding: usize) -> Took {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    socket.connect(address).expect("an address");
    // Only when everything was lost at once.
    let patience = Some(Duration::from_secs(1));
    socket.set_read_timeout(patience).expect("a time-out");
    let mut request = *b"\x44\x01\0\0TOKN\xB5bench";
    let mut sequence = 0_u32;
    let mut send = |count: usize| {
        for _ in 0..count {
            sequence += 1;
            request[2..4].copy_from_slice(&(sequence as u16).to_be_bytes());
            request[4..8].copy_from_slice(&sequence.to_be_bytes());
            socket.send(&request).expect("a request");
        }
    };
    send(outstanding);
    let mut answer = [0; 2048];
    timed(lasts, || {
        if socket.recv(&mut answer).is_err() {
            send(outstanding);
            return 0;
        }
        let mut answered = 1;
        while recv(&socket, &mut answer[..], RecvFlags::DONTWAIT).is_ok() {
            answered += 1;
        }
        send(answered);
        answered as u64
    })
}
