//! The AMQP commands against a private RabbitMQ and scripted peers.

mod broker;
mod bulk;
mod cli;
mod consuming;
mod guards;
mod hostile;
mod mqtt;
#[cfg(feature = "amqp1")]
mod one;
#[cfg(not(feature = "amqp1"))]
mod one_absent;
#[cfg(feature = "amqp1")]
mod one_peer;
mod peer;
mod poison;
mod publishing;
mod queues;
mod recovery;
mod refusing;
mod rpc;
mod tapping;
mod topology;
mod trouble;
mod tuning;
mod words;
