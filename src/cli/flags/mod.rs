//! The flags that several commands share, one group a file.

pub(crate) mod answer;
pub(crate) mod between;
pub(crate) mod condition;
pub(crate) mod connect;
pub(crate) mod decode;
pub(crate) mod destination;
pub(crate) mod ends;
pub(crate) mod exec;
pub(crate) mod format;
pub(crate) mod input;
pub(crate) mod launch;
pub(crate) mod ping;
pub(crate) mod ready;
pub(crate) mod replies;
pub(crate) mod report;
pub(crate) mod select;
pub(crate) mod server_tls;
pub(crate) mod terminal;
pub(crate) mod until;
pub(crate) mod written;
