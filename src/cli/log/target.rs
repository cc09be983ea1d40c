//! The targets of `log`, and what is written into them.

use std::ffi::OsString;
use std::path::Path;

use clap::Args;

use super::points::{self, PointFlags};
use super::selector;
use crate::cli::flags::destination::{Limit, rotation};
use crate::cli::syntax::numbers::Count;
use crate::cli::syntax::values;
use crate::command::ends::End;
use crate::command::log::StoreArgs;
use crate::command::route::file::{Names, TargetTable};
use crate::connect::ConnectArgs;
use crate::error::{Error, Result};
use crate::message::fields;
use crate::output::{Format, Rotation, RowStyle, Rows, Style};
use crate::payload::captures::Pattern;
use crate::payload::layout::{Layout, MELTED};
use crate::payload::select::{Column, Selector};
use crate::store::table::{Affinity, Table, USUAL_TABLE};

/// What stands in rows.
#[derive(Args, Debug)]
#[command(next_help_heading = "Storing")]
pub(super) struct RowFlags {
    /// Columns of rows, separated by commas: a JSON pointer such as /temp, a field such as topic or $time, {device} or {1} for what stands for a wildcard of -t, or another name, all of which the man page lists; NAME=… names a column; the first of several alternatives that a message has, as in 'timestamp=/timestamp|$time' [default: time,topic,payload,encoding,qos,retain]
    #[arg(long, value_name = "LIST")]
    columns: Option<String>,

    /// One row per value of a JSON payload instead of one per message: after those of --columns, in columns metric (its name) and value
    #[arg(long)]
    melt: bool,

    /// Field with the timestamp, such as /timestamp: ISO 8601, or Unix time in seconds, milliseconds, microseconds or nanoseconds (the unit is detected from the magnitude) [default: when the message was received]
    #[arg(long, value_name = "NAME")]
    time: Option<String>,
}

impl RowFlags {
    /// Writes columns into the table of a target.
    pub(super) fn write(&self, table: &mut TargetTable) {
        table.columns.clone_from(&self.columns);
        table.melt = Some(true).filter(|_| self.melt);
    }

    /// Writes into it what of a message says when it was.
    pub(super) fn write_time(&self, table: &mut TargetTable) {
        table.time.clone_from(&self.time);
    }

    /// Whether columns show what stands for wildcards.
    pub(super) fn has_captures(&self) -> bool {
        let columns = self.columns.as_deref().map(Column::list);
        columns.and_then(Result::ok).is_some_and(|columns| {
            let checked = |it: &Column| it.selector.check_captures(&[]);
            columns.iter().any(|it| checked(it).is_err())
        })
    }

    pub(super) fn time(&self) -> Result<Option<Selector>> {
        let time = self.time.as_deref();
        time.map(|word| selector("--time", word)).transpose()
    }

    fn layout(&self, patterns: Vec<Pattern>) -> Result<Layout> {
        let refuse = |why: String| Error::usage(format!("--columns: {why}"));
        let columns = match &self.columns {
            Some(list) => Column::list(list).map_err(refuse)?,
            None if self.melt => Column::list("time,topic").map_err(refuse)?,
            None => Column::usual(&fields::ANY),
        };
        for column in &columns {
            column.selector.check_captures(&patterns).map_err(refuse)?;
            if self.melt && MELTED.contains(&&*column.name) {
                let text = format!("{:?} is a column of --melt", column.name);
                return Err(refuse(text));
            }
        }
        Ok(Layout {
            columns,
            melt: self.melt,
            patterns,
        })
    }
}

/// What files are like.
#[derive(Args, Debug)]
#[command(next_help_heading = "Storing")]
pub(super) struct StoreFlags {
    /// Begin a new file when the old one would have more than this size (100MiB), is this old (1h), has this many messages (1000 or 10k), or at midnight UTC (daily); the old one is renamed to FILE-TIME, with the time of its first message; may be repeated
    #[arg(long, value_name = "LIMIT")]
    rotate: Vec<Limit>,

    /// Full files to keep; the oldest beyond them are deleted
    #[arg(long, value_name = "COUNT", requires = "rotate")]
    keep: Option<Count>,

    /// Compress full files with gzip
    #[arg(long, requires = "rotate")]
    gzip: bool,

