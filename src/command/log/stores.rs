//! The stores by name.
//!
//! | name | what it is |
//! |---|---|
//! | `FILE.ndjson`, `FILE.jsonl` | records, one JSON object a line |
//! | `FILE.csv` | rows |
//! | `-` | standard output |
//! | `sqlite:FILE?table=NAME` | rows of a table |
//! | `influx:FILE`, `influx:-`, `influx+tcp://`, `influx+udp://`, `influx://`, `influx2://` | points of a time series |

use std::path::PathBuf;

use super::kept::{Kept, Shown};
use crate::command::ends::End;
use crate::command::ends::target::cut_off;
use crate::error::{Error, Result};
use crate::flow::Stored;
use crate::output::{Console, Format, Output, Rotation, Style};
use crate::payload::points::Points;
use crate::payload::select::Selector;
use crate::store::table::Table;
use crate::store::{Files, Influx, Place, Sqlite, Store, Syncing, Times, Worker};

/// One store, as the command line says it.
#[derive(Clone, Debug)]
pub(crate) enum StoreArgs {
    /// A file that grows.
    File {
        /// Its name.
        path: PathBuf,
        /// What stands in it.
        format: Format,
        /// When it is full.
        rotation: Rotation,
    },
    /// Standard output.
    Standard(Format, Style),
    /// A table of SQLite.
    Sqlite(Table),
    /// An InfluxDB, or what reads its line protocol.
    Influx {
        /// Its name, without user and password.
        name: String,
        place: Place,
        points: Points,
    },
}

impl StoreArgs {
    /// The same as the end of a flow.
    pub(crate) fn end(&self) -> End {
        match self {
            Self::File { path, .. } => End::File(path.clone()),
            Self::Sqlite(table) => End::Database(table.path.clone()),
            Self::Influx { name, .. } => End::Store(name.clone()),
            Self::Standard(..) => End::Standard,
        }
    }

    /// Whether it keeps rows.
    pub(crate) const fn has_rows(&self) -> bool {
        match self {
            Self::File { format, .. } | Self::Standard(format, _) => {
                matches!(format, Format::Rows(_))
            }
            Self::Sqlite(table) => table.layout.is_some(),
            Self::Influx { .. } => false,
        }
    }

    /// Whether it keeps points.
    pub(crate) const fn has_points(&self) -> bool {
        match self {
            Self::File { format, .. } | Self::Standard(format, _) => {
                matches!(format, Format::Points(_))
            }
            Self::Sqlite(_) => false,
            Self::Influx { .. } => true,
        }
    }

    /// Opens it; `time`: what of a message says when it was.
    ///
    /// # Errors
    /// It cannot be written, or holds something else.
    pub(super) async fn open<'a>(
        &self,
        sync: Syncing,
        time: Option<Selector>,
        console: Console,
    ) -> Result<Kept<'a>> {
        if let Self::Standard(format, style) = self {
            let output = Output::open(format.clone(), *style)?;
            let shown = Shown::new(output, Times::of(time));
            return Ok(Kept::Shown(Box::new(shown)));
        }
        let stored = self.stored(sync, time, console)?;
        Ok(Kept::Stored(Box::new(stored.telling(console))))
    }

    /// The same of what is not standard output.
    ///
    /// # Errors
    /// As [`StoreArgs::open`]; a usage error for standard output.
    pub(crate) fn stored(
        &self,
        sync: Syncing,
        time: Option<Selector>,
        console: Console,
    ) -> Result<Stored> {
        let times = Times::of(time);
        match self {
            Self::File {
                path,
                format,
                rotation,
            } => {
                let (files, cut) = Files::open(path, *rotation, format.clone(), times)?;
                if cut > 0 {
                    console.warn(cut_off(path, cut));
                }
                kept(path.display().to_string(), files, sync)
            }
            Self::Sqlite(table) => {
                let store = Sqlite::open(table.clone(), times)?;
                kept(table.path.display().to_string(), store, sync)
            }
            Self::Influx {
                name,
                place,
                points,
            } => {
                let opened = Influx::open(name.clone(), place, points.clone(), times, console);
                kept(name.clone(), opened?, sync)
            }
            Self::Standard(..) => Err(Error::usage("standard output is no store")),
        }
    }
}

fn kept(name: String, store: impl Store + 'static, sync: Syncing) -> Result<Stored> {
    let worker = Worker::start(store, sync)?;
    Ok(Stored::new(name, worker))
}
