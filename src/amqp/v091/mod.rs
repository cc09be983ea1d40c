//! AMQP 0-9-1 over frames of our own: publishes, receives, and loses no word of what comes.
//!
//! lapin takes several microseconds for each message: locks, a future, and the way to another thread and back; and it
//! cannot read all that servers pass on. Here a message to publish is a copy of prepared frames into the buffer of the next
//! write, a confirmation moves a mark, and what comes is read where it lies. What it takes to change a topology stays
//! with [`super::Client`].
//!
//! | file | what it holds |
//! |---|---|
//! | `connection` | a connection with one channel |
//! | `login` | from the protocol header to that channel |
//! | `link` | frames in and out, heartbeats |
//! | `publisher`, `template`, `in_flight` | messages out: as frames, and under way |
//! | `news` | what the server says about them, and about itself |
//! | `receiver`, `inbox` | messages in: what is asked of the server, and frames put together |

mod connection;
mod in_flight;
mod inbox;
mod link;
mod login;
mod news;
mod publisher;
mod receiver;
mod template;

pub use connection::Connection;
pub use inbox::{Incoming, LARGEST_BODY};
