//! What requests are answered with: themselves, a text, or what a command writes.

use std::num::NonZeroUsize;

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt, ready};
use futures_util::stream::{FuturesUnordered, StreamExt};

use super::Exec;
use super::decode;
use crate::error::Result;
use crate::message::{Message, fields};
use crate::output::Console;
use crate::payload::template::{Filler, Template};

/// So many requests are answered at once where no command has to run.
const AT_ONCE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(99);

/// What the answer is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The request itself (`--echo`).
    Echo,
    /// Always the same (`-m`).
    Text(Bytes),
    /// A text that is filled in (`--template`), of names that [`is_name`] knows or that the command knows.
    Template(Template),
    /// What the command writes on standard output (`--exec`). When it fails nothing is answered.
    Exec(Exec),
}

impl Answer {
    /// Warns of a flag that the command gets instead of us.
    pub fn warn(&self, console: Console) {
        if let Self::Exec(exec) = self {
            exec.warn(console);
        }
    }

    /// How many requests are worked on at once.
    pub const fn workers(&self) -> NonZeroUsize {
        match self {
            Self::Exec(exec) => exec.workers,
            Self::Echo | Self::Text(_) | Self::Template(_) => AT_ONCE,
        }
    }
}

/// Whether a place of a template is filled in from the request: `{payload}`, a field of it, a level of its topic from 1
/// on, or a JSON pointer.
pub(crate) fn is_name(word: &str) -> bool {
    word == "payload"
        || word.starts_with('/')
        || word.parse::<NonZeroUsize>().is_ok()
        || fields::known(word).is_ok()
}

/// What such a place becomes; nothing where the request has nothing of that name.
pub(crate) fn named(request: &Message, word: &str) -> String {
    if word == "payload" {
        return String::from_utf8_lossy(&request.payload).into_owned();
    }
    if word.starts_with('/') {
        let json = decode::json(request, None);
        let value = json.as_ref().and_then(|json| json.pointer(word));
        return match value {
            Some(serde_json::Value::String(text)) => text.clone(),
            Some(value) => value.to_string(),
            None => String::new(),
        };
    }
    match word.parse::<NonZeroUsize>() {
        Ok(level) => request
            .topic
            .split('/')
            .nth(level.get() - 1)
            .unwrap_or_default()
            .to_owned(),
        Err(_) => fields::value(request, word).unwrap_or_default(),
    }
}

/// A request, the bytes that it holds, and its answer; `None`: the command failed.
type Worked<T> = (T, usize, Result<Option<Bytes>>);

/// The requests that are worked on; `T` is what the command knows each by.
pub struct Answers<T> {
    answer: Answer,
    filler: Filler,
    work: FuturesUnordered<BoxFuture<'static, Worked<T>>>,
    bytes: usize,
}

impl<T: Send + 'static> Answers<T> {
    /// None yet.
    pub fn new(answer: Answer) -> Self {
        Self {
            answer,
            filler: Filler::default(),
            work: FuturesUnordered::new(),
            bytes: 0,
        }
    }

    /// How many are worked on.
    pub fn len(&self) -> usize {
        self.work.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.work.is_empty()
    }

    /// The bytes of their bodies.
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Begins to work on a request; `more` appends what a name of the command's own stands for.
    pub fn begin(&mut self, request: T, message: &Message, more: impl Fn(&str) -> Option<String>) {
        let bytes = message.payload.len();
        self.bytes += bytes;
        let answer = match &self.answer {
            Answer::Echo => message.payload.clone(),
            Answer::Text(text) => text.clone(),
            Answer::Template(template) => {
                let named = |word: &str, into: &mut String| {
                    into.push_str(&more(word).unwrap_or_else(|| named(message, word)));
                };
                self.filler.fill(template, named).into()
            }
            Answer::Exec(exec) => {
                let (exec, message) = (exec.clone(), message.clone());
                let answering = async move {
                    let answered = exec.answer(&message).await;
                    let answer = answered.map(|(good, answer)| good.then(|| answer.into()));
                    (request, bytes, answer)
                };
                return self.work.push(answering.boxed());
            }
        };
        self.work
            .push(ready((request, bytes, Ok(Some(answer)))).boxed());
    }

    /// The next that was worked on, and its answer, `None` where the command failed; for ever where none is worked on.
    ///
    /// # Errors
    /// The command cannot be run.
    pub async fn next(&mut self) -> Result<(T, Option<Bytes>)> {
        let Some((request, bytes, answer)) = self.work.next().await else {
            return std::future::pending().await;
        };
        self.bytes -= bytes;
        answer.map(|answer| (request, answer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Detail, MqttDetail};

    #[tokio::test]
    async fn a_template_knows_its_request() {
        let request = Message {
            topic: "gpio/17/command".into(),
            payload: "{\"on\":true,\"by\":\"me\"}".into(),
            detail: Detail::Mqtt(MqttDetail::default()),
            ..Message::default()
        };
        let text = "{topic} {2} {9} {/on} {/by} {/none} {qos} {seq} {pin} {{x}} {payload}";
        let template = Template::with_names(text, |word| is_name(word) || word == "pin").unwrap();
        let mut answers = Answers::new(Answer::Template(template));
        for _ in 0..2 {
            answers.begin((), &request, |word| (word == "pin").then(|| "17".into()));
        }
        assert_eq!((answers.len(), answers.bytes()), (2, 42));
        let (_, first) = answers.next().await.unwrap();
        let expected = "gpio/17/command 17  true me  0 0 17 {x} {\"on\":true,\"by\":\"me\"}";
        assert_eq!(first.unwrap(), expected);
        assert_eq!(answers.bytes(), 21);
    }
}