    /// Write each message to standard output too, as a record for the next command of a pipe, whatever --to makes of it
    #[arg(long)]
    pass: bool,

    /// SQLite: type of a column, INTEGER, REAL, NUMERIC, TEXT or BLOB; may be repeated [default: what suits the first rows]
    #[arg(long, value_name = "COLUMN=TYPE", value_parser = typed)]
    types: Vec<(String, Affinity)>,

    /// SQLite: columns, separated by commas, of which an index is made; may be repeated
    #[arg(long, value_name = "COLUMNS")]
    index: Vec<String>,

    /// SQLite: columns, separated by commas, in which no two rows are the same: what is received twice is stored once
    #[arg(long, value_name = "COLUMNS")]
    unique: Option<String>,
}

fn typed(word: &str) -> Result<(String, Affinity), String> {
    let (name, kind) = word.rsplit_once('=').ok_or("expected COLUMN=TYPE")?;
    let mut all = Affinity::ALL.into_iter();
    let found = all.find(|it| it.name().eq_ignore_ascii_case(kind));
    let affinity = found.ok_or("a type is INTEGER, REAL, NUMERIC, TEXT or BLOB")?;
    Ok((name.to_owned(), affinity))
}

/// Words between commas.
fn list(words: &str) -> Vec<String> {
    words
        .split(',')
        .map(|word| word.trim().to_owned())
        .collect()
}

/// What is known of all targets.
pub(super) struct Targets<'a> {
    pub(super) rows: &'a RowFlags,
    pub(super) points: &'a PointFlags,
    /// What topics are matched by.
    pub(super) patterns: Vec<Pattern>,
    /// How to connect to servers.
    pub(super) connect: &'a ConnectArgs,
    pub(super) style: Style,
}

impl StoreFlags {
    /// Whether messages go to standard output too.
    pub(super) const fn passes(&self) -> bool {
        self.pass
    }

    /// Writes into the table of a target when a file is full.
    pub(super) fn write_rotation(&self, table: &mut TargetTable) {
        let limits: Vec<String> = self.rotate.iter().map(ToString::to_string).collect();
        table.rotate = Some(limits).filter(|it| !it.is_empty()).map(Names::Several);
        table.keep = self.keep.map(|Count(count)| count);
        table.gzip = Some(true).filter(|_| self.gzip);
    }

    /// Writes into it what a table of SQLite is like.
    pub(super) fn write_table(&self, table: &mut TargetTable) {
        let several = |words: Vec<String>| Some(words).filter(|it| !it.is_empty());
        let types = self.types.iter();
        let types = types.map(|(name, affinity)| format!("{name}={}", affinity.name()));
        table.types = several(types.collect()).map(Names::Several);
        table.index = several(self.index.clone()).map(Names::Several);
        table.unique.clone_from(&self.unique);
    }

    /// The stores that the words name.
    pub(super) fn stores(self, names: &[String], targets: &Targets<'_>) -> Result<Vec<StoreArgs>> {
        let rotation = Rotation {
            keep: self.keep.map(|Count(count)| count),
            gzip: self.gzip,
            ..rotation(&self.rotate)
        };
        let layout = targets.rows.layout(targets.patterns.clone())?;
        let asks_for_rows = targets.rows.columns.is_some() || targets.rows.melt;
        let table = Table {
            types: self.types,
            indexes: self.index.iter().map(|it| list(it)).collect(),
            unique: self.unique.as_deref().map_or_else(Vec::new, list),
            ..Table::default()
        };
        let open = |name: &String| -> Result<StoreArgs> {
            if let Some(place) = name.strip_prefix("sqlite:") {
                let layout = asks_for_rows.then(|| layout.clone());
                let table = Table {
                    layout,
                    ..table.clone()
                };
                return sqlite(place, table);
            }
            let points = || targets.points.points(targets.patterns.clone());
            match points::store(name, points, rotation, targets.connect, targets.style)? {
                Some(store) => Ok(store),
                None => store(name, rotation, &layout, asks_for_rows, targets.style),
            }
        };
        let mut stores: Vec<StoreArgs> = names.iter().map(open).collect::<Result<_>>()?;
        let any = |is: fn(&StoreArgs) -> bool| stores.iter().any(is);
        let database = any(|it| matches!(it, StoreArgs::Sqlite(_)));
        for (flag, given) in [
            ("--types", !table.types.is_empty()),
            ("--index", !table.indexes.is_empty()),
            ("--unique", !table.unique.is_empty()),
        ] {
            values::needs(flag, given, "sqlite:FILE in --to", database)?;
        }
        let files = any(|it| matches!(it, StoreArgs::File { .. }));
        values::needs("--rotate", !rotation.is_never(), "a file in --to", files)?;
        let flag = if targets.rows.melt {
            "--melt"
        } else {
            "--columns"
        };
        let needed = "a target of rows, such as FILE.csv";
        values::needs(flag, asks_for_rows, needed, any(StoreArgs::has_rows))?;
        if let Some(flag) = targets.points.given() {
            values::needs(flag, true, "influx: in --to", any(StoreArgs::has_points))?;
        }
        if self.pass {
            if any(|it| matches!(it, StoreArgs::Standard(..))) {
                let text = "--pass: standard output has what --to writes there";
                return Err(Error::usage(text).hint("use one of them"));
            }
            stores.push(StoreArgs::Standard(RECORDS, targets.style));
        }
        Ok(stores)
    }
}

