//! A table of SQLite, which others may read while it is written: a write-ahead log, synced at each transaction.
//!
//! A row that the table does not take is refused alone; the others of its transaction are stored.

mod row;

use std::thread::sleep;
use std::time::{Duration, SystemTime};

use rusqlite::types::Value;
use rusqlite::{Connection, ErrorCode, OpenFlags, TransactionBehavior, params_from_iter};

use self::row::{Types, message_row, value};
use super::table::Table;
use super::{Refusal, Store, Times};
use crate::error::{Error, Kind, Result};
use crate::message::Message;

/// How long another writer may hold the file when it is opened; after that it is waited for as long as it takes.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often it is looked whether another writer is done.
const BUSY: Duration = Duration::from_millis(10);

/// The table, and what is to be stored with the next transaction.
pub struct Sqlite {
    connection: Connection,
    table: Table,
    columns: Vec<String>,
    /// The statement that stores a row.
    insert: String,
    /// Whether the table is there.
    exists: bool,
    times: Times,
    pending: Vec<(u64, Message)>,
    previous: Option<SystemTime>,
    /// For each column, how many rows had nothing for it.
    missing: Vec<u64>,
    /// Messages that made no row.
    empty: u64,
}

type Row = Vec<Value>;

impl Sqlite {
    /// Opens a file, or makes it.
    ///
    /// # Errors
    /// [`Kind::Local`] for a file that cannot be used, [`Kind::Usage`] for a table of other columns.
    pub fn open(table: Table, times: Times) -> Result<Self> {
        // Not rusqlite's own, by which a name that begins with file: would be a URL.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let opened = Connection::open_with_flags(&table.path, flags);
        let connection = opened.map_err(|cause| cannot(&table, &cause))?;
        let columns = table.columns();
        let mut store = Self {
            insert: insert(&table, &columns),
            missing: vec![0; columns.len()],
            connection,
            table,
            columns,
            exists: false,
            times,
            pending: Vec::new(),
            previous: None,
            empty: 0,
        };
        store.check_names()?;
        let prepared = store.prepare();
        prepared.map_err(|cause| cannot(&store.table, &cause))??;
        Ok(store)
    }

    /// Columns that are asked for elsewhere are there.
    fn check_names(&self) -> Result<()> {
        let typed = self.table.types.iter().map(|(name, _)| name);
        let indexed = self.table.indexes.iter().flatten();
        let mut asked = typed.chain(indexed).chain(&self.table.unique);
        match asked.find(|name| !self.columns.contains(*name)) {
            Some(name) => Err(Error::usage(format!("no column is called {name:?}"))
                .hint(format!("there are {}", self.columns.join(", ")))),
            None => Ok(()),
        }
    }

    /// Whether the file can be written, and whether the table is what it is to be.
    fn prepare(&mut self) -> rusqlite::Result<Result<()>> {
        self.connection.busy_timeout(PATIENCE)?;
        self.connection.pragma_update(None, "journal_mode", "WAL")?;
        self.connection.pragma_update(None, "synchronous", "FULL")?;
        let known = self.known_columns()?;
        self.exists = !known.is_empty();
        if let Some(name) = self
            .columns
            .iter()
            .find(|it| self.exists && !known.contains(it))
        {
            let (path, table) = (self.table.path.display(), &self.table.name);
            let text = format!("{path} has a table {table} of other columns");
            return Ok(Err(Error::usage(text).hint(format!(
                "it has no column {name:?}; sqlite:FILE?table=NAME uses another table"
            ))));
        }
        // A table of columns has types only once there are rows.
        match self.table.layout {
            None => self.create(&Types::of_messages())?,
            Some(_) if self.exists => self.index()?,
            Some(_) => {
                let mut writable = self
                    .connection
                    .transaction_with_behavior(TransactionBehavior::Immediate)?;
                writable.set_drop_behavior(rusqlite::DropBehavior::Rollback);
                writable.execute_batch("CREATE TABLE iotctl_probe (x)")?;
            }
        }
        self.connection.busy_handler(Some(|_| {
            sleep(BUSY);
            true
        }))?;
        Ok(Ok(()))
    }

    fn known_columns(&self) -> rusqlite::Result<Vec<String>> {
        let mut statement = self
            .connection
            .prepare("SELECT name FROM pragma_table_info(?1)")?;
        statement
            .query_map([&self.table.name], |row| row.get(0))?
            .collect()
    }

    /// Makes the table, unless it is there, and its indexes.
    fn create(&mut self, types: &Types) -> rusqlite::Result<()> {
        let given = |name: &String| {
            let mut all = self.table.types.iter();
            all.find_map(|(known, affinity)| (known == name).then_some(*affinity))
        };
        let column = |(at, name): (usize, &String)| {
            let affinity = given(name).or_else(|| types.of(at));
            let affinity = affinity.map_or_else(String::new, |it| format!(" {}", it.name()));
            format!("{}{affinity}", quoted(name))
        };
        let mut columns: Vec<String> = self.columns.iter().enumerate().map(column).collect();
        if self.table.layout.is_none() {
            columns.insert(0, String::from("id INTEGER PRIMARY KEY"));
        }
        let table = quoted(&self.table.name);
        let columns = columns.join(", ");
        self.connection
            .execute_batch(&format!("CREATE TABLE IF NOT EXISTS {table} ({columns})"))?;
        self.exists = true;
        self.index()
    }

