//! Reply codes: a code and its text (AMQP 0-9-1 §1.1, RabbitMQ's prefixes).

use amq_protocol::types::ShortString;

/// A request that is not granted: it closes its channel, or the whole connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) code: u16,
    pub(crate) text: String,
}

/// Declares a constructor for each reply code, and the names that begin their texts.
macro_rules! codes {
    ($($make:ident $code:literal $name:literal;)*) => {
        impl Refusal {
            $(pub(crate) fn $make(text: impl Into<String>) -> Self {
                Self { code: $code, text: text.into() }
            })*

            fn name(&self) -> &'static str {
                match self.code { $($code => $name,)* _ => "INTERNAL_ERROR" }
            }
        }
    };
}

codes! {
    forced 320 "CONNECTION_FORCED";
    access 403 "ACCESS_REFUSED";
    not_found 404 "NOT_FOUND";
    locked 405 "RESOURCE_LOCKED";
    precondition 406 "PRECONDITION_FAILED";
    frame 501 "FRAME_ERROR";
    syntax 502 "SYNTAX_ERROR";
    invalid 503 "COMMAND_INVALID";
    channel 504 "CHANNEL_ERROR";
    unexpected 505 "UNEXPECTED_FRAME";
    resource 506 "RESOURCE_ERROR";
    not_allowed 530 "NOT_ALLOWED";
    not_implemented 540 "NOT_IMPLEMENTED";
}

impl Refusal {
    /// Whether it ends the connection, and not only the channel.
    pub(crate) const fn is_hard(&self) -> bool {
        !matches!(self.code, 403..=406)
    }

    /// `NOT_FOUND - no queue 'x' in vhost '/'`, cut to what a short string holds.
    pub(crate) fn reply_text(&self) -> ShortString {
        short(&format!("{} - {}", self.name(), self.text))
    }
}

/// As much of a text as a short string holds, 255 bytes.
pub(crate) fn short(text: &str) -> ShortString {
    let mut end = text.len().min(255);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    ShortString::from(&text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_letters() {
        let text = Refusal::not_found("ä".repeat(300)).reply_text();
        assert!(text.as_str().starts_with("NOT_FOUND - ä"));
        assert!(text.as_str().len() <= 255);
    }

    #[test]
    fn soft_errors_spare_the_connection() {
        assert!(!Refusal::precondition("").is_hard());
        assert!(Refusal::not_allowed("").is_hard());
    }
}
