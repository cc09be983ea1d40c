//! Message types out of a compiled descriptor set, as `protoc --descriptor_set_out` writes it.

use std::collections::HashMap;

use super::wire::{BadProtobuf, Fields, Wire};

/// The message types of a descriptor set, and the one that bodies have.
#[derive(Debug, PartialEq, Eq)]
pub struct Schema {
    pub(super) messages: Vec<MessageType>,
    pub(super) enums: Vec<EnumType>,
    pub(super) root: usize,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct MessageType {
    /// With its package: `weather.Reading`.
    name: String,
    pub(super) fields: HashMap<u32, Field>,
    /// It is the pair of a map.
    pub(super) is_entry: bool,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct EnumType {
    name: String,
    pub(super) values: HashMap<i32, String>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) repeated: bool,
}

/// What a field holds (descriptor.proto, `FieldDescriptorProto.Type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Double,
    Float,
    Int64,
    Uint64,
    Int32,
    Fixed64,
    Fixed32,
    Bool,
    Text,
    Message(usize),
    Bytes,
    Uint32,
    Enum(usize),
    Sfixed32,
    Sfixed64,
    Sint32,
    Sint64,
}

/// A field before the types that it names are known.
struct Draft {
    number: u32,
    name: String,
    repeated: bool,
    kind: u64,
    type_name: String,
}

/// All that a descriptor set holds.
#[derive(Default)]
struct Types {
    messages: Vec<MessageType>,
    drafts: Vec<Vec<Draft>>,
    enums: Vec<EnumType>,
}

impl Schema {
    /// Reads a descriptor set; `root` is the type of bodies, with or without its package. It may be left out where the set
    /// has one message type only that is not part of another.
    ///
    /// # Errors
    /// What is wrong, as the end of a sentence.
    pub fn read(bytes: &[u8], root: Option<&str>) -> Result<Self, String> {
        let mut types = Types::default();
        types
            .set(bytes)
            .map_err(|why| format!("it is not a compiled descriptor set: {why}"))?;
        if types.messages.is_empty() {
            return Err(String::from(
                "it is not a compiled descriptor set: no message type in it",
            ));
        }
        let root = types.root(root)?;
        types.link()?;
        let Types {
            messages, enums, ..
        } = types;
        Ok(Self {
            messages,
            enums,
            root,
        })
    }
}

/// The parts of a message that has only texts and messages of interest.
fn parts<'a>(
    bytes: &'a [u8],
    mut each: impl FnMut(u32, Wire<'a>) -> Result<(), BadProtobuf>,
) -> Result<(), BadProtobuf> {
    Fields::of(bytes).try_for_each(|field| field.and_then(|(number, wire)| each(number, wire)))
}

fn text(wire: Wire<'_>) -> String {
    wire.text().unwrap_or_default().to_owned()
}

fn joined(package: &str, name: &str) -> String {
    match package {
        "" => name.to_owned(),
        package => format!("{package}.{name}"),
    }
}

impl Types {
    /// `FileDescriptorSet`.
    fn set(&mut self, bytes: &[u8]) -> Result<(), BadProtobuf> {
        parts(bytes, |number, wire| match (number, wire) {
            (1, Wire::Bytes(file)) => self.file(file),
            _ => Ok(()),
        })
    }

    /// `FileDescriptorProto`. Its package may stand behind its types.
    fn file(&mut self, bytes: &[u8]) -> Result<(), BadProtobuf> {
        let mut package = String::new();
        parts(bytes, |number, wire| {
            if number == 2 {
                package = text(wire);
            }
            Ok(())
        })?;
        parts(bytes, |number, wire| match (number, wire) {
            (4, Wire::Bytes(message)) => self.message(message, &package, 0),
            (5, Wire::Bytes(one)) => self.enumeration(one, &package),
            _ => Ok(()),
        })
    }

    /// `DescriptorProto`.
    fn message(&mut self, bytes: &[u8], scope: &str, depth: usize) -> Result<(), BadProtobuf> {
        if depth > super::wire::DEEPEST {
            return Err(BadProtobuf::Deep);
        }
        let (mut name, mut is_entry) = (String::new(), false);
        let mut drafts = Vec::new();
        parts(bytes, |number, wire| {
            match (number, wire) {
                (1, wire) => name = joined(scope, &text(wire)),
                (2, Wire::Bytes(field)) => drafts.push(draft(field)?),
                // `MessageOptions.map_entry`
                (7, Wire::Bytes(options)) => parts(options, |number, wire| {
                    is_entry |= number == 7 && wire.number() == Some(1);
                    Ok(())
                })?,
                _ => {}
            }
            Ok(())
        })?;
        parts(bytes, |number, wire| match (number, wire) {
            (3, Wire::Bytes(nested)) => self.message(nested, &name, depth + 1),
            (4, Wire::Bytes(one)) => self.enumeration(one, &name),
            _ => Ok(()),
        })?;
        self.messages.push(MessageType {
            name,
            is_entry,
            fields: HashMap::new(),
        });
        self.drafts.push(drafts);
        Ok(())
    }

