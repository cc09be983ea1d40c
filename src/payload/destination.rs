//! Where messages go that do not say so themselves.

use std::cell::LazyCell;

use bytestring::ByteString;
use serde_json::Value;

use crate::error::Result;
use crate::message::{Detail, Message};

use super::template::{Filler, Template};

/// The place that a message's own topic fills.
const TOPIC: &str = "topic";

/// A topic, and what is said of the messages that go there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// The topic as it was given.
    name: ByteString,
    /// With places to fill in for each message.
    template: Option<Template>,
    /// What a message begins with; [`Detail::Plain`]: with its own, or what all do.
    detail: Detail,
}

impl Destination {
    /// This very topic, whatever is in it.
    pub const fn new(name: ByteString) -> Self {
        Self {
            name,
            template: None,
            detail: Detail::Plain,
        }
    }

    /// A topic whose placeholders are filled in for each message: those of [`Template`], and `{/POINTER}` from its JSON.
    ///
    /// # Errors
    /// As [`Template::with_names`].
    pub fn filled(name: ByteString) -> Result<Self> {
        let template = Template::with_names(&name, |word| word.starts_with('/'))?;
        Ok(Self::over(template, name))
    }

    /// A topic made from that of each message: `{topic}` stands for it, beside the places of [`Self::filled`]; a name that ends
    /// with `/` stands before it.
    ///
    /// # Errors
    /// As [`Template::with_names`].
    pub fn mapped(name: ByteString) -> Result<Self> {
        let text = match name.ends_with('/') {
            true => format!("{name}{{topic}}"),
            false => name.to_string(),
        };
        let template = Template::with_names(&text, |word| word == TOPIC || word.starts_with('/'))?;
        Ok(Self::over(template, name))
    }

    fn over(template: Template, name: ByteString) -> Self {
        match template.fixed() {
            Some(text) => Self::new(text.into()),
            None => Self {
                template: Some(template),
                ..Self::new(name)
            },
        }
    }

    /// The same, where a message begins with this.
    #[must_use]
    pub fn with(self, detail: Detail) -> Self {
        Self { detail, ..self }
    }

    /// The topic; `None` where it is known only with each message.
    pub const fn fixed(&self) -> Option<&ByteString> {
        match &self.template {
            None => Some(&self.name),
            Some(_) => None,
        }
    }

    /// What a message begins with.
    pub const fn detail(&self) -> &Detail {
        &self.detail
    }

    /// Whether nothing but a topic is said, the same for every message.
    pub(super) const fn is_bare(&self) -> bool {
        self.template.is_none() && matches!(self.detail, Detail::Plain)
    }

    /// The message as it goes there.
    ///
    /// # Errors
    /// Its JSON does not have what the topic is made of.
    pub(crate) fn address(
        &self,
        message: &Message,
        filler: &mut Filler,
    ) -> std::result::Result<Message, String> {
        let topic = match &self.template {
            None => self.name.clone(),
            Some(template) => self.fill(template, message, filler)?.into(),
        };
        let detail = match &self.detail {
            Detail::Plain => message.detail.clone(),
            detail => detail.clone(),
        };
        Ok(Message {
            topic,
            detail,
            ..message.clone()
        })
    }

    fn fill(
        &self,
        template: &Template,
        message: &Message,
        filler: &mut Filler,
    ) -> std::result::Result<String, String> {
        let json = LazyCell::new(|| serde_json::from_slice::<Value>(&message.payload).ok());
        let mut missing = None;
        let topic = filler.fill_more(template, |pointer, into| {
            if pointer == TOPIC {
                return into.push_str(&message.topic);
            }
            match json.as_ref().and_then(|json| json.pointer(pointer)) {
                Some(Value::String(text)) => into.push_str(text),
                Some(value @ (Value::Number(_) | Value::Bool(_))) => {
                    into.push_str(&value.to_string());
                }
                _ => missing = Some(pointer.to_owned()),
            }
        });
        match missing {
            None => Ok(topic),
            Some(pointer) => Err(format!(
                "no text or number at {pointer}, which the topic {:?} needs",
                &*self.name
            )),
        }
    }
}

impl From<ByteString> for Destination {
    fn from(name: ByteString) -> Self {
        Self::new(name)
    }
}

impl From<&str> for Destination {
    fn from(name: &str) -> Self {
        Self::new(name.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topic(name: &str, payload: &'static str) -> std::result::Result<String, String> {
        let message = Message::plain(payload.into());
        let mut filler = Filler::seeded(Some(1));
        Destination::filled(name.into())
            .unwrap()
            .address(&message, &mut filler)
            .map(|message| message.topic.to_string())
    }

    #[test]
    fn a_topic_is_filled_in_from_its_message() {
        let json = r#"{"id":7,"at":{"room":"a/b"},"on":true,"none":null}"#;
        assert_eq!(
            topic("x/{/id}/{/at/room}/{/on}/{seq}/{{y}}", json).unwrap(),
            "x/7/a/b/true/0/{y}"
        );
        assert_eq!(topic("plain", "no json").unwrap(), "plain");
        for (name, payload, pointer) in [
            ("{/id}", "no json", "/id"),
            ("{/none}", json, "/none"),
            ("{/at}", json, "/at"),
            ("{/id}/{/gone}", json, "/gone"),
        ] {
            assert_eq!(
                topic(name, payload),
                Err(format!(
                    "no text or number at {pointer}, which the topic {name:?} needs"
                ))
            );
        }
    }

    #[test]
    fn a_topic_is_made_from_another() {
        let message = Message {
            topic: "a/b".into(),
            ..Message::plain(r#"{"id":7}"#.into())
        };
        for (name, wanted) in [
            ("site1/{topic}/{/id}", "site1/a/b/7"),
            ("site1/", "site1/a/b"),
            ("site1", "site1"),
        ] {
            let mapped = Destination::mapped(name.into()).unwrap();
            let addressed = mapped.address(&message, &mut Filler::seeded(Some(1)));
            assert_eq!(&*addressed.unwrap().topic, wanted);
        }
    }

    #[test]
    fn braces_may_be_text() {
        let own = Destination::new("{seq}".into());
        assert!(own.is_bare() && own.fixed().is_some_and(|name| name == "{seq}"));
        let filled = |name: &'static str| Destination::filled(name.into());
        assert!(filled("{seq}").unwrap().fixed().is_none());
        let doubled = filled("{{seq}}").unwrap();
        assert!(doubled.is_bare() && doubled.fixed().is_some_and(|name| name == "{seq}"));
        assert!(filled("{sequence}").is_err());
    }
}
