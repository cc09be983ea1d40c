//! Guards amq-protocol's parser, which follows nested tables by recursion: too deep a nesting would exhaust the stack.

use super::Refusal;

/// How deep tables and arrays may be nested.
const DEEPEST: usize = 24;

/// How many values a table may have, with those of the tables and arrays in it. A value of one byte takes some forty
/// once it is read.
const MOST: usize = 16_384;

/// Where the table stands among the arguments: `b` one byte, `w` two bytes, `s` a short string, `T` the table.
const TABLES: &[(u16, u16, &str)] = &[
    (10, 11, "T"),
    (40, 10, "wssbT"),
    (40, 30, "wsssbT"),
    (40, 40, "wsssbT"),
    (50, 10, "wsbT"),
    (50, 20, "wsssbT"),
    (50, 50, "wsssT"),
    (60, 20, "wssbT"),
];

/// The methods that a client may send or answer with, by class.
const KNOWN: &[(u16, &[u16])] = &[
    (10, &[11, 21, 31, 40, 50, 51, 70]),
    (20, &[10, 20, 21, 40, 41]),
    (30, &[10]),
    (40, &[10, 20, 30, 40]),
    (50, &[10, 20, 30, 40, 50]),
    (60, &[10, 20, 30, 31, 40, 70, 80, 90, 100, 110, 120]),
    (85, &[10]),
    (90, &[10, 20, 30]),
];

fn ids(payload: &[u8]) -> Option<(u16, u16, &[u8])> {
    let [c1, c0, m1, m0, rest @ ..] = payload else {
        return None;
    };
    Some((
        u16::from_be_bytes([*c1, *c0]),
        u16::from_be_bytes([*m1, *m0]),
        rest,
    ))
}

/// Whether a client may send this method at all.
pub(in crate::amqp) fn is_known(payload: &[u8]) -> bool {
    ids(payload).is_some_and(|(class, method, _)| {
        let of = |(known, methods): &(u16, &[u16])| *known == class && methods.contains(&method);
        KNOWN.iter().any(of)
    })
}

/// Refuses a method whose table is nested too deep or has too many values.
///
/// # Errors
/// 502.
pub(in crate::amqp) fn check_method(payload: &[u8]) -> Result<(), Refusal> {
    let Some((class, method, mut rest)) = ids(payload) else {
        return Err(Refusal::syntax("a method without a number"));
    };
    let of = |(known, number, _): &&(u16, u16, &str)| (*known, *number) == (class, method);
    let Some((_, _, layout)) = TABLES.iter().find(of) else {
        return Ok(());
    };
    for argument in layout.bytes() {
        let after = match argument {
            b'b' => rest.get(1..),
            b'w' => rest.get(2..),
            b's' => short_string(rest).map(|(_, after)| after),
            _ => return check_table(rest),
        };
        // What is cut short is left to the parser.
        let Some(after) = after else { return Ok(()) };
        rest = after;
    }
    Ok(())
}

/// Refuses properties whose headers are nested too deep or too many; `properties` begins with the flags.
///
/// # Errors
/// 502.
pub(in crate::amqp) fn check_properties(properties: &[u8]) -> Result<(), Refusal> {
    let [high, _, rest @ ..] = properties else {
        return Ok(());
    };
    let mut rest = rest;
    for flag in [0x80, 0x40] {
        if high & flag != 0 {
            let Some((_, after)) = short_string(rest) else {
                return Ok(());
            };
            rest = after;
        }
    }
    if high & 0x20 != 0 {
        check_table(rest)
    } else {
        Ok(())
    }
}

/// Checks a table, its length first.
///
/// # Errors
/// 502.
pub(in crate::amqp) fn check_table(bytes: &[u8]) -> Result<(), Refusal> {
    // The table goes as far as its length says; each level holds on to the end of the one around it.
    let mut levels = Vec::new();
    let mut rest = bytes;
    let mut values = 0;
    if open(&mut levels, &mut rest, true).is_none() {
        return Ok(());
    }
    while let Some(&(left, named)) = levels.last() {
        if rest.len() <= left {
            levels.pop();
            continue;
        }
        if levels.len() > DEEPEST {
            return Err(Refusal::syntax(format!(
                "tables are nested deeper than {DEEPEST} levels"
            )));
        }
        values += 1;
        if values > MOST {
            return Err(Refusal::syntax(format!(
                "a table has more than {MOST} values"
            )));
        }
        // What makes no sense is left to the parser, which stops there too.
        if value(&mut levels, &mut rest, named).is_none() {
            return Ok(());
        }
    }
    Ok(())
}

