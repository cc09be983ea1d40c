//! Publishes over a connection of its own, many messages in one write.
//!
//! lapin takes several microseconds for each message: locks, a future, and the way to another thread and back. Here a
//! message is a copy of prepared frames into the buffer of the next write, and a confirmation moves a mark. The other
//! requests are few, so they stay with [`super::Client`].
//!
//! | file | what it holds |
//! |---|---|
//! | `link` | frames in and out, heartbeats |
//! | `login` | from the protocol header to a channel that confirms |
//! | `template` | a message as frames |
//! | `news` | what the server says about messages |
//! | `in_flight` | what is under way, by delivery tag |

mod in_flight;
mod link;
mod login;
mod news;
mod publisher;
mod template;

pub use publisher::Publisher;
