//! MessagePack: read as JSON, and written from JSON.
//!
//! Nothing is built of what is read but the text, so that a small body cannot become a large one in memory.

mod read;
mod write;

pub use read::{BadMessagePack, json};
pub use write::from_json;
