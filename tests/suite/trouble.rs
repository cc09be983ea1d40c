//! What `mqtt pub` and `mqtt sub` do when the other side, the user or the terminal gives them trouble.

mod announced;
mod local;
mod peers;
mod refusals;
mod resumed;
mod stalls;
mod targets;