    fn index(&self) -> rusqlite::Result<()> {
        let unique = Some(&self.table.unique).filter(|it| !it.is_empty());
        let unique = unique.map(|columns| ("UNIQUE INDEX", columns));
        let others = self.table.indexes.iter().map(|columns| ("INDEX", columns));
        for (kind, columns) in unique.into_iter().chain(others) {
            let mark = if kind == "INDEX" { "by" } else { "unique" };
            let name = format!("{}_{mark}_{}", self.table.name, columns.join("_"));
            let (name, table, columns) = (quoted(&name), quoted(&self.table.name), listed(columns));
            self.connection.execute_batch(&format!(
                "CREATE {kind} IF NOT EXISTS {name} ON {table} ({columns})"
            ))?;
        }
        Ok(())
    }

    /// The rows of a message.
    fn rows(&mut self, message: &Message) -> Vec<Row> {
        let previous = self.previous.replace(message.time);
        let Some(layout) = &self.table.layout else {
            return vec![message_row(message)];
        };
        let missing = &mut self.missing;
        let mut rows = Vec::new();
        layout.rows(message, previous.is_none(), |cells| {
            let cells = cells.iter().enumerate().map(|(at, found)| {
                missing[at] += u64::from(found.is_none());
                let found = found.as_ref();
                found.map_or(Value::Null, |it| value(it, previous, message.time))
            });
            rows.push(cells.collect::<Row>());
        });
        self.empty += u64::from(rows.is_empty());
        rows
    }

    fn store(
        &mut self,
        messages: &[(u64, Vec<Row>)],
        refused: &mut Vec<Refusal>,
    ) -> rusqlite::Result<()> {
        if !self.exists {
            let rows = messages.iter().flat_map(|(_, rows)| rows);
            self.create(&Types::of_rows(self.columns.len(), rows))?;
        }
        let (table, path) = (&self.table.name, &self.table.path);
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut insert = transaction.prepare(&self.insert)?;
        for (number, rows) in messages {
            for row in rows {
                match insert.execute(params_from_iter(row)) {
                    Ok(_) => {}
                    Err(cause) if is_refusal(&cause) => {
                        let text =
                            format!("{}: table {table} refused a row: {cause}", path.display());
                        refused.push((*number, Error::new(Kind::Refused, text)));
                        break;
                    }
                    Err(cause) => return Err(cause),
                }
            }
        }
        drop(insert);
        transaction.commit()
    }
}

impl Store for Sqlite {
    fn put(&mut self, number: u64, mut message: Message) -> Result<()> {
        self.times.set(&mut message);
        self.pending.push((number, message));
        Ok(())
    }

    fn commit(&mut self, refused: &mut Vec<Refusal>) -> Result<()> {
        let pending = std::mem::take(&mut self.pending);
        let rows = |(number, message): (u64, Message)| (number, self.rows(&message));
        let messages: Vec<(u64, Vec<Row>)> = pending.into_iter().map(rows).collect();
        let stored = self.store(&messages, refused);
        stored.map_err(|cause| cannot(&self.table, &cause))
    }

    fn missing(&self) -> Vec<(String, u64)> {
        let counts = self.missing.iter().copied();
        let all = self.columns.iter().cloned().zip(counts);
        let empty = (String::from("a value"), self.empty);
        let all = all.chain([empty]).filter(|(_, count)| *count > 0);
        all.chain(self.times.missing()).collect()
    }
}

/// Whether a row is at fault, and not the file.
fn is_refusal(cause: &rusqlite::Error) -> bool {
    let code = cause.sqlite_error_code();
    matches!(
        code,
        Some(ErrorCode::ConstraintViolation | ErrorCode::TypeMismatch | ErrorCode::TooBig)
    )
}

fn cannot(table: &Table, cause: &rusqlite::Error) -> Error {
    let path = table.path.display();
    Error::new(Kind::Local, format!("cannot write {path}: {cause}"))
}

fn insert(table: &Table, columns: &[String]) -> String {
    let places = vec!["?"; columns.len()].join(", ");
    let (name, list) = (quoted(&table.name), listed(columns));
    let conflict = match table.unique.is_empty() {
        true => String::new(),
        false => format!(" ON CONFLICT ({}) DO NOTHING", listed(&table.unique)),
    };
    format!("INSERT INTO {name} ({list}) VALUES ({places}){conflict}")
}

fn listed(columns: &[String]) -> String {
    let columns: Vec<String> = columns.iter().map(|it| quoted(it)).collect();
    columns.join(", ")
}

/// A name as SQL has it.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

#[cfg(test)]
mod tests;
