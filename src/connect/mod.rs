//! All that a connection needs before its first byte: target, secrets, TLS, contexts, back-off, streams.
