//! CoAP (RFC 7252): the sans-I/O endpoint and its transports.
//!
//! The room is reserved by the layer rule; its first file comes with its first command.
