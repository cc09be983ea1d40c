//! A target that shows the topics of messages as a tree when all have come (`--tree`).

use serde_json::{Value, json};

use super::statistics::{Topic, Topics};
use super::{Number, Progress, Target};
use crate::error::{Error, Kind, Result};
use crate::message::{Detail, Message};
use crate::output::Output;

/// As many characters of a last body are shown.
const SHOWN: usize = 60;

/// As many levels are told apart.
const DEEPEST: usize = 32;

/// Counts messages by topic, and keeps what each said last.
pub struct Tree<'a> {
    output: &'a mut Output,
    topics: Topics,
    /// What stands between the levels of a topic.
    separator: char,
    newest: Number,
    told: Number,
}

impl<'a> Tree<'a> {
    /// To be shown on `output`.
    pub fn new(output: &'a mut Output) -> Self {
        Self {
            output,
            topics: Topics::with_bodies(),
            separator: '/',
            newest: 0,
            told: 0,
        }
    }

    /// Shows what came: a tree, or, where it is to be JSON, an object for each topic.
    ///
    /// # Errors
    /// Those of standard output.
    pub async fn show(self, json: bool) -> Result<()> {
        let lines = match json {
            true => objects(&self.topics),
            false => tree(&self.topics, self.separator),
        };
        for line in lines {
            self.output.row(&line);
        }
        self.output.flush().await
    }
}

impl Target for Tree<'_> {
    fn name(&self) -> String {
        String::from("the tree of topics")
    }

    fn has_room(&self) -> bool {
        true
    }

    fn is_idle(&self) -> bool {
        self.told == self.newest
    }

    fn take(&mut self, number: Number, message: Message) -> Result<()> {
        self.newest = number;
        if matches!(message.detail, Detail::Amqp(_)) {
            self.separator = '.';
        }
        self.topics.see(&message);
        Ok(())
    }

    async fn drive(&mut self, into: &mut Vec<Progress>) -> Result<()> {
        if self.is_idle() {
            self.output.reader_gone().await;
            let text = "the reader of standard output closed it";
            return Err(Error::new(Kind::ReaderGone, text));
        }
        self.told = self.newest;
        into.push(Progress::Through(self.newest));
        Ok(())
    }
}

fn objects(topics: &Topics) -> Vec<String> {
    let object = |(name, topic): (&str, &Topic)| {
        let mut object = json!({
            "topic": name,
            "messages": topic.messages,
            "payload_bytes": topic.bytes,
        });
        if let (Some(object), true) = (object.as_object_mut(), topic.whole) {
            let (name, value) = match str::from_utf8(&topic.last) {
                Ok(text) => ("payload", Value::from(text)),
                Err(_) => {
                    let text = data_encoding::BASE64.encode(&topic.last);
                    ("payload_base64", Value::from(text))
                }
            };
            object.insert(name.to_owned(), value);
        }
        object.to_string()
    };
    let named = topics.named.iter();
    named.map(|(name, topic)| object((name, topic))).collect()
}

/// A level of topics.
struct Level<'a> {
    name: &'a str,
    /// With all below.
    messages: u64,
    /// What came last to the topic that ends here.
    last: Option<&'a Topic>,
    children: Vec<Self>,
}

impl<'a> Level<'a> {
    const fn new(name: &'a str) -> Self {
        Self {
            name,
            messages: 0,
            last: None,
            children: Vec::new(),
        }
    }

    /// Adds a topic below; all that share levels come one after the other.
    fn add(&mut self, mut levels: impl Iterator<Item = &'a str>, topic: &'a Topic) {
        self.messages += topic.messages;
        let Some(name) = levels.next() else {
            self.last = Some(topic);
            return;
        };
        if self.children.last().is_none_or(|child| child.name != name) {
            self.children.push(Self::new(name));
        }
        if let Some(child) = self.children.last_mut() {
            child.add(levels, topic);
        }
    }

    /// `home (3)`, or with the body that came last `bath (1) = 23.0`, and those below, further to the right.
    fn show(&self, depth: usize, lines: &mut Vec<String>) {
        for child in &self.children {
            let mut line = format!("{:1$}{2} ({3})", "", 2 * depth, child.name, child.messages);
            if let Some(topic) = child.last {
                line.push_str(" = ");
                line.push_str(&shown(topic));
            }
            lines.push(line);
            child.show(depth + 1, lines);
        }
    }
}

/// The beginning of a body on one line.
fn shown(topic: &Topic) -> String {
    let text = String::from_utf8_lossy(&topic.last);
    let cut = !topic.whole || text.chars().count() > SHOWN;
    let text: String = text.chars().take(SHOWN).collect();
    let line = text.escape_debug().to_string().replace("\\\"", "\"");
    if cut { format!("{line}…") } else { line }
}

fn tree(topics: &Topics, separator: char) -> Vec<String> {
    let mut all: Vec<_> = topics.named.iter().collect();
    all.sort_by(|(one, _), (other, _)| {
        let levels = one.splitn(DEEPEST, separator);
        levels.cmp(other.splitn(DEEPEST, separator))
    });
    let mut root = Level::new("");
    for (name, topic) in all {
        root.add(name.splitn(DEEPEST, separator), topic);
    }
    let mut lines = Vec::new();
    root.show(0, &mut lines);
    let others = topics.others.messages;
    if others > 0 {
        lines.push(format!("({others} on topics for which there is no memory)"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn topics(messages: &[(&str, &[u8])]) -> Topics {
        let mut topics = Topics::with_bodies();
        for (topic, payload) in messages {
            topics.see(&Message {
                topic: (*topic).to_owned().into(),
                payload: Bytes::copy_from_slice(payload),
                ..Message::default()
            });
        }
        topics
    }

    #[test]
    fn topics_stand_below_each_other_with_counts_and_the_last_body() {
        let topics = topics(&[
            ("home/kitchen/t", b"21"),
            ("home-b", b"\n\"x\""),
            ("home", b"on"),
            ("home/kitchen/t", b"22"),
            ("/x", b"\xff"),
        ]);
        let expected = [
            " (1)",
            "  x (1) = \u{fffd}",
            "home (3) = on",
            "  kitchen (2)",
            "    t (2) = 22",
            "home-b (1) = \\n\"x\"",
        ];
        assert_eq!(tree(&topics, '/'), expected);
        let lines = objects(&topics);
        assert_eq!(
            lines[0],
            r#"{"topic":"/x","messages":1,"payload_bytes":1,"payload_base64":"/w=="}"#
        );
        assert_eq!(
            lines[3],
            r#"{"topic":"home/kitchen/t","messages":2,"payload_bytes":4,"payload":"22"}"#
        );
    }

    #[test]
    fn a_body_is_cut_and_a_deep_topic_ends() {
        let deep = "/".repeat(60_000);
        let long = [b'x'; 1000];
        let topics = topics(&[(&deep, &long)]);
        let lines = tree(&topics, '/');
        assert_eq!(lines.len(), DEEPEST);
        let last = lines.last().map(String::as_str).unwrap_or_default();
        assert!(
            last.ends_with(&format!(" = {}…", "x".repeat(SHOWN))),
            "{last}"
        );
        assert!(!objects(&topics)[0].contains("payload\":"));
    }
}
