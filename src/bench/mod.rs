//! The load engine: pacing, accounting and histograms behind one small driver contract; it prints nothing.
//!
//! | part | what it is for |
//! |---|---|
//! | [`plan`] | what a run is to do: groups of senders and receivers, load, phases |
//! | [`driver`] | the contract between the engine and a protocol |
//! | [`engine`] | runs a plan: worker threads, phases, the report |
//! | [`profile`] | when messages are due; pure |
//! | [`lane`] | one connection without its transport: what waits, and the session that sends it; pure |
//! | [`stamp`], [`tally`], [`recorder`] | what each message carries, and the books of receivers and workers |
//! | [`find_max`] | searches the highest rate that is kept; pure |
//! | [`system`] | descriptors, ports, CPU time and memory of this process |
//! | [`calibrate`], `answering` | a peer that only answers, to find the generator's own limit |
//! | [`dial`] | transports: source addresses, explicit ports, words for what goes wrong |
//! | [`pattern`] | names that differ for each connection or message |
//! | [`mqtt`], [`coap`], [`amqp`] | the drivers |
//! | [`result`] | what a run has found, as a versioned value that is written, merged, compared and rendered |
//! | [`series`] | the time series, in bounded memory |
//! | [`report`] | every form in which people and programs see a result |
//! | [`threshold`] | what a run must reach: `p99 < 20ms` |
//! | [`merge`] | one result from those of many workers, exact |
//! | [`compare`] | whether one set of runs is better or worse than another |

pub mod amqp;
mod answering;
#[cfg(target_os = "linux")]
pub mod calibrate;
pub mod clock;
pub mod coap;
pub mod compare;
pub mod connection_state;
pub mod counters;
pub mod dial;
pub mod driver;
pub mod engine;
pub mod find_max;
pub mod letters;
pub mod merge;
pub mod mqtt;
pub mod pattern;
pub mod plan;
pub mod profile;
pub mod recorder;
pub mod report;
pub mod result;
pub mod series;
pub mod stamp;
pub mod system;
pub mod threshold;
#[cfg(test)]
mod virtual_tests;
