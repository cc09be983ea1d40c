//! One file per thing a user can do; the only room where a protocol meets the terminal.