    /// `EnumDescriptorProto`. Of aliases the first name counts.
    fn enumeration(&mut self, bytes: &[u8], scope: &str) -> Result<(), BadProtobuf> {
        let mut it = EnumType::default();
        parts(bytes, |number, wire| {
            match (number, wire) {
                (1, wire) => it.name = joined(scope, &text(wire)),
                (2, Wire::Bytes(value)) => {
                    let (mut name, mut number) = (String::new(), 0);
                    parts(value, |field, wire| {
                        match field {
                            1 => name = text(wire),
                            // Negative ones have all 64 bits.
                            2 => number = wire.number().unwrap_or_default() as i32,
                            _ => {}
                        }
                        Ok(())
                    })?;
                    it.values.entry(number).or_insert(name);
                }
                _ => {}
            }
            Ok(())
        })?;
        self.enums.push(it);
        Ok(())
    }

    /// The type of bodies.
    fn root(&self, wanted: Option<&str>) -> Result<usize, String> {
        let names = || self.messages.iter().map(|it| &*it.name);
        let Some(wanted) = wanted else {
            let outer = |name: &&str| {
                !names().any(|other| {
                    name.strip_prefix(other)
                        .is_some_and(|it| it.starts_with('.'))
                })
            };
            let mut all = names().filter(outer);
            return match (all.next(), all.next()) {
                (Some(only), None) => self.root(Some(only)),
                _ => Err(format!(
                    "it has several message types; name one of {}",
                    self.choice()
                )),
            };
        };
        let wanted = wanted.trim_start_matches('.');
        let whole = names().position(|name| name == wanted);
        let ends = |name: &str| {
            name.strip_suffix(wanted)
                .is_some_and(|scope| scope.ends_with('.'))
        };
        whole.or_else(|| names().position(ends)).ok_or_else(|| {
            format!(
                "it has no message type {wanted:?}; there is {}",
                self.choice()
            )
        })
    }

    /// Some of the names.
    fn choice(&self) -> String {
        const SHOWN: usize = 8;
        let names = self.messages.iter().filter(|it| !it.is_entry);
        let names: Vec<&str> = names.map(|it| &*it.name).take(SHOWN + 1).collect();
        match names.len() > SHOWN {
            true => format!("{} and others", names[..SHOWN].join(", ")),
            false => names.join(", "),
        }
    }

    /// Finds the types that fields name.
    fn link(&mut self) -> Result<(), String> {
        let at = |(at, name): (usize, &String)| (name.clone(), at);
        let messages: HashMap<String, usize> = self
            .messages
            .iter()
            .map(|it| &it.name)
            .enumerate()
            .map(at)
            .collect();
        let enums: HashMap<String, usize> = self
            .enums
            .iter()
            .map(|it| &it.name)
            .enumerate()
            .map(at)
            .collect();
        for (message, drafts) in self.messages.iter_mut().zip(self.drafts.drain(..)) {
            for draft in drafts {
                let name = draft.type_name.trim_start_matches('.');
                let kind = kind(
                    draft.kind,
                    messages.get(name).copied(),
                    enums.get(name).copied(),
                );
                let kind = kind.ok_or_else(|| {
                    let (message, field) = (&message.name, &draft.name);
                    format!("the type {name:?} of {message}.{field} is not in it (protoc --include_imports puts it there)")
                })?;
                let field = Field {
                    name: draft.name,
                    kind,
                    repeated: draft.repeated,
                };
                message.fields.insert(draft.number, field);
            }
        }
        Ok(())
    }
}

/// `FieldDescriptorProto`.
fn draft(bytes: &[u8]) -> Result<Draft, BadProtobuf> {
    let mut draft = Draft {
        number: 0,
        name: String::new(),
        repeated: false,
        kind: 0,
        type_name: String::new(),
    };
    parts(bytes, |number, wire| {
        match number {
            1 => draft.name = text(wire),
            3 => {
                draft.number = wire
                    .number()
                    .and_then(|it| u32::try_from(it).ok())
                    .unwrap_or_default()
            }
            4 => draft.repeated = wire.number() == Some(3),
            5 => draft.kind = wire.number().unwrap_or_default(),
            6 => draft.type_name = text(wire),
            _ => {}
        }
        Ok(())
    })?;
    Ok(draft)
}

fn kind(number: u64, message: Option<usize>, one: Option<usize>) -> Option<Kind> {
    Some(match number {
        1 => Kind::Double,
        2 => Kind::Float,
        3 => Kind::Int64,
        4 => Kind::Uint64,
        5 => Kind::Int32,
        6 => Kind::Fixed64,
        7 => Kind::Fixed32,
        8 => Kind::Bool,
        9 => Kind::Text,
        // A group is a message that is wrapped in another way.
        10 | 11 => Kind::Message(message?),
        12 => Kind::Bytes,
        13 => Kind::Uint32,
        14 => Kind::Enum(one?),
        15 => Kind::Sfixed32,
        16 => Kind::Sfixed64,
        17 => Kind::Sint32,
        18 => Kind::Sint64,
        _ => return None,
    })
}
