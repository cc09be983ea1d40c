//! Large bodies through a network that loses every tenth datagram of each way, with the default settings.

use crate::support::command::{Line, iotctl};
use crate::support::relay::Relay;

/// A number that looks like chance, and is always the same for the same datagram.
fn dice(up: bool, nth: usize) -> u64 {
    let mut number = (nth as u64) << 1 | u64::from(up);
    for _ in 0..3 {
        number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
        number = (number ^ number >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number ^= number >> 27;
    }
    number
}

#[test]
fn bodies_come_whole_with_a_tenth_of_all_datagrams_lost() {
    let server = iotctl("coap server --listen 127.0.0.1:0 -r /large=large:16KiB -r /store=store");
    let mut running = server.start();
    let uri = running.line();
    let address = uri.strip_prefix("coap://").unwrap();
    let relay = Relay::to(address, |it| !dice(it.up, it.nth).is_multiple_of(10));
    let ask = |words: &str| -> Line { iotctl(&format!("coap {words}")) };
    let path = |path: &str| format!("coap://{}{path}", relay.address);
    let got = ask("get").word(path("/large")).run().exits(0);
    assert_eq!(got.stdout.len(), 16 << 10);
    let lines = got.stdout.chunks(64).enumerate();
    assert!(
        lines
            .into_iter()
            .all(|(at, line)| line == format!("{at:063}\n").as_bytes())
    );
    let body: Vec<u8> = (0..16_385).map(|at| (at * 7 + at / 251) as u8).collect();
    let put = ask("put -s").word(path("/store/a")).input(body.clone());
    put.run().exits(0);
    let stored = ask("get").word(format!("{uri}/store/a")).run().exits(0);
    assert!(stored.stdout == body);
    assert!(relay.lost() > 3);
}
