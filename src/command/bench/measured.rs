//! What a load can measure, as far as its flags tell: what a live line shows, and which thresholds can be judged at all.

use crate::bench::report::text::Columns;
use crate::bench::threshold::Assert;
use crate::error::{Error, Result};

/// What there will be figures of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Measured {
    /// Messages are sent.
    pub(crate) sends: bool,
    /// Why the peer answers none of them, and how that is changed; `None`: it answers each.
    pub(crate) unanswered: Option<(&'static str, &'static str)>,
    /// Receivers get messages, and know when those were due.
    pub(crate) receives: bool,
    /// The flag for receivers.
    pub(crate) receivers: &'static str,
}

impl Measured {
    /// What a live line shows.
    pub(crate) const fn columns(self) -> Columns {
        Columns {
            sent: self.sends,
            acknowledged: self.sends && self.unanswered.is_none(),
            received: self.receives,
        }
    }

    /// Refuses thresholds on latencies that this load does not have.
    ///
    /// # Errors
    /// [`Kind::Usage`](crate::error::Kind::Usage), naming a latency that it has or could have.
    pub(crate) fn check(self, thresholds: &[Assert]) -> Result<()> {
        thresholds.iter().try_for_each(|one| self.check_one(one))
    }

    fn check_one(self, threshold: &Assert) -> Result<()> {
        let refusal = |why: &str| Error::usage(format!("--assert '{threshold}': {why}"));
        match (threshold.latency(), self.unanswered) {
            (Some(("response" | "service", figure)), Some((why, remedy))) => {
                let with = match self.receives {
                    true => String::new(),
                    false => format!(" with {} 1", self.receivers),
                };
                let why = format!("{why}, so no response time is measured");
                let way_out = format!("use end_to_end.{figure}{with}, or {remedy}");
                Err(refusal(&why).hint(way_out))
            }
            (Some(("response" | "service" | "lag", _)), _) if !self.sends => Err(refusal(
                "nothing is sent, so no response time and no send lag is measured",
            )),
            (Some(("end_to_end", _)), _) if !self.receives => {
                let why = "there are no receivers, so no end-to-end time is measured";
                Err(refusal(why).hint(format!("add {} 1", self.receivers)))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QOS_0: Measured = Measured {
        sends: true,
        unanswered: Some(("QoS 0 messages are not acknowledged", "-q 1")),
        receives: false,
        receivers: "--subscribers",
    };

    fn refused(measured: Measured, text: &str) -> (String, Option<String>) {
        let error = measured.check(&[text.parse().unwrap()]).unwrap_err();
        (
            error.text().to_owned(),
            error.hint_text().map(str::to_owned),
        )
    }

    #[test]
    fn what_is_never_measured_is_refused_with_what_is() {
        let (text, hint) = refused(QOS_0, "p99 < 50ms");
        assert_eq!(
            text,
            "--assert 'p99 < 50ms': QoS 0 messages are not acknowledged, so no response time is measured"
        );
        assert_eq!(
            hint.as_deref(),
            Some("use end_to_end.p99 with --subscribers 1, or -q 1")
        );
        let received = Measured {
            receives: true,
            ..QOS_0
        };
        let (_, hint) = refused(received, "service.max < 1s");
        assert_eq!(hint.as_deref(), Some("use end_to_end.max, or -q 1"));
        let (_, hint) = refused(QOS_0, "end_to_end.p50 < 1s");
        assert_eq!(hint.as_deref(), Some("add --subscribers 1"));
        let silent = Measured {
            sends: false,
            unanswered: None,
            ..received
        };
        assert!(
            refused(silent, "lag.p99 < 1s")
                .0
                .contains("nothing is sent")
        );
    }

    #[test]
    fn what_is_measured_is_accepted() {
        let both = Measured {
            unanswered: None,
            receives: true,
            ..QOS_0
        };
        for text in [
            "p99 < 1s",
            "end_to_end.p99 < 1s",
            "lag.max < 1s",
            "lost == 0",
        ] {
            assert!(both.check(&[text.parse().unwrap()]).is_ok(), "{text}");
        }
        assert!(QOS_0.check(&["lag.p99 < 1s".parse().unwrap()]).is_ok());
    }
}
