//! Where messages are kept: files, a database, a time series. A message is safe once its store has committed it.
//!
//! A store blocks, and belongs to a [`Worker`], a thread: a disk that stalls holds up no connection.
//!
//! | part | what it is for |
//! |---|---|
//! | [`Store`] | what takes messages |
//! | [`worker`] | the thread, and when it commits |
//! | [`files`] | NDJSON and CSV |
//! | [`table`], [`Sqlite`] | a table of a database |
//! | [`Influx`] | a server of time series |
//! | [`spool`] | a queue on the disk, before targets that are away |
//! | [`times`] | when a message was, where it says that itself |

pub(crate) mod files;
mod influx;
pub mod spool;
#[cfg_attr(not(feature = "sqlite"), path = "sqlite/absent.rs")]
mod sqlite;
pub mod table;
pub(crate) mod times;
pub(crate) mod worker;

pub use files::Files;
pub use influx::{Influx, Place};
pub use sqlite::Sqlite;
pub use times::Times;
pub use worker::{Report, Syncing, Worker};

use crate::error::{Error, Result};
use crate::message::Message;

/// What is refused: the message's number, and why.
pub type Refusal = (u64, Error);

/// Takes messages and keeps them.
pub trait Store: Send {
    /// Takes a message, which is safe after the next [`Store::commit`].
    ///
    /// # Errors
    /// What makes it impossible to go on at all; what is not committed is not safe then.
    fn put(&mut self, number: u64, message: Message) -> Result<()>;

    /// All that was taken is safe, but for what is refused.
    ///
    /// # Errors
    /// As [`Store::put`].
    fn commit(&mut self, refused: &mut Vec<Refusal>) -> Result<()>;

    /// The messages since the last call in which there was nothing to keep, in order.
    fn empty(&mut self) -> Vec<u64> {
        Vec::new()
    }

    /// What messages did not have that were asked for it, and how many of them: `temperature`, 12.
    fn missing(&self) -> Vec<(String, u64)>;
}
