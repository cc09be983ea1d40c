//! What the tests run against: `iotctl` itself, real servers, and scripted peers.
//!
//! Every server takes a free port and is stopped with its value; nothing here sleeps to wait for something:
//! each wait polls for the state that it needs, up to [`PATIENCE`].

pub mod aiocoap;
pub mod bench;
pub mod bench_peer;
pub mod broker;
pub mod capture;
pub mod certificates;
pub mod coap;
pub mod coap_peer;
pub mod command;
pub mod influx;
pub mod libcoap;
pub mod mosquitto;
pub mod peer;
pub mod ports;
pub mod rabbitmq;
pub mod relay;
pub mod schema;
pub mod tmux;

use std::time::{Duration, Instant};

/// How long a test waits for what must come.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// Waits until `state` gives a value.
pub fn wait_for<T>(what: &str, mut state: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = state() {
            return value;
        }
        assert!(Instant::now() < end, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Waits until somebody accepts connections on a loopback port.
pub fn wait_for_port(port: u16) {
    wait_for(&format!("port {port}"), || {
        std::net::TcpStream::connect(("127.0.0.1", port)).ok()
    });
}
