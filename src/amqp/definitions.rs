//! A topology as a file (TOML): exchanges, queues and bindings that are to be there together.
//!
//! ```toml
//! [[exchange]]
//! name = "logs"
//! type = "topic"                                  # direct, fanout, topic, headers, x-...; default direct
//! arguments = { alternate-exchange = "unrouted" }
//!
//! [[queue]]
//! name = "errors"                                 # durable unless it says durable = false
//! arguments = { x-queue-type = "quorum", x-message-ttl = 60000 }
//!
//! [[binding]]
//! from = "logs"
//! queue = "errors"                                # or exchange = "..."
//! keys = ["*.error", "*.fatal"]
//! ```

use bytestring::ByteString;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::topology::{Arguments, Binding, Declaration, Destination, Exchange, Queue};
use crate::file::Flaw;
use crate::payload::amqp_value;

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
#[derive(Default)]
struct File {
    exchange: Vec<ExchangeTable>,
    queue: Vec<QueueTable>,
    binding: Vec<BindingTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExchangeTable {
    name: String,
    #[serde(rename = "type", default = "direct")]
    kind: String,
    #[serde(default = "yes")]
    durable: bool,
    #[serde(default)]
    auto_delete: bool,
    #[serde(default)]
    internal: bool,
    #[serde(default)]
    arguments: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct QueueTable {
    name: String,
    #[serde(default = "yes")]
    durable: bool,
    #[serde(default)]
    auto_delete: bool,
    #[serde(default)]
    arguments: Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BindingTable {
    from: String,
    queue: Option<String>,
    exchange: Option<String>,
    #[serde(default)]
    keys: Vec<String>,
    #[serde(default)]
    arguments: Map<String, Value>,
}

fn direct() -> String {
    String::from("direct")
}

const fn yes() -> bool {
    true
}

/// Reads the text of such a file: exchanges first, then queues, then bindings, each in the order of the file.
///
/// # Errors
/// What is wrong with it, in words.
pub(crate) fn parse(text: &str) -> Result<Vec<Declaration>, Flaw> {
    let file: File = toml::from_str(text).map_err(|mistake| {
        let at = mistake.span().map_or(0, |span| span.start);
        Flaw::at(text, at, mistake.message())
    })?;
    let mut all = Vec::new();
    for table in file.exchange {
        all.push(Declaration::Exchange(exchange(table)?));
    }
    for table in file.queue {
        all.push(Declaration::Queue(Queue {
            name: name("queue", table.name)?,
            durable: table.durable,
            exclusive: false,
            auto_delete: table.auto_delete,
            arguments: arguments(table.arguments)?,
        }));
    }
    for table in file.binding {
        all.extend(bindings(table)?.map(Declaration::Binding));
    }
    if all.is_empty() {
        let why = "it declares nothing: no [[exchange]], [[queue]] or [[binding]]";
        return Err(String::from(why).into());
    }
    Ok(all)
}

fn exchange(table: ExchangeTable) -> Result<Exchange, String> {
    let name = name("exchange", table.name)?;
    let known = ["direct", "fanout", "topic", "headers"];
    if !known.contains(&&*table.kind) && !table.kind.starts_with("x-") {
        return Err(format!(
            "the exchange {name:?} has the unknown type {:?}; the types are direct, fanout, topic, headers, and x-... of a plugin",
            table.kind
        ));
    }
    Ok(Exchange {
        name,
        kind: table.kind.into(),
        durable: table.durable,
        auto_delete: table.auto_delete,
        internal: table.internal,
        arguments: arguments(table.arguments)?,
    })
}

/// One binding for each key; without a key, one with the empty key.
fn bindings(table: BindingTable) -> Result<impl Iterator<Item = Binding>, String> {
    let source = name("exchange", table.from)?;
    let destination = match (table.queue, table.exchange) {
        (Some(queue), None) => Destination::Queue(name("queue", queue)?),
        (None, Some(exchange)) => Destination::Exchange(name("exchange", exchange)?),
        _ => {
            return Err(format!(
                "a binding from {source:?} needs one of queue and exchange"
            ));
        }
    };
    let arguments = arguments(table.arguments)?;
    let mut keys = table.keys;
    if keys.is_empty() {
        keys.push(String::new());
    }
    if let Some(long) = keys.iter().find(|key| key.len() > 255) {
        return Err(format!("a key is longer than 255 bytes ({})", long.len()));
    }
    Ok(keys.into_iter().map(move |key| Binding {
        source: source.clone(),
        destination: destination.clone(),
        key: key.into(),
        arguments: arguments.clone(),
    }))
}

fn name(what: &str, name: String) -> Result<ByteString, String> {
    match name.len() {
        0 => Err(format!("a name of an {what} is empty").replace("an queue", "a queue")),
        1..=255 => Ok(name.into()),
        long => Err(format!(
            "the name of the {what} is longer than 255 bytes ({long})"
        )),
    }
}

fn arguments(table: Map<String, Value>) -> Result<Arguments, String> {
    let pair = |(name, value): (String, Value)| Ok((name.into(), amqp_value(value)?));
    table.into_iter().map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::AmqpValue;

    #[test]
    fn tables_become_declarations_in_an_order_that_works() {
        let all = parse(
            "[[binding]]\nfrom = 'logs'\nqueue = 'errors'\nkeys = ['a', 'b']\n\
             [[queue]]\nname = 'errors'\ndurable = false\narguments = { x-max-length = 5 }\n\
             [[exchange]]\nname = 'logs'\ntype = 'topic'\n",
        )
        .unwrap();
        let [
            Declaration::Exchange(logs),
            Declaration::Queue(errors),
            Declaration::Binding(a),
            Declaration::Binding(b),
        ] = &all[..]
        else {
            panic!("{all:?}")
        };
        assert_eq!(*logs, Exchange::new("logs", "topic"));
        assert!(!errors.durable);
        assert_eq!(
            errors.arguments,
            [("x-max-length".into(), AmqpValue::Int(5))]
        );
        assert_eq!(a.destination, Destination::Queue("errors".into()));
        assert_eq!((&*a.key, &*b.key), ("a", "b"));
    }

    #[test]
    fn mistakes_are_told_in_words() {
        for (text, words) in [
            ("", "it declares nothing"),
            ("[[queue]]\nnam = 'x'", "f:2: "),
            ("[[queue]]\nname = ''", "a name of a queue is empty"),
            (
                "[[exchange]]\nname = 'x'\ntype = 'Topic'",
                "the unknown type \"Topic\"",
            ),
            ("[[binding]]\nfrom = 'x'", "needs one of queue and exchange"),
        ] {
            let why = parse(text).unwrap_err().told_of("f");
            assert!(why.contains(words), "{words:?} is not in {why:?}");
        }
        let long = format!("[[queue]]\nname = '{}'", "n".repeat(256));
        assert!(
            parse(&long)
                .unwrap_err()
                .told_of("f")
                .contains("255 bytes (256)")
        );
    }
}
