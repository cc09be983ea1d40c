//! The examples of `log`.

/// What each is for, and its words.
pub(crate) const EXAMPLES: &[(&str, &str)] = &[
    (
        "Keep what sensors say, a record a line, in files of a day of which 30 stay",
        "iotctl log mqtt://broker.example -t 'sensors/#' --to readings.ndjson --rotate daily --keep 30 --gzip",
    ),
    (
        "A row for each message",
        "iotctl log mqtt://broker.example -t 'sensors/{device}/all' --to readings.csv \\\n    --columns 'time=/timestamp|$time,device={device},temperature=/temperature'",
    ),
    (
        "A row for each value",
        "iotctl log mqtt://broker.example -t 'sensors/{device}/all' --to values.csv --columns 'time=/timestamp,device={device}' --melt",
    ),
    (
        "Within a pipe: rows in a file, and the same messages for the next command",
        "iotctl mqtt sub -t 'sensors/#' --output json |\n    iotctl log - --to readings.csv --pass |\n    iotctl alert - -t 'sensors/{device}/temperature' --above 30",
    ),
    (
        "From a queue and from an observed resource",
        "iotctl log amqp://broker.example coap://node.example/temperature --queue readings --to all.ndjson",
    ),
];
