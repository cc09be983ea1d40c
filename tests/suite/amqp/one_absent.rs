//! AMQP 1.0 asked of a program that was built without it.

use std::io::Write;

use crate::support::command::iotctl;
use crate::support::peer::{Peer, drain};

#[test]
fn it_is_refused_with_the_way_out() {
    for command in ["publish -k q -m x", "consume q", "ping"] {
        let ended = iotctl("amqp").words(command).words("--protocol 1.0").run();
        ended
            .exits(2)
            .says("this iotctl was built without AMQP 1.0")
            .says("--features amqp1");
    }
}

#[test]
fn so_is_a_server_that_speaks_nothing_else() {
    let peer = Peer::start(|stream, _| {
        stream.write_all(b"AMQP\x03\x01\0\0").unwrap();
        drain(stream);
    });
    let url = format!("amqp://127.0.0.1:{}", peer.port);
    let ended = iotctl("amqp ping").word(url).run();
    ended
        .exits(3)
        .says("speaks AMQP 1.0, not AMQP 0-9-1")
        .says("--features amqp1");
}
