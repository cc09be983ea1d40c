//! AMQP 0-9-1: publishing, consuming and topology.
//!
//! The room is reserved by the layer rule; its first file comes with its first command.
