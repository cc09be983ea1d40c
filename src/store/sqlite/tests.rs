use std::path::Path;

use super::*;
use crate::payload::layout::Layout;
use crate::payload::select::Column;
use crate::store::table::Affinity;

fn table(folder: &Path, columns: &str) -> Table {
    Table {
        path: folder.join("a.db"),
        name: String::from("t"),
        layout: Some(Layout::of(Column::list(columns).unwrap())),
        ..Table::default()
    }
}

fn stored(store: &mut Sqlite, payloads: &[&'static [u8]]) -> Vec<Refusal> {
    for (number, payload) in (1..).zip(payloads) {
        let message = Message {
            payload: (*payload).into(),
            topic: "a".into(),
            ..Message::default()
        };
        store.put(number, message).unwrap();
    }
    let mut refused = Vec::new();
    store.commit(&mut refused).unwrap();
    refused
}

fn open(table: Table) -> Sqlite {
    Sqlite::open(table, Times::default()).unwrap()
}

/// Each row as text.
fn rows(folder: &Path, what: &str) -> Vec<String> {
    let connection = Connection::open(folder.join("a.db")).unwrap();
    let mut statement = connection.prepare(what).unwrap();
    let count = statement.column_count();
    let row = |row: &rusqlite::Row<'_>| {
        let cells = (0..count).map(|at| match row.get::<_, Value>(at).unwrap() {
            Value::Null => String::from("-"),
            Value::Integer(value) => value.to_string(),
            Value::Real(value) => format!("{value:?}"),
            Value::Text(text) => format!("'{text}'"),
            Value::Blob(bytes) => format!("{bytes:?}"),
        });
        Ok(cells.collect::<Vec<_>>().join(" "))
    };
    let rows = statement.query_map([], row).unwrap();
    rows.collect::<rusqlite::Result<_>>().unwrap()
}

#[test]
fn types_follow_from_the_first_rows() {
    let folder = tempfile::tempdir().unwrap();
    let mut table = table(folder.path(), "i=/i,r=/r,s=/s,b=/b,n=/n,g=/g");
    table.types = vec![(String::from("g"), Affinity::Text)];
    let mut store = open(table);
    let first: [&[u8]; 2] = [
        br#"{"i":1,"r":1,"s":"x","b":true,"g":5}"#,
        br#"{"i":2,"r":1.5,"s":"y","b":false,"g":6}"#,
    ];
    assert!(stored(&mut store, &first).is_empty());
    let types = "SELECT name, type FROM pragma_table_info('t')";
    let expected = [
        "'i' 'INTEGER'",
        "'r' 'REAL'",
        "'s' 'TEXT'",
        "'b' 'INTEGER'",
        "'n' ''",
        "'g' 'TEXT'",
    ];
    assert_eq!(rows(folder.path(), types), expected);
    stored(&mut store, &[br#"{"i":1.5,"r":"no","n":7}"#]);
    let expected = ["1 1.0 'x' 1 - '5'", "2 1.5 'y' 0 - '6'", "1.5 'no' - - 7 -"];
    assert_eq!(rows(folder.path(), "SELECT * FROM t"), expected);
    let missing = store.missing().into_iter();
    let missing: Vec<_> = missing
        .map(|(name, count)| format!("{name} {count}"))
        .collect();
    assert_eq!(missing, ["s 1", "b 1", "n 2", "g 1"]);
    drop(store);
    let other = Sqlite::open(self::table(folder.path(), "i=/i,x=/x"), Times::default());
    let other = other.err().unwrap();
    assert_eq!(other.exit_code(), 2);
    assert!(other.hint_text().unwrap().contains("no column \"x\""));
}

#[test]
fn what_comes_twice_is_stored_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut table = table(folder.path(), "id=/id,v=/v");
    table.unique = vec![String::from("id")];
    table.indexes = vec![vec![String::from("\"v\"")]];
    table.layout.as_mut().unwrap().columns[1].name = String::from("\"v\"");
    let mut store = open(table);
    let payloads: [&[u8]; 3] = [
        br#"{"id":1,"v":"first"}"#,
        br#"{"id":1,"v":"again"}"#,
        br#"{"id":2,"v":"x"}"#,
    ];
    assert!(stored(&mut store, &payloads).is_empty());
    assert_eq!(
        rows(folder.path(), "SELECT * FROM t"),
        ["1 'first'", "2 'x'"]
    );
}

#[test]
fn a_row_that_breaks_a_rule_is_refused_alone() {
    let folder = tempfile::tempdir().unwrap();
    let connection = Connection::open(folder.path().join("a.db")).unwrap();
    connection
        .execute_batch("CREATE TABLE t (v REAL NOT NULL CHECK (v < 100), at DEFAULT 'now')")
        .unwrap();
    let mut store = open(table(folder.path(), "v=/v"));
    let payloads: [&[u8]; 4] = [b"{\"v\":1}", b"{}", b"{\"v\":100}", b"{\"v\":2}"];
    let refused = stored(&mut store, &payloads);
    let numbers: Vec<u64> = refused.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, [2, 3]);
    assert_eq!(refused[0].1.exit_code(), 1);
    assert!(refused[0].1.text().contains("NOT NULL constraint failed"));
    assert_eq!(
        rows(folder.path(), "SELECT * FROM t"),
        ["1.0 'now'", "2.0 'now'"]
    );
}

#[test]
fn whole_messages_are_stored_as_they_came() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(Table {
        layout: None,
        indexes: vec![vec![String::from("topic"), String::from("time_ns")]],
        ..table(folder.path(), "x=/x")
    });
    stored(&mut store, &[b"21.5", b"\xff\x00"]);
    let expected = ["1 0 'none' 'a' '21.5' -", "2 0 'none' 'a' [255, 0] -"];
    assert_eq!(rows(folder.path(), "SELECT * FROM t"), expected);
    assert_eq!(
        rows(folder.path(), "PRAGMA integrity_check"),
        ["'ok'"],
        "while it is open"
    );
}

#[test]
fn what_cannot_be_a_database_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.db"), "x".repeat(4096)).unwrap();
    let refused = Sqlite::open(table(folder.path(), "x=/x"), Times::default());
    assert_eq!(refused.err().unwrap().exit_code(), 8);
    let mut misnamed = table(folder.path(), "x=/x");
    misnamed.unique = vec![String::from("y")];
    let refused = Sqlite::open(misnamed, Times::default()).err().unwrap();
    assert_eq!(
        (refused.exit_code(), refused.text()),
        (2, "no column is called \"y\"")
    );
}