/// A short string, and what follows it.
pub(in crate::amqp) fn short_string(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (length, rest) = bytes.split_first()?;
    let (text, rest) = rest.split_at_checked(usize::from(*length))?;
    Some((str::from_utf8(text).ok()?, rest))
}

/// Enters a table or an array; notes how many bytes will be left after it.
fn open(levels: &mut Vec<(usize, bool)>, rest: &mut &[u8], named: bool) -> Option<()> {
    let (length, after) = rest.split_first_chunk::<4>()?;
    let left = after
        .len()
        .checked_sub(u32::from_be_bytes(*length) as usize)?;
    levels.push((left, named));
    *rest = after;
    Some(())
}

fn value(levels: &mut Vec<(usize, bool)>, rest: &mut &[u8], named: bool) -> Option<()> {
    if named {
        let name = usize::from(*rest.first()?);
        *rest = rest.get(1 + name..)?;
    }
    let (kind, after) = rest.split_first()?;
    *rest = after;
    let length = match kind {
        b't' | b'b' | b'B' => 1,
        b's' | b'U' | b'u' => 2,
        b'I' | b'i' | b'f' => 4,
        b'L' | b'l' | b'd' | b'T' => 8,
        b'D' => 5,
        b'V' => 0,
        b'S' | b'x' => 4 + u32::from_be_bytes(*rest.first_chunk::<4>()?) as usize,
        b'F' => return open(levels, rest, true),
        b'A' => return open(levels, rest, false),
        _ => return None,
    };
    *rest = rest.get(length..)?;
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A table that holds a table, and so on.
    fn nested(levels: usize) -> Vec<u8> {
        let mut table = vec![0, 0, 0, 0];
        for _ in 1..levels {
            let mut outer = (table.len() as u32 + 3).to_be_bytes().to_vec();
            outer.extend([1, b'n', b'F']);
            outer.extend(table);
            table = outer;
        }
        table
    }

    #[test]
    fn depth_is_limited_wherever_a_table_may_stand() {
        assert!(check_table(&nested(DEEPEST)).is_ok());
        assert!(check_table(&nested(DEEPEST + 2)).is_err());
        let with = |head: &[u8], levels| [head, &nested(levels)].concat();
        let heads: [&[u8]; 4] = [
            &[0, 10, 0, 11],
            &[0, 50, 0, 10, 0, 0, 1, b'q', 0],
            &[0, 60, 0, 20, 0, 0, 1, b'q', 0, 0],
            &[0, 40, 0, 10, 0, 0, 1, b'x', 1, b't', 0],
        ];
        for head in heads {
            assert!(check_method(&with(head, 10_000)).is_err(), "{head:?}");
            assert!(check_method(&with(head, 2)).is_ok());
        }
        assert!(check_properties(&with(&[0xA0, 0, 1, b't'], 10_000)).is_err());
        assert!(check_properties(&with(&[0x80, 0, 1, b't'], 10_000)).is_ok());
    }

    #[test]
    fn values_are_limited_even_where_they_are_empty() {
        let array = |count: usize| {
            let mut table = ((count + 7) as u32).to_be_bytes().to_vec();
            table.extend([1, b'n', b'A']);
            table.extend((count as u32).to_be_bytes());
            table.extend(vec![b'V'; count]);
            table
        };
        assert!(check_table(&array(MOST - 1)).is_ok());
        assert!(check_table(&array(MOST)).is_err());
        let named = b"\0V".repeat(MOST + 1);
        let table = [&(named.len() as u32).to_be_bytes()[..], &named].concat();
        assert!(check_table(&table).is_err());
    }

    #[test]
    fn siblings_are_not_nested() {
        let mut table = Vec::new();
        for _ in 0..1000 {
            table.extend([1, b'n', b'F', 0, 0, 0, 0, 1, b'i', b'I', 0, 0, 0, 1]);
        }
        let whole = [&(table.len() as u32).to_be_bytes()[..], &table].concat();
        assert!(check_table(&whole).is_ok());
    }
}
