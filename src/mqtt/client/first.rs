//! Of several servers the first is the one that is meant: while another is connected to, it is tried from time to time.

use std::future::{pending, ready};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::{sleep_until, timeout};

use super::exchange::finish;
use super::{Client, Dialing, Link, Notice, PARTING, start_dialing};
use crate::connect::{Stream, Target};
use crate::error::{Error, Kind};
use crate::mqtt::packet::Disconnect;

/// How often.
const EVERY: Duration = Duration::from_secs(10);

/// When the first server is tried next.
pub(super) struct First {
    at: Instant,
    dialing: Option<Dialing>,
}

impl First {
    pub(super) fn new() -> Self {
        Self {
            at: Instant::now() + EVERY,
            dialing: None,
        }
    }

    /// Some server was connected to.
    pub(super) fn connected(&mut self) {
        *self = Self::new();
    }

    /// A connection to the first server, once there is one while another is connected to. Cancel-safe.
    pub(super) async fn reached(&mut self, target: &Target) -> Stream {
        loop {
            if let Some(dialing) = &mut self.dialing {
                let dialed = dialing.as_mut().await;
                *self = Self::new();
                if let Ok(stream) = dialed {
                    return stream;
                }
            }
            let Some(first) = target.first() else {
                return pending().await;
            };
            sleep_until(self.at.into()).await;
            self.dialing = Some(start_dialing(&Arc::new(first)));
        }
    }
}

impl Client {
    /// Goes on over a connection to the first server.
    pub(super) async fn come_back(&mut self, stream: Stream) {
        self.session.acquit();
        self.session.disconnect(Disconnect::default());
        self.show_output();
        if let Link::Open(old) = &mut self.link {
            let goodbye = finish(old, self.session.output());
            let _ = timeout(PARTING, goodbye).await;
        }
        self.session.lost();
        self.losses += 1;
        self.target.back_at_first();
        self.link = Link::Dialing(Box::pin(ready(Ok(stream))));
        let text = format!(
            "{}, the first of the servers, is there again",
            self.target.current()
        );
        self.notices.push(Notice::Lost {
            error: Error::new(Kind::Lost, text),
            retry_in: Duration::ZERO,
            tells: true,
        });
    }
}
