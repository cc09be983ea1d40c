//! Simulated devices: what they measure, when they report, what they can be told, and how they fail. Pure: the time is passed in.
//!
//! | part | what it is for |
//! |---|---|
//! | [`mod@file`] | the file of a fleet, as it is written |
//! | [`model`] | what it means, checked |
//! | [`generator`], [`value`], [`span`] | values, and lengths of time that are drawn |
//! | [`command`], [`rule`] | what actuators are told, and what follows from what |
//! | [`agent`] | what takes firmware updates, on hardware that is simulated too |
//! | [`fleet`] | the devices in time: what is due, what they send, what they make of what comes |
//! | [`account`] | what has happened, counted |
//! | [`scenario`] | files that are built in |

pub(crate) mod account;
pub(crate) mod agent;
pub(crate) mod command;
pub(crate) mod file;
pub(crate) mod fleet;
pub(crate) mod generator;
pub(crate) mod model;
pub(crate) mod rule;
pub(crate) mod scenario;
pub(crate) mod span;
pub(crate) mod value;
