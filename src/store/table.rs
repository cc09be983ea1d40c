//! What a table of a database is to be like.

use std::path::PathBuf;

use crate::payload::layout::Layout;

/// The table of those of whom nothing else was said.
pub const USUAL_TABLE: &str = "message";

/// A table in a file of SQLite, as the command line says it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// The file.
    pub path: PathBuf,
    /// The table's name.
    pub name: String,
    /// The columns; otherwise those of whole messages: `id`, `time_ns`, `protocol`, `topic`, `payload`, `detail`.
    pub layout: Option<Layout>,
    /// Types of columns; those of others follow from the first rows.
    pub types: Vec<(String, Affinity)>,
    /// Each of these lists of columns has an index.
    pub indexes: Vec<Vec<String>>,
    /// No two rows are the same in these; the first stays. Nothing: any may be.
    pub unique: Vec<String>,
}

/// The type of a column (SQLite's "Datatypes", §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Affinity {
    /// Whole numbers, and `true` and `false` as 1 and 0.
    Integer,
    /// Numbers.
    Real,
    /// Numbers of both kinds.
    Numeric,
    /// Text.
    Text,
    /// Anything, as it comes.
    Blob,
}

impl Affinity {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Integer,
        Self::Real,
        Self::Numeric,
        Self::Text,
        Self::Blob,
    ];

    /// Its name in SQL.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Integer => "INTEGER",
            Self::Real => "REAL",
            Self::Numeric => "NUMERIC",
            Self::Text => "TEXT",
            Self::Blob => "BLOB",
        }
    }
}

impl Table {
    /// The names of the columns that rows have.
    pub fn columns(&self) -> Vec<String> {
        match &self.layout {
            Some(layout) => layout.names().map(str::to_owned).collect(),
            None => MESSAGE.map(|(name, _)| name.to_owned()).into(),
        }
    }
}

/// The columns of whole messages, but for `id`, and their types.
pub(super) const MESSAGE: [(&str, Option<Affinity>); 5] = [
    ("time_ns", Some(Affinity::Integer)),
    ("protocol", Some(Affinity::Text)),
    ("topic", Some(Affinity::Text)),
    // Text where it is UTF-8.
    ("payload", None),
    ("detail", Some(Affinity::Text)),
];
