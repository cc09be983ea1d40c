//! Whether two names stand for one server, as far as that can be known before anything is connected: pure.

use std::net::IpAddr;

use crate::connect::Protocol;

/// Whether both are one: the same protocol, host and port. This machine has several names, and a port of it is one server's.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    one == other || place(one).is_some_and(|it| Some(it) == place(other))
}

/// Protocol, host and port of `mqtt://host:1883`.
fn place(name: &str) -> Option<(Protocol, String, u16)> {
    let (scheme, rest) = name.split_once("://")?;
    let authority = rest.split('/').next()?;
    let (host, port) = authority.rsplit_once(':')?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let is_here = match host.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().is_loopback(),
        Err(_) => host == "localhost",
    };
    let host = if is_here { "localhost".into() } else { host };
    Some((Protocol::of_scheme(scheme)?, host, port.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_server_has_several_names() {
        for (one, other, same) in [
            ("mqtt://localhost:1883", "mqtt://127.0.0.1:1883", true),
            ("mqtt://[::1]:1883", "mqtt://127.0.0.2:1883", true),
            (
                "mqtt://LOCALHOST.:1883",
                "ws://[::ffff:127.0.0.1]:1883/mqtt",
                true,
            ),
            (
                "mqtt://Broker.example:1883",
                "mqtt://broker.example:1883",
                true,
            ),
            ("mqtt://localhost:1883", "mqtt://127.0.0.1:1884", false),
            ("mqtt://localhost:1883", "amqp://localhost:1883", false),
            ("mqtt://10.0.0.1:1883", "mqtt://localhost:1883", false),
            ("unix:/run/mqtt", "unix:/run/mqtt", true),
            ("readings.ndjson", "mqtt://localhost:1883", false),
        ] {
            assert_eq!(is_same(one, other), same, "{one} {other}");
        }
    }
}
