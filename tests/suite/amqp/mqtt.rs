//! From MQTT to AMQP and back, through RabbitMQ: topics become routing keys of `amq.topic`, their `/` a `.`.

use super::cli::{amqp, declared};
use crate::support::command::{Line, iotctl};
use crate::support::rabbitmq::{rabbitmq, unique};
use crate::support::wait_for;

/// `iotctl mqtt COMMAND`, at RabbitMQ's MQTT listener.
fn mqtt(command: &str) -> Line {
    let port = rabbitmq().mqtt_port;
    iotctl(&format!(
        "mqtt {command} -h 127.0.0.1 -p {port} -u guest -P guest"
    ))
}

#[test]
fn what_mqtt_publishes_amqp_consumes() {
    let site = unique("site");
    let queue = declared("from-mqtt", "");
    amqp("bind")
        .words(&format!(
            "{queue} --exchange amq.topic -k {site}.*.temperature"
        ))
        .run()
        .exits(0);
    for (room, qos) in [("hall", 0), ("attic", 1)] {
        mqtt("pub")
            .words(&format!("-t {site}/{room}/temperature -m 21.5 -q {qos}"))
            .run()
            .exits(0);
    }
    let words = format!("{queue} -C 2 -W 60 -F %t:%p");
    let mut came: Vec<_> = (amqp("consume").words(&words).run().exits(0).text().lines())
        .map(str::to_owned)
        .collect();
    // The one acknowledged may overtake the other, which has a connection of its own.
    came.sort();
    let expected = ["attic", "hall"].map(|room| format!("{site}.{room}.temperature:21.5"));
    assert_eq!(came, expected);
}

#[test]
fn what_amqp_publishes_mqtt_receives() {
    let site = unique("site");
    let mut subscriber = mqtt("sub")
        .words(&format!("-t {site}/# -q 1 -C 1 -v"))
        .start();
    wait_for("the subscription", || {
        let words = format!("-e amq.topic -k {site}.attic.lamp -m on --mandatory");
        (amqp("publish").words(&words).run().code == 0).then_some(())
    });
    assert_eq!(subscriber.line(), format!("{site}/attic/lamp on"));
    subscriber.ends().exits(0);
}
