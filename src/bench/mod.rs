//! The load engine: pacing, accounting and histograms behind one small driver contract; it prints nothing.
//!
//! | part | what it is for |
//! |---|---|
//! | [`plan`] | what a run is to do: groups of senders and receivers, load, phases |
//! | [`driver`] | the contract between the engine and a protocol |
//! | [`engine`] | runs a plan: worker threads, phases, the report |
//! | [`profile`] | when messages are due; pure |
//! | [`connection_state`] | one connection without its transport: what waits, and the session that sends it; pure |
//! | [`stamp`], [`counters`], [`recorder`] | what each message carries, and the counters of receivers and workers |
//! | [`find_max`] | searches the highest rate that is kept; pure |
//! | [`gate`] | where the processes of one run wait for each other |
//! | [`system`] | descriptors, ports, CPU time and memory of this process |
//! | [`calibrate`], `answering` | a peer that only answers, to find the generator's own limit |
//! | [`dial`] | transports: source addresses, explicit ports, words for what goes wrong |
//! | [`transport`] | one transport among many in a loop |
//! | [`pattern`] | names that differ for each connection or message |
//! | [`mqtt`], [`coap`], [`amqp`] | the drivers |
//! | [`result`] | what a run has found, as a versioned value that is written, merged, compared and rendered |
//! | [`series`] | the time series, in bounded memory |
//! | [`report`] | every form in which people and programs see a result |
//! | [`threshold`] | what a run must reach: `p99 < 20ms` |
//! | [`failure`] | why a run is no success, whatever was asked of it |
//! | [`merge`] | one result from those of many workers, exact |
//! | [`compare`] | whether one set of runs is better or worse than another |

pub(crate) mod amqp;
mod answering;
#[cfg(target_os = "linux")]
pub mod calibrate;
pub mod coap;
pub(crate) mod compare;
pub(crate) mod connection_state;
pub(crate) mod counters;
pub(crate) mod dial;
pub(crate) mod driver;
pub(crate) mod engine;
pub(crate) mod failure;
pub(crate) mod find_max;
pub(crate) mod gate;
pub(crate) mod letters;
pub(crate) mod merge;
pub(crate) mod mqtt;
pub(crate) mod pattern;
pub(crate) mod plan;
pub(crate) mod profile;
pub(crate) mod recorder;
pub(crate) mod report;
pub(crate) mod result;
pub(crate) mod series;
pub mod stamp;
pub mod system;
pub(crate) mod threshold;
pub(crate) mod transport;
#[cfg(test)]
mod virtual_tests;

pub use crate::pace::clock;
