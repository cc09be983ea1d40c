//! Whatever payloads come after one another: Sparkplug's reader does not panic, and what it makes is JSON.

#![no_main]

use iotctl::payload::sparkplug::Births;
use libfuzzer_sys::fuzz_target;

const TOPICS: [&str; 4] = [
    "spBv1.0/g/NBIRTH/n",
    "spBv1.0/g/DBIRTH/n/d",
    "spBv1.0/g/DDATA/n/d",
    "spBv1.0/g/NDATA/n",
];

fuzz_target!(|payloads: Vec<(u8, Vec<u8>)>| {
    let mut births = Births::default();
    for (topic, payload) in &payloads {
        if let Ok(text) = births.json(TOPICS[usize::from(topic % 4)], payload) {
            serde_json::from_str::<&serde_json::value::RawValue>(&text).expect("JSON");
        }
    }
});
