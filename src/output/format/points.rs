//! InfluxDB's line protocol, one point a line.

use super::Render;
use crate::message::Message;
use crate::payload::points::{Missing, Points};

pub(super) struct Lines {
    points: Points,
    missing: Missing,
}

impl Lines {
    pub(super) const fn new(points: Points) -> Self {
        Self {
            points,
            missing: Missing::new(),
        }
    }
}

impl Render for Lines {
    fn render(&mut self, message: &Message, into: &mut Vec<u8>) {
        self.points.push(message, &mut self.missing, into);
    }

    fn missing(&self) -> Vec<(String, u64)> {
        let missing = self.missing.iter();
        missing
            .map(|(what, count)| (what.clone(), *count))
            .collect()
    }
}
