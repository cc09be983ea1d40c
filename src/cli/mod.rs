//! Declares the flags and turns words into a plan; the only room that knows clap.
