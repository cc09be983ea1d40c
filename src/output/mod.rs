//! The only room that writes to stdout and stderr: formats, colour, errors.
//!
//! | part | what it is for |
//! |---|---|
//! | [`Output`] | standard output for messages and results: batched, never blocking the caller's event loop |
//! | [`Format`] | what a message looks like; one file each under `format/` |
//! | [`Destination`] | where messages go, if not there: files, under [`Names`] made of them |
//! | [`Template`] | mosquitto's format language (`-F`) |
//! | [`Console`] | what a command says besides its results, on standard error |
//! | [`Live`] | a view of something that goes on, on standard error |
//! | [`Tables`] | a table that is printed again and again |
//! | [`Panes`] | the screen of `watch`, on the whole terminal |
//! | [`show_man_page`] | a man page, as `man` shows it |
//! | [`flush`] | waits, within reason, until standard error has it all |
//! | [`report`] | the last words of a command that failed |
//! | [`Style`] | `--color` and `--quiet` |

mod action;
mod aside;
mod console;
mod destination;
mod escape;
mod folder;
mod format;
mod live;
mod log;
mod man;
mod names;
#[cfg_attr(not(feature = "tui"), path = "panes/absent.rs")]
mod panes;
mod screen;
mod sink;
mod stderr;
mod stream;
mod style;
mod tables;
mod tail;

pub use action::{Action, Takes};
pub use console::{Console, report};
pub use destination::{Destination, Rotation};
pub use format::{Flaw, Format, RowStyle, Rows, Template, indented_json, record_line};
pub use live::Live;
pub use man::show_man_page;
pub use names::{Name, Names};
pub use panes::Panes;
pub(crate) use sink::reader_is_gone;
pub(crate) use stderr::beside_messages;
pub use stderr::flush;
pub use stream::{Output, print, print_help, print_report};
pub use style::{ColorChoice, Style, columns, lacks_screen, terminals};
pub use tables::Tables;
