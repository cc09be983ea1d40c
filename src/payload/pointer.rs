//! What a JSON pointer (RFC 6901) finds in a text, as it is spelled there; nothing is built of the rest.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// The value at `pointer`, which is empty or begins with `/`; of names that stand twice in an object, the last.
pub(crate) fn find<'a>(json: &'a [u8], pointer: &str) -> Option<&'a str> {
    let mut reader = serde_json::Deserializer::from_slice(json);
    let found = Seek(pointer).deserialize(&mut reader).ok()?;
    reader.end().ok()?;
    found.map(RawValue::get)
}

/// What an object has, in order, for more than one look into the same text.
pub(crate) struct Members<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'a> Members<'a> {
    /// Those of a text that is an object.
    pub(crate) fn of(json: &'a [u8]) -> Option<Self> {
        let mut reader = serde_json::Deserializer::from_slice(json);
        let members = reader.deserialize_map(ReadMembers).ok()?;
        reader.end().ok()?;
        Some(members)
    }

    /// As [`find`] finds it in the whole text; `pointer` begins with `/`.
    pub(crate) fn find(&self, pointer: &str) -> Option<&'a str> {
        let (name, below) = Seek(pointer).step()?;
        let (_, value) = self.0.iter().rfind(|(key, _)| *key == name)?;
        match below.0 {
            "" => Some(value.get()),
            below => find(value.get().as_bytes(), below),
        }
    }
}

impl<'a> IntoIterator for Members<'a> {
    type Item = (Cow<'a, str>, &'a RawValue);
    type IntoIter = std::vec::IntoIter<Self::Item>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

struct ReadMembers;

impl<'de> Visitor<'de> for ReadMembers {
    type Value = Members<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::with_capacity(8);
        while let Some(name) = map.next_key_seed(Name)? {
            members.push((name, map.next_value()?));
        }
        Ok(Members(members))
    }
}

/// A name, which is only copied where it is not spelled as it is.
struct Name;

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Name {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(name.into())
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(name.to_owned().into())
    }
}

/// Looks for what the rest of a pointer names.
#[derive(Clone, Copy)]
struct Seek<'p>(&'p str);

impl<'p> Seek<'p> {
    /// The next name, and the search below it.
    fn step(self) -> Option<(Cow<'p, str>, Self)> {
        let rest = self.0.strip_prefix('/')?;
        let (name, below) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let name = match name.contains('~') {
            true => name.replace("~1", "/").replace("~0", "~").into(),
            false => name.into(),
        };
        Some((name, Self(below)))
    }
}

impl<'de> DeserializeSeed<'de> for Seek<'_> {
    type Value = Option<&'de RawValue>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        match self.step() {
            None => serde::Deserialize::deserialize(from).map(Some),
            Some(_) => from.deserialize_any(self),
        }
    }
}

/// Whether a name is this one; nothing is built of the others.
struct Is<'n>(&'n str);

impl<'de> DeserializeSeed<'de> for Is<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<bool, D::Error> {
        from.deserialize_str(self)
    }
}

impl Visitor<'_> for Is<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<bool, E> {
        Ok(name == self.0)
    }
}

/// What is neither an object nor an array holds nothing that could be found.
macro_rules! nothing {
    ($($method:ident: $kind:ty),*) => {
        $(fn $method<E>(self, _: $kind) -> Result<Self::Value, E> { Ok(None) })*
    };
}

impl<'de> Visitor<'de> for Seek<'_> {
    type Value = Option<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    nothing!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str);

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let step = self.step();
        let name = step.as_ref().map_or("", |(name, _)| name);
        let mut found = None;
        while let Some(is_it) = map.next_key_seed(Is(name))? {
            match &step {
                Some((_, below)) if is_it => found = map.next_value_seed(*below)?,
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(found)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let step = self.step();
        // No leading zeros (RFC 6901 §4).
        let place = step.as_ref().and_then(|(name, below)| {
            let at: usize = name
                .parse()
                .ok()
                .filter(|at: &usize| at.to_string() == **name)?;
            Some((at, *below))
        });
        let mut found = None;
        for at in 0.. {
            let done = match place {
                Some((wanted, below)) if at == wanted => match items.next_element_seed(below)? {
                    Some(value) => {
                        found = value;
                        false
                    }
                    None => true,
                },
                _ => items.next_element::<IgnoredAny>()?.is_none(),
            };
            if done {
                break;
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_the_rfc_and_the_spelling_of_numbers() {
        // RFC 6901 §5.
        let json = br#"{"foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\j": 5, "k\"l": 6, " ": 7, "m~n": 8}"#;
        for (pointer, value) in [
            ("/foo", r#"["bar", "baz"]"#),
            ("/foo/0", "\"bar\""),
            ("/foo/1", "\"baz\""),
            ("/", "0"),
            ("/a~1b", "1"),
            ("/c%d", "2"),
            ("/e^f", "3"),
            ("/g|h", "4"),
            ("/i\\j", "5"),
            ("/k\"l", "6"),
            ("/ ", "7"),
            ("/m~0n", "8"),
        ] {
            assert_eq!(find(json, pointer), Some(value), "{pointer}");
            assert_eq!(Members::of(json).unwrap().find(pointer), Some(value));
        }
        for pointer in [
            "/foo/2", "/foo/00", "/foo/-", "/foo/x", "/a", "/foo/0/x", "//x",
        ] {
            assert_eq!(find(json, pointer), None, "{pointer}");
            assert_eq!(Members::of(json).unwrap().find(pointer), None);
        }
        let numbers = br#" {"a": 21.50, "b": 1e400, "a": 9007199254740993} "#;
        assert_eq!(find(numbers, "/a"), Some("9007199254740993"));
        assert_eq!(find(numbers, "/b"), Some("1e400"));
        assert_eq!(find(b"21.50", ""), Some("21.50"));
        let members = Members::of(numbers).unwrap();
        assert_eq!(members.find("/a"), Some("9007199254740993"));
        for no_object in [
            &b"21.50"[..],
            b"[1]",
            b"{\"a\":1",
            b"{} {}",
            b"{\"a\":\"\xff\"}",
        ] {
            assert!(Members::of(no_object).is_none());
        }
    }

    #[test]
    fn what_is_not_json_holds_nothing() {
        for text in [
            "",
            "{",
            "{\"a\":1}x",
            "{\"a\":1",
            "{'a':1}",
            "null",
            "\"a\"",
            "-1",
        ] {
            assert_eq!(find(text.as_bytes(), "/a"), None, "{text}");
        }
        assert_eq!(find(b"{\"a\":\"\xff\"}", "/a"), None);
        let deep = "[".repeat(1_000_000);
        assert_eq!(find(deep.as_bytes(), "/0/0"), None);
    }
}
