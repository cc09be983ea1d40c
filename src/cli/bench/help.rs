//! The examples of `bench`.

use crate::cli::help::Example;

/// The examples of one command of `bench`, by its words after `iotctl`; none for most.
pub(crate) fn examples(command: &str) -> &'static [Example] {
    match command {
        "bench mqtt" => BENCH_MQTT,
        "bench amqp" => BENCH_AMQP,
        "bench coap" => BENCH_COAP,
        "bench run" => BENCH_RUN,
        "bench report" => BENCH_REPORT,
        "bench compare" => BENCH_COMPARE,
        "bench merge" => BENCH_MERGE,
        _ => &[],
    }
}

const BENCH_MQTT: &[Example] = &[
    (
        "Load the embedded broker for 5 seconds",
        "iotctl bench mqtt --embedded --duration 5s",
    ),
    (
        "Send 10,000 messages per second from 100 devices to one subscriber, with thresholds for CI",
        "iotctl bench mqtt mqtt://broker.example --scenario fan-in --rate 10k -q 1 --assert 'p99 < 20ms' --assert 'lost == 0'",
    ),
    (
        "Send as fast as the broker accepts, and save the result and a page with plots",
        "iotctl bench mqtt -h broker.example --max -q 1 --publishers 10 --save-json run.json --html run.html",
    ),
    (
        "Run stages: a ramp, a plateau, a spike",
        "iotctl bench mqtt --stage 10s:0-5k --stage 30s:5k --stage 5s:50k",
    ),
    (
        "Open 50,000 idle connections at 2,000 per second",
        "iotctl bench mqtt --scenario idle --publishers 50k --connect-rate 2k --duration 1m",
    ),
    (
        "Measure the limit of the generator on this machine",
        "iotctl bench mqtt --calibrate --max",
    ),
];

const BENCH_AMQP: &[Example] = &[
    (
        "Run one producer and one consumer on the embedded broker for 5 seconds",
        "iotctl bench amqp --embedded --duration 5s",
    ),
    (
        "Send 10,000 persistent messages per second to a quorum queue, with thresholds for CI",
        "iotctl bench amqp amqp://broker.example --queue-type quorum --persistent --rate 10k --assert 'p99 < 20ms' --assert 'lost == 0'",
    ),
    (
        "Send to ten queues as fast as a window of 100 unconfirmed messages allows",
        "iotctl bench amqp -h broker.example --producers 10 --consumers 10 --queues 10 --window 100",
    ),
    (
        "Measure how many queues per second a server declares and deletes",
        "iotctl bench amqp -h broker.example --scenario queue-churn",
    ),
];

const BENCH_COAP: &[Example] = &[
    (
        "Send 1,000 requests per second, with thresholds for CI",
        "iotctl bench coap coap://server.example/sensors/temp --rate 1k --assert 'p99 < 20ms' --assert 'lost == 0'",
    ),
    (
        "Send as fast as the server responds, from 50 clients with 4 outstanding requests each, one in five a PUT",
        "iotctl bench coap coap://server.example/store/{client} --sockets 50 --outstanding 4 --mix get=80,put=20",
    ),
];

const BENCH_RUN: &[Example] = &[(
    "Run the load test of load.toml for 5 seconds",
    "iotctl bench run load.toml --duration 5s",
)];

const BENCH_REPORT: &[Example] = &[
    (
        "Make a page with plots from a saved result",
        "iotctl bench report run.json --output html > run.html",
    ),
    (
        "Check a saved result against a threshold",
        "iotctl bench report run.json --assert 'p99.9 < 50ms'",
    ),
];

const BENCH_COMPARE: &[Example] = &[
    ("Compare two runs", "iotctl bench compare old.json new.json"),
    (
        "Compare five runs each; exit code 7 for a regression of more than 5%",
        "iotctl bench compare --bound 5% old/*.json -- new/*.json",
    ),
];

const BENCH_MERGE: &[Example] = &[(
    "Merge the results of all workers",
    "iotctl bench merge worker-*.json --output text",
)];
