//! AMQP 0-9-1: publishing and receiving over frames of our own, topology over lapin; and what AMQP 1.0 has of that.
//!
//! | part | what it is for |
//! |---|---|
//! | [`client`] | one connection: login, deadlines, what the server says about it |
//! | [`channel`] | one channel: every await has its deadline, every failure its words |
//! | [`publisher`] | messages to publish, and what becomes of them |
//! | [`v091`] | publishes and receives on frames of our own |
//! | `frame` | frames, fields, tables and methods as bytes |
//! | [`consumer`] | what to consume, and what comes |
//! | [`firehose`] | what RabbitMQ's copies of all messages are copies of |
//! | `tags` | which messages may be settled together |
//! | [`topology`] | exchanges, queues and bindings |
//! | [`definitions`] | the same as a file |
//! | [`broker`] | the embedded broker, which knows nothing of the client |
//! | [`v1`] | AMQP 1.0: another protocol by the same name |
//! | [`address`] | where AMQP 1.0 sends to and receives from |
//! | [`wish`] | what is wanted of a connection over AMQP 1.0 |
//! | [`trace`] | what frames go over a connection, for people |
//! | [`value`] | headers and arguments as people write them |
//!
//! lapin's habits that are guarded against here: a large frame size (it takes 128 times as much memory at once), frames
//! of 8,192 bytes where the server wants smaller ones, nested tables (it follows them by recursion), a login that the
//! server does not offer, a panic in its thread (every future would hang), short strings over 255 bytes (a panic), its
//! URL rules, time-outs that it does not have, and its own recovery, which is not used.

#[cfg_attr(
    not(feature = "amqp1"),
    allow(dead_code, reason = "only AMQP 1.0 reads it")
)]
pub(crate) mod address;
pub(crate) mod broker;
pub(crate) mod channel;
pub(crate) mod client;
pub mod consumer;
pub(crate) mod definitions;
mod diagnose;
pub(crate) mod firehose;
pub(crate) mod frame;
mod gate;
mod heard;
mod narrow;
mod panics;
pub mod publisher;
mod spoken;
pub(crate) mod tags;
pub mod topology;
pub mod trace;
mod transport;
pub mod v091;
#[cfg_attr(not(feature = "amqp1"), path = "v1/absent.rs")]
pub(crate) mod v1;
pub mod value;
mod wire;
#[cfg_attr(
    not(feature = "amqp1"),
    allow(dead_code, reason = "only AMQP 1.0 reads it")
)]
pub(crate) mod wish;

pub use channel::Channel;
pub use client::{Client, Event, Login, Mechanism, Options};
