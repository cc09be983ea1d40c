//! Which messages are let through: those whose bodies, as they are shown, fulfil all conditions.

use std::borrow::Cow;
use std::time::SystemTime;

use crate::message::Message;
use crate::payload::expect::{Changes, Condition, Scope};
use crate::payload::media::LARGEST;

/// Conditions, and what they remember of earlier messages.
#[derive(Clone, Debug, Default)]
pub(super) struct Filter {
    conditions: Vec<Condition>,
    changes: Option<Changes>,
}

impl Filter {
    /// All of these must be fulfilled.
    pub(super) fn new(conditions: Vec<Condition>) -> Self {
        Self {
            changes: Changes::of(&conditions),
            conditions,
        }
    }

    /// After a connection was lost messages come again.
    pub(super) fn forget(&mut self) {
        if let Some(changes) = &mut self.changes {
            changes.clear();
        }
    }

    /// Whether the message is let through; `decoded` is its body where that came in another form than it is shown.
    pub(super) fn passes(
        &mut self,
        message: &Message,
        decoded: Option<&[u8]>,
        time: SystemTime,
    ) -> bool {
        if self.conditions.is_empty() {
            return true;
        }
        let shown = match decoded {
            None => Cow::Borrowed(message),
            Some(body) => Cow::Owned(Message {
                payload: body.to_vec().into(),
                ..message.clone()
            }),
        };
        let body = Some(&shown.payload).filter(|body| body.len() <= LARGEST);
        let json = || serde_json::from_slice(body?).ok();
        if let Some(changes) = &mut self.changes {
            changes.see(&shown, json);
        }
        let scope = Scope {
            now: Some(time),
            changes: self.changes.as_ref(),
            ..Scope::default()
        };
        let mut conditions = self.conditions.iter();
        conditions.all(|it| it.holds_in(&shown, &scope, json))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passes(filter: &mut Filter, body: &'static str, decoded: Option<&str>) -> bool {
        let message = Message {
            topic: "s/1".into(),
            ..Message::plain(body.into())
        };
        filter.passes(&message, decoded.map(str::as_bytes), SystemTime::UNIX_EPOCH)
    }

    #[test]
    fn what_is_shown_is_what_conditions_see() {
        let mut filter = Filter::new(vec!["/t > 20 and payload contains t".parse().unwrap()]);
        assert!(passes(&mut filter, "packed", Some("{\"t\":21}")));
        assert!(!passes(&mut filter, "packed", Some("{\"t\":19}")));
        assert!(!passes(&mut filter, "{\"t\":21}", Some("[]")));
        assert!(passes(&mut filter, "{\"t\":21}", None));
        assert!(passes(&mut Filter::default(), "", None));
    }

    #[test]
    fn changes_are_remembered_until_a_connection_is_lost() {
        let mut filter = Filter::new(vec!["changed(/t)".parse().unwrap()]);
        let mut change = |body| passes(&mut filter, "packed", Some(body));
        assert_eq!(
            [
                change("{\"t\":1}"),
                change("{\"t\":1}"),
                change("{\"t\":2}")
            ],
            [true, false, true]
        );
        filter.forget();
        assert!(passes(&mut filter, "packed", Some("{\"t\":2}")));
    }
}