/// One store by its name.
fn store(
    name: &str,
    rotation: Rotation,
    layout: &Layout,
    asks_for_rows: bool,
    style: Style,
) -> Result<StoreArgs> {
    if name == "-" {
        let format = match asks_for_rows {
            true => csv(layout),
            false => RECORDS,
        };
        return Ok(StoreArgs::Standard(format, style));
    }
    let format = match extension(name).as_str() {
        "csv" => csv(layout),
        "ndjson" | "jsonl" | "json" => RECORDS,
        _ => return Err(unknown(name)),
    };
    Ok(StoreArgs::File {
        path: name.into(),
        format,
        rotation,
    })
}

/// `FILE` or `FILE?table=NAME`.
fn sqlite(place: &str, table: Table) -> Result<StoreArgs> {
    let (path, name) = match place.split_once("?table=") {
        Some((path, name)) => (path, name),
        None => (place, USUAL_TABLE),
    };
    if path.is_empty() || name.is_empty() {
        let text =
            format!("--to \"sqlite:{place}\": expected sqlite:FILE or sqlite:FILE?table=NAME");
        return Err(Error::usage(text));
    }
    Ok(StoreArgs::Sqlite(Table {
        path: path.into(),
        name: name.to_owned(),
        ..table
    }))
}

/// A file of records, or standard output, that gets what is refused.
pub(super) fn records(name: &str, style: Style) -> Result<StoreArgs> {
    match store(name, Rotation::default(), &Layout::default(), false, style)? {
        StoreArgs::File { format, .. } if format != RECORDS => {
            let text = format!("{name:?} is not a file of records");
            Err(Error::usage(text).hint("name it FILE.ndjson"))
        }
        store => Ok(store),
    }
}

const RECORDS: Format = Format::Json {
    pretty: false,
    embed: false,
    local: false,
};

fn csv(layout: &Layout) -> Format {
    Format::Rows(Rows {
        style: RowStyle::Csv,
        layout: layout.clone(),
        local: false,
    })
}

fn extension(name: &str) -> String {
    let extension = Path::new(name).extension().unwrap_or_default();
    extension.to_string_lossy().to_ascii_lowercase()
}

fn unknown(name: &str) -> Error {
    let text = format!("--to {name:?} is not a target");
    let refused = Error::usage(text);
    match End::parse(name) {
        _ if extension(name) == "gz" => refused
            .hint("--gzip compresses files once they are full; name it FILE.ndjson or FILE.csv"),
        // It looks like a server.
        Err(_) => refused.hint(
            "`iotctl bridge` carries messages to a server; a file is named FILE.ndjson or FILE.csv",
        ),
        Ok(End::Url(..)) => refused.hint("`iotctl bridge` carries messages to a server"),
        _ => refused.hint("name a file FILE.ndjson or FILE.csv, a database sqlite:FILE or influx://HOST/DATABASE, or - for standard output"),
    }
}

pub(super) fn text(word: OsString) -> Result<String> {
    values::text("--to", word)
}
